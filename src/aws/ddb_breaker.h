#ifndef DDB_BREAKER_H
#define DDB_BREAKER_H

#include <apr_pools.h>

#include "base/ddb_clock.h"
#include "base/ddb_count.h"
#include "base/ddb_crypto.h"
#include "base/ddb_error.h"

/**
 * Closed as long as the store answers. A number of calls in a row without an answer opens it: calls are turned away at
 * once then, but for one at a time that probes whether the store is back. Any answer closes it. Thread safe: its mutex
 * is held for a few instructions and never across I/O.
 */
typedef struct ddb_breaker_t ddb_breaker_t;

/** A probe should take no longer than this; one that does is taken for lost a little later, and another let through. */
#define DDB_BREAKER_PROBE_MAX apr_time_from_sec(1)

typedef struct ddb_breaker_opts_t {
    const char *store;        /* what notices call it, such as its URL */
    int limit;                /* calls in a row without an answer, at least 1 */
    const ddb_clock_t *clock; /* its monotonic time is used */
    ddb_random_fn *random;    /* for the times of the probes */
    ddb_count_t *count;       /* of openings; NULL: they are not counted */
} ddb_breaker_opts_t;

/** o is copied; what it points to must outlive p. */
apr_status_t ddb_breaker_create(ddb_breaker_t **pb, const ddb_breaker_opts_t *o, apr_pool_t *p);

/** What a call that was let through holds until its end. */
typedef struct ddb_breaker_pass_t {
    int probe;           /* 1: the one that finds out whether the store is back */
    apr_uint32_t number; /* of the probe; else, how many answers there were when the call began */
} ddb_breaker_pass_t;

/** @return 1: go ahead, and report with one of the next three. 0: turned away. */
int ddb_breaker_admit(ddb_breaker_t *b, ddb_breaker_pass_t *pass);

/** The store answered, whatever the answer was. May be said several times in a call. */
void ddb_breaker_answered(ddb_breaker_t *b);

/** The call ended without an answer. Counts only if no other call got one meanwhile. */
void ddb_breaker_failed(ddb_breaker_t *b, const ddb_breaker_pass_t *pass);

/** The call ended before it asked anything. */
void ddb_breaker_unused(ddb_breaker_t *b, const ddb_breaker_pass_t *pass);

/** @return 1, to one caller only, when it is open and was closed, or the reverse, the last time that this said so. */
int ddb_breaker_take_notice(ddb_breaker_t *b, ddb_notice_t *n);

#endif
