/* Credentials that others give out. The first line of an input names the provider; then come the replies to its
 * requests, parted by lines "%%%": the HTTP status in a line, and the body. Who asks for more finds nobody. */

#include "ddb_creds_int.h"
#include "ddb_creds_reply.h"
#include "fuzz.h"

#define NOW APR_INT64_C(1795395723000004) /* 2026-11-23 01:02:03 */

/* --- the world --- */

static char *script;

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    char *reply = script, *end = reply ? strstr(reply, "\n%%%\n") : NULL;

    (void)baton;
    HOLDS(fuzz_is_loggable(req->url) && strncmp(req->url, "http", 4) == 0);
    if (!reply) {
        return ddb_error_set(err, DDB_EUNAVAILABLE, "nobody there");
    }
    script = end ? end + 5 : NULL;
    if (end) {
        *end = '\0';
    }
    memset(res, 0, sizeof(*res));
    res->headers = apr_table_make(p, 1);
    res->status = atoi(fuzz_line(&reply)) & 1023;
    res->body = apr_pstrdup(p, reply);
    res->body_len = strlen(reply);
    return APR_SUCCESS;
}

static apr_time_t wall(void *baton) { (void)baton; return NOW; }
static apr_time_t monotonic(void *baton) { (void)baton; return apr_time_from_sec(1000); }
static void no_sleep(void *baton, apr_interval_time_t t) { (void)baton, (void)t; }

static apr_status_t zeros(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_SUCCESS;
}

static const ddb_http_transport_t http = { perform, NULL };
static const ddb_clock_t fixed_clock = { wall, monotonic, no_sleep, NULL };
static const ddb_creds_opts_t opts = { .profile = { NULL, "/dev/null", "/dev/null" }, .http = &http,
                                       .clock = &fixed_clock, .random = zeros, .imds_v1 = 1 };

static const ddb_creds_provider_t *find_provider(const char *name)
{
    static const struct { const char *name; const ddb_creds_provider_t *provider; } providers[] = {
        { "imds", &ddb_creds_imds },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
        if (strcmp(name, providers[i].name) == 0) {
            return providers[i].provider;
        }
    }
    return NULL;
}

/* --- what holds --- */

/* What a service says of itself is repeated: who puts a secret there has told it. */
static void is_fit_for_the_log(apr_status_t rv, const ddb_error_t *err, const char *text)
{
    HOLDS(memchr(err->detail, '\0', sizeof(err->detail)) && fuzz_is_loggable(err->detail));
    HOLDS(rv == DDB_EDENIED || !strstr(err->detail, FUZZ_SECRET) || !strstr(text, "\"" FUZZ_SECRET));
}

static void ask(const ddb_creds_provider_t *provider, char *text, apr_pool_t *p)
{
    const char *copy = apr_pstrdup(p, text);
    ddb_credentials_t found = { 0 };
    ddb_error_t err = { 0 };
    apr_status_t rv;

    script = text;
    rv = provider->fetch(&opts, NULL, p, &found, &err);
    is_fit_for_the_log(rv, &err, copy);
    if (rv == APR_SUCCESS) {
        HOLDS(found.access_key_id && *found.access_key_id && found.secret_access_key && *found.secret_access_key);
        HOLDS(found.session_token && *found.session_token);
        HOLDS(found.expires > NOW);
    }
    else {
        HOLDS(err.detail[0]);
    }
}

/* A document as a program prints it: everything but the keys may be missing. What is there is not passed over: keys
 * that end must not become keys for ever. */
static void read_document(const char *text, apr_pool_t *p)
{
    static const ddb_creds_shape_t shape = { "a program", "AccessKeyId", "SecretAccessKey", "SessionToken",
                                             "Expiration", "AccountId", 0, 0 };
    apr_size_t len = strlen(text), i;
    char *copy = apr_pstrdup(p, text);
    ddb_credentials_t found = { 0 };
    ddb_json_t *obj;
    ddb_error_t err = { 0 };
    const char *expires;
    apr_int64_t number;

    if (ddb_creds_reply_parse(&obj, copy, len, p) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < len; i++) {
        HOLDS(copy[i] == '\0'); /* wiped */
    }
    expires = ddb_json_str(obj, "Expiration");
    if (ddb_creds_reply_read(&found, obj, &shape, p, &err) == APR_SUCCESS) {
        HOLDS(*found.access_key_id && *found.secret_access_key && (!found.session_token || *found.session_token));
        HOLDS(!expires || !*expires || found.expires > 0);
        HOLDS(!ddb_json_int(obj, "Expiration", &number) || found.expires == number * 1000);
        HOLDS(!ddb_json_int(obj, "Expiration", &number) || found.expires > 0);
    }
    else {
        HOLDS(fuzz_is_loggable(err.detail) && !strstr(err.detail, FUZZ_SECRET));
    }
}

static void read_time(const char *text)
{
    apr_time_t t = -1, again;

    if (ddb_creds_reply_time(&t, text) != APR_SUCCESS) {
        HOLDS(t == -1);
        return;
    }
    HOLDS(t > 0 && t < APR_INT64_C(253402387200) * APR_USEC_PER_SEC && t % APR_USEC_PER_SEC == 0);
    /* Without a fraction, and with the time zone in another way. */
    if (text[19] == 'Z') {
        char other[] = "0000-00-00T00:00:00+0000";
        memcpy(other, text, 19);
        HOLDS(ddb_creds_reply_time(&again, other) == APR_SUCCESS && again == t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size);
    const ddb_creds_provider_t *provider = find_provider(fuzz_line(&text));

    unsetenv("AWS_EC2_METADATA_DISABLED");
    unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    unsetenv("AWS_METADATA_SERVICE_TIMEOUT");
    unsetenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS");
    if (provider) {
        ask(provider, text, p);
    }
    else {
        read_document(text, p);
        read_time(text);
    }
    return fuzz_end();
}
