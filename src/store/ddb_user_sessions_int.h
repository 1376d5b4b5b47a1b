#ifndef DDB_USER_SESSIONS_INT_H
#define DDB_USER_SESSIONS_INT_H

#include "store/ddb_user_sessions.h"

/* Shared by the files of ddb_user_sessions: the item that holds a list. */

/** As ddb_user_sessions_read, with the sessions that expired. */
apr_status_t ddb_user_sessions_get(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                   ddb_user_sessions_t *list);

/** Write a list: one UpdateItem. @return DDB_ECONFLICT if it is not as it was read. */
apr_status_t ddb_user_sessions_put(ddb_store_t *st, const ddb_store_call_t *call, ddb_user_sessions_t *list);

/** Mark a list, which need not exist, with the time: one UpdateItem; where a later mark is, one GetItem as well. *list
 * is as it is then. */
apr_status_t ddb_user_sessions_mark(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                    ddb_user_sessions_t *list);

#endif
