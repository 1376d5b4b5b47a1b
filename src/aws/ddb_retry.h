#ifndef DDB_RETRY_H
#define DDB_RETRY_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_crypto.h"

/**
 * How long to wait before trying again, drawn with full jitter: anything from 0 to a bound that doubles with each
 * attempt, so that those who failed together do not come back together. attempt: how many were made, at least 1.
 */
apr_interval_time_t ddb_retry_wait(int attempt, int throttled, ddb_random_fn *random);

/**
 * What all calls together may spend on trying again, as a bucket of tokens: when a store fails for everybody, retries
 * would multiply the load on it just then. Thread safe, without locks. Wherever one is taken, NULL is a bucket that
 * never empties.
 */
typedef struct ddb_retry_budget_t ddb_retry_budget_t;

void ddb_retry_budget_create(ddb_retry_budget_t **pb, apr_pool_t *p);

/** Pay for one retry. @return 0 when there is not enough left for it. */
int ddb_retry_budget_take(ddb_retry_budget_t *b);

/** A call succeeded: what its last retry cost comes back, and a little if it needed none. */
void ddb_retry_budget_give(ddb_retry_budget_t *b, int retried);

#endif
