/* The shared memory of one start of httpd. */

#include <unistd.h>

#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_main.h>

#include "base/ddb_count.h"
#include "httpd/child/msd_unknown_ids.h"
#include "httpd/child/msd_failure_log.h"
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

/** The misses of this server's table: told from others by all that decides which table a name means. */
static msd_unknown_ids_t *misses_of(const msd_unknown_ids_t *all, const msd_server_config_t *c, apr_pool_t *p)
{
    const char *table = apr_psprintf(p, "%s %s %s %s %s %s", c->table, c->endpoint.url, c->endpoint.region, c->profile,
                                     c->credentials_file, c->config_file);

    return msd_unknown_ids_of_table(all, table, p);
}

/** Where the line at the end goes, about failures that nobody told of. */
typedef struct end_t {
    apr_pool_t *pool;
    const server_rec *server;
    msd_failure_log_t *outage;
    pid_t parent;
} end_t;

static apr_status_t log_rest(void *baton)
{
    const end_t *end = baton;
    /* A child has this cleanup too, and runs it when it exits. */
    const char *rest = getpid() == end->parent ? msd_failure_log_rest(end->outage, APR_INT64_MAX, end->pool) : NULL;

    if (rest) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, end->server, "%s", rest);
    }
    return APR_SUCCESS;
}

static void log_rest_at_end(apr_pool_t *p, const server_rec *s, msd_failure_log_t *outage)
{
    end_t *end = apr_palloc(p, sizeof(*end));

    end->pool = p;
    end->server = s;
    end->outage = outage;
    end->parent = getpid();
    /* Before the memory is gone, and the log is closed. */
    apr_pool_pre_cleanup_register(p, end, log_rest);
}

/** Which one s is, in the order of the configuration. */
static int number_of(const server_rec *s, const server_rec *main_server)
{
    int n = 0;

    for (; main_server && main_server != s; main_server = main_server->next) {
        n++;
    }
    return n;
}

static apr_status_t create_told(volatile apr_uint32_t **told, int servers, apr_pool_t *p)
{
    apr_size_t size = (apr_size_t)servers * sizeof(**told);
    apr_shm_t *shm = NULL;
    apr_status_t rv = apr_shm_create(&shm, size, NULL, p);

    if (rv == APR_SUCCESS) {
        *told = apr_shm_baseaddr_get(shm);
        memset((void *)*told, 0, size);
    }
    return rv;
}

int msd_shared_memory_plain_first(const server_rec *s)
{
    /* By the server, not its record: hosts without directives of ours share that of the main server. */
    volatile apr_uint32_t *told = msd_config_server(s)->plain_told;

    return told && apr_atomic_cas32(&told[number_of(s, ap_server_conf)], 1, 0) == 0;
}

void msd_shared_memory_prepare(apr_pool_t *p, server_rec *main_server)
{
    msd_touches_t *recent = NULL;
    msd_unknown_ids_t *misses = NULL;
    msd_failure_log_t *outage = NULL;
    volatile apr_uint32_t *told = NULL;
    ddb_count_t *count = NULL;
    server_rec *s;

    complain(msd_touches_create(&recent, p), main_server,
             "parallel requests of a session may each record its activity in the table");
    complain(msd_unknown_ids_create(&misses, ddb_crypto_random, p), main_server,
             "each request with an unknown or expired session ID costs a read");
    complain(msd_failure_log_create(&outage, p), main_server, "each failure is logged in a line of its own");
    complain(ddb_count_create(&count, p), main_server, "calls to DynamoDB and their consumed capacity are not counted");
    complain(create_told(&told, number_of(NULL, main_server), p), main_server,
             "Secure cookies on unencrypted connections are not reported");
    for (s = main_server; s; s = s->next) {
        msd_server_config_t *c = msd_config_server(s);

        c->recent = recent;
        c->misses = misses ? misses_of(misses, c, p) : NULL;
        c->outage = outage;
        c->plain_told = told;
        c->count = count;
    }
    log_rest_at_end(p, main_server, outage);
}
