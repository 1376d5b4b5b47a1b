/* The HTTP transport over libcurl: one exchange, and the handles that wait for the next with their connections. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include <curl/curl.h>

#include "base/ddb_array.h"
#include "base/ddb_crypto.h"
#include "base/ddb_curl.h"
#include "base/ddb_curl_int.h"

#define HEADERS_MAX_BYTES 65536

struct ddb_curl_t {
    apr_thread_mutex_t *mutex; /* guards idle and n_idle, and is never held over a call of libcurl */
    CURL **idle;               /* the last one put back is taken first: few connections, and those warm */
    int n_idle, max_idle;
    ddb_curl_opts_t o;
};

/** One exchange under way. It lives on the stack of the thread that performs it. */
typedef struct exchange_t {
    CURL *easy;
    ddb_cancel_t *cancel; /* NULL: nothing but its time ends it */
    int is_new;           /* the handle has no options yet */
    const ddb_http_request_t *req;
    ddb_http_response_t *res;
    apr_pool_t *pool;
    struct curl_slist *headers, **end; /* in pool */
    apr_size_t body_sent;
    curl_socket_t corked;  /* the connection that delays sending; CURL_SOCKET_BAD: no connection */
    apr_size_t body_space; /* bytes allocated for res->body */
    char *body;
    apr_size_t header_bytes; /* received, interim replies included */
    int headers_done;        /* the empty line behind them was seen */
    int too_large;
    int connected; /* the connection stood and the request was on its way */
    long status;
    CURLcode code; /* the first failure; CURLE_OK till then */
    char why[CURL_ERROR_SIZE];
} exchange_t;

/* libcurl adds these to a POST, and we send the caller's headers only. Expect would wait for up to a second. */
static const struct {
    const char *name, *removal;
} unwanted[] = {
    { "Expect", "Expect:" },
    { "Accept", "Accept:" },
    { "Content-Type", "Content-Type:" },
};

static void take_handle(ddb_curl_t *c, exchange_t *x)
{
    apr_thread_mutex_lock(c->mutex);
    if (c->n_idle > 0 && !x->cancel) {
        x->easy = c->idle[--c->n_idle];
    }
    apr_thread_mutex_unlock(c->mutex);
    if (!x->easy) {
        x->easy = curl_easy_init();
        x->is_new = 1;
    }
}

void ddb_curl_keep(ddb_curl_t *c, CURL *easy)
{
    apr_thread_mutex_lock(c->mutex);
    if (c->n_idle < c->max_idle) {
        c->idle[c->n_idle++] = easy;
        easy = NULL;
    }
    apr_thread_mutex_unlock(c->mutex);
    if (easy) {
        curl_easy_cleanup(easy);
    }
}

static size_t give_body(char *out, size_t size, size_t n, void *baton)
{
    exchange_t *x = baton;
    apr_size_t left = x->req->body_len - x->body_sent;
    apr_size_t len = left < size * n ? left : size * n;

    if (len > 0) {
        memcpy(out, x->req->body + x->body_sent, len);
    }
    x->body_sent += len;
    return len;
}

static void set_cork(curl_socket_t s, int on)
{
#if defined(TCP_CORK) && LIBCURL_VERSION_NUM < 0x080700
    setsockopt(s, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
#else
    (void)s;
    (void)on;
#endif
}

/*
 * libcurl before 8.7 sends head and body apart: two packets, for which the kernel works twice, here and at the server.
 * On a connection that stands already the head waits for the body; not on a new one, where TLS would wait as well.
 * Linux holds nothing back for more than 200 ms, whatever becomes of the exchange.
 */
static void hold_head(exchange_t *x)
{
    x->corked = CURL_SOCKET_BAD;
    if (!x->is_new && x->req->body_len > 0 && !x->req->fresh_connection
        && curl_easy_getinfo(x->easy, CURLINFO_ACTIVESOCKET, &x->corked) == CURLE_OK && x->corked != CURL_SOCKET_BAD) {
        set_cork(x->corked, 1);
    }
}

/* libcurl calls it after each step. Should it have closed the connection meanwhile, whoever has its number now loses
 * nothing by this. */
static int let_go(void *baton, curl_off_t to_take, curl_off_t taken, curl_off_t to_send, curl_off_t sent)
{
    exchange_t *x = baton;

    (void)to_take;
    (void)taken;
    (void)to_send;
    (void)sent;
    if (x && x->corked != CURL_SOCKET_BAD && x->body_sent == x->req->body_len) {
        set_cork(x->corked, 0);
        x->corked = CURL_SOCKET_BAD;
    }
    return 0;
}

/* Anything but the number of bytes taken makes libcurl end the exchange with CURLE_WRITE_ERROR. */
static size_t refuse_large(exchange_t *x, size_t len)
{
    x->too_large = 1;
    return len + 1;
}

static void grow_body(exchange_t *x, apr_size_t needed, apr_size_t announced)
{
    char *bigger;

    x->body_space = announced >= needed ? announced : needed * 2; /* doubling, for a reply in chunks */
    bigger = apr_palloc(x->pool, x->body_space + 1);              /* a NUL goes behind it */
    if (x->body) {
        memcpy(bigger, x->body, x->res->body_len);
        ddb_crypto_wipe(x->body, x->res->body_len); /* the code that wipes a reply knows only its last place */
    }
    x->body = bigger;
}

static size_t take_body(char *data, size_t size, size_t n, void *baton)
{
    exchange_t *x = baton;
    size_t len = size * n;
    curl_off_t announced = -1; /* stays so in chunks */

    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (len > x->req->max_response_bytes - x->res->body_len
        || (announced > 0 && (apr_uint64_t)announced > x->req->max_response_bytes)) {
        return refuse_large(x, len);
    }
    if (!x->body || x->body_space < x->res->body_len + len) {
        grow_body(x, x->res->body_len + len, announced > 0 ? (apr_size_t)announced : 0);
    }
    memcpy(x->body + x->res->body_len, data, len);
    x->res->body_len += len;
    x->body[x->res->body_len] = '\0';
    x->res->body = x->body;
    return len;
}

static size_t take_header(char *line, size_t size, size_t n, void *baton)
{
    exchange_t *x = baton;
    size_t len = size * n;
    const char *end = line + len, *colon, *value;

    x->header_bytes += len;
    if (x->header_bytes > HEADERS_MAX_BYTES) {
        return refuse_large(x, len);
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        apr_table_clear(x->res->headers); /* those before were of an interim reply (1xx) */
        x->headers_done = 0;
        return len;
    }
    x->headers_done |= *line == '\r' || *line == '\n';
    colon = memchr(line, ':', len);
    if (colon) {
        value = colon + 1;
        while (value < end && (*value == ' ' || *value == '\t')) {
            value++;
        }
        while (end > value && strchr(" \t\r\n", end[-1])) {
            end--;
        }
        apr_table_addn(x->res->headers, apr_pstrmemdup(x->pool, line, colon - line),
                       apr_pstrmemdup(x->pool, value, end - value));
    }
    return len;
}

/* libcurl only reads the list. curl_slist_append would copy each line once more and look for the end each time. */
static void add_line(exchange_t *x, const char *line)
{
    struct curl_slist *last = apr_palloc(x->pool, sizeof(*last));

    last->data = (char *)line;
    last->next = NULL;
    *x->end = last;
    x->end = &last->next;
}

/* For apr_table_do: 0 stops it. */
static int add_header(void *baton, const char *name, const char *value)
{
    exchange_t *x = baton;

    /* libcurl sends a line break as it is: it would start another header, or end the headers. */
    if (strpbrk(name, ":\r\n") || strpbrk(value, "\r\n")) {
        x->code = CURLE_BAD_FUNCTION_ARGUMENT;
        apr_snprintf(x->why, sizeof(x->why), "the request header %.40s contains a line break", name);
        return 0;
    }
    /* An empty one is spelled with a semicolon: "Name:" would take the header away. */
    add_line(x, apr_pstrcat(x->pool, name, *value ? ": " : ";", value, NULL));
    return 1;
}

static void set_headers(exchange_t *x)
{
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(unwanted); i++) {
        if (!x->req->headers || !apr_table_get(x->req->headers, unwanted[i].name)) {
            add_line(x, unwanted[i].removal);
        }
    }
    if (x->req->headers) {
        apr_table_do(add_header, x, x->req->headers, NULL);
    }
    if (x->code == CURLE_OK) {
        x->code = curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
    }
}

/*
 * When a reused connection dies before any answer, libcurl opens another and sends the request again, and the caller
 * never learns it: with POSTFIELDS, or a SEEKFUNCTION, a write would run twice. With READFUNCTION alone it can't rewind
 * the body and fails with CURLE_SEND_FAIL_REWIND. A connection found closed before anything was sent on it is still
 * replaced in silence.
 */
static CURLcode set_body(exchange_t *x)
{
    const CURLcode codes[] = {
        curl_easy_setopt(x->easy, CURLOPT_POST, 1L),
        curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, give_body),
        curl_easy_setopt(x->easy, CURLOPT_READDATA, x),
        curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->req->body_len),
    };

    return ddb_curl_first_failure(codes, DDB_ARRAY_LENGTH(codes));
}

/* At least 1: to libcurl 0 means no limit. */
static long milliseconds(apr_interval_time_t t)
{
    return t < 1000 ? 1 : (long)apr_time_as_msec(t);
}

/* All that differs between exchanges, each time: the last one's settings are still on the handle. */
static CURLcode set_request(exchange_t *x)
{
    const ddb_http_request_t *req = x->req;
    int is_get = strcmp(req->method, "GET") == 0, is_post = strcmp(req->method, "POST") == 0;
    apr_interval_time_t connect = req->connect_timeout < req->timeout ? req->connect_timeout : req->timeout;
    /* Without a body there is nothing to rewind, so only a connection of its own keeps such a request from being sent
     * twice. None is sent often. */
    long fresh = req->fresh_connection || req->body_len == 0;
    const CURLcode codes[] = {
        curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->why),
        curl_easy_setopt(x->easy, CURLOPT_NOPROGRESS, 0L), /* else let_go is not called */
        curl_easy_setopt(x->easy, CURLOPT_XFERINFOFUNCTION, let_go),
        curl_easy_setopt(x->easy, CURLOPT_XFERINFODATA, x),
        curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, take_header),
        curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x),
        curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take_body),
        curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x),
        curl_easy_setopt(x->easy, CURLOPT_URL, req->url),
        curl_easy_setopt(x->easy, CURLOPT_TIMEOUT_MS, milliseconds(req->timeout)),
        curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(connect)),
        curl_easy_setopt(x->easy, CURLOPT_FRESH_CONNECT, fresh),
        curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, is_get || is_post ? NULL : req->method),
        /* A PUT without a body goes as one of length 0. */
        is_get ? curl_easy_setopt(x->easy, CURLOPT_HTTPGET, 1L) : set_body(x),
    };

    return ddb_curl_first_failure(codes, DDB_ARRAY_LENGTH(codes));
}

static void run(exchange_t *x, const ddb_curl_opts_t *o)
{
    curl_off_t pretransfer = 0; /* microseconds */

    x->code = x->is_new ? ddb_curl_set_fixed(x->easy, o) : CURLE_OK;
    if (x->code == CURLE_OK) {
        x->code = set_request(x);
    }
    if (x->code == CURLE_OK) {
        set_headers(x);
    }
    if (x->code == CURLE_OK) {
        hold_head(x);
        x->code = x->cancel ? ddb_curl_watch(x->easy, x->cancel) : curl_easy_perform(x->easy);
        curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
        curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
        x->connected = pretransfer > 0;
    }
    /* libcurl calls it a success when the connection closes amid the headers, or behind an interim reply. */
    if (x->code == CURLE_OK && (!x->headers_done || x->status < 200)) {
        x->code = CURLE_PARTIAL_FILE;
    }
}

static apr_status_t settle_failure(const exchange_t *x, ddb_error_t *err)
{
    ddb_curl_failed_t failed = { .code = x->code, .connected = x->connected, .why = x->why };
    apr_status_t rv;

    curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &failed.os_errno);
    rv = ddb_curl_failure(&failed, err);

    if (ddb_cancel_is_set(x->cancel)) {
        return ddb_error_set(err, APR_EINTR, "cancelled");
    }
    return !x->too_large ? rv
                         : ddb_error_set(err, DDB_ETOOLARGE,
                                         "the reply's body exceeds %" APR_SIZE_T_FMT " bytes or its headers exceed %d",
                                         x->req->max_response_bytes, HEADERS_MAX_BYTES);
}

/* The handle must not point to memory of the finished exchange, and the exchange must have succeeded. @return 0 when
 * the handle could not be reset. */
static int detach(const exchange_t *x, const ddb_curl_opts_t *o)
{
    static const CURLoption pointers[] = { CURLOPT_ERRORBUFFER, CURLOPT_HEADERDATA, CURLOPT_WRITEDATA,
                                           CURLOPT_READDATA,    CURLOPT_HTTPHEADER, CURLOPT_XFERINFODATA };
    CURLcode codes[DDB_ARRAY_LENGTH(pointers)];
    long connects = 1;
    apr_size_t i;

    curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (connects) {
        /* Without a reset libcurl counts replaced connections over the handle's life, and fails after some. */
        curl_easy_reset(x->easy);
        return ddb_curl_set_fixed(x->easy, o) == CURLE_OK;
    }
    for (i = 0; i < DDB_ARRAY_LENGTH(pointers); i++) {
        codes[i] = curl_easy_setopt(x->easy, pointers[i], NULL);
    }
    return ddb_curl_first_failure(codes, i) == CURLE_OK;
}

/*
 * After a failure a handle is not kept, whatever the code. What libcurl leaves behind differs by version: 8.7 to 8.15
 * remember over curl_easy_reset that a body was to be sent again, so that the next exchange would fail unsent. A new
 * handle costs a name lookup and the CAs once more, and the connection is gone in any case.
 */
static void release_handle(ddb_curl_t *c, const exchange_t *x)
{
    if (x->code == CURLE_OK && !x->cancel && detach(x, &c->o)) {
        ddb_curl_keep(c, x->easy);
    }
    else {
        curl_easy_cleanup(x->easy);
    }
}

apr_status_t ddb_curl_exchange(ddb_curl_t *c, ddb_cancel_t *cancel, const ddb_http_request_t *req, apr_pool_t *p,
                               ddb_http_response_t *res, ddb_error_t *err)
{
    exchange_t x = { .cancel = cancel, .req = req, .res = res, .pool = p };
    apr_status_t rv;

    x.end = &x.headers;
    take_handle(c, &x);
    if (!x.easy) {
        return ddb_error_set(err, DDB_EUNAVAILABLE, "libcurl is out of memory for a handle");
    }
    res->headers = apr_table_make(p, 8);
    res->body = "";
    res->body_len = 0;
    run(&x, &c->o);
    rv = x.code == CURLE_OK ? APR_SUCCESS : settle_failure(&x, err);
    res->status = (int)x.status;
    release_handle(c, &x);
    return rv;
}

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    return ddb_curl_exchange(baton, NULL, req, p, res, err);
}

const ddb_curl_opts_t *ddb_curl_opts(const ddb_curl_t *c)
{
    return &c->o;
}

apr_status_t ddb_curl_create(ddb_curl_t **pc, ddb_http_transport_t *t, const ddb_curl_opts_t *o, apr_pool_t *p)
{
    ddb_curl_t *c = apr_pcalloc(p, sizeof(*c));
    apr_status_t rv;

    c->max_idle = o->max_idle_handles > 0 ? o->max_idle_handles : 0;
    c->idle = apr_pcalloc(p, (c->max_idle + 1) * sizeof(*c->idle));
    c->o.ca_file = apr_pstrdup(p, o->ca_file);
    c->o.proxy = apr_pstrdup(p, o->proxy);
    /* The one thing that is registered with p: it frees the mutex and touches no handle. */
    rv = apr_thread_mutex_create(&c->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? APR_SUCCESS : APR_EINIT;
    }
    c->o.separate_cas = o->separate_cas;
    if (rv == APR_SUCCESS) {
        rv = ddb_curl_share_cas(&c->o, p);
    }
    t->perform = perform;
    t->baton = c;
    *pc = rv == APR_SUCCESS ? c : NULL;
    return rv;
}

void ddb_curl_destroy(ddb_curl_t *c)
{
    while (c->n_idle > 0) {
        curl_easy_cleanup(c->idle[--c->n_idle]);
    }
    ddb_tls_destroy(c->o.tls);
    /* libcurl counts: one for each curl_global_init, so that other modules' use of it goes on. */
    curl_global_cleanup();
}
