#ifndef DDB_USER_SESSIONS_INT_H
#define DDB_USER_SESSIONS_INT_H

#include <string.h>

#include <apr_hash.h>

#include "store/ddb_user_sessions.h"

#define DDB_USER_SESSIONS_WRITES_MOST 100 /* each conflict means that another request has finished its write */

/* Shared by the files of ddb_user_sessions. */

/* --- a list that was read --- */

static inline ddb_user_session_t *ddb_user_sessions_at(const ddb_user_sessions_t *list, int i)
{
    return &APR_ARRAY_IDX(list->sessions, i, ddb_user_session_t);
}

/** 1 if previous, which may be NULL, is the key. */
static inline int ddb_user_sessions_names(const char *previous, const char *key)
{
    return previous && strcmp(previous, key) == 0;
}

/** The session of a list with this key; NULL: none. */
ddb_user_session_t *ddb_user_sessions_find(const ddb_user_sessions_t *list, const char *key);

/** Keep those sessions of which keeps says 1. */
void ddb_user_sessions_filter(ddb_user_sessions_t *list, int (*keeps)(const ddb_user_session_t *s, const void *baton),
                              const void *baton);

/* --- ending --- */

/** What one call has ended: nothing is ended twice, although the list may have to be read and written again. */
typedef struct ddb_user_sessions_ending_t {
    ddb_store_t *st;
    const ddb_store_call_t *call;
    ddb_user_session_t kept; /* key NULL: none is to be kept */
    apr_hash_t *over;        /* table keys that were revoked */
    int ended;               /* sessions; one under several IDs, or that got a new one meanwhile, counts once */
} ddb_user_sessions_ending_t;

ddb_user_sessions_ending_t ddb_user_sessions_begin_ending(ddb_store_t *st, const ddb_store_call_t *call);

/** End a session of a list, under all its IDs that are listed, and take it out: one UpdateItem for each that was not
 * ended before. */
apr_status_t ddb_user_sessions_end_session(ddb_user_sessions_ending_t *e, ddb_user_sessions_t *list,
                                           const ddb_user_session_t *session);

/* --- the item that holds a list --- */

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
