#ifndef DDB_ROWS_H
#define DDB_ROWS_H

#include "store/ddb_table.h"

/*
 * The rows of the table for an operator: finding, showing, ranking, ending and purging them. The content of sessions
 * does not leave this room, and table keys are never shown, because they may be session IDs.
 */

/** The number of hash digits that identify a session; rows store as many. */
#define DDB_ROWS_HASH_MIN 32
#define DDB_ROWS_HASH_MAX 128

/** The counts of a scan so far. */
typedef struct ddb_rows_count_t {
    apr_int64_t pages, seen; /* calls, and rows that the service examined */
    apr_int64_t due;         /* past their end */
    apr_int64_t deleted;     /* of these */
    apr_int64_t kept;        /* of these: touched or gone before they could be deleted */
    apr_int64_t alive;       /* sessions that a search for the first of an order found */
    apr_int64_t lists; /* lists of users' sessions of which all had ended; deleted as well, and in none of these */
} ddb_rows_count_t;

/** Work on rows. Not thread safe; the threads of a search are its own. */
typedef struct ddb_rows_t {
    const ddb_table_t *table;
    int ids;      /* 1: the table's keys are session IDs (SessionDynamoDBHashSid Off) */
    int segments; /* of the table that a search scans at once, a thread for each; 0: it scans by itself */
    /** Called after each page, by one thread at a time; NULL: not called. */
    void (*progress)(void *baton, const ddb_rows_count_t *so_far);
    void *baton;
    volatile apr_uint32_t *stop; /* not 0: no further call is made. NULL: never stopped. Set atomically by a thread or a
                                    signal handler */
    ddb_rows_count_t count;      /* of the scan under way, or the last */
} ddb_rows_t;

/** The parts of a row that may be shown. 0 and NULL for missing or malformed attributes. Strings live in p. */
typedef struct ddb_row_t {
    const char *loggable; /* the hash that logs show, or its first 32 digits */
    apr_time_t created, accessed;
    apr_int64_t expires, idle_timeout, absolute_timeout, version;
    apr_int64_t data_len; /* bytes as they are stored */
    const char *encoding; /* of data, as the row names it; NULL: none */
    int has_user;
    const char *device; /* "bound" or "not bound", to one; NULL: there is none to which it could be */
    int replaced;       /* 1: the row of an ID that was replaced: no session */
} ddb_row_t;

/** 1 when text looks like a loggable hash, or its beginning: 32 to 128 hex digits. */
int ddb_rows_is_hash(const char *text);

/**
 * The table key, in p, of the session whose loggable hash starts with hash. Scans the whole table at half price
 * (eventually consistent), in parallel segments if it has more than a page. Throttled pages are requested again after
 * growing waits.
 * @return APR_NOTFOUND; DDB_ECONFLICT when several rows match; APR_EINTR when it was stopped; a failure.
 */
apr_status_t ddb_rows_find(ddb_rows_t *r, const char *hash, const char **key, apr_pool_t *p, ddb_error_t *err);

/** @return APR_NOTFOUND when there is no row of that key. */
apr_status_t ddb_rows_read(const ddb_rows_t *r, const char *key, ddb_row_t *row, apr_pool_t *p, ddb_error_t *err);

/** Delete the row if it is a session's. @return APR_NOTFOUND when it is not there, or its ID was replaced. */
apr_status_t ddb_rows_end(const ddb_rows_t *r, const char *key, apr_pool_t *p, ddb_error_t *err);

/** The rows that a purge takes. */
typedef struct ddb_rows_sweep_t {
    apr_int64_t older_than; /* seconds since the end of their session, at least */
    int dry_run;            /* 1: they are counted only */
} ddb_rows_sweep_t;

/**
 * Scan for rows of expired sessions and delete each on condition that it is still expired. Rows of replaced IDs stay a
 * day longer: where dynamodb-session-flask reads the table, their end is a day early. r->count has the result, also
 * after a failure; another run continues with the rest.
 * @return APR_SUCCESS; APR_EINTR when it was stopped; a failure.
 */
apr_status_t ddb_rows_sweep(ddb_rows_t *r, const ddb_rows_sweep_t *what, apr_pool_t *p, ddb_error_t *err);

/** What sessions can be put in order by, the greatest first. */
typedef enum ddb_rows_order_e { DDB_ROWS_SIZE, DDB_ROWS_AGE, DDB_ROWS_IDLE } ddb_rows_order_e;

/** A session of the first ones. Fixed in size, so that a search needs the same memory whatever the table has. */
typedef struct ddb_rows_ranked_t {
    char hash[DDB_ROWS_HASH_MAX + 1]; /* as in ddb_row_t; "": the row has none */
    apr_int64_t size;                 /* bytes, as DynamoDB counts them; 0 unless they are the order */
    apr_time_t created, accessed;
    apr_int64_t expires;
} ddb_rows_ranked_t;

/** The first sessions: ranked has room for n, and holds found of them. */
typedef struct ddb_rows_top_t {
    ddb_rows_order_e order;
    int n, found;
    ddb_rows_ranked_t *ranked;
} ddb_rows_top_t;

/**
 * Scan for the largest, oldest or longest idle sessions that are alive; not for IDs that were replaced, nor for rows
 * whose session has expired. A search by size receives whole rows, in pages that fit a reply; the others no data.
 * @return APR_EINTR when it was stopped, with what was found until then; a failure.
 */
apr_status_t ddb_rows_top(ddb_rows_t *r, ddb_rows_top_t *top, apr_pool_t *p, ddb_error_t *err);

#endif
