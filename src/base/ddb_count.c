/* The counters in shared memory. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/ddb_shared.h"
#include "base/ddb_array.h"
#include "base/ddb_count.h"

struct ddb_count_t {
    volatile apr_uint64_t *n; /* DDB_COUNTED */
};

apr_status_t ddb_count_create(ddb_count_t **pc, apr_pool_t *p)
{
    ddb_count_t *c = apr_pcalloc(p, sizeof(*c));
    void *n = NULL;
    apr_status_t rv = ddb_shared_create(&n, DDB_COUNTED * sizeof(*c->n), p);

    c->n = n;
    if (rv == APR_SUCCESS) {
        *pc = c;
    }
    return rv;
}

void ddb_count_add(ddb_count_t *c, ddb_counted_e what, apr_uint64_t n)
{
    if (c && n) {
        apr_atomic_add64(&c->n[what], n);
    }
}

apr_uint64_t ddb_count_get(const ddb_count_t *c, ddb_counted_e what)
{
    return c ? apr_atomic_read64(&c->n[what]) : 0;
}

ddb_counted_e ddb_count_operation(const char *operation)
{
    static const char *const names[] = { "GetItem", "PutItem", "UpdateItem", "DeleteItem" };
    static const ddb_counted_e kinds[] = { DDB_COUNT_GET, DDB_COUNT_PUT, DDB_COUNT_UPDATE, DDB_COUNT_DELETE };
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(names); i++) {
        if (strcmp(operation, names[i]) == 0) {
            return kinds[i];
        }
    }
    return DDB_COUNTED;
}

const char *ddb_count_units(apr_uint64_t halves, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_UINT64_T_FMT ".%d", halves / 2, halves % 2 ? 5 : 0);
}
