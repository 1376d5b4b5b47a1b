/* Connections: libcurl makes and checks them (names, proxy, TCP, TLS: CURLOPT_CONNECT_ONLY), bytes go over them as
 * ddb_exchange wants. Without TLS libcurl is not asked any more once a connection stands. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/ddb_array.h"
#include "base/ddb_clock.h"
#include "base/ddb_curl_int.h"

#define WAIT_STEP_MS 10 /* a timeout is set anew when it changes by this */

enum { RECEIVING, SENDING };

/* The timeout of the socket, as far as the exchange has time left. */
static apr_status_t set_wait(ddb_curl_connection_t *c, int direction)
{
    apr_interval_time_t left = c->end - ddb_clock_monotonic(&ddb_clock_system);
    long wait = (long)((apr_time_as_msec(left) / WAIT_STEP_MS + 1) * WAIT_STEP_MS);
    struct timeval t = { .tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000 };

    if (left <= 0) {
        return APR_TIMEUP;
    }
    if (wait != c->waits[direction]) {
        if (setsockopt(c->socket, SOL_SOCKET, direction == SENDING ? SO_SNDTIMEO : SO_RCVTIMEO, &t, sizeof(t)) != 0) {
            return APR_FROM_OS_ERROR(errno);
        }
        c->waits[direction] = wait;
    }
    return APR_SUCCESS;
}

/* Over TLS the socket does not block: OpenSSL reads a record in a loop, and each byte that trickles in would begin the
 * timeout of a blocking socket anew. */
static apr_status_t await(const ddb_curl_connection_t *c, int direction)
{
    struct pollfd ready = { .fd = c->socket, .events = direction == SENDING ? POLLOUT : POLLIN };
    apr_interval_time_t left = c->end - ddb_clock_monotonic(&ddb_clock_system);

    if (left <= 0) {
        return APR_TIMEUP;
    }
    return poll(&ready, 1, (int)ddb_curl_milliseconds(left) + 1) >= 0 || errno == EINTR ? APR_SUCCESS
                                                                                        : APR_FROM_OS_ERROR(errno);
}

/* Before a system call. tried: 1: one has just found nothing to do. */
static apr_status_t prepare(ddb_curl_connection_t *c, int direction, int tried)
{
    if (!c->is_tls) {
        return set_wait(c, direction);
    }
    return tried ? await(c, direction) : APR_SUCCESS;
}

/* libcurl's code in errno's words: EAGAIN where another call may do it. */
static int errno_of(CURLcode code)
{
    return code == CURLE_AGAIN ? EAGAIN : EIO;
}

static ssize_t send_once(const ddb_curl_connection_t *c, const char *data, size_t len)
{
    size_t n = 0;
    CURLcode code;

    if (!c->is_tls) {
        return send(c->socket, data, len, MSG_NOSIGNAL);
    }
    code = curl_easy_send(c->easy, data, len, &n);
    errno = errno_of(code);
    return code == CURLE_OK ? (ssize_t)n : -1;
}

static ssize_t receive_once(const ddb_curl_connection_t *c, char *buffer, size_t len)
{
    size_t n = 0;
    CURLcode code;

    if (!c->is_tls) {
        return recv(c->socket, buffer, len, 0);
    }
    code = curl_easy_recv(c->easy, buffer, len, &n);
    errno = errno_of(code);
    return code == CURLE_OK ? (ssize_t)n : -1;
}

/* After a timeout of the socket, which is a little longer than the time left, set_wait ends it. */
static int may_go_on(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static apr_status_t send_some(void *baton, const char *data, apr_size_t *len)
{
    ddb_curl_connection_t *c = baton;
    ssize_t n = -1;
    int tried = 0;
    apr_status_t rv;

    c->has_sent = 1;
    do {
        rv = prepare(c, SENDING, tried);
        tried = 1;
        n = rv == APR_SUCCESS ? send_once(c, data, *len) : -1;
    } while (rv == APR_SUCCESS && n < 0 && may_go_on());
    if (rv == APR_SUCCESS && n < 0) {
        rv = APR_FROM_OS_ERROR(errno);
    }
    *len = n > 0 ? (apr_size_t)n : 0;
    return rv;
}

static apr_status_t receive_some(void *baton, char *buffer, apr_size_t *len)
{
    ddb_curl_connection_t *c = baton;
    ssize_t n = -1;
    int tried = c->has_sent; /* the reply is not there yet: a try would find nothing */
    apr_status_t rv;

    c->has_sent = 0;
    do {
        rv = prepare(c, RECEIVING, tried);
        tried = 1;
        n = rv == APR_SUCCESS ? receive_once(c, buffer, *len) : -1;
    } while (rv == APR_SUCCESS && n < 0 && may_go_on());
    if (rv == APR_SUCCESS && n <= 0) {
        rv = n < 0 ? APR_FROM_OS_ERROR(errno) : APR_EOF;
    }
    *len = n > 0 ? (apr_size_t)n : 0;
    return rv;
}

static int set_blocking(curl_socket_t s)
{
    int flags = fcntl(s, F_GETFL);

    return flags >= 0 && fcntl(s, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

static int is_silent(const ddb_curl_connection_t *c)
{
    char byte;
    ssize_t seen = recv(c->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* libcurl tells it after the first exchange; 1 also where it does not. */
static int may_have_unread(ddb_curl_connection_t *c)
{
    struct curl_tlssessioninfo *tls = NULL;

    if (c->is_openssl && !c->ssl && curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK && tls
        && tls->backend == CURLSSLBACKEND_OPENSSL) {
        c->ssl = tls->internals;
    }
    return !c->ssl || ddb_tls_has_unread(c->ssl);
}

/* Over TLS readable bytes may be session tickets, which come behind the first reply, or the end; and some may have been
 * read already. libcurl knows, at the cost of a receive: mostly there are none, and that is seen for less. */
int ddb_curl_connection_is_idle(ddb_curl_connection_t *c)
{
    char byte;
    size_t n = 0;

    if (c->is_tls && (may_have_unread(c) || !is_silent(c))) {
        return curl_easy_recv(c->easy, &byte, 1, &n) == CURLE_AGAIN;
    }
    return c->is_tls || is_silent(c);
}

void ddb_curl_connection_close(ddb_curl_connection_t *c)
{
    curl_easy_cleanup(c->easy);
    free(c->origin);
    free(c);
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

static CURLcode connect_easy(ddb_curl_connection_t *c, const ddb_curl_opts_t *o, const ddb_curl_target_t *target,
                             char *why)
{
    const CURLcode codes[] = {
        ddb_curl_set_fixed(c->easy, o, target->url),
        ddb_curl_read_ahead(c->easy, o),
        curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, why),
        curl_easy_setopt(c->easy, CURLOPT_CONNECT_ONLY, 1L),
        curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, ddb_curl_milliseconds(target->timeout)),
        curl_easy_setopt(c->easy, CURLOPT_NOPROGRESS, target->cancel ? 0L : 1L), /* else look is not called */
        curl_easy_setopt(c->easy, CURLOPT_XFERINFOFUNCTION, look),
        curl_easy_setopt(c->easy, CURLOPT_XFERINFODATA, target->cancel),
    };
    CURLcode code = ddb_curl_first_failure(codes, DDB_ARRAY_LENGTH(codes));

    if (code == CURLE_OK) {
        code = curl_easy_perform(c->easy);
    }
    if (code == CURLE_OK) {
        code = curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &c->socket);
    }
    if (code == CURLE_OK && (c->socket == CURL_SOCKET_BAD || (!c->is_tls && !set_blocking(c->socket)))) {
        code = CURLE_COULDNT_CONNECT;
    }
    curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(c->easy, CURLOPT_NOPROGRESS, 1L);
    return code;
}

static int is_https(const char *url)
{
    return url && strncasecmp(url, "https:", 6) == 0;
}

apr_size_t ddb_curl_origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (apr_size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : strlen(url);
}

static ddb_curl_connection_t *make(const ddb_curl_opts_t *o, const ddb_curl_target_t *target)
{
    ddb_curl_connection_t *c = calloc(1, sizeof(*c));

    if (!c) {
        return NULL;
    }
    c->easy = curl_easy_init();
    c->origin = strndup(target->url, ddb_curl_origin_length(target->url));
    if (!c->easy || !c->origin) {
        ddb_curl_connection_close(c);
        return NULL;
    }
    /* A proxy of https:// that passes plain HTTP on is TLS, too. */
    c->is_tls = is_https(target->url) || (is_https(o->proxy) && !ddb_curl_is_direct(target->url));
    c->is_openssl = c->is_tls && o->tls;
    c->stream = (ddb_exchange_stream_t){ .send = send_some, .receive = receive_some, .baton = c };
    return c;
}

apr_status_t ddb_curl_connect(ddb_curl_connection_t **connection, const ddb_curl_opts_t *o,
                              const ddb_curl_target_t *target, ddb_error_t *err)
{
    ddb_curl_connection_t *c = make(o, target);
    char why[CURL_ERROR_SIZE] = "";
    ddb_curl_failed_t failed = { .why = why };
    int unsettled = err ? err->unsettled : 0;
    apr_status_t rv;

    *connection = c;
    if (!c) {
        return ddb_error_set(err, DDB_EUNAVAILABLE, "out of memory for a connection");
    }
    failed.code = connect_easy(c, o, target, why);
    if (failed.code == CURLE_OK) {
        c->born = ddb_clock_monotonic(&ddb_clock_system);
        return APR_SUCCESS;
    }
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &failed.os_errno);
    ddb_curl_explain_tls(o, failed.code, why);
    ddb_curl_connection_close(c);
    *connection = NULL;
    rv = ddb_curl_failure(&failed, err);
    if (err) {
        err->unsettled = unsettled; /* whatever the code says: no request was sent */
        err->cause = err->cause == DDB_CAUSE_TLS ? DDB_CAUSE_TLS : DDB_CAUSE_CONNECT;
    }
    return rv;
}
