/* Recent touches, in shared memory. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_hash.h>

#include "base/ddb_shared.h"
#include "httpd/child/msd_touches.h"

#define SLOTS     8192 /* of 8 bytes; each holds one active session */
#define TIME_BITS 40   /* milliseconds, modulo 34 years; the upper bits distinguish sessions */
#define TIME_MASK ((APR_UINT64_C(1) << TIME_BITS) - 1)

struct msd_touches_t {
    volatile apr_uint64_t *slots;
};

apr_status_t msd_touches_create(msd_touches_t **pr, apr_pool_t *p)
{
    msd_touches_t *r = apr_pcalloc(p, sizeof(*r));
    void *slots = NULL;
    apr_status_t rv = ddb_shared_create(&slots, SLOTS * sizeof(*r->slots), p);

    r->slots = slots;
    if (rv == APR_SUCCESS) {
        *pr = r;
    }
    return rv;
}

/* All characters of a table key are random, so two parts of it are as good as two hashes. */
static apr_uint64_t hash_part(const char *key, apr_size_t from, apr_size_t len)
{
    apr_size_t have = strlen(key);
    apr_ssize_t n = from + len <= have ? (apr_ssize_t)len : 0;

    return apr_hashfunc_default(n ? key + from : key, &n);
}

/** 1 if the slot holds a touch of the same session within interval of mine. */
static int holds(apr_uint64_t slot, apr_uint64_t mine, apr_interval_time_t interval)
{
    apr_int64_t since = (apr_int64_t)(mine & TIME_MASK) - (apr_int64_t)(slot & TIME_MASK);

    /* The difference can be negative: another process may have read the clock a little later than this one. */
    return slot >> TIME_BITS == mine >> TIME_BITS && since < apr_time_as_msec(interval)
           && -since < apr_time_as_msec(interval);
}

static volatile apr_uint64_t *slot_of(const msd_touches_t *r, const char *key)
{
    return &r->slots[hash_part(key, 0, 16) % SLOTS];
}

static apr_uint64_t claim_of(const char *key, apr_time_t now)
{
    return hash_part(key, 16, 16) << TIME_BITS | (apr_uint64_t)(apr_time_as_msec(now) & TIME_MASK);
}

int msd_touches_claim(msd_touches_t *r, const char *key, apr_time_t now, apr_interval_time_t interval)
{
    volatile apr_uint64_t *slot = slot_of(r, key);
    apr_uint64_t mine = claim_of(key, now);
    apr_uint64_t before = apr_atomic_read64(slot);

    if (interval <= 0) {
        return 1;
    }
    while (!holds(before, mine, interval)) {
        apr_uint64_t found = apr_atomic_cas64(slot, mine, before);
        if (found == before) {
            return 1;
        }
        before = found; /* another thread was faster, perhaps for the same session: look again */
    }
    return 0;
}

void msd_touches_release(msd_touches_t *r, const char *key, apr_time_t now)
{
    apr_atomic_cas64(slot_of(r, key), 0, claim_of(key, now));
}
