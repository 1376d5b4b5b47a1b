/* The counters, for mod_status and for the log at the end. */

#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "base/ddb_array.h"
#include "base/ddb_count.h"
#include "httpd/child/msd_status.h"
#include "httpd/conf/msd_config.h"

APLOG_USE_MODULE(session_dynamodb);

typedef struct shown_t {
    ddb_counted_e what;
    const char *key; /* follows SessionDynamoDB in the lines for programs */
    const char *label;
} shown_t;

static const shown_t shown[] = {
    { DDB_COUNT_READ_HALVES, "ReadUnits", "Read units consumed" },
    { DDB_COUNT_WRITE_HALVES, "WriteUnits", "Write units consumed, excluding failed conditions" },
    { DDB_COUNT_GET, "GetItem", "GetItem calls" },
    { DDB_COUNT_PUT, "PutItem", "PutItem calls" },
    { DDB_COUNT_UPDATE, "UpdateItem", "UpdateItem calls" },
    { DDB_COUNT_DELETE, "DeleteItem", "DeleteItem calls" },
    { DDB_COUNT_FAILED, "FailedCalls", "Failed calls" },
    { DDB_COUNT_CONDITION, "FailedConditions", "Calls with a failed condition" },
    { DDB_COUNT_RETRY, "Retries", "Retries" },
    { DDB_COUNT_THROTTLED, "Throttled", "Throttled attempts" },
    { DDB_COUNT_TURNED_AWAY, "TurnedAway", "Calls rejected by an open circuit breaker" },
    { DDB_COUNT_OPENED, "BreakerOpened", "Circuit breaker openings in all child processes" },
    { DDB_COUNT_CREATED, "Created", "Sessions created" },
    { DDB_COUNT_RENEWED, "Renewed", "Sessions renewed" },
    { DDB_COUNT_ENDED, "Ended", "Sessions ended by requests" },
    { DDB_COUNT_MERGED, "Merged", "Changes merged with those of another request" },
    { DDB_COUNT_REFUSED, "RefusedIDs", "Refused session IDs" },
    { DDB_COUNT_LIMITED, "Limited", "Requests refused by a limit of guesses or new sessions" },
    { DDB_COUNT_CACHED_READ, "CachedReads", "Reads answered by the cache" },
    { DDB_COUNT_SHARED_READ, "SharedReads", "Reads shared with another request" },
};

#define SHOWN ((int)DDB_ARRAY_LENGTH(shown))

static const char *value_of(const ddb_count_t *count, ddb_counted_e what, apr_pool_t *p)
{
    apr_uint64_t n = ddb_count_get(count, what);

    return what == DDB_COUNT_READ_HALVES || what == DDB_COUNT_WRITE_HALVES ? ddb_count_units(n, p)
                                                                           : apr_psprintf(p, "%" APR_UINT64_T_FMT, n);
}

int msd_status_report(request_rec *r, int flags)
{
    const ddb_count_t *count = msd_config_server(r->server)->count;
    int i;

    if (!count) {
        return DECLINED;
    }
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("<hr />\n<h2>Sessions in DynamoDB, since the last restart</h2>\n<table border=\"0\">\n", r);
    }
    for (i = 0; i < SHOWN; i++) {
        const char *value = value_of(count, shown[i].what, r->pool);
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
    const ddb_count_t *count = msd_config_server(end->server)->count;
    apr_array_header_t *numbers = apr_array_make(end->pool, SHOWN, sizeof(const char *));
    int i;

    /* A child inherits this cleanup, and runs it when it exits. */
    if (getpid() != end->parent) {
        return APR_SUCCESS;
    }
    for (i = 0; i < SHOWN; i++) {
        if (ddb_count_get(count, shown[i].what)) {
            APR_ARRAY_PUSH(numbers, const char *) = apr_pstrcat(end->pool, " ", shown[i].key, " ",
                                                                value_of(count, shown[i].what, end->pool), NULL);
        }
    }
    if (numbers->nelts) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, end->server, "counted since the last restart:%s",
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
