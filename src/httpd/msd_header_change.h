#ifndef MSD_HEADER_CHANGE_H
#define MSD_HEADER_CHANGE_H

#include <mod_session.h>

#include "httpd/msd_entries.h"

/*
 * The changes in a session header: entries to set, "name=value", and entries to remove, "name=", joined by '&'. Parsed
 * like mod_session does, except for the names of entries to remove. mod_session does not unescape those, so an entry
 * whose name must be escaped, such as "cart[tea]", could never be removed, nor its session emptied. Here names are
 * unescaped in both cases.
 */

/** Parse one change; its strings are in p. @return 1, or 0 if it is to be ignored: no name, or an invalid escape. */
int msd_header_change_read(msd_entries_change_t *change, const char *pair, apr_pool_t *p);

/** Apply all changes in said to z, as if one after the other. "expiry" sets the session's expiry. */
void msd_header_change_make(session_rec *z, const char *said);

#endif
