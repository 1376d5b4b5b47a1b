#ifndef DDB_CURL_H
#define DDB_CURL_H

#include "base/ddb_cancel.h"
#include "base/ddb_http.h"

/* The only room that knows libcurl. */
typedef struct ddb_curl_t ddb_curl_t;

typedef struct ddb_curl_opts_t {
    const char *ca_file;  /* PEM; NULL for libcurl's default */
    const char *proxy;    /* URL; NULL for none. This machine and link-local addresses are always asked directly */
    int max_idle_handles; /* kept with their connections; further ones are closed after use */
} ddb_curl_opts_t;

/**
 * Build the transport. Call it in a child process, or destroy it again before fork, and while the process has one
 * thread: it initialises libcurl. Nothing is registered with p: a child that dies inside a signal handler must not
 * touch a handle that is in use. Memory is p's.
 */
apr_status_t ddb_curl_create(ddb_curl_t **pc, ddb_http_transport_t *t, const ddb_curl_opts_t *o, apr_pool_t *p);

/**
 * A transport whose exchanges end with APR_EINTR soon after cancel is set. For what is rare, as each exchange has a
 * connection of its own. What it needs lives in p.
 */
void ddb_curl_cancellable(ddb_curl_t *c, ddb_http_transport_t *t, ddb_cancel_t *cancel, apr_pool_t *p);

/** Which connections to open, and within which time (microseconds) each. */
typedef struct ddb_curl_warm_t {
    const char *url;
    int n;
    apr_interval_time_t timeout;
    ddb_cancel_t *cancel; /* NULL: nothing ends it */
} ddb_curl_warm_t;

/**
 * Open up to n connections to url and keep them, one after another, each within timeout: GET, whose
 * answer does not matter (DynamoDB says that it is healthy). Stops at the first that fails.
 * @return how many were opened.
 */
int ddb_curl_warm(ddb_curl_t *c, const ddb_curl_warm_t *what);

/** Close all idle connections. Only when no other thread uses the transport any more. */
void ddb_curl_destroy(ddb_curl_t *c);

#endif
