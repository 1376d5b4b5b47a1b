/* Credentials for the token that "aws sso login" has left behind. It is read, never renewed: that takes a person. */

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "aws/creds/ddb_creds_int.h"
#include "aws/creds/ddb_creds_reply.h"
#include "aws/ddb_endpoint.h"
#include "base/ddb_crypto.h"

#define FILE_MAX_BYTES  (64 * 1024)
#define REPLY_MAX_BYTES (64 * 1024)
#define ATTEMPTS_MAX    3
#define ATTEMPT_MAX     apr_time_from_sec(2)
#define BACKOFF         apr_time_from_msec(100) /* doubles */

/** What the profile says, put together with the [sso-session] that it names. */
typedef struct sso_t {
    const ddb_creds_opts_t *o;
    apr_pool_t *p;
    const char *session; /* NULL: everything is in the profile */
    const char *start_url, *region, *account_id, *role_name;
    ddb_error_t *err;
} sso_t;

/* --- what is set --- */

/* A value may be in the profile, in the section or, if they agree, in both. */
static apr_status_t choose(const sso_t *s, const char **value, const ddb_profile_t *section, const char *key)
{
    const char *there = ddb_profile_get(section, key);

    if (*value && there && strcmp(*value, there) != 0) {
        return ddb_error_set(s->err, DDB_ECONFIG,
                             "SSO: the profile's %s differs from that of [sso-session %.40s]: remove one of the two",
                             key, s->session);
    }
    *value = there ? there : *value;
    return APR_SUCCESS;
}

static apr_status_t read_section(sso_t *s)
{
    ddb_profile_opts_t opts = s->o->profile;
    ddb_profile_t *section;
    apr_status_t rv;

    opts.name = s->session;
    rv = ddb_profile_read_section(&section, &opts, "sso-session", s->p, s->err);
    if (rv == APR_SUCCESS) {
        rv = choose(s, &s->start_url, section, "sso_start_url");
    }
    if (rv == APR_SUCCESS) {
        rv = choose(s, &s->region, section, "sso_region");
    }
    return rv;
}

static apr_status_t read_settings(sso_t *s, const ddb_profile_t *profile)
{
    const char *missing;
    apr_status_t rv;

    s->session = ddb_profile_get(profile, "sso_session");
    s->start_url = ddb_profile_get(profile, "sso_start_url");
    s->region = ddb_profile_get(profile, "sso_region");
    s->account_id = ddb_profile_get(profile, "sso_account_id");
    s->role_name = ddb_profile_get(profile, "sso_role_name");
    if (!s->account_id && !s->role_name) {
        return ddb_error_set(s->err, APR_NOTFOUND, "no sso_account_id");
    }
    rv = s->session ? read_section(s) : APR_SUCCESS;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    missing = !s->account_id  ? "sso_account_id"
              : !s->role_name ? "sso_role_name"
              : !s->region    ? "sso_region"
              : !s->start_url ? "sso_start_url"
                              : NULL;
    return missing ? ddb_error_set(s->err, DDB_ECONFIG, "SSO: the profile lacks %s: run aws configure sso", missing)
                   : APR_SUCCESS;
}

/* --- the token --- */

static apr_status_t ask_for_login(const sso_t *s, const char *why)
{
    return ddb_error_set(
        s->err, DDB_ENOCREDS,
        "SSO: %s: run aws sso login --profile %.60s as the user that httpd runs as, or use a role on a server", why,
        ddb_profile_name(&s->o->profile));
}

static const char *token_path(const sso_t *s)
{
    const char *key = s->session ? s->session : s->start_url;
    const char *directory = ddb_profile_expand_home("~/.aws/sso/cache", s->p);
    unsigned char digest[DDB_SHA1_BYTES];

    if (!directory || ddb_crypto_digest(DDB_SHA1, digest, key, strlen(key)) != APR_SUCCESS) {
        return NULL;
    }
    return apr_pstrcat(s->p, directory, "/", ddb_crypto_hex(s->p, digest, sizeof(digest)), ".json", NULL);
}

static apr_status_t read_token(const sso_t *s, const char **token)
{
    const char *path = token_path(s), *expires;
    apr_time_t until;
    ddb_json_t *cache;
    char *text;

    if (!path || ddb_creds_read_file(&text, path, FILE_MAX_BYTES, s->p) != APR_SUCCESS) {
        return ask_for_login(s, "no readable token in ~/.aws/sso/cache");
    }
    if (ddb_creds_reply_parse(&cache, text, strlen(text), s->p) != APR_SUCCESS) {
        return ask_for_login(s, "the token file is not JSON");
    }
    *token = ddb_json_str(cache, "accessToken");
    expires = ddb_json_str(cache, "expiresAt");
    if (!*token || !expires || !ddb_clock_parse(&until, expires)) {
        return ask_for_login(s, "the token file lacks accessToken or expiresAt");
    }
    return until > ddb_clock_wall(s->o->clock) ? APR_SUCCESS : ask_for_login(s, "the token is expired");
}

/* --- the portal --- */

static apr_status_t judge(const sso_t *s, const ddb_http_response_t *res, ddb_credentials_t *out)
{
    static const ddb_creds_shape_t shape = { .source = "SSO",
                                             .access_key_id = "accessKeyId",
                                             .secret_access_key = "secretAccessKey",
                                             .session_token = "sessionToken",
                                             .expires = "expiration",
                                             .token_needed = 1,
                                             .expires_needed = 1 };
    ddb_json_t *reply = NULL;
    apr_status_t rv;

    if (res->status == 401) {
        return ask_for_login(s, "the portal rejected the token");
    }
    if (res->status != 200) {
        rv = res->status >= 500 || res->status == 429 ? DDB_EUNAVAILABLE : DDB_EDENIED;
        return ddb_error_set(s->err, rv, "SSO: status %d from the portal%s", res->status,
                             rv == DDB_EUNAVAILABLE ? ""
                                                    : ": check sso_account_id, sso_role_name and their assignments");
    }
    rv = ddb_creds_reply_parse(&reply, (char *)res->body, res->body_len, s->p);
    if (rv != APR_SUCCESS || !ddb_json_child(reply, "roleCredentials")) {
        return ddb_error_set(s->err, DDB_EBADREPLY,
                             "SSO: unexpected reply from the portal: check the endpoint and any proxy in between");
    }
    rv = ddb_creds_reply_read(out, ddb_json_child(reply, "roleCredentials"), &shape, s->p, s->err);
    out->account_id = s->account_id;
    return rv;
}

static apr_status_t ask_portal(const sso_t *s, const ddb_http_request_t *req, ddb_credentials_t *out)
{
    const ddb_clock_t *clock = s->o->clock;
    apr_interval_time_t wait = BACKOFF;
    ddb_http_response_t res;
    ddb_error_t why = { 0 };
    apr_status_t rv = DDB_EUNAVAILABLE;
    int i;

    for (i = 0; i < ATTEMPTS_MAX && (rv == DDB_EUNAVAILABLE || rv == APR_TIMEUP); i++) {
        if (i) {
            ddb_clock_sleep(clock, wait);
            wait *= 2;
        }
        rv = s->o->http->perform(s->o->http->baton, req, s->p, &res, &why);
        rv = rv == APR_SUCCESS ? judge(s, &res, out) : ddb_error_set(s->err, rv, "SSO: %.150s", why.detail);
    }
    return rv;
}

static apr_status_t fetch_role(const sso_t *s, ddb_credentials_t *out)
{
    ddb_endpoint_opts_t opts = { .region = s->region, .profile = s->o->profile, .service = DDB_SSO };
    ddb_http_request_t req = {
        .method = "GET", .connect_timeout = ATTEMPT_MAX, .timeout = ATTEMPT_MAX, .max_response_bytes = REPLY_MAX_BYTES
    };
    ddb_endpoint_t endpoint = { .url = NULL };
    apr_table_t *headers = apr_table_make(s->p, 2);
    const char *token = NULL;
    apr_status_t rv = ddb_endpoint_resolve(&endpoint, &opts, s->p, s->err);

    if (rv == APR_SUCCESS) {
        rv = read_token(s, &token);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_table_setn(headers, "Accept", "application/json");
    apr_table_setn(headers, "Accept-Encoding", "identity");
    apr_table_setn(headers, "x-amz-sso_bearer_token", token);
    req.headers = headers;
    req.url = apr_pstrcat(s->p, endpoint.url,
                          "/federation/credentials?role_name=", apr_pescape_urlencoded(s->p, s->role_name),
                          "&account_id=", apr_pescape_urlencoded(s->p, s->account_id), NULL);
    return ask_portal(s, &req, out);
}

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    sso_t s = { .o = o, .p = p, .err = err };
    ddb_profile_t *profile = NULL;
    apr_status_t rv = ddb_profile_read(&profile, &o->profile, p, err);

    (void)state;
    if (rv == APR_SUCCESS) {
        rv = read_settings(&s, profile);
    }
    return rv == APR_SUCCESS ? fetch_role(&s, out) : rv;
}

const ddb_creds_provider_t ddb_creds_sso = { .name = "SSO", .fetch = fetch };
