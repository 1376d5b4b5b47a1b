/* Credentials from a profile: the static keys of either file. */

#include "aws/creds/ddb_creds_int.h"

static apr_status_t read_keys(const ddb_profile_t *profile, ddb_credentials_t *out, ddb_error_t *err)
{
    const char *id = ddb_profile_get(profile, "aws_access_key_id");
    const char *secret = ddb_profile_get(profile, "aws_secret_access_key");
    const char *token = ddb_profile_get(profile, "aws_security_token");

    if (!id || !secret) {
        return ddb_error_set(err, DDB_ECONFIG, "the profile has %s but no %s in the same file; set both or neither",
                             id ? "aws_access_key_id" : "aws_secret_access_key",
                             id ? "aws_secret_access_key" : "aws_access_key_id");
    }
    /* Not copied: what the profile holds lives in its pool and is wiped with it. */
    out->access_key_id = id;
    out->secret_access_key = secret;
    out->session_token = token ? token : ddb_profile_get(profile, "aws_session_token");
    out->expires = 0;
    out->account_id = ddb_profile_get(profile, "aws_account_id");
    return APR_SUCCESS;
}

static apr_status_t fetch_from(int shared, const ddb_creds_opts_t *o, apr_pool_t *p, ddb_credentials_t *out,
                               ddb_error_t *err)
{
    ddb_profile_t *profile;
    apr_status_t rv = ddb_profile_read(&profile, &o->profile, p, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (ddb_profile_has_shared_keys(profile) != shared
        || !(ddb_profile_get(profile, "aws_access_key_id") || ddb_profile_get(profile, "aws_secret_access_key"))) {
        return ddb_error_set(err, APR_NOTFOUND, "no aws_access_key_id");
    }
    return read_keys(profile, out, err);
}

static apr_status_t fetch_shared(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                                 ddb_error_t *err)
{
    (void)state;
    return fetch_from(1, o, p, out, err);
}

static apr_status_t fetch_config(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                                 ddb_error_t *err)
{
    (void)state;
    return fetch_from(0, o, p, out, err);
}

const ddb_creds_provider_t ddb_creds_shared_file = { .name = "credentials file", .fetch = fetch_shared };
const ddb_creds_provider_t ddb_creds_config_file = { .name = "config file", .fetch = fetch_config };
