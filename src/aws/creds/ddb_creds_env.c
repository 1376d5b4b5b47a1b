/* Credentials from environment variables. */

#include <apr_strings.h>

#include "aws/creds/ddb_creds_int.h"
#include "base/ddb_crypto.h"

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    const char *id = ddb_profile_env("AWS_ACCESS_KEY_ID");
    const char *secret = ddb_profile_env("AWS_SECRET_ACCESS_KEY");
    const char *token = ddb_profile_env("AWS_SECURITY_TOKEN");

    (void)state;
    if (o->profile.name) {
        /* A profile named in the configuration takes precedence over leftovers in the environment. */
        return ddb_error_set(err, APR_NOTFOUND, "skipped, a profile is named");
    }
    if (!id) {
        return ddb_error_set(err, APR_NOTFOUND, "no AWS_ACCESS_KEY_ID");
    }
    if (!secret) {
        return ddb_error_set(err, DDB_ECONFIG,
                             "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; set both or neither");
    }
    token = token ? token : ddb_profile_env("AWS_SESSION_TOKEN");
    out->access_key_id = apr_pstrdup(p, id);
    out->secret_access_key = ddb_crypto_secret_dup(p, secret);
    out->session_token = ddb_crypto_secret_dup(p, token);
    out->expires = 0;
    out->account_id = apr_pstrdup(p, ddb_profile_env("AWS_ACCOUNT_ID"));
    return APR_SUCCESS;
}

const ddb_creds_provider_t ddb_creds_env = { .name = "environment", .fetch = fetch };
