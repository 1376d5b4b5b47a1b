/* verify: the assumptions of docs/unverified.md, tried on a table. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "caller.h"
#include "commands.h"
#include "ddb_facts.h"
#include "interrupt.h"

#define WHOLE       apr_time_from_sec(270) /* leaves time of five minutes for the deletion of what was made */
#define STEP        apr_time_from_sec(1)
#define DELETE_MOST 60 /* steps */

static const char *const words[] = { "yes", "no", "not tried" };

/** A run. */
typedef struct verify_t {
    report_t *report;
    volatile apr_uint32_t *stop;
    int n[3]; /* of each word */
} verify_t;

static void say_fact(void *baton, const ddb_fact_t *fact)
{
    verify_t *v = baton;
    report_t *r = v->report;
    ddb_json_t *json = r->json ? ddb_json_add_object(r->json, "assumptions") : NULL;

    v->n[fact->is]++;
    report_line(r, "%-9s  %s: %s", words[fact->is], fact->id, fact->claim);
    report_line(r, "           %s%s%s%s", fact->observed, *fact->request_id ? " [request ID " : "", fact->request_id,
                *fact->request_id ? "]" : "");
    if (json) {
        ddb_json_set_str(json, "id", fact->id);
        ddb_json_set_str(json, "assumed", fact->claim);
        ddb_json_set_str(json, "result", words[fact->is]);
        ddb_json_set_str(json, "observed", fact->observed);
        ddb_json_set_str(json, "request_id", fact->request_id);
    }
}

/* --- a table of its own --- */

/* Looked at again and again instead of in one call, because somebody may press Ctrl-C meanwhile. *made: 1 when it has
 * to be deleted. */
static apr_status_t create(const verify_t *v, const ddb_table_t *t, apr_interval_time_t patience, int *made,
                           ddb_error_t *err)
{
    apr_pool_t *p = v->report->pool;
    apr_time_t until = ddb_clock_monotonic(t->clock) + patience;
    int had_it = 0, ttl = 0;
    apr_status_t rv = ddb_table_create(t, 0, &had_it, &ttl, p, err);

    *made = rv == APR_SUCCESS || rv == APR_TIMEUP || err->unsettled;
    while (rv == APR_TIMEUP && !apr_atomic_read32(v->stop) && ddb_clock_monotonic(t->clock) < until) {
        ddb_clock_sleep(t->clock, STEP);
        rv = ddb_table_create(t, 0, &had_it, &ttl, p, err);
    }
    return apr_atomic_read32(v->stop) ? ddb_error_set(err, APR_EINTR, "interrupted") : rv;
}

/* A table that is being made or changed is not deleted before that is done. */
static apr_status_t delete_table(const ddb_table_t *t, apr_pool_t *p, ddb_error_t *err)
{
    const char *body = ddb_json_print(ddb_table_body(t, p), p);
    ddb_json_t *reply;
    apr_status_t rv = ddb_table_call(t, "DeleteTable", body, &reply, p, err);
    int i;

    for (i = 0; i < DELETE_MOST && rv != APR_SUCCESS && strcmp(err->type, "ResourceInUseException") == 0; i++) {
        ddb_clock_sleep(t->clock, STEP);
        rv = ddb_table_call(t, "DeleteTable", body, &reply, p, err);
    }
    return strcmp(err->type, "ResourceNotFoundException") == 0 ? APR_SUCCESS : rv;
}

static const char *name_table(apr_pool_t *p)
{
    unsigned char random[4] = { 0 };

    (void)ddb_crypto_random(random, sizeof(random));
    return apr_psprintf(p, "session-dynamodb-verify-%02x%02x%02x%02x", random[0], random[1], random[2], random[3]);
}

/* --- the run --- */

/* Field 5 of arn:aws:sts::123456789012:assumed-role/... */
static const char *account_of(const char *arn, apr_pool_t *p)
{
    int colons;

    for (colons = 0; arn && colons < 4; colons++) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    return arn && strspn(arn, "0123456789") == 12 ? apr_pstrmemdup(p, arn, 12) : NULL;
}

/* The one assumption about another service: its XML. @return the account, or NULL. */
static const char *ask_sts(verify_t *v, const connection_t *c, const options_t *o, apr_pool_t *p)
{
    ddb_fact_t fact = { .id = "sts-xml",
                        .claim = "STS answers in XML, with the names of 2011-06-15",
                        .is = DDB_FACT_UNTRIED,
                        .observed = "the endpoint is not AWS's, so STS is not asked" };
    const char *arn = NULL;
    ddb_error_t err = { 0 };
    apr_status_t rv = caller_ask(&arn, c, o, p, &err);

    if (rv != APR_NOTFOUND) {
        fact.is = rv == APR_SUCCESS ? DDB_FACT_YES : rv == DDB_EBADREPLY ? DDB_FACT_NO : DDB_FACT_UNTRIED;
        fact.observed = rv == APR_SUCCESS ? apr_psprintf(p, "GetCallerIdentity: %.300s", arn)
                                          : apr_pstrdup(p, err.detail);
    }
    say_fact(v, &fact);
    return rv == APR_SUCCESS ? account_of(arn, p) : NULL;
}

static apr_status_t try_all(verify_t *v, connection_t *c, const options_t *o, ddb_error_t *err)
{
    apr_pool_t *p = v->report->pool;
    ddb_facts_opts_t facts = { .client = c->client,
                               .table = c->table.name,
                               .timeout = o->timeout,
                               .deadline = ddb_clock_monotonic(c->table.clock) + WHOLE,
                               .own = o->own_table,
                               .stop = v->stop,
                               .found = say_fact,
                               .baton = v };
    ddb_facts_sum_t sum = { .prefix = "" };
    apr_status_t rv = ddb_creds_get(c->creds, DDB_CREDS_FOREVER, p, &facts.credentials, err);

    if (rv == APR_SUCCESS) {
        facts.account_id = ask_sts(v, c, o, p);
        rv = ddb_facts_run(&facts, &sum, p, err);
    }
    report_number(v->report, "read_units", "read units", (double)sum.read_halves / 2);
    report_number(v->report, "write_units", "write units", (double)sum.write_halves / 2);
    report_number(v->report, "rows_left", NULL, sum.left);
    if (sum.left && !o->own_table) {
        report_line(v->report, "%d rows could not be deleted: their keys begin with %s", sum.left, sum.prefix);
    }
    return rv;
}

static apr_status_t run(verify_t *v, connection_t *c, const options_t *o, ddb_error_t *err)
{
    apr_pool_t *p = v->report->pool;
    ddb_error_t again = { 0 };
    int made = 0;
    apr_status_t rv = APR_SUCCESS, gone = APR_SUCCESS;

    if (o->own_table) {
        c->table.name = name_table(p);
        report_progress(v->report, 1, "the table %s is being created", c->table.name);
        rv = create(v, &c->table, o->patience, &made, err);
    }
    report_text(v->report, "table", "table", c->table.name);
    report_text(v->report, "endpoint", "endpoint", c->endpoint.url);
    if (rv == APR_SUCCESS) {
        rv = try_all(v, c, o, err);
    }
    if (made) {
        gone = delete_table(&c->table, p, &again);
        report_text(v->report, "table_is", NULL, gone == APR_SUCCESS ? "deleted" : "left");
    }
    if (gone != APR_SUCCESS) {
        report_line(v->report, "the table %s could not be deleted: delete it by hand", c->table.name);
        *err = rv == APR_SUCCESS ? again : *err;
    }
    return rv == APR_SUCCESS ? gone : rv;
}

exit_e verify_all(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    verify_t v = { .report = r, .stop = interrupt_listen() };
    ddb_error_t err = { 0 };
    apr_status_t rv = run(&v, c, o, &err);

    (void)p;
    report_number(r, "yes", "yes", v.n[DDB_FACT_YES]);
    report_number(r, "no", "no", v.n[DDB_FACT_NO]);
    report_number(r, "not_tried", "not tried", v.n[DDB_FACT_UNTRIED]);
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &err);
    }
    return v.n[DDB_FACT_NO] ? EXIT_WRONG : EXIT_GOOD;
}
