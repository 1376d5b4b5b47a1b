#ifndef DDB_IMDS_H
#define DDB_IMDS_H

#include "base/ddb_clock.h"
#include "base/ddb_http.h"

/** The instance metadata service of EC2, version 2: a token first, then values by their path. */

/** The token between calls. Used by one call at a time. */
typedef struct ddb_imds_token_t ddb_imds_token_t;

/** An empty one, in p and wiped with it. */
apr_status_t ddb_imds_token_create(ddb_imds_token_t **pt, apr_pool_t *p);

typedef struct ddb_imds_opts_t {
    const ddb_http_transport_t *http;
    const ddb_clock_t *clock;
    ddb_imds_token_t *token; /* NULL: one for this call alone */
    /* As the variables and profiles of AWS have them, not checked yet; NULL for the usual. */
    const char *endpoint; /* URL */
    const char *mode;     /* ipv4 or ipv6; an endpoint goes before */
    const char *timeout;  /* of each request, seconds */
    const char *attempts;
    int allow_v1; /* 1: go on without a token where the service knows none */
} ddb_imds_opts_t;

/**
 * GET a path below /latest/, such as "meta-data/placement/region". res lives in p.
 * @return APR_SUCCESS for HTTP 200 and 404, which res->status tells apart; APR_NOTFOUND when nobody is there to ask, as
 *         outside EC2, or AWS_EC2_METADATA_DISABLED is "true"; DDB_ECONFIG for options that can't be; else why the
 *         service that is there gives no value, with a detail that says what to do.
 */
apr_status_t ddb_imds_get(ddb_http_response_t *res, const ddb_imds_opts_t *o, const char *path, apr_pool_t *p,
                          ddb_error_t *err);

/** The region of this instance, in p. @return as ddb_imds_get, and DDB_EBADREPLY for what is no region. */
apr_status_t ddb_imds_region(const char **region, const ddb_imds_opts_t *o, apr_pool_t *p, ddb_error_t *err);

#endif
