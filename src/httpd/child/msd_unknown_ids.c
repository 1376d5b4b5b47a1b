/* Table keys known to belong to no session, in shared memory. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "base/ddb_shared.h"
#include "httpd/child/msd_unknown_ids.h"

#define SLOTS 8192            /* of 24 bytes; each holds one key */
#define WHAT  APR_UINT64_C(3) /* the lowest bits of a time */

/**
 * Its words are written one by one, by processes that may use it at the same time or be killed between two writes. Both
 * halves of the mark are combined with the time, so that words that do not belong together match no key, and a mark
 * can't get another mark's time.
 */
typedef struct slot_t {
    volatile apr_uint64_t time; /* monotonic, microseconds; but the lowest bits (WHAT) say why */
    volatile apr_uint64_t a, b; /* halves of the mark, each XOR time */
} slot_t;

struct msd_unknown_ids_t {
    slot_t *slots;
    const unsigned char *secret; /* DDB_SHA256_BYTES */
    const char *table;
    unsigned table_hash;
};

/** The mark of a key, 128 bits of the HMAC-SHA-256 of table and key, and its slot. */
typedef struct mark_t {
    apr_uint64_t a, b;
    slot_t *slot;
} mark_t;

/** The slot of a key. Its table keys are hashes, so that a part of it is as good as another hash. */
static slot_t *slot_of(const msd_unknown_ids_t *m, const char *key)
{
    apr_ssize_t len = (apr_ssize_t)strnlen(key, 16);

    return &m->slots[(apr_hashfunc_default(key, &len) ^ m->table_hash) % SLOTS];
}

static apr_status_t wipe(void *secret)
{
    ddb_crypto_wipe(secret, DDB_SHA256_BYTES);
    return APR_SUCCESS;
}

apr_status_t msd_unknown_ids_create(msd_unknown_ids_t **pm, ddb_random_fn *random, apr_pool_t *p)
{
    msd_unknown_ids_t *m = apr_pcalloc(p, sizeof(*m));
    unsigned char *secret = apr_pcalloc(p, DDB_SHA256_BYTES);
    void *slots = NULL;
    apr_status_t rv = ddb_shared_create(&slots, SLOTS * sizeof(*m->slots), p);

    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(p, secret, wipe, apr_pool_cleanup_null);
        rv = random(secret, DDB_SHA256_BYTES);
    }
    if (rv == APR_SUCCESS) {
        m->slots = slots;
        m->secret = secret;
        m->table = "";
        *pm = m;
    }
    return rv;
}

msd_unknown_ids_t *msd_unknown_ids_of_table(const msd_unknown_ids_t *m, const char *table, apr_pool_t *p)
{
    msd_unknown_ids_t *copy = apr_pmemdup(p, m, sizeof(*m));
    apr_ssize_t len = APR_HASH_KEY_STRING;

    copy->table = apr_pstrdup(p, table);
    copy->table_hash = apr_hashfunc_default(table, &len);
    return copy;
}

static int mark_of(mark_t *mark, const msd_unknown_ids_t *m, const char *key, apr_pool_t *p)
{
    /* Table keys contain no line breaks, so the separator is unambiguous. */
    const char *text = apr_pstrcat(p, key, "\n", m->table, NULL);
    unsigned char mac[DDB_SHA256_BYTES];

    if (ddb_crypto_hmac(DDB_SHA256, mac, (ddb_bytes_t){ m->secret, DDB_SHA256_BYTES },
                        (ddb_bytes_t){ text, strlen(text) })
        != APR_SUCCESS) {
        return 0;
    }
    memcpy(&mark->a, mac, sizeof(mark->a));
    memcpy(&mark->b, mac + sizeof(mark->a), sizeof(mark->b));
    mark->slot = slot_of(m, key);
    return 1;
}

/** The time when the key was found to be unknown; 0 if the slot holds another key. */
static apr_time_t time_of(const mark_t *mark)
{
    apr_uint64_t time = apr_atomic_read64(&mark->slot->time);
    apr_uint64_t a = apr_atomic_read64(&mark->slot->a) ^ time, b = apr_atomic_read64(&mark->slot->b) ^ time;

    return a == mark->a && b == mark->b ? (apr_time_t)time : 0;
}

static int is_recent(apr_time_t then, apr_time_t now)
{
    /* The difference can be negative: another process may have read the clock a little later than this one. */
    return then && now - then < MSD_UNKNOWN_IDS_FOR && then - now < MSD_UNKNOWN_IDS_FOR;
}

/** 1 if the slot of the key was written recently; only then a hash is worth its time. */
static int is_slot_recent(const msd_unknown_ids_t *m, const char *key, apr_time_t now)
{
    return m && is_recent((apr_time_t)apr_atomic_read64(&slot_of(m, key)->time), now);
}

msd_unknown_ids_e msd_unknown_ids_holds(const msd_unknown_ids_t *m, const char *key, apr_time_t now, apr_pool_t *p)
{
    mark_t mark;
    apr_time_t then;

    if (!is_slot_recent(m, key, now) || !mark_of(&mark, m, key, p)) {
        return MSD_UNKNOWN_IDS_NOTHING;
    }
    then = time_of(&mark);
    return is_recent(then, now) ? (msd_unknown_ids_e)(MSD_UNKNOWN_IDS_ABSENT + (then & WHAT)) : MSD_UNKNOWN_IDS_NOTHING;
}

void msd_unknown_ids_add(const msd_unknown_ids_t *m, const char *key, msd_unknown_ids_e what, apr_time_t now,
                         apr_pool_t *p)
{
    apr_uint64_t time = ((apr_uint64_t)now & ~WHAT) | (apr_uint64_t)(what - MSD_UNKNOWN_IDS_ABSENT);
    mark_t mark;

    if (m && mark_of(&mark, m, key, p)) {
        apr_atomic_set64(&mark.slot->time, time);
        apr_atomic_set64(&mark.slot->a, mark.a ^ time);
        apr_atomic_set64(&mark.slot->b, mark.b ^ time);
    }
}

void msd_unknown_ids_forget(const msd_unknown_ids_t *m, const char *key, apr_time_t now, apr_pool_t *p)
{
    mark_t mark;

    if (is_slot_recent(m, key, now) && mark_of(&mark, m, key, p) && time_of(&mark)) {
        apr_atomic_set64(&mark.slot->time, 0);
    }
}
