#ifndef MSD_WRITE_QUEUE_H
#define MSD_WRITE_QUEUE_H

#include <httpd.h>

#include "httpd/child/msd_store_notices.h"
#include "httpd/child/msd_touches.h"
#include "store/ddb_item.h"
#include "store/ddb_store.h"

/*
 * Background writes: a bounded queue and one thread per child process. Touches record activity; if one is lost, the
 * session may expire a little early. Removals delete rows whose ID no client has; if one is lost, TTL deletes the row.
 * A client's first use of a new ID is marked as seen; if that is lost, the next use is.
 */
typedef struct msd_write_queue_t msd_write_queue_t;

/**
 * Create the queue and start its thread. Their memory is not from httpd's pools, because it must outlive the child's
 * pool, which prefork destroys inside a signal handler. s is for the log. length, which is 0 now, shows the number of
 * writes that are queued or under way; NULL: to nobody.
 */
apr_status_t msd_write_queue_create(msd_write_queue_t **pw, server_rec *s, volatile apr_uint32_t *length);

/** The most writes that are queued: a longer backlog of a slow table is not worth its memory. */
#define MSD_WRITE_QUEUE_MOST 1024

typedef enum msd_write_queue_kind_e {
    MSD_WRITE_QUEUE_TOUCH,
    MSD_WRITE_QUEUE_REMOVAL,
    MSD_WRITE_QUEUE_SEEN,
} msd_write_queue_kind_e;

/** One write: its kind, its store and session, and its timeout. */
typedef struct msd_write_queue_job_t {
    msd_write_queue_kind_e kind;
    ddb_store_t *store;
    const char *table;                  /* name, for the log */
    const ddb_clock_t *clock;           /* the store's */
    const msd_store_notices_t *notices; /* the store's */
    ddb_count_t *count;                 /* counters of the table; NULL: none */
    apr_interval_time_t timeout;        /* microseconds, for all attempts */
    ddb_session_t session;              /* its key; for a touch also its times and timeouts */
    apr_time_t now;                     /* the time of the activity; 0 for a removal */
    msd_touches_t *recent;              /* holds the touch's claim, released if it is not sent; NULL: not claimed */
} msd_write_queue_job_t;

/** Queue a copy of the job. If the queue is full, the job is dropped and its claim released. Never waits for the
 * network. */
void msd_write_queue_push(msd_write_queue_t *w, const msd_write_queue_job_t *job);

/**
 * Wait until the queue is empty, for limit (microseconds) at most, and a little longer for a write in progress. The
 * remaining writes are dropped, and one log line reports their number. Takes no locks: safe in a signal handler.
 */
void msd_write_queue_drain(msd_write_queue_t *w, apr_interval_time_t limit);

/** End the thread after its current write, drop queued writes, and free w. Not safe in a signal handler. */
void msd_write_queue_stop(msd_write_queue_t *w);

#endif
