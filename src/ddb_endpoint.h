#ifndef DDB_ENDPOINT_H
#define DDB_ENDPOINT_H

#include <apr_pools.h>

#include "ddb_error.h"
#include "ddb_profile.h"

/** Where requests go and how they are signed. Strings live in the pool of the call that made them. */
typedef struct ddb_endpoint_t {
    const char *url;    /* scheme, host and port if not the default, no trailing slash */
    const char *host;   /* for Host and the signature: lower case, port only if not the default */
    const char *region; /* signing region */
} ddb_endpoint_t;

/** The services that are spoken to. */
typedef enum ddb_service_e { DDB_DYNAMODB, DDB_STS, DDB_SSO } ddb_service_e;

typedef struct ddb_endpoint_opts_t {
    const char *url;              /* directive; NULL: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's
                                   * services section, its endpoint_url, then by region */
    const char *region;           /* directive; NULL: AWS_REGION, AWS_DEFAULT_REGION, then the profile's region */
    ddb_profile_opts_t profile;
    ddb_service_e service;        /* of which service; DDB_DYNAMODB if not set */
} ddb_endpoint_opts_t;

/**
 * Work out the endpoint (AWS partitions and suffixes as botocore's partitions.json has them).
 * @return DDB_ECONFIG with a detail fit for an administrator: no region, a region of a form that no partition has, an
 *         endpoint that is no http(s) URL or has a path, query, fragment or user in it.
 */
apr_status_t ddb_endpoint_resolve(ddb_endpoint_t *out, const ddb_endpoint_opts_t *o, apr_pool_t *p,
                                  ddb_error_t *err);

/** NULL when region has a form that AWS uses or is "local"; else a sentence that says what is wrong. */
const char *ddb_endpoint_check_region(const char *region, apr_pool_t *p);

/** NULL when url can be an endpoint; else a sentence that says what is wrong. */
const char *ddb_endpoint_check_url(const char *url, apr_pool_t *p);

#endif
