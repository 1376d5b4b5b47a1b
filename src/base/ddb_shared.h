#ifndef DDB_SHARED_H
#define DDB_SHARED_H

#include <apr_pools.h>

/**
 * Memory that this process shares with the children it forks afterwards, which find it at the same address: size bytes,
 * all zero, aligned for any type. To be made before fork; goes with p. Access has to be atomic.
 */
apr_status_t ddb_shared_create(void **memory, apr_size_t size, apr_pool_t *p);

#endif
