/* The metrics, one family after another. docs/metrics.md lists them. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_main.h>

#include "aws/creds/ddb_creds.h"
#include "aws/ddb_breaker.h"
#include "base/ddb_array.h"
#include "base/ddb_crypto.h"
#include "base/ddb_curl.h"
#include "base/ddb_version.h"
#include "httpd/child/msd_child.h"
#include "httpd/child/msd_metrics_int.h"
#include "httpd/conf/msd_config.h"

/** A family, and what its samples are made of. */
typedef struct shown_t {
    ddb_metrics_family_t family;
    void (*show)(msd_metrics_page_t *page, const struct shown_t *shown);
    int what;           /* for show */
    const char *events; /* of show_events: those of the family, with spaces around each */
} shown_t;

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static const ddb_metrics_label_t *label_two(msd_metrics_page_t *page, const ddb_metrics_label_t *one,
                                            const ddb_metrics_label_t *two)
{
    ddb_metrics_label_t *at = page->labels + page->fixed;

    if (one) {
        *at++ = *one;
    }
    if (two) {
        *at++ = *two;
    }
    at->name = NULL;
    return page->labels;
}

static const ddb_metrics_label_t *label(msd_metrics_page_t *page, const char *name, const char *value)
{
    const ddb_metrics_label_t one = { name, value };

    return label_two(page, &one, NULL);
}

static const ddb_metrics_label_t *no_label(msd_metrics_page_t *page)
{
    return label_two(page, NULL, NULL);
}

static void name_table(msd_metrics_page_t *page, const msd_counts_table_t *t)
{
    page->table = t;
    page->fixed = 0;
    page->labels[page->fixed++] = (ddb_metrics_label_t){ "table", t->table };
    page->labels[page->fixed++] = (ddb_metrics_label_t){ "region", t->region };
    if (t->is_one_of_several) {
        page->labels[page->fixed++] = (ddb_metrics_label_t){ "endpoint", t->endpoint };
    }
    if (t->is_one_of_several && *t->profile) {
        page->labels[page->fixed++] = (ddb_metrics_label_t){ "profile", t->profile };
    }
}

/* ---- of the whole server ----------------------------------------------------------------------------------------- */

static void show_build(msd_metrics_page_t *page, const shown_t *shown)
{
    apr_pool_t *p = page->r->pool;
    ap_version_t httpd;
    const ddb_metrics_label_t labels[] = {
        { "version", DDB_VERSION },
        { "httpd",
          (ap_get_server_revision(&httpd), apr_psprintf(p, "%d.%d.%d", httpd.major, httpd.minor, httpd.patch)) },
        { "libcurl", ddb_curl_version() },
        { "openssl", ddb_crypto_version() },
        { NULL, NULL },
    };

    (void)shown;
    ddb_metrics_number(&page->m, labels, 1);
}

static void show_start(msd_metrics_page_t *page, const shown_t *shown)
{
    (void)shown;
    ddb_metrics_sample(&page->m, no_label(page),
                       ddb_metrics_seconds((apr_uint64_t)page->counts->started, page->r->pool));
}

static void show_children(msd_metrics_page_t *page, const shown_t *shown)
{
    (void)shown;
    ddb_metrics_number(&page->m, no_label(page), (apr_uint64_t)page->places->nelts);
}

enum { QUEUE_SUM, QUEUE_LONGEST };

static void show_queue(msd_metrics_page_t *page, const shown_t *shown)
{
    apr_uint64_t all = 0, longest = 0;
    int i;

    for (i = 0; i < page->places->nelts; i++) {
        apr_uint32_t n = msd_gauges_read(page->gauges, APR_ARRAY_IDX(page->places, i, int), MSD_GAUGE_QUEUE, 0);

        all += n;
        longest = n > longest ? n : longest;
    }
    ddb_metrics_number(&page->m, no_label(page), shown->what == QUEUE_LONGEST ? longest : all);
}

/* ---- counters of a table ----------------------------------------------------------------------------------------- */

static void show_count(msd_metrics_page_t *page, const shown_t *shown)
{
    ddb_metrics_number(&page->m, no_label(page), ddb_count_get(page->table->count, (ddb_counted_e)shown->what));
}

static void show_units(msd_metrics_page_t *page, const shown_t *shown)
{
    apr_uint64_t halves = ddb_count_get(page->table->count, (ddb_counted_e)shown->what);

    ddb_metrics_sample(&page->m, no_label(page), ddb_count_units(halves, page->r->pool));
}

static void show_calls(msd_metrics_page_t *page, const shown_t *shown)
{
    int i, j;

    (void)shown;
    for (i = 0; i < DDB_COUNT_OPERATIONS; i++) {
        for (j = 0; j < DDB_OUTCOMES; j++) {
            const ddb_metrics_label_t operation = { "operation", ddb_count_operation_name((ddb_count_operation_e)i) };
            const ddb_metrics_label_t outcome = { "outcome", ddb_count_outcome_word((ddb_count_outcome_e)j) };

            ddb_metrics_number(&page->m, label_two(page, &operation, &outcome),
                               ddb_count_calls(page->table->count, (ddb_count_operation_e)i, (ddb_count_outcome_e)j));
        }
    }
}

static void show_attempts(msd_metrics_page_t *page, const shown_t *shown)
{
    ddb_count_times_t times;
    int i;

    (void)shown;
    for (i = 0; i < DDB_COUNT_OPERATIONS; i++) {
        ddb_count_times(page->table->count, (ddb_timed_e)(DDB_TIME_ATTEMPT + i), &times);
        ddb_metrics_times(&page->m, label(page, "operation", ddb_count_operation_name((ddb_count_operation_e)i)),
                          &times);
    }
}

static void show_requests(msd_metrics_page_t *page, const shown_t *shown)
{
    ddb_count_times_t times;

    (void)shown;
    ddb_count_times(page->table->count, DDB_TIME_REQUEST, &times);
    ddb_metrics_times(&page->m, no_label(page), &times);
}

enum { WITHOUT_EVENT, WITH_EVENT };

static void show_events(msd_metrics_page_t *page, const shown_t *shown)
{
    const msd_counts_event_t *e;
    int i;

    for (i = 0; (e = msd_counts_event(i)) != NULL; i++) {
        const ddb_metrics_label_t event = { "event", e->event }, reason = { "reason", e->reason };

        if (strstr(shown->events, apr_pstrcat(page->r->pool, " ", e->event, " ", NULL))) {
            ddb_metrics_number(&page->m, label_two(page, shown->what == WITH_EVENT ? &event : NULL, &reason),
                               msd_counts_events(page->table->count, i));
        }
    }
}

static void show_limited(msd_metrics_page_t *page, const shown_t *shown)
{
    (void)shown;
    ddb_metrics_number(&page->m, label(page, "limit", "guesses"),
                       ddb_count_get(page->table->count, DDB_COUNT_LIMITED_GUESSES));
    ddb_metrics_number(&page->m, label(page, "limit", "sessions"),
                       ddb_count_get(page->table->count, DDB_COUNT_LIMITED_SESSIONS));
}

static void show_dropped(msd_metrics_page_t *page, const shown_t *shown)
{
    static const char *const kinds[DDB_COUNT_WRITES] = { "touch", "removal", "seen" }; /* as msd_write_queue_kind_e */
    int i;

    (void)shown;
    for (i = 0; i < DDB_COUNT_WRITES; i++) {
        ddb_metrics_number(&page->m, label(page, "write", kinds[i]),
                           ddb_count_get(page->table->count, (ddb_counted_e)(DDB_COUNT_DROPPED + i)));
    }
}

static void show_devices(msd_metrics_page_t *page, const shown_t *shown)
{
    /* In the order of DDB_COUNT_DEVICE. */
    static const char *const results[DDB_COUNT_DEVICES] = { "registered", "refreshed", "refused", "stale", "skipped" };
    int i;

    (void)shown;
    for (i = 0; i < DDB_COUNT_DEVICES; i++) {
        ddb_metrics_number(&page->m, label(page, "result", results[i]),
                           ddb_count_get(page->table->count, (ddb_counted_e)(DDB_COUNT_DEVICE + i)));
    }
}

/* ---- gauges of a table ------------------------------------------------------------------------------------------- */

/** What a child says of the table's circuit breaker: of several, because hosts differ in timeouts, the worst. */
static ddb_breaker_state_e breaker_of(const msd_metrics_page_t *page, int place)
{
    static const int rank[] = { 0, [DDB_BREAKER_CLOSED] = 1, [DDB_BREAKER_OPEN] = 3, [DDB_BREAKER_HALF_OPEN] = 2 };
    apr_uint32_t worst = 0;
    const server_rec *s;

    for (s = ap_server_conf; s; s = s->next) {
        int number = msd_config_server(s)->count == page->table->count ? msd_child_breaker_number(s) : -1;
        apr_uint32_t state = number >= 0 ? msd_gauges_read(page->gauges, place, MSD_GAUGE_BREAKER, number) : 0;

        worst = state < DDB_ARRAY_LENGTH(rank) && rank[state] > rank[worst] ? state : worst;
    }
    return (ddb_breaker_state_e)worst;
}

static void show_breaker(msd_metrics_page_t *page, const shown_t *shown)
{
    static const char *const states[] = { NULL, "closed", "open", "half-open" };
    apr_uint64_t n[DDB_ARRAY_LENGTH(states)] = { 0 };
    apr_size_t state;
    int i;

    (void)shown;
    for (i = 0; i < page->places->nelts; i++) {
        n[breaker_of(page, APR_ARRAY_IDX(page->places, i, int))]++;
    }
    for (state = 1; state < DDB_ARRAY_LENGTH(states) && n[0] < (apr_uint64_t)page->places->nelts; state++) {
        ddb_metrics_number(&page->m, label(page, "state", states[state]), n[state]);
    }
}

/** The number of the table's credentials: of the first host that uses it. -1: none. */
static int creds_of(const msd_metrics_page_t *page)
{
    const server_rec *s = ap_server_conf;

    while (s && msd_config_server(s)->count != page->table->count) {
        s = s->next;
    }
    return s ? msd_child_creds_number(s) : -1;
}

static apr_uint64_t count_provider(const msd_metrics_page_t *page, int number, apr_uint32_t provider)
{
    apr_uint64_t n = 0;
    int i;

    for (i = 0; i < page->places->nelts; i++) {
        n += msd_gauges_read(page->gauges, APR_ARRAY_IDX(page->places, i, int), MSD_GAUGE_PROVIDER, number) == provider;
    }
    return n;
}

static void show_providers(msd_metrics_page_t *page, const shown_t *shown)
{
    const char *name = "none";
    int number = creds_of(page), i;

    (void)shown;
    for (i = 0; name && number >= 0; name = ddb_creds_provider_name(++i)) {
        ddb_metrics_number(&page->m, label(page, "provider", name), count_provider(page, number, (apr_uint32_t)i));
    }
}

static void show_remaining(msd_metrics_page_t *page, const shown_t *shown)
{
    int i, number = creds_of(page);
    apr_uint32_t first = 0;

    (void)shown;
    for (i = 0; i < page->places->nelts && number >= 0; i++) {
        apr_uint32_t expires = msd_gauges_read(page->gauges, APR_ARRAY_IDX(page->places, i, int), MSD_GAUGE_EXPIRES,
                                               number);

        first = expires && (!first || expires < first) ? expires : first;
    }
    if (first) {
        apr_int64_t left = (apr_int64_t)first - apr_time_sec(apr_time_now());

        ddb_metrics_sample(&page->m, no_label(page), apr_psprintf(page->r->pool, "%" APR_INT64_T_FMT, left));
    }
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

#define METRIC(name, type, help)                                                                                       \
    {                                                                                                                  \
        "session_dynamodb_" name, DDB_METRICS_##type, help                                                             \
    }

static const shown_t of_server[] = {
    { METRIC("build_info", INFO, "Versions that run."), show_build, 0, NULL },
    { METRIC("start_time_seconds", GAUGE, "When counting began, since 1970."), show_start, 0, NULL },
    { METRIC("child_processes", GAUGE, "Child processes that the gauges describe."), show_children, 0, NULL },
    { METRIC("queue_length", GAUGE, "Writes in the queues of all child processes."), show_queue, QUEUE_SUM, NULL },
    { METRIC("queue_length_max", GAUGE, "The longest of these queues."), show_queue, QUEUE_LONGEST, NULL },
};

static const shown_t of_table[] = {
    { METRIC("calls_total", COUNTER, "Calls to DynamoDB, each with its retries."), show_calls, 0, NULL },
    { METRIC("attempt_duration_seconds", HISTOGRAM, "Attempts of calls."), show_attempts, 0, NULL },
    { METRIC("request_duration_seconds", HISTOGRAM, "Time that a request spent with the store."), show_requests, 0,
      NULL },
    { METRIC("retries_total", COUNTER, "Attempts after the first of a call."), show_count, DDB_COUNT_RETRY, NULL },
    { METRIC("throttled_attempts_total", COUNTER, "Attempts that DynamoDB throttled."), show_count, DDB_COUNT_THROTTLED,
      NULL },
    { METRIC("consumed_read_units_total", COUNTER, "Read capacity consumed."), show_units, DDB_COUNT_READ_HALVES,
      NULL },
    { METRIC("consumed_write_units_total", COUNTER, "Write capacity consumed, without failed conditions."), show_units,
      DDB_COUNT_WRITE_HALVES, NULL },
    { METRIC("connections_opened_total", COUNTER, "Connections opened."), show_count, DDB_COUNT_CONNECTED, NULL },
    { METRIC("connections_reused_total", COUNTER, "Attempts on a connection that stood."), show_count, DDB_COUNT_REUSED,
      NULL },
    { METRIC("breaker_children", GAUGE, "Child processes with the circuit breaker in a state."), show_breaker, 0,
      NULL },
    { METRIC("breaker_opened_total", COUNTER, "Times that a circuit breaker opened."), show_count, DDB_COUNT_OPENED,
      NULL },
    { METRIC("credentials_children", GAUGE, "Child processes with credentials of a provider."), show_providers, 0,
      NULL },
    { METRIC("credentials_remaining_seconds", GAUGE, "Time until the first credentials expire."), show_remaining, 0,
      NULL },
    { METRIC("sessions_loaded_total", COUNTER, "Requests that had a session."), show_count, DDB_COUNT_LOADED, NULL },
    { METRIC("sessions_created_total", COUNTER, "Sessions created."), show_events, WITHOUT_EVENT, " created " },
    { METRIC("sessions_renewed_total", COUNTER, "New IDs of sessions."), show_events, WITHOUT_EVENT, " renewed " },
    { METRIC("sessions_ended_total", COUNTER, "Sessions ended by requests."), show_events, WITHOUT_EVENT,
      " ended revoked " },
    { METRIC("security_events_total", COUNTER, "Security events of other kinds."), show_events, WITH_EVENT,
      " expired bound reused refused changed first-use guessing harvesting " },
    { METRIC("failures_total", COUNTER, "Sessions that could not be read, stored or ended."), show_events,
      WITHOUT_EVENT, " failed " },
    { METRIC("refused_ids_total", COUNTER, "Received IDs that opened no session."), show_count, DDB_COUNT_REFUSED,
      NULL },
    { METRIC("limited_requests_total", COUNTER, "Requests refused by a limit."), show_limited, 0, NULL },
    { METRIC("device_proofs_total", COUNTER, "Proofs of the devices to which sessions are bound."), show_devices, 0,
      NULL },
    { METRIC("merges_total", COUNTER, "Changes merged with those of another request."), show_count, DDB_COUNT_MERGED,
      NULL },
    { METRIC("cached_reads_total", COUNTER, "Reads that the cache answered."), show_count, DDB_COUNT_CACHED_READ,
      NULL },
    { METRIC("shared_reads_total", COUNTER, "Reads that took another request's reply."), show_count,
      DDB_COUNT_SHARED_READ, NULL },
    { METRIC("queue_dropped_total", COUNTER, "Queued writes that were never sent."), show_dropped, 0, NULL },
};

/** A table that a folder's .htaccess uses is one, too, from its first call on. */
static int is_used(const msd_counts_table_t *t)
{
    ddb_count_times_t times;

    if (!t->used) {
        ddb_count_times(t->count, DDB_TIME_REQUEST, &times);
        return times.sum > 0;
    }
    return 1;
}

void msd_metrics_write(msd_metrics_page_t *page)
{
    apr_size_t i;
    int j;

    for (i = 0; i < DDB_ARRAY_LENGTH(of_server); i++) {
        ddb_metrics_family(&page->m, &of_server[i].family);
        of_server[i].show(page, &of_server[i]);
    }
    for (i = 0; i < DDB_ARRAY_LENGTH(of_table); i++) {
        ddb_metrics_family(&page->m, &of_table[i].family);
        for (j = 0; j < page->counts->tables->nelts; j++) {
            const msd_counts_table_t *t = &APR_ARRAY_IDX(page->counts->tables, j, msd_counts_table_t);

            if (is_used(t)) {
                name_table(page, t);
                of_table[i].show(page, &of_table[i]);
            }
        }
    }
}
