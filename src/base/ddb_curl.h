#ifndef DDB_CURL_H
#define DDB_CURL_H

#include "base/ddb_cancel.h"
#include "base/ddb_http.h"

/*
 * The only room that knows libcurl, which makes all connections. Requests that are messages go over connections that
 * are kept, by ddb_exchange; all others are libcurl's, each on a connection of its own.
 */
typedef struct ddb_curl_t ddb_curl_t;

typedef struct ddb_curl_opts_t {
    const char *ca_file;      /* PEM; NULL for libcurl's default */
    const char *proxy;        /* URL; NULL: no proxy. This machine and link-local addresses never use it */
    int max_idle_connections; /* kept for the next exchange; more are closed after use */
    int separate_cas; /* 1: each handle reads the CAs and keeps its TLS sessions, as it does in any case where libcurl
                         uses another TLS library than ddb_tls, or a proxy with TLS. For tests */
    struct ddb_tls_t *tls; /* ddb_curl's own: leave it NULL */
} ddb_curl_opts_t;

/**
 * Build the transport. Call it in a child process, or destroy it again before fork, and while the process has one
 * thread: it initialises libcurl. Nothing is registered with p: a child that dies inside a signal handler must not
 * touch a handle that is in use. Memory is p's.
 */
apr_status_t ddb_curl_create(ddb_curl_t **pc, ddb_http_transport_t *t, const ddb_curl_opts_t *o, apr_pool_t *p);

/**
 * A transport whose exchanges end with APR_EINTR soon after cancel is set. For rare exchanges, because each makes a new
 * connection. Its memory is in p.
 */
void ddb_curl_cancellable(ddb_curl_t *c, ddb_http_transport_t *t, ddb_cancel_t *cancel, apr_pool_t *p);

/** The connections to open, and the time (microseconds) for each. */
typedef struct ddb_curl_warm_t {
    const char *url;
    int n;
    apr_interval_time_t timeout;
    ddb_cancel_t *cancel; /* NULL: never set */
} ddb_curl_warm_t;

/**
 * Open up to n connections to url one after another, each within timeout, and keep them: names, TCP and TLS are done
 * then. Nothing is sent over them. Stops at the first failure. @return the number of connections opened.
 */
int ddb_curl_warm(ddb_curl_t *c, const ddb_curl_warm_t *what);

/** The version of libcurl that runs, such as 7.88.1. A constant. */
const char *ddb_curl_version(void);

/** Close all idle connections. Only when no other thread uses the transport any more. */
void ddb_curl_destroy(ddb_curl_t *c);

#endif
