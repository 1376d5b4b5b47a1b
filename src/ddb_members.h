#ifndef DDB_MEMBERS_H
#define DDB_MEMBERS_H

#include <apr_tables.h>

#include "ddb_error.h"

/*
 * The data of a session as a JSON object that other programs write too, and the table of entries that it is to
 * mod_session. A string is an entry as it is; any other value is one as its JSON text. The way back leaves what was not
 * changed as it was written: numbers keep their digits, strings that look like numbers stay strings.
 *
 * Not every member can be an entry. These are none, and stay in the object untouched:
 * - "expiry", however spelt: mod_session's own bookkeeping has that name (and never gets into the object);
 * - a name or a string with a NUL or a lone surrogate in it;
 * - a name that differs from an earlier one in case only: entries are compared without case;
 * - of several members of one name all but the last, as Python's json reads them.
 */
typedef struct ddb_members_t ddb_members_t;

/** Read the object that text is; NULL or "" is an empty one. @return DDB_EBADITEM if it is none. */
apr_status_t ddb_members_parse(ddb_members_t **pm, const char *text, apr_pool_t *p, ddb_error_t *err);

/** Set the entries of the object in a table. */
void ddb_members_show(const ddb_members_t *m, apr_table_t *entries);

/** 1 when the object has members that are no entries. */
int ddb_members_hidden(const ddb_members_t *m);

/**
 * The object m changed to hold these entries, in p: values that are as they were read stay as they were written, others
 * become strings, entries that are not there any more are removed, new ones added at the end. The very text that was
 * read when nothing changed.
 * @return APR_EINVAL for a name or value that is not UTF-8, which JSON can't hold.
 */
apr_status_t ddb_members_print(const char **text, const ddb_members_t *m, const apr_table_t *entries, apr_pool_t *p,
                               ddb_error_t *err);

#endif
