/* Rows as an operator works on them, and what a row shows of its session. Scans: ddb_rows_scan.c. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "store/ddb_attribute.h"
#include "store/ddb_item.h"
#include "ddb_rows_int.h"
#include "base/ddb_time.h"
#include "store/ddb_sid.h"
#include "store/ddb_user_sessions.h"

#define A_DAY 86400 /* seconds that the row of a replaced ID ends early, where another program may go by its end */

/* Whole numbers; another program may have written anything. */
static apr_int64_t number_of(const ddb_json_t *item, const char *name)
{
    apr_int64_t n = 0;

    ddb_attribute_read_number(&n, ddb_attribute_get(item, name, "N"));
    return n;
}

/* --- find --- */

int ddb_rows_is_hash(const char *text)
{
    apr_size_t len = strspn(text, "0123456789abcdefABCDEF");

    return !text[len] && len >= DDB_ROWS_HASH_MIN && len <= DDB_ROWS_HASH_MAX;
}

static void fill_search(const ddb_rows_scan_t *s, ddb_json_t *body, apr_pool_t *p)
{
    ddb_attribute_use_name(body, "loggable", p);
    ddb_attribute_use_value(body, "loggable", "S", apr_pstrmemdup(p, s->hash, DDB_ITEM_LOGGABLE_LEN), p);
}

/* The filter lets through whose mark is right, and where keys are IDs those without one. */
static apr_status_t take_match(ddb_rows_scan_t *s, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err)
{
    const char *key = ddb_attribute_get(item, "id", "S"), *hash;

    if (!key || ddb_user_sessions_is_id(key)) {
        return APR_SUCCESS;
    }
    if (!ddb_attribute_get(item, "loggable", "S")) {
        hash = ddb_sid_loggable(key, p);
        if (!hash || strncmp(hash, s->hash, strlen(s->hash)) != 0) {
            return APR_SUCCESS;
        }
    }
    if (s->found) {
        return ddb_error_set(err, DDB_ECONFLICT, "several rows match this hash: rows were copied or changed by hand");
    }
    s->found = apr_pstrdup(s->pool, key);
    return APR_SUCCESS;
}

apr_status_t ddb_rows_find(ddb_rows_t *r, const char *hash, const char **key, apr_pool_t *p, ddb_error_t *err)
{
    ddb_rows_scan_t s = { .rows = r,
                          .fill = fill_search,
                          .take = take_match,
                          .projection = "#id, #loggable",
                          .segments = r->segments,
                          .filter = r->ids ? "#loggable = :loggable OR attribute_not_exists(#loggable)"
                                           : "#loggable = :loggable" };
    char *lower = apr_pstrdup(p, hash), *c;
    apr_status_t rv;

    for (c = lower; *c; c++) {
        *c = apr_tolower(*c);
    }
    s.hash = lower;
    *key = NULL;
    rv = ddb_rows_scan(&s, p, err);
    if (rv == APR_SUCCESS) {
        *key = s.found;
        rv = s.found ? APR_SUCCESS
                     : ddb_error_set(err, APR_NOTFOUND,
                                     "no row has this hash: the session has ended, or is in another table");
    }
    return rv;
}

/* --- one row --- */

/* What base64 stands for, and text. */
static apr_int64_t length_of_data(const ddb_json_t *item)
{
    const char *text = ddb_attribute_get(item, "data", "B");
    apr_size_t len = text ? strlen(text) : 0, padding = 0;

    if (!text) {
        text = ddb_attribute_get(item, "data", "S");
        return text ? (apr_int64_t)strlen(text) : 0;
    }
    while (padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }
    return (apr_int64_t)((len - padding) * 3 / 4);
}

static apr_time_t time_of(const ddb_json_t *item, const char *name)
{
    const char *text = ddb_attribute_get(item, name, "S");
    apr_time_t t = 0;

    return text && ddb_time_parse(&t, text) == APR_SUCCESS ? t : 0;
}

/* The last activity of no session, as ddb_store_replace and ddb_store_succeed leave it. */
static int is_replaced(const ddb_json_t *item)
{
    const char *text = ddb_attribute_get(item, "accessed", "S");
    apr_time_t t = 1;

    return text && ddb_time_parse(&t, text) == APR_SUCCESS && t == 0;
}

static const char *loggable_of(const ddb_rows_t *r, const ddb_json_t *item, apr_pool_t *p)
{
    const char *text = ddb_attribute_get(item, "loggable", "S"), *id = ddb_attribute_get(item, "id", "S");

    if (text) {
        return ddb_rows_is_hash(text) ? apr_pstrdup(p, text) : NULL;
    }
    return r->ids && id ? ddb_sid_loggable(id, p) : NULL;
}

void ddb_rows_read_item(const ddb_rows_t *r, const ddb_json_t *item, ddb_row_t *row, apr_pool_t *p)
{
    *row = (ddb_row_t){
        .loggable = loggable_of(r, item, p),
        .created = time_of(item, "created"),
        .accessed = time_of(item, "accessed"),
        .expires = number_of(item, "expires"),
        .idle_timeout = number_of(item, "idle_timeout"),
        .absolute_timeout = number_of(item, "absolute_timeout"),
        .version = number_of(item, "version"),
        .data_len = length_of_data(item),
        .encoding = apr_pstrdup(p, ddb_attribute_get(item, "encoding", "S")),
        .has_user = ddb_json_has(item, "user_mark") || ddb_json_has(item, "user_marks"),
        .device = ddb_json_has(item, "device_key")      ? "bound"
                  : ddb_json_has(item, "device_secret") ? "not bound"
                                                        : NULL,
        .replaced = is_replaced(item),
    };
}

apr_status_t ddb_rows_read(const ddb_rows_t *r, const char *key, ddb_row_t *row, apr_pool_t *p, ddb_error_t *err)
{
    const ddb_json_t *item;
    ddb_json_t *reply;
    apr_status_t rv = ddb_rows_call(r, "GetItem", ddb_item_get_body(r->table->name, key, 1, p), &reply, p, err);

    memset(row, 0, sizeof(*row));
    item = ddb_json_child(reply, "Item");
    if (rv == APR_SUCCESS && !item) {
        rv = ddb_error_set(err, APR_NOTFOUND, "no such row");
    }
    if (rv == APR_SUCCESS) {
        ddb_rows_read_item(r, item, row, p);
    }
    return rv;
}

/* --- delete --- */

static ddb_json_t *of_row(const ddb_rows_t *r, const char *key, const char *condition, apr_pool_t *p)
{
    ddb_json_t *body = ddb_table_body(r->table, p);

    ddb_attribute_set_key(body, "Key", key);
    ddb_json_set_str(body, "ConditionExpression", condition);
    return body;
}

/* The condition of an end failed. After a lost answer the row may be gone by our own hand, which comes to the same. */
static apr_status_t why_not_ended(const ddb_rows_t *r, const char *key, apr_pool_t *p, ddb_error_t *err)
{
    int unsettled = err->unsettled;
    ddb_row_t row;
    apr_status_t rv = ddb_rows_read(r, key, &row, p, err);

    if (rv == APR_SUCCESS && row.replaced) {
        return ddb_error_set(err, APR_NOTFOUND,
                             "this ID was replaced by a newer one, so it has no session to end: look for the client's "
                             "later lines in the log");
    }
    if (rv == APR_SUCCESS) {
        return ddb_error_set(err, DDB_ECONFLICT, "the row changed meanwhile: run the command again");
    }
    if (rv == APR_NOTFOUND) {
        return unsettled ? APR_SUCCESS : ddb_error_set(err, rv, "the row no longer exists");
    }
    return rv;
}

apr_status_t ddb_rows_end(const ddb_rows_t *r, const char *key, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *body = of_row(
                   r, key, "attribute_exists(#id) AND (attribute_not_exists(#accessed) OR #accessed <> :replaced)", p),
               *reply;
    apr_status_t rv;

    ddb_attribute_use_name(body, "id", p);
    ddb_attribute_use_name(body, "accessed", p);
    ddb_attribute_use_value(body, "replaced", "S", ddb_time_print(0, p), p);
    rv = ddb_rows_call(r, "DeleteItem", ddb_json_print(body, p), &reply, p, err);
    return rv == DDB_ECONFLICT ? why_not_ended(r, key, p, err) : rv;
}

/* --- sweep --- */

/* Read each time: the clock is corrected once the service has refused it. */
static apr_int64_t end_before(const ddb_rows_scan_t *s)
{
    return apr_time_sec(ddb_clock_wall(s->rows->table->clock)) - s->sweep->older_than;
}

static void use_end(ddb_json_t *body, apr_int64_t before, apr_pool_t *p)
{
    ddb_attribute_use_name(body, "expires", p);
    ddb_attribute_use_value(body, "before", "N", ddb_attribute_number(before, p), p);
}

static void fill_sweep(const ddb_rows_scan_t *s, ddb_json_t *body, apr_pool_t *p)
{
    ddb_attribute_use_name(body, "accessed", p);
    use_end(body, end_before(s), p);
}

/* @return DDB_ECONFLICT if its end is another by now. */
static apr_status_t delete_row(const ddb_rows_scan_t *s, const char *key, apr_int64_t before, apr_pool_t *p,
                               ddb_error_t *err)
{
    ddb_json_t *body = of_row(s->rows, key, "#expires < :before", p), *reply;

    use_end(body, before, p);
    return ddb_rows_call(s->rows, "DeleteItem", ddb_json_print(body, p), &reply, p, err);
}

/* A list goes with its sessions, and comes back with the next. */
static apr_status_t delete_list(const ddb_rows_scan_t *s, const char *key, apr_int64_t before, apr_pool_t *p,
                                ddb_error_t *err)
{
    apr_status_t rv = delete_row(s, key, before, p, err);

    s->rows->count.lists += rv == APR_SUCCESS || (rv == DDB_ECONFLICT && err->unsettled);
    return rv == DDB_ECONFLICT ? APR_SUCCESS : rv;
}

static apr_status_t delete_expired(const ddb_rows_scan_t *s, const char *key, apr_int64_t before, apr_pool_t *p,
                                   ddb_error_t *err)
{
    ddb_rows_t *r = s->rows;
    apr_status_t rv = delete_row(s, key, before, p, err);

    /* After a lost answer the row may be gone by our own hand. */
    r->count.deleted += rv == APR_SUCCESS || (rv == DDB_ECONFLICT && err->unsettled);
    r->count.kept += rv == DDB_ECONFLICT && !err->unsettled;
    return rv == DDB_ECONFLICT ? APR_SUCCESS : rv;
}

static apr_status_t take_expired(ddb_rows_scan_t *s, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err)
{
    const char *key = ddb_attribute_get(item, "id", "S");
    apr_int64_t expires = number_of(item, "expires"), before = end_before(s) - (is_replaced(item) ? A_DAY : 0);

    /* The first page was asked for by a clock that may have been corrected since. */
    if (!key || !expires || expires >= before) {
        return APR_SUCCESS;
    }
    if (ddb_user_sessions_is_id(key)) {
        s->rows->count.lists += s->sweep->dry_run;
        return s->sweep->dry_run ? APR_SUCCESS : delete_list(s, key, before, p, err);
    }
    s->rows->count.due++;
    return s->sweep->dry_run ? APR_SUCCESS : delete_expired(s, key, before, p, err);
}

apr_status_t ddb_rows_sweep(ddb_rows_t *r, const ddb_rows_sweep_t *what, apr_pool_t *p, ddb_error_t *err)
{
    ddb_rows_scan_t s = { .rows = r,
                          .fill = fill_sweep,
                          .take = take_expired,
                          .projection = "#id, #expires, #accessed",
                          .filter = "#expires < :before",
                          .sweep = what };

    return ddb_rows_scan(&s, p, err);
}
