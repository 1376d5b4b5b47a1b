#ifndef DDB_CLIENT_INT_H
#define DDB_CLIENT_INT_H

#include "aws/ddb_client.h"

/* Between the files of ddb_client. */

struct ddb_client_t {
    ddb_client_opts_t o;
    ddb_sigv4_cache_t *cache;
    int trusted; /* nobody between the service and us can make up a Date */
};

/** One call under way. */
typedef struct ddb_client_run_t {
    ddb_client_t *client;
    const ddb_call_t *call;
    apr_pool_t *pool;    /* of the call */
    apr_pool_t *scratch; /* of the attempt */
    ddb_reply_t *reply;
    ddb_error_t *err;
    const char *access_key_id; /* of the attempt, in scratch */
    const char *provider;      /* of these keys; NULL: they were given */
    ddb_endpoint_t endpoint;   /* of the attempt; an account's own varies with the credentials */
    apr_time_t signed_at;
    apr_interval_time_t offset; /* that signed_at was corrected by */
    ddb_breaker_pass_t pass;
    int charged;  /* attempts that count; those that mend a refusal don't */
    int answered; /* to what was sent last the service said something */
    int mended;   /* MENDED_...: what was mended already and is not tried twice */
    int mend;     /* MENDED_...: what the refusal of the last attempt made better */
    int broken;   /* the last attempt ended without a reply and may have been carried out */
} ddb_client_run_t;

#define MENDED_CLOCK       1
#define MENDED_CREDENTIALS 2

/**
 * What a complete reply comes to: the status of the attempt, and in r what it tells of it (answered, mend). One that is
 * damaged, of somebody else or without sense is no answer.
 */
apr_status_t ddb_client_judge(ddb_client_run_t *r, const ddb_http_response_t *res);

#endif
