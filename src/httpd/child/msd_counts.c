/* The counters of each table, and which of them are events. */

#include <string.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/ddb_array.h"
#include "base/ddb_clock.h"
#include "base/ddb_version.h"
#include "httpd/child/msd_counts.h"
#include "httpd/conf/msd_config.h"

#define KEPT_KEY "session_dynamodb_counts " DDB_VERSION " " DDB_COUNT_LAYOUT

/* In this order in the memory of the counters. One line per event, which clang-format would join. */
/* clang-format off */
static const msd_counts_event_t events[] = {
    { "created", "new" },
    { "created", "login" },
    { "created", "import" },
    { "renewed", "login" },
    { "renewed", "user-changed" },
    { "renewed", "logout-keep" },
    { "renewed", "program" },
    { "renewed", "age" },
    { "renewed", "changed" },
    { "ended", "logout" },
    { "ended", "program" },
    { "ended", "emptied" },
    { "ended", "user-changed" },
    { "ended", "login" },
    { "revoked", "others" },
    { "revoked", "user" },
    { "revoked", "one" },
    { "revoked", "limit" },
    { "expired", "idle" },
    { "expired", "absolute" },
    { "expired", "application" },
    { "bound", "device" },
    { "reused", "login" },
    { "reused", "left" },
    { "reused", "age" },
    { "reused", "import" },
    { "refused", "form" },
    { "refused", "unknown" },
    { "refused", "repeated" },
    { "refused", "foreign" },
    { "refused", "ambiguous" },
    { "refused", "tls" },
    { "refused", "user-agent" },
    { "refused", "address" },
    { "refused", "tls-certificate" },
    { "refused", "device" },
    { "refused", "device-key" },
    { "refused", "cross-site" },
    { "refused", "csrf" },
    { "refused", "import" },
    { "changed", "user-agent" },
    { "changed", "address" },
    { "changed", "tls-certificate" },
    { "first-use", "" },
    { "guessing", "log" },
    { "guessing", "deny" },
    { "harvesting", "log" },
    { "harvesting", "deny" },
    { "failed", "unavailable" },
    { "failed", "timeout" },
    { "failed", "throttled" },
    { "failed", "denied" },
    { "failed", "no-credentials" },
    { "failed", "too-large" },
    { "failed", "bad-reply" },
    { "failed", "bad-item" },
    { "failed", "invalid-request" },
    { "failed", "config" },
    { "failed", "encoder" },
    { "failed", "too-many" },
    { "failed", "limit" },
    { "failed", "conflict" },
    { "failed", "other" },
};
/* clang-format on */

#define EVENTS ((int)DDB_ARRAY_LENGTH(events))

typedef char every_event_has_room[DDB_ARRAY_LENGTH(events) <= DDB_COUNT_EVENTS ? 1 : -1];

/* ---- the counters of this process of httpd ----------------------------------------------------------------------- */

/** Of one table, by the name that its settings make. */
typedef struct named_t {
    const char *name;
    ddb_count_t *count;
} named_t;

typedef struct kept_t {
    apr_time_t started;
    apr_array_header_t *named; /* named_t */
} kept_t;

/** The name under which they are kept: a module that counts other things has another one. */
static const char *kept_key(apr_pool_t *p)
{
    const char *words = "";
    apr_ssize_t len = APR_HASH_KEY_STRING;
    int i;

    for (i = 0; i < EVENTS; i++) {
        words = apr_pstrcat(p, words, events[i].event, " ", events[i].reason, "\n", NULL);
    }
    return apr_psprintf(p, KEPT_KEY " %d %u", (int)DDB_COUNTED, apr_hashfunc_default(words, &len));
}

static kept_t *find_kept(apr_pool_t *process, apr_pool_t *p)
{
    const char *key = kept_key(p);
    void *found = NULL;
    kept_t *kept;

    apr_pool_userdata_get(&found, key, process);
    if (found) {
        return found;
    }
    kept = apr_palloc(process, sizeof(*kept));
    *kept = (kept_t){ .started = ddb_clock_wall(&ddb_clock_system),
                      .named = apr_array_make(process, 4, sizeof(named_t)) };
    apr_pool_userdata_set(kept, key, NULL, process); /* copies the key */
    return kept;
}

/** NULL: there is no memory. */
static ddb_count_t *find_count(const kept_t *kept, const char *name, apr_pool_t *process)
{
    ddb_count_t *count = NULL;
    int i;

    for (i = 0; i < kept->named->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(kept->named, i, named_t).name, name) == 0) {
            return APR_ARRAY_IDX(kept->named, i, named_t).count;
        }
    }
    if (ddb_count_create(&count, process) == APR_SUCCESS) {
        APR_ARRAY_PUSH(kept->named, named_t) = (named_t){ .name = apr_pstrdup(process, name), .count = count };
    }
    return count;
}

/* ---- the tables of a configuration ------------------------------------------------------------------------------- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static msd_counts_table_t describe(const msd_server_config_t *c)
{
    return (msd_counts_table_t){ .table = c->table,
                                 .region = or_empty(c->endpoint.region),
                                 .endpoint = or_empty(c->endpoint.url),
                                 .profile = or_empty(c->profile) };
}

static int has_same_labels(const msd_counts_table_t *a, const msd_counts_table_t *b)
{
    return strcmp(a->table, b->table) == 0 && strcmp(a->region, b->region) == 0;
}

/** The place in tables of one with the same name, region, endpoint and profile; the end if there is none. */
static int find_table(const apr_array_header_t *tables, const msd_counts_table_t *t)
{
    int i;

    for (i = 0; i < tables->nelts; i++) {
        const msd_counts_table_t *other = &APR_ARRAY_IDX(tables, i, msd_counts_table_t);

        if (has_same_labels(t, other) && strcmp(t->endpoint, other->endpoint) == 0
            && strcmp(t->profile, other->profile) == 0) {
            return i;
        }
    }
    return i;
}

static void tell_apart(const apr_array_header_t *tables)
{
    int i, j;

    for (i = 0; i < tables->nelts; i++) {
        msd_counts_table_t *t = &APR_ARRAY_IDX(tables, i, msd_counts_table_t);

        for (j = 0; j < tables->nelts; j++) {
            t->is_one_of_several |= i != j && has_same_labels(t, &APR_ARRAY_IDX(tables, j, msd_counts_table_t));
        }
    }
}

apr_status_t msd_counts_prepare(server_rec *main_server, apr_pool_t *p)
{
    apr_pool_t *process = main_server->process->pool;
    kept_t *kept = find_kept(process, p);
    msd_counts_t *counts = apr_palloc(p, sizeof(*counts));
    apr_status_t rv = APR_SUCCESS;
    server_rec *s;

    *counts = (msd_counts_t){ .started = kept->started, .tables = apr_array_make(p, 4, sizeof(msd_counts_table_t)) };
    for (s = main_server; s; s = s->next) {
        msd_server_config_t *c = msd_config_server(s);
        msd_counts_table_t t = describe(c), *found;
        int at = find_table(counts->tables, &t);

        c->counts = counts;
        if (!c->endpoint.url) {
            continue;
        }
        if (at == counts->tables->nelts) {
            t.count = find_count(kept, apr_pstrcat(p, t.table, "\n", t.region, "\n", t.endpoint, "\n", t.profile, NULL),
                                 process);
            APR_ARRAY_PUSH(counts->tables, msd_counts_table_t) = t;
        }
        found = &APR_ARRAY_IDX(counts->tables, at, msd_counts_table_t);
        found->used |= c->used;
        c->count = found->count;
        rv = c->count ? rv : APR_ENOMEM;
    }
    tell_apart(counts->tables);
    return rv;
}

void msd_counts_child(const server_rec *main_server)
{
    const msd_counts_t *counts = msd_config_server(main_server)->counts;
    int i;

    for (i = 0; counts && i < counts->tables->nelts; i++) {
        ddb_count_spread(APR_ARRAY_IDX(counts->tables, i, msd_counts_table_t).count, (apr_uint64_t)getpid());
    }
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

const msd_counts_event_t *msd_counts_event(int number)
{
    return number < EVENTS ? &events[number] : NULL;
}

void msd_counts_add_event(const server_rec *s, const char *event, const char *reason, apr_uint64_t n)
{
    int i, of_event = -1;

    for (i = 0; i < EVENTS; i++) {
        if (strcmp(events[i].event, event) == 0) {
            of_event = i;
            if (strcmp(events[i].reason, reason) == 0) {
                break;
            }
        }
    }
    i = i < EVENTS ? i : of_event;
    if (i >= 0) {
        ddb_count_add(msd_config_server(s)->count, (ddb_counted_e)(DDB_COUNT_EVENT + i), n);
    }
}

apr_uint64_t msd_counts_events(const ddb_count_t *count, int number)
{
    return ddb_count_get(count, (ddb_counted_e)(DDB_COUNT_EVENT + number));
}

apr_uint64_t msd_counts_sum(const msd_counts_t *counts, ddb_counted_e what)
{
    apr_uint64_t n = 0;
    int i;

    for (i = 0; i < counts->tables->nelts; i++) {
        n += ddb_count_get(APR_ARRAY_IDX(counts->tables, i, msd_counts_table_t).count, what);
    }
    return n;
}
