/* From options to a client: transport, clock, credentials, endpoint. The same rooms as in httpd, and the same rules. */

#include "base/ddb_crypto.h"
#include "connect.h"

#define CONNECT_TIMEOUT apr_time_from_sec(2)
#define ATTEMPTS        5

static apr_status_t open_client(connection_t *c, const options_t *o, apr_pool_t *p, ddb_error_t *err)
{
    const ddb_clock_t *clock = ddb_skew_clock(c->skew);
    ddb_creds_opts_t creds = { .profile = o->profile, .http = &c->http, .clock = clock, .region = c->endpoint.region };
    ddb_client_opts_t client = { .endpoint = c->endpoint,
                                 .connect_timeout = CONNECT_TIMEOUT,
                                 .max_attempts = ATTEMPTS,
                                 .http = &c->http,
                                 .clock = clock,
                                 .random = ddb_crypto_random,
                                 .skew = c->skew };
    apr_status_t rv = ddb_creds_create(&c->creds, &creds, p);

    client.creds = c->creds;
    if (rv == APR_SUCCESS) {
        rv = ddb_client_create(&c->table.client, &client, p);
    }
    c->client = client;
    c->table.clock = clock;
    c->table.name = o->table;
    c->table.timeout = o->timeout;
    return rv == APR_SUCCESS ? rv : ddb_error_set(err, rv, "no memory");
}

exit_e connect_open(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    ddb_curl_opts_t transport = { .ca_file = o->ca_file ? o->ca_file : ddb_profile_env("AWS_CA_BUNDLE"),
                                  .proxy = o->proxy,
                                  .max_idle_connections = CONNECTIONS };
    ddb_endpoint_opts_t where = { .url = o->endpoint_url,
                                  .region = o->region,
                                  .table = o->table,
                                  .profile = o->profile,
                                  .service = DDB_DYNAMODB,
                                  .http = &c->http,
                                  .clock = &ddb_clock_system };
    ddb_error_t err = { 0 };
    apr_status_t rv;

    ddb_skew_create(&c->skew, &ddb_clock_system, p);
    rv = ddb_curl_create(&c->curl, &c->http, &transport, p);
    if (rv != APR_SUCCESS) {
        c->curl = NULL;
        ddb_error_set(&err, rv, "libcurl could not be set up");
        return report_failure(r, rv, &err);
    }
    rv = ddb_endpoint_resolve(&c->endpoint, &where, p, &err);
    if (rv == DDB_ECONFIG) {
        return report_usage(r, err.detail);
    }
    if (rv == APR_SUCCESS) {
        rv = open_client(c, o, p, &err);
    }
    return rv == APR_SUCCESS ? EXIT_GOOD : report_failure(r, rv, &err);
}

exit_e connect_find_credentials(connection_t *c, const char **provider, report_t *r, apr_pool_t *p)
{
    ddb_credentials_t found = { .provider = NULL };
    ddb_error_t err = { 0 };
    apr_status_t rv = ddb_creds_get(c->creds, DDB_CREDS_FOREVER, p, &found, &err);

    *provider = found.provider;
    return rv == APR_SUCCESS ? EXIT_GOOD : report_failure(r, rv, &err);
}

void connect_close(connection_t *c)
{
    if (c->curl) {
        ddb_curl_destroy(c->curl);
        c->curl = NULL;
    }
}
