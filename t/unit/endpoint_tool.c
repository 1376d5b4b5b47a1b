/* The endpoint for endpoint_oracle.py: endpoint_tool URL REGION [TABLE [ACCOUNT]], each "-" when no
 * directive sets it. ACCOUNT is the credentials'. Prints URL and signing region on a line each, or "error" and the detail. */

#include <stdio.h>
#include <string.h>

#include <apr_general.h>

#include "aws/ddb_endpoint.h"

int main(int argc, char **argv)
{
    ddb_endpoint_opts_t opts = { 0 };
    ddb_endpoint_t endpoint, own;
    ddb_error_t err = { 0 };
    apr_pool_t *p;

    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: endpoint_tool URL|- REGION|- [TABLE|- [ACCOUNT]]\n");
        return 2;
    }
    apr_initialize();
    apr_pool_create(&p, NULL);
    opts.url = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
    opts.region = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    opts.table = argc > 3 && strcmp(argv[3], "-") != 0 ? argv[3] : NULL;
    if (ddb_endpoint_resolve(&endpoint, &opts, p, &err) == APR_SUCCESS
        && ddb_endpoint_of_account(&own, &endpoint, argc > 4 ? argv[4] : NULL, p, &err) == APR_SUCCESS) {
        printf("%s\n%s\n", own.url, endpoint.region);
    }
    else {
        printf("error\n%s\n", err.detail);
    }
    apr_terminate();
    return 0;
}
