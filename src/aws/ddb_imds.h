#ifndef DDB_IMDS_H
#define DDB_IMDS_H

#include "base/ddb_clock.h"
#include "base/ddb_http.h"

/** The instance metadata service of EC2, version 2: a token first, then values by their path. */

/** The token between calls. Used by one call at a time. */
typedef struct ddb_imds_token_t ddb_imds_token_t;

/** An empty token, in p and wiped with it. */
apr_status_t ddb_imds_token_create(ddb_imds_token_t **pt, apr_pool_t *p);

typedef struct ddb_imds_opts_t {
    const ddb_http_transport_t *http;
    const ddb_clock_t *clock;
    ddb_imds_token_t *token; /* NULL: a token for this call only */
    /* As in the AWS variables and profiles, not checked yet; NULL for the default. */
    const char *endpoint; /* URL */
    const char *mode;     /* ipv4 or ipv6; an endpoint takes precedence */
    const char *timeout;  /* of each request, seconds */
    const char *attempts;
    int allow_v1; /* 1: go on without a token where the service offers no tokens */
} ddb_imds_opts_t;

/**
 * GET a path below /latest/, such as "meta-data/placement/region". res lives in p.
 * @return APR_SUCCESS for HTTP 200 and 404, see res->status; APR_NOTFOUND when there is no service, as outside EC2, or
 *         AWS_EC2_METADATA_DISABLED is "true"; DDB_ECONFIG for invalid options; otherwise a failure of the service,
 *         with a detail that says what to do.
 */
apr_status_t ddb_imds_get(ddb_http_response_t *res, const ddb_imds_opts_t *o, const char *path, apr_pool_t *p,
                          ddb_error_t *err);

/** The region of this instance, in p. @return as ddb_imds_get, and DDB_EBADREPLY for an invalid region. */
apr_status_t ddb_imds_region(const char **region, const ddb_imds_opts_t *o, apr_pool_t *p, ddb_error_t *err);

#endif
