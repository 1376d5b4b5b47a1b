/* The memory of one request tree. */

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "httpd/child/msd_unknown_ids.h"
#include "httpd/msd_request.h"
#include "httpd/msd_carrier.h"

/* Subrequests hang below main, redirected requests below prev; the first of all outlives the rest and so keeps the
 * state. Both ways have to be walked: a subrequest may belong to a redirected request. */
static request_rec *topmost(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

msd_request_t *msd_request_find(request_rec *r)
{
    return ap_get_module_config(topmost(r)->request_config, &session_dynamodb_module);
}

msd_request_t *msd_request_get(request_rec *r)
{
    request_rec *top = topmost(r);
    msd_request_t *q = ap_get_module_config(top->request_config, &session_dynamodb_module);

    if (!q) {
        q = apr_pcalloc(top->pool, sizeof(*q));
        q->top = top;
        ap_set_module_config(top->request_config, &session_dynamodb_module, q);
    }
    return q;
}

static const msd_carrier_t *find_carrier(const msd_request_t *q, const char *name, int header)
{
    int i;

    for (i = 0; q->carriers && i < q->carriers->nelts; i++) {
        const msd_carrier_t *c = &APR_ARRAY_IDX(q->carriers, i, msd_carrier_t);
        if (c->header == header && strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

void msd_request_take(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf)
{
    const apr_array_header_t *took = msd_carrier_take(r, conf, msd_config_server(r->server)->cookie_names,
                                                      q->top->pool);
    int i;

    if (!q->carriers) {
        q->carriers = apr_array_make(q->top->pool, 1, sizeof(msd_carrier_t));
    }
    /* The requests of a tree have the client's headers, some of them in copies: who looks first finds all there is, the
     * others must neither forget it nor find it again. */
    for (i = 0; i < took->nelts; i++) {
        const msd_carrier_t *c = &APR_ARRAY_IDX(took, i, msd_carrier_t);
        if (!find_carrier(q, c->name, c->header)) {
            APR_ARRAY_PUSH(q->carriers, msd_carrier_t) = *c;
        }
    }
}

const apr_array_header_t *msd_request_came(const msd_request_t *q, const msd_dir_config_t *conf)
{
    const msd_carrier_t *c = find_carrier(q, conf->use_header ? conf->header_name : conf->cookie_name,
                                          conf->use_header);

    return c ? c->sids : NULL;
}

int msd_request_is_error_page(const request_rec *r)
{
    for (; r; r = r->main ? r->main : r->prev) {
        if (r->prev && ap_is_HTTP_ERROR(r->prev->status)) {
            return 1;
        }
    }
    return 0;
}

int msd_request_usable(const msd_request_t *q)
{
    return q->z && (q->outcome == MSD_NEW || q->outcome == MSD_LOADED);
}

int msd_request_unsaved(const msd_request_t *q)
{
    return msd_request_usable(q) && q->z->dirty && !q->z->written && q->written == MSD_NOTHING
           && !(q->z->expiry && q->z->expiry < apr_time_now());
}

/** The name of mod_auth_form's entry for the user; NULL where no AuthName is set. */
static const char *user_entry(const request_rec *r)
{
    const char *realm = ap_auth_name((request_rec *)r);

    return realm ? apr_pstrcat(r->pool, realm, "-" MOD_SESSION_USER, NULL) : NULL;
}

const char *msd_request_user(const request_rec *r, const msd_request_t *q)
{
    const char *entry = user_entry(r);
    const char *user = entry ? apr_table_get(q->z->entries, entry) : NULL;

    return user ? user : q->user;
}

int msd_request_names_exact(const request_rec *r)
{
    const msd_request_t *q = msd_request_find((request_rec *)r);

    return (q && q->conf ? q->conf : msd_config_merged(r))->format == DDB_JSON;
}

const char *msd_request_entry(request_rec *r, const session_rec *z, const char *name)
{
    const msd_request_t *q = msd_request_find(r);
    const apr_array_header_t *elts;
    int i;

    if (!q || z != q->z || !msd_request_names_exact(r)) {
        return apr_table_get(z->entries, name);
    }
    elts = apr_table_elts(z->entries);
    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcmp(e->key, name) == 0) {
            return e->val;
        }
    }
    return q->members ? ddb_json_entries_value(q->members, name) : NULL;
}

int msd_request_user_left(const request_rec *r, const msd_request_t *q)
{
    const char *entry = user_entry(r);

    return entry && apr_table_get(q->loaded, entry) && !apr_table_get(q->z->entries, entry);
}

int msd_request_user_changed(const request_rec *r, const msd_request_t *q)
{
    const char *user = q->session.sid ? msd_request_user(r, q) : NULL;

    return user && !ddb_store_same_user(&q->session, user, r->pool);
}

const session_dir_conf *msd_request_session_conf(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &session_module);
}

long msd_request_max_age(const msd_request_t *q)
{
    return msd_request_session_conf(q->loader)->maxage;
}

void msd_request_count(const msd_request_t *q, ddb_counted_e what)
{
    ddb_count_add(msd_config_server(q->loader->server)->count, what, 1);
}

void msd_request_lives(const msd_request_t *q)
{
    msd_unknown_ids_forget(msd_config_server(q->loader->server)->misses, q->session.key, q->top->pool);
}

const char *msd_request_loggable_id(msd_request_t *q)
{
    /* The IDs of a tree are in its own pool, so that no two of them ever have the same address. */
    if (q->loggable_of != q->session.sid) {
        q->loggable_of = q->session.sid;
        q->loggable = q->session.sid ? ddb_sid_loggable(q->session.sid, q->top->pool) : NULL;
    }
    return q->loggable;
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
    q->members = NULL;
    q->expiry = 0;
    memset(&q->session, 0, sizeof(q->session));
}

void msd_request_begin_new(msd_request_t *q)
{
    long max_age = msd_request_max_age(q);

    blank(q);
    q->outcome = MSD_NEW;
    q->session.idle_timeout = q->conf->idle_timeout;
    q->session.absolute_timeout = q->conf->absolute_timeout;
    if (max_age > 0 && max_age < q->session.idle_timeout) {
        q->session.idle_timeout = max_age;
    }
}

/*
 * All store calls of a request share one budget of time. It counts the time spent in calls only: what the handler takes
 * between them is its own affair.
 */
apr_time_t msd_request_call_begin(msd_request_t *q, ddb_store_call_t *call, ddb_sid_rules_t *rules)
{
    apr_time_t started = ddb_clock_monotonic(q->clock);

    msd_config_rules(rules, q->conf);
    call->rules = rules;
    call->format = q->conf->format;
    call->compress = (apr_size_t)q->conf->compress;
    call->max_size = (apr_size_t)q->conf->max_size;
    call->consistent = q->conf->consistent_read;
    call->now = q->now;
    call->deadline = started + q->budget;
    call->cancel = NULL; /* a client waits for the answer */
    call->pool = q->top->pool;
    call->err = &q->error;
    call->calls = &q->calls;
    return started;
}

void msd_request_call_end(msd_request_t *q, apr_time_t started)
{
    apr_interval_time_t took = ddb_clock_monotonic(q->clock) - started;

    q->spent += took;
    q->budget -= took;
    if (q->budget < 0) {
        q->budget = 0;
    }
    msd_store_notices_log(q->top->server, q->notices);
}
