/* Rows as an operator works on them: scans page by page, with their waits, and what a row shows of its session. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "ddb_item.h"
#include "ddb_rows.h"
#include "ddb_sid.h"

#define PAGE_ROWS   500                   /* so that a page arrives within the second that an attempt has */
#define FIRST_WAIT  apr_time_from_sec(1)  /* when the service throttles; doubles */
#define WAITS       5

/** One scan: what is asked for, and who gets each row of an answer. */
typedef struct scan_t {
    ddb_rows_t *rows;
    const char *filter, *projection;
    void (*fill)(const struct scan_t *s, ddb_json_t *names, ddb_json_t *values, apr_pool_t *p);
    apr_status_t (*take)(struct scan_t *s, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err);
    const char *hash;       /* of a search */
    const char *found;      /* the key, in pool */
    const ddb_rows_sweep_t *sweep;
    apr_pool_t *pool;       /* of the whole scan */
} scan_t;

static int is_stopped(const ddb_rows_t *r)
{
    return r->stop && *r->stop;
}

static apr_status_t stopped(ddb_error_t *err)
{
    return ddb_error_set(err, APR_EINTR, "stopped before the end");
}

/* A scan asks for more at once than a table may be set up for: waiting is what helps. */
static apr_status_t call_patiently(const ddb_rows_t *r, const char *operation, const char *body, ddb_json_t **reply,
                                   apr_pool_t *p, ddb_error_t *err)
{
    const ddb_clock_t *clock = r->table->clock;
    apr_status_t rv = ddb_table_call(r->table, operation, body, reply, p, err);
    int i;

    for (i = 0; i < WAITS && rv == DDB_ETHROTTLED && !is_stopped(r); i++) {
        clock->sleep(clock->baton, FIRST_WAIT << i);
        if (!is_stopped(r)) {
            rv = ddb_table_call(r->table, operation, body, reply, p, err);
        }
    }
    return rv;
}

static void put(ddb_json_t *map, const char *name, const char *type, const char *text)
{
    ddb_json_set_str(ddb_json_set_object(map, name), type, text);
}

static void put_number(ddb_json_t *map, const char *name, apr_int64_t n, apr_pool_t *p)
{
    put(map, name, "N", apr_psprintf(p, "%" APR_INT64_T_FMT, n));
}

static const char *text_of(const ddb_json_t *item, const char *name)
{
    return ddb_json_str(ddb_json_child(item, name), "S");
}

/* Whole numbers; another program may have written anything. */
static apr_int64_t number_of(const ddb_json_t *item, const char *name)
{
    const char *text = ddb_json_str(ddb_json_child(item, name), "N");
    apr_size_t len = text ? strspn(text, "0123456789") : 0;

    return len > 0 && len <= 15 && !text[len] ? apr_atoi64(text) : 0;
}

/* --- scan --- */

static const char *page_body(const scan_t *s, const char *from, apr_pool_t *p)
{
    ddb_json_t *body = ddb_json_object(p), *names, *values;

    ddb_json_set_str(body, "TableName", s->rows->table->name);
    ddb_json_set_number(body, "Limit", PAGE_ROWS);
    ddb_json_set_str(body, "FilterExpression", s->filter);
    ddb_json_set_str(body, "ProjectionExpression", s->projection);
    names = ddb_json_set_object(body, "ExpressionAttributeNames");
    values = ddb_json_set_object(body, "ExpressionAttributeValues");
    ddb_json_set_str(names, "#id", "id");
    s->fill(s, names, values, p);
    if (from) {
        put(ddb_json_set_object(body, "ExclusiveStartKey"), "id", "S", from);
    }
    return ddb_json_print(body, p);
}

/* *from: where the page begins, then where the next does; NULL at the end. */
static apr_status_t scan_page(scan_t *s, const char **from, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *reply;
    const ddb_json_t *item;
    apr_int64_t seen = 0;
    apr_status_t rv = call_patiently(s->rows, "Scan", page_body(s, *from, p), &reply, p, err);
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    *from = text_of(ddb_json_child(reply, "LastEvaluatedKey"), "id");
    if (!*from && ddb_json_has(reply, "LastEvaluatedKey")) {
        return ddb_error_set(err, DDB_EREFUSED, "the key of the table is not id of type S: session-dynamodb check says "
                             "more");
    }
    ddb_json_int(reply, "ScannedCount", &seen);
    s->rows->count.pages++;
    s->rows->count.seen += seen;
    for (i = 0; rv == APR_SUCCESS && (item = ddb_json_item(reply, "Items", i)) != NULL; i++) {
        rv = is_stopped(s->rows) ? stopped(err) : s->take(s, item, p, err);
    }
    if (s->rows->progress) {
        s->rows->progress(s->rows->baton, &s->rows->count);
    }
    return rv;
}

/* Tables have any number of pages: what a page needs goes with it, but for the place of the next. */
static apr_status_t scan(scan_t *s, apr_pool_t *p, ddb_error_t *err)
{
    apr_pool_t *page = NULL, *before;
    const char *from = NULL;
    apr_status_t rv = APR_SUCCESS;

    memset(&s->rows->count, 0, sizeof(s->rows->count));
    s->pool = p;
    do {
        before = page;
        apr_pool_create(&page, p);
        from = apr_pstrdup(page, from);
        if (before) {
            apr_pool_destroy(before);
        }
        rv = is_stopped(s->rows) ? stopped(err) : scan_page(s, &from, page, err);
    } while (rv == APR_SUCCESS && from);
    apr_pool_destroy(page);
    return rv;
}

/* --- find --- */

int ddb_rows_is_hash(const char *text)
{
    apr_size_t len = strspn(text, "0123456789abcdefABCDEF");

    return !text[len] && len >= DDB_ROWS_HASH_MIN && len <= DDB_ROWS_HASH_MAX;
}

static void fill_search(const scan_t *s, ddb_json_t *names, ddb_json_t *values, apr_pool_t *p)
{
    ddb_json_set_str(names, "#loggable", "loggable");
    put(values, ":loggable", "S", apr_pstrmemdup(p, s->hash, DDB_ITEM_LOGGABLE_LEN));
}

/* The filter lets through whose mark is right, and where keys are IDs those without one. */
static apr_status_t take_match(scan_t *s, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err)
{
    const char *key = text_of(item, "id"), *hash;

    if (!key) {
        return APR_SUCCESS;
    }
    if (!text_of(item, "loggable")) {
        hash = ddb_sid_loggable(key, p);
        if (!hash || strncmp(hash, s->hash, strlen(s->hash)) != 0) {
            return APR_SUCCESS;
        }
    }
    if (s->found) {
        return ddb_error_set(err, DDB_ECONFLICT, "several rows have a hash that begins so: somebody has copied or "
                             "changed rows by hand");
    }
    s->found = apr_pstrdup(s->pool, key);
    return APR_SUCCESS;
}

apr_status_t ddb_rows_find(ddb_rows_t *r, const char *hash, const char **key, apr_pool_t *p, ddb_error_t *err)
{
    scan_t s = { .rows = r, .fill = fill_search, .take = take_match, .projection = "#id, #loggable",
                 .filter = r->ids ? "#loggable = :loggable OR attribute_not_exists(#loggable)"
                                  : "#loggable = :loggable" };
    char *lower = apr_pstrdup(p, hash), *c;
    apr_status_t rv;

    for (c = lower; *c; c++) {
        *c = apr_tolower(*c);
    }
    s.hash = lower;
    *key = NULL;
    rv = scan(&s, p, err);
    if (rv == APR_SUCCESS) {
        *key = s.found;
        rv = s.found ? APR_SUCCESS : ddb_error_set(err, APR_NOTFOUND, "no row has that hash: the session is over, or "
                                                   "in another table");
    }
    return rv;
}

/* --- one row --- */

/* What base64 stands for, and text. */
static apr_int64_t length_of_data(const ddb_json_t *item)
{
    const ddb_json_t *data = ddb_json_child(item, "data");
    const char *text = ddb_json_str(data, "B");
    apr_size_t len = text ? strlen(text) : 0, padding = 0;

    if (!text) {
        text = ddb_json_str(data, "S");
        return text ? (apr_int64_t)strlen(text) : 0;
    }
    while (padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }
    return (apr_int64_t)((len - padding) * 3 / 4);
}

static apr_time_t time_of(const ddb_json_t *item, const char *name)
{
    const char *text = text_of(item, name);
    apr_time_t t = 0;

    return text && ddb_item_time_parse(&t, text) == APR_SUCCESS ? t : 0;
}

static const char *loggable_of(const ddb_rows_t *r, const ddb_json_t *item, apr_pool_t *p)
{
    const char *text = text_of(item, "loggable"), *id = text_of(item, "id");

    if (text) {
        return ddb_rows_is_hash(text) ? apr_pstrdup(p, text) : NULL;
    }
    return r->ids && id ? ddb_sid_loggable(id, p) : NULL;
}

apr_status_t ddb_rows_read(const ddb_rows_t *r, const char *key, ddb_row_t *row, apr_pool_t *p, ddb_error_t *err)
{
    const ddb_json_t *item;
    ddb_json_t *reply;
    apr_status_t rv = call_patiently(r, "GetItem", ddb_item_get_body(r->table->name, key, 1, p), &reply, p, err);

    memset(row, 0, sizeof(*row));
    item = ddb_json_child(reply, "Item");
    if (rv == APR_SUCCESS && !item) {
        rv = ddb_error_set(err, APR_NOTFOUND, "there is no such row");
    }
    if (rv == APR_SUCCESS) {
        row->loggable = loggable_of(r, item, p);
        row->created = time_of(item, "created");
        row->accessed = time_of(item, "accessed");
        row->expires = number_of(item, "expires");
        row->idle_timeout = number_of(item, "idle_timeout");
        row->absolute_timeout = number_of(item, "absolute_timeout");
        row->version = number_of(item, "version");
        row->data_len = length_of_data(item);
        row->compressed = ddb_json_has(item, "encoding");
        row->has_user = ddb_json_has(item, "user_mark");
    }
    return rv;
}

/* --- delete --- */

static ddb_json_t *of_row(const ddb_rows_t *r, const char *key, const char *condition, apr_pool_t *p)
{
    ddb_json_t *body = ddb_json_object(p);

    ddb_json_set_str(body, "TableName", r->table->name);
    put(ddb_json_set_object(body, "Key"), "id", "S", key);
    ddb_json_set_str(body, "ConditionExpression", condition);
    return body;
}

apr_status_t ddb_rows_end(const ddb_rows_t *r, const char *key, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *body = of_row(r, key, "attribute_exists(#id)", p), *reply;
    apr_status_t rv;

    ddb_json_set_str(ddb_json_set_object(body, "ExpressionAttributeNames"), "#id", "id");
    rv = call_patiently(r, "DeleteItem", ddb_json_print(body, p), &reply, p, err);
    /* After a lost answer the row may be gone by our own hand, which comes to the same. */
    if (rv == DDB_ECONFLICT) {
        rv = err->unsettled ? APR_SUCCESS : ddb_error_set(err, APR_NOTFOUND, "there is no such row any more");
    }
    return rv;
}

/* Read anew each time: the clock is corrected once the service has called it wrong. */
static apr_int64_t end_before(const scan_t *s)
{
    return apr_time_sec(ddb_client_wall(s->rows->table->client)) - s->sweep->older_than;
}

static void fill_sweep(const scan_t *s, ddb_json_t *names, ddb_json_t *values, apr_pool_t *p)
{
    ddb_json_set_str(names, "#expires", "expires");
    put_number(values, ":before", end_before(s), p);
}

static apr_status_t delete_expired(scan_t *s, const char *key, apr_pool_t *p, ddb_error_t *err)
{
    ddb_rows_t *r = s->rows;
    ddb_json_t *body = of_row(r, key, "#expires < :before", p), *reply;
    apr_status_t rv;

    ddb_json_set_str(ddb_json_set_object(body, "ExpressionAttributeNames"), "#expires", "expires");
    put_number(ddb_json_set_object(body, "ExpressionAttributeValues"), ":before", end_before(s), p);
    rv = call_patiently(r, "DeleteItem", ddb_json_print(body, p), &reply, p, err);
    /* After a lost answer the row may be gone by our own hand. */
    r->count.deleted += rv == APR_SUCCESS || (rv == DDB_ECONFLICT && err->unsettled);
    r->count.kept += rv == DDB_ECONFLICT && !err->unsettled;
    return rv == DDB_ECONFLICT ? APR_SUCCESS : rv;
}

static apr_status_t take_expired(scan_t *s, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err)
{
    const char *key = text_of(item, "id");
    apr_int64_t expires = number_of(item, "expires");

    /* The first page was asked for by a clock that may have been corrected since. */
    if (!key || !expires || expires >= end_before(s)) {
        return APR_SUCCESS;
    }
    s->rows->count.due++;
    return s->sweep->dry_run ? APR_SUCCESS : delete_expired(s, key, p, err);
}

apr_status_t ddb_rows_sweep(ddb_rows_t *r, const ddb_rows_sweep_t *what, apr_pool_t *p, ddb_error_t *err)
{
    scan_t s = { .rows = r, .fill = fill_sweep, .take = take_expired, .projection = "#id, #expires",
                 .filter = "#expires < :before", .sweep = what };

    return scan(&s, p, err);
}
