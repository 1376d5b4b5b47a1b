/* One exchange of HTTP/1.1 on a connection that stands: the request, and the head of the reply. Bodies:
 * ddb_exchange_body.c. */

#include <errno.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/ddb_exchange_int.h"

apr_status_t ddb_exchange_refuse(const ddb_exchange_reply_t *r, const char *fault)
{
    return ddb_error_set(r->err, DDB_EUNAVAILABLE,
                         "the reply is not HTTP as it should be (%s): check any proxy in between", fault);
}

apr_status_t ddb_exchange_too_large(const ddb_exchange_reply_t *r)
{
    return ddb_error_set(r->err, DDB_ETOOLARGE,
                         "the reply's body exceeds %" APR_SIZE_T_FMT " bytes or its headers exceed %d", r->most,
                         DDB_EXCHANGE_HEAD_MAX);
}

apr_status_t ddb_exchange_broken(const ddb_exchange_reply_t *r, apr_status_t rv, const char *when)
{
    char reason[80];

    if (rv == APR_TIMEUP) {
        return ddb_error_set(r->err, rv, "no complete answer in time; the endpoint is slow or unreachable");
    }
    if (rv == APR_EOF && !r->received) {
        return ddb_error_set(r->err, DDB_EUNAVAILABLE, "the server closed %s connection without an answer",
                             r->stream->reused ? "a reused" : "the");
    }
    if (rv == APR_EOF || rv == APR_FROM_OS_ERROR(EIO)) { /* EIO: TLS broke, and no system call tells why */
        return ddb_error_set(r->err, DDB_EUNAVAILABLE, "the connection broke %s", when);
    }
    return ddb_error_set(r->err, DDB_EUNAVAILABLE, "the connection broke %s (%s)", when,
                         apr_strerror(rv, reason, sizeof(reason)));
}

static apr_status_t send_all(const ddb_exchange_reply_t *r, const char *data, apr_size_t left)
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
    return rv == APR_SUCCESS ? rv : ddb_exchange_broken(r, rv, "while sending");
}

/* Room for `needed` bytes from `at` on. What is understood stays where it is: the headers point there. */
void ddb_exchange_make_room(ddb_exchange_reply_t *r, apr_size_t needed)
{
    char *bigger;

    if (r->space - r->at < needed) {
        r->space = needed < DDB_EXCHANGE_BUFFER ? DDB_EXCHANGE_BUFFER
                                                : needed; /* not a few bytes for each of many short chunks */
        bigger = apr_palloc(r->pool, r->space);
        memcpy(bigger, r->buffer + r->at, r->filled - r->at);
        r->buffer = bigger;
        r->filled -= r->at;
        r->at = 0;
    }
}

apr_status_t ddb_exchange_receive(ddb_exchange_reply_t *r)
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
apr_status_t ddb_exchange_receive_at_least(ddb_exchange_reply_t *r, apr_size_t needed)
{
    apr_status_t rv = APR_SUCCESS;

    while (r->filled - r->at < needed && rv == APR_SUCCESS) {
        rv = ddb_exchange_receive(r);
    }
    return rv == APR_SUCCESS ? rv : ddb_exchange_broken(r, rv, "before the answer was complete");
}

/* The next line, of at most `most` bytes, with a NUL in the place of its CRLF (RFC 9112, section 2.2). */
apr_status_t ddb_exchange_read_line(ddb_exchange_reply_t *r, apr_size_t most, char **line, apr_size_t *len)
{
    apr_size_t seen = 0;
    char *end;
    apr_status_t rv = APR_SUCCESS;

    *line = NULL;
    *len = 0;
    while (!(end = memchr(r->buffer + r->at + seen, '\n', r->filled - r->at - seen))) {
        seen = r->filled - r->at;
        if (seen > most + 1) {
            return ddb_exchange_too_large(r);
        }
        if (r->filled == r->space) {
            ddb_exchange_make_room(r, 2 * seen + 1);
        }
        rv = ddb_exchange_receive(r);
        if (rv != APR_SUCCESS) {
            return ddb_exchange_broken(r, rv, "before the answer was complete");
        }
    }
    *line = r->buffer + r->at;
    *len = (apr_size_t)(end - *line);
    r->at += *len + 1;
    if (*len > most + 1) {
        return ddb_exchange_too_large(r);
    }
    if (*len == 0 || (*line)[*len - 1] != '\r') {
        return ddb_exchange_refuse(r, "a line does not end in CRLF");
    }
    (*line)[--*len] = '\0';
    return APR_SUCCESS;
}

static apr_status_t read_head_line(ddb_exchange_reply_t *r, char **line, apr_size_t *len)
{
    apr_status_t rv = ddb_exchange_read_line(r, DDB_EXCHANGE_HEAD_MAX - r->head_bytes, line, len);

    if (rv == APR_SUCCESS && *line) {
        r->head_bytes += *len + 2;
        if (strlen(*line) != *len || memchr(*line, '\r', *len)) {
            rv = ddb_exchange_refuse(r, "its head contains a control character");
        }
        else if (r->head_bytes > DDB_EXCHANGE_HEAD_MAX) {
            rv = ddb_exchange_too_large(r);
        }
    }
    return rv;
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static apr_status_t read_status_line(ddb_exchange_reply_t *r)
{
    char *line;
    apr_size_t len, i;
    apr_status_t rv = read_head_line(r, &line, &len);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (len < 12 || strncmp(line, "HTTP/1.", 7) != 0 || !apr_isdigit(line[7]) || line[8] != ' '
        || (len > 12 && line[12] != ' ')) {
        return ddb_exchange_refuse(r, "its first line is not a status line of HTTP/1.1");
    }
    r->is_1_0 = line[7] == '0';
    r->res->status = 0;
    for (i = 9; i < 12; i++) {
        if (!apr_isdigit(line[i])) {
            return ddb_exchange_refuse(r, "its status is not a number");
        }
        r->res->status = r->res->status * 10 + (line[i] - '0');
    }
    return r->res->status >= 100 ? APR_SUCCESS : ddb_exchange_refuse(r, "its status is below 100");
}

char *ddb_exchange_find_colon(char *line, apr_size_t len)
{
    char *colon = memchr(line, ':', len), *name = line;

    while (colon && name < colon
           && (apr_isalnum(*name) || *name == '-' || (*name && strchr("!#$%&'*+.^_`|~", *name)))) {
        name++;
    }
    return colon && name == colon && name > line ? colon : NULL;
}

static apr_status_t take_length(ddb_exchange_reply_t *r, const char *value)
{
    apr_int64_t n = 0;

    if (r->length >= 0) {
        return ddb_exchange_refuse(r, "it has two lengths");
    }
    if (!*value || strlen(value) > 15 || value[strspn(value, "0123456789")]) {
        return ddb_exchange_refuse(r, "its length is not a number");
    }
    while (*value) {
        n = n * 10 + (*value++ - '0');
    }
    r->length = n;
    return APR_SUCCESS;
}

static apr_status_t take_coding(ddb_exchange_reply_t *r, const char *value)
{
    if (r->chunked || r->is_1_0 || strcasecmp(value, "chunked") != 0) {
        return ddb_exchange_refuse(r, "it has a transfer coding other than chunked, or two");
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
static apr_status_t take_framing(ddb_exchange_reply_t *r, const char *name, apr_size_t len, const char *value)
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

static apr_status_t take_field(ddb_exchange_reply_t *r, char *line, apr_size_t len)
{
    char *colon = ddb_exchange_find_colon(line, len), *value, *end = line + len;

    if (*line == ' ' || *line == '\t') {
        return ddb_exchange_refuse(r, "a header is folded");
    }
    if (!colon) {
        return ddb_exchange_refuse(r, "a line of its head is not a header");
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

apr_status_t ddb_exchange_read_fields(ddb_exchange_reply_t *r,
                                      apr_status_t (*take)(ddb_exchange_reply_t *r, char *line, apr_size_t len))
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
static apr_status_t read_head(ddb_exchange_reply_t *r)
{
    apr_status_t rv;

    do {
        apr_table_clear(r->res->headers);
        r->length = -1;
        r->chunked = r->close = 0;
        rv = read_status_line(r);
        if (rv == APR_SUCCESS) {
            rv = ddb_exchange_read_fields(r, take_field);
        }
    } while (rv == APR_SUCCESS && r->res->status < 200 && r->res->status != 101);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (r->res->status == 101) {
        return ddb_exchange_refuse(r, "it changes the protocol");
    }
    return r->chunked && r->length >= 0 ? ddb_exchange_refuse(r, "it has a length and a transfer coding") : APR_SUCCESS;
}

apr_status_t ddb_exchange(ddb_exchange_stream_t *stream, const ddb_http_request_t *req, apr_pool_t *p,
                          ddb_http_response_t *res, ddb_error_t *err)
{
    ddb_exchange_reply_t r = { .stream = stream, .most = req->max_response_bytes, .pool = p, .res = res, .err = err };
    apr_status_t rv;

    *res = (ddb_http_response_t){ .headers = apr_table_make(p, 12), .body = "" };
    stream->reusable = 0;
    r.buffer = apr_palloc(p, DDB_EXCHANGE_BUFFER);
    r.space = DDB_EXCHANGE_BUFFER;
    rv = send_all(&r, req->message, req->message_len);
    if (rv == APR_SUCCESS) {
        rv = read_head(&r);
    }
    if (rv == APR_SUCCESS) {
        rv = ddb_exchange_read_body(&r);
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
