/* check and create-table. */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "commands.h"

static const char *const marks[] = { "good", "doubt", "WRONG" };

/* The source of the keys; only the service knows whose they are. */
static exit_e say_whom(connection_t *c, report_t *r, apr_pool_t *p)
{
    const char *provider;
    exit_e status = connect_find_credentials(c, &provider, r, p);

    if (status == EXIT_GOOD) {
        report_text(r, "credentials", "credentials", provider);
    }
    return status;
}

/* n: how many there are of each kind. */
static void say_findings(const apr_array_header_t *findings, report_t *r, int n[3])
{
    int i;

    memset(n, 0, 3 * sizeof(*n));
    for (i = 0; i < findings->nelts; i++) {
        const ddb_finding_t *f = &APR_ARRAY_IDX(findings, i, ddb_finding_t);

        n[f->is]++;
        report_line(r, "%-5s  %s", marks[f->is], f->text);
        if (r->json) {
            ddb_json_t *finding = ddb_json_add_object(r->json, "findings");

            ddb_json_set_str(finding, "about", f->about);
            ddb_json_set_str(finding, "is", marks[f->is]);
            ddb_json_set_str(finding, "text", f->text);
        }
    }
}

/* A refused signature is how it gets known. */
static void add_clock(apr_array_header_t *findings, const connection_t *c, apr_pool_t *p)
{
    apr_int64_t offset = apr_time_sec(ddb_skew_offset(c->skew));

    if (offset) {
        APR_ARRAY_PUSH(findings, ddb_finding_t) = (ddb_finding_t){
            .about = "clock",
            .is = DDB_DOUBT,
            .text = apr_psprintf(p,
                                 "this machine's clock is %" APR_INT64_T_FMT
                                 " s %s the service's; httpd follows the service's, but correct the clock (NTP)",
                                 offset < 0 ? -offset : offset, offset < 0 ? "ahead of" : "behind")
        };
    }
}

exit_e check_table(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    apr_array_header_t *findings = NULL;
    ddb_error_t err = { 0 };
    exit_e status;
    apr_status_t rv;
    int n[3];

    report_text(r, "table", "table", o->table);
    report_text(r, "region", "region", c->endpoint.region);
    report_text(r, "endpoint", "endpoint", c->endpoint.url);
    status = say_whom(c, r, p);
    if (status != EXIT_GOOD) {
        return status;
    }
    rv = ddb_table_check(&c->table, &findings, p, &err);
    add_clock(findings, c, p);
    say_findings(findings, r, n);
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &err);
    }
    report_number(r, "wrong", NULL, n[DDB_WRONG]);
    report_number(r, "doubts", NULL, n[DDB_DOUBT]);
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
