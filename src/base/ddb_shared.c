/* Anonymous shared memory. */

#include <string.h>

#include <apr_shm.h>

#include "base/ddb_shared.h"

apr_status_t ddb_shared_create(void **memory, apr_size_t size, apr_pool_t *p)
{
    apr_shm_t *shm = NULL;
    apr_status_t rv = apr_shm_create(&shm, size, NULL, p);

    if (rv == APR_SUCCESS) {
        *memory = apr_shm_baseaddr_get(shm);
        memset(*memory, 0, size);
    }
    return rv;
}
