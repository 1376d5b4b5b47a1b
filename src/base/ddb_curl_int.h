#ifndef DDB_CURL_INT_H
#define DDB_CURL_INT_H

#include <apr_errno.h>
#include <curl/curl.h>

#include "base/ddb_curl.h"
#include "base/ddb_tls.h"

/* Between the files of ddb_curl. */

/** How an exchange failed. */
typedef struct ddb_curl_failed_t {
    CURLcode code;
    int connected;   /* the connection stood and the request was on its way */
    long os_errno;   /* of the failed system call; 0: no system call failed */
    const char *why; /* libcurl's own words, or "" */
} ddb_curl_failed_t;

/** Say it in err, and whether the request may have arrived. @return the status that it comes to. */
apr_status_t ddb_curl_failure(const ddb_curl_failed_t *failed, ddb_error_t *err);

/** What the transport was built with. */
const ddb_curl_opts_t *ddb_curl_opts(const ddb_curl_t *c);

/** Keep a handle for the next exchange, with its connection; it points to nothing of an exchange. Owns it from now. */
void ddb_curl_keep(ddb_curl_t *c, CURL *easy);

/** The one exchange of the transport. With a cancel the connection is a new one and not kept. */
apr_status_t ddb_curl_exchange(ddb_curl_t *c, ddb_cancel_t *cancel, const ddb_http_request_t *req, apr_pool_t *p,
                               ddb_http_response_t *res, ddb_error_t *err);

/** curl_easy_perform, which ends with CURLE_ABORTED_BY_CALLBACK soon after cancel is set. */
CURLcode ddb_curl_watch(CURL *easy, ddb_cancel_t *cancel);

/** Set what is the same for every exchange. */
CURLcode ddb_curl_set_fixed(CURL *easy, const ddb_curl_opts_t *o);

/** Set o->tls, for which libcurl is initialised: NULL where connections can't share CAs. Memory is p's. */
apr_status_t ddb_curl_share_cas(ddb_curl_opts_t *o, apr_pool_t *p);

/** Set the CAs to trust: part of ddb_curl_set_fixed. */
CURLcode ddb_curl_set_cas(CURL *easy, const ddb_curl_opts_t *o);

/** The first that failed of n codes. One option that is not set fails the exchange: each guards something. */
CURLcode ddb_curl_first_failure(const CURLcode *codes, apr_size_t n);

#endif
