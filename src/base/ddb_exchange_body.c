/* The body of a reply: counted, in chunks, or until the connection ends. */

#include <string.h>

#include <apr_lib.h>

#include "base/ddb_exchange_int.h"

#define CHUNK_LINE_MAX 256

static apr_status_t read_counted(ddb_exchange_reply_t *r)
{
    apr_size_t len = (apr_size_t)r->length;
    apr_status_t rv;

    if ((apr_uint64_t)r->length > r->most) {
        return ddb_exchange_too_large(r);
    }
    ddb_exchange_make_room(r, len + 1); /* so that a byte behind it can be seen, and its place is the NUL's */
    rv = ddb_exchange_receive_at_least(r, len);
    r->res->body = r->buffer + r->at;
    r->res->body_len = len;
    r->at += len;
    return rv;
}

/* RFC 9112, section 7.1: hexadecimal digits, perhaps extensions, of which there may be as much as of headers. */
static apr_status_t read_chunk_size(ddb_exchange_reply_t *r, apr_size_t *size)
{
    char *line, *digit;
    apr_size_t len, digits;
    apr_status_t rv = ddb_exchange_read_line(r, CHUNK_LINE_MAX, &line, &len);

    *size = 0;
    if (rv != APR_SUCCESS || !line) {
        return rv == DDB_ETOOLARGE ? ddb_exchange_refuse(r, "the line of a chunk's size is too long") : rv;
    }
    for (digit = line; apr_isxdigit(*digit) && digit - line < 8; digit++) {
        *size = *size * 16 + (apr_size_t)(apr_isdigit(*digit) ? *digit - '0' : (*digit | 0x20) - 'a' + 10);
    }
    digits = (apr_size_t)(digit - line);
    r->head_bytes += len - digits;
    if (r->head_bytes > DDB_EXCHANGE_HEAD_MAX) {
        return ddb_exchange_too_large(r);
    }
    digit += strspn(digit, " \t");
    return digits && strlen(line) == len && !memchr(line, '\r', len) && (*digit == '\0' || *digit == ';')
               ? APR_SUCCESS
               : ddb_exchange_refuse(r, "the size of a chunk is not a number");
}

static apr_status_t pass_over(ddb_exchange_reply_t *r, char *line, apr_size_t len)
{
    return ddb_exchange_find_colon(line, len) ? APR_SUCCESS
                                              : ddb_exchange_refuse(r, "a line of its trailer is not a header");
}

/* Append the chunk at r->at to the body. */
static apr_status_t take_chunk(ddb_exchange_reply_t *r, char **body, apr_size_t *space, apr_size_t size)
{
    apr_size_t len = r->res->body_len;
    char *bigger;
    apr_status_t rv;

    if (size > r->most - len) {
        return ddb_exchange_too_large(r);
    }
    ddb_exchange_make_room(r, size + 2);
    rv = ddb_exchange_receive_at_least(r, size + 2);
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
    return memcmp(r->buffer + r->at - 2, "\r\n", 2) == 0 ? APR_SUCCESS
                                                         : ddb_exchange_refuse(r, "a chunk is longer than it says");
}

static apr_status_t read_chunks(ddb_exchange_reply_t *r)
{
    apr_size_t size = 1, space = DDB_EXCHANGE_BUFFER;
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
    return rv == APR_SUCCESS ? ddb_exchange_read_fields(r, pass_over) : rv;
}

/* A reply without a length ends where the connection does: a proxy's, or a server's of HTTP/1.0. */
static apr_status_t read_to_end(ddb_exchange_reply_t *r)
{
    apr_status_t rv = APR_SUCCESS;

    r->close = 1;
    while (rv == APR_SUCCESS && r->filled - r->at <= r->most) {
        if (r->filled == r->space) {
            ddb_exchange_make_room(r, 2 * (r->filled - r->at) + DDB_EXCHANGE_BUFFER);
        }
        rv = ddb_exchange_receive(r);
    }
    if (rv == APR_SUCCESS) {
        return ddb_exchange_too_large(r);
    }
    if (rv != APR_EOF) {
        return ddb_exchange_broken(r, rv, "before the answer was complete");
    }
    ddb_exchange_make_room(r, r->filled - r->at + 1);
    r->res->body = r->buffer + r->at;
    r->res->body_len = r->filled - r->at;
    r->buffer[r->filled] = '\0';
    r->at = r->filled;
    return APR_SUCCESS;
}

apr_status_t ddb_exchange_read_body(ddb_exchange_reply_t *r)
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
