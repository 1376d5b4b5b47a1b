#ifndef DDB_ROWS_INT_H
#define DDB_ROWS_INT_H

#include <apr_thread_mutex.h>

#include "ddb_rows.h"

/* Shared by the files of ddb_rows. */

/** One scan: its request, and the function that takes each row. */
typedef struct ddb_rows_scan_t {
    ddb_rows_t *rows;
    const char *filter, *projection;                                                /* projection NULL: whole rows */
    void (*fill)(const struct ddb_rows_scan_t *s, ddb_json_t *body, apr_pool_t *p); /* placeholders of the filter */
    apr_status_t (*take)(struct ddb_rows_scan_t *s, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err);
    int segments;      /* scanned at once where the table has more than a page; 0: no threads are made */
    const char *hash;  /* of a search */
    const char *found; /* the key, in pool */
    const ddb_rows_sweep_t *sweep;
    ddb_rows_top_t *top;
    apr_pool_t *pool;          /* of the whole scan */
    apr_thread_mutex_t *mutex; /* of segments: guards found, pool, failed and the count, and is held over take and
                                  progress; NULL: there is one thread */
    apr_status_t failed;       /* of segments: why the first one ended that failed */
} ddb_rows_scan_t;

/** What an item shows of its session; strings in p. */
void ddb_rows_read_item(const ddb_rows_t *r, const ddb_json_t *item, ddb_row_t *row, apr_pool_t *p);

/** Scan the whole table. @return APR_EINTR when it was stopped; what take returned; a failure. */
apr_status_t ddb_rows_scan(ddb_rows_scan_t *s, apr_pool_t *p, ddb_error_t *err);

/** ddb_table_call, repeated after growing waits while it is throttled. */
apr_status_t ddb_rows_call(const ddb_rows_t *r, const char *operation, const char *body, ddb_json_t **reply,
                           apr_pool_t *p, ddb_error_t *err);

#endif
