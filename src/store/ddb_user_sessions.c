/* The sessions of a user: how a list is read, and how one is added. How they end: ddb_user_sessions_end.c; the item
 * that holds a list: ddb_user_sessions_item.c. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "store/ddb_user_sessions_int.h"

#define LABEL  "session-dynamodb user"
#define PREFIX "u:"

apr_status_t ddb_user_sessions_id(const char **id, const char *secret, const char *audience,
                                  const ddb_marks_user_t *user, apr_pool_t *p)
{
    /* Lengths, because a realm and a user may be any text. */
    const char *text = apr_psprintf(p, "%s\n%" APR_SIZE_T_FMT "\n%" APR_SIZE_T_FMT "\n%s%s%s", LABEL,
                                    audience ? strlen(audience) : 0, strlen(user->realm), audience ? audience : "",
                                    user->realm, user->user);
    const ddb_bytes_t key = { secret, strlen(secret) }, in = { text, strlen(text) };
    unsigned char mac[DDB_SHA256_BYTES];
    apr_status_t rv = ddb_crypto_hmac(DDB_SHA256, mac, key, in);

    *id = rv == APR_SUCCESS
              ? apr_pstrcat(p, PREFIX, apr_pencode_base64_binary(p, mac, sizeof(mac), APR_ENCODE_BASE64URL, NULL), NULL)
              : NULL;
    return rv;
}

int ddb_user_sessions_is_id(const char *key)
{
    return strncmp(key, PREFIX, strlen(PREFIX)) == 0;
}

int ddb_user_sessions_same(const ddb_user_session_t *a, const ddb_user_session_t *b)
{
    return strcmp(a->key, b->key) == 0 || ddb_user_sessions_names(a->previous, b->key)
           || ddb_user_sessions_names(b->previous, a->key);
}

void ddb_user_sessions_filter(ddb_user_sessions_t *list, int (*keeps)(const ddb_user_session_t *s, const void *baton),
                              const void *baton)
{
    int i, kept = 0;

    for (i = 0; i < list->sessions->nelts; i++) {
        if (keeps(ddb_user_sessions_at(list, i), baton)) {
            *ddb_user_sessions_at(list, kept++) = *ddb_user_sessions_at(list, i);
        }
    }
    list->sessions->nelts = kept;
}

static int has_not_key(const ddb_user_session_t *s, const void *key)
{
    return strcmp(s->key, key) != 0;
}

static int is_later(const ddb_user_session_t *s, const void *now)
{
    return s->expires > *(const apr_int64_t *)now;
}

ddb_user_session_t *ddb_user_sessions_find(const ddb_user_sessions_t *list, const char *key)
{
    int i;

    for (i = 0; i < list->sessions->nelts; i++) {
        if (strcmp(ddb_user_sessions_at(list, i)->key, key) == 0) {
            return ddb_user_sessions_at(list, i);
        }
    }
    return NULL;
}

/* 1 if another one of the list replaces it. */
static int is_replaced(const ddb_user_sessions_t *list, const ddb_user_session_t *s)
{
    int i;

    for (i = 0; i < list->sessions->nelts; i++) {
        if (ddb_user_sessions_names(ddb_user_sessions_at(list, i)->previous, s->key)) {
            return 1;
        }
    }
    return 0;
}

/* --- reading --- */

apr_status_t ddb_user_sessions_read(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                    ddb_user_sessions_t *list)
{
    const apr_int64_t now = apr_time_sec(call->now);
    apr_status_t rv = ddb_user_sessions_get(st, call, id, list);

    if (rv == APR_SUCCESS) {
        ddb_user_sessions_filter(list, is_later, &now);
    }
    return rv;
}

/* --- adding --- */

/* One addition. */
typedef struct adding_t {
    ddb_store_t *st;
    const ddb_store_call_t *call;
    const ddb_user_session_t *session;
    const ddb_user_limit_t *limit;
    int *evicted;
} adding_t;

/* The session is younger than the ID that it replaces, and that one's own predecessor is gone for certain: its client
 * has used the newer ID. */
static void take_out_older(ddb_user_sessions_t *list, const ddb_user_session_t *session)
{
    ddb_user_session_t *previous = session->previous ? ddb_user_sessions_find(list, session->previous) : NULL;

    if (previous && previous->previous) {
        const char *older = previous->previous;

        previous->previous = NULL;
        ddb_user_sessions_filter(list, has_not_key, older);
    }
}

/* 1 if two requests have renewed an ID because of its age at the same time: at most one of the new IDs comes into use.
 * Two logins over one ID are two sessions. */
static int are_rivals(const ddb_user_sessions_t *list, const ddb_user_session_t *a, const ddb_user_session_t *b)
{
    const ddb_user_session_t *previous;

    /* Each pair of the list is asked about: the one look through it comes last. */
    if (!a->previous || a->created != b->created || !ddb_user_sessions_names(b->previous, a->previous)) {
        return 0;
    }
    previous = ddb_user_sessions_find(list, a->previous);
    return previous && a->created == previous->created;
}

/* 1 for a login beside those of the list; 0 for a new ID of one of them. */
static int is_further(const ddb_user_sessions_t *list, const ddb_user_session_t *session)
{
    int i;

    if (!session->previous || !ddb_user_sessions_find(list, session->previous)) {
        return 1;
    }
    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t *s = ddb_user_sessions_at(list, i);

        if (ddb_user_sessions_names(s->previous, session->previous) && strcmp(s->key, session->key) != 0) {
            return 1;
        }
    }
    return 0;
}

/* 1 for an ID whose session counts by another one. */
static int counts_elsewhere(const ddb_user_sessions_t *list, int i, const ddb_user_session_t *added)
{
    const ddb_user_session_t *s = ddb_user_sessions_at(list, i);
    int before = i;

    while (before > 0 && !are_rivals(list, ddb_user_sessions_at(list, before - 1), s)) {
        before--;
    }
    return before > 0 || ddb_user_sessions_same(s, added) || are_rivals(list, s, added) || is_replaced(list, s);
}

/* The number of sessions beside the one that is added, and in *oldest the one of the longest ago. IDs of one session
 * count once. */
static int count_others(const ddb_user_sessions_t *list, const ddb_user_session_t *session,
                        const ddb_user_session_t **oldest)
{
    int i, n = 0;

    *oldest = NULL;
    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t *s = ddb_user_sessions_at(list, i);

        if (!counts_elsewhere(list, i, session)) {
            *oldest = !*oldest || s->created < (*oldest)->created ? s : *oldest;
            n++;
        }
    }
    return n;
}

/* APR_NOTFOUND if the session has ended. A row may be still to come: that of a login for less than a request's time,
 * that of a newer ID while the older one is in use. */
static apr_status_t look_at(const adding_t *a, const ddb_user_session_t *s)
{
    ddb_session_t found;
    apr_status_t rv = ddb_store_look(a->st, a->call, s->key, &found);

    if (rv == APR_SUCCESS || found.miss != DDB_MISS_ABSENT) {
        return rv;
    }
    if (s->previous) {
        rv = ddb_store_look(a->st, a->call, s->previous, &found);
    }
    return rv == APR_NOTFOUND && s->created + DDB_STORE_TOMBSTONE > apr_time_sec(a->call->now) ? APR_SUCCESS : rv;
}

/* Take out those that have ended. */
static apr_status_t take_out_ended(const adding_t *a, ddb_user_sessions_t *list)
{
    apr_status_t rv;
    int i, kept = 0;

    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t s = *ddb_user_sessions_at(list, i);

        rv = look_at(a, &s);
        if (rv == APR_SUCCESS) {
            *ddb_user_sessions_at(list, kept++) = s;
        }
        else if (rv != APR_NOTFOUND) {
            return rv;
        }
    }
    list->sessions->nelts = kept;
    return APR_SUCCESS;
}

/* Make room for the session. Counts anew after each end: 800 IDs, where the limit has become 1, take a second of a
 * processor in all, once, beside the 1200 calls. Others make room for one or two. */
static apr_status_t hold_limit(const adding_t *a, ddb_user_sessions_t *list)
{
    int most = a->limit->most && is_further(list, a->session) ? a->limit->most : DDB_USER_SESSIONS_MOST;
    const ddb_user_session_t *oldest;
    ddb_user_sessions_ending_t e = ddb_user_sessions_begin_ending(a->st, a->call);
    apr_status_t rv = APR_SUCCESS;

    if (count_others(list, a->session, &oldest) < most) {
        return rv;
    }
    rv = take_out_ended(a, list);
    while (rv == APR_SUCCESS && count_others(list, a->session, &oldest) >= most) {
        rv = a->limit->deny ? ddb_error_set(a->call->err, DDB_ETOOMANY,
                                            "the user has as many sessions as SessionDynamoDBUserSessionLimit allows")
                            : ddb_user_sessions_end_session(&e, list, oldest);
    }
    *a->evicted += e.ended;
    return rv;
}

static apr_status_t add_once(const adding_t *a, const char *id)
{
    const apr_int64_t began = apr_time_as_msec(a->call->now);
    ddb_user_sessions_t list;
    apr_status_t rv = ddb_user_sessions_read(a->st, a->call, id, &list);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (list.ended >= began) {
        return APR_NOTFOUND;
    }
    take_out_older(&list, a->session);
    rv = hold_limit(a, &list);
    if (rv == APR_SUCCESS) {
        ddb_user_sessions_filter(&list, has_not_key, a->session->key);
        APR_ARRAY_PUSH(list.sessions, ddb_user_session_t) = *a->session;
        rv = ddb_user_sessions_put(a->st, a->call, &list);
    }
    return rv;
}

apr_status_t ddb_user_sessions_add(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                   const ddb_user_session_t *session, const ddb_user_limit_t *limit, int *evicted)
{
    const adding_t a = { .st = st, .call = call, .session = session, .limit = limit, .evicted = evicted };
    apr_status_t rv = DDB_ECONFLICT;
    int i;

    *evicted = 0;
    for (i = 0; i < DDB_USER_SESSIONS_WRITES_MOST && rv == DDB_ECONFLICT; i++) {
        rv = add_once(&a, id);
    }
    return rv;
}
