/* Region and endpoint URL, as directives or the environment have them: a line each. What comes out has to leave no
 * doubt that libcurl, which connects, and the signature mean the same host. */

#include <curl/curl.h>

#include "ddb_endpoint.h"
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

static apr_status_t resolve(ddb_endpoint_t *e, const char *region, const char *url, apr_pool_t *p)
{
    ddb_endpoint_opts_t o = { .url = url, .region = region, .profile = { NULL, "/dev/null", "/dev/null" } };
    ddb_error_t err = { 0 };
    apr_status_t rv = ddb_endpoint_resolve(e, &o, p, &err);

    HOLDS(rv == APR_SUCCESS || rv == DDB_ECONFIG);
    HOLDS(rv == APR_SUCCESS || (err.detail[0] && !strstr(err.detail, FUZZ_SECRET)));
    return rv;
}

static void by_url(const char *region, const char *url, int good, apr_pool_t *p)
{
    ddb_endpoint_t e, again;

    HOLDS((resolve(&e, region, url, p) == APR_SUCCESS) == good);
    if (good) {
        is_endpoint(&e, p);
        HOLDS(strcmp(e.region, region) == 0);
        /* What came out goes in and comes out the same. */
        HOLDS(!ddb_endpoint_check_url(e.url, p) && resolve(&again, e.region, e.url, p) == APR_SUCCESS);
        HOLDS(strcmp(again.url, e.url) == 0 && strcmp(again.host, e.host) == 0);
    }
}

static void by_region(const char *region, int good, apr_pool_t *p)
{
    ddb_endpoint_t e;

    HOLDS((resolve(&e, region, NULL, p) == APR_SUCCESS) == good);
    if (good && strcmp(region, "local") != 0) {
        is_endpoint(&e, p);
        HOLDS(strncmp(e.url, "https://dynamodb.", 17) == 0);
        HOLDS(strncmp(e.host + 9, region, strlen(region)) == 0 && e.host[9 + strlen(region)] == '.');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size);
    const char *region = fuzz_line(&text), *url = fuzz_line(&text);
    /* A region is repeated for the administrator; nobody keeps a secret in it. */
    const char *wrong_region = ddb_endpoint_check_region(region, p), *wrong_url = ddb_endpoint_check_url(url, p);

    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_ENDPOINT_URL_DYNAMODB");
    unsetenv("AWS_USE_FIPS_ENDPOINT");
    if (wrong_url) {
        is_sentence(wrong_url);
    }
    if (!strstr(region, FUZZ_SECRET)) {
        by_region(region, !wrong_region, p);
        by_url(wrong_region ? "eu-central-1" : region, url, !wrong_url, p);
    }
    return fuzz_end();
}
