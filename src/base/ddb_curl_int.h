#ifndef DDB_CURL_INT_H
#define DDB_CURL_INT_H

#include <apr_errno.h>
#include <apr_thread_mutex.h>
#include <curl/curl.h>

#include "base/ddb_curl.h"
#include "base/ddb_exchange.h"
#include "base/ddb_tls.h"

/* Between the files of ddb_curl. */

/** A connection that libcurl made, for exchanges that ddb_exchange does. One thread uses it at a time. */
typedef struct ddb_curl_connection_t {
    CURL *easy;
    curl_socket_t socket;         /* blocking, with timeouts; over TLS not blocking */
    int is_tls;                   /* 1: bytes go through libcurl */
    int is_openssl;               /* 1: and through the OpenSSL of ddb_tls */
    const void *ssl;              /* its SSL, of libcurl; NULL: not asked for yet */
    char *origin;                 /* scheme, host and port of the URL that it was made for */
    apr_time_t born, used, end;   /* monotonic: when it was made and last used, the end of the exchange under way */
    int has_sent;                 /* 1: nothing has been received since */
    long waits[2];                /* milliseconds: SO_RCVTIMEO and SO_SNDTIMEO as set; 0: not set yet */
    ddb_exchange_stream_t stream; /* over it */
} ddb_curl_connection_t;

struct ddb_curl_t {
    ddb_curl_opts_t o;
    apr_thread_mutex_t *mutex;    /* guards idle and n_idle, and is never held over a call of libcurl */
    ddb_curl_connection_t **idle; /* the last one put back is taken first: few connections, and those warm */
    int n_idle, max_idle;
};

/** How an exchange failed. */
typedef struct ddb_curl_failed_t {
    CURLcode code;
    int connected;   /* the connection stood and the request was on its way */
    long os_errno;   /* of the failed system call; 0: no system call failed */
    const char *why; /* libcurl's own words, or "" */
} ddb_curl_failed_t;

/** Say it in err, and whether the request may have arrived. @return the status that it comes to. */
apr_status_t ddb_curl_failure(const ddb_curl_failed_t *failed, ddb_error_t *err);

/** A connection to make. */
typedef struct ddb_curl_target_t {
    const char *url;
    apr_interval_time_t timeout; /* microseconds: name lookup, TCP and TLS */
    ddb_cancel_t *cancel;        /* looked at once a second; NULL: never set */
} ddb_curl_target_t;

/** Make a connection. On failure *connection is NULL and err says why; nothing was sent. */
apr_status_t ddb_curl_connect(ddb_curl_connection_t **connection, const ddb_curl_opts_t *o,
                              const ddb_curl_target_t *target, ddb_error_t *err);

/** 1 when the server has neither closed an idle connection nor sent anything on it. */
int ddb_curl_connection_is_idle(ddb_curl_connection_t *connection);

void ddb_curl_connection_close(ddb_curl_connection_t *connection);

/** Keep a connection for the next exchange, or close it if there are enough. Owns it from now; `used` is set. */
void ddb_curl_keep(ddb_curl_t *c, ddb_curl_connection_t *connection);

/** An exchange of a request that is a message: over a kept connection, if there is one. */
apr_status_t ddb_curl_send_message(ddb_curl_t *c, const ddb_http_request_t *req, apr_pool_t *p,
                                   ddb_http_response_t *res, ddb_error_t *err);

/** An exchange of any other request, which libcurl does, on a connection of its own. */
apr_status_t ddb_curl_send_once(ddb_curl_t *c, ddb_cancel_t *cancel, const ddb_http_request_t *req, apr_pool_t *p,
                                ddb_http_response_t *res, ddb_error_t *err);

/** curl_easy_perform, which ends with CURLE_ABORTED_BY_CALLBACK soon after cancel is set. */
CURLcode ddb_curl_watch(CURL *easy, ddb_cancel_t *cancel);

/** Set what is the same for every exchange with url. */
CURLcode ddb_curl_set_fixed(CURL *easy, const ddb_curl_opts_t *o, const char *url);

/** Bytes of url that are its scheme, host and port. */
apr_size_t ddb_curl_origin_length(const char *url);

/** 1 for this machine and link-local addresses, which are never asked through a proxy. */
int ddb_curl_is_direct(const char *url);

/** At least 1: to libcurl and to sockets 0 means no limit. */
long ddb_curl_milliseconds(apr_interval_time_t t);

/** Set o->tls, for which libcurl is initialised: NULL where connections can't share CAs. Memory is p's. */
apr_status_t ddb_curl_share_cas(ddb_curl_opts_t *o, apr_pool_t *p);

/** libcurl's words for a failure, in why (CURL_ERROR_SIZE), name CAs only that it reads itself, and say nothing of what
 * our callback found: name the CAs that are shared, and an OpenSSL that is not. */
void ddb_curl_explain_tls(const ddb_curl_opts_t *o, CURLcode code, char *why);

/** After ddb_curl_set_fixed, for a connection that libcurl only makes: a record of TLS is one receive. */
CURLcode ddb_curl_read_ahead(CURL *easy, const ddb_curl_opts_t *o);

/** Set the CAs to trust: part of ddb_curl_set_fixed. */
CURLcode ddb_curl_set_cas(CURL *easy, const ddb_curl_opts_t *o);

/** The first that failed of n codes. One option that is not set fails the exchange: each guards something. */
CURLcode ddb_curl_first_failure(const CURLcode *codes, apr_size_t n);

#endif
