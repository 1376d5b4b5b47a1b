#ifndef DDB_STS_H
#define DDB_STS_H

#include "aws/ddb_sigv4.h"
#include "base/ddb_clock.h"
#include "base/ddb_http.h"

/*
 * The AWS Security Token Service (API version 2011-06-15): the two operations that turn a role into credentials, and
 * the one that tells whose credentials are. The only room that knows apr_xml.
 */

typedef struct ddb_sts_opts_t {
    const char *url;  /* of the service, no trailing slash */
    const char *host; /* as signed */
    const char *region;
    const ddb_http_transport_t *http;
    const ddb_clock_t *clock;
} ddb_sts_opts_t;

/** The role to assume. NULL: the parameter is not sent. */
typedef struct ddb_sts_role_t {
    const char *arn;
    const char *session_name;
    const char *external_id;
    const char *duration_seconds;
    const char *web_identity_token;  /* AssumeRoleWithWebIdentity with it instead of AssumeRole */
    const ddb_credentials_t *source; /* sign with these; NULL with a token, which needs no signature */
} ddb_sts_role_t;

/**
 * Assume a role. Retried for a few seconds while that may help. Credentials live in p and are wiped with it.
 * @return DDB_EDENIED, DDB_EREFUSED, DDB_ETHROTTLED, DDB_EUNAVAILABLE, DDB_EBADREPLY or APR_TIMEUP; err->type is the
 *         service's code and err->detail says what to do about it.
 */
apr_status_t ddb_sts_assume(ddb_credentials_t *out, const ddb_sts_role_t *role, const ddb_sts_opts_t *o, apr_pool_t *p,
                            ddb_error_t *err);

/**
 * *arn, in p: the user or the role whose credentials these are (GetCallerIdentity, which needs no permission). It may
 * hold any visible character of ASCII. Retried and failing as ddb_sts_assume is.
 */
apr_status_t ddb_sts_caller(const char **arn, const ddb_credentials_t *of, const ddb_sts_opts_t *o, apr_pool_t *p,
                            ddb_error_t *err);

#endif
