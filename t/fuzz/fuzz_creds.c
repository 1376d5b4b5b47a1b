/* Credentials that others give out. The first line of an input names the provider; then come the replies to its
 * requests, parted by lines "%%%": the HTTP status in a line, and the body. Who asks for more finds nobody. For "sso"
 * the first part is the file with the token, for "region" and "container" it is their settings. Without a provider the
 * rest is a document, and a time. */

#include <arpa/inet.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "aws/creds/ddb_creds_int.h"
#include "aws/creds/ddb_creds_reply.h"
#include "aws/ddb_imds.h"
#include "aws/ddb_sts.h"
#include "base/ddb_time.h"
#include "fuzz.h"

#define NOW APR_INT64_C(1795395723000004) /* 2026-11-23 01:02:03 */

/* --- the world --- */

static char *script;
static const char *asked_at; /* the URL of the last request */

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    char *reply = script, *end = reply ? strstr(reply, "\n%%%\n") : NULL;

    (void)baton;
    asked_at = req->url;
    HOLDS(fuzz_is_loggable(req->url) && strncasecmp(req->url, "http", 4) == 0);
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

static apr_time_t wall(void *baton)
{
    (void)baton;
    return NOW;
}
static apr_time_t monotonic(void *baton)
{
    (void)baton;
    return apr_time_from_sec(1000);
}
static void no_sleep(void *baton, apr_interval_time_t t)
{
    (void)baton, (void)t;
}

static apr_status_t zeros(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_SUCCESS;
}

static const ddb_http_transport_t http = { perform, NULL };
static const ddb_clock_t fixed_clock = { wall, monotonic, no_sleep, NULL };
static const ddb_creds_opts_t opts = {
    .profile = { NULL, "/dev/null", "/dev/null" }, .http = &http, .clock = &fixed_clock, .random = zeros, .imds_v1 = 1
};

/* --- who is asked --- */

typedef apr_status_t ask_fn(ddb_credentials_t *out, apr_pool_t *p, ddb_error_t *err);

/* The next part of the script. */
static const char *take_part(void)
{
    char *part = script ? script : (char *)"", *end = strstr(part, "\n%%%\n");

    script = end ? end + 5 : NULL;
    if (end) {
        *end = '\0';
    }
    return part;
}

/* Whom a secret may be sent to in clear text. */
static int is_local(const char *host)
{
    static const char *const names[] = { "localhost", "169.254.170.2", "169.254.170.23", "[::1]", "[fd00:ec2::23]" };
    unsigned char v4[4];
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(host, names[i]) == 0) {
            return 1;
        }
    }
    return inet_pton(AF_INET, host, v4) == 1 && v4[0] == 127;
}

/* As libcurl reads the URL, which makes the connection. */
static void goes_to_nobody_else(const char *url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;

    HOLDS(parsed);
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK) {
        HOLDS(curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
        HOLDS(curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK);
        HOLDS(curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
        HOLDS(strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_local(host)));
        curl_free(scheme);
        curl_free(host);
    }
    curl_url_cleanup(parsed);
}

/* The first part has the variable, and the token if there is one. */
static apr_status_t ask_container(ddb_credentials_t *out, apr_pool_t *p, ddb_error_t *err)
{
    char *settings = apr_pstrdup(p, take_part()), *uri = fuzz_line(&settings);
    apr_status_t rv;

    asked_at = NULL;
    setenv(*uri == '/' ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI", uri, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", settings, 1);
    rv = ddb_creds_container.fetch(&opts, NULL, p, out, err);
    unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (asked_at) {
        goes_to_nobody_else(asked_at);
    }
    return rv;
}

static apr_status_t ask_imds(ddb_credentials_t *out, apr_pool_t *p, ddb_error_t *err)
{
    return ddb_creds_imds.fetch(&opts, NULL, p, out, err);
}

/* No credentials, but of the same service. The first part has its settings, a line each; an empty one is not set. */
static apr_status_t ask_region(ddb_credentials_t *out, apr_pool_t *p, ddb_error_t *err)
{
    char *settings = apr_pstrdup(p, take_part());
    const char *endpoint = fuzz_line(&settings), *mode = fuzz_line(&settings), *timeout = fuzz_line(&settings);
    ddb_imds_opts_t imds = { .http = &http,
                             .clock = &fixed_clock,
                             .endpoint = *endpoint ? endpoint : NULL,
                             .mode = *mode ? mode : NULL,
                             .timeout = *timeout ? timeout : NULL,
                             .attempts = *settings ? settings : NULL };
    const char *region = NULL;
    apr_status_t rv = ddb_imds_region(&region, &imds, p, err);

    (void)out;
    HOLDS(rv != APR_SUCCESS
          || (fuzz_is_of(region, "abcdefghijklmnopqrstuvwxyz" FUZZ_DIGITS "-") && strlen(region) <= 63));
    return rv == APR_SUCCESS ? ddb_error_set(err, DDB_EREFUSED, "only the region was asked for") : rv;
}

static apr_status_t ask_sts(ddb_credentials_t *out, apr_pool_t *p, ddb_error_t *err)
{
    static const ddb_credentials_t source = { .access_key_id = "AKID", .secret_access_key = FUZZ_SECRET };
    ddb_sts_opts_t sts = { "https://sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com", "eu-west-1", &http,
                           &fixed_clock };
    ddb_sts_role_t role = { .arn = "arn:aws:iam::123456789012:role/r", .session_name = "name", .source = &source };

    return ddb_sts_assume(out, &role, &sts, p, err);
}

static apr_status_t ask_sts_with_token(ddb_credentials_t *out, apr_pool_t *p, ddb_error_t *err)
{
    ddb_sts_opts_t sts = { "https://sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com", "eu-west-1", &http,
                           &fixed_clock };
    ddb_sts_role_t role = { .arn = "arn:aws:iam::123456789012:role/r",
                            .session_name = "name",
                            .web_identity_token = FUZZ_SECRET };

    return ddb_sts_assume(out, &role, &sts, p, err);
}

/* A home directory with the profile and, by the digest of the session's name, the token. */
static char home[] = "/tmp/ddb_fuzz_XXXXXX";

static const char *const home_directories[] = { "", "/.aws", "/.aws/sso", "/.aws/sso/cache" };
static const char *const home_files[] = { "/.aws/config",
                                          "/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json" };

static void path_of(char *out, apr_size_t size, const char *file)
{
    snprintf(out, size, "%s%s", home, file);
}

static void remove_home(void)
{
    char path[200];
    int i;

    for (i = 1; i >= 0; i--) {
        path_of(path, sizeof(path), home_files[i]);
        unlink(path);
    }
    for (i = 3; i >= 0; i--) {
        path_of(path, sizeof(path), home_directories[i]);
        rmdir(path);
    }
}

static void write_file(const char *file, const char *text)
{
    char path[200];
    FILE *out;

    path_of(path, sizeof(path), file);
    out = fopen(path, "w");
    HOLDS(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

static void make_home(void)
{
    static int is_made;
    char path[200];
    int i;

    if (is_made) {
        return;
    }
    is_made = 1;
    HOLDS(mkdtemp(home) && atexit(remove_home) == 0);
    for (i = 1; i < 4; i++) {
        path_of(path, sizeof(path), home_directories[i]);
        HOLDS(mkdir(path, 0700) == 0);
    }
    write_file(home_files[0],
               "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n"
               "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n");
    setenv("HOME", home, 1);
}

static apr_status_t ask_sso(ddb_credentials_t *out, apr_pool_t *p, ddb_error_t *err)
{
    ddb_creds_opts_t o = opts;
    char path[200];

    make_home();
    path_of(path, sizeof(path), home_files[0]);
    o.profile.config_file = path;
    write_file(home_files[1], take_part());
    return ddb_creds_sso.fetch(&o, NULL, p, out, err);
}

static ask_fn *find_provider(const char *name)
{
    static const struct {
        const char *name;
        ask_fn *ask;
    } providers[] = {
        { "container", ask_container },
        { "imds", ask_imds },
        { "region", ask_region },
        { "sso", ask_sso },
        { "sts", ask_sts },
        { "sts-token", ask_sts_with_token },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
        if (strcmp(name, providers[i].name) == 0) {
            return providers[i].ask;
        }
    }
    return NULL;
}

/* --- what holds --- */

/* A service's own words may be repeated, and the name of a role: who puts a secret there has told it. What is a secret
 * in these documents begins with one. */
static void is_fit_for_the_log(const ddb_error_t *err, int has_words)
{
    HOLDS(memchr(err->detail, '\0', sizeof(err->detail)) && fuzz_is_loggable(err->detail));
    HOLDS(memchr(err->type, '\0', sizeof(err->type)) && fuzz_is_loggable(err->type));
    HOLDS(has_words || !strstr(err->detail, FUZZ_SECRET));
}

/* 1 when a reply may have it where it is no secret: in the service's own words, or not as a whole value. */
static int has_words(const char *text)
{
    const char *at = text;
    int words = strstr(text, "essage") || strstr(text, "ode");

    for (at = strstr(at, FUZZ_SECRET); at && !words; at = strstr(at + 1, FUZZ_SECRET)) {
        words = at == text || (at[-1] != '"' && at[-1] != '>');
    }
    return words;
}

static void ask(ask_fn *provider, char *text, apr_pool_t *p)
{
    int words = has_words(text);
    ddb_credentials_t found = { 0 };
    ddb_error_t err = { 0 };
    apr_status_t rv;

    script = text;
    rv = provider(&found, p, &err);
    is_fit_for_the_log(&err, words);
    if (rv == APR_SUCCESS) {
        HOLDS(found.access_key_id && *found.access_key_id && found.secret_access_key && *found.secret_access_key);
        HOLDS(found.session_token && *found.session_token);
        HOLDS(found.expires > 0 && ((provider != ask_imds && provider != ask_container) || found.expires > NOW));
    }
    else {
        HOLDS(err.detail[0]);
    }
}

/* A document as a program prints it: everything but the keys may be missing. What is there is not passed over: keys
 * that end must not become keys for ever. */
static void read_document(const char *text, apr_pool_t *p)
{
    static const ddb_creds_shape_t shape = {
        "a program", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId", 0, 0
    };
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

    if (ddb_clock_parse(&t, text)) {
        HOLDS(t > 0 && (ddb_time_parse_zoned(&again, text) != APR_SUCCESS || again == t));
    }
    t = -1;
    if (ddb_time_parse_zoned(&t, text) != APR_SUCCESS) {
        HOLDS(t == -1);
        return;
    }
    HOLDS(t > 0 && t < APR_INT64_C(253402387200) * APR_USEC_PER_SEC && t % APR_USEC_PER_SEC == 0);
    /* Without a fraction, and with the time zone in another way. */
    if (text[19] == 'Z') {
        char other[] = "0000-00-00T00:00:00+0000";
        memcpy(other, text, 19);
        HOLDS(ddb_time_parse_zoned(&again, other) == APR_SUCCESS && again == t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size);
    ask_fn *provider = find_provider(fuzz_line(&text));

    unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
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
