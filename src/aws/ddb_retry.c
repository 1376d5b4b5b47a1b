/* Trying again: after which wait, and how much of it all calls together may do. */

#include <apr_atomic.h>

#include "aws/ddb_retry.h"

#define WAIT           apr_time_from_msec(25) /* bound of the first wait; doubles with each */
#define WAIT_THROTTLED apr_time_from_msec(100)
#define WAIT_MAX       apr_time_from_msec(400)

/* As AWS's SDKs have it in their standard mode. */
#define TOKENS_MAX   500
#define COST         5
#define UNTRIED_GAIN 1

struct ddb_retry_budget_t {
    volatile apr_uint32_t tokens;
};

apr_interval_time_t ddb_retry_wait(int attempt, int throttled, ddb_random_fn *random)
{
    apr_interval_time_t bound = throttled ? WAIT_THROTTLED : WAIT;
    apr_uint32_t drawn;
    int i;

    for (i = 1; i < attempt && bound < WAIT_MAX; i++) {
        bound *= 2;
    }
    if (bound > WAIT_MAX) {
        bound = WAIT_MAX;
    }
    return random(&drawn, sizeof(drawn)) == APR_SUCCESS ? drawn % (bound + 1) : bound;
}

void ddb_retry_budget_create(ddb_retry_budget_t **pb, apr_pool_t *p)
{
    *pb = apr_palloc(p, sizeof(**pb));
    (*pb)->tokens = TOKENS_MAX;
}

int ddb_retry_budget_take(ddb_retry_budget_t *b)
{
    apr_uint32_t tokens;

    if (!b) {
        return 1;
    }
    do {
        tokens = apr_atomic_read32(&b->tokens);
        if (tokens < COST) {
            return 0;
        }
    } while (apr_atomic_cas32(&b->tokens, tokens - COST, tokens) != tokens);
    return 1;
}

void ddb_retry_budget_give(ddb_retry_budget_t *b, int retried)
{
    apr_uint32_t tokens, after;

    if (!b) {
        return;
    }
    do {
        tokens = apr_atomic_read32(&b->tokens);
        if (tokens == TOKENS_MAX) {
            return; /* the usual case: no write to memory that all threads share */
        }
        after = tokens + (retried ? COST : UNTRIED_GAIN);
        after = after < TOKENS_MAX ? after : TOKENS_MAX;
    } while (apr_atomic_cas32(&b->tokens, after, tokens) != tokens);
}
