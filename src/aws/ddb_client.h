#ifndef DDB_CLIENT_H
#define DDB_CLIENT_H

#include "aws/creds/ddb_creds.h"
#include "aws/ddb_breaker.h"
#include "aws/ddb_endpoint.h"
#include "aws/ddb_reply.h"
#include "aws/ddb_retry.h"
#include "aws/ddb_skew.h"
#include "base/ddb_clock.h"
#include "base/ddb_count.h"
#include "base/ddb_crypto.h"
#include "base/ddb_http.h"

typedef struct ddb_client_t ddb_client_t;

typedef struct ddb_client_opts_t {
    ddb_endpoint_t endpoint;
    apr_interval_time_t connect_timeout; /* microseconds, of one attempt */
    int max_attempts;                    /* at least 1 */
    const ddb_http_transport_t *http;
    ddb_creds_t *creds;
    const ddb_clock_t *clock;   /* with skew: ddb_skew_clock's */
    ddb_random_fn *random;      /* for the jitter of the backoff */
    ddb_breaker_t *breaker;     /* NULL: every call is sent, whatever the results of those before */
    ddb_retry_budget_t *budget; /* NULL: without limit */
    ddb_skew_t *skew;           /* NULL: a wrong clock is reported, not corrected */
    ddb_count_t *count;         /* of calls and of what they consume; NULL: nothing is counted */
} ddb_client_opts_t;

/** o is copied; what it points to must outlive p. */
apr_status_t ddb_client_create(ddb_client_t **pc, const ddb_client_opts_t *o, apr_pool_t *p);

/**
 * Parse a successful reply, and set its consumed. @return DDB_EBADREPLY, with a detail in the call's err, for a reply
 * that makes no sense: the call is retried. Any other status is for the caller only.
 */
typedef apr_status_t ddb_read_fn(void *baton, ddb_reply_t *reply);

typedef struct ddb_call_t {
    const char *operation; /* such as "GetItem" */
    const char *body;      /* JSON */
    apr_time_t deadline;   /* on the clock's monotonic time: the wait for credentials, all attempts and the waits
                               between them; nothing is sent after it */
    ddb_cancel_t *cancel;  /* when set, nothing more is sent; NULL: never set */
    ddb_read_fn *read;     /* of a call that changes nothing; NULL: a write, which a reply that makes no sense ends,
                               because it was carried out */
    void *baton;
} ddb_call_t;

/**
 * One API call: signed anew for each attempt, retried with full jitter (25 ms doubling to 400 ms; throttled: from
 * 100 ms) while attempts, time and budget are left, replies checked against x-amz-crc32. A refusal that a wrong clock
 * or replaced credentials explain is corrected and retried once, beyond the attempts. Thread safe. err is reset first
 * and filled also on success (attempts, unsettled: an earlier attempt may have been carried out). While the breaker is
 * open the call fails at once with DDB_EUNAVAILABLE and no attempt, or is the one attempt that probes.
 * The breaker learns of calls that were sent only.
 * @return APR_SUCCESS; DDB_ECONFLICT for ConditionalCheckFailedException, with its body in *reply; APR_TIMEUP when the
 *         deadline passed; APR_EINTR when cancelled; else a word of ddb_error.h.
 */
apr_status_t ddb_client_call(ddb_client_t *c, const ddb_call_t *call, apr_pool_t *p, ddb_reply_t *reply,
                             ddb_error_t *err);

#endif
