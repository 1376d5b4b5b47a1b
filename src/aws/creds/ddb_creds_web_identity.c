/* Credentials of a role for a web identity token, such as that of a Kubernetes service account. */

#include <string.h>

#include <apr_strings.h>

#include "aws/creds/ddb_creds_role.h"

#define TOKEN_MIN_BYTES 4 /* as the service's model has it */
#define TOKEN_MAX_BYTES 20000

/* A variable goes before the profile, unless the configuration names the profile. */
static const char *find(const ddb_creds_opts_t *o, const ddb_profile_t *profile, const char *variable, const char *key)
{
    const char *value = o->profile.name ? NULL : ddb_profile_env(variable);

    return value ? value : ddb_profile_get(profile, key);
}

/* Read at each fetch: what writes the file renews it. */
static apr_status_t read_token(const char **token, const char *path, apr_pool_t *p, ddb_error_t *err)
{
    char buf[80], *text;
    apr_size_t len;
    apr_status_t rv = ddb_creds_read_file(&text, path, TOKEN_MAX_BYTES, p);

    if (rv != APR_SUCCESS && rv != DDB_ETOOLARGE) {
        return ddb_error_set(err, DDB_ECONFIG, "web identity: cannot read the token file %.80s: %s", path,
                             apr_strerror(rv, buf, sizeof(buf)));
    }
    len = strcspn(text, "\r\n");
    if (rv == DDB_ETOOLARGE || len < TOKEN_MIN_BYTES || text[len + strspn(text + len, "\r\n")] != '\0') {
        return ddb_error_set(
            err, DDB_ECONFIG,
            "web identity: the file %.80s contains no token; a token is one line of %d to %d characters", path,
            TOKEN_MIN_BYTES, TOKEN_MAX_BYTES);
    }
    text[len] = '\0';
    *token = text;
    return APR_SUCCESS;
}

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    ddb_sts_role_t role = { .arn = NULL };
    ddb_profile_t *profile = NULL;
    ddb_error_t why = { 0 };
    const char *path, *wrong;
    apr_status_t rv = ddb_profile_read(&profile, &o->profile, p, err);

    (void)state;
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    path = find(o, profile, "AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    if (!path) {
        return rv == APR_NOTFOUND ? rv : ddb_error_set(err, APR_NOTFOUND, "no web_identity_token_file");
    }
    role.arn = find(o, profile, "AWS_ROLE_ARN", "role_arn");
    role.session_name = find(o, profile, "AWS_ROLE_SESSION_NAME", "role_session_name");
    role.session_name = role.session_name ? role.session_name : ddb_creds_session_name(o, p);
    wrong = role.arn ? ddb_creds_check_session_name(role.session_name)
                     : "a token file is set but no role: set AWS_ROLE_ARN or role_arn in the profile";
    if (wrong) {
        return ddb_error_set(err, DDB_ECONFIG, "web identity: %s", wrong);
    }
    rv = read_token(&role.web_identity_token, path, p, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ddb_creds_ask_sts(out, &role, o, p, &why);
    return rv == APR_SUCCESS ? rv : ddb_error_set(err, rv, "web identity: %s", why.detail);
}

const ddb_creds_provider_t ddb_creds_web_identity = { .name = "web identity", .fetch = fetch };
