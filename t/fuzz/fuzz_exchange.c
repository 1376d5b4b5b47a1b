/* Replies of HTTP/1.1 as a connection gives them. The first byte of an input is the size of the pieces. */

#include "base/ddb_exchange.h"
#include "fuzz.h"

#define MAX 5000

typedef struct script_t {
    const char *data;
    apr_size_t len, given, piece;
} script_t;

static apr_status_t take(void *baton, const char *data, apr_size_t *len)
{
    (void)baton;
    (void)data;
    (void)len;
    return APR_SUCCESS;
}

static apr_status_t give(void *baton, char *buffer, apr_size_t *len)
{
    script_t *s = baton;
    apr_size_t left = s->len - s->given, n = *len < s->piece ? *len : s->piece;

    HOLDS(*len > 0);
    *len = n < left ? n : left;
    memcpy(buffer, s->data + s->given, *len);
    s->given += *len;
    return *len ? APR_SUCCESS : APR_EOF;
}

/** What an exchange came to. */
typedef struct result_t {
    apr_status_t rv;
    ddb_http_response_t res;
    ddb_error_t err;
    int reusable;
    apr_size_t read;
} result_t;

static result_t *exchange(const char *data, apr_size_t len, apr_size_t piece, apr_pool_t *p)
{
    script_t s = { .data = data, .len = len, .piece = piece };
    ddb_exchange_stream_t stream = { .send = take, .receive = give, .baton = &s };
    const ddb_http_request_t req = { .message = "x", .message_len = 1, .max_response_bytes = MAX };
    result_t *r = apr_pcalloc(p, sizeof(*r));

    r->rv = ddb_exchange(&stream, &req, p, &r->res, &r->err);
    r->reusable = stream.reusable;
    r->read = s.given;
    return r;
}

static int is_clean(void *baton, const char *name, const char *value)
{
    (void)baton;
    HOLDS(*name && !strpbrk(name, " \t\r\n:") && !strpbrk(value, "\r\n"));
    HOLDS(!*value || (!strchr(" \t", *value) && !strchr(" \t", value[strlen(value) - 1])));
    return 1;
}

static void check(const result_t *r)
{
    const char *length;

    HOLDS(r->rv == APR_SUCCESS || r->rv == DDB_EUNAVAILABLE || r->rv == DDB_ETOOLARGE);
    HOLDS((r->rv == APR_SUCCESS) == !r->err.unsettled);
    HOLDS((r->rv == APR_SUCCESS) == !r->err.detail[0]);
    HOLDS(r->rv == APR_SUCCESS || (!r->reusable && fuzz_is_loggable(r->err.detail)));
    if (r->rv == APR_SUCCESS) {
        HOLDS(r->res.status >= 200 && r->res.status < 1000);
        HOLDS(r->res.body_len <= MAX && r->res.body[r->res.body_len] == '\0');
        apr_table_do(is_clean, NULL, r->res.headers, NULL);
        length = apr_table_get(r->res.headers, "Content-Length");
        HOLDS(!length || r->res.status == 204 || r->res.status == 304
              || apr_atoi64(length) == (apr_int64_t)r->res.body_len);
        HOLDS(!(length && apr_table_get(r->res.headers, "Transfer-Encoding")));
    }
}

static void are_same(const result_t *a, const result_t *b)
{
    HOLDS(a->rv == b->rv && a->res.status == b->res.status);
    if (a->rv == APR_SUCCESS) {
        HOLDS(a->res.body_len == b->res.body_len && memcmp(a->res.body, b->res.body, a->res.body_len) == 0);
        HOLDS(apr_table_elts(a->res.headers)->nelts == apr_table_elts(b->res.headers)->nelts);
        HOLDS(!a->reusable || b->reusable); /* bytes behind it are seen in large pieces only */
    }
}

/* Nothing of the next reply is read for this one: two in a row are read as two. */
static void are_two(const char *data, apr_size_t len, const result_t *one, apr_pool_t *p)
{
    char *twice = apr_palloc(p, 2 * len);
    result_t *r;

    memcpy(twice, data, len);
    memcpy(twice + len, data, len);
    r = exchange(twice, 2 * len, 1, p);
    HOLDS(r->rv == APR_SUCCESS && r->read == len && r->res.body_len == one->res.body_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    const char *text = fuzz_text(data + (size > 0), size - (size > 0));
    apr_size_t len = size - (size > 0);
    result_t *whole = exchange(text, len, 1 << 20, p), *pieces = exchange(text, len, size > 0 ? data[0] + 1u : 1, p);

    check(whole);
    check(pieces);
    are_same(whole, pieces);
    if (whole->reusable) {
        HOLDS(whole->read == len);
        are_two(text, len, whole, p);
    }
    return fuzz_end();
}
