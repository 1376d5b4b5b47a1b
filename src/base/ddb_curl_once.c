/* Exchanges that are rare, such as those for credentials: libcurl does them whole, each on a connection of its own. So
 * none is ever sent twice: libcurl repeats a request, unasked, when a reused connection dies before any answer. */

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "base/ddb_crypto.h"
#include "base/ddb_curl_int.h"

#define HEADERS_MAX_BYTES 65536

/** One exchange under way. It lives on the stack of the thread that performs it. */
typedef struct exchange_t {
    CURL *easy;
    const ddb_http_request_t *req;
    ddb_http_response_t *res;
    apr_pool_t *pool;
    struct curl_slist *headers, **end; /* in pool */
    apr_size_t body_sent;
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

static CURLcode set_request(exchange_t *x)
{
    const ddb_http_request_t *req = x->req;
    int is_get = strcmp(req->method, "GET") == 0, is_post = strcmp(req->method, "POST") == 0;
    apr_interval_time_t connect = req->connect_timeout < req->timeout ? req->connect_timeout : req->timeout;
    const CURLcode codes[] = {
        curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->why),
        curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, take_header),
        curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x),
        curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take_body),
        curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x),
        curl_easy_setopt(x->easy, CURLOPT_TIMEOUT_MS, ddb_curl_milliseconds(req->timeout)),
        curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS, ddb_curl_milliseconds(connect)),
        curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, is_get || is_post ? NULL : req->method),
        /* A PUT without a body goes as one of length 0. */
        is_get ? curl_easy_setopt(x->easy, CURLOPT_HTTPGET, 1L) : set_body(x),
    };

    return ddb_curl_first_failure(codes, DDB_ARRAY_LENGTH(codes));
}

static void run(exchange_t *x, const ddb_curl_opts_t *o, ddb_cancel_t *cancel)
{
    curl_off_t pretransfer = 0; /* microseconds */

    x->code = ddb_curl_set_fixed(x->easy, o, x->req->url);
    if (x->code == CURLE_OK) {
        x->code = set_request(x);
    }
    if (x->code == CURLE_OK) {
        set_headers(x);
    }
    if (x->code == CURLE_OK) {
        x->code = cancel ? ddb_curl_watch(x->easy, cancel) : curl_easy_perform(x->easy);
        curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
        curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
        x->connected = pretransfer > 0;
        ddb_curl_explain_tls(o, x->code, x->why);
    }
    /* libcurl calls it a success when the connection closes amid the headers, or behind an interim reply. */
    if (x->code == CURLE_OK && (!x->headers_done || x->status < 200)) {
        x->code = CURLE_PARTIAL_FILE;
    }
}

static apr_status_t settle_failure(const exchange_t *x, ddb_cancel_t *cancel, ddb_error_t *err)
{
    ddb_curl_failed_t failed = { .code = x->code, .connected = x->connected, .why = x->why };
    apr_status_t rv;

    curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &failed.os_errno);
    rv = ddb_curl_failure(&failed, err);
    if (ddb_cancel_is_set(cancel)) {
        return ddb_error_set(err, APR_EINTR, "cancelled");
    }
    return !x->too_large ? rv
                         : ddb_error_set(err, DDB_ETOOLARGE,
                                         "the reply's body exceeds %" APR_SIZE_T_FMT " bytes or its headers exceed %d",
                                         x->req->max_response_bytes, HEADERS_MAX_BYTES);
}

apr_status_t ddb_curl_send_once(ddb_curl_t *c, ddb_cancel_t *cancel, const ddb_http_request_t *req, apr_pool_t *p,
                                ddb_http_response_t *res, ddb_error_t *err)
{
    exchange_t x = { .easy = curl_easy_init(), .req = req, .res = res, .pool = p };
    apr_status_t rv;

    if (!x.easy) {
        return ddb_error_set(err, DDB_EUNAVAILABLE, "libcurl is out of memory for a handle");
    }
    x.end = &x.headers;
    *res = (ddb_http_response_t){ .headers = apr_table_make(p, 8), .body = "" };
    run(&x, &c->o, cancel);
    rv = x.code == CURLE_OK ? APR_SUCCESS : settle_failure(&x, cancel, err);
    res->status = (int)x.status;
    curl_easy_cleanup(x.easy);
    return rv;
}
