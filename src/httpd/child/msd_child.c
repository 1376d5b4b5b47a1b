/* The objects that a child process builds after fork, and destroys when it ends. Background writes:
 * msd_child_later.c. */

#include <stdlib.h>

#include <apr_strings.h>
#include <httpd.h>
#include <ap_mpm.h>
#include <http_log.h>

#include "base/ddb_curl.h"
#include "httpd/child/msd_child_int.h"
#include "httpd/child/msd_counts.h"
#include "httpd/child/msd_gauges.h"
#include "httpd/child/msd_once.h"
#include "httpd/child/msd_credentials_refresh.h"
#include "httpd/child/msd_row_cache.h"
#include "httpd/child/msd_shared_reads.h"
#include "httpd/child/msd_table_check.h"
#include "httpd/child/msd_thread.h"
#include "httpd/child/msd_warm_connections.h"
#include "httpd/conf/msd_config.h"

APLOG_USE_MODULE(session_dynamodb);

#define STOP_PATIENCE apr_time_from_sec(1) /* limit for queued writes when httpd stops immediately */

typedef struct msd_child_t {
    ddb_store_t *store;
    struct shared_t *shared;          /* shared by all servers of the process */
    ddb_creds_t *creds;               /* shared by all servers with the same sources of credentials */
    msd_store_notices_t notices;      /* its circuit breaker is shared by all servers that are alike; NULL: off */
    ddb_retry_budget_t *budget;       /* shared like the circuit breaker */
    msd_shared_reads_t *reads;        /* NULL: requests read alone */
    int breaker_number, creds_number; /* among this child's, for msd_gauges; -1: none */
} msd_child_t;

/** The objects that the servers of one process share. */
typedef struct shared_t {
    apr_pool_t *pool;
    ddb_curl_t *curl;
    ddb_http_transport_t http;
    ddb_skew_t *skew;
    const ddb_clock_t *clock; /* corrected by skew */
    msd_write_queue_t *writer;
    msd_credentials_refresh_t *refresh;
    int threaded;                 /* 1: the MPM ends all requests before it destroys the child's pool */
    apr_interval_time_t patience; /* limit for queued writes at the end */
    msd_gauges_t *gauges;
    int breakers, chains; /* their number so far */
} shared_t;

/** 1 if two servers can share a circuit breaker: the timeouts matter, because they define a failure. */
static int is_alike(const msd_server_config_t *a, const msd_server_config_t *b)
{
    return strcmp(a->endpoint.url, b->endpoint.url) == 0 && a->breaker == b->breaker && a->timeout == b->timeout
           && a->connect_timeout == b->connect_timeout;
}

/** Share the circuit breaker and the retry budget of the first server that is alike, or create new ones. */
static apr_status_t join_breaker(msd_child_t *child, const msd_server_config_t *c, const server_rec *s)
{
    shared_t *shared = child->shared;
    ddb_breaker_opts_t o = { .store = c->endpoint.url,
                             .limit = c->breaker,
                             .clock = &ddb_clock_system,
                             .random = ddb_crypto_random,
                             .count = c->count };

    child->breaker_number = -1;
    if (!c->breaker) {
        return APR_SUCCESS;
    }
    for (; s; s = s->next) {
        const msd_server_config_t *other = msd_config_server(s);
        if (other->child && is_alike(c, other)) {
            child->notices.breaker = other->child->notices.breaker;
            child->breaker_number = other->child->breaker_number;
            child->budget = other->child->budget;
            return APR_SUCCESS;
        }
    }
    ddb_retry_budget_create(&child->budget, shared->pool);
    child->breaker_number = shared->breakers++;
    o.state = msd_gauges_word(shared->gauges, MSD_GAUGE_BREAKER, child->breaker_number);
    return ddb_breaker_create(&child->notices.breaker, &o, shared->pool);
}

static int is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/** Only where SessionDynamoDB is On: if the module is merely loaded, administrators expect no requests from it. */
static void ask_soon_if_used(ddb_creds_t *creds, const msd_server_config_t *c)
{
    if (c->used) {
        ddb_creds_ask_soon(creds);
    }
}

static msd_credentials_refresh_shown_t shown_at(const shared_t *shared, int number)
{
    return (msd_credentials_refresh_shown_t){
        .provider = msd_gauges_word(shared->gauges, MSD_GAUGE_PROVIDER, number),
        .expires = msd_gauges_word(shared->gauges, MSD_GAUGE_EXPIRES, number),
    };
}

/** Share the chain of the first server with the same sources of credentials, or create a new one. */
static apr_status_t join_creds(msd_child_t *child, const msd_server_config_t *c, const server_rec *s)
{
    shared_t *shared = child->shared;
    ddb_cancel_t *cancel = ddb_cancel_create(shared->pool);
    ddb_http_transport_t *http = apr_palloc(shared->pool, sizeof(*http));
    ddb_creds_opts_t o = { .profile = { c->profile, c->credentials_file, c->config_file },
                           .http = http,
                           .region = c->endpoint.region,
                           .has_refresher = 1,
                           .cancel = cancel };
    apr_status_t rv;

    for (; s; s = s->next) {
        const msd_server_config_t *other = msd_config_server(s);
        if (other->child && is_same(c->profile, other->profile) && is_same(c->credentials_file, other->credentials_file)
            && is_same(c->config_file, other->config_file) && is_same(c->endpoint.region, other->endpoint.region)) {
            child->creds = other->child->creds;
            child->creds_number = other->child->creds_number;
            ask_soon_if_used(child->creds, c);
            return APR_SUCCESS;
        }
    }
    ddb_curl_cancellable(shared->curl, http, cancel, shared->pool);
    o.clock = ddb_cancel_clock(cancel, shared->clock, shared->pool);
    rv = ddb_creds_create(&child->creds, &o, shared->pool);
    if (rv == APR_SUCCESS) {
        child->creds_number = shared->chains++;
        msd_credentials_refresh_add(shared->refresh, child->creds, cancel, shown_at(shared, child->creds_number));
        ask_soon_if_used(child->creds, c);
    }
    return rv;
}

static ddb_client_opts_t client_opts(const msd_server_config_t *c, ddb_creds_t *creds, const shared_t *shared)
{
    return (ddb_client_opts_t){ .endpoint = c->endpoint,
                                .connect_timeout = c->connect_timeout,
                                .max_attempts = c->max_attempts,
                                .http = &shared->http,
                                .creds = creds,
                                .clock = shared->clock,
                                .random = ddb_crypto_random,
                                .skew = shared->skew };
}

static void drop_row(void *baton, const char *key)
{
    const msd_row_cache_t *cache = baton;

    msd_row_cache_drop(cache, key, msd_row_cache_now(cache));
}

static apr_status_t build_store(msd_child_t *child, const msd_server_config_t *c, const shared_t *shared)
{
    ddb_client_opts_t o = client_opts(c, child->creds, shared);
    ddb_client_t *client = NULL;
    apr_status_t rv;

    o.breaker = child->notices.breaker;
    o.budget = child->budget;
    o.count = c->count;
    rv = ddb_client_create(&client, &o, shared->pool);
    if (rv == APR_SUCCESS) {
        rv = ddb_store_create(&child->store, client, c->table, ddb_crypto_random, shared->pool);
    }
    if (rv == APR_SUCCESS && c->row_cache) {
        ddb_store_watch(child->store, drop_row, c->row_cache);
    }
    if (rv == APR_SUCCESS && c->share_reads) {
        rv = msd_shared_reads_create(&child->reads, shared->clock, shared->pool);
    }
    return rv;
}

static void warm_later(const msd_server_config_t *c, const shared_t *shared, const server_rec *s)
{
    msd_warm_connections_t *w = apr_palloc(shared->pool, sizeof(*w));

    w->curl = shared->curl;
    w->cancel = msd_credentials_refresh_first_cancel(shared->refresh);
    w->conf = c;
    w->server = s;
    if (c->warm_connections > 0) {
        msd_credentials_refresh_first(shared->refresh, msd_warm_connections_open, w);
    }
}

static int wants_look(const msd_server_config_t *c)
{
    return c->used && c->child && (c->check_table || c->create_table);
}

static int is_same_table(const msd_server_config_t *a, const msd_server_config_t *b)
{
    return strcmp(a->table, b->table) == 0 && strcmp(a->endpoint.url, b->endpoint.url) == 0
           && strcmp(a->endpoint.region, b->endpoint.region) == 0 && a->child->creds == b->child->creds;
}

/** 1 if a server before this one, in the order of the configuration, has the same table checked. */
static int is_looked_at(const server_rec *server, const server_rec *s)
{
    for (; s != server; s = s->next) {
        const msd_server_config_t *other = msd_config_server(s);

        if (wants_look(other) && is_same_table(msd_config_server(server), other)) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t look_later(const msd_server_config_t *c, const shared_t *shared, const server_rec *s)
{
    ddb_http_transport_t *http = apr_palloc(shared->pool, sizeof(*http));
    ddb_client_opts_t o = client_opts(c, c->child->creds, shared);
    msd_table_check_t *t = apr_pcalloc(shared->pool, sizeof(*t));

    ddb_curl_cancellable(shared->curl, http, msd_credentials_refresh_first_cancel(shared->refresh), shared->pool);
    o.http = http;
    t->table.clock = shared->clock;
    t->table.name = c->table;
    t->table.timeout = c->timeout;
    t->notices.skew = shared->skew;
    t->server = s;
    t->thread = shared->refresh;
    t->check = c->check_table;
    t->create = c->create_table;
    msd_credentials_refresh_first(shared->refresh, msd_table_check_look, t);
    return ddb_client_create(&t->table.client, &o, shared->pool);
}

/** Check each table that a server wants checked, once for all children of this start of httpd. */
static apr_status_t look_at_tables(const shared_t *shared, const server_rec *main_server)
{
    apr_status_t rv = APR_SUCCESS;
    const server_rec *s;

    if (!msd_once_first(main_server, MSD_ONCE_TABLE_CHECK)) {
        return APR_SUCCESS;
    }
    for (s = main_server; s && rv == APR_SUCCESS; s = s->next) {
        const msd_server_config_t *c = msd_config_server(s);

        if (wants_look(c) && !is_looked_at(s, main_server)) {
            rv = look_later(c, shared, s);
        }
    }
    return rv;
}

/** End the threads and close the connections. Registered only with MPMs that have no requests left by then. */
static apr_status_t close_shared(void *baton)
{
    shared_t *shared = baton;

    msd_credentials_refresh_stop(shared->refresh);
    msd_write_queue_drain(shared->writer, shared->patience);
    msd_write_queue_stop(shared->writer);
    ddb_curl_destroy(shared->curl);
    apr_pool_destroy(shared->pool); /* and shared */
    return APR_SUCCESS;
}

static apr_status_t build_shared(shared_t *shared, apr_pool_t *pchild, server_rec *main_server)
{
    const msd_server_config_t *c = msd_config_server(main_server);
    ddb_curl_opts_t o = { .ca_file = c->ca_file ? c->ca_file : ddb_profile_env("AWS_CA_BUNDLE"), .proxy = c->proxy };
    int threads = 1, threaded = AP_MPMQ_NOT_SUPPORTED;
    apr_status_t rv;

    shared->patience = c->timeout;
    shared->gauges = c->gauges;
    msd_gauges_claim(shared->gauges);
    msd_counts_child(main_server);
    ddb_skew_create(&shared->skew, &ddb_clock_system, shared->pool);
    shared->clock = ddb_skew_clock(shared->skew);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    /* A hint only, because mod_http2 has its own threads. Two more for the module's own threads. */
    o.max_idle_connections = 2 * threads + 2;
    rv = ddb_curl_create(&shared->curl, &shared->http, &o, shared->pool);
    shared->refresh = msd_credentials_refresh_create(main_server, shared->pool);
    if (rv == APR_SUCCESS) {
        rv = msd_write_queue_create(&shared->writer, main_server, msd_gauges_word(shared->gauges, MSD_GAUGE_QUEUE, 0));
    }
    if (rv == APR_SUCCESS && c->row_cache) {
        rv = msd_row_cache_child(c->row_cache, pchild);
    }
    shared->threaded = threaded != AP_MPMQ_NOT_SUPPORTED;
    if (rv == APR_SUCCESS && shared->threaded) {
        /* Threaded MPMs join their workers before they destroy the pool. prefork destroys it inside a signal handler,
         * perhaps during a call: there, the end of the process must suffice as cleanup. */
        apr_pool_pre_cleanup_register(pchild, shared, close_shared);
    }
    return rv;
}

static apr_status_t create_shared(shared_t **ps, apr_pool_t *pchild, server_rec *main_server)
{
    apr_pool_t *p = NULL;
    apr_status_t rv = msd_thread_pool_create(&p);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    *ps = apr_pcalloc(p, sizeof(**ps));
    (*ps)->pool = p;
    return build_shared(*ps, pchild, main_server);
}

static apr_status_t build_child(msd_server_config_t *c, shared_t *shared, server_rec *main_server)
{
    msd_child_t *child = apr_pcalloc(shared->pool, sizeof(*child));
    apr_status_t rv;

    child->shared = shared;
    child->notices.skew = shared->skew;
    rv = join_breaker(child, c, main_server);
    if (rv == APR_SUCCESS) {
        rv = join_creds(child, c, main_server);
    }
    if (rv == APR_SUCCESS) {
        rv = build_store(child, c, shared);
    }
    c->child = rv == APR_SUCCESS ? child : NULL;
    return rv;
}

void msd_child_init(apr_pool_t *pchild, server_rec *main_server)
{
    shared_t *shared = NULL;
    server_rec *s;
    apr_status_t rv = APR_SUCCESS;
    char text[120];

    for (s = main_server; s && rv == APR_SUCCESS; s = s->next) {
        msd_server_config_t *c = msd_config_server(s);
        /* A host without directives of this module shares the main server's record. */
        if (!c->endpoint.url || c->child) {
            continue;
        }
        if (!shared) {
            rv = create_shared(&shared, pchild, main_server);
        }
        if (rv == APR_SUCCESS) {
            rv = build_child(c, shared, main_server);
        }
        if (rv == APR_SUCCESS) {
            warm_later(c, shared, s);
        }
    }
    if (rv == APR_SUCCESS && shared) {
        rv = look_at_tables(shared, main_server);
    }
    if (rv == APR_SUCCESS && shared) {
        rv = msd_credentials_refresh_start(shared->refresh);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server,
                     "this child process can't use DynamoDB, so its requests with sessions fail: %s",
                     ddb_error_text(rv, text, sizeof(text)));
    }
}

static const msd_child_t *child_of(const server_rec *s)
{
    return msd_config_server(s)->child;
}

static shared_t *find_shared(const server_rec *s)
{
    while (s && !child_of(s)) {
        s = s->next;
    }
    return s ? child_of(s)->shared : NULL;
}

void msd_child_stopping(server_rec *main_server, int graceful)
{
    shared_t *shared = find_shared(main_server);

    if (!shared || (graceful && shared->threaded)) {
        return; /* requests continue, and may need the threads */
    }
    shared->patience = shared->patience < STOP_PATIENCE ? shared->patience : STOP_PATIENCE;
    msd_credentials_refresh_cancel(shared->refresh);
    if (!shared->threaded) {
        msd_write_queue_drain(shared->writer, shared->patience);
    }
}

ddb_store_t *msd_child_store(const server_rec *s)
{
    return child_of(s) ? child_of(s)->store : NULL;
}

const ddb_clock_t *msd_child_clock(const server_rec *s)
{
    return child_of(s) ? child_of(s)->shared->clock : &ddb_clock_system;
}

msd_shared_reads_t *msd_child_shared_reads(const server_rec *s)
{
    return child_of(s) ? child_of(s)->reads : NULL;
}

const msd_store_notices_t *msd_child_notices(const server_rec *s)
{
    return child_of(s) ? &child_of(s)->notices : NULL;
}

int msd_child_breaker_number(const server_rec *s)
{
    return child_of(s) ? child_of(s)->breaker_number : -1;
}

int msd_child_creds_number(const server_rec *s)
{
    return child_of(s) ? child_of(s)->creds_number : -1;
}

msd_write_queue_t *msd_child_writer(const server_rec *s)
{
    return child_of(s)->shared->writer;
}
