#ifndef DDB_BREAKER_H
#define DDB_BREAKER_H

#include <apr_pools.h>

#include "base/ddb_clock.h"
#include "base/ddb_count.h"
#include "base/ddb_crypto.h"
#include "base/ddb_error.h"

/**
 * The circuit breaker: closed while the store answers. A number of consecutive unanswered calls opens it: calls are
 * then rejected at once, except for one at a time that probes the store. Any answer closes it. Thread safe: its mutex
 * is held for a few instructions and never across I/O.
 */
typedef struct ddb_breaker_t ddb_breaker_t;

/** The longest time a probe should take; a little later it counts as lost, and another one is admitted. */
#define DDB_BREAKER_PROBE_MAX apr_time_from_sec(1)

/** What it is doing, for those who show it. */
typedef enum ddb_breaker_state_e {
    DDB_BREAKER_CLOSED = 1,
    DDB_BREAKER_OPEN,
    DDB_BREAKER_HALF_OPEN /* a probe is under way */
} ddb_breaker_state_e;

typedef struct ddb_breaker_opts_t {
    const char *store;            /* its name in notices, such as its URL */
    int limit;                    /* consecutive unanswered calls that open it, at least 1 */
    const ddb_clock_t *clock;     /* its monotonic time is used */
    ddb_random_fn *random;        /* for the times of the probes */
    ddb_count_t *count;           /* of openings; NULL: they are not counted */
    volatile apr_uint32_t *state; /* receives its state; NULL: not wanted */
} ddb_breaker_opts_t;

/** o is copied; what it points to must outlive p. */
apr_status_t ddb_breaker_create(ddb_breaker_t **pb, const ddb_breaker_opts_t *o, apr_pool_t *p);

/** Held by an admitted call until its end. */
typedef struct ddb_breaker_pass_t {
    int probe;           /* 1: the call probes the store */
    apr_uint32_t number; /* of the probe; otherwise the number of answers when the call began */
} ddb_breaker_pass_t;

/** @return 1: send the call, and report with one of the next three functions. 0: rejected. */
int ddb_breaker_admit(ddb_breaker_t *b, ddb_breaker_pass_t *pass);

/** The store answered, whatever the answer was. Can be called several times for a call. */
void ddb_breaker_answered(ddb_breaker_t *b);

/** The call ended without an answer. Counts only if no other call got an answer meanwhile. */
void ddb_breaker_failed(ddb_breaker_t *b, const ddb_breaker_pass_t *pass);

/** The call ended before anything was sent. */
void ddb_breaker_unused(ddb_breaker_t *b, const ddb_breaker_pass_t *pass);

/** @return 1, to one caller only, when it has opened or closed since the last notice. */
int ddb_breaker_take_notice(ddb_breaker_t *b, ddb_notice_t *n);

#endif
