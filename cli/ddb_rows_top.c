/* The first sessions of a table by size, age or idle time: one scan, and no more memory than the result. */

#include <string.h>

#include <apr_strings.h>

#include "ddb_rows_int.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item.h"
#include "store/ddb_user_sessions.h"

static void fill_alive(const ddb_rows_scan_t *s, ddb_json_t *body, apr_pool_t *p)
{
    apr_int64_t now = apr_time_sec(ddb_clock_wall(s->rows->table->clock));

    ddb_attribute_use_name(body, "expires", p);
    ddb_attribute_use_value(body, "now", "N", ddb_attribute_number(now, p), p);
    if (s->projection) {
        ddb_attribute_use_name(body, "loggable", p);
        ddb_attribute_use_name(body, "created", p);
        ddb_attribute_use_name(body, "accessed", p);
    }
}

/* 1 when a comes before b. */
static int is_before(const ddb_rows_ranked_t *a, const ddb_rows_ranked_t *b, ddb_rows_order_e order)
{
    switch (order) {
    case DDB_ROWS_AGE:
        return a->created < b->created;
    case DDB_ROWS_IDLE:
        return a->accessed < b->accessed;
    default:
        return a->size > b->size;
    }
}

static void rank(ddb_rows_top_t *top, const ddb_rows_ranked_t *session)
{
    int at = top->found;

    while (at > 0 && is_before(session, &top->ranked[at - 1], top->order)) {
        at--;
    }
    if (at == top->n) {
        return;
    }
    top->found += top->found < top->n;
    memmove(&top->ranked[at + 1], &top->ranked[at], (apr_size_t)(top->found - 1 - at) * sizeof(*session));
    top->ranked[at] = *session;
}

static apr_status_t take_alive(ddb_rows_scan_t *s, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err)
{
    const char *key = ddb_attribute_get(item, "id", "S");
    ddb_rows_ranked_t session = { .size = s->projection ? 0 : (apr_int64_t)ddb_item_size_of(item) };
    ddb_row_t row;

    (void)err;
    if (!key || ddb_user_sessions_is_id(key)) {
        return APR_SUCCESS;
    }
    ddb_rows_read_item(s->rows, item, &row, p);
    /* Without its times a row is no session, whoever wrote it. */
    if (row.replaced || !row.created || !row.accessed) {
        return APR_SUCCESS;
    }
    apr_cpystrn(session.hash, row.loggable ? row.loggable : "", sizeof(session.hash));
    session.created = row.created;
    session.accessed = row.accessed;
    session.expires = row.expires;
    s->rows->count.alive++;
    rank(s->top, &session);
    return APR_SUCCESS;
}

apr_status_t ddb_rows_top(ddb_rows_t *r, ddb_rows_top_t *top, apr_pool_t *p, ddb_error_t *err)
{
    ddb_rows_scan_t s = { .rows = r,
                          .fill = fill_alive,
                          .take = take_alive,
                          .projection = top->order == DDB_ROWS_SIZE ? NULL
                                                                    : "#id, #loggable, #created, #accessed, #expires",
                          .filter = "#expires > :now",
                          .segments = r->segments,
                          .top = top };

    top->found = 0;
    return ddb_rows_scan(&s, p, err);
}
