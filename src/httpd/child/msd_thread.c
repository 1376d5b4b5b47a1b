/* The module's own threads, and their memory. */

#include <signal.h>

#include <apr_allocator.h>
#include <apr_thread_mutex.h>

#include "httpd/child/msd_thread.h"

apr_status_t msd_thread_pool_create(apr_pool_t **pool)
{
    apr_allocator_t *allocator = NULL;
    apr_thread_mutex_t *mutex = NULL;
    apr_status_t rv = apr_allocator_create(&allocator);

    *pool = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_pool_create_unmanaged_ex(pool, NULL, allocator);
    if (rv != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return rv;
    }
    apr_allocator_owner_set(allocator, *pool);
    rv = apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, *pool);
    if (rv == APR_SUCCESS) {
        apr_allocator_mutex_set(allocator, mutex);
    }
    else {
        apr_pool_destroy(*pool);
        *pool = NULL;
    }
    return rv;
}

apr_status_t msd_thread_start(apr_thread_t **thread, apr_thread_start_t run, void *baton, apr_pool_t *p)
{
    sigset_t all, before;
    apr_status_t rv;

    /* prefork's signal handlers end the process in the thread that they interrupt: it must not be this one. The new
     * thread inherits the mask. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rv = apr_thread_create(thread, NULL, run, baton, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rv;
}
