/* Connections that are made before the first request needs them: name lookup, TCP, TLS and the CAs' file are done. */

#include "ddb_curl_int.h"

static size_t pass_over(char *data, size_t size, size_t n, void *baton)
{
    (void)data;
    (void)baton;
    return size * n;
}

/* NULL when there is no connection to be had. */
static CURL *connect_to(const char *url, apr_interval_time_t timeout, const ddb_curl_opts_t *o)
{
    CURL *easy = curl_easy_init();
    CURLcode codes[5] = { CURLE_OUT_OF_MEMORY };

    if (easy) {
        codes[0] = ddb_curl_set_fixed(easy, o);
        codes[1] = curl_easy_setopt(easy, CURLOPT_URL, url);
        codes[2] = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(timeout));
        codes[3] = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over);
        codes[4] = curl_easy_perform(easy);
    }
    if (ddb_curl_first_failure(codes, sizeof(codes) / sizeof(codes[0])) != CURLE_OK) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

int ddb_curl_warm(ddb_curl_t *c, const char *url, int n, apr_interval_time_t timeout)
{
    CURL *made[64];
    int max = sizeof(made) / sizeof(made[0]), i, opened = 0;

    n = n < max ? n : max;
    while (opened < n && (made[opened] = connect_to(url, timeout, ddb_curl_opts(c))) != NULL) {
        opened++;
    }
    /* Only now, else the next one would be given the one before. */
    for (i = 0; i < opened; i++) {
        ddb_curl_keep(c, made[i]);
    }
    return opened;
}
