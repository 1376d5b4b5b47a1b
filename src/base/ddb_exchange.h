#ifndef DDB_EXCHANGE_H
#define DDB_EXCHANGE_H

#include "base/ddb_http.h"

/*
 * One exchange of HTTP/1.1 (RFC 9112) on a connection that stands: a request that is bytes already, and its reply. It
 * is strict, because a reply that two readers understand differently leaves bytes for the next exchange on the
 * connection: a folded line, a length that is no number, two of them or one beside Transfer-Encoding, and a transfer
 * coding other than chunked are refused. Knows no sockets; libcurl's exchange costs forty times as many instructions.
 */

/** The connection, as the exchange uses it. Both functions wait, but not longer than the exchange may take. */
typedef struct ddb_exchange_stream_t {
    /** Send up to *len bytes, at least one; *len becomes their number. APR_TIMEUP; another status: it broke. */
    apr_status_t (*send)(void *baton, const char *data, apr_size_t *len);
    /** Receive up to *len bytes, at least one; *len becomes their number. APR_TIMEUP; APR_EOF: the server closed it;
     *  another status: it broke. */
    apr_status_t (*receive)(void *baton, char *buffer, apr_size_t *len);
    void *baton;
    int reused;   /* 1: not the first exchange on this connection */
    int reusable; /* set by ddb_exchange: 1: another exchange may follow on it; 0: it must be closed */
} ddb_exchange_stream_t;

/**
 * Send req->message once and read the reply; interim replies (1xx) are passed over. Everything in *res lives in p.
 * Heads of more than 64 KB and bodies of more than req->max_response_bytes are refused, a body of announced length
 * before it is read. Bytes behind the reply leave it good and the connection not reusable.
 * @return APR_SUCCESS for any complete reply; APR_TIMEUP; DDB_ETOOLARGE; DDB_EUNAVAILABLE for anything else; with a
 *         detail in err, which may be NULL. After each of these failures err->unsettled is 1.
 */
apr_status_t ddb_exchange(ddb_exchange_stream_t *stream, const ddb_http_request_t *req, apr_pool_t *p,
                          ddb_http_response_t *res, ddb_error_t *err);

#endif
