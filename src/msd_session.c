/* How a session comes into a request, and what is known of its times. Writing it: msd_save.c. */

#include <apr_strings.h>

#include "msd_child.h"
#include "msd_config_check.h"
#include "msd_entries.h"
#include "msd_payload.h"
#include "msd_session.h"

/** 1 when mod_session's own rules end the session before ours do. */
static int past_expiry(msd_request_t *q)
{
    long max_age = msd_request_max_age(q);

    if (max_age > 0) {
        /* What a save stored of it is out of date: touches move accessed and leave the payload alone. */
        q->z->expiry = q->session.accessed + apr_time_from_sec(max_age);
    }
    return q->z->expiry && q->z->expiry <= q->now;
}

static apr_status_t accept_loaded(request_rec *r, msd_request_t *q, const ddb_session_t *s)
{
    apr_status_t rv = msd_payload_decode(r, q, q->z, s);

    q->session = *s;
    if (rv != APR_SUCCESS) {
        msd_request_begin_new(q);
        return rv;
    }
    if (past_expiry(q)) {
        msd_request_begin_new(q);
        return APR_NOTFOUND;
    }
    q->z->dirty = 0;
    q->loaded = msd_entries_copy(q->top->pool, q->z->entries);
    q->expiry = q->z->expiry;
    q->outcome = MSD_LOADED;
    return APR_SUCCESS;
}

static apr_status_t ask_store(request_rec *r, msd_request_t *q, const char *sid)
{
    ddb_store_call_t call;
    ddb_sid_rules_t rules;
    ddb_session_t s;
    apr_time_t started;
    apr_status_t rv;

    if (!q->store) {
        q->outcome = MSD_FAILED;
        return ddb_error_set(&q->error, DDB_ECONFIG, "this server has no store: an earlier line of the log or "
                             "apachectl configtest says why");
    }
    memset(&s, 0, sizeof(s));
    started = msd_request_call_begin(q, &call, &rules);
    rv = ddb_store_load(q->store, &call, sid, &s);
    msd_request_call_end(q, started);
    if (rv == APR_SUCCESS) {
        rv = accept_loaded(r, q, &s);
    }
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND && rv != DDB_EBADITEM) {
        q->outcome = MSD_FAILED;
        return rv;
    }
    if (rv != APR_SUCCESS) {
        q->refused = ddb_sid_loggable(sid, q->top->pool);
        msd_request_count(q, DDB_COUNT_REFUSED);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/** The one ID that came with the request tree; NULL for none, or for more than one. */
static const char *incoming_sid(msd_request_t *q)
{
    const char *name = q->conf->use_header ? q->conf->header_name : q->conf->cookie_name;

    return q->taken == 1 && strcmp(name, q->taken_name) == 0 ? q->taken_sid : NULL;
}

apr_status_t msd_session_load(request_rec *r, msd_request_t *q)
{
    const char *problem, *sid;
    apr_status_t rv;

    q->loader = r;
    q->conf = msd_config_dir(r, q->top->pool);
    q->store = msd_child_store(r->server);
    q->budget = msd_config_server(r->server)->timeout;
    q->now = msd_child_now(r->server);
    problem = msd_config_check_dir(q->conf, NULL, q->top->pool);
    if (problem) {
        q->outcome = MSD_MISCONFIGURED;
        return ddb_error_set(&q->error, DDB_ECONFIG, "%s", problem);
    }
    rv = msd_payload_check(r, q);
    if (rv != APR_SUCCESS) {
        q->outcome = MSD_MISCONFIGURED;
        return rv;
    }
    msd_request_take(r, q, q->conf);
    msd_request_begin_new(q);
    sid = incoming_sid(q);
    return sid ? ask_store(r, q, sid) : APR_SUCCESS;
}

void msd_session_keep(msd_request_t *q)
{
    apr_time_t now = apr_time_now();

    if (q->z->expiry && q->z->expiry <= now && q->z->expiry > q->now) {
        q->z->expiry = q->expiry = now + apr_time_from_sec(1);
    }
}

int msd_session_touch_due(const msd_request_t *q, apr_interval_time_t *interval)
{
    apr_int64_t idle = q->session.idle_timeout;
    long max_age;

    if (q->outcome != MSD_LOADED || q->written != MSD_NOTHING || !q->session.sid) {
        return 0;
    }
    max_age = msd_request_max_age(q);
    if (max_age > 0 && max_age < idle) {
        idle = max_age;
    }
    /* A touch may be late by the interval; a tenth of the idle timeout is what a session may lose by it. */
    *interval = q->conf->touch_interval * 10 < idle ? apr_time_from_sec(q->conf->touch_interval)
                                                    : apr_time_from_sec(idle) / 10;
    return q->session.accessed + *interval <= q->now;
}

apr_int64_t msd_session_expires(const msd_request_t *q)
{
    return q->session.sid ? ddb_store_expires(&q->session) : 0;
}

apr_int64_t msd_session_next_end(const msd_request_t *q)
{
    ddb_session_t s = q->session;

    s.accessed = q->now;
    return ddb_store_expires(&s);
}
