/* The sessions of a user: what a request does with their lists. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_address.h"
#include "base/ddb_array.h"
#include "httpd/child/msd_counts.h"
#include "httpd/msd_event.h"
#include "httpd/msd_user_sessions.h"

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static void add(apr_array_header_t *ids, const char *id)
{
    if (!ddb_array_holds(ids, id)) {
        APR_ARRAY_PUSH(ids, const char *) = id;
    }
}

/** The lists that a row names. */
static void add_listed(apr_array_header_t *ids, const char *listed_in)
{
    char *last = NULL, *text = listed_in ? apr_pstrdup(ids->pool, listed_in) : NULL, *id;

    for (id = text ? apr_strtok(text, " ", &last) : NULL; id; id = apr_strtok(NULL, " ", &last)) {
        add(ids, id);
    }
}

static const char *join(const apr_array_header_t *ids)
{
    return ids->nelts ? apr_array_pstrcat(ids->pool, ids, ' ') : NULL;
}

/** newest: 1: only under the key that new lists have. */
static apr_status_t add_user(apr_array_header_t *ids, const msd_session_t *s, const ddb_marks_user_t *user, int newest)
{
    const apr_array_header_t *keys = s->conf->user_session_keys;
    const char *audience = *s->conf->audience ? s->conf->audience : NULL, *id;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = newest ? keys->nelts - 1 : 0; i < keys->nelts && rv == APR_SUCCESS; i++) {
        rv = ddb_user_sessions_id(&id, APR_ARRAY_IDX(keys, i, const char *), audience, user, ids->pool);
        if (rv == APR_SUCCESS) {
            add(ids, id);
        }
    }
    return rv;
}

static apr_array_header_t *no_lists(const msd_session_t *s)
{
    return apr_array_make(s->pool, 2, sizeof(const char *));
}

apr_status_t msd_user_sessions_lists(apr_array_header_t **ids, const msd_session_t *s)
{
    const apr_array_header_t *users = s->answer.users, *left = s->answer.left;
    apr_status_t rv = APR_SUCCESS;
    int i;

    *ids = no_lists(s);
    /* Whose session was stored is no matter where another user came. */
    add_listed(*ids, msd_session_begins_empty(s) ? NULL : s->stored.listed_in);
    for (i = 0; users && i < users->nelts && rv == APR_SUCCESS; i++) {
        rv = add_user(*ids, s, &APR_ARRAY_IDX(users, i, msd_session_user_t).user, 0);
    }
    for (i = 0; left && i < left->nelts && rv == APR_SUCCESS; i++) {
        const msd_session_left_t *l = &APR_ARRAY_IDX(left, i, msd_session_left_t);
        const ddb_marks_user_t user = { l->realm, l->user };

        rv = add_user(*ids, s, &user, 0);
    }
    return rv;
}

/* ---- a session begins -------------------------------------------------------------------------------------------- */

/** The part of the client's address that is stored: enough to recognise a place by, not a person (NIST SP 800-63B
 * section 5.3 asks for an assessment of anything more). */
static const char *network_of(const request_rec *r, apr_pool_t *p)
{
    ddb_address_t a;

    if (!r->useragent_ip || !ddb_address_read(&a, r->useragent_ip)) {
        return "";
    }
    ddb_address_mask(&a, 24, 56);
    return apr_pstrcat(p, ddb_address_text(&a, p), a.len == 4 ? "/24" : "/56", NULL);
}

static apr_status_t row_comes(void *baton, const ddb_store_call_t *call, const char *key)
{
    msd_user_sessions_t *u = baton;
    apr_status_t rv = APR_SUCCESS;
    int i, evicted;

    u->session.key = key;
    for (i = 0; i < u->ids->nelts && rv == APR_SUCCESS; i++) {
        rv = ddb_user_sessions_add(u->store, call, APR_ARRAY_IDX(u->ids, i, const char *), &u->session, &u->limit,
                                   &evicted);
        if (evicted) {
            msd_event_note(u->s, "revoked", "limit", NULL, NULL);
            msd_counts_add_event(u->s->server, "revoked", "limit", (apr_uint64_t)evicted);
        }
    }
    return rv;
}

/** The lists of those who are in the session under its new ID. */
static apr_status_t lists_of(apr_array_header_t **ids, const msd_session_t *s, const char *listed_in)
{
    const apr_array_header_t *users = s->answer.users, *left = s->answer.left;
    apr_array_header_t *known = no_lists(s), *gone = no_lists(s), *listed = no_lists(s);
    apr_status_t rv = APR_SUCCESS;
    int i;

    *ids = no_lists(s);
    for (i = 0; users && i < users->nelts && rv == APR_SUCCESS; i++) {
        const msd_session_user_t *u = &APR_ARRAY_IDX(users, i, msd_session_user_t);

        if (u->is_new || !msd_session_begins_empty(s)) {
            rv = add_user(*ids, s, &u->user, 1);
            rv = rv == APR_SUCCESS ? add_user(known, s, &u->user, 0) : rv;
        }
    }
    for (i = 0; left && i < left->nelts && rv == APR_SUCCESS; i++) {
        const msd_session_left_t *l = &APR_ARRAY_IDX(left, i, msd_session_left_t);
        const ddb_marks_user_t user = { l->realm, l->user };

        rv = add_user(gone, s, &user, 0);
    }
    /* Users whose names the request does not tell stay in the lists that the row names. */
    add_listed(listed, msd_session_begins_empty(s) ? NULL : listed_in);
    for (i = 0; i < listed->nelts; i++) {
        const char *id = APR_ARRAY_IDX(listed, i, const char *);

        if (!ddb_array_holds(known, id) && !ddb_array_holds(gone, id)) {
            add(*ids, id);
        }
    }
    return rv;
}

/** What is listed of the session in row, but for its key. */
static ddb_user_session_t session_of(const request_rec *r, const msd_session_t *s, const ddb_session_t *row)
{
    const char *agent = apr_table_get(r->headers_in, "User-Agent");

    return (ddb_user_session_t){ .previous = s->stored.sid && s->stored.listed_in ? s->stored.key : NULL,
                                 .created = apr_time_sec(row->created),
                                 .expires = apr_time_sec(row->created) + row->absolute_timeout,
                                 .address = network_of(r, s->pool),
                                 .agent = agent ? agent : "" };
}

int msd_user_sessions_begin(msd_user_sessions_t *u, request_rec *r, const msd_request_t *q, msd_session_t *s,
                            ddb_session_t *row, apr_status_t *rv)
{
    *u = (msd_user_sessions_t){
        .announce = { row_comes, u }, .store = q->calls.store, .s = s, .session = session_of(r, s, row)
    };
    if (!row->issued) { /* an ID that says when it was issued is no login's */
        u->limit = (ddb_user_limit_t){ s->conf->user_session_most, s->conf->user_session_deny };
    }
    *rv = lists_of(&u->ids, s, s->stored.listed_in);
    row->listed_in = *rv == APR_SUCCESS ? join(u->ids) : NULL;
    return row->listed_in != NULL;
}

apr_status_t msd_user_sessions_extend(request_rec *r, const msd_request_t *q, msd_session_t *s,
                                      const ddb_store_call_t *call)
{
    msd_user_sessions_t u = {
        .store = q->calls.store, .s = s, .ids = no_lists(s), .session = session_of(r, s, &s->stored)
    };

    add_listed(u.ids, s->stored.listed_in);
    u.session.previous = NULL; /* an ID that is used has replaced the one before it for good */
    return row_comes(&u, call, s->stored.key);
}

/* ---- a session ends ---------------------------------------------------------------------------------------------- */

void msd_user_sessions_ended(const msd_request_t *q, const ddb_store_call_t *call, const ddb_session_t *was,
                             const ddb_session_t *is)
{
    apr_array_header_t *before = apr_array_make(call->pool, 2, sizeof(const char *));
    apr_array_header_t *after = apr_array_make(call->pool, 2, sizeof(const char *));
    ddb_store_call_t quiet = *call;
    ddb_error_t ignored = { 0 };
    int i;

    add_listed(before, was->listed_in);
    add_listed(after, is ? is->listed_in : NULL);
    quiet.err = &ignored; /* the session has ended, whatever the list says */
    for (i = 0; i < before->nelts; i++) {
        const char *id = APR_ARRAY_IDX(before, i, const char *);

        if (!ddb_array_holds(after, id)) {
            (void)ddb_user_sessions_remove(q->calls.store, &quiet, id, was->key);
        }
    }
}

apr_status_t msd_user_sessions_revoke(msd_request_t *q, msd_session_t *s, msd_revoke_e what)
{
    const char *reason = what == MSD_REVOKE_ALL ? "user" : "others";
    apr_array_header_t *ids;
    msd_calls_batch_t batch;
    const char *keep = what == MSD_REVOKE_ALL ? NULL : s->stored.key;
    apr_status_t rv = msd_user_sessions_lists(&ids, s);
    int i, ended = 0;

    rv = rv == APR_SUCCESS ? msd_calls_check(&q->calls, &s->error) : rv;
    msd_calls_begin(&q->calls, s, &batch);
    for (i = 0; i < ids->nelts && rv == APR_SUCCESS; i++) {
        rv = ddb_user_sessions_end_all(q->calls.store, &batch.call, APR_ARRAY_IDX(ids, i, const char *), keep, &ended);
        msd_counts_add_event(s->server, "revoked", reason, (apr_uint64_t)ended);
    }
    msd_calls_end(&q->calls, &batch);
    if (rv == APR_SUCCESS && ids->nelts) {
        msd_event_note(s, "revoked", reason, s->stored.sid, NULL);
        s->answer.all_ended = what == MSD_REVOKE_ALL;
    }
    return rv;
}
