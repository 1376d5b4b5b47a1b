#ifndef MSD_THREAD_H
#define MSD_THREAD_H

#include <apr_pools.h>
#include <apr_thread_proc.h>

/*
 * The threads of a child process besides httpd's, and their memory. Such a thread must survive the ways in which httpd
 * ends a process: prefork destroys the child's pool, and exits, inside a signal handler.
 */

/**
 * Create a pool in which several threads may create subpools at the same time. It is unmanaged: it has no parent pool,
 * and its owner must destroy it after the threads that use it have ended.
 */
apr_status_t msd_thread_pool_create(apr_pool_t **pool);

/** Start a thread with all signals blocked. p is a pool as above, or one of its subpools. */
apr_status_t msd_thread_start(apr_thread_t **thread, apr_thread_start_t run, void *baton, apr_pool_t *p);

#endif
