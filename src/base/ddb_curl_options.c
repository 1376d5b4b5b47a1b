/* What every libcurl handle is set to, whatever it is used for. */

#include <sys/socket.h>

#include "base/ddb_array.h"
#include "base/ddb_curl_int.h"

#define CONNECTION_IDLE_MAX_S  45  /* DynamoDB closes idle connections after some 60 s; libcurl's default is 118 s */
#define CONNECTION_LIFE_MAX_S  600 /* so that connections follow changes of the name's addresses */
#define CONNECTIONS_PER_HANDLE 2
#define KEEPALIVE_S            30
#define NAME_CACHE_S           30

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
    { CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_MAX_S },
#if LIBCURL_VERSION_NUM >= 0x075000
    { CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_MAX_S },
#endif
    { CURLOPT_MAXCONNECTS, CONNECTIONS_PER_HANDLE },
    { CURLOPT_TCP_NODELAY, 1 },
    { CURLOPT_TCP_KEEPALIVE, 1 },
    { CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S },
    { CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S },
    { CURLOPT_DNS_CACHE_TIMEOUT, NAME_CACHE_S },
#if LIBCURL_VERSION_NUM < 0x075500
    { CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS },
#endif
};

/* Credentials of this machine or container must not pass a proxy (which would get its own machine's). By
 * name, because libcurl before 7.86 knows no prefixes of addresses here. */
static const char direct[] = "localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254,"
                             "fd00:ec2::23"
#if LIBCURL_VERSION_NUM >= 0x075600
                             ",127.0.0.0/8,169.254.0.0/16,fe80::/10"
#endif
    ;

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

CURLcode ddb_curl_set_fixed(CURL *easy, const ddb_curl_opts_t *o)
{
    CURLcode codes[DDB_ARRAY_LENGTH(numbers) + 5] = { CURLE_OK };
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(numbers); i++) {
        codes[i] = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    }
    codes[i++] = curl_easy_setopt(easy, CURLOPT_PROXY, o->proxy ? o->proxy : ""); /* never one from the environment */
    /* Set in any case, else each exchange looks for it in the environment. */
    codes[i++] = curl_easy_setopt(easy, CURLOPT_NOPROXY, o->proxy ? direct : "*");
    codes[i++] = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
#if LIBCURL_VERSION_NUM >= 0x075500
    codes[i++] = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
    codes[i++] = ddb_curl_set_cas(easy, o);
    return ddb_curl_first_failure(codes, i);
}
