/* Scans of the table: page by page, with the waits of a table that throttles, and in segments at the same time. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "ddb_rows_int.h"
#include "store/ddb_attribute.h"

#define PAGE_ROWS  500                  /* so that a page arrives within the second that an attempt has */
#define WHOLE_ROWS 100                  /* the same of whole rows, if most are small */
#define FIRST_WAIT apr_time_from_sec(1) /* when the service throttles; doubles */
#define WAITS      5

static int is_stopped(const ddb_rows_t *r)
{
    return r->stop && apr_atomic_read32(r->stop);
}

static apr_status_t stopped(ddb_error_t *err)
{
    return ddb_error_set(err, APR_EINTR, "interrupted");
}

/* A scan may exceed the capacity of the table: waiting helps. */
apr_status_t ddb_rows_call(const ddb_rows_t *r, const char *operation, const char *body, ddb_json_t **reply,
                           apr_pool_t *p, ddb_error_t *err)
{
    const ddb_clock_t *clock = r->table->clock;
    apr_status_t rv = ddb_table_call(r->table, operation, body, reply, p, err);
    int i;

    for (i = 0; i < WAITS && rv == DDB_ETHROTTLED && !is_stopped(r); i++) {
        ddb_clock_sleep(clock, FIRST_WAIT << i);
        if (!is_stopped(r)) {
            rv = ddb_table_call(r->table, operation, body, reply, p, err);
        }
    }
    return rv;
}

/* --- a page --- */

/** What one thread scans: the table, or a segment of it. */
typedef struct part_t {
    ddb_rows_scan_t *scan;
    int segment;      /* of scan->segments; -1: the whole table */
    int limit;        /* rows of a page */
    const char *from; /* where the next page begins; NULL at the beginning and at the end */
    apr_pool_t *pool;
    ddb_error_t *err; /* of the whole scan */
} part_t;

static const char *page_body(const part_t *part, apr_pool_t *p)
{
    const ddb_rows_scan_t *s = part->scan;
    ddb_json_t *body = ddb_table_body(s->rows->table, p);

    ddb_json_set_number(body, "Limit", part->limit);
    ddb_json_set_str(body, "FilterExpression", s->filter);
    if (s->projection) {
        ddb_json_set_str(body, "ProjectionExpression", s->projection);
    }
    if (part->segment >= 0) {
        ddb_json_set_number(body, "Segment", part->segment);
        ddb_json_set_number(body, "TotalSegments", s->segments);
    }
    if (s->projection) {
        ddb_attribute_use_name(body, "id", p);
    }
    s->fill(s, body, p);
    if (part->from) {
        ddb_attribute_set_key(body, "ExclusiveStartKey", part->from);
    }
    return ddb_json_print(body, p);
}

static apr_status_t take_page(part_t *part, const ddb_json_t *reply, apr_pool_t *p, ddb_error_t *err)
{
    ddb_rows_scan_t *s = part->scan;
    const ddb_json_t *item;
    apr_int64_t seen = 0;
    apr_status_t rv = APR_SUCCESS;

    ddb_json_int(reply, "ScannedCount", &seen);
    s->rows->count.pages++;
    s->rows->count.seen += seen;
    for (item = ddb_json_item(reply, "Items", 0); rv == APR_SUCCESS && item; item = ddb_json_next(item)) {
        rv = is_stopped(s->rows) ? stopped(err) : s->take(s, item, p, err);
    }
    if (s->rows->progress) {
        s->rows->progress(s->rows->baton, &s->rows->count);
    }
    return rv;
}

/* Whole rows may be more than a reply may have: one row always fits. */
static apr_status_t fetch_page(part_t *part, ddb_json_t **reply, apr_pool_t *p, ddb_error_t *err)
{
    int most = part->scan->projection ? PAGE_ROWS : WHOLE_ROWS;
    apr_status_t rv;

    part->limit = part->limit && part->limit * 2 < most ? part->limit * 2 : most;
    do {
        rv = ddb_rows_call(part->scan->rows, "Scan", page_body(part, p), reply, p, err);
    } while (rv == DDB_ETOOLARGE && (part->limit /= 2) > 0 && !is_stopped(part->scan->rows));
    return rv;
}

/* What it leaves in part->from is in p. */
static apr_status_t scan_page(part_t *part, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *reply;
    apr_status_t rv = fetch_page(part, &reply, p, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    part->from = ddb_attribute_get(ddb_json_child(reply, "LastEvaluatedKey"), "id", "S");
    if (!part->from && ddb_json_has(reply, "LastEvaluatedKey")) {
        return ddb_error_set(err, DDB_EREFUSED,
                             "the key of the table is not id of type S: run session-dynamodb check for details");
    }
    if (part->scan->mutex) {
        apr_thread_mutex_lock(part->scan->mutex);
    }
    rv = take_page(part, reply, p, err);
    if (part->scan->mutex) {
        apr_thread_mutex_unlock(part->scan->mutex);
    }
    return rv;
}

/* --- a part --- */

/* 1 when another segment has failed, so that nothing comes of this one. */
static int is_vain(const part_t *part)
{
    int vain = 0;

    if (part->scan->mutex) {
        apr_thread_mutex_lock(part->scan->mutex);
        vain = part->scan->failed != APR_SUCCESS;
        apr_thread_mutex_unlock(part->scan->mutex);
    }
    return vain;
}

/* Tables have any number of pages: what a page needs goes with it, but for the place of the next. */
static apr_status_t scan_part(part_t *part, ddb_error_t *err)
{
    apr_pool_t *page = NULL, *before;
    apr_status_t rv = APR_SUCCESS;

    do {
        before = page;
        apr_pool_create(&page, part->pool);
        part->from = apr_pstrdup(page, part->from);
        if (before) {
            apr_pool_destroy(before);
        }
        rv = is_stopped(part->scan->rows) ? stopped(err) : scan_page(part, page, err);
    } while (rv == APR_SUCCESS && part->from && !is_vain(part));
    apr_pool_destroy(page);
    return rv;
}

/* --- segments --- */

static void *APR_THREAD_FUNC scan_segment(apr_thread_t *thread, void *baton)
{
    part_t *part = baton;
    ddb_rows_scan_t *s = part->scan;
    ddb_error_t err = { 0 };
    apr_status_t rv = scan_part(part, &err);

    (void)thread;
    apr_thread_mutex_lock(s->mutex);
    if (rv != APR_SUCCESS && s->failed == APR_SUCCESS) {
        s->failed = rv;
        *part->err = err;
    }
    apr_thread_mutex_unlock(s->mutex);
    return NULL;
}

/* A segment that was not started fails the whole scan: the row may be in that part of the table. */
static apr_status_t scan_segments(ddb_rows_scan_t *s, ddb_error_t *err)
{
    apr_thread_t **threads = apr_pcalloc(s->pool, s->segments * sizeof(apr_thread_t *));
    part_t *parts = apr_pcalloc(s->pool, s->segments * sizeof(*parts));
    apr_status_t rv = apr_thread_mutex_create(&s->mutex, APR_THREAD_MUTEX_DEFAULT, s->pool), ended;
    int i, begun = 0;

    while (rv == APR_SUCCESS && begun < s->segments) {
        part_t *part = &parts[begun];

        *part = (part_t){ .scan = s, .segment = begun, .err = err };
        rv = apr_pool_create(&part->pool, NULL); /* one for each thread */
        if (rv == APR_SUCCESS) {
            rv = apr_thread_create(&threads[begun], NULL, scan_segment, part, part->pool);
            begun += rv == APR_SUCCESS;
        }
    }
    if (rv != APR_SUCCESS && s->mutex) {
        apr_thread_mutex_lock(s->mutex);
        s->failed = rv;
        apr_thread_mutex_unlock(s->mutex);
    }
    for (i = 0; i < begun; i++) {
        apr_thread_join(&ended, threads[i]);
    }
    for (i = 0; i < s->segments && parts[i].pool; i++) {
        apr_pool_destroy(parts[i].pool);
    }
    return rv == APR_SUCCESS ? s->failed : ddb_error_set(err, rv, "cannot start threads to scan the table");
}

apr_status_t ddb_rows_scan(ddb_rows_scan_t *s, apr_pool_t *p, ddb_error_t *err)
{
    part_t whole = { .scan = s, .segment = -1, .pool = p, .err = err };
    apr_status_t rv;

    memset(&s->rows->count, 0, sizeof(s->rows->count));
    s->pool = p;
    if (s->segments < 2) {
        return scan_part(&whole, err);
    }
    /* Most tables end with the first page, for which threads would only make calls. */
    rv = is_stopped(s->rows) ? stopped(err) : scan_page(&whole, p, err);
    if (rv != APR_SUCCESS || !whole.from) {
        return rv;
    }
    s->found = NULL; /* its segment finds it again */
    if (s->top) {
        s->top->found = 0;
    }
    memset(&s->rows->count, 0, sizeof(s->rows->count));
    return scan_segments(s, err);
}
