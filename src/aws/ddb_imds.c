/* The instance metadata service of EC2: where it is, the token of version 2, and values by their path. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include "aws/ddb_imds.h"
#include "base/ddb_crypto.h"

#define ENDPOINT_IPV4     "http://169.254.169.254"
#define ENDPOINT_IPV6     "http://[fd00:ec2::254]"
#define TOKEN_LIFE        apr_time_from_sec(21600) /* the longest there is */
#define TOKEN_LIFE_HEADER "21600"
#define TOKEN_MARGIN      apr_time_from_sec(60)
#define TOKEN_MAX_BYTES   1024 /* 56 today */
#define REPLY_MAX_BYTES   65535
#define REGION_MAX_BYTES  63 /* it becomes a label of a host name */
#define ATTEMPTS_MAX      10
#define TIMEOUT_MAX_S     60

struct ddb_imds_token_t {
    char text[TOKEN_MAX_BYTES + 1]; /* "": the service offers no tokens, which is accepted */
    apr_time_t until;               /* monotonic; 0 when nothing is known */
};

/** One call. */
typedef struct call_t {
    const ddb_imds_opts_t *o;
    ddb_imds_token_t *token;
    const char *base; /* no trailing slash */
    apr_interval_time_t timeout;
    int attempts;
    apr_pool_t *p;
    ddb_error_t *err;
} call_t;

static apr_status_t wipe_token(void *token)
{
    ddb_crypto_wipe(token, sizeof(ddb_imds_token_t));
    return APR_SUCCESS;
}

apr_status_t ddb_imds_token_create(ddb_imds_token_t **pt, apr_pool_t *p)
{
    *pt = apr_pcalloc(p, sizeof(**pt));
    apr_pool_cleanup_register(p, *pt, wipe_token, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* --- options --- */

static apr_status_t find_endpoint(call_t *c)
{
    const char *url = c->o->endpoint, *mode = c->o->mode, *at;
    apr_uri_t uri;
    apr_size_t len;

    if (mode && strcasecmp(mode, "ipv4") != 0 && strcasecmp(mode, "ipv6") != 0) {
        return ddb_error_set(c->err, DDB_ECONFIG,
                             "the mode of the instance metadata endpoint must be ipv4 or ipv6 "
                             "(AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, ec2_metadata_service_endpoint_mode)");
    }
    if (!url) {
        c->base = mode && strcasecmp(mode, "ipv6") == 0 ? ENDPOINT_IPV6 : ENDPOINT_IPV4;
        return APR_SUCCESS;
    }
    for (at = url; *at > ' ' && *at <= '~'; at++) {
    }
    if (*at || apr_uri_parse(c->p, url, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname || !*uri.hostname
        || uri.query || uri.fragment || (strcasecmp(uri.scheme, "http") != 0 && strcasecmp(uri.scheme, "https") != 0)) {
        return ddb_error_set(c->err, DDB_ECONFIG,
                             "the instance metadata endpoint must be an http or https URL "
                             "(AWS_EC2_METADATA_SERVICE_ENDPOINT, ec2_metadata_service_endpoint)");
    }
    for (len = strlen(url); url[len - 1] == '/'; len--) {
    }
    c->base = apr_pstrmemdup(c->p, url, len);
    return APR_SUCCESS;
}

/* A whole number from 1 to max; NULL is 1. 0 for anything else. */
static int small_number(const char *text, int max)
{
    char *end;
    apr_int64_t n = text ? apr_strtoi64(text, &end, 10) : 1;

    return !text || (apr_isdigit(*text) && !*end && n >= 1 && n <= max) ? (int)n : 0;
}

static apr_status_t read_options(call_t *c)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): safe, as nothing here changes the environment. */
    const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");

    if (disabled && strcasecmp(disabled, "true") == 0) {
        return ddb_error_set(c->err, APR_NOTFOUND, "AWS_EC2_METADATA_DISABLED");
    }
    c->timeout = apr_time_from_sec(small_number(c->o->timeout, TIMEOUT_MAX_S));
    if (!c->timeout) {
        return ddb_error_set(c->err, DDB_ECONFIG,
                             "the timeout of the instance metadata service must be a number from 1 to %d "
                             "(AWS_METADATA_SERVICE_TIMEOUT, metadata_service_timeout)",
                             TIMEOUT_MAX_S);
    }
    c->attempts = small_number(c->o->attempts, ATTEMPTS_MAX);
    if (!c->attempts) {
        return ddb_error_set(c->err, DDB_ECONFIG,
                             "the attempts at the instance metadata service must be a number from 1 to %d "
                             "(AWS_METADATA_SERVICE_NUM_ATTEMPTS, metadata_service_num_attempts)",
                             ATTEMPTS_MAX);
    }
    return find_endpoint(c);
}

/* --- one request --- */

/* what: "token" or "value". */
static apr_status_t fail(const call_t *c, const char *what, int status)
{
    return ddb_error_set(c->err, status >= 500 || status == 429 ? DDB_EUNAVAILABLE : DDB_EDENIED,
                         "the instance metadata service answered a request for a %s with HTTP %d", what, status);
}

static int is_transient(apr_status_t rv, const ddb_http_response_t *res)
{
    return rv != APR_SUCCESS || res->status >= 500 || res->status == 429;
}

/* The answer of the last attempt. why: what became of the last one. */
static apr_status_t ask(const call_t *c, const ddb_http_request_t *req, ddb_http_response_t *res, ddb_error_t *why)
{
    apr_status_t rv;
    int attempt = 0;

    do {
        memset(why, 0, sizeof(*why));
        rv = c->o->http->perform(c->o->http->baton, req, c->p, res, why);
    } while (is_transient(rv, res) && ++attempt < c->attempts);
    return rv;
}

/* With one header, unless its value is empty. */
static ddb_http_request_t make_request(const call_t *c, const char *method, const char *path, const char *name,
                                       const char *value)
{
    apr_table_t *headers = apr_table_make(c->p, 1);
    ddb_http_request_t req = {
        .method = method, .connect_timeout = c->timeout, .timeout = c->timeout, .max_response_bytes = REPLY_MAX_BYTES
    };

    req.url = apr_pstrcat(c->p, c->base, "/latest/", path, NULL);
    if (*value) {
        apr_table_setn(headers, name, value);
    }
    req.headers = headers;
    return req;
}

/* --- the token --- */

/* A packet that a hop limit of 1 keeps from a container is no refusal: the connection stands, and nothing comes. */
static apr_status_t explain_silence(const call_t *c, apr_status_t rv, const ddb_error_t *why)
{
    if (rv == APR_EACCES) {
        /* This machine hides whether there is a service. */
        return ddb_error_set(c->err, rv, "cannot reach the instance metadata service: %s", why->detail);
    }
    if (!why->unsettled) {
        return ddb_error_set(c->err, APR_NOTFOUND, "no instance metadata service: %.70s", why->detail);
    }
    if (rv == APR_TIMEUP) {
        return ddb_error_set(c->err, rv,
                             "the instance metadata service accepts the request for a token but never answers; in a "
                             "container, raise the instance's hop limit for metadata responses to 2");
    }
    return ddb_error_set(c->err, rv, "no token from the instance metadata service: %s", why->detail);
}

static apr_status_t explain_refusal(const call_t *c, int status)
{
    int is_old = status == 404 || status == 405;

    if (status == 403) {
        return ddb_error_set(
            c->err, DDB_EDENIED,
            "the instance metadata service is disabled (HTTP 403); enable it in the instance's metadata options");
    }
    if (is_old) {
        return ddb_error_set(c->err, DDB_EDENIED,
                             "the instance metadata service offers no tokens (HTTP %d): it supports only version 1, "
                             "which anyone who can make this server fetch a URL could read",
                             status);
    }
    return fail(c, "token", status);
}

static apr_status_t keep_token(call_t *c, ddb_http_response_t *res)
{
    apr_size_t len = res->body_len, i;

    for (i = 0; i < len && res->body[i] > ' ' && res->body[i] <= '~'; i++) {
    }
    if (len == 0 || len > TOKEN_MAX_BYTES || i < len) {
        return ddb_error_set(
            c->err, DDB_EBADREPLY,
            "the instance metadata service returned an invalid token; is another service at its address?");
    }
    memcpy(c->token->text, res->body, len + 1);
    ddb_crypto_wipe((char *)res->body, len);
    return APR_SUCCESS;
}

/* Silence may be a hop limit, or a service of version 1 that does not know PUT. */
static int is_version_1(apr_status_t rv, const ddb_http_response_t *res, const ddb_error_t *why)
{
    return rv == APR_SUCCESS ? res->status == 403 || res->status == 404 || res->status == 405
                             : rv == APR_TIMEUP && why->unsettled;
}

static apr_status_t fetch_token(call_t *c)
{
    ddb_http_request_t req = make_request(c, "PUT", "api/token", "X-aws-ec2-metadata-token-ttl-seconds",
                                          TOKEN_LIFE_HEADER);
    ddb_http_response_t res = { 0 };
    ddb_error_t why;
    apr_status_t rv;

    c->token->text[0] = '\0';
    c->token->until = 0;
    rv = ask(c, &req, &res, &why);
    if (!c->o->allow_v1 || !is_version_1(rv, &res, &why)) {
        rv = rv != APR_SUCCESS   ? explain_silence(c, rv, &why)
             : res.status != 200 ? explain_refusal(c, res.status)
                                 : keep_token(c, &res);
    }
    else {
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        c->token->until = ddb_clock_monotonic(c->o->clock) + TOKEN_LIFE - TOKEN_MARGIN;
    }
    return rv;
}

static int is_token_good(const call_t *c)
{
    return ddb_clock_monotonic(c->o->clock) < c->token->until;
}

/* --- values --- */

static apr_status_t fetch_value(call_t *c, const char *path, ddb_http_response_t *res)
{
    ddb_http_request_t req = make_request(c, "GET", path, "X-aws-ec2-metadata-token", c->token->text);
    ddb_error_t why;
    apr_status_t rv;

    rv = ask(c, &req, res, &why);
    return rv == APR_SUCCESS ? rv
           /* Without a token this is the first that is asked of the service. */
           : !c->token->text[0] && !why.unsettled
               ? explain_silence(c, rv, &why)
               : ddb_error_set(c->err, rv, "no answer from the instance metadata service: %s", why.detail);
}

static apr_status_t get(call_t *c, const char *path, ddb_http_response_t *res)
{
    int was_kept = is_token_good(c);
    apr_status_t rv = was_kept ? APR_SUCCESS : fetch_token(c);

    if (rv == APR_SUCCESS) {
        rv = fetch_value(c, path, res);
    }
    if (rv == APR_SUCCESS && res->status == 401 && was_kept) {
        /* As after a stop and start of the instance. */
        rv = fetch_token(c);
        if (rv == APR_SUCCESS) {
            rv = fetch_value(c, path, res);
        }
    }
    return rv != APR_SUCCESS || res->status == 200 || res->status == 404 ? rv : fail(c, "value", res->status);
}

apr_status_t ddb_imds_get(ddb_http_response_t *res, const ddb_imds_opts_t *o, const char *path, apr_pool_t *p,
                          ddb_error_t *err)
{
    call_t c = { .o = o, .token = o->token, .p = p, .err = err };
    apr_status_t rv = read_options(&c);

    if (rv == APR_SUCCESS && !c.token) {
        rv = ddb_imds_token_create(&c.token, p);
    }
    return rv == APR_SUCCESS ? get(&c, path, res) : rv;
}

apr_status_t ddb_imds_region(const char **region, const ddb_imds_opts_t *o, apr_pool_t *p, ddb_error_t *err)
{
    ddb_http_response_t res = { 0 };
    apr_status_t rv = ddb_imds_get(&res, o, "meta-data/placement/region", p, err);
    const char *c;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (c = res.body; apr_islower(*c) || apr_isdigit(*c) || *c == '-'; c++) {
    }
    if (res.status != 200 || *c || res.body_len == 0 || res.body_len > REGION_MAX_BYTES) {
        return ddb_error_set(err, DDB_EBADREPLY,
                             "the instance metadata service returned no region; set it in the configuration");
    }
    *region = res.body;
    return APR_SUCCESS;
}
