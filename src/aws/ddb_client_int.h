#ifndef DDB_CLIENT_INT_H
#define DDB_CLIENT_INT_H

#include "aws/ddb_client.h"

/* Between the files of ddb_client. */

struct ddb_client_t {
    ddb_client_opts_t o;
    ddb_sigv4_slots_t *slots;
    int trusted; /* 1: no one on the network path can forge a Date */
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
    const char *provider;      /* of these keys; NULL: fixed credentials */
    apr_time_t signed_at;
    apr_interval_time_t offset; /* that signed_at was corrected by */
    ddb_breaker_pass_t pass;
    ddb_count_operation_e operation; /* as it is counted */
    apr_status_t last;               /* of the last attempt */
    int charged;                     /* attempts that count; those that correct a refusal do not */
    int answered;                    /* 1: the service answered the last request */
    int mended; /* MENDED_...: causes of refusals that were corrected and are not corrected twice */
    int mend;   /* MENDED_...: the cause that was corrected after the last attempt */
    int broken; /* 1: the last attempt ended without a reply and may have been carried out */
} ddb_client_run_t;

#define MENDED_CLOCK       1
#define MENDED_CREDENTIALS 2

/**
 * Judge a complete reply: returns the status of the attempt and sets answered and mend in r. A reply that is damaged,
 * comes from another service or makes no sense is not an answer.
 */
apr_status_t ddb_client_judge(ddb_client_run_t *r, const ddb_http_response_t *res);

#endif
