/* Credentials for the oracles: creds_tool PROFILE, "-" when no directive names one.
 * Prints access key ID, secret, token, provider, expiry (seconds since 1970) and account on a line each, "" for none;
 * or "none" or "error" and the detail. Nothing but the loopback is asked: another host prints "outside" and its URL.
 * ORACLE_ECS is the URL that stands for that of the ECS agent. Nobody waits between attempts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include "aws/creds/ddb_creds.h"
#include "base/ddb_curl.h"

#define ECS_AGENT "http://169.254.170.2"

/* The transport before libcurl's. */
typedef struct guard_t {
    ddb_http_transport_t behind;
    char *outside; /* what should not have been asked */
} guard_t;

static int is_loopback(const char *url, apr_pool_t *p)
{
    apr_uri_t uri;

    return apr_uri_parse(p, url, &uri) == APR_SUCCESS && uri.hostname
           && (strncmp(uri.hostname, "127.", 4) == 0 || strcmp(uri.hostname, "::1") == 0
               || strcmp(uri.hostname, "localhost") == 0);
}

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    const char *ecs = getenv("ORACLE_ECS");
    ddb_http_request_t to = *req;
    guard_t *g = baton;

    if (ecs && strncmp(req->url, ECS_AGENT "/", sizeof(ECS_AGENT)) == 0) {
        to.url = apr_pstrcat(p, ecs, req->url + strlen(ECS_AGENT), NULL);
    }
    if (!is_loopback(to.url, p)) {
        g->outside = g->outside ? g->outside : strdup(to.url);
        return ddb_error_set(err, DDB_EUNAVAILABLE, "this is no address of the loopback");
    }
    return g->behind.perform(g->behind.baton, &to, p, res, err);
}

static void sleep_not(void *baton, apr_interval_time_t t)
{
    (void)baton;
    (void)t;
}

static void print_found(const ddb_credentials_t *found)
{
    printf("%s\n%s\n%s\n%s\n", found->access_key_id, found->secret_access_key,
           found->session_token ? found->session_token : "", found->provider);
    if (found->expires) {
        printf("%" APR_INT64_T_FMT, apr_time_sec(found->expires));
    }
    printf("\n%s\n", found->account_id ? found->account_id : "");
}

static apr_status_t ask(ddb_creds_opts_t opts, ddb_credentials_t *found, ddb_error_t *err, apr_pool_t *p)
{
    ddb_curl_opts_t curl_opts = { .max_idle_connections = 1 };
    guard_t guard = { .outside = NULL };
    ddb_http_transport_t http = { .perform = perform, .baton = &guard };
    ddb_curl_t *curl;
    ddb_creds_t *c;
    apr_status_t rv = ddb_curl_create(&curl, &guard.behind, &curl_opts, p);

    opts.http = &http;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ddb_creds_create(&c, &opts, p);
    if (rv == APR_SUCCESS) {
        rv = ddb_creds_get(c, DDB_CREDS_FOREVER, p, found, err);
    }
    if (guard.outside) {
        printf("outside\n%s\n", guard.outside);
        free(guard.outside);
    }
    ddb_curl_destroy(curl);
    return rv;
}

int main(int argc, char **argv)
{
    ddb_clock_t clock = ddb_clock_system;
    ddb_creds_opts_t opts = { .clock = &clock };
    ddb_credentials_t found;
    ddb_error_t err = { 0 };
    apr_status_t rv;
    apr_pool_t *p;

    if (argc != 2) {
        fprintf(stderr, "usage: creds_tool PROFILE|-\n");
        return 2;
    }
    apr_initialize();
    apr_pool_create(&p, NULL);
    clock.sleep = sleep_not;
    opts.profile.name = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
    rv = ask(opts, &found, &err, p);
    if (rv == APR_SUCCESS) {
        print_found(&found);
    }
    else {
        /* One that is set up and fails may be DDB_ENOCREDS as well. */
        printf("%s\n%s\n", strncmp(err.detail, "no credentials found: ", 22) == 0 ? "none" : "error", err.detail);
    }
    apr_terminate();
    return 0;
}
