#ifndef MSD_FILTER_H
#define MSD_FILTER_H

#include <httpd.h>

/*
 * The two output filters around mod_session's own. The one before it prepares the session for mod_session's save. The
 * one after it turns a failed write into an error before any byte of the response is sent, issues or deletes the ID,
 * and sets the response headers for caches.
 */

/** Register both filters. Call in register_hooks. */
void msd_filter_register(apr_pool_t *p);

/** Find the filters of other modules. Call once all modules have registered theirs. */
void msd_filter_find(void);

/** Call before r's handler: hides session headers in those responses of backends that bypass these filters. */
void msd_filter_begin(request_rec *r);

/** The insert_filter and insert_error_filter hook; must run after mod_session's. */
void msd_filter_insert(request_rec *r);

#endif
