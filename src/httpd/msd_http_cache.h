#ifndef MSD_HTTP_CACHE_H
#define MSD_HTTP_CACHE_H

#include "httpd/msd_request.h"

/*
 * What keeps the answer to one visitor from another (OWASP Session Management Cheat Sheet, "Web Content Caching"): in
 * caches on the way, by headers, and in httpd's own (mod_cache), which headers alone do not hold back, as mod_headers
 * can replace them, and which compares requests from which we have taken the session ID.
 */

/**
 * Around each look of mod_cache for r, which for parts of a page and after redirects comes before any other handler,
 * too: let the request of a live session be seen as one. What was done for that is undone.
 */
void msd_http_cache_mark(request_rec *r);
void msd_http_cache_unmark(request_rec *r);

/** Before r's handler: let the cache stand where it hears what becomes of the response. */
void msd_http_cache_begin(request_rec *r);

/** Before httpd's own handler of files, which is the last one: r is answered with a file, or not at all. */
void msd_http_cache_file(request_rec *r);

/** Before a part of a page, r, goes into it: a page that has no session itself is no more for caches than the part. Its
 * headers may be on their way by then; mod_cache judges again at the end. */
void msd_http_cache_part(request_rec *r, const msd_request_t *q);

/** When the session was saved and the headers of the response are still open: what caches may do with it. */
void msd_http_cache_settle(request_rec *r, const msd_request_t *q);

#endif
