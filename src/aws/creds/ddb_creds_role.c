/* What the providers that ask STS for a role have in common: the endpoint and the session's name. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "aws/creds/ddb_creds_role.h"
#include "aws/ddb_endpoint.h"

#define SESSION_NAME_MAX 64

const char *ddb_creds_session_name(const ddb_creds_opts_t *o, apr_pool_t *p)
{
    return apr_psprintf(p, "mod_session_dynamodb-%" APR_INT64_T_FMT, apr_time_sec(ddb_clock_wall(o->clock)));
}

const char *ddb_creds_check_session_name(const char *name)
{
    apr_size_t len = strlen(name);
    const char *c;

    for (c = name; apr_isalnum(*c) || (*c && strchr("_+=,.@-", *c)); c++) {
    }
    return !*c && len >= 2 && len <= SESSION_NAME_MAX
               ? NULL
               : "the role session name must be 2 to 64 letters, digits or any of _+=,.@-";
}

apr_status_t ddb_creds_ask_sts(ddb_credentials_t *out, const ddb_sts_role_t *role, const ddb_creds_opts_t *o,
                               apr_pool_t *p, ddb_error_t *err)
{
    ddb_endpoint_opts_t endpoint_opts = { .region = o->region, .profile = o->profile, .service = DDB_STS };
    ddb_sts_opts_t sts = { .http = o->http, .clock = o->clock };
    ddb_endpoint_t endpoint = { .url = NULL };
    apr_status_t rv = ddb_endpoint_resolve(&endpoint, &endpoint_opts, p, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    sts.url = endpoint.url;
    sts.host = endpoint.host;
    sts.region = endpoint.region;
    return ddb_sts_assume(out, role, &sts, p, err);
}
