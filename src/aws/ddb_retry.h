#ifndef DDB_RETRY_H
#define DDB_RETRY_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_crypto.h"

/**
 * The wait before a retry, with full jitter: a random time from 0 to a bound that doubles with each attempt, so that
 * callers that failed together do not retry together. attempt: number of attempts so far, at least 1.
 */
apr_interval_time_t ddb_retry_wait(int attempt, int throttled, ddb_random_fn *random);

/**
 * The retry budget of all calls, a token bucket: when a store fails for all callers, retries would multiply its load
 * just then. Thread safe, without locks. NULL is a budget without limit.
 */
typedef struct ddb_retry_budget_t ddb_retry_budget_t;

void ddb_retry_budget_create(ddb_retry_budget_t **pb, apr_pool_t *p);

/** Pay for one retry. @return 0 when the budget is used up. */
int ddb_retry_budget_take(ddb_retry_budget_t *b);

/** A call succeeded: it earns back the cost of its last retry, or a fraction of it if it succeeded at once. */
void ddb_retry_budget_give(ddb_retry_budget_t *b, int retried);

#endif
