/* The store calls of one request tree: settings, deadline, budget. */

#include "httpd/child/msd_child.h"
#include "httpd/msd_calls.h"

void msd_calls_init(msd_calls_t *calls, server_rec *server)
{
    calls->server = server;
    calls->store = msd_child_store(server);
    calls->clock = msd_child_clock(server);
    calls->notices = msd_child_notices(server);
    calls->budget = msd_config_server(server)->timeout;
}

apr_status_t msd_calls_check(const msd_calls_t *calls, ddb_error_t *err)
{
    return calls->store ? APR_SUCCESS
                        : ddb_error_set(err, DDB_ECONFIG,
                                        "the session store is not available: see the earlier lines of the log, or run "
                                        "apachectl configtest");
}

void msd_calls_begin(msd_calls_t *calls, msd_session_t *s, msd_calls_batch_t *batch)
{
    ddb_store_call_t *call = &batch->call;

    batch->started = ddb_clock_monotonic(calls->clock);
    msd_config_rules(&batch->rules, s->conf);
    call->rules = &batch->rules;
    call->key = NULL;
    call->format = s->conf->format;
    call->seal = s->conf->seal;
    call->compress = (apr_size_t)s->conf->compress;
    call->max_size = (apr_size_t)s->conf->max_size;
    call->consistent = s->conf->consistent_read;
    call->grace = s->conf->renew_grace;
    call->now = s->now;
    call->time = ddb_clock_wall(calls->clock);
    call->deadline = batch->started + calls->budget;
    call->cancel = NULL; /* never cancelled: a client is waiting for the response */
    call->pool = s->pool;
    call->err = &s->error;
    call->calls = &calls->count;
    call->reader = NULL;
    call->announce = NULL;
}

void msd_calls_end(msd_calls_t *calls, const msd_calls_batch_t *batch)
{
    apr_interval_time_t took = ddb_clock_monotonic(calls->clock) - batch->started;

    calls->spent += took;
    calls->budget -= took;
    if (calls->budget < 0) {
        calls->budget = 0;
    }
    msd_store_notices_log(calls->server, calls->notices);
}

void msd_calls_count(const msd_calls_t *calls)
{
    if (calls->count > 0 || calls->spent > 0) {
        ddb_count_time(msd_config_server(calls->server)->count, DDB_TIME_REQUEST, calls->spent);
    }
}
