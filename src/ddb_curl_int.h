#ifndef DDB_CURL_INT_H
#define DDB_CURL_INT_H

#include <apr_errno.h>
#include <curl/curl.h>

#include "ddb_error.h"

/* Between the files of ddb_curl. */

/**
 * A failed exchange: err says why and whether the request may have arrived. connected: the connection stood and the
 * request was on its way. why: libcurl's own words, or "".
 */
apr_status_t ddb_curl_failure(CURLcode code, int connected, const char *why, ddb_error_t *err);

#endif
