#ifndef DDB_JSON_ENTRIES_H
#define DDB_JSON_ENTRIES_H

#include <apr_tables.h>

#include "base/ddb_error.h"

/*
 * The data of a session as a JSON object that other programs write too, and the table of entries that it is to
 * mod_session. A string is an entry as it is; any other value is one as its JSON text. The way back leaves what was not
 * changed as it was written: numbers keep their digits, strings that look like numbers stay strings.
 *
 * Not every member can be an entry. These are none, and stay in the object untouched:
 * - "expiry", however spelt: mod_session's own bookkeeping has that name (and never gets into the object);
 * - a name or a string with a NUL or a lone surrogate in it;
 * - names that differ in case only, all of them: JSON tells them apart and a table of entries does not, so that one
 *   would pass for the other. ddb_json_entries_value has their values;
 * - of several members of one name all but the last, as Python's json reads them.
 */
typedef struct ddb_json_entries_t ddb_json_entries_t;

/** APR_SUCCESS for so many entries or members, or DDB_ETOOLARGE, said in err, if that is more than max, which
 * SessionDynamoDBMaxEntries sets. */
apr_status_t ddb_json_entries_limit(int count, int max, ddb_error_t *err);

/**
 * Read the object that text is; NULL or "" is an empty one. It may have max members, entries or not.
 * @return DDB_EBADITEM if it is none; DDB_ETOOLARGE if it has more, which were not looked at.
 */
apr_status_t ddb_json_entries_parse(ddb_json_entries_t **pm, const char *text, int max, apr_pool_t *p,
                                    ddb_error_t *err);

/** Add the entries of the object to an empty table. */
void ddb_json_entries_show(const ddb_json_entries_t *m, apr_table_t *entries);

/** 1 when the object has members that are no entries. */
int ddb_json_entries_hidden(const ddb_json_entries_t *m);

/** A name in the object from which another one differs in case only; NULL: there is none. */
const char *ddb_json_entries_doubtful(const ddb_json_entries_t *m);

/** What the member of exactly this name says that is no entry because another name differs in case only; NULL: there is
 * none, or it says nothing that an entry could. */
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
