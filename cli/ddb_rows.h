#ifndef DDB_ROWS_H
#define DDB_ROWS_H

#include "store/ddb_table.h"

/*
 * The rows of the table as an operator looks for them, shows, ends and sweeps them. What a session holds does not leave
 * this room, and no table key is for showing: it may be a session ID.
 */

/** Hash digits that are enough to name a session, which is what rows keep of it. */
#define DDB_ROWS_HASH_MIN 32
#define DDB_ROWS_HASH_MAX 128

/** What a scan came to so far. */
typedef struct ddb_rows_count_t {
    apr_int64_t pages, seen; /* calls, and rows that the service looked at */
    apr_int64_t due;         /* past their end */
    apr_int64_t deleted;     /* of these */
    apr_int64_t kept;        /* of these: touched or gone before they could be deleted */
} ddb_rows_count_t;

/** Work on rows. Not thread safe; the threads of a search are its own. */
typedef struct ddb_rows_t {
    const ddb_table_t *table;
    int ids;      /* 1: the table's keys are session IDs (SessionDynamoDBHashSid Off) */
    int segments; /* of the table that a search scans at once, a thread for each; 0: it scans by itself */
    /** Told after each page, by one thread at a time; NULL: nobody is told. */
    void (*progress)(void *baton, const ddb_rows_count_t *so_far);
    void *baton;
    volatile apr_uint32_t *stop; /* not 0: no further call is made. NULL: nobody stops it. Set atomically, as a thread
                                    or a signal handler does it */
    ddb_rows_count_t count;      /* of the scan under way, or the last */
} ddb_rows_t;

/** What may be shown of a row. 0 and NULL where the row has nothing, or nothing readable. Strings live in p. */
typedef struct ddb_row_t {
    const char *loggable; /* the hash that logs show, or its first 32 digits */
    apr_time_t created, accessed;
    apr_int64_t expires, idle_timeout, absolute_timeout, version;
    apr_int64_t data_len; /* bytes as they are stored */
    int compressed, has_user;
} ddb_row_t;

/** 1 when text looks like a loggable hash, or its beginning: 32 to 128 hex digits. */
int ddb_rows_is_hash(const char *text);

/**
 * The table key, in p, of the session whose loggable hash begins so. A scan of the whole table, at half price
 * (eventually consistent); one of more than a page in segments at once. A page that is throttled is asked for again,
 * after longer and longer waits.
 * @return APR_NOTFOUND; DDB_ECONFLICT when several rows match; APR_EINTR when it was stopped; a failure.
 */
apr_status_t ddb_rows_find(ddb_rows_t *r, const char *hash, const char **key, apr_pool_t *p, ddb_error_t *err);

/** @return APR_NOTFOUND when there is no row of that key. */
apr_status_t ddb_rows_read(const ddb_rows_t *r, const char *key, ddb_row_t *row, apr_pool_t *p, ddb_error_t *err);

/** Delete the row if it is there. @return APR_NOTFOUND when it is not. */
apr_status_t ddb_rows_end(const ddb_rows_t *r, const char *key, apr_pool_t *p, ddb_error_t *err);

/** Which rows a sweep takes. */
typedef struct ddb_rows_sweep_t {
    apr_int64_t older_than; /* seconds since the end of their session, at least */
    int dry_run;            /* 1: they are counted only */
} ddb_rows_sweep_t;

/**
 * Scan for rows whose session is over and delete each on the condition that it still is. r->count tells what was done,
 * after a failure too; another run goes on with what is left.
 * @return APR_SUCCESS; APR_EINTR when it was stopped; a failure.
 */
apr_status_t ddb_rows_sweep(ddb_rows_t *r, const ddb_rows_sweep_t *what, apr_pool_t *p, ddb_error_t *err);

#endif
