/* The table check at startup, and the creation of the table. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/child/msd_table_check.h"

APLOG_USE_MODULE(session_dynamodb);

#define PATIENCE apr_time_from_sec(120) /* limit until a new table is active, which usually takes about ten seconds */
#define STEP     apr_time_from_sec(1)

static void log_failure(const msd_table_check_t *t, const char *what, apr_status_t rv, const ddb_error_t *err)
{
    char text[120];

    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, t->server,
                 "table %s: %s: %s: %s (%s, type %s, request ID %s, %d attempts); retried at the next start or restart",
                 t->table.name, what, ddb_error_text(rv, text, sizeof(text)), err->detail,
                 err->operation[0] ? err->operation : "no call", err->type[0] ? err->type : "-",
                 err->request_id[0] ? err->request_id : "-", err->attempts);
}

static void log_findings(const msd_table_check_t *t, const apr_array_header_t *findings, int all)
{
    int i, others = 0;

    for (i = 0; i < findings->nelts; i++) {
        const ddb_finding_t *f = &APR_ARRAY_IDX(findings, i, ddb_finding_t);
        /* Unseen, for lack of permission, is not a problem: sessions do not need it, so a good policy lacks it. */
        int level = f->is == DDB_WRONG ? APLOG_ERR : f->unseen ? APLOG_INFO : APLOG_NOTICE;

        if (f->is != DDB_GOOD) {
            others += !f->unseen;
            ap_log_error(APLOG_MARK, level, 0, t->server, "table %s: %s", t->table.name, f->text);
        }
    }
    if (all && !others) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, t->server, "table %s: no problems found", t->table.name);
    }
}

/* Poll instead of waiting in a single call, because the process may have to end meanwhile. */
static apr_status_t create_step_by_step(const msd_table_check_t *t, int *ttl, apr_pool_t *p, ddb_error_t *err)
{
    apr_interval_time_t left = PATIENCE;
    int had_it;
    apr_status_t rv = ddb_table_create(&t->table, 0, &had_it, ttl, p, err);

    for (; rv == APR_TIMEUP && left > 0; left -= STEP) {
        if (msd_credentials_refresh_wait(t->thread, STEP)) {
            return APR_EINTR;
        }
        rv = ddb_table_create(&t->table, 0, &had_it, ttl, p, err);
    }
    return rv;
}

static apr_status_t create_table(const msd_table_check_t *t, apr_pool_t *p)
{
    ddb_error_t err = { 0 };
    int ttl = 0;
    apr_status_t rv = create_step_by_step(t, &ttl, p, &err);

    if (rv == APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, t->server, "table %s: created%s", t->table.name,
                     ttl ? ", with time to live"
                         : "; this service has no time to live: delete expired sessions by session-dynamodb purge");
    }
    else if (rv != APR_EINTR) {
        log_failure(t, "could not be created", rv, &err);
    }
    return rv;
}

/* Log findings from before a failure, but do not conclude from an incomplete check that there are no problems. */
static void look(const msd_table_check_t *t, apr_pool_t *p)
{
    apr_array_header_t *findings = NULL;
    ddb_error_t err = { 0 };
    apr_status_t rv = ddb_table_check(&t->table, &findings, NULL, p, &err), created = APR_SUCCESS;

    if (rv == APR_SUCCESS && t->create && ddb_table_is_missing(findings)) {
        created = create_table(t, p);
        if (created == APR_SUCCESS && t->check) {
            rv = ddb_table_check(&t->table, &findings, NULL, p, &err);
        }
    }
    if (rv != APR_SUCCESS && rv != APR_EINTR) {
        log_failure(t, "could not be checked", rv, &err);
    }
    if (t->check && created == APR_SUCCESS) {
        log_findings(t, findings, rv == APR_SUCCESS);
    }
}

void msd_table_check_look(void *baton)
{
    const msd_table_check_t *t = baton;
    apr_pool_t *p = NULL;

    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL) == APR_SUCCESS) {
        look(t, p);
        msd_store_notices_log(t->server, &t->notices);
        apr_pool_destroy(p);
    }
}
