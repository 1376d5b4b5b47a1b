/* A new ID for a session: at a login, which ends the old ID at once, and by its age, after which the old ID still leads
 * to the new one. */

#include "httpd/child/msd_child.h"
#include "httpd/msd_event.h"
#include "httpd/msd_identity.h"
#include "httpd/msd_save_int.h"
#include "httpd/msd_user_sessions.h"

void msd_save_take_away(const msd_save_t *w, const char *key)
{
    ddb_error_t ignored = { 0 };
    ddb_store_call_t quiet = *w->call;

    quiet.err = &ignored; /* keep the error that made this necessary, as that is the one to report */
    if (ddb_store_remove(w->q->calls.store, &quiet, key) != APR_SUCCESS) {
        msd_child_remove_later(w->s->server, key);
    }
}

/** End the old session, after copying concurrent changes of it to the new one. *miss: the reason for APR_NOTFOUND. */
static apr_status_t end_old(const msd_save_t *w, ddb_session_t *fresh, ddb_miss_e *miss)
{
    const msd_identity_e identity = w->s->answer.identity;
    ddb_session_t old = w->s->stored, current, unused;
    apr_status_t rv;

    for (;;) {
        /* Where a user left, or the session began anew, what other requests had of it must not go on. */
        old.left = identity == MSD_LOGOUT || identity == MSD_USER_CHANGED || w->s->answer.anew;
        memset(&current, 0, sizeof(current));
        rv = ddb_store_replace(w->q->calls.store, w->call, &old, &current);
        if (rv != DDB_ECONFLICT) {
            *miss = current.miss;
            return rv;
        }
        if (msd_session_begins_empty(w->s)) {
            old = current; /* what changed there does not go along */
            continue;
        }
        rv = msd_save_merge(w->r, w->s, &current);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        msd_save_set_payload(w->s, fresh);
        fresh->user = NULL;
        fresh->login = NULL;
        if (fresh->keep_device && current.device_key) {
            fresh->device_secret = current.device_secret;
            fresh->device_until = current.device_until;
            fresh->device_key = current.device_key;
        }
        if (!w->s->answer.timeouts_changed) {
            fresh->idle_timeout = current.idle_timeout;
            fresh->absolute_timeout = current.absolute_timeout;
            fresh->timeouts_set = current.timeouts_set;
        }
        rv = ddb_store_save(w->q->calls.store, w->call, fresh, &unused);
        if (rv != APR_SUCCESS) {
            return rv == APR_NOTFOUND ? DDB_EUNAVAILABLE : rv;
        }
        old = current;
    }
}

/** The session under its new ID: what of the old one goes along. */
static apr_status_t begin_fresh(const msd_session_t *s, ddb_session_t *fresh)
{
    const apr_array_header_t *left = s->answer.identity == MSD_LOGOUT ? s->answer.left : NULL;
    apr_status_t rv = APR_SUCCESS;
    int i;

    *fresh = s->stored;
    if (s->answer.identity != MSD_LOGOUT) {
        fresh->created = s->now; /* OWASP Session Management Cheat Sheet, "Absolute Timeout": of this login */
    }
    /* An ID that is younger than its session says so, where age counts. */
    fresh->issued = s->answer.identity == MSD_LOGOUT && s->conf->renew_interval ? apr_time_sec(s->now) : 0;
    fresh->seen = 0;
    if (msd_session_begins_empty(s)) {
        fresh->user_marks = NULL;
    }
    if (msd_session_begins_empty(s) && !s->answer.timeouts_changed) {
        fresh->timeouts_set = 0;
        msd_session_timeouts(s, fresh);
    }
    if (fresh->user_marks && s->stored.issued && s->answer.identity != MSD_LOGOUT) {
        rv = ddb_marks_drop(&fresh->user_marks, fresh->sid, msd_identity_imported.realm, s->pool);
    }
    for (i = 0; left && i < left->nelts && rv == APR_SUCCESS; i++) {
        rv = ddb_marks_drop(&fresh->user_marks, fresh->sid, APR_ARRAY_IDX(left, i, msd_session_left_t).realm, s->pool);
    }
    return rv;
}

/** 1 if what this request has of the session may go on, although another request has replaced its ID. */
static int goes_on(const msd_session_t *s, ddb_miss_e miss)
{
    return miss == DDB_MISS_MOVED || miss == DDB_MISS_REUSED || (miss == DDB_MISS_LEFT && msd_session_begins_empty(s));
}

/**
 * Move the session to a new ID. The order makes it safe: the data is stored under the new ID before the old one ends,
 * and only then is the new ID sent to the client. Whichever step fails, one of the two rows is complete.
 */
apr_status_t msd_save_renew(const msd_save_t *w)
{
    ddb_session_t fresh;
    ddb_miss_e miss = DDB_MISS_NONE;
    apr_status_t rv = begin_fresh(w->s, &fresh);

    rv = rv == APR_SUCCESS ? msd_save_insert(w, &fresh) : rv;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = end_old(w, &fresh, &miss);
    if (rv == APR_NOTFOUND && w->s->answer.verified && goes_on(w->s, miss)) {
        /* Another login was first, such as that of a double click: this one, verified too, gets a session of its
         * own. */
        rv = APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        msd_save_take_away(w, fresh.key);
        return rv;
    }
    msd_event_note(w->s, "renewed", msd_event_why_renewed(w->s), fresh.sid, w->s->stored.sid);
    if (w->s->stored.listed_in) {
        msd_user_sessions_ended(w->q, w->call, &w->s->stored, &fresh);
    }
    msd_save_stored(w->s, &fresh);
    w->s->answer.issue = fresh.sid;
    return rv;
}

/** What a failed renewal by age leaves: nothing, unless the old row may lead to the new one. */
static apr_status_t stay(const msd_save_t *w, const ddb_session_t *fresh, const ddb_session_t *current, apr_status_t rv)
{
    w->s->answer.invite = 0;
    if (!w->call->err->unsettled) {
        msd_child_remove_later(w->s->server, fresh->key);
    }
    if (rv == DDB_ECONFLICT && strcmp(current->sid, w->s->stored.sid) != 0) {
        w->s->answer.issue = current->sid; /* another request was first, and the client should know the same ID */
    }
    return rv == DDB_ECONFLICT || rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/** As at a login, the data is stored under the new ID first. But the old ID then leads to the new one: a client that
 * never receives this response stays in its session. */
static apr_status_t renew_aged(const msd_save_t *w)
{
    msd_session_t *s = w->s;
    ddb_session_t fresh = s->stored, current = { .sid = s->stored.sid };
    apr_status_t rv;

    fresh.issued = apr_time_sec(s->now);
    fresh.seen = 0;
    fresh.user = NULL;
    fresh.login = NULL;
    fresh.bind = s->bind;
    fresh.keep_csrf = s->conf->csrf_token || s->conf->csrf_enforce; /* pages that are open stay valid */
    rv = msd_save_insert_row(w, &fresh);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv; /* the user's sessions are being ended */
    }
    rv = ddb_store_succeed(w->q->calls.store, w->call, &s->stored, fresh.sid, &current);
    if (rv != APR_SUCCESS) {
        return stay(w, &fresh, &current, rv);
    }
    msd_event_note(s, "renewed", s->binding_changed ? "changed" : "age", fresh.sid, s->stored.sid);
    s->stored = fresh;
    s->answer.issue = fresh.sid;
    msd_session_lives(s);
    return rv;
}

apr_status_t msd_save_renew_aged(request_rec *r, msd_request_t *q, msd_session_t *s)
{
    const msd_save_t w = { .r = r, .q = q, .s = s };

    return msd_child_claim_renewal(s->server, &s->stored, s->now, s->pool) ? msd_save_run(renew_aged, w) : APR_SUCCESS;
}
