#ifndef DDB_HTTP_H
#define DDB_HTTP_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "base/ddb_error.h"

typedef struct ddb_http_request_t {
    const char *method;
    const char *url;            /* absolute; the Host sent is its host, with a port other than the default */
    const apr_table_t *headers; /* sent as they are */
    const char *body;           /* body_len bytes; NULL: no body */
    apr_size_t body_len;
    const char *message; /* the whole request as it is sent, message_len bytes: a POST with its head, for url, the empty
                            line and the body. method, headers and body are not looked at then. NULL: made of them */
    apr_size_t message_len;
    apr_interval_time_t connect_timeout; /* microseconds; name lookup, TCP and TLS */
    apr_interval_time_t timeout;         /* microseconds; whole exchange, connect included */
    apr_size_t max_response_bytes;       /* a body over this: DDB_ETOOLARGE */
    int fresh_connection;                /* 1: do not reuse an idle connection */
} ddb_http_request_t;

typedef struct ddb_http_response_t {
    int status;
    apr_table_t *headers; /* names compare without case */
    const char *body;     /* NUL added after body_len bytes */
    apr_size_t body_len;
} ddb_http_response_t;

/**
 * Send one request at most once. Everything in *res lives in p. Thread safe.
 * @return APR_SUCCESS for any complete HTTP reply, whatever its status code; APR_TIMEUP when timeout passed;
 *         APR_EINTR when it was cancelled; APR_EACCES when this machine forbids the connection, as SELinux does;
 *         DDB_ETOOLARGE; DDB_EUNAVAILABLE for every other failure to exchange. On failure err->unsettled is set to 1
 *         when the server may have received the request, and left alone when it surely has not.
 */
typedef apr_status_t ddb_http_perform_fn(void *baton, const ddb_http_request_t *req, apr_pool_t *p,
                                         ddb_http_response_t *res, ddb_error_t *err);

typedef struct ddb_http_transport_t {
    ddb_http_perform_fn *perform;
    void *baton;
} ddb_http_transport_t;

#endif
