#ifndef MSD_THREAD_H
#define MSD_THREAD_H

#include <apr_pools.h>
#include <apr_thread_proc.h>

/*
 * The threads of a child process beside httpd's, and the memory that they work in. httpd ends a process in ways that
 * such a thread must survive: prefork destroys the child's pool, and exits, inside a signal handler.
 */

/**
 * Make a pool in which several threads may make pools at the same time. Unmanaged: no pool of httpd's holds it;
 * its owner destroys it after the threads that use it have ended.
 */
apr_status_t msd_thread_pool_create(apr_pool_t **pool);

/** Start a thread that takes no signals. p is a pool as above, or one of its subpools. */
apr_status_t msd_thread_start(apr_thread_t **thread, apr_thread_start_t run, void *baton, apr_pool_t *p);

#endif
