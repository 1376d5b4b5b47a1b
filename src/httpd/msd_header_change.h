#ifndef MSD_HEADER_CHANGE_H
#define MSD_HEADER_CHANGE_H

#include <mod_session.h>

#include "httpd/msd_entries.h"

/*
 * What a session header asks for: entries to set, "name=value", and entries to remove, "name=", joined by '&'. Read as
 * mod_session reads it, but for the names of what is removed. It takes those as they stand, so that an entry whose name
 * has to be escaped, such as "cart[tea]", could never be removed, nor its session emptied. Here a name is the same
 * whether its entry is set or removed.
 */

/** Read one of them, into p. @return 0 for what asks for nothing: no name, or an escape that is none. */
int msd_header_change_read(msd_entries_change_t *change, const char *pair, apr_pool_t *p);

/** Make all the changes that said asks for in z, as if one after the other. "expiry" is the end of the session. */
void msd_header_change_make(session_rec *z, const char *said);

#endif
