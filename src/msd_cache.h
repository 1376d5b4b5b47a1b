#ifndef MSD_CACHE_H
#define MSD_CACHE_H

#include "msd_request.h"

/*
 * What keeps the answer to one visitor from another (OWASP Session Management Cheat Sheet, "Web Content Caching"): in
 * caches on the way, by headers, and in httpd's own (mod_cache), which headers alone do not hold back, as mod_headers
 * can replace them, and which compares requests from which we have taken the session ID.
 */

/** Before mod_cache's handler looks for r: let the request of a live session be seen as one, and the cache stand where
 * it hears what becomes of the response. */
void msd_cache_before(request_rec *r);

/** Behind it: no handler sees what was done for it. */
void msd_cache_behind(request_rec *r);

/** Before httpd's own handler of files, which is the last one: r is answered with a file, or not at all. */
void msd_cache_file(request_rec *r);

/** When the session was saved and the headers of the response are still open: what caches may do with it. */
void msd_cache_settle(request_rec *r, const msd_request_t *q);

#endif
