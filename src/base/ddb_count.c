/* The counters in shared memory. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_portable.h>
#include <apr_strings.h>

#include "base/ddb_shared.h"
#include "base/ddb_array.h"
#include "base/ddb_count.h"

/* Threads that add to one cache line wait for each other. Each uses one of 16 copies of all numbers; a copy begins
 * where the processor's prefetcher has not brought along the end of the one before. */
#define COPIES_LOG 4
#define COPIES     (1 << COPIES_LOG)
#define LINES      128 /* bytes: two cache lines */

#define TIMES (DDB_COUNT_BOUNDS + 2) /* numbers of a distribution: the buckets, the sum */
#define WORDS (DDB_COUNTED + (int)DDB_TIMED * TIMES)

/* Words of a copy, rounded up. */
#define COPY ((apr_size_t)(WORDS + LINES / 8 - 1) / (LINES / 8) * (LINES / 8))

const apr_interval_time_t ddb_count_bounds[DDB_COUNT_BOUNDS] = { 1000,  2500,   5000,   7500,   10000,   25000,
                                                                 50000, 100000, 250000, 500000, 1000000, 2500000 };

static const char *const operations[] = { "GetItem", "PutItem", "UpdateItem", "DeleteItem", "other" };
static const char *const outcomes[] = {
    "ok",  "conflict", "throttled", "denied",    "invalid-request", "5xx",      "timeout",  "connect",
    "tls", "broken",   "bad-reply", "too-large", "credentials",     "rejected", "stopping", "other",
};

struct ddb_count_t {
    volatile apr_uint64_t *n; /* COPIES of COPY words */
    apr_uint64_t number;      /* of this process */
};

apr_status_t ddb_count_create(ddb_count_t **pc, apr_pool_t *p)
{
    ddb_count_t *c = apr_pcalloc(p, sizeof(*c));
    void *memory = NULL;
    apr_status_t rv = ddb_shared_create(&memory, COPIES * COPY * sizeof(*c->n) + LINES, p);

    if (rv == APR_SUCCESS) {
        c->n = (volatile apr_uint64_t *)APR_ALIGN((apr_uintptr_t)memory, LINES);
        *pc = c;
    }
    return rv;
}

void ddb_count_spread(ddb_count_t *c, apr_uint64_t number)
{
    if (c) {
        c->number = number;
    }
}

/* This thread's copy. Threads are told apart by where they keep their data, in steps of pages, and processes by number,
 * because after fork all first threads are at the same place. A multiplication by 2^64 divided by the golden ratio
 * spreads both over the highest bits. */
static volatile apr_uint64_t *mine(const ddb_count_t *c)
{
    apr_uint64_t thread = (apr_uint64_t)(apr_uintptr_t)apr_os_thread_current() >> 12;

    return c->n + ((thread + c->number) * APR_UINT64_C(0x9E3779B97F4A7C15) >> (64 - COPIES_LOG)) * COPY;
}

void ddb_count_add(ddb_count_t *c, ddb_counted_e what, apr_uint64_t n)
{
    if (c && n) {
        apr_atomic_add64(&mine(c)[what], n);
    }
}

static ddb_counted_e call_of(ddb_count_operation_e operation, ddb_count_outcome_e outcome)
{
    return (ddb_counted_e)(DDB_COUNT_CALL + (int)operation * (int)DDB_OUTCOMES + (int)outcome);
}

void ddb_count_call(ddb_count_t *c, ddb_count_operation_e operation, ddb_count_outcome_e outcome)
{
    ddb_count_add(c, call_of(operation, outcome), 1);
}

void ddb_count_time(ddb_count_t *c, ddb_timed_e what, apr_interval_time_t took)
{
    volatile apr_uint64_t *times;
    int i = 0;

    if (!c) {
        return;
    }
    while (i < DDB_COUNT_BOUNDS && took > ddb_count_bounds[i]) {
        i++;
    }
    times = mine(c) + DDB_COUNTED + (int)what * TIMES;
    apr_atomic_add64(&times[i], 1);
    apr_atomic_add64(&times[TIMES - 1], took > 0 ? (apr_uint64_t)took : 0);
}

static apr_uint64_t sum(const ddb_count_t *c, int word)
{
    apr_uint64_t n = 0;
    apr_size_t i;

    for (i = 0; c && i < COPIES; i++) {
        n += apr_atomic_read64(&c->n[i * COPY + (apr_size_t)word]);
    }
    return n;
}

apr_uint64_t ddb_count_get(const ddb_count_t *c, ddb_counted_e what)
{
    return sum(c, (int)what);
}

apr_uint64_t ddb_count_calls(const ddb_count_t *c, ddb_count_operation_e operation, ddb_count_outcome_e outcome)
{
    return sum(c, (int)call_of(operation, outcome));
}

void ddb_count_times(const ddb_count_t *c, ddb_timed_e what, ddb_count_times_t *times)
{
    int i, first = DDB_COUNTED + (int)what * TIMES;

    for (i = 0; i <= DDB_COUNT_BOUNDS; i++) {
        times->bucket[i] = sum(c, first + i);
    }
    times->sum = sum(c, first + TIMES - 1);
}

ddb_count_operation_e ddb_count_operation(const char *operation)
{
    int i;

    for (i = 0; i < DDB_COUNT_OPERATIONS && strcmp(operation, operations[i]) != 0; i++) {
    }
    return (ddb_count_operation_e)i;
}

const char *ddb_count_operation_name(ddb_count_operation_e operation)
{
    return operations[operation];
}

const char *ddb_count_outcome_word(ddb_count_outcome_e outcome)
{
    return outcomes[outcome];
}

const char *ddb_count_units(apr_uint64_t halves, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_UINT64_T_FMT ".%d", halves / 2, halves % 2 ? 5 : 0);
}
