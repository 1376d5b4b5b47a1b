#ifndef DDB_ENDPOINT_H
#define DDB_ENDPOINT_H

#include <apr_pools.h>

#include "aws/ddb_profile.h"
#include "base/ddb_clock.h"
#include "base/ddb_error.h"
#include "base/ddb_http.h"

/** Account-based hosts, such as 123456789012.ddb.eu-central-1.amazonaws.com. */
typedef enum ddb_account_mode_e {
    DDB_ACCOUNT_DISABLED,
    DDB_ACCOUNT_PREFERRED,
    DDB_ACCOUNT_REQUIRED
} ddb_account_mode_e;

/** Where requests go and how they are signed. Strings live in the pool of the call that made them. */
typedef struct ddb_endpoint_t {
    const char *url;        /* scheme, host and port if not the default, no trailing slash */
    const char *host;       /* for Host and the signature: lower case, port only if not the default */
    const char *region;     /* signing region */
    const char *suffix;     /* of account-based hosts; NULL where there are no such hosts */
    const char *account_id; /* of the table's ARN; NULL: the credentials' */
    ddb_account_mode_e account_mode;
} ddb_endpoint_t;

/** The services that are spoken to. */
typedef enum ddb_service_e { DDB_DYNAMODB, DDB_STS, DDB_SSO } ddb_service_e;

typedef struct ddb_endpoint_opts_t {
    const char *url;    /* directive; NULL: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's
                                     services section, its endpoint_url, then by region */
    const char *region; /* directive; NULL: AWS_REGION, AWS_DEFAULT_REGION, the profile's, then the table's,
                                     then the instance's */
    const char *table;  /* name, ARN or NULL */
    ddb_profile_opts_t profile;
    ddb_service_e service;            /* of which service; DDB_DYNAMODB if not set */
    const ddb_http_transport_t *http; /* to ask the instance metadata service of EC2 for the region when nothing else
                                         tells it; NULL: not asked */
    const ddb_clock_t *clock;         /* with http */
} ddb_endpoint_opts_t;

/**
 * Work out the endpoint, as botocore's rules have it: partitions, FIPS (AWS_USE_FIPS_ENDPOINT, profile
 * use_fips_endpoint, or a region like fips-us-east-1), dual stack (AWS_USE_DUALSTACK_ENDPOINT, use_dualstack_endpoint)
 * and, only where AWS_ACCOUNT_ID_ENDPOINT_MODE or account_id_endpoint_mode says preferred or required, accounts' own
 * hosts.
 * @return DDB_ECONFIG with a detail fit for an administrator: no region, a region of a form that no partition has, an
 *         endpoint that is no http(s) URL or has a path, query, fragment or user in it, settings that exclude each
 *         other, an ARN of a table in another region.
 */
apr_status_t ddb_endpoint_resolve(ddb_endpoint_t *out, const ddb_endpoint_opts_t *o, apr_pool_t *p, ddb_error_t *err);

/**
 * The endpoint for requests with credentials of this account (NULL: unknown): e itself or the account's own, in p.
 * @return DDB_ECONFIG when an account is required and unknown.
 */
apr_status_t ddb_endpoint_of_account(ddb_endpoint_t *out, const ddb_endpoint_t *e, const char *account_id,
                                     apr_pool_t *p, ddb_error_t *err);

/** NULL when url can be an endpoint; else a sentence that says what is wrong. */
const char *ddb_endpoint_check_url(const char *url, apr_pool_t *p);

#endif
