/* Connections that are made before the first request needs them: name lookup, TCP, TLS and the CAs' file are done. */

#include "base/ddb_array.h"
#include "base/ddb_curl_int.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type. */
static size_t pass_over(char *data, size_t size, size_t n, void *baton)
{
    (void)data;
    (void)baton;
    return size * n;
}

/* Between two looks at it libcurl lets up to a second pass. */
static int look(void *cancel, curl_off_t to_take, curl_off_t taken, curl_off_t to_send, curl_off_t sent)
{
    (void)to_take;
    (void)taken;
    (void)to_send;
    (void)sent;
    return ddb_cancel_is_set(cancel);
}

static CURLcode set_options(CURL *easy, const ddb_curl_warm_t *what, const ddb_curl_opts_t *o)
{
    const CURLcode codes[] = {
        ddb_curl_set_fixed(easy, o),
        curl_easy_setopt(easy, CURLOPT_URL, what->url),
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(what->timeout)),
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over),
        curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L), /* else look is not called */
        curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look),
        curl_easy_setopt(easy, CURLOPT_XFERINFODATA, what->cancel),
    };

    return ddb_curl_first_failure(codes, DDB_ARRAY_LENGTH(codes));
}

/* NULL when there is no connection to be had. */
static CURL *connect_to(const ddb_curl_warm_t *what, const ddb_curl_opts_t *o)
{
    CURL *easy = curl_easy_init();

    /* An option such as the CA file is a safeguard: if one cannot be set, nothing is sent. */
    if (easy && (set_options(easy, what, o) != CURLE_OK || curl_easy_perform(easy) != CURLE_OK)) {
        curl_easy_cleanup(easy);
        easy = NULL;
    }
    return easy;
}

int ddb_curl_warm(ddb_curl_t *c, const ddb_curl_warm_t *what)
{
    CURL *made[64];
    int max = DDB_ARRAY_LENGTH(made), n = what->n < max ? what->n : max, i, opened = 0;

    while (opened < n && (made[opened] = connect_to(what, ddb_curl_opts(c))) != NULL) {
        opened++;
    }
    /* Only now, else the next one would be given the one before. */
    for (i = 0; i < opened; i++) {
        ddb_curl_keep(c, made[i]);
    }
    return opened;
}
