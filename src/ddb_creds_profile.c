/* Credentials from a profile: the static keys. */

#include "ddb_creds_int.h"

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    const char *id, *secret, *token;
    ddb_profile_t *profile;
    apr_status_t rv = ddb_profile_read(&profile, &o->profile, p, err);

    (void)state;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* Other AWS tools would take on this role; its source's own keys are somebody else. */
    if (ddb_profile_get(profile, "role_arn")) {
        return ddb_error_set(err, DDB_ECONFIG, "the profile has role_arn, and roles can't be assumed yet; use a "
                             "profile with aws_access_key_id and aws_secret_access_key alone");
    }
    id = ddb_profile_get(profile, "aws_access_key_id");
    secret = ddb_profile_get(profile, "aws_secret_access_key");
    token = ddb_profile_get(profile, "aws_security_token");
    if (!id && !secret) {
        return ddb_error_set(err, APR_NOTFOUND, "the profile has no aws_access_key_id");
    }
    if (!id || !secret) {
        return ddb_error_set(err, DDB_ECONFIG, "the profile has %s and no %s in the same file; write both or none",
                             id ? "aws_access_key_id" : "aws_secret_access_key",
                             id ? "aws_secret_access_key" : "aws_access_key_id");
    }
    /* Not copied: what the profile holds lives in p and is wiped with it. */
    out->access_key_id = id;
    out->secret_access_key = secret;
    out->session_token = token ? token : ddb_profile_get(profile, "aws_session_token");
    out->expires = 0;
    return APR_SUCCESS;
}

const ddb_creds_provider_t ddb_creds_profile = { "profile", NULL, fetch };
