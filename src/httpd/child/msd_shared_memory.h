#ifndef MSD_SHARED_MEMORY_H
#define MSD_SHARED_MEMORY_H

#include <httpd.h>

/*
 * The state that all child processes of one start share, created in the parent process before fork and stored in the
 * servers' records. If a part can't be created, its pointer there is NULL and a log line names the consequence; the
 * module works without it.
 */

/** Call in post_config, after the configuration was checked. p is the configuration's pool. */
void msd_shared_memory_prepare(apr_pool_t *p, server_rec *main_server);

#endif
