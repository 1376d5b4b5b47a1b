/* Credentials of the role of an EC2 instance. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "aws/creds/ddb_creds_int.h"
#include "aws/creds/ddb_creds_reply.h"
#include "aws/ddb_imds.h"
#include "base/ddb_crypto.h"

#define SOURCE         "the instance metadata service"
#define ROLES_PATH     "meta-data/iam/security-credentials/"
#define ROLE_MAX_BYTES 64

static const ddb_creds_shape_t shape = { .source = SOURCE,
                                         .access_key_id = "AccessKeyId",
                                         .secret_access_key = "SecretAccessKey",
                                         .session_token = "Token",
                                         .expires = "Expiration",
                                         .account_id = "AccountId",
                                         .token_needed = 1,
                                         .expires_needed = 1 };

/* --- settings --- */

static const char *setting(const ddb_profile_t *profile, const char *variable, const char *key)
{
    const char *value = ddb_profile_env(variable);

    return value ? value : ddb_profile_get(profile, key);
}

static apr_status_t find_settings(ddb_imds_opts_t *imds, const ddb_creds_opts_t *o, apr_pool_t *p, ddb_error_t *err)
{
    ddb_profile_t *profile = NULL;
    apr_status_t rv = ddb_profile_read(&profile, &o->profile, p, err);

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    imds->endpoint = setting(profile, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    imds->mode = setting(profile, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    imds->timeout = setting(profile, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout");
    imds->attempts = setting(profile, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts");
    return APR_SUCCESS;
}

/* --- the role --- */

static apr_status_t no_role(ddb_error_t *err)
{
    return ddb_error_set(err, APR_NOTFOUND, "this EC2 instance has no role; attach one (an instance profile)");
}

/* The list has at most one line. */
static apr_status_t find_role(const char **role, const ddb_imds_opts_t *imds, apr_pool_t *p, ddb_error_t *err)
{
    ddb_http_response_t res = { 0 };
    apr_status_t rv = ddb_imds_get(&res, imds, ROLES_PATH, p, err);
    apr_size_t len, i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    len = strcspn(res.body, "\r\n");
    if (res.status == 404 || len == 0) {
        return no_role(err);
    }
    /* It becomes part of a URL; these are what IAM allows in a name. */
    for (i = 0; i < len && (apr_isalnum(res.body[i]) || strchr("+=,.@_-", res.body[i])); i++) {
    }
    if (i < len || len > ROLE_MAX_BYTES) {
        return ddb_error_set(err, DDB_EBADREPLY,
                             SOURCE " returned an invalid role name; is another service at its address?");
    }
    *role = apr_pstrmemdup(p, res.body, len);
    return APR_SUCCESS;
}

/* A reply with HTTP 200 may contain no keys, for instance for a role that does not trust EC2. */
static apr_status_t read_document(ddb_credentials_t *out, const ddb_json_t *obj, const char *role, apr_pool_t *p,
                                  ddb_error_t *err)
{
    const char *code = ddb_json_str(obj, "Code");

    if (code && strcmp(code, "Success") != 0) {
        return ddb_error_set(err, DDB_EDENIED, SOURCE " returned no keys for role %s: %s %s", role,
                             ddb_creds_reply_printable(code, p),
                             ddb_creds_reply_printable(ddb_json_str(obj, "Message"), p));
    }
    return ddb_creds_reply_read(out, obj, &shape, p, err);
}

static apr_status_t fetch_document(ddb_credentials_t *out, const ddb_imds_opts_t *imds, const char *role, apr_pool_t *p,
                                   ddb_error_t *err)
{
    ddb_http_response_t res = { 0 };
    ddb_json_t *obj;
    apr_status_t rv = ddb_imds_get(&res, imds, apr_pstrcat(p, ROLES_PATH, role, NULL), p, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (res.status == 404) {
        return no_role(err); /* taken away between the two requests */
    }
    if (ddb_creds_reply_parse(&obj, (char *)res.body, res.body_len, p) != APR_SUCCESS) {
        return ddb_error_set(err, DDB_EBADREPLY, SOURCE " returned something other than JSON for role %s", role);
    }
    return read_document(out, obj, role, p, err);
}

/* --- an outage of the service --- */

#define EXTEND_MIN_S  (15 * 60 + 2 * 60)
#define EXTEND_VARY_S (8 * 60)

/*
 * While the service behind it can't renew the keys, it goes on serving the old ones, and DynamoDB goes on taking them.
 * Keys that end soon are taken to end later: they stay in use, and are asked for again in between, at times that differ
 * from child to child.
 */
static void extend(ddb_credentials_t *c, const ddb_creds_opts_t *o)
{
    apr_time_t now = ddb_clock_wall(o->clock);
    apr_uint32_t number = 0;
    apr_interval_time_t window;

    (o->random ? o->random : ddb_crypto_random)(&number, sizeof(number));
    window = apr_time_from_sec(EXTEND_MIN_S + number % (EXTEND_VARY_S + 1));
    if (c->expires - window <= now) {
        c->expires = now + window;
    }
}

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    ddb_imds_opts_t imds = { .http = o->http, .clock = o->clock, .token = state, .allow_v1 = o->imds_v1 };
    const char *role = NULL;
    apr_status_t rv = find_settings(&imds, o, p, err);

    if (rv == APR_SUCCESS && !imds.token) {
        rv = ddb_imds_token_create(&imds.token, p);
    }
    if (rv == APR_SUCCESS) {
        rv = find_role(&role, &imds, p, err);
    }
    if (rv == APR_SUCCESS) {
        rv = fetch_document(out, &imds, role, p, err);
    }
    if (rv == APR_SUCCESS) {
        extend(out, o);
    }
    return rv;
}

static apr_status_t prepare(void **state, apr_pool_t *p)
{
    ddb_imds_token_t *token = NULL;
    apr_status_t rv = ddb_imds_token_create(&token, p);

    *state = token;
    return rv;
}

const ddb_creds_provider_t ddb_creds_imds = { .name = "instance metadata", .prepare = prepare, .fetch = fetch };
