/* The counters, for mod_status and for the log at the end. */

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "aws/ddb_breaker.h"
#include "base/ddb_array.h"
#include "base/ddb_metrics.h"
#include "httpd/child/msd_counts.h"
#include "httpd/child/msd_gauges.h"
#include "httpd/child/msd_status.h"
#include "httpd/conf/msd_config.h"

APLOG_USE_MODULE(session_dynamodb);

/** A number, and what it is the sum of, over all tables. */
typedef struct shown_t {
    apr_uint64_t (*sum)(const msd_counts_t *counts, const struct shown_t *shown);
    int what;        /* for sum */
    const char *key; /* follows SessionDynamoDB in the lines for programs */
    const char *label;
    const char *events; /* of sum_events, with spaces around each */
} shown_t;

static apr_uint64_t sum_count(const msd_counts_t *counts, const shown_t *shown)
{
    return msd_counts_sum(counts, (ddb_counted_e)shown->what);
}

static apr_uint64_t sum_limited(const msd_counts_t *counts, const shown_t *shown)
{
    (void)shown;
    return msd_counts_sum(counts, DDB_COUNT_LIMITED_GUESSES) + msd_counts_sum(counts, DDB_COUNT_LIMITED_SESSIONS);
}

static apr_uint64_t sum_dropped(const msd_counts_t *counts, const shown_t *shown)
{
    apr_uint64_t n = 0;
    int i;

    (void)shown;
    for (i = 0; i < DDB_COUNT_WRITES; i++) {
        n += msd_counts_sum(counts, (ddb_counted_e)(DDB_COUNT_DROPPED + i));
    }
    return n;
}

static apr_uint64_t sum_events(const msd_counts_t *counts, const shown_t *shown)
{
    const msd_counts_event_t *e;
    apr_uint64_t n = 0;
    char word[32];
    int i;

    for (i = 0; (e = msd_counts_event(i)) != NULL; i++) {
        apr_snprintf(word, sizeof(word), " %s ", e->event);
        if (strstr(shown->events, word)) {
            n += msd_counts_sum(counts, (ddb_counted_e)(DDB_COUNT_EVENT + i));
        }
    }
    return n;
}

static apr_uint64_t calls(const msd_counts_t *counts, int operation, int outcome)
{
    return msd_counts_sum(counts, (ddb_counted_e)(DDB_COUNT_CALL + operation * (int)DDB_OUTCOMES + outcome));
}

/** Calls of one operation that were made. */
static apr_uint64_t sum_operation(const msd_counts_t *counts, const shown_t *shown)
{
    apr_uint64_t n = 0;
    int i;

    for (i = 0; i < DDB_OUTCOMES; i++) {
        n += i == DDB_OUTCOME_REJECTED ? 0 : calls(counts, shown->what, i);
    }
    return n;
}

/** Calls with one outcome. */
static apr_uint64_t sum_outcome(const msd_counts_t *counts, const shown_t *shown)
{
    apr_uint64_t n = 0;
    int i;

    for (i = 0; i < DDB_COUNT_OPERATIONS; i++) {
        n += calls(counts, i, shown->what);
    }
    return n;
}

static apr_uint64_t sum_failed(const msd_counts_t *counts, const shown_t *shown)
{
    apr_uint64_t n = 0;
    int i;

    (void)shown;
    for (i = DDB_OUTCOME_CONFLICT + 1; i < DDB_OUTCOMES; i++) {
        shown_t outcome = { .what = i };

        n += i == DDB_OUTCOME_REJECTED ? 0 : sum_outcome(counts, &outcome);
    }
    return n;
}

enum { NUMBER, SUM };

/** Times from one kind to another: their number, or their sum in microseconds. */
static apr_uint64_t sum_times(const msd_counts_t *counts, const shown_t *shown, ddb_timed_e from, ddb_timed_e to)
{
    apr_uint64_t n = 0;
    int i, kind, bucket;

    for (i = 0; i < counts->tables->nelts; i++) {
        for (kind = (int)from; kind <= (int)to; kind++) {
            ddb_count_times_t times;

            ddb_count_times(APR_ARRAY_IDX(counts->tables, i, msd_counts_table_t).count, (ddb_timed_e)kind, &times);
            n += shown->what == SUM ? times.sum : 0;
            for (bucket = 0; shown->what == NUMBER && bucket <= DDB_COUNT_BOUNDS; bucket++) {
                n += times.bucket[bucket];
            }
        }
    }
    return n;
}

static apr_uint64_t sum_attempts(const msd_counts_t *counts, const shown_t *shown)
{
    return sum_times(counts, shown, DDB_TIME_ATTEMPT, (ddb_timed_e)(DDB_TIME_ATTEMPT + (int)DDB_COUNT_DELETE));
}

static apr_uint64_t sum_requests(const msd_counts_t *counts, const shown_t *shown)
{
    return sum_times(counts, shown, DDB_TIME_REQUEST, DDB_TIME_REQUEST);
}

static const shown_t shown[] = {
    { sum_count, DDB_COUNT_READ_HALVES, "ReadUnits", "Read units consumed", NULL },
    { sum_count, DDB_COUNT_WRITE_HALVES, "WriteUnits", "Write units consumed, excluding failed conditions", NULL },
    { sum_operation, DDB_COUNT_GET, "GetItem", "GetItem calls", NULL },
    { sum_operation, DDB_COUNT_PUT, "PutItem", "PutItem calls", NULL },
    { sum_operation, DDB_COUNT_UPDATE, "UpdateItem", "UpdateItem calls", NULL },
    { sum_operation, DDB_COUNT_DELETE, "DeleteItem", "DeleteItem calls", NULL },
    { sum_failed, 0, "FailedCalls", "Failed calls", NULL },
    { sum_outcome, DDB_OUTCOME_CONFLICT, "FailedConditions", "Calls with a failed condition", NULL },
    { sum_outcome, DDB_OUTCOME_THROTTLED, "FailedThrottled", "Calls that failed: throttled", NULL },
    { sum_outcome, DDB_OUTCOME_DENIED, "FailedDenied", "... denied", NULL },
    { sum_outcome, DDB_OUTCOME_SERVER_ERROR, "Failed5xx", "... server error", NULL },
    { sum_outcome, DDB_OUTCOME_TIMEOUT, "FailedTimeout", "... no answer in time", NULL },
    { sum_outcome, DDB_OUTCOME_CONNECT, "FailedConnect", "... no connection", NULL },
    { sum_outcome, DDB_OUTCOME_TLS, "FailedTLS", "... no TLS", NULL },
    { sum_outcome, DDB_OUTCOME_CREDENTIALS, "FailedCredentials", "... no credentials", NULL },
    { sum_count, DDB_COUNT_RETRY, "Retries", "Retries", NULL },
    { sum_count, DDB_COUNT_THROTTLED, "Throttled", "Throttled attempts", NULL },
    { sum_outcome, DDB_OUTCOME_REJECTED, "TurnedAway", "Calls rejected by an open circuit breaker", NULL },
    { sum_count, DDB_COUNT_OPENED, "BreakerOpened", "Circuit breaker openings in all child processes", NULL },
    { sum_count, DDB_COUNT_CONNECTED, "ConnectionsOpened", "Connections opened", NULL },
    { sum_count, DDB_COUNT_REUSED, "ConnectionsReused", "Attempts on a connection that stood", NULL },
    { sum_attempts, NUMBER, "Attempts", "Attempts", NULL },
    { sum_attempts, SUM, "AttemptSeconds", "... which took, seconds", NULL },
    { sum_requests, NUMBER, "Requests", "Requests that asked the store", NULL },
    { sum_requests, SUM, "RequestSeconds", "... which waited for it, seconds", NULL },
    { sum_dropped, 0, "Dropped", "Queued writes that were never sent", NULL },
    { sum_count, DDB_COUNT_LOADED, "Loaded", "Requests with a session", NULL },
    { sum_events, 0, "Created", "Sessions created", " created " },
    { sum_events, 0, "Renewed", "Sessions renewed", " renewed " },
    { sum_events, 0, "Ended", "Sessions ended by requests", " ended revoked " },
    { sum_events, 0, "Failures", "Sessions that could not be read, stored or ended", " failed " },
    { sum_count, DDB_COUNT_MERGED, "Merged", "Changes merged with those of another request", NULL },
    { sum_count, DDB_COUNT_REFUSED, "RefusedIDs", "Refused session IDs", NULL },
    { sum_limited, 0, "Limited", "Requests refused by a limit of guesses or new sessions", NULL },
    { sum_count, DDB_COUNT_CACHED_READ, "CachedReads", "Reads answered by the cache", NULL },
    { sum_count, DDB_COUNT_SHARED_READ, "SharedReads", "Reads shared with another request", NULL },
};

#define SHOWN ((int)DDB_ARRAY_LENGTH(shown))

static int is_capacity(const shown_t *row)
{
    return row->sum == sum_count && (row->what == DDB_COUNT_READ_HALVES || row->what == DDB_COUNT_WRITE_HALVES);
}

static const char *value_of(const msd_counts_t *counts, const shown_t *row, apr_pool_t *p)
{
    apr_uint64_t n = row->sum(counts, row);

    if (is_capacity(row)) {
        return ddb_count_units(n, p);
    }
    return (row->sum == sum_attempts || row->sum == sum_requests) && row->what == SUM
               ? ddb_metrics_seconds(n, p)
               : apr_psprintf(p, "%" APR_UINT64_T_FMT, n);
}

/* ---- mod_status -------------------------------------------------------------------------------------------------- */

static void show_row(request_rec *r, int flags, const shown_t *row, const char *value)
{
    if (flags & AP_STATUS_SHORT) {
        ap_rprintf(r, "SessionDynamoDB%s: %s\n", row->key, value);
    }
    else {
        ap_rprintf(r, "<tr><th align=\"left\">%s</th><td align=\"right\">%s</td></tr>\n", row->label, value);
    }
}

/** What all children together say of themselves now: circuit breakers that are not closed, queued writes. */
static void show_gauges(request_rec *r, int flags)
{
    static const shown_t open = { .key = "BreakersOpen", .label = "Circuit breakers that are open, now" };
    static const shown_t queued = { .key = "Queued", .label = "Queued writes, now" };
    const msd_gauges_t *gauges = msd_config_server(r->server)->gauges;
    const apr_array_header_t *places = msd_gauges_places(gauges, r->pool);
    int i, number, n_open = 0;
    apr_uint64_t n_queued = 0;

    for (i = 0; i < places->nelts; i++) {
        int place = APR_ARRAY_IDX(places, i, int);

        n_queued += msd_gauges_read(gauges, place, MSD_GAUGE_QUEUE, 0);
        for (number = 0; number < msd_gauges_numbers(gauges); number++) {
            n_open += msd_gauges_read(gauges, place, MSD_GAUGE_BREAKER, number) > DDB_BREAKER_CLOSED;
        }
    }
    show_row(r, flags, &open, apr_itoa(r->pool, n_open));
    show_row(r, flags, &queued, apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, n_queued));
}

int msd_status_report(request_rec *r, int flags)
{
    const msd_counts_t *counts = msd_config_server(r->server)->counts;
    int i;

    if (!counts) {
        return DECLINED;
    }
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("<hr />\n<h2>Sessions in DynamoDB, since httpd was started</h2>\n<table border=\"0\">\n", r);
    }
    for (i = 0; i < SHOWN; i++) {
        show_row(r, flags, &shown[i], value_of(counts, &shown[i], r->pool));
    }
    show_gauges(r, flags);
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("</table>\n", r);
    }
    return OK;
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

/** The arguments of the last line. */
typedef struct end_t {
    apr_pool_t *pool;
    server_rec *server;
    pid_t parent;
} end_t;

static apr_status_t log_totals(void *baton)
{
    const end_t *end = baton;
    const msd_counts_t *counts = msd_config_server(end->server)->counts;
    apr_array_header_t *numbers = apr_array_make(end->pool, SHOWN, sizeof(const char *));
    int i;

    /* A child inherits this cleanup, and runs it when it exits. */
    if (getpid() != end->parent) {
        return APR_SUCCESS;
    }
    for (i = 0; i < SHOWN; i++) {
        if (counts && shown[i].sum(counts, &shown[i])) {
            APR_ARRAY_PUSH(numbers, const char *) = apr_pstrcat(end->pool, " ", shown[i].key, " ",
                                                                value_of(counts, &shown[i], end->pool), NULL);
        }
    }
    if (numbers->nelts) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, end->server, "counted since httpd was started:%s",
                     apr_array_pstrcat(end->pool, numbers, ','));
    }
    return APR_SUCCESS;
}

void msd_status_log_at_end(apr_pool_t *p, server_rec *s)
{
    end_t *end = apr_palloc(p, sizeof(*end));

    *end = (end_t){ .pool = p, .server = s, .parent = getpid() };
    /* A pre-cleanup runs before p's subpools are destroyed, and before earlier cleanups such as closing the log. */
    apr_pool_pre_cleanup_register(p, end, log_totals);
}
