/* What every libcurl handle is set to, whatever it is used for. */

#include <string.h>
#include <sys/socket.h>

#include "base/ddb_array.h"
#include "base/ddb_curl_int.h"

#define KEEPALIVE_S 30

/* The same for every exchange: set once per handle. */
static const struct {
    CURLoption option;
    long value;
} numbers[] = {
    /* Signals belong to httpd, and with them libcurl's timeouts are not safe in threads. */
    { CURLOPT_NOSIGNAL, 1 },
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Without it a timeout waits for a name lookup that hangs, however long that takes. */
    { CURLOPT_QUICK_EXIT, 1 },
#endif
    { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
    { CURLOPT_FOLLOWLOCATION, 0 },
    { CURLOPT_NETRC, CURL_NETRC_IGNORED },
    { CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 }, /* a proxy's answer is not the service's */
    { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
    { CURLOPT_SSL_VERIFYPEER, 1 },
    { CURLOPT_SSL_VERIFYHOST, 2 },
    { CURLOPT_TCP_NODELAY, 1 },
    { CURLOPT_TCP_KEEPALIVE, 1 },
    { CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S },
    { CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S },
#if LIBCURL_VERSION_NUM < 0x075500
    { CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS },
#endif
};

/* Where the host of a URL begins; *len: its length. */
static const char *find_host(const char *url, apr_size_t *len)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    if (*host == '[') {
        host++;
        *len = strcspn(host, "]");
    }
    else {
        *len = strcspn(host, ":/?#");
    }
    return host;
}

/*
 * Credentials of this machine or container must not pass a proxy (which would get its own machine's). Not left to
 * libcurl's list of hosts, which knows prefixes of addresses from 7.86 on only.
 */
int ddb_curl_is_direct(const char *url)
{
    static const char *const hosts[] = { "localhost", "::1", "fd00:ec2::254", "fd00:ec2::23" };
    apr_size_t len, i;
    const char *host = find_host(url, &len);
    int direct = strncasecmp(host, "fe80:", 5) == 0;

    for (i = 0; i < DDB_ARRAY_LENGTH(hosts); i++) {
        direct |= strlen(hosts[i]) == len && strncasecmp(host, hosts[i], len) == 0;
    }
    /* An address, not a name that begins like one. */
    if (strspn(host, "0123456789.") == len) {
        direct |= strncmp(host, "127.", 4) == 0 || strncmp(host, "169.254.", 8) == 0;
    }
    return direct;
}

/* Close-on-exec from birth: libcurl sets it only from 8.19 on, and a CGI program that another thread starts between
 * socket() and fcntl() would inherit a connection to the table. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)baton;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode ddb_curl_first_failure(const CURLcode *codes, apr_size_t n)
{
    apr_size_t i;

    for (i = 0; i < n; i++) {
        if (codes[i] != CURLE_OK) {
            return codes[i];
        }
    }
    return CURLE_OK;
}

long ddb_curl_milliseconds(apr_interval_time_t t)
{
    return t < 1000 ? 1 : (long)apr_time_as_msec(t);
}

CURLcode ddb_curl_set_fixed(CURL *easy, const ddb_curl_opts_t *o, const char *url)
{
    int is_proxied = o->proxy && !ddb_curl_is_direct(url);
    CURLcode codes[DDB_ARRAY_LENGTH(numbers) + 6] = { CURLE_OK };
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(numbers); i++) {
        codes[i] = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    }
    codes[i++] = curl_easy_setopt(easy, CURLOPT_URL, url);
    codes[i++] = curl_easy_setopt(easy, CURLOPT_PROXY, is_proxied ? o->proxy : ""); /* never one from the environment */
    /* Set in any case, else each exchange looks for it in the environment. */
    codes[i++] = curl_easy_setopt(easy, CURLOPT_NOPROXY, is_proxied ? "" : "*");
    codes[i++] = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
#if LIBCURL_VERSION_NUM >= 0x075500
    codes[i++] = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
    codes[i++] = ddb_curl_set_cas(easy, o);
    return ddb_curl_first_failure(codes, i);
}
