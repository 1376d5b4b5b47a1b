/* Region, endpoint URL, table or its ARN, and account, as directives, the environment or providers have them: a line
 * each. Further lines NAME=VALUE set variables, and then nothing else is asked. What comes out has to leave no doubt
 * that libcurl, which connects, and the signature mean the same host. */

#include <curl/curl.h>

#include "aws/ddb_endpoint.h"
#include "aws/ddb_partition.h"
#include "fuzz.h"

static void is_sentence(const char *wrong)
{
    HOLDS(*wrong && !strstr(wrong, FUZZ_SECRET) && memchr(wrong, '\0', 400));
}

static const char *part_of(CURLU *url, CURLUPart which, apr_pool_t *p)
{
    char *part = NULL;
    const char *copy;

    if (curl_url_get(url, which, &part, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        return NULL;
    }
    copy = apr_pstrdup(p, part);
    curl_free(part);
    return copy;
}

/* What libcurl takes the URL for: the host that is signed, and no way to smuggle in anything else. */
static void is_same_to_curl(const ddb_endpoint_t *e, apr_pool_t *p)
{
    CURLU *url = curl_url();
    const char *host, *port, *tls = strncmp(e->url, "https", 5) == 0 ? "443" : "80";

    HOLDS(url && curl_url_set(url, CURLUPART_URL, apr_pstrcat(p, e->url, "/", NULL), 0) == CURLUE_OK);
    host = part_of(url, CURLUPART_HOST, p);
    port = part_of(url, CURLUPART_PORT, p);
    HOLDS(strcmp(part_of(url, CURLUPART_PATH, p), "/") == 0);
    HOLDS(!part_of(url, CURLUPART_USER, p) && !part_of(url, CURLUPART_PASSWORD, p));
    HOLDS(!part_of(url, CURLUPART_QUERY, p) && !part_of(url, CURLUPART_FRAGMENT, p));
    if (strcmp(port, tls) != 0) {
        host = apr_pstrcat(p, host, ":", port, NULL);
    }
    HOLDS(*e->host == '[' || strcmp(host, e->host) == 0); /* libcurl writes IPv6 addresses in its own way */
    curl_url_cleanup(url);
}

static void is_endpoint(const ddb_endpoint_t *e, apr_pool_t *p)
{
    const char *start = strstr(e->url, "://");

    HOLDS(start && strcmp(start + 3, e->host) == 0);
    HOLDS(strncmp(e->url, "https://", 8) == 0 || strncmp(e->url, "http://", 7) == 0);
    HOLDS(fuzz_is_of(e->host, "abcdefghijklmnopqrstuvwxyz" FUZZ_DIGITS "-._:[]"));
    HOLDS(fuzz_is_of(e->region, "abcdefghijklmnopqrstuvwxyz" FUZZ_DIGITS "-") && strlen(e->region) <= 63);
    is_same_to_curl(e, p);
}

typedef struct settings_t {
    const char *region, *url, *table;
} settings_t;

static apr_status_t resolve(ddb_endpoint_t *e, settings_t s, apr_pool_t *p)
{
    ddb_endpoint_opts_t o = {
        .url = s.url, .region = s.region, .table = s.table, .profile = { NULL, "/dev/null", "/dev/null" }
    };
    ddb_error_t err = { 0 };
    apr_status_t rv = ddb_endpoint_resolve(e, &o, p, &err);

    HOLDS(rv == APR_SUCCESS || rv == DDB_ECONFIG);
    HOLDS(rv == APR_SUCCESS || (err.detail[0] && !strstr(err.detail, FUZZ_SECRET)));
    return rv;
}

/* A host and a port, nothing that would have to be dropped. */
static int is_bare(const char *url)
{
    const char *rest = strstr(url, "://");
    apr_size_t len = rest ? strcspn(rest + 3, "/@?#\\") : 0;

    return len && (!rest[3 + len] || strcmp(rest + 3 + len, "/") == 0);
}

static void by_url(const char *region, const char *url, int good, apr_pool_t *p)
{
    ddb_endpoint_t e, again;

    HOLDS((resolve(&e, (settings_t){ region, url, NULL }, p) == APR_SUCCESS) == good);
    if (good) {
        is_endpoint(&e, p);
        HOLDS(strcmp(e.region, region) == 0 && is_bare(url));
        /* What came out goes in and comes out the same. */
        HOLDS(!ddb_endpoint_check_url(e.url, p));
        HOLDS(resolve(&again, (settings_t){ e.region, e.url, NULL }, p) == APR_SUCCESS);
        HOLDS(strcmp(again.url, e.url) == 0 && strcmp(again.host, e.host) == 0);
    }
}

static void of_account(const ddb_endpoint_t *e, const char *account, apr_pool_t *p)
{
    ddb_endpoint_t required = *e, own;
    ddb_error_t err = { 0 };

    required.account_mode = DDB_ACCOUNT_REQUIRED;
    if (ddb_endpoint_of_account(&own, &required, account, p, &err) != APR_SUCCESS) {
        HOLDS(err.detail[0] && !strstr(err.detail, FUZZ_SECRET));
    }
    else if (strlen(account) <= 12) {
        is_endpoint(&own, p);
        HOLDS(!e->suffix
              || (fuzz_is_of(apr_pstrmemdup(p, own.host, strcspn(own.host, ".")), FUZZ_DIGITS)
                  && strstr(own.host, apr_pstrcat(p, ".ddb.", e->region, ".", NULL))));
    }
}

static int has_end(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

/* good: the region may stand in a directive. One of the environment is judged nowhere else, to the same end. */
static void by_region(const char *region, int good, const char *account, apr_pool_t *p)
{
    ddb_endpoint_t e;
    apr_status_t rv = resolve(&e, (settings_t){ region, NULL, NULL }, p);

    HOLDS((rv == APR_SUCCESS) == good);
    if (good && strcmp(region, "local") != 0) {
        is_endpoint(&e, p);
        HOLDS(strncmp(e.url, "https://dynamodb", 16) == 0 && strstr(region, e.region));
        HOLDS(strstr(e.host, apr_pstrcat(p, ".", e.region, ".", NULL)));
        HOLDS(strncmp(e.region, "fips-", 5) != 0 && !has_end(e.region, "-fips") && strncmp(e.host, "dynamodb", 8) == 0);
        of_account(&e, account, p);
    }
}

static void by_table(const char *table, apr_pool_t *p)
{
    ddb_table_arn_t arn;
    ddb_endpoint_t e;
    const char *wrong = ddb_partition_is_arn(table) ? ddb_partition_parse_arn(&arn, table, p)
                                                    : ddb_partition_check_table(table, p);
    const char *name = ddb_partition_is_arn(table) ? arn.name : table;

    if (wrong) {
        HOLDS(*wrong);
        return;
    }
    HOLDS(fuzz_is_of(name, FUZZ_LETTERS FUZZ_DIGITS "_.-") && strlen(name) >= 3 && strlen(name) <= 255);
    if (ddb_partition_is_arn(table) && resolve(&e, (settings_t){ NULL, NULL, table }, p) == APR_SUCCESS) {
        is_endpoint(&e, p);
        HOLDS(fuzz_is_of(e.account_id, FUZZ_DIGITS) && strlen(e.account_id) == 12);
        HOLDS(strstr(table, e.account_id) && strstr(table, e.region));
    }
}

static const char *const variables[] = { "AWS_REGION",
                                         "AWS_DEFAULT_REGION",
                                         "AWS_ENDPOINT_URL",
                                         "AWS_ENDPOINT_URL_DYNAMODB",
                                         "AWS_USE_FIPS_ENDPOINT",
                                         "AWS_USE_DUALSTACK_ENDPOINT",
                                         "AWS_ACCOUNT_ID_ENDPOINT_MODE",
                                         "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                         "AWS_PROFILE",
                                         "AWS_DEFAULT_PROFILE" };

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

static void clean_environment(void)
{
    apr_size_t i;

    for (i = 0; i < VARIABLES; i++) {
        unsetenv(variables[i]);
    }
}

/* All but the profiles, which there are none of. */
static void set_variable(char *line)
{
    char *equals = strchr(line, '=');
    apr_size_t i;

    if (equals) {
        *equals = '\0';
        for (i = 0; i < VARIABLES - 2; i++) {
            if (strcmp(line, variables[i]) == 0) {
                setenv(line, equals + 1, 1);
            }
        }
    }
}

static int is_true(const char *variable)
{
    return getenv(variable) && strcasecmp(getenv(variable), "true") == 0;
}

static void by_environment(char *text, const char *table, const char *account, apr_pool_t *p)
{
    ddb_endpoint_t e;

    while (*text) {
        set_variable(fuzz_line(&text));
    }
    if (resolve(&e, (settings_t){ NULL, NULL, table }, p) == APR_SUCCESS) {
        int fips = is_true("AWS_USE_FIPS_ENDPOINT");

        is_endpoint(&e, p);
        /* Who asks for FIPS gets it: us-gov's ordinary hosts have it. */
        HOLDS(!fips || strstr(e.host, "-fips.") || strstr(e.region, "us-gov"));
        HOLDS(!is_true("AWS_USE_DUALSTACK_ENDPOINT") || strstr(e.host, ".api."));
        of_account(&e, account, p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size);
    const char *region = fuzz_line(&text), *url = fuzz_line(&text), *table = fuzz_line(&text);
    const char *account = fuzz_line(&text);
    const char *wrong_region = ddb_partition_check_region(region, p), *wrong_url = ddb_endpoint_check_url(url, p);
    int plain = !wrong_region && !strstr(region, "fips"); /* an URL and FIPS exclude each other */

    clean_environment();
    if (wrong_url) {
        is_sentence(wrong_url);
    }
    /* A region is repeated for the administrator; nobody keeps a secret in it. */
    if (!strstr(region, FUZZ_SECRET)) {
        by_region(region, !wrong_region, account, p);
        by_url(plain ? region : "eu-central-1", url, !wrong_url, p);
    }
    if (!strstr(table, FUZZ_SECRET) && !strstr(text, FUZZ_SECRET)) {
        by_table(table, p);
        by_environment(text, table, account, p);
    }
    return fuzz_end();
}
