/* Recent writes of rows, in shared memory. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_hash.h>

#include "base/ddb_shared.h"
#include "httpd/child/msd_row_changes.h"

#define SLOTS 65536 /* of 8 bytes: a thousand writes a second put one row in seven out of date within ten */

struct msd_row_changes_t {
    volatile apr_uint64_t *slots; /* monotonic, microseconds */
};

apr_status_t msd_row_changes_create(msd_row_changes_t **pc, apr_pool_t *p)
{
    msd_row_changes_t *c = apr_pcalloc(p, sizeof(*c));
    void *slots = NULL;
    apr_status_t rv = ddb_shared_create(&slots, SLOTS * sizeof(*c->slots), p);

    c->slots = slots;
    if (rv == APR_SUCCESS) {
        *pc = c;
    }
    return rv;
}

static volatile apr_uint64_t *slot_of(const msd_row_changes_t *c, const char *key)
{
    apr_ssize_t len = (apr_ssize_t)strlen(key);

    return &c->slots[apr_hashfunc_default(key, &len) % SLOTS];
}

void msd_row_changes_note(msd_row_changes_t *c, const char *key, apr_time_t now)
{
    volatile apr_uint64_t *slot = slot_of(c, key);
    apr_uint64_t before = apr_atomic_read64(slot);

    /* Never back: another process may have read the clock a little later. */
    while (before < (apr_uint64_t)now) {
        apr_uint64_t found = apr_atomic_cas64(slot, (apr_uint64_t)now, before);
        if (found == before) {
            return;
        }
        before = found;
    }
}

apr_time_t msd_row_changes_last(const msd_row_changes_t *c, const char *key)
{
    return (apr_time_t)apr_atomic_read64(slot_of(c, key));
}
