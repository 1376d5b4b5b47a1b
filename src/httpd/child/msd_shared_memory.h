#ifndef MSD_SHARED_MEMORY_H
#define MSD_SHARED_MEMORY_H

#include <httpd.h>

/*
 * What all child processes of one start share: it is made in the parent process before fork, in the records of the
 * servers. What can't be made is NULL there and told in the log: each of these is done without, at a price.
 */

/** In post_config, once the configuration was checked. p is the configuration's pool. */
void msd_shared_memory_prepare(apr_pool_t *p, server_rec *main_server);

#endif
