/* check and create-table. */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "caller.h"
#include "commands.h"
#include "ddb_advice.h"

#define UNSEEN 3 /* behind the words of ddb_finding_e */

static const char *const marks[] = { "good", "doubt", "WRONG", "-" };
static const char *const words[] = { "good", "doubt", "WRONG", "not checked" };

/* The source of the keys; whose they are is a finding. */
static exit_e say_whom(connection_t *c, report_t *r, apr_pool_t *p)
{
    const char *provider;
    exit_e status = connect_find_credentials(c, &provider, r, p);

    if (status == EXIT_GOOD) {
        report_text(r, "credentials", "credentials", provider);
    }
    return status;
}

/* n: how many there are of each kind. What nobody could check is no fault of the table. */
static void say_findings(const apr_array_header_t *findings, report_t *r, int n[4])
{
    int i;

    memset(n, 0, 4 * sizeof(*n));
    for (i = 0; i < findings->nelts; i++) {
        const ddb_finding_t *f = &APR_ARRAY_IDX(findings, i, ddb_finding_t);

        int is = f->unseen ? UNSEEN : (int)f->is;

        n[is]++;
        report_line(r, "%-5s  %s", marks[is], f->text);
        if (r->json) {
            ddb_json_t *finding = ddb_json_add_object(r->json, "findings");

            ddb_json_set_str(finding, "about", f->about);
            ddb_json_set_str(finding, "is", words[is]);
            ddb_json_set_str(finding, "text", f->text);
        }
    }
}

/* A refused signature is how it gets known. */
static void add_clock(apr_array_header_t *findings, const connection_t *c, apr_pool_t *p)
{
    apr_int64_t offset = apr_time_sec(ddb_skew_offset(c->skew));

    if (offset) {
        ddb_table_found(findings, "clock", DDB_DOUBT,
                        apr_psprintf(p,
                                     "this machine's clock is %" APR_INT64_T_FMT
                                     " s %s the service's; httpd follows the service's, but correct the clock (NTP)",
                                     offset < 0 ? -offset : offset, offset < 0 ? "ahead of" : "behind"));
    }
}

/* What sessions need, then what would be better. */
static apr_status_t find_all(apr_array_header_t **findings, connection_t *c, const options_t *o, apr_pool_t *p,
                             ddb_error_t *err)
{
    const ddb_json_t *description = NULL;
    apr_status_t rv = ddb_table_check(&c->table, findings, &description, p, err);

    if (rv == APR_SUCCESS && !ddb_table_is_missing(*findings)) {
        ddb_advice_describe(*findings, description, p);
        rv = ddb_advice_recovery(*findings, &c->table, p, err);
    }
    if (rv == APR_SUCCESS) {
        caller_find(*findings, c, o, p);
    }
    add_clock(*findings, c, p);
    return rv;
}

exit_e check_table(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    apr_array_header_t *findings = NULL;
    ddb_error_t err = { 0 };
    exit_e status;
    apr_status_t rv;
    int n[4];

    report_text(r, "table", "table", o->table);
    report_text(r, "region", "region", c->endpoint.region);
    report_text(r, "endpoint", "endpoint", c->endpoint.url);
    status = say_whom(c, r, p);
    if (status != EXIT_GOOD) {
        return status;
    }
    rv = find_all(&findings, c, o, p, &err);
    say_findings(findings, r, n);
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &err);
    }
    report_number(r, "wrong", NULL, n[DDB_WRONG]);
    report_number(r, "doubts", NULL, n[DDB_DOUBT]);
    report_number(r, "not_checked", NULL, n[UNSEEN]);
    return n[DDB_WRONG] || (o->strict && n[DDB_DOUBT]) ? EXIT_WRONG : EXIT_GOOD;
}

/* --- create-table --- */

/** A clock that reports its sleeps: the room that waits cannot report progress itself. */
typedef struct telling_clock_t {
    ddb_clock_t clock;
    const ddb_clock_t *real;
    report_t *report;
    const char *table;
    apr_interval_time_t slept;
} telling_clock_t;

static apr_time_t wall(void *baton)
{
    return ddb_clock_wall(((telling_clock_t *)baton)->real);
}

static apr_time_t monotonic(void *baton)
{
    return ddb_clock_monotonic(((telling_clock_t *)baton)->real);
}

static void sleep_and_tell(void *baton, apr_interval_time_t t)
{
    telling_clock_t *c = baton;

    report_progress(c->report, 1, "the table %s is being created (%.1f s)", c->table,
                    (double)c->slept / APR_USEC_PER_SEC);
    c->slept += t;
    ddb_clock_sleep(c->real, t);
}

exit_e check_create(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    telling_clock_t clock = {
        .clock = { .wall = wall, .monotonic = monotonic, .sleep = sleep_and_tell, .baton = &clock },
        .real = c->table.clock,
        .report = r,
        .table = o->table
    };
    ddb_table_t table = c->table;
    ddb_error_t err = { 0 };
    int had_it = 0, ttl = 0;
    apr_status_t rv;

    r->progress = r->progress ? r->progress : 1;
    table.clock = &clock.clock;
    report_text(r, "table", NULL, o->table);
    rv = ddb_table_create(&table, o->patience, &had_it, &ttl, p, &err);
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &err);
    }
    report_text(r, "was", NULL, had_it ? "there" : "created");
    report_text(r, "ttl", NULL, ttl ? "on" : "none");
    report_line(r, "the table %s %s", o->table, had_it ? "already exists" : "is created");
    report_line(
        r, ttl ? "time to live is on"
               : "this service does not support time to live: session-dynamodb purge deletes rows of ended sessions");
    return EXIT_GOOD;
}
