#ifndef MSD_HTTP_CACHE_H
#define MSD_HTTP_CACHE_H

#include "httpd/msd_request.h"

/*
 * Keeps caches from giving one visitor's response to another (OWASP Session Management Cheat Sheet, "Web Content
 * Caching"). Caches on the network obey headers. For httpd's own (mod_cache) headers are not enough: mod_headers can
 * replace them, and mod_cache compares requests after this module has removed the session ID.
 */

/** Call once all modules have registered their filters. */
void msd_http_cache_find(void);

/**
 * Call before and after each lookup of mod_cache for r; for subrequests and after redirects, mod_cache also looks up in
 * the quick handler. mark makes the request of a live session recognizable as one, unmark restores the header.
 */
void msd_http_cache_mark(request_rec *r);
void msd_http_cache_unmark(request_rec *r);

/** Call before r's handler: moves mod_cache's filter to after ours, where it sees the final headers. */
void msd_http_cache_begin(request_rec *r);

/** Call right before httpd's default handler, the last one: the response to r is a file, or r fails. */
void msd_http_cache_file(request_rec *r);

/** Call before the response of a subrequest r goes into its page: a page without its own session is as cacheable as r
 * at most. The page's headers may have been sent already, but mod_cache decides again at the end. */
void msd_http_cache_part(request_rec *r, const msd_request_t *q);

/** Set the headers for caches, as s, one of the tree's sessions, requires. Call when it is saved and the response
 * headers can still change. */
void msd_http_cache_settle(request_rec *r, const msd_request_t *q, const msd_session_t *s);

#endif
