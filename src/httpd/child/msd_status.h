#ifndef MSD_STATUS_H
#define MSD_STATUS_H

#include <httpd.h>

/*
 * What is counted (ddb_count.h), where an administrator looks for it. Of one session nothing is shown.
 */

/** mod_status' hook: a table for its page, or with AP_STATUS_SHORT (?auto) lines for programs. */
int msd_status_report(request_rec *r, int flags);

/** One line in the log of s when the configuration with the pool p ends, at a restart or a stop. For the parent. */
void msd_status_log_at_end(apr_pool_t *p, server_rec *s);

#endif
