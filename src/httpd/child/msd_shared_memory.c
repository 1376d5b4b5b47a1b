/* The shared memory of one start of httpd. */

#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/child/msd_address_count.h"
#include "httpd/child/msd_counts.h"
#include "httpd/child/msd_gauges.h"
#include "httpd/child/msd_unknown_ids.h"
#include "httpd/child/msd_failure_log.h"
#include "httpd/child/msd_once.h"
#include "httpd/child/msd_row_cache.h"
#include "httpd/child/msd_touches.h"
#include "httpd/child/msd_shared_memory.h"
#include "httpd/conf/msd_config.h"

APLOG_USE_MODULE(session_dynamodb);

static void complain(apr_status_t rv, const server_rec *s, const char *price)
{
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s, "no shared memory: %s", price);
    }
}

/** This server's table among all, which all settings that determine it identify. */
static const char *table_of(const msd_server_config_t *c, apr_pool_t *p)
{
    return apr_psprintf(p, "%s %s %s %s %s %s", c->table, c->endpoint.url, c->endpoint.region, c->profile,
                        c->credentials_file, c->config_file);
}

/** The arguments of the last line, about failures that were only counted. */
typedef struct end_t {
    apr_pool_t *pool;
    const server_rec *server;
    msd_failure_log_t *outage;
    pid_t parent;
} end_t;

static apr_status_t log_rest(void *baton)
{
    const end_t *end = baton;
    /* A child inherits this cleanup, and runs it when it exits. */
    const char *rest = getpid() == end->parent ? msd_failure_log_rest(end->outage, APR_INT64_MAX, end->pool) : NULL;

    if (rest) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, end->server, "%s", rest);
    }
    return APR_SUCCESS;
}

static void log_rest_at_end(apr_pool_t *p, const server_rec *s, msd_failure_log_t *outage)
{
    end_t *end = apr_palloc(p, sizeof(*end));

    *end = (end_t){ .pool = p, .server = s, .outage = outage, .parent = getpid() };
    /* A pre-cleanup runs before the shared memory is freed and the log is closed. */
    apr_pool_pre_cleanup_register(p, end, log_rest);
}

/** The number of records of servers: each may have a circuit breaker and credentials of its own. */
static int count_records(const server_rec *s)
{
    const msd_server_config_t *of_main = msd_config_server(s);
    int n = 1;

    for (s = s->next; s; s = s->next) {
        n += msd_config_server(s) != of_main;
    }
    return n;
}

void msd_shared_memory_prepare(apr_pool_t *p, server_rec *main_server)
{
    msd_touches_t *recent = NULL;
    msd_unknown_ids_t *misses = NULL;
    msd_failure_log_t *outage = NULL;
    msd_once_t *once = NULL;
    msd_row_cache_t *cache = NULL;
    msd_address_count_t *guesses = NULL, *creations = NULL;
    msd_gauges_t *gauges = NULL;
    server_rec *s;

    complain(msd_touches_create(&recent, p), main_server,
             "parallel requests of a session may each record its activity in the table");
    complain(msd_unknown_ids_create(&misses, ddb_crypto_random, p), main_server,
             "each request with an unknown or expired session ID costs a read");
    complain(msd_failure_log_create(&outage, p), main_server, "each failure is logged in a line of its own");
    complain(msd_counts_prepare(main_server, p), main_server,
             "calls to DynamoDB and their consumed capacity are not counted");
    complain(msd_gauges_create(&gauges, count_records(main_server), p), main_server,
             "metrics do not show circuit breakers, credentials and queued writes");
    complain(msd_once_create(&once, main_server, p), main_server,
             "tables are not checked, and Secure cookies on unencrypted connections are not reported");
    complain(msd_address_count_create(&guesses, 1, ddb_crypto_random, p), main_server,
             "SessionDynamoDBGuessLimit has no effect");
    complain(msd_address_count_create(&creations, 0, ddb_crypto_random, p), main_server,
             "SessionDynamoDBCreateLimit has no effect");
    complain(msd_row_cache_start(&cache, main_server, p), main_server,
             "SessionDynamoDBCache has no effect, as its cache or the mutex session-dynamodb-cache can't be used");
    for (s = main_server; s; s = s->next) {
        msd_server_config_t *c = msd_config_server(s);

        c->recent = recent;
        c->misses = misses ? msd_unknown_ids_of_table(misses, table_of(c, p), p) : NULL;
        c->row_cache = cache ? msd_row_cache_of_table(cache, table_of(c, p), p) : NULL;
        c->guesses = guesses;
        c->creations = creations;
        c->outage = outage;
        c->once = once;
        c->gauges = gauges;
    }
    log_rest_at_end(p, main_server, outage);
}
