/* The sessions of a user: how they end. What else is done with a list: ddb_user_sessions.c. */

#include <string.h>

#include "store/ddb_user_sessions_int.h"

#define ROUNDS_MOST 3 /* of ending sessions while others begin */

/* Keeps all but a session that has ended, and the ID that it replaced. What replaced it stays: that may be another
 * session by now, of a login. */
static int is_not_over(const ddb_user_session_t *s, const void *session)
{
    const ddb_user_session_t *over = session;

    return strcmp(s->key, over->key) != 0 && !ddb_user_sessions_names(over->previous, s->key);
}

static int is_another(const ddb_user_session_t *s, const void *session)
{
    return !ddb_user_sessions_same(s, session);
}

ddb_user_sessions_ending_t ddb_user_sessions_begin_ending(ddb_store_t *st, const ddb_store_call_t *call)
{
    return (ddb_user_sessions_ending_t){ .st = st, .call = call, .over = apr_hash_make(call->pool) };
}

/* Once, although the list may have to be read and written again. */
static apr_status_t end_key(ddb_user_sessions_ending_t *e, const char *key)
{
    apr_status_t rv = APR_SUCCESS;

    if (!apr_hash_get(e->over, key, APR_HASH_KEY_STRING)) {
        rv = ddb_store_revoke(e->st, e->call, key);
        apr_hash_set(e->over, key, APR_HASH_KEY_STRING, rv == APR_SUCCESS ? key : NULL);
    }
    return rv;
}

/* 1 if this call has ended the session before, under this ID or under the one that it replaced. */
static int is_over(const ddb_user_sessions_ending_t *e, const ddb_user_session_t *s)
{
    return apr_hash_get(e->over, s->key, APR_HASH_KEY_STRING)
           || (s->previous && apr_hash_get(e->over, s->previous, APR_HASH_KEY_STRING));
}

apr_status_t ddb_user_sessions_end_session(ddb_user_sessions_ending_t *e, ddb_user_sessions_t *list,
                                           const ddb_user_session_t *session)
{
    const ddb_user_session_t s = *session; /* the list moves */
    apr_status_t rv = APR_SUCCESS;
    int i, is_new = 1;

    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t *id = ddb_user_sessions_at(list, i);

        is_new = is_new && !(ddb_user_sessions_same(id, &s) && is_over(e, id));
    }
    for (i = 0; i < list->sessions->nelts && rv == APR_SUCCESS; i++) {
        const ddb_user_session_t *id = ddb_user_sessions_at(list, i);

        /* What led to the session to keep still does. */
        if (ddb_user_sessions_same(id, &s) && !(e->kept.key && ddb_user_sessions_same(id, &e->kept))) {
            rv = end_key(e, id->key);
        }
    }
    if (rv == APR_SUCCESS) {
        e->ended += is_new;
        ddb_user_sessions_filter(list, is_another, &s);
    }
    return rv;
}

apr_status_t ddb_user_sessions_remove(ddb_store_t *st, const ddb_store_call_t *call, const char *id, const char *key)
{
    ddb_user_sessions_t list;
    const ddb_user_session_t *found;
    apr_status_t rv = DDB_ECONFLICT;
    int i;

    for (i = 0; i < DDB_USER_SESSIONS_WRITES_MOST && rv == DDB_ECONFLICT; i++) {
        rv = ddb_user_sessions_read(st, call, id, &list);
        found = rv == APR_SUCCESS ? ddb_user_sessions_find(&list, key) : NULL;
        if (rv == APR_SUCCESS && !found) {
            return APR_NOTFOUND;
        }
        if (rv == APR_SUCCESS) {
            const ddb_user_session_t s = *found;

            ddb_user_sessions_filter(&list, is_not_over, &s);
            rv = ddb_user_sessions_put(st, call, &list);
        }
    }
    return rv;
}

apr_status_t ddb_user_sessions_end_one(ddb_store_t *st, const ddb_store_call_t *call, const char *id, const char *key)
{
    ddb_user_sessions_t list;
    const ddb_user_session_t *found;
    apr_status_t rv = DDB_ECONFLICT;
    ddb_user_sessions_ending_t e = ddb_user_sessions_begin_ending(st, call);
    int i;

    /* A conflict may be a new ID of this session, which ends as well. */
    for (i = 0; i < DDB_USER_SESSIONS_WRITES_MOST && rv == DDB_ECONFLICT; i++) {
        rv = ddb_user_sessions_read(st, call, id, &list);
        found = rv == APR_SUCCESS ? ddb_user_sessions_find(&list, key) : NULL;
        if (rv == APR_SUCCESS && !found) {
            return i ? APR_SUCCESS : APR_NOTFOUND;
        }
        rv = rv == APR_SUCCESS ? ddb_user_sessions_end_session(&e, &list, found) : rv;
        rv = rv == APR_SUCCESS ? ddb_user_sessions_put(st, call, &list) : rv;
    }
    return rv;
}

/* The session to keep, and what is known of it. */
static ddb_user_session_t session_to_keep(const ddb_user_sessions_t *list, const char *keep)
{
    const ddb_user_session_t *listed = keep ? ddb_user_sessions_find(list, keep) : NULL;

    return listed ? *listed : (ddb_user_session_t){ .key = keep ? keep : "" };
}

/* End what is listed now, and forget it; the one to keep stays. Each end looks through the whole list: the 800 IDs of
 * a full one take 40 ms of a processor, beside 800 calls. */
static apr_status_t end_listed(ddb_user_sessions_ending_t *e, ddb_user_sessions_t *list, const char *keep)
{
    apr_status_t rv = APR_SUCCESS;
    int i = 0;

    e->kept = session_to_keep(list, keep);
    while (i < list->sessions->nelts && rv == APR_SUCCESS) {
        if (ddb_user_sessions_same(ddb_user_sessions_at(list, i), &e->kept)) {
            i++;
            continue;
        }
        rv = ddb_user_sessions_end_session(e, list, ddb_user_sessions_at(list, i));
    }
    return rv;
}

/* After the last round: is what was listed meanwhile a login, or a session that was to end and has a new ID? */
static apr_status_t judge_rest(const ddb_user_sessions_ending_t *e, const char *id, const char *keep, apr_int64_t since)
{
    ddb_user_sessions_t list;
    ddb_user_session_t kept;
    apr_status_t rv = ddb_user_sessions_read(e->st, e->call, id, &list);
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    kept = session_to_keep(&list, keep);
    for (i = 0; i < list.sessions->nelts; i++) {
        const ddb_user_session_t *s = ddb_user_sessions_at(&list, i);

        if (s->created <= since && !ddb_user_sessions_same(s, &kept)
            && !apr_hash_get(e->over, s->key, APR_HASH_KEY_STRING)) {
            return ddb_error_set(e->call->err, DDB_ECONFLICT,
                                 "sessions of the user keep getting new IDs while they are ended: try again");
        }
    }
    return rv;
}

apr_status_t ddb_user_sessions_end_all(ddb_store_t *st, const ddb_store_call_t *call, const char *id, const char *keep,
                                       int *ended)
{
    ddb_user_sessions_t list;
    ddb_user_sessions_ending_t e = ddb_user_sessions_begin_ending(st, call);
    apr_int64_t since = 0;
    apr_status_t rv = DDB_ECONFLICT;
    int i;

    /* A conflict is a login that began after the mark, or a new ID. It is ended as well while this call is not
     * answered, but a crowd of logins must not keep it from its answer. */
    for (i = 0; i < ROUNDS_MOST && rv == DDB_ECONFLICT; i++) {
        rv = ddb_user_sessions_mark(st, call, id, &list);
        since = i == 0 && rv == APR_SUCCESS ? list.ended / 1000 : since;
        rv = rv == APR_SUCCESS ? end_listed(&e, &list, keep) : rv;
        rv = rv == APR_SUCCESS && list.version ? ddb_user_sessions_put(st, call, &list) : rv;
    }
    *ended = e.ended;
    return rv == DDB_ECONFLICT ? judge_rest(&e, id, keep, since) : rv;
}
