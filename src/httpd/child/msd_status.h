#ifndef MSD_STATUS_H
#define MSD_STATUS_H

#include <httpd.h>

/*
 * Shows the counters (ddb_count.h) to administrators. Nothing about individual sessions is shown.
 */

/** mod_status's hook: a table for its page, or with AP_STATUS_SHORT (?auto) lines for programs. */
int msd_status_report(request_rec *r, int flags);

/** Log one line for s when the configuration with the pool p ends, at a restart or stop. Only in the parent process. */
void msd_status_log_at_end(apr_pool_t *p, server_rec *s);

#endif
