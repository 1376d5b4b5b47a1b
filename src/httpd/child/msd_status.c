/* The counters, for mod_status and for the log at the end. */

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "base/ddb_array.h"
#include "httpd/child/msd_counts.h"
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

    return is_capacity(row) ? ddb_count_units(n, p) : apr_psprintf(p, "%" APR_UINT64_T_FMT, n);
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
        const char *value = value_of(counts, &shown[i], r->pool);
        if (flags & AP_STATUS_SHORT) {
            ap_rprintf(r, "SessionDynamoDB%s: %s\n", shown[i].key, value);
        }
        else {
            ap_rprintf(r, "<tr><th align=\"left\">%s</th><td align=\"right\">%s</td></tr>\n", shown[i].label, value);
        }
    }
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("</table>\n", r);
    }
    return OK;
}

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
