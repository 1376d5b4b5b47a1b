/* The choice of failures to log, and the count of the others. */

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/ddb_shared.h"
#include "httpd/child/msd_failure_log.h"

#define EVERY apr_time_from_sec(1)
#define QUIET (2 * EVERY) /* this long after a line, no further line of its kind is expected to report the rest */

typedef struct kind_t {
    volatile apr_uint64_t last; /* time of the last line; 0: no line yet */
    volatile apr_uint64_t left; /* number of failures not logged since */
} kind_t;

struct msd_failure_log_t {
    kind_t *kinds; /* MSD_FAILURE_LOG_KINDS */
};

apr_status_t msd_failure_log_create(msd_failure_log_t **po, apr_pool_t *p)
{
    msd_failure_log_t *o = apr_pcalloc(p, sizeof(*o));
    void *kinds = NULL;
    apr_status_t rv = ddb_shared_create(&kinds, MSD_FAILURE_LOG_KINDS * sizeof(*o->kinds), p);

    o->kinds = kinds;
    if (rv == APR_SUCCESS) {
        *po = o;
    }
    return rv;
}

/** 1 if the last line of the kind is at least interval ago. last may be after now: another process may have read the
 * clock a little later. */
static int is_past(apr_uint64_t last, apr_time_t now, apr_interval_time_t interval)
{
    return !last || now - (apr_time_t)last >= interval;
}

const char *msd_failure_log_line(msd_failure_log_t *o, msd_failure_log_e kind, apr_time_t now, apr_pool_t *p)
{
    kind_t *k = o ? &o->kinds[kind] : NULL;
    apr_uint64_t last = k ? apr_atomic_read64(&k->last) : 0, left;

    if (!k) {
        return "";
    }
    if (!is_past(last, now, EVERY) || apr_atomic_cas64(&k->last, (apr_uint64_t)now, last) != last) {
        apr_atomic_inc64(&k->left);
        return NULL;
    }
    left = apr_atomic_xchg64(&k->left, 0);
    return left ? apr_psprintf(p, "; %" APR_UINT64_T_FMT " more since the last line of this kind", left) : "";
}

const char *msd_failure_log_rest(msd_failure_log_t *o, apr_time_t now, apr_pool_t *p)
{
    apr_uint64_t left = 0;
    int i;

    for (i = 0; o && i < MSD_FAILURE_LOG_KINDS; i++) {
        kind_t *k = &o->kinds[i];

        if (apr_atomic_read64(&k->left) && is_past(apr_atomic_read64(&k->last), now, QUIET)) {
            left += apr_atomic_xchg64(&k->left, 0);
        }
    }
    return left ? apr_psprintf(p,
                               "%" APR_UINT64_T_FMT " more failures or refusals, "
                               "not logged because of the limit of one line a second",
                               left)
                : NULL;
}
