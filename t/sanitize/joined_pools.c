/*
 * Loaded into httpd together with an APR that was built for pool debugging. Such an APR ends the process when a table
 * is given something of a pool that may go first. httpd tells it with apr_pool_join() where that can't happen, but
 * only if it was itself built for pool debugging, which distributions' is not: there the question is not asked.
 */

#include <stdlib.h>

#include <apr_pools.h>

APR_DECLARE(int) apr_pool_is_ancestor(apr_pool_t *a, apr_pool_t *b)
{
    (void)a;
    (void)b;
    return 1;
}

/* To ask it, each piece would be looked for in all pools, under the locks of each: for ever, where a thread does that
 * while a pool's cleanup waits for the thread, as such an APR holds a lock then. */
APR_DECLARE(apr_pool_t *) apr_pool_find(const void *mem)
{
    (void)mem;
    return NULL;
}

/* The programs that httpd starts are not what is watched. */
static void __attribute__((constructor)) keep_to_ourselves(void)
{
    unsetenv("LD_PRELOAD");
}
