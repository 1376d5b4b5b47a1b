/* Credentials for the oracles: creds_tool PROFILE, "-" when no directive names one.
 * Prints access key ID, secret and token ("" for none) on a line each, or "none" or "error" and the detail. */

#include <stdio.h>
#include <string.h>

#include <apr_general.h>

#include "ddb_creds.h"
#include "ddb_curl.h"

int main(int argc, char **argv)
{
    ddb_creds_opts_t opts = { .clock = &ddb_clock_system };
    ddb_curl_opts_t curl_opts = { .max_idle_handles = 1 };
    ddb_http_transport_t http;
    ddb_credentials_t found;
    ddb_error_t err = { 0 };
    ddb_curl_t *curl;
    apr_status_t rv;
    ddb_creds_t *c;
    apr_pool_t *p;

    if (argc != 2) {
        fprintf(stderr, "usage: creds_tool PROFILE|-\n");
        return 2;
    }
    apr_initialize();
    apr_pool_create(&p, NULL);
    opts.profile.name = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
    opts.http = &http;
    rv = ddb_curl_create(&curl, &http, &curl_opts, p);
    if (rv == APR_SUCCESS) {
        rv = ddb_creds_create(&c, &opts, p);
    }
    if (rv == APR_SUCCESS) {
        rv = ddb_creds_get(c, p, &found, &err);
    }
    if (rv == APR_SUCCESS) {
        printf("%s\n%s\n%s\n", found.access_key_id, found.secret_access_key,
               found.session_token ? found.session_token : "");
    } else {
        printf("%s\n%s\n", rv == DDB_ENOCREDS ? "none" : "error", err.detail);
    }
    ddb_curl_destroy(curl);
    apr_terminate();
    return 0;
}
