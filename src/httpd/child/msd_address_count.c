/* Counts for client addresses, in shared memory. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/ddb_address.h"
#include "base/ddb_shared.h"
#include "base/ddb_siphash.h"
#include "httpd/child/msd_address_count.h"

#define SETS   2048
#define WAYS   4  /* slots of a set; an address may use any of its set */
#define VALUES 24 /* that are remembered of an address */

#define SECRET_BYTES (2 * DDB_SIPHASH_KEY) /* for tags, and for sets */
#define KEY_MOST     64                    /* bytes */

/* The state of a slot, from its upper end: when the window began (milliseconds, modulo 8 years), its length in seconds,
 * and the count. One atomic instruction changes them together. */
#define SECONDS_BITS 12
#define COUNT_BITS   14
#define START_SHIFT  (SECONDS_BITS + COUNT_BITS)
#define START_MASK   ((APR_UINT64_C(1) << (64 - START_SHIFT)) - 1)
#define COUNT_MASK   ((APR_UINT64_C(1) << COUNT_BITS) - 1)

#define AHEAD_MOST                                                                                                     \
    60000 /* milliseconds that a window may seem to begin in the future: for who has read the clock earlier */

/**
 * Its words are written one by one, by processes that may use it at the same time or be killed between two writes. No
 * two windows of a slot begin at the same time, and the tag is combined with that time: a tag that is written late, or
 * not at all, is nobody's, and no address gets another one's count.
 */
typedef struct slot_t {
    volatile apr_uint64_t state; /* 0: never used */
    volatile apr_uint64_t tag;   /* of its address, XOR when the window began */
} slot_t;

struct msd_address_count_t {
    slot_t *slots;
    volatile apr_uint32_t *values; /* VALUES of each slot, each XOR when the window began; NULL: not remembered */
    const unsigned char *secret;   /* SECRET_BYTES */
};

/** An address in the table. */
typedef struct address_key_t {
    apr_uint64_t tag;
    slot_t *set; /* the first of WAYS */
    int seconds;
    apr_uint64_t now; /* milliseconds */
} address_key_t;

static apr_status_t wipe(void *secret)
{
    ddb_crypto_wipe(secret, SECRET_BYTES);
    return APR_SUCCESS;
}

apr_status_t msd_address_count_create(msd_address_count_t **pm, int values, ddb_random_fn *random, apr_pool_t *p)
{
    msd_address_count_t *m = apr_pcalloc(p, sizeof(*m));
    unsigned char *secret = apr_pcalloc(p, SECRET_BYTES);
    void *slots = NULL, *remembered = NULL;
    apr_status_t rv = ddb_shared_create(&slots, SETS * WAYS * sizeof(*m->slots), p);

    if (rv == APR_SUCCESS && values) {
        rv = ddb_shared_create(&remembered, SETS * WAYS * VALUES * sizeof(*m->values), p);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(p, secret, wipe, apr_pool_cleanup_null);
        rv = random(secret, SECRET_BYTES);
    }
    if (rv == APR_SUCCESS) {
        m->slots = slots;
        m->values = remembered;
        m->secret = secret;
        *pm = m;
    }
    return rv;
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

/** What ip counts as: an address of IPv4, or a network of IPv6. @return 0: it is no IP address. */
static int counted_as(ddb_address_t *a, const char *ip)
{
    int is_address = ddb_address_read(a, ip);

    ddb_address_mask(a, 32, 64);
    return is_address;
}

const char *msd_address_count_name(const char *ip, apr_pool_t *p)
{
    ddb_address_t a;

    return !counted_as(&a, ip) ? apr_pstrdup(p, ip)
                               : apr_pstrcat(p, ddb_address_text(&a, p), a.len == 4 ? NULL : "/64", NULL);
}

/** What the table knows an address by: the limit, and the address as it counts. What is no address counts as it is. */
static apr_size_t describe_key(unsigned char text[KEY_MOST], const msd_address_count_of_t *of)
{
    const apr_uint16_t limit[] = { (apr_uint16_t)of->most, (apr_uint16_t)of->seconds };
    ddb_address_t a;
    apr_size_t len = counted_as(&a, of->ip) ? a.len : 0;

    memcpy(text + 1, limit, sizeof(limit));
    text[0] = (unsigned char)len;
    if (len) {
        memcpy(text + 1 + sizeof(limit), a.bytes, len);
    }
    else {
        len = strnlen(of->ip, KEY_MOST - 1 - sizeof(limit));
        memcpy(text + 1 + sizeof(limit), of->ip, len);
    }
    return 1 + sizeof(limit) + len;
}

static address_key_t find_key(const msd_address_count_t *m, const msd_address_count_of_t *of, apr_time_t now)
{
    unsigned char text[KEY_MOST];
    apr_size_t len = describe_key(text, of);

    return (address_key_t){ .tag = ddb_siphash(m->secret, text, len),
                            .set = &m->slots[(ddb_siphash(m->secret + DDB_SIPHASH_KEY, text, len) % SETS) * WAYS],
                            .seconds = of->seconds,
                            .now = (apr_uint64_t)apr_time_as_msec(now) & START_MASK };
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static apr_uint64_t start_of(apr_uint64_t state)
{
    return state >> START_SHIFT;
}

static int count_of(apr_uint64_t state)
{
    return (int)(state & COUNT_MASK);
}

static int seconds_of(apr_uint64_t state)
{
    return (int)(state >> COUNT_BITS & ((1U << SECONDS_BITS) - 1));
}

/** Milliseconds since the window began. Negative: another process may have read the clock a little later than this. */
static apr_int64_t age_of(apr_uint64_t state, apr_uint64_t now)
{
    return (apr_int64_t)((now - start_of(state)) << START_SHIFT) / (APR_INT64_C(1) << START_SHIFT);
}

/** Milliseconds until the window ends; 0 or less: it is over, or there was none. */
static apr_int64_t left_of(apr_uint64_t state, apr_uint64_t now)
{
    apr_int64_t age = age_of(state, now);

    return state && age > -AHEAD_MOST ? (apr_int64_t)seconds_of(state) * 1000 - (age > 0 ? age : 0) : 0;
}

/** The slot of the address; NULL if it has none. *state: the slot's. */
static slot_t *find(const address_key_t *key, apr_uint64_t *state)
{
    int i;

    for (i = 0; i < WAYS; i++) {
        slot_t *slot = &key->set[i];

        *state = apr_atomic_read64(&slot->state);
        if (*state && (apr_atomic_read64(&slot->tag) ^ start_of(*state)) == key->tag) {
            return slot;
        }
    }
    return NULL;
}

/** The slot that an address without one gets: one whose window is over, or else the one with the lowest count. */
static slot_t *find_victim(const address_key_t *key, apr_uint64_t *state)
{
    slot_t *victim = NULL;
    int i, least = 0;

    for (i = 0; i < WAYS; i++) {
        apr_uint64_t found = apr_atomic_read64(&key->set[i].state);
        int worth = left_of(found, key->now) > 0 ? count_of(found) : 0;

        if (!victim || worth < least) {
            victim = &key->set[i];
            least = worth;
            *state = found;
        }
    }
    return victim;
}

/** The state of a window that begins now, with a count of 1. It begins later than the slot's last one, by a
 * millisecond if need be: writers of that one may not have finished. */
static apr_uint64_t begin(const address_key_t *key, apr_uint64_t last)
{
    apr_int64_t age = age_of(last, key->now);
    apr_uint64_t start = last && age <= 0 && age > -AHEAD_MOST ? (start_of(last) + 1) & START_MASK : key->now;

    return start << START_SHIFT | (apr_uint64_t)key->seconds << COUNT_BITS | 1;
}

/** Count one. @return the new state. */
static apr_uint64_t count_one(const address_key_t *key, slot_t **pslot)
{
    for (;;) {
        apr_uint64_t state = 0, next;
        slot_t *slot = find(key, &state);
        int goes_on = slot && left_of(state, key->now) > 0;

        if (goes_on) {
            next = count_of(state) < (int)COUNT_MASK ? state + 1 : state;
        }
        else {
            slot = slot ? slot : find_victim(key, &state);
            next = begin(key, state);
        }
        if (apr_atomic_cas64(&slot->state, next, state) == state) {
            if (!goes_on) {
                apr_atomic_set64(&slot->tag, key->tag ^ start_of(next));
            }
            *pslot = slot;
            return next;
        }
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static volatile apr_uint32_t *values_of(const msd_address_count_t *m, const slot_t *slot)
{
    return &m->values[(slot - m->slots) * VALUES];
}

static apr_uint32_t hash_of(const msd_address_count_t *m, const char *value)
{
    return (apr_uint32_t)ddb_siphash(m->secret, value, strlen(value));
}

/** 1 if the value is among those of the slot's window. */
static int holds(const msd_address_count_t *m, const slot_t *slot, apr_uint64_t state, apr_uint32_t hash)
{
    volatile apr_uint32_t *values = values_of(m, slot);
    int i;

    for (i = 0; i < VALUES; i++) {
        if ((apr_atomic_read32(&values[i]) ^ (apr_uint32_t)start_of(state)) == hash) {
            return 1;
        }
    }
    return 0;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static msd_address_counted_t describe(const address_key_t *key, apr_uint64_t state, int added)
{
    return (msd_address_counted_t){ .count = count_of(state),
                                    .added = added,
                                    .left = (int)((left_of(state, key->now) + 999) / 1000) };
}

msd_address_counted_t msd_address_count_add(const msd_address_count_t *m, const msd_address_count_of_t *of,
                                            const char *value, apr_time_t now)
{
    address_key_t key;
    apr_uint64_t state = 0;
    apr_uint32_t hash = 0;
    slot_t *slot;

    if (!m) {
        return (msd_address_counted_t){ .count = 0 };
    }
    key = find_key(m, of, now);
    if (value) {
        hash = hash_of(m, value);
        slot = find(&key, &state);
        if (slot && left_of(state, key.now) > 0 && holds(m, slot, state, hash)) {
            return describe(&key, state, 0);
        }
    }
    state = count_one(&key, &slot);
    if (value) {
        apr_atomic_set32(&values_of(m, slot)[count_of(state) % VALUES], hash ^ (apr_uint32_t)start_of(state));
    }
    return describe(&key, state, 1);
}

void msd_address_count_take_back(const msd_address_count_t *m, const msd_address_count_of_t *of, apr_time_t now)
{
    address_key_t key;
    apr_uint64_t state = 0;
    slot_t *slot;

    if (!m) {
        return;
    }
    key = find_key(m, of, now);
    slot = find(&key, &state);
    while (slot && left_of(state, key.now) > 0 && count_of(state) > 0
           && apr_atomic_cas64(&slot->state, state - 1, state) != state) {
        slot = find(&key, &state);
    }
}
