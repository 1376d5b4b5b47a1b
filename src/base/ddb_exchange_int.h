#ifndef DDB_EXCHANGE_INT_H
#define DDB_EXCHANGE_INT_H

#include "base/ddb_exchange.h"

/* Between the files of ddb_exchange. */

#define DDB_EXCHANGE_BUFFER   4096  /* bytes: most replies fit, and come in one piece */
#define DDB_EXCHANGE_HEAD_MAX 65536 /* bytes of all heads and of trailers */

/** A reply while it is read. What lies in buffer before `at` is understood; the table of headers points there. */
typedef struct ddb_exchange_reply_t {
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
} ddb_exchange_reply_t;

/* Reasons to end an exchange; each returns the status that it comes to. */

/** The reply is not HTTP as it should be. */
apr_status_t ddb_exchange_refuse(const ddb_exchange_reply_t *r, const char *fault);

/** A limit is exceeded. */
apr_status_t ddb_exchange_too_large(const ddb_exchange_reply_t *r);

/** The stream failed with rv. */
apr_status_t ddb_exchange_broken(const ddb_exchange_reply_t *r, apr_status_t rv, const char *when);

/** Have room for `needed` bytes from `at` on. What is understood stays where it is: the headers point there. */
void ddb_exchange_make_room(ddb_exchange_reply_t *r, apr_size_t needed);

/** Receive once, into the room that there is. @return the status of the stream. */
apr_status_t ddb_exchange_receive(ddb_exchange_reply_t *r);

/** Receive until `needed` bytes from `at` on are there. */
apr_status_t ddb_exchange_receive_at_least(ddb_exchange_reply_t *r, apr_size_t needed);

/** The next line, of at most `most` bytes, with a NUL in the place of its CRLF (RFC 9112, section 2.2). */
apr_status_t ddb_exchange_read_line(ddb_exchange_reply_t *r, apr_size_t most, char **line, apr_size_t *len);

/** Lines of a head or trailer up to the empty one, each to `take`. */
apr_status_t ddb_exchange_read_fields(ddb_exchange_reply_t *r,
                                      apr_status_t (*take)(ddb_exchange_reply_t *r, char *line, apr_size_t len));

/** Where the name of a header ends (a token: RFC 9110, section 5.6.2); NULL: line is not a header. */
char *ddb_exchange_find_colon(char *line, apr_size_t len);

/** The body, by the framing that the head gave. */
apr_status_t ddb_exchange_read_body(ddb_exchange_reply_t *r);

#endif
