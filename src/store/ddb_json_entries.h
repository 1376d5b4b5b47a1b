#ifndef DDB_JSON_ENTRIES_H
#define DDB_JSON_ENTRIES_H

#include <apr_tables.h>

#include "base/ddb_error.h"

/*
 * The data of a session as a JSON object, which other programs write, too, and as the table of entries that mod_session
 * uses. A string is an entry as it is; any other value is an entry by its JSON text. On the way back unchanged members
 * stay as they were written: numbers keep their digits, strings that look like numbers stay strings.
 *
 * Not every member can be an entry. These are not entries and stay in the object untouched:
 * - "expiry", however spelt: mod_session's own bookkeeping has that name (and never gets into the object);
 * - a name or a string with a NUL or a lone surrogate in it;
 * - names that differ in case only, all of them: JSON tells them apart and a table of entries does not, so that one
 *   would pass for the other. ddb_json_entries_value has their values;
 * - all but the last of several members with the same name, as Python's json reads them.
 */
typedef struct ddb_json_entries_t ddb_json_entries_t;

/** APR_SUCCESS for so many entries or members, or DDB_ETOOLARGE, said in err, if that is more than max, which
 * SessionDynamoDBMaxEntries sets. */
apr_status_t ddb_json_entries_limit(int count, int max, ddb_error_t *err);

/**
 * Parse text as an object; NULL or "" is an empty one. It may have up to max members, entries or not.
 * @return DDB_EBADITEM if it is not an object; DDB_ETOOLARGE if it has more members, which are not parsed.
 */
apr_status_t ddb_json_entries_parse(ddb_json_entries_t **pm, const char *text, int max, apr_pool_t *p,
                                    ddb_error_t *err);

/** Add the entries of the object to an empty table. */
void ddb_json_entries_show(const ddb_json_entries_t *m, apr_table_t *entries);

/** 1 when the object has members that are not entries. */
int ddb_json_entries_hidden(const ddb_json_entries_t *m);

/** A name in the object that differs from another one only in case; NULL: no such name. */
const char *ddb_json_entries_doubtful(const ddb_json_entries_t *m);

/** The value of the member with exactly this name that is not an entry because another name differs only in case; NULL:
 * no such member, or its value cannot be an entry. */
const char *ddb_json_entries_value(const ddb_json_entries_t *m, const char *name);

/**
 * The object m changed to hold these entries, in p: values that are as they were read stay as they were written, others
 * become strings, entries that are not there any more are removed, new ones added at the end. The very text that was
 * read when nothing changed. An entry set under one of several names that differ in case only is the member of exactly
 * that name.
 * @return APR_EINVAL for a name or value that is not UTF-8, which JSON can't hold; DDB_ETOOLARGE when there would be
 *         more members than ddb_json_entries_parse was told.
 */
apr_status_t ddb_json_entries_print(const char **text, const ddb_json_entries_t *m, const apr_table_t *entries,
                                    apr_pool_t *p, ddb_error_t *err);

#endif
