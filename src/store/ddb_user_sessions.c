/* The sessions of a user: what is done with a list. The item that holds it: ddb_user_sessions_item.c. */

#include <string.h>

#include <apr_encode.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "store/ddb_user_sessions_int.h"

#define LABEL       "session-dynamodb user"
#define WRITES_MOST 100 /* each conflict means that another request has finished its write */
#define ROUNDS_MOST 3   /* of ending sessions while others begin */

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
              ? apr_pstrcat(p, "u:", apr_pencode_base64_binary(p, mac, sizeof(mac), APR_ENCODE_BASE64URL, NULL), NULL)
              : NULL;
    return rv;
}

static ddb_user_session_t *session_at(const ddb_user_sessions_t *list, int i)
{
    return &APR_ARRAY_IDX(list->sessions, i, ddb_user_session_t);
}

static int names(const char *previous, const char *key)
{
    return previous && strcmp(previous, key) == 0;
}

int ddb_user_sessions_same(const ddb_user_session_t *a, const ddb_user_session_t *b)
{
    return strcmp(a->key, b->key) == 0 || names(a->previous, b->key) || names(b->previous, a->key);
}

/* Keep those of which keeps says 1. */
static void filter(ddb_user_sessions_t *list, int (*keeps)(const ddb_user_session_t *s, const void *baton),
                   const void *baton)
{
    int i, kept = 0;

    for (i = 0; i < list->sessions->nelts; i++) {
        if (keeps(session_at(list, i), baton)) {
            *session_at(list, kept++) = *session_at(list, i);
        }
    }
    list->sessions->nelts = kept;
}

/* Keeps all but a session that has ended, and the ID that it replaced. What replaced it stays: that may be another
 * session by now, of a login. */
static int is_not_over(const ddb_user_session_t *s, const void *session)
{
    const ddb_user_session_t *over = session;

    return strcmp(s->key, over->key) != 0 && !names(over->previous, s->key);
}

static int has_not_key(const ddb_user_session_t *s, const void *key)
{
    return strcmp(s->key, key) != 0;
}

static int is_another(const ddb_user_session_t *s, const void *session)
{
    return !ddb_user_sessions_same(s, session);
}

static int is_later(const ddb_user_session_t *s, const void *now)
{
    return s->expires > *(const apr_int64_t *)now;
}

static ddb_user_session_t *find(const ddb_user_sessions_t *list, const char *key)
{
    int i;

    for (i = 0; i < list->sessions->nelts; i++) {
        if (strcmp(session_at(list, i)->key, key) == 0) {
            return session_at(list, i);
        }
    }
    return NULL;
}

/* 1 if another one of the list replaces it. */
static int is_replaced(const ddb_user_sessions_t *list, const ddb_user_session_t *s)
{
    int i;

    for (i = 0; i < list->sessions->nelts; i++) {
        if (names(session_at(list, i)->previous, s->key)) {
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
        filter(list, is_later, &now);
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
    ddb_user_session_t *previous = session->previous ? find(list, session->previous) : NULL;

    if (previous && previous->previous) {
        const char *older = previous->previous;

        previous->previous = NULL;
        filter(list, has_not_key, older);
    }
}

/* 1 if two requests have renewed an ID at the same time: at most one of the new IDs comes into use. */
static int are_rivals(const ddb_user_session_t *a, const ddb_user_session_t *b)
{
    return a->previous && names(b->previous, a->previous) && a->created == b->created;
}

/* 1 for an ID whose session counts by another one. */
static int counts_elsewhere(const ddb_user_sessions_t *list, int i, const ddb_user_session_t *added)
{
    const ddb_user_session_t *s = session_at(list, i);
    int before = i;

    while (before > 0 && !are_rivals(session_at(list, before - 1), s)) {
        before--;
    }
    return before > 0 || ddb_user_sessions_same(s, added) || are_rivals(s, added) || is_replaced(list, s);
}

/* The number of sessions beside the one that is added, and in *oldest the one of the longest ago. IDs of one session
 * count once. */
static int count_others(const ddb_user_sessions_t *list, const ddb_user_session_t *session,
                        const ddb_user_session_t **oldest)
{
    int i, n = 0;

    *oldest = NULL;
    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t *s = session_at(list, i);

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
        const ddb_user_session_t s = *session_at(list, i);

        rv = look_at(a, &s);
        if (rv == APR_SUCCESS) {
            *session_at(list, kept++) = s;
        }
        else if (rv != APR_NOTFOUND) {
            return rv;
        }
    }
    list->sessions->nelts = kept;
    return APR_SUCCESS;
}

/* Sessions that are being ended. */
typedef struct ending_t {
    ddb_store_t *st;
    const ddb_store_call_t *call;
    apr_hash_t *over; /* table keys that were revoked */
    int ended;        /* sessions */
} ending_t;

static ending_t begin_ending(ddb_store_t *st, const ddb_store_call_t *call)
{
    return (ending_t){ .st = st, .call = call, .over = apr_hash_make(call->pool) };
}

/* Once, although the list may have to be read and written again. */
static apr_status_t end_key(ending_t *e, const char *key)
{
    apr_status_t rv = APR_SUCCESS;

    if (!apr_hash_get(e->over, key, APR_HASH_KEY_STRING)) {
        rv = ddb_store_revoke(e->st, e->call, key);
        apr_hash_set(e->over, key, APR_HASH_KEY_STRING, rv == APR_SUCCESS ? key : NULL);
    }
    return rv;
}

/* End a session, with the IDs of it that are listed, and take it out. */
static apr_status_t end_session(ending_t *e, ddb_user_sessions_t *list, const ddb_user_session_t *session)
{
    const ddb_user_session_t s = *session; /* the list moves */
    unsigned int before = apr_hash_count(e->over);
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < list->sessions->nelts && rv == APR_SUCCESS; i++) {
        if (ddb_user_sessions_same(session_at(list, i), &s)) {
            rv = end_key(e, session_at(list, i)->key);
        }
    }
    if (rv == APR_SUCCESS) {
        e->ended += apr_hash_count(e->over) > before;
        filter(list, is_another, &s);
    }
    return rv;
}

/* Make room for the session. */
static apr_status_t hold_limit(const adding_t *a, ddb_user_sessions_t *list)
{
    int most = a->limit->most ? a->limit->most : DDB_USER_SESSIONS_MOST;
    const ddb_user_session_t *oldest;
    ending_t e = begin_ending(a->st, a->call);
    apr_status_t rv = APR_SUCCESS;

    if (count_others(list, a->session, &oldest) < most) {
        return rv;
    }
    rv = take_out_ended(a, list);
    while (rv == APR_SUCCESS && count_others(list, a->session, &oldest) >= most) {
        rv = a->limit->deny ? ddb_error_set(a->call->err, DDB_ETOOMANY,
                                            "the user has as many sessions as SessionDynamoDBUserSessionLimit allows")
                            : end_session(&e, list, oldest);
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
        filter(&list, has_not_key, a->session->key);
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
    for (i = 0; i < WRITES_MOST && rv == DDB_ECONFLICT; i++) {
        rv = add_once(&a, id);
    }
    return rv;
}

/* --- ending --- */

apr_status_t ddb_user_sessions_remove(ddb_store_t *st, const ddb_store_call_t *call, const char *id, const char *key)
{
    ddb_user_sessions_t list;
    const ddb_user_session_t *found;
    apr_status_t rv = DDB_ECONFLICT;
    int i;

    for (i = 0; i < WRITES_MOST && rv == DDB_ECONFLICT; i++) {
        rv = ddb_user_sessions_read(st, call, id, &list);
        found = rv == APR_SUCCESS ? find(&list, key) : NULL;
        if (rv == APR_SUCCESS && !found) {
            return APR_NOTFOUND;
        }
        if (rv == APR_SUCCESS) {
            const ddb_user_session_t s = *found;

            filter(&list, is_not_over, &s);
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
    ending_t e = begin_ending(st, call);
    int i;

    /* A conflict may be a new ID of this session, which ends as well. */
    for (i = 0; i < WRITES_MOST && rv == DDB_ECONFLICT; i++) {
        rv = ddb_user_sessions_read(st, call, id, &list);
        found = rv == APR_SUCCESS ? find(&list, key) : NULL;
        if (rv == APR_SUCCESS && !found) {
            return i ? APR_SUCCESS : APR_NOTFOUND;
        }
        rv = rv == APR_SUCCESS ? end_session(&e, &list, found) : rv;
        rv = rv == APR_SUCCESS ? ddb_user_sessions_put(st, call, &list) : rv;
    }
    return rv;
}

/* The session to keep, and what is known of it. */
static ddb_user_session_t session_to_keep(const ddb_user_sessions_t *list, const char *keep)
{
    const ddb_user_session_t *listed = keep ? find(list, keep) : NULL;

    return listed ? *listed : (ddb_user_session_t){ .key = keep ? keep : "" };
}

/* End what is listed now, and forget it; the one to keep stays. */
static apr_status_t end_listed(ending_t *e, ddb_user_sessions_t *list, const char *keep)
{
    const ddb_user_session_t kept = session_to_keep(list, keep);
    apr_status_t rv = APR_SUCCESS;
    int i = 0;

    while (i < list->sessions->nelts && rv == APR_SUCCESS) {
        if (ddb_user_sessions_same(session_at(list, i), &kept)) {
            i++;
            continue;
        }
        rv = end_session(e, list, session_at(list, i));
    }
    return rv;
}

/* After the last round: is what was listed meanwhile a login, or a session that was to end and has a new ID? */
static apr_status_t judge_rest(const ending_t *e, const char *id, const char *keep, apr_int64_t since)
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
        const ddb_user_session_t *s = session_at(&list, i);

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
    ending_t e = begin_ending(st, call);
    apr_int64_t since = 0;
    apr_status_t rv = DDB_ECONFLICT;
    int i;

    /* A conflict is a login that began after the mark, or a new ID. It is ended as well while this call is not
     * answered, but a crowd of logins must not keep it from its answer. */
    for (i = 0; i < ROUNDS_MOST && rv == DDB_ECONFLICT; i++) {
        rv = ddb_user_sessions_mark(st, call, id, &list);
        since = i == 0 && rv == APR_SUCCESS ? list.ended / 1000 : since;
        rv = rv == APR_SUCCESS ? end_listed(&e, &list, keep) : rv;
        rv = rv == APR_SUCCESS ? ddb_user_sessions_put(st, call, &list) : rv;
    }
    *ended = e.ended;
    return rv == DDB_ECONFLICT ? judge_rest(&e, id, keep, since) : rv;
}
