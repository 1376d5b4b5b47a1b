/* The life of a session within a request. */

#include <apr_strings.h>

#include "msd_child.h"
#include "msd_config_check.h"
#include "msd_entries.h"
#include "msd_session.h"

#define MERGE_ROUNDS 10 /* how often a save is tried against other writers */

/*
 * All store calls of a request share one budget of time. It counts the time spent in calls only: what the handler takes
 * between them is its own affair.
 */
static apr_time_t call_begin(msd_request_t *q, ddb_store_call_t *call, ddb_sid_rules_t *rules)
{
    apr_time_t started = ddb_store_monotonic(q->store);

    msd_config_rules(rules, q->conf);
    call->rules = rules;
    call->consistent = q->conf->consistent_read;
    call->now = q->now;
    call->deadline = started + q->budget;
    call->pool = q->top->pool;
    call->err = &q->error;
    return started;
}

static void call_end(msd_request_t *q, apr_time_t started)
{
    q->budget -= ddb_store_monotonic(q->store) - started;
    if (q->budget < 0) {
        q->budget = 0;
    }
}

static void blank(msd_request_t *q)
{
    apr_pool_t *p = q->top->pool;

    if (!q->z) {
        q->z = apr_palloc(p, sizeof(*q->z));
    }
    memset(q->z, 0, sizeof(*q->z));
    q->z->pool = p;
    q->z->entries = apr_table_make(p, 10);
    q->z->uuid = apr_pcalloc(p, sizeof(*q->z->uuid));
    q->loaded = apr_table_make(p, 1);
    memset(&q->session, 0, sizeof(q->session));
}

/** mod_session's sliding limit, in seconds; 0 for none. It acts as one more idle timeout. */
static long session_max_age(const msd_request_t *q)
{
    return msd_request_session_conf(q->loader)->maxage;
}

/** The session is new: it gets the timeouts that hold here. */
static void begin_new(msd_request_t *q)
{
    long max_age = session_max_age(q);

    blank(q);
    q->outcome = MSD_NEW;
    q->session.idle_timeout = q->conf->idle_timeout;
    q->session.absolute_timeout = q->conf->absolute_timeout;
    if (max_age > 0 && max_age < q->session.idle_timeout) {
        q->session.idle_timeout = max_age;
    }
}

/** Hand the payload through mod_session's decoders (mod_session_crypto among them). 0 when they can't read it. */
static int decode(request_rec *r, session_rec *z, const ddb_session_t *s)
{
    int rv;

    z->encoded = s->data;
    rv = ap_run_session_decode(r, z);
    z->encoded = NULL;
    return rv == OK || rv == DECLINED;
}

/** 1 when mod_session's own rules end the session before ours do. */
static int past_expiry(msd_request_t *q)
{
    long max_age = session_max_age(q);

    if (max_age > 0) {
        /* What a save stored of it is out of date: touches move accessed and leave the payload alone. */
        q->z->expiry = q->session.accessed + apr_time_from_sec(max_age);
    }
    return q->z->expiry && q->z->expiry <= q->now;
}

static apr_status_t accept_loaded(request_rec *r, msd_request_t *q, const ddb_session_t *s)
{
    q->session = *s;
    if (!decode(r, q->z, s)) {
        begin_new(q);
        return ddb_error_set(&q->error, DDB_EBADITEM, "the data can't be decoded: encrypted with another passphrase, or "
                             "not written by mod_session");
    }
    if (past_expiry(q)) {
        begin_new(q);
        return APR_NOTFOUND;
    }
    q->z->dirty = 0;
    q->loaded = msd_entries_copy(q->top->pool, q->z->entries);
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
    started = call_begin(q, &call, &rules);
    rv = ddb_store_load(q->store, &call, sid, &s);
    call_end(q, started);
    if (rv == APR_SUCCESS) {
        rv = accept_loaded(r, q, &s);
    }
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND && rv != DDB_EBADITEM) {
        q->outcome = MSD_FAILED;
        return rv;
    }
    if (rv != APR_SUCCESS) {
        q->refused = ddb_sid_loggable(sid, q->top->pool);
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

    q->loader = r;
    q->conf = msd_config_dir(r, q->top->pool);
    q->store = msd_child_store(r->server);
    q->budget = msd_config_server(r->server)->timeout;
    q->now = apr_time_now();
    problem = msd_config_check_dir(q->conf, NULL, q->top->pool);
    if (problem) {
        q->outcome = MSD_MISCONFIGURED;
        return ddb_error_set(&q->error, DDB_ECONFIG, "%s", problem);
    }
    msd_request_take(r, q, q->conf);
    begin_new(q);
    sid = incoming_sid(q);
    return sid ? ask_store(r, q, sid) : APR_SUCCESS;
}

void msd_session_keep(msd_request_t *q)
{
    apr_time_t now = apr_time_now();

    if (q->z->expiry && q->z->expiry <= now && q->z->expiry > q->now) {
        q->z->expiry = now + apr_time_from_sec(1);
    }
}

/** The payload of the entries as they are now, through mod_session's encoders. */
static apr_status_t encode(request_rec *r, msd_request_t *q)
{
    int rv;

    q->z->encoded = NULL;
    rv = ap_run_session_encode(r, q->z);
    if (rv != OK && rv != DECLINED) {
        return ddb_error_set(&q->error, APR_EGENERAL, "mod_session could not encode the session");
    }
    return APR_SUCCESS;
}

static void set_payload(msd_request_t *q, ddb_session_t *s)
{
    s->data = q->z->encoded ? q->z->encoded : "";
    s->data_len = strlen(s->data);
}

/** Another request changed the row: q's entries become the merge of both changes, against the row as it is now. */
static apr_status_t merge(request_rec *r, msd_request_t *q, const ddb_session_t *current)
{
    apr_pool_t *p = q->top->pool;
    session_rec theirs;
    apr_table_t *merged;

    memset(&theirs, 0, sizeof(theirs));
    theirs.pool = p;
    theirs.entries = apr_table_make(p, 10);
    if (!decode(r, &theirs, current)) {
        return ddb_error_set(&q->error, DDB_EBADITEM, "the data that another request stored meanwhile can't be decoded");
    }
    merged = msd_entries_merge(p, q->loaded, q->z->entries, theirs.entries);
    q->loaded = msd_entries_copy(p, theirs.entries);
    /* The table's address is known to handlers: its content changes, not the table. */
    apr_table_clear(q->z->entries);
    apr_table_overlap(q->z->entries, merged, APR_OVERLAP_TABLES_SET);
    return encode(r, q);
}

static void stored(msd_request_t *q, const ddb_session_t *s)
{
    q->session = *s;
    q->loaded = msd_entries_copy(q->top->pool, q->z->entries);
    q->written = MSD_STORED;
}

static apr_status_t create(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    ddb_session_t s = q->session;
    const char *undisclosed = NULL;
    apr_status_t rv;

    set_payload(q, &s);
    s.created = q->now;
    s.user = msd_request_user(r, q);
    rv = ddb_store_insert(q->store, call, &s, &undisclosed);
    if (rv == APR_SUCCESS) {
        stored(q, &s);
        q->issue = s.sid;
    }
    else if (undisclosed) {
        msd_child_remove_later(r->server, undisclosed);
    }
    return rv;
}

/** Only the timeouts that this request changed are ours to write; the others follow the row. */
static void rebase(const msd_request_t *q, ddb_session_t *s, const ddb_session_t *current)
{
    ddb_session_t ours = *s;

    *s = *current;
    s->data = ours.data;
    s->data_len = ours.data_len;
    s->user = ours.user;
    if (q->timeouts_changed) {
        s->idle_timeout = ours.idle_timeout;
        s->absolute_timeout = ours.absolute_timeout;
    }
}

static apr_status_t change(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    ddb_session_t s = q->session, current;
    apr_status_t rv;
    int round;

    s.user = NULL;
    for (round = 0;; round++) {
        set_payload(q, &s);
        memset(&current, 0, sizeof(current));
        rv = ddb_store_save(q->store, call, &s, &current);
        if (rv != DDB_ECONFLICT || round == MERGE_ROUNDS) {
            break;
        }
        rv = merge(r, q, &current);
        if (rv != APR_SUCCESS) {
            break;
        }
        rebase(q, &s, &current);
    }
    if (rv == APR_SUCCESS) {
        stored(q, &s);
        /* The date in a persistent cookie has to follow the session's end. */
        q->issue = q->conf->cookie_persistent ? s.sid : q->issue;
    }
    return rv;
}

/** Take the row with the new ID away again; later, if it can't be done now. */
static void withdraw(msd_request_t *q, const ddb_store_call_t *call, const char *key)
{
    ddb_error_t ignored = { 0 };
    ddb_store_call_t quiet = *call;

    quiet.err = &ignored; /* what has to be reported is the failure that made this necessary */
    if (ddb_store_remove(q->store, &quiet, key) != APR_SUCCESS) {
        msd_child_remove_later(q->loader->server, key);
    }
}

/** End the old row, bringing what others changed in it meanwhile into the new one first. */
static apr_status_t end_old(request_rec *r, msd_request_t *q, const ddb_store_call_t *call, ddb_session_t *fresh)
{
    ddb_session_t old = q->session, current, unused;
    apr_status_t rv;
    int round;

    for (round = 0;; round++) {
        memset(&current, 0, sizeof(current));
        rv = ddb_store_replace(q->store, call, &old, &current);
        if (rv != DDB_ECONFLICT || round == MERGE_ROUNDS) {
            return rv;
        }
        rv = merge(r, q, &current);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        set_payload(q, fresh);
        fresh->user = NULL;
        rv = ddb_store_save(q->store, call, fresh, &unused);
        if (rv != APR_SUCCESS) {
            return rv == APR_NOTFOUND ? DDB_EUNAVAILABLE : rv;
        }
        old = current;
    }
}

/**
 * The session moves to a new ID. The order is what makes it safe: the data is there under the new ID before the old one
 * ends, and the new ID is given out only after that. Whatever step fails, one of the two rows is whole.
 */
static apr_status_t renew(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    ddb_session_t fresh = q->session;
    const char *undisclosed = NULL;
    apr_status_t rv;

    set_payload(q, &fresh);
    fresh.user = msd_request_user(r, q);
    rv = ddb_store_insert(q->store, call, &fresh, &undisclosed);
    if (rv != APR_SUCCESS) {
        if (undisclosed) {
            msd_child_remove_later(r->server, undisclosed);
        }
        return rv;
    }
    rv = end_old(r, q, call, &fresh);
    if (rv != APR_SUCCESS) {
        withdraw(q, call, fresh.key);
        return rv;
    }
    stored(q, &fresh);
    q->issue = fresh.sid;
    return rv;
}

static apr_status_t end(msd_request_t *q, const ddb_store_call_t *call)
{
    apr_status_t rv = ddb_store_remove(q->store, call, q->session.key);

    if (rv == APR_SUCCESS) {
        begin_new(q);
        q->written = MSD_ENDED;
        q->issue = NULL;
        q->end_id = 1;
    }
    return rv;
}

/** Which write the entries ask for; NULL for none. */
typedef apr_status_t write_fn(request_rec *r, msd_request_t *q, const ddb_store_call_t *call);

static apr_status_t end_emptied(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    (void)r;
    return end(q, call);
}

static write_fn *choose_write(request_rec *r, msd_request_t *q)
{
    int empty = msd_entries_empty(q->z->entries);

    if (!q->session.sid) {
        return empty || !q->z->dirty ? NULL : create;
    }
    if (empty && q->z->dirty) {
        return end_emptied;
    }
    if (q->renew || msd_request_user_changed(r, q)) {
        return renew;
    }
    return q->timeouts_changed || !msd_entries_equal(q->z->entries, q->loaded) ? change : NULL;
}

apr_status_t msd_session_save(request_rec *r, msd_request_t *q)
{
    write_fn *write = choose_write(r, q);
    ddb_store_call_t call;
    ddb_sid_rules_t rules;
    apr_time_t started;
    apr_status_t rv;

    if (!write) {
        return APR_SUCCESS;
    }
    if (!q->store) {
        q->written = MSD_WRITE_FAILED;
        return ddb_error_set(&q->error, DDB_ECONFIG, "this server has no store: an earlier line of the log or "
                             "apachectl configtest says why");
    }
    started = call_begin(q, &call, &rules);
    rv = write(r, q, &call);
    call_end(q, started);
    if (rv == APR_NOTFOUND) {
        q->written = MSD_GONE;
        q->issue = NULL;
        q->session.sid = NULL;
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        q->written = MSD_WRITE_FAILED;
    }
    return rv;
}

apr_status_t msd_session_end(msd_request_t *q)
{
    ddb_store_call_t call;
    ddb_sid_rules_t rules;
    apr_time_t started = call_begin(q, &call, &rules);
    apr_status_t rv = end(q, &call);

    call_end(q, started);
    return rv;
}

int msd_session_touch_due(const msd_request_t *q, apr_interval_time_t *interval)
{
    apr_int64_t idle = q->session.idle_timeout;
    long max_age;

    if (q->outcome != MSD_LOADED || q->written != MSD_NOTHING || !q->session.sid) {
        return 0;
    }
    max_age = session_max_age(q);
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
