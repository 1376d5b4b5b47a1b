/* How a session comes into a request, and what is known of its times. Writing it: msd_save.c. */

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "httpd/child/msd_child.h"
#include "httpd/child/msd_unknown_ids.h"
#include "httpd/conf/msd_config_check.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_payload.h"
#include "httpd/msd_session.h"

#define SIDS_MAX 2 /* of the request's IDs that are looked up */

/** 1 when mod_session's own rules end the session before ours do: the end that the payload names, and SessionMaxAge's,
 * which follows from the row's times. The nearer one counts. */
static int past_expiry(msd_request_t *q)
{
    long max_age = msd_request_max_age(q);
    apr_time_t end = max_age > 0 ? q->session.accessed + apr_time_from_sec(max_age) : 0;

    q->expiry = q->z->expiry;
    if (end && (!q->expiry || end < q->expiry)) {
        q->z->expiry = end;
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
        q->miss = DDB_MISS_OVER;
        return APR_NOTFOUND;
    }
    q->z->dirty = 0;
    q->loaded = msd_entries_copy(q->top->pool, q->z->entries);
    q->outcome = MSD_LOADED;
    return APR_SUCCESS;
}

/**
 * The memory of missing keys, with the key of sid; NULL where it does not hold: a read that is not consistent may miss
 * what is there, and without the hash keys are IDs, which other programs may write.
 */
static const msd_unknown_ids_t *misses_for(const msd_request_t *q, const ddb_store_call_t *call, const char *sid,
                                           const char **key)
{
    const msd_unknown_ids_t *m = msd_config_server(q->loader->server)->misses;

    return m && call->consistent && call->rules->hash
                   && ddb_sid_table_key(key, sid, call->rules, call->pool) == APR_SUCCESS
               ? m
               : NULL;
}

/** ddb_store_load, without asking the table again for an ID that is no session's. */
static apr_status_t look_up(const msd_request_t *q, const ddb_store_call_t *call, const char *sid, ddb_session_t *s)
{
    apr_time_t began = ddb_clock_monotonic(q->clock);
    const char *key = NULL;
    const msd_unknown_ids_t *m = misses_for(q, call, sid, &key);
    apr_status_t rv;

    if (msd_unknown_ids_holds(m, key, began, call->pool)) {
        s->miss = DDB_MISS_KNOWN;
        return APR_NOTFOUND;
    }
    rv = ddb_store_load(q->store, call, sid, s);
    if (rv == APR_NOTFOUND && (s->miss == DDB_MISS_ABSENT || s->miss == DDB_MISS_OVER)) {
        msd_unknown_ids_add(m, key, began, call->pool);
    }
    return rv;
}

static apr_status_t read_row(msd_request_t *q, const char *sid, ddb_session_t *s)
{
    ddb_store_call_t call;
    ddb_sid_rules_t rules;
    apr_time_t started;
    apr_status_t rv;

    memset(s, 0, sizeof(*s));
    started = msd_request_call_begin(q, &call, &rules);
    rv = look_up(q, &call, sid, s);
    msd_request_call_end(q, started);
    return rv;
}

/** Nothing of a session that was found on the way to a failure may be left. */
static apr_status_t fail(msd_request_t *q, apr_status_t rv)
{
    msd_request_begin_new(q);
    q->outcome = MSD_FAILED;
    q->failure = rv;
    return rv;
}

/** The one of these IDs (one or two) that names a live session is the request's. Two that do: none is. */
static apr_status_t ask_store(request_rec *r, msd_request_t *q, const apr_array_header_t *sids)
{
    ddb_session_t s, alive;
    apr_status_t rv, told = APR_SUCCESS;
    int live = 0, i;

    if (!q->store) {
        return fail(
            q,
            ddb_error_set(
                &q->error, DDB_ECONFIG,
                "the session store is not available: see the earlier lines of the log, or run apachectl configtest"));
    }
    for (i = 0; i < sids->nelts; i++) {
        rv = read_row(q, APR_ARRAY_IDX(sids, i, const char *), &s);
        q->miss = s.miss;
        rv = rv == APR_SUCCESS ? accept_loaded(r, q, &s) : rv;
        if (rv == APR_SUCCESS) {
            alive = s;
            live++;
        }
        else if (rv == DDB_EBADITEM) {
            told = rv;
        }
        else if (rv != APR_NOTFOUND) {
            return fail(q, rv);
        }
    }
    if (live == 1 && q->outcome != MSD_LOADED) {
        /* The other one came behind it. */
        accept_loaded(r, q, &alive);
    }
    else if (live > 1) {
        msd_request_begin_new(q);
        q->ambiguous = 1;
    }
    else if (!live) {
        q->refused = ddb_sid_loggable(APR_ARRAY_IDX(sids, 0, const char *), q->top->pool);
        msd_request_count(q, DDB_COUNT_REFUSED);
    }
    return told;
}

/** 1 when sid is among the IDs so far, or can't be an ID here. */
static int adds_nothing(const apr_array_header_t *sids, const char *sid, const ddb_sid_rules_t *rules)
{
    return ddb_array_holds(sids, sid) || ddb_sid_check(sid, rules, sids->pool) == APR_NOTFOUND;
}

/**
 * A browser sends all cookies of a name that it has for the page, with other paths and domains too: of a setting that
 * has changed since, of another application, of another host of the domain. In which order says nothing. What can't be
 * an ID is none of ours. Of two that can, the table knows which one lives; a third is not ours either, and who plants
 * some must not make us ask for all of them.
 */
static apr_status_t choose(request_rec *r, msd_request_t *q, const apr_array_header_t *came)
{
    apr_array_header_t *sids = apr_array_make(q->top->pool, SIDS_MAX + 1, sizeof(const char *));
    ddb_sid_rules_t rules;
    int i;

    msd_config_rules(&rules, q->conf);
    for (i = 0; i < came->nelts && sids->nelts <= SIDS_MAX; i++) {
        if (!adds_nothing(sids, APR_ARRAY_IDX(came, i, const char *), &rules)) {
            APR_ARRAY_PUSH(sids, const char *) = APR_ARRAY_IDX(came, i, const char *);
        }
    }
    if (sids->nelts > SIDS_MAX) {
        q->ambiguous = 1;
        return APR_SUCCESS;
    }
    if (!sids->nelts) {
        /* The store refuses it without a call, and that is told. */
        APR_ARRAY_PUSH(sids, const char *) = APR_ARRAY_IDX(came, 0, const char *);
    }
    return ask_store(r, q, sids);
}

apr_status_t msd_session_load(request_rec *r, msd_request_t *q)
{
    const apr_array_header_t *came;
    const char *problem;
    apr_status_t rv;

    q->loader = r;
    q->conf = msd_config_dir(r, q->top->pool);
    q->store = msd_child_store(r->server);
    q->clock = msd_child_clock(r->server);
    q->notices = msd_child_notices(r->server);
    q->budget = msd_config_server(r->server)->timeout;
    q->now = ddb_clock_wall(q->clock);
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
    came = msd_request_came(q, q->conf);
    if (!came) {
        return APR_SUCCESS;
    }
    q->taken = came->nelts;
    /* One alone is the store's to judge. */
    return q->taken == 1 ? ask_store(r, q, came) : choose(r, q, came);
}

void msd_session_keep(msd_request_t *q)
{
    apr_time_t now = apr_time_now();

    if (q->z->expiry && q->z->expiry <= now && q->z->expiry > q->now) {
        q->z->expiry = now + apr_time_from_sec(1);
        q->expiry = msd_request_max_age(q) > 0 ? q->expiry : q->z->expiry;
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
