/* show, end, top and purge. */

#include <string.h>

#include <apr_strings.h>

#include "store/ddb_item.h"
#include "ddb_rows.h"
#include "base/ddb_time.h"
#include "commands.h"
#include "interrupt.h"

static void tell_search(void *baton, const ddb_rows_count_t *c)
{
    report_progress(baton, 0, "%" APR_INT64_T_FMT " rows looked at, %" APR_INT64_T_FMT " pages", c->seen, c->pages);
}

static void tell_purge(void *baton, const ddb_rows_count_t *c)
{
    report_progress(baton, 0,
                    "%" APR_INT64_T_FMT " rows looked at, %" APR_INT64_T_FMT " pages, %" APR_INT64_T_FMT
                    " of ended sessions, %" APR_INT64_T_FMT " deleted",
                    c->seen, c->pages, c->due, c->deleted);
}

static ddb_rows_t begin(connection_t *c, const options_t *o, report_t *r)
{
    ddb_rows_t rows = { .table = &c->table,
                        .ids = !o->hash_sid,
                        .segments = CONNECTIONS,
                        .progress = tell_search,
                        .baton = r,
                        .stop = interrupt_listen() };

    return rows;
}

/* The key that HASH stands for: it may be one itself. */
static apr_status_t find(ddb_rows_t *rows, const options_t *o, const char **key, apr_pool_t *p, ddb_error_t *err)
{
    *key = o->hash;
    return ddb_rows_is_hash(o->hash) ? ddb_rows_find(rows, o->hash, key, p, err) : APR_SUCCESS;
}

/* --- show --- */

static void say_time(report_t *r, const char *name, const char *label, apr_time_t t, apr_pool_t *p)
{
    if (t) {
        report_text(r, name, label, ddb_time_print(t, p));
    }
}

static void say_end(report_t *r, const ddb_row_t *row, apr_time_t now, apr_pool_t *p)
{
    apr_int64_t left = row->expires - apr_time_sec(now);

    if (row->replaced) {
        report_text(r, "state", NULL, "replaced");
        report_line(r, "state: replaced by a newer ID, so it has no session: look for the client's later lines in the "
                       "log");
        return;
    }
    if (!row->expires) {
        report_text(r, "state", "state", "without an expiry time: not a session, or changed by hand");
        return;
    }
    say_time(r, "expires", "expires", apr_time_from_sec(row->expires), p);
    report_text(r, "state", NULL, left > 0 ? "alive" : "over");
    report_number(r, "seconds_left", NULL, (double)left);
    report_line(
        r, left > 0 ? "state: alive, expires in %" APR_INT64_T_FMT " s" : "state: expired %" APR_INT64_T_FMT " s ago",
        left > 0 ? left : -left);
}

static const char *data_label(const char *encoding)
{
    int is_sealed = encoding && strstr(encoding, DDB_ITEM_SEALED),
        is_packed = encoding && strstr(encoding, DDB_ITEM_ENCODING);

    return is_sealed && is_packed ? "data (bytes, compressed, sealed)"
           : is_sealed            ? "data (bytes, sealed)"
           : is_packed            ? "data (bytes, compressed)"
                                  : "data (bytes)";
}

static void say_row(report_t *r, const ddb_row_t *row, apr_time_t now, apr_pool_t *p)
{
    if (row->loggable) {
        report_text(r, "hash", "hash", row->loggable);
    }
    say_time(r, "created", "created", row->created, p);
    say_time(r, "accessed", "accessed", row->accessed, p);
    say_end(r, row, now, p);
    if (row->replaced) {
        return; /* what else the row has is not a session's */
    }
    report_number(r, "idle_timeout", "idle timeout (s)", (double)row->idle_timeout);
    report_number(r, "absolute_timeout", "absolute timeout (s)", (double)row->absolute_timeout);
    report_number(r, "version", "version", (double)row->version);
    report_number(r, "data_bytes", data_label(row->encoding), (double)row->data_len);
    report_text(r, "user", "user", row->has_user ? "yes" : "no");
    if (row->device) {
        report_text(r, "device", "device", row->device);
    }
}

exit_e rows_show(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    ddb_rows_t rows = begin(c, o, r);
    ddb_error_t err = { 0 };
    const char *key;
    ddb_row_t row;
    apr_status_t rv = find(&rows, o, &key, p, &err);

    if (rv == APR_SUCCESS) {
        rv = ddb_rows_read(&rows, key, &row, p, &err);
    }
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &err);
    }
    say_row(r, &row, ddb_clock_wall(c->table.clock), p);
    return EXIT_GOOD;
}

exit_e rows_end(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    ddb_rows_t rows = begin(c, o, r);
    ddb_error_t err = { 0 };
    const char *key;
    apr_status_t rv = find(&rows, o, &key, p, &err);

    if (rv == APR_SUCCESS) {
        rv = ddb_rows_end(&rows, key, p, &err);
    }
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &err);
    }
    report_number(r, "ended", NULL, 1);
    report_line(r, "the session was ended");
    return EXIT_GOOD;
}

/* --- top --- */

static void say_ranked(report_t *r, const ddb_rows_ranked_t *session, apr_time_t now, apr_pool_t *p)
{
    apr_time_t created = session->created ? session->created : now, accessed = session->accessed;
    ddb_json_t *json = r->json ? ddb_json_add_object(r->json, "sessions") : NULL;

    report_line(r, "%10s %10" APR_TIME_T_FMT " %10" APR_TIME_T_FMT " %10" APR_INT64_T_FMT "  %s",
                session->size ? apr_psprintf(p, "%" APR_INT64_T_FMT, session->size) : "-", apr_time_sec(now - created),
                accessed ? apr_time_sec(now - accessed) : 0, session->expires - apr_time_sec(now),
                *session->hash ? session->hash : "-");
    if (!json) {
        return;
    }
    if (*session->hash) {
        ddb_json_set_str(json, "hash", session->hash);
    }
    if (session->size) {
        ddb_json_set_number(json, "size", (double)session->size);
    }
    ddb_json_set_str(json, "created", ddb_time_print(created, p));
    ddb_json_set_str(json, "accessed", ddb_time_print(accessed, p));
    ddb_json_set_str(json, "expires", ddb_time_print(apr_time_from_sec(session->expires), p));
}

exit_e rows_top(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    ddb_rows_t rows = begin(c, o, r);
    ddb_rows_top_t top = { .order = strcmp(o->by, "age") == 0    ? DDB_ROWS_AGE
                                    : strcmp(o->by, "idle") == 0 ? DDB_ROWS_IDLE
                                                                 : DDB_ROWS_SIZE,
                           .n = o->number,
                           .ranked = apr_pcalloc(p, (apr_size_t)o->number * sizeof(*top.ranked)) };
    ddb_error_t err = { 0 };
    apr_status_t rv = ddb_rows_top(&rows, &top, p, &err);
    apr_time_t now = ddb_clock_wall(c->table.clock);
    int i;

    if (top.found) {
        report_line(r, "%10s %10s %10s %10s  %s", "bytes", "age (s)", "idle (s)", "left (s)", "hash");
    }
    for (i = 0; i < top.found; i++) {
        say_ranked(r, &top.ranked[i], now, p);
    }
    report_text(r, "by", NULL, o->by);
    report_number(r, "looked_at", "rows looked at", (double)rows.count.seen);
    report_number(r, "alive", "sessions alive", (double)rows.count.alive);
    return rv == APR_SUCCESS ? EXIT_GOOD : report_failure(r, rv, &err);
}

/* --- purge --- */

static void say_counts(report_t *r, const ddb_rows_count_t *n, int dry_run)
{
    report_number(r, "looked_at", "rows looked at", (double)n->seen);
    report_number(r, "due", dry_run ? "rows that would be deleted" : "rows of ended sessions", (double)n->due);
    if (!dry_run) {
        report_number(r, "deleted", "deleted", (double)n->deleted);
        report_number(r, "kept", "kept (used or ended in the meantime)", (double)n->kept);
    }
    report_number(r, "lists", n->lists ? dry_run ? "lists that would be deleted" : "lists deleted" : NULL,
                  (double)n->lists);
}

exit_e rows_purge(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    ddb_rows_t rows = begin(c, o, r);
    ddb_rows_sweep_t what = { .older_than = o->older_than, .dry_run = o->dry_run };
    ddb_error_t err = { 0 };
    apr_status_t rv;

    rows.progress = tell_purge;
    rv = ddb_rows_sweep(&rows, &what, p, &err);
    say_counts(r, &rows.count, o->dry_run);
    if (rv == APR_EINTR) {
        ddb_error_set(&err, rv, "interrupted; run it again for the rest");
    }
    return rv == APR_SUCCESS ? EXIT_GOOD : report_failure(r, rv, &err);
}
