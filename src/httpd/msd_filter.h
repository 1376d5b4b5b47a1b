#ifndef MSD_FILTER_H
#define MSD_FILTER_H

#include <httpd.h>

/*
 * The two output filters that stand around mod_session's own. The one before it prepares what mod_session will save;
 * the one behind it turns a failed write into an error before any byte of the response leaves, hands out or ends the
 * ID, and says what caches may do with the response.
 */

/** Register both; in register_hooks. */
void msd_filter_register(apr_pool_t *p);

/** Before r's handler: a backend may also answer where these filters do not stand; session headers are hidden there. */
void msd_filter_begin(request_rec *r);

/** The insert_filter and insert_error_filter hook; must run behind mod_session's. */
void msd_filter_insert(request_rec *r);

#endif
