/* AWS STS: a role for credentials, and whose credentials are. The request as a form, the reply as
 * XML, and what its error codes mean. */

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <apr_xml.h>

#include "aws/ddb_sts.h"
#include "base/ddb_array.h"
#include "base/ddb_crypto.h"

#define ATTEMPTS_MAX    3
#define WHOLE_MAX       apr_time_from_sec(5)
#define ATTEMPT_MAX     apr_time_from_sec(3)
#define ATTEMPT_MIN     apr_time_from_msec(100)
#define CONNECT_MAX     apr_time_from_sec(2)
#define BACKOFF         apr_time_from_msec(100) /* doubles */
#define REPLY_MAX_BYTES (64 * 1024)             /* a session token is a few KiB */

/** One operation. */
typedef struct run_t {
    const ddb_sts_opts_t *o;
    const ddb_sts_role_t *role;
    const char *action;
    char *body;
    apr_size_t body_len;
    apr_pool_t *pool; /* of the caller */
    apr_pool_t *scratch;
    ddb_credentials_t *out; /* of a role */
    const char **arn;       /* of a caller; NULL: out is wanted */
    ddb_error_t *err;
} run_t;

/* What the service's codes mean. Those it shares with other services are here too: any of them may come. */
static const struct {
    const char *code;
    apr_status_t status;
    const char *advice; /* NULL: the service's own words */
} codes[] = {
    { "AccessDenied", DDB_EDENIED, "both the role's trust policy and the caller's policy must allow it" },
    { "ExpiredToken", DDB_EDENIED, "the source's session token has expired" },
    { "ExpiredTokenException", DDB_EDENIED,
      "the token has expired: the program that writes the token file must renew it" },
    { "IDPCommunicationError", DDB_EUNAVAILABLE, "STS could not reach the identity provider" },
    { "IDPRejectedClaim", DDB_EDENIED, "the identity provider refused the token" },
    { "InvalidClientTokenId", DDB_EDENIED, "STS does not know the source's access key ID" },
    { "InvalidIdentityToken", DDB_EDENIED, "STS cannot verify the token: check the IAM identity provider" },
    { "RegionDisabledException", DDB_EREFUSED,
      "STS is not active in this region: activate it in the account's settings" },
    { "RequestLimitExceeded", DDB_ETHROTTLED, NULL },
    { "SignatureDoesNotMatch", DDB_EDENIED, "the source's secret access key or this machine's clock is wrong" },
    { "Throttling", DDB_ETHROTTLED, NULL },
    { "ThrottlingException", DDB_ETHROTTLED, NULL },
    { "ValidationError", DDB_EREFUSED, NULL },
};

/* --- the request --- */

static const char *add_field(const run_t *r, const char *form, const char *name, const char *value)
{
    return value ? apr_pstrcat(r->scratch, form, "&", name, "=", apr_pescape_urlencoded(r->scratch, value), NULL)
                 : form;
}

static void write_form(run_t *r)
{
    const char *form = apr_pstrcat(r->scratch, "Action=", r->action, "&Version=2011-06-15", NULL);

    form = add_field(r, form, "RoleArn", r->role->arn);
    form = add_field(r, form, "RoleSessionName", r->role->session_name);
    form = add_field(r, form, "DurationSeconds", r->role->duration_seconds);
    form = add_field(r, form, "ExternalId", r->role->external_id);
    /* The last one: the only copy of a form that has it is the one that is wiped. */
    r->body = (char *)add_field(r, form, "WebIdentityToken", r->role->web_identity_token);
    r->body_len = strlen(r->body);
}

static apr_status_t sign(const run_t *r, apr_table_t **headers)
{
    ddb_sigv4_request_t req = { .method = "POST",
                                .host = r->o->host,
                                .path = "/",
                                .query = "",
                                .body = r->body,
                                .body_len = r->body_len,
                                .region = r->o->region,
                                .service = "sts" };
    ddb_sigv4_signer_t signer = { .credentials = r->role->source, .now = ddb_clock_wall(r->o->clock) };
    apr_table_t *to_sign = apr_table_make(r->scratch, 2);
    apr_status_t rv = APR_SUCCESS;

    apr_table_setn(to_sign, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    req.headers = to_sign;
    *headers = apr_table_copy(r->scratch, to_sign);
    apr_table_setn(*headers, "Host", r->o->host);
    apr_table_setn(*headers, "Accept-Encoding", "identity");
    if (r->role->source) {
        rv = ddb_sigv4_sign(*headers, &req, &signer, r->scratch);
    }
    return rv == APR_SUCCESS ? rv : ddb_error_set(r->err, rv, "OpenSSL could not sign the request to STS");
}

/* --- the reply --- */

static apr_xml_elem *child(const apr_xml_elem *elem, const char *name)
{
    apr_xml_elem *found = elem ? elem->first_child : NULL;

    while (found && strcmp(found->name, name) != 0) {
        found = found->next;
    }
    return found;
}

/* NULL when it is missing. */
static const char *text_of(const apr_xml_elem *elem, apr_pool_t *p)
{
    const apr_text *first = elem ? elem->first_cdata.first : NULL, *piece;
    apr_size_t len = 0;
    char *text, *end;

    for (piece = first; piece; piece = piece->next) {
        len += strlen(piece->text);
    }
    text = end = apr_pcalloc(p, len + 1);
    for (piece = first; piece; piece = piece->next) {
        end = apr_cpystrn(end, piece->text, len + 1 - (apr_size_t)(end - text));
    }
    return len ? text : NULL;
}

/* In the order of the text; a reply may nest deeper than the stack would allow. */
static const apr_xml_elem *next_of(const apr_xml_elem *elem)
{
    if (elem->first_child) {
        return elem->first_child;
    }
    while (elem && !elem->next) {
        elem = elem->parent;
    }
    return elem ? elem->next : NULL;
}

/* The tree holds the secrets once more. */
static void wipe_tree(const apr_xml_elem *elem)
{
    const apr_text *piece;

    for (; elem; elem = next_of(elem)) {
        for (piece = elem->first_cdata.first; piece; piece = piece->next) {
            ddb_crypto_wipe((char *)piece->text, strlen(piece->text));
        }
    }
}

/* Field 5 of arn:aws:sts::123456789012:assumed-role/... */
static const char *account_of(const char *arn, apr_pool_t *p)
{
    int colons;

    for (colons = 0; arn && colons < 4; colons++) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    return arn && strspn(arn, "0123456789") == 12 && arn[12] == ':' ? apr_pstrmemdup(p, arn, 12) : NULL;
}

static const char *secret_of(const run_t *r, const apr_xml_elem *elem)
{
    char *text = (char *)text_of(elem, r->scratch);
    const char *copy = ddb_crypto_secret_dup(r->pool, text);

    if (text) {
        ddb_crypto_wipe(text, strlen(text));
    }
    return copy;
}

static apr_status_t read_credentials(const run_t *r, const apr_xml_elem *root)
{
    const char *result_name = apr_pstrcat(r->scratch, r->action, "Result", NULL);
    const apr_xml_elem *result = child(root, result_name), *found = child(result, "Credentials");
    const char *id = text_of(child(found, "AccessKeyId"), r->scratch);
    const char *expiration = text_of(child(found, "Expiration"), r->scratch);

    r->out->access_key_id = apr_pstrdup(r->pool, id);
    r->out->secret_access_key = secret_of(r, child(found, "SecretAccessKey"));
    r->out->session_token = secret_of(r, child(found, "SessionToken"));
    r->out->account_id = account_of(text_of(child(child(result, "AssumedRoleUser"), "Arn"), r->scratch), r->pool);
    if (!id || !r->out->secret_access_key || !r->out->session_token || !ddb_clock_parse(&r->out->expires, expiration)) {
        return ddb_error_set(r->err, DDB_EBADREPLY, "STS: the reply to %s lacks %s", r->action,
                             !id                          ? "AccessKeyId"
                             : !r->out->secret_access_key ? "SecretAccessKey"
                             : !r->out->session_token     ? "SessionToken"
                                                          : "an Expiration that is a time");
    }
    return APR_SUCCESS;
}

/* Words of the service, for a log: one line of visible characters. */
static const char *show(const char *text, apr_pool_t *p)
{
    char *shown = apr_pstrdup(p, text ? text : ""), *at;

    for (at = shown; *at; at++) {
        *at = *at < ' ' || *at > '~' ? '?' : *at;
    }
    return shown;
}

static apr_status_t read_caller(const run_t *r, const apr_xml_elem *root)
{
    const char *arn = text_of(child(child(root, "GetCallerIdentityResult"), "Arn"), r->scratch);

    *r->arn = show(arn, r->pool);
    return arn ? APR_SUCCESS : ddb_error_set(r->err, DDB_EBADREPLY, "STS: the reply to GetCallerIdentity lacks Arn");
}

static apr_status_t read_error(const run_t *r, const apr_xml_elem *root, int status)
{
    const apr_xml_elem *error = child(root, "Error");
    const char *code = show(text_of(child(error, "Code"), r->scratch), r->scratch);
    const char *message = show(text_of(child(error, "Message"), r->scratch), r->scratch), *advice = NULL;
    apr_status_t rv = status >= 500 ? DDB_EUNAVAILABLE : status == 429 ? DDB_ETHROTTLED : DDB_EREFUSED;
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            rv = codes[i].status;
            advice = codes[i].advice;
        }
    }
    if (!*code) {
        return ddb_error_set(r->err, rv == DDB_EREFUSED ? DDB_EBADREPLY : rv,
                             "STS: status %d without an STS error: check the endpoint and any proxy in between",
                             status);
    }
    if (r->err) {
        apr_cpystrn(r->err->type, code, sizeof(r->err->type));
    }
    return advice ? ddb_error_set(r->err, rv, "STS: %.40s: %s", code, advice)
                  : ddb_error_set(r->err, rv, "STS: %.40s: %.110s", code, message);
}

static apr_status_t judge(const run_t *r, const ddb_http_response_t *res)
{
    apr_xml_parser *parser = apr_xml_parser_create(r->scratch);
    apr_xml_doc *doc = NULL;
    apr_status_t rv;

    if (r->err) {
        r->err->http_status = res->status;
    }
    rv = apr_xml_parser_feed(parser, res->body, res->body_len);
    /* Also after a failure: it frees what expat has. */
    if (apr_xml_parser_done(parser, &doc) != APR_SUCCESS || rv != APR_SUCCESS) {
        doc = NULL;
    }
    ddb_crypto_wipe((char *)res->body, res->body_len);
    if (res->status != 200) {
        rv = read_error(r, doc ? doc->root : NULL, res->status);
    }
    else if (!doc) {
        rv = ddb_error_set(r->err, DDB_EBADREPLY,
                           "STS: status 200, but the body is not XML: check the endpoint and any proxy in between");
    }
    else {
        rv = r->arn ? read_caller(r, doc->root) : read_credentials(r, doc->root);
    }
    if (doc) {
        wipe_tree(doc->root);
    }
    return rv;
}

/* --- attempts --- */

static apr_status_t attempt(run_t *r, apr_interval_time_t left)
{
    ddb_http_request_t req = { .method = "POST",
                               .body = r->body,
                               .body_len = r->body_len,
                               .connect_timeout = CONNECT_MAX,
                               .timeout = left < ATTEMPT_MAX ? left : ATTEMPT_MAX,
                               .max_response_bytes = REPLY_MAX_BYTES };
    ddb_error_t why = { 0 };
    ddb_http_response_t res;
    apr_table_t *headers;
    apr_status_t rv = sign(r, &headers);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    req.url = apr_pstrcat(r->scratch, r->o->url, "/", NULL);
    req.headers = headers;
    rv = r->o->http->perform(r->o->http->baton, &req, r->scratch, &res, &why);
    return rv == APR_SUCCESS ? judge(r, &res)
                             : ddb_error_set(r->err, rv, "STS at %.80s: %.150s", r->o->url, why.detail);
}

static int may_help_to_retry(apr_status_t rv)
{
    return rv == DDB_ETHROTTLED || rv == DDB_EUNAVAILABLE || rv == APR_TIMEUP;
}

static apr_status_t attempt_until(run_t *r)
{
    const ddb_clock_t *clock = r->o->clock;
    apr_time_t end = ddb_clock_monotonic(clock) + WHOLE_MAX;
    apr_interval_time_t wait = BACKOFF, left = WHOLE_MAX;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < ATTEMPTS_MAX && left >= ATTEMPT_MIN; i++) {
        rv = attempt(r, left);
        if (!may_help_to_retry(rv) || i + 1 == ATTEMPTS_MAX) {
            return rv;
        }
        ddb_clock_sleep(clock, wait);
        wait *= 2;
        left = end - ddb_clock_monotonic(clock);
    }
    return rv;
}

static apr_status_t ask(run_t *r)
{
    apr_status_t rv = apr_pool_create(&r->scratch, r->pool);

    if (rv != APR_SUCCESS) {
        return ddb_error_set(r->err, rv, "out of memory for a request to STS");
    }
    write_form(r);
    rv = attempt_until(r);
    ddb_crypto_wipe(r->body, r->body_len);
    apr_pool_destroy(r->scratch);
    return rv;
}

apr_status_t ddb_sts_assume(ddb_credentials_t *out, const ddb_sts_role_t *role, const ddb_sts_opts_t *o, apr_pool_t *p,
                            ddb_error_t *err)
{
    run_t r = { .o = o, .role = role, .pool = p, .out = out, .err = err };

    r.action = role->web_identity_token ? "AssumeRoleWithWebIdentity" : "AssumeRole";
    return ask(&r);
}

apr_status_t ddb_sts_caller(const char **arn, const ddb_credentials_t *of, const ddb_sts_opts_t *o, apr_pool_t *p,
                            ddb_error_t *err)
{
    const ddb_sts_role_t none = { .source = of };
    run_t r = { .o = o, .role = &none, .action = "GetCallerIdentity", .pool = p, .arn = arn, .err = err };

    return ask(&r);
}
