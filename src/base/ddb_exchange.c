/* One exchange of HTTP/1.1 on a connection that stands. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/ddb_exchange.h"

#define BUFFER_FIRST   4096 /* bytes: most replies fit, and come in one piece */
#define HEAD_MAX_BYTES 65536
#define CHUNK_LINE_MAX 256

/** A reply while it is read. What lies in buffer before `at` is understood; the table of headers points there. */
typedef struct reply_t {
    const ddb_exchange_stream_t *stream;
    apr_size_t most; /* bytes of the body */
    apr_pool_t *pool;
    ddb_http_response_t *res;
    ddb_error_t *err;
    char *buffer;
    apr_size_t space, filled, at;
    apr_size_t head_bytes; /* of all heads and of trailers */
    apr_int64_t length;    /* of the body; -1: not announced */
    int received;          /* anything at all */
    int is_1_0, chunked, close;
} reply_t;

static apr_status_t refuse(const reply_t *r, const char *fault)
{
    return ddb_error_set(r->err, DDB_EUNAVAILABLE,
                         "the reply is not HTTP as it should be (%s): check any proxy in between", fault);
}

static apr_status_t too_large(const reply_t *r)
{
    return ddb_error_set(r->err, DDB_ETOOLARGE,
                         "the reply's body exceeds %" APR_SIZE_T_FMT " bytes or its headers exceed %d", r->most,
                         HEAD_MAX_BYTES);
}

static apr_status_t broken(const reply_t *r, apr_status_t rv, const char *when)
{
    char reason[80];

    if (rv == APR_TIMEUP) {
        return ddb_error_set(r->err, rv, "no complete answer in time; the endpoint is slow or unreachable");
    }
    if (rv == APR_EOF && !r->received) {
        return ddb_error_set(r->err, DDB_EUNAVAILABLE, "the server closed %s connection without an answer",
                             r->stream->reused ? "a reused" : "the");
    }
    return ddb_error_set(r->err, DDB_EUNAVAILABLE, "the connection broke %s%s%s%s", when, rv == APR_EOF ? "" : " (",
                         rv == APR_EOF ? "" : apr_strerror(rv, reason, sizeof(reason)), rv == APR_EOF ? "" : ")");
}

static apr_status_t send_all(const reply_t *r, const char *data, apr_size_t left)
{
    apr_status_t rv = APR_SUCCESS;

    while (left > 0 && rv == APR_SUCCESS) {
        apr_size_t n = left;
        rv = r->stream->send(r->stream->baton, data, &n);
        if (rv == APR_SUCCESS) {
            data += n;
            left -= n;
        }
    }
    return rv == APR_SUCCESS ? rv : broken(r, rv, "while sending");
}

/* Room for `needed` bytes from `at` on. What is understood stays where it is: the headers point there. */
static void make_room(reply_t *r, apr_size_t needed)
{
    char *bigger;

    if (r->space - r->at < needed) {
        r->space = needed < BUFFER_FIRST ? BUFFER_FIRST : needed; /* not a few bytes for each of many short chunks */
        bigger = apr_palloc(r->pool, r->space);
        memcpy(bigger, r->buffer + r->at, r->filled - r->at);
        r->buffer = bigger;
        r->filled -= r->at;
        r->at = 0;
    }
}

static apr_status_t receive_some(reply_t *r)
{
    apr_size_t n = r->space - r->filled;
    apr_status_t rv = r->stream->receive(r->stream->baton, r->buffer + r->filled, &n);

    if (rv == APR_SUCCESS) {
        r->received = 1;
        r->filled += n;
    }
    return rv;
}

/* As many bytes from `at` on as are needed. */
static apr_status_t receive_at_least(reply_t *r, apr_size_t needed)
{
    apr_status_t rv = APR_SUCCESS;

    while (r->filled - r->at < needed && rv == APR_SUCCESS) {
        rv = receive_some(r);
    }
    return rv == APR_SUCCESS ? rv : broken(r, rv, "before the answer was complete");
}

/* The next line, of at most `most` bytes, with a NUL in the place of its CRLF (RFC 9112, section 2.2). */
static apr_status_t read_line(reply_t *r, apr_size_t most, char **line, apr_size_t *len)
{
    apr_size_t seen = 0;
    char *end;
    apr_status_t rv = APR_SUCCESS;

    while (!(end = memchr(r->buffer + r->at + seen, '\n', r->filled - r->at - seen))) {
        seen = r->filled - r->at;
        if (seen > most) {
            return too_large(r);
        }
        if (r->filled == r->space) {
            make_room(r, 2 * seen + 1);
        }
        rv = receive_some(r);
        if (rv != APR_SUCCESS) {
            return broken(r, rv, "before the answer was complete");
        }
    }
    *line = r->buffer + r->at;
    *len = (apr_size_t)(end - *line);
    r->at += *len + 1;
    if (*len == 0 || (*line)[*len - 1] != '\r') {
        return refuse(r, "a line does not end in CRLF");
    }
    (*line)[--*len] = '\0';
    return *len <= most ? APR_SUCCESS : too_large(r);
}

static apr_status_t read_head_line(reply_t *r, char **line, apr_size_t *len)
{
    apr_status_t rv = read_line(r, HEAD_MAX_BYTES - r->head_bytes, line, len);

    if (rv == APR_SUCCESS) {
        r->head_bytes += *len + 2;
        if (strlen(*line) != *len || memchr(*line, '\r', *len)) {
            rv = refuse(r, "a header contains a control character");
        }
        else if (r->head_bytes > HEAD_MAX_BYTES) {
            rv = too_large(r);
        }
    }
    return rv;
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static apr_status_t read_status_line(reply_t *r)
{
    char *line;
    apr_size_t len, i;
    apr_status_t rv = read_head_line(r, &line, &len);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (len < 12 || strncmp(line, "HTTP/1.", 7) != 0 || !apr_isdigit(line[7]) || line[8] != ' '
        || (len > 12 && line[12] != ' ')) {
        return refuse(r, "its first line is not a status line of HTTP/1.1");
    }
    r->is_1_0 = line[7] == '0';
    r->res->status = 0;
    for (i = 9; i < 12; i++) {
        if (!apr_isdigit(line[i])) {
            return refuse(r, "its status is not a number");
        }
        r->res->status = r->res->status * 10 + (line[i] - '0');
    }
    return r->res->status >= 100 ? APR_SUCCESS : refuse(r, "its status is below 100");
}

/* RFC 9110, section 5.6.2. */
static int is_token(const char *name, const char *end)
{
    while (name < end && (apr_isalnum(*name) || *name == '-' || (*name && strchr("!#$%&'*+.^_`|~", *name)))) {
        name++;
    }
    return name == end;
}

static apr_status_t take_length(reply_t *r, const char *value)
{
    apr_int64_t n = 0;

    if (r->length >= 0) {
        return refuse(r, "it has two lengths");
    }
    if (!*value || strlen(value) > 15 || value[strspn(value, "0123456789")]) {
        return refuse(r, "its length is not a number");
    }
    while (*value) {
        n = n * 10 + (*value++ - '0');
    }
    r->length = n;
    return APR_SUCCESS;
}

static apr_status_t take_coding(reply_t *r, const char *value)
{
    if (r->chunked || r->is_1_0 || strcasecmp(value, "chunked") != 0) {
        return refuse(r, "its transfer coding is not chunked");
    }
    r->chunked = 1;
    return APR_SUCCESS;
}

static int lists(const char *value, const char *word)
{
    apr_size_t len = strlen(word), n;

    for (; *value; value += n) {
        value += strspn(value, ", \t");
        n = strcspn(value, ", \t");
        if (n == len && strncasecmp(value, word, n) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The headers that frame the reply are told by their length first: this runs for each header of each reply. */
static apr_status_t take_framing(reply_t *r, const char *name, apr_size_t len, const char *value)
{
    if (len == 14 && strcasecmp(name, "Content-Length") == 0) {
        return take_length(r, value);
    }
    if (len == 17 && strcasecmp(name, "Transfer-Encoding") == 0) {
        return take_coding(r, value);
    }
    if (len == 10 && strcasecmp(name, "Connection") == 0) {
        r->close |= lists(value, "close");
    }
    return APR_SUCCESS;
}

static apr_status_t take_field(reply_t *r, char *line, apr_size_t len)
{
    char *colon = memchr(line, ':', len), *value, *end = line + len;

    if (*line == ' ' || *line == '\t') {
        return refuse(r, "a header is folded");
    }
    if (!colon || colon == line || !is_token(line, colon)) {
        return refuse(r, "a line of its head is not a header");
    }
    for (value = colon + 1; *value == ' ' || *value == '\t'; value++) {
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    *colon = *end = '\0';
    apr_table_addn(r->res->headers, line, value);
    return take_framing(r, line, (apr_size_t)(colon - line), value);
}

static apr_status_t read_fields(reply_t *r, apr_status_t (*take)(reply_t *r, char *line, apr_size_t len))
{
    char *line;
    apr_size_t len = 1;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && len > 0) {
        rv = read_head_line(r, &line, &len);
        if (rv == APR_SUCCESS && len > 0) {
            rv = take(r, line, len);
        }
    }
    return rv;
}

/* The head of the final reply. */
static apr_status_t read_head(reply_t *r)
{
    apr_status_t rv;

    do {
        apr_table_clear(r->res->headers);
        r->length = -1;
        r->chunked = r->close = 0;
        rv = read_status_line(r);
        if (rv == APR_SUCCESS) {
            rv = read_fields(r, take_field);
        }
    } while (rv == APR_SUCCESS && r->res->status < 200 && r->res->status != 101);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (r->res->status == 101) {
        return refuse(r, "it changes the protocol");
    }
    return r->chunked && r->length >= 0 ? refuse(r, "it has a length and a transfer coding") : APR_SUCCESS;
}

static apr_status_t read_counted(reply_t *r)
{
    apr_size_t len = (apr_size_t)r->length;
    apr_status_t rv;

    if ((apr_uint64_t)r->length > r->most) {
        return too_large(r);
    }
    make_room(r, len + 1); /* so that a byte behind it can be seen, and its place is the NUL's */
    rv = receive_at_least(r, len);
    r->res->body = r->buffer + r->at;
    r->res->body_len = len;
    r->at += len;
    return rv;
}

/* RFC 9112, section 7.1: hexadecimal digits, perhaps extensions. */
static apr_status_t read_chunk_size(reply_t *r, apr_size_t *size)
{
    char *line, *digit;
    apr_size_t len;
    apr_status_t rv = read_line(r, CHUNK_LINE_MAX, &line, &len);

    *size = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (digit = line; apr_isxdigit(*digit) && digit - line < 8; digit++) {
        *size = *size * 16 + (apr_size_t)(apr_isdigit(*digit) ? *digit - '0' : (*digit | 0x20) - 'a' + 10);
    }
    return digit > line && (*digit == '\0' || strchr("; \t", *digit))
               ? APR_SUCCESS
               : refuse(r, "the size of a chunk is not a number");
}

static apr_status_t pass_over(reply_t *r, char *line, apr_size_t len)
{
    return memchr(line, ':', len) ? APR_SUCCESS : refuse(r, "a line of its trailer is not a header");
}

/* Append the chunk at r->at to the body. */
static apr_status_t take_chunk(reply_t *r, char **body, apr_size_t *space, apr_size_t size)
{
    apr_size_t len = r->res->body_len;
    char *bigger;
    apr_status_t rv;

    if (size > r->most - len) {
        return too_large(r);
    }
    make_room(r, size + 2);
    rv = receive_at_least(r, size + 2);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (len + size > *space) {
        *space = 2 * (len + size);
        bigger = apr_palloc(r->pool, *space + 1);
        memcpy(bigger, *body, len);
        *body = bigger;
    }
    memcpy(*body + len, r->buffer + r->at, size);
    r->res->body_len += size;
    r->at += size + 2;
    return memcmp(r->buffer + r->at - 2, "\r\n", 2) == 0 ? APR_SUCCESS : refuse(r, "a chunk is longer than it says");
}

static apr_status_t read_chunks(reply_t *r)
{
    apr_size_t size = 1, space = BUFFER_FIRST;
    char *body = apr_palloc(r->pool, space + 1);
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && size > 0) {
        rv = read_chunk_size(r, &size);
        if (rv == APR_SUCCESS && size > 0) {
            rv = take_chunk(r, &body, &space, size);
        }
    }
    body[r->res->body_len] = '\0';
    r->res->body = body;
    return rv == APR_SUCCESS ? read_fields(r, pass_over) : rv;
}

/* A reply without a length ends where the connection does: a proxy's, or a server's of HTTP/1.0. */
static apr_status_t read_to_end(reply_t *r)
{
    apr_status_t rv = APR_SUCCESS;

    r->close = 1;
    while (rv == APR_SUCCESS && r->filled - r->at <= r->most) {
        if (r->filled == r->space) {
            make_room(r, 2 * (r->filled - r->at) + BUFFER_FIRST);
        }
        rv = receive_some(r);
    }
    if (rv == APR_SUCCESS) {
        return too_large(r);
    }
    if (rv != APR_EOF) {
        return broken(r, rv, "before the answer was complete");
    }
    make_room(r, r->filled - r->at + 1);
    r->res->body = r->buffer + r->at;
    r->res->body_len = r->filled - r->at;
    r->buffer[r->filled] = '\0';
    r->at = r->filled;
    return APR_SUCCESS;
}

static apr_status_t read_body(reply_t *r)
{
    apr_status_t rv;

    if (r->res->status == 204 || r->res->status == 304) {
        r->chunked = 0; /* RFC 9112, section 6.3: these have none, whatever the head says */
        r->length = 0;
    }
    if (r->chunked) {
        rv = read_chunks(r);
    }
    else {
        rv = r->length >= 0 ? read_counted(r) : read_to_end(r);
    }
    return rv;
}

apr_status_t ddb_exchange(ddb_exchange_stream_t *stream, const ddb_http_request_t *req, apr_pool_t *p,
                          ddb_http_response_t *res, ddb_error_t *err)
{
    reply_t r = { .stream = stream, .most = req->max_response_bytes, .pool = p, .res = res, .err = err };
    apr_status_t rv;

    *res = (ddb_http_response_t){ .headers = apr_table_make(p, 12), .body = "" };
    stream->reusable = 0;
    r.buffer = apr_palloc(p, BUFFER_FIRST);
    r.space = BUFFER_FIRST;
    rv = send_all(&r, req->message, req->message_len);
    if (rv == APR_SUCCESS) {
        rv = read_head(&r);
    }
    if (rv == APR_SUCCESS) {
        rv = read_body(&r);
    }
    if (rv == APR_SUCCESS) {
        stream->reusable = !r.close && !r.is_1_0 && r.filled == r.at;
        if (!r.chunked && r.length >= 0) {
            r.buffer[r.at] = '\0'; /* only now: a byte behind the body has been counted */
        }
    }
    else if (err) {
        err->unsettled = 1;
    }
    return rv;
}
