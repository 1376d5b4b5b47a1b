/* Credentials of a container: the agent of ECS, EKS Pod Identity, and whatever else two variables point to. */

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <apr_uri.h>

#include "aws/creds/ddb_creds_int.h"
#include "aws/creds/ddb_creds_reply.h"
#include "base/ddb_crypto.h"

#define SOURCE          "the container's credential service"
#define ECS_AGENT       "http://169.254.170.2"
#define TIMEOUT         apr_time_from_sec(2)
#define ATTEMPTS        3
#define PAUSE           apr_time_from_sec(1)
#define REPLY_MAX_BYTES 10000
#define TOKEN_MAX_BYTES 10000

static const ddb_creds_shape_t shape = { .source = SOURCE,
                                         .access_key_id = "AccessKeyId",
                                         .secret_access_key = "SecretAccessKey",
                                         .session_token = "Token",
                                         .expires = "Expiration",
                                         .account_id = "AccountId",
                                         .token_needed = 1,
                                         .expires_needed = 1 };

/* --- where to ask --- */

/* Whom a secret may be sent to without TLS: this machine, and the link-local addresses of ECS and EKS Pod Identity. By
 * address: 127.1 or 0x7f000001 would be the resolver's to understand. */
static int is_local(const char *host)
{
    unsigned char v4[4], v6[16], eks[16], loopback[16] = { [15] = 1 };

    if (inet_pton(AF_INET, host, v4) == 1) {
        return v4[0] == 127 || memcmp(v4, "\xa9\xfe\xaa\x02", 4) == 0 || memcmp(v4, "\xa9\xfe\xaa\x17", 4) == 0;
    }
    if (inet_pton(AF_INET6, host, v6) == 1) {
        inet_pton(AF_INET6, "fd00:ec2::23", eks);
        return memcmp(v6, loopback, sizeof(v6)) == 0 || memcmp(v6, eks, sizeof(v6)) == 0;
    }
    return strcasecmp(host, "localhost") == 0;
}

/* What one parser of URLs might read in another way than libcurl does. */
static int is_plain(const char *url)
{
    for (; *url; url++) {
        if (*url <= ' ' || *url > '~' || strchr("\\#\"<>^`{|}", *url)) {
            return 0;
        }
    }
    return 1;
}

static apr_status_t check_full_uri(const char *url, apr_pool_t *p, ddb_error_t *err)
{
    apr_uri_t uri;

    if (!is_plain(url) || apr_uri_parse(p, url, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname || !*uri.hostname
        || uri.user || uri.password || strchr(uri.hostinfo, '@')) {
        return ddb_error_set(err, DDB_ECONFIG,
                             "AWS_CONTAINER_CREDENTIALS_FULL_URI is not a valid URL; it must start with http:// or "
                             "https:// and a host, without user and password");
    }
    if (strcasecmp(uri.scheme, "https") == 0 || (strcasecmp(uri.scheme, "http") == 0 && is_local(uri.hostname))) {
        return APR_SUCCESS;
    }
    return ddb_error_set(err, DDB_ECONFIG,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI: this host needs https; http is allowed only for loopback "
                         "addresses, localhost, 169.254.170.2, 169.254.170.23 and fd00:ec2::23");
}

/* @return APR_NOTFOUND when neither variable is set. */
static apr_status_t find_url(const char **url, apr_pool_t *p, ddb_error_t *err)
{
    const char *relative = ddb_profile_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");

    *url = relative ? apr_pstrcat(p, ECS_AGENT, relative, NULL) : ddb_profile_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!*url) {
        return ddb_error_set(err, APR_NOTFOUND, "no AWS_CONTAINER_CREDENTIALS_*_URI");
    }
    if (!relative) {
        return check_full_uri(*url, p, err);
    }
    return *relative == '/' && is_plain(relative)
               ? APR_SUCCESS
               : ddb_error_set(err, DDB_ECONFIG,
                               "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must be a path that starts with a slash");
}

/* --- what to show --- */

static apr_status_t read_token_file(const char **token, const char *path, apr_pool_t *p, ddb_error_t *err)
{
    apr_size_t len;
    char *text, reason[80];
    apr_status_t rv = ddb_creds_read_file(&text, path, TOKEN_MAX_BYTES, p);

    if (rv != APR_SUCCESS) {
        return ddb_error_set(err, DDB_ECONFIG, "cannot read AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %s: %s",
                             ddb_error_text(rv, reason, sizeof(reason)), path);
    }
    /* Editors and echo end a file with a line break. */
    for (len = strlen(text); len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'); len--) {
        text[len - 1] = '\0';
    }
    *token = text;
    return APR_SUCCESS;
}

/* NULL when no token is set. Read at every fetch: EKS replaces the file before the token in it expires. */
static apr_status_t find_token(const char **token, apr_pool_t *p, ddb_error_t *err)
{
    const char *path = ddb_profile_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    apr_status_t rv = path ? read_token_file(token, path, p, err) : APR_SUCCESS;

    if (!path) {
        *token = ddb_profile_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    }
    if (rv == APR_SUCCESS && *token && (!**token || strpbrk(*token, "\r\n"))) {
        rv = ddb_error_set(err, DDB_ECONFIG, "%s %s; it must contain only the token",
                           path ? "the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
                                : "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                           **token ? "has a line break in the token" : "is empty");
    }
    return rv;
}

/* --- requests --- */

/* Its own words are left out but for the code: the path that was asked is as good as a password. */
static apr_status_t refuse(ddb_http_response_t *res, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *obj = NULL;
    const char *code;
    int is_busy = res->status >= 500 || res->status == 429;

    ddb_creds_reply_parse(&obj, (char *)res->body, res->body_len, p);
    code = ddb_creds_reply_printable(ddb_json_str(obj, "code"), p);
    return ddb_error_set(
        err, is_busy ? DDB_EUNAVAILABLE : DDB_EDENIED,
        SOURCE
        " returned HTTP %d%s%s; check the AWS_CONTAINER_* variables, and the role of the task or service account",
        res->status, *code ? " " : "", code);
}

static apr_status_t take(ddb_http_response_t *res, apr_pool_t *p, ddb_credentials_t *out, ddb_error_t *err)
{
    ddb_json_t *obj;

    if (res->status != 200) {
        return refuse(res, p, err);
    }
    if (ddb_creds_reply_parse(&obj, (char *)res->body, res->body_len, p) != APR_SUCCESS) {
        return ddb_error_set(err, DDB_EBADREPLY, SOURCE " returned something other than JSON");
    }
    return ddb_creds_reply_read(out, obj, &shape, p, err);
}

static apr_status_t ask(const ddb_creds_opts_t *o, const ddb_http_request_t *req, apr_pool_t *p, ddb_credentials_t *out,
                        ddb_error_t *err)
{
    ddb_http_response_t res = { 0 };
    ddb_error_t why = { 0 };
    apr_status_t rv = o->http->perform(o->http->baton, req, p, &res, &why);

    return rv == APR_SUCCESS ? take(&res, p, out, err)
                             : ddb_error_set(err, rv, SOURCE " gives no answer: %s", why.detail);
}

/* Once more helps against an agent that is just starting or busy, not against one that says no. */
static apr_status_t ask_patiently(const ddb_creds_opts_t *o, const ddb_http_request_t *req, apr_pool_t *p,
                                  ddb_credentials_t *out, ddb_error_t *err)
{
    apr_status_t rv = ask(o, req, p, out, err);
    int attempt;

    for (attempt = 1; attempt < ATTEMPTS && rv != APR_SUCCESS && rv != DDB_EDENIED; attempt++) {
        ddb_clock_sleep(o->clock, PAUSE);
        rv = ask(o, req, p, out, err);
    }
    return rv == APR_SUCCESS ? ddb_creds_reply_check_time(out, ddb_clock_wall(o->clock), SOURCE, err) : rv;
}

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    apr_table_t *headers = apr_table_make(p, 2);
    ddb_http_request_t req = { .method = "GET",
                               .headers = headers,
                               .connect_timeout = TIMEOUT,
                               .timeout = TIMEOUT,
                               .max_response_bytes = REPLY_MAX_BYTES };
    const char *token = NULL;
    apr_status_t rv = find_url(&req.url, p, err);

    (void)state;
    if (rv == APR_SUCCESS) {
        rv = find_token(&token, p, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_table_setn(headers, "Accept", "application/json");
    if (token) {
        apr_table_setn(headers, "Authorization", token);
    }
    return ask_patiently(o, &req, p, out, err);
}

const ddb_creds_provider_t ddb_creds_container = { .name = "container", .fetch = fetch };
