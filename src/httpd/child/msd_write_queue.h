#ifndef MSD_WRITE_QUEUE_H
#define MSD_WRITE_QUEUE_H

#include <httpd.h>

#include "httpd/child/msd_store_notices.h"
#include "httpd/child/msd_touches.h"
#include "store/ddb_item.h"
#include "store/ddb_store.h"

/*
 * Writes that nobody waits for: a bounded queue and one thread per child process. Touches record activity; a lost one
 * lets a session end a little early. Removals take away rows that nobody knows of; a lost one leaves the row to TTL.
 */
typedef struct msd_write_queue_t msd_write_queue_t;

/**
 * Start the thread. Its memory belongs to no pool of httpd's: it must outlive the child's pool, which prefork destroys
 * inside a signal handler. s is for the log.
 */
apr_status_t msd_write_queue_create(msd_write_queue_t **pw, server_rec *s);

typedef enum msd_write_queue_kind_e {
    MSD_WRITE_QUEUE_TOUCH,
    MSD_WRITE_QUEUE_REMOVAL,
} msd_write_queue_kind_e;

/** What is to be written where, and how long it may take. */
typedef struct msd_write_queue_job_t {
    msd_write_queue_kind_e kind;
    ddb_store_t *store;
    const char *table;                  /* its name */
    const ddb_clock_t *clock;           /* of its client */
    const msd_store_notices_t *notices; /* of its calls */
    apr_interval_time_t timeout;        /* microseconds, all attempts */
    ddb_session_t session;              /* its key; for a touch its times and timeouts, too */
    apr_time_t now;                     /* of a touch: the time of the activity */
    msd_touches_t *recent;              /* where the touch was claimed: released if it is not sent; NULL: nowhere */
} msd_write_queue_job_t;

/** Queue a copy of the job; dropped, and its claim released, when the queue is full. Never blocks on the network. */
void msd_write_queue_push(msd_write_queue_t *w, const msd_write_queue_job_t *job);

/**
 * The end: wait until the queue is empty, limit (microseconds) at most, and a little more for the write that is under
 * way then. What is left is given up, and one line of the log says how much. Takes no lock: fit for a signal handler.
 */
void msd_write_queue_drain(msd_write_queue_t *w, apr_interval_time_t limit);

/** End the thread after the write that it is at; what is queued is given up, and w is gone. Not in a signal handler. */
void msd_write_queue_stop(msd_write_queue_t *w);

#endif
