#ifndef DDB_JSON_ENTRIES_H
#define DDB_JSON_ENTRIES_H

#include <apr_tables.h>

#include "base/ddb_error.h"

/*
 * The data of a session: a JSON object, which other programs write too, and the table of entries that mod_session makes
 * of it. A string becomes an entry with the same value; any other value becomes an entry with its JSON text. Printing
 * preserves the text of unchanged members: numbers keep their digits, strings that look like numbers stay strings.
 *
 * Some members cannot be entries. They stay in the object untouched:
 * - "expiry", whatever its case: mod_session uses this name for itself (its entry never enters the object);
 * - a name or a string with a NUL or a lone surrogate;
 * - all names that differ only in case: JSON distinguishes them, a table of entries does not, and one would pass for
 *   another. ddb_json_entries_value returns their values;
 * - members with a repeated name, except the last one, which is the one that Python's json reads.
 */
typedef struct ddb_json_entries_t ddb_json_entries_t;

/** Check a number of entries or members against max, the value of SessionDynamoDBMaxEntries: APR_SUCCESS, or
 * DDB_ETOOLARGE with err filled in. */
apr_status_t ddb_json_entries_limit(int count, int max, ddb_error_t *err);

/**
 * Read a JSON object from text; NULL or "" is an empty one. It may have up to max members, entries or not.
 * @return DDB_EBADITEM if text is not a JSON object; DDB_ETOOLARGE if it has more members, which were not examined.
 */
apr_status_t ddb_json_entries_parse(ddb_json_entries_t **pm, const char *text, int max, apr_pool_t *p,
                                    ddb_error_t *err);

/** Add the entries of the object to an empty table, copied into its pool. */
void ddb_json_entries_show(const ddb_json_entries_t *m, apr_table_t *entries);

/** 1 if the object has members that cannot be entries, other than superseded repetitions of a name. */
int ddb_json_entries_hidden(const ddb_json_entries_t *m);

/** One of the names in the object that differ from another only in case; NULL if there are none. */
const char *ddb_json_entries_doubtful(const ddb_json_entries_t *m);

/** The value of the member with exactly this name, if it is not an entry because another name differs only in case;
 * NULL if there is no such member, or an entry could not hold its value. */
const char *ddb_json_entries_value(const ddb_json_entries_t *m, const char *name);

/**
 * The object m with these entries, in p. Unchanged values keep their text, changed ones become strings, missing entries
 * are removed, new ones are added at the end. Without any change, *text is the text that was read, in the pool of m.
 * Where names differ only in case, an entry changes only the member with exactly its name.
 * @return APR_EINVAL for a name or value that is not UTF-8, which JSON requires; DDB_ETOOLARGE if there would be more
 *         members than the max of ddb_json_entries_parse.
 */
apr_status_t ddb_json_entries_print(const char **text, const ddb_json_entries_t *m, const apr_table_t *entries,
                                    apr_pool_t *p, ddb_error_t *err);

#endif
