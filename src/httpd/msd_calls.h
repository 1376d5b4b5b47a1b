#ifndef MSD_CALLS_H
#define MSD_CALLS_H

#include "httpd/child/msd_store_notices.h"
#include "httpd/msd_session.h"

/*
 * The store calls of one request tree. They share one time budget, which only counts time spent in calls, not the
 * handler's own time between them.
 */

/** Part of the tree's state; all zero before the first load. */
typedef struct msd_calls_t {
    server_rec *server;
    ddb_store_t *store;       /* NULL: this child has no store */
    const ddb_clock_t *clock; /* the store's; the system clock without a store */
    const msd_store_notices_t *notices;
    apr_interval_time_t budget; /* the remainder of SessionDynamoDBTimeout */
    apr_interval_time_t spent;
    int count; /* number of calls to the table */
} msd_calls_t;

/** The arguments of the store calls between begin and end. */
typedef struct msd_calls_batch_t {
    ddb_store_call_t call;
    ddb_sid_rules_t rules;
    apr_time_t started;
} msd_calls_batch_t;

/** Start with the store, the clock and the full budget of server. Called when the tree's first session is loaded. */
void msd_calls_init(msd_calls_t *calls, server_rec *server);

/** @return APR_SUCCESS if there is a store; otherwise DDB_ECONFIG, with the reason in err. */
apr_status_t msd_calls_check(const msd_calls_t *calls, ddb_error_t *err);

/** Begin one or more calls for s. batch must stay valid, at the same address, until msd_calls_end. */
void msd_calls_begin(msd_calls_t *calls, msd_session_t *s, msd_calls_batch_t *batch);
void msd_calls_end(msd_calls_t *calls, const msd_calls_batch_t *batch);

/** At the end of the tree: count the time that it spent, if it asked the store at all. */
void msd_calls_count(const msd_calls_t *calls);

#endif
