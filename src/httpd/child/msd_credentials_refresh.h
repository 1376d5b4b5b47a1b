#ifndef MSD_CREDENTIALS_REFRESH_H
#define MSD_CREDENTIALS_REFRESH_H

#include <httpd.h>

#include "aws/creds/ddb_creds.h"
#include "base/ddb_cancel.h"

/*
 * The threads of a child process for work that would delay requests: one for each credential provider chain, which
 * alone calls the providers, from the start of the child on; and one that runs the jobs at startup and then ends. A
 * chain that hangs does not block anything else. The chains must live as long as the threads.
 */
typedef struct msd_credentials_refresh_t msd_credentials_refresh_t;

/**
 * Create an object without chains, jobs or running threads. p is from msd_thread_pool_create and must outlive the
 * threads. s is for the log.
 */
msd_credentials_refresh_t *msd_credentials_refresh_create(server_rec *s, apr_pool_t *p);

/** Where the source of the credentials is shown to all children: as msd_gauge_e says; NULL: nowhere. */
typedef struct msd_credentials_refresh_shown_t {
    volatile apr_uint32_t *provider, *expires;
} msd_credentials_refresh_shown_t;

/** Before start: add a thread that calls the providers of this chain, created with this cancel and has_refresher. */
void msd_credentials_refresh_add(msd_credentials_refresh_t *r, ddb_creds_t *creds, ddb_cancel_t *cancel,
                                 msd_credentials_refresh_shown_t shown);

/**
 * Add a job to run once at startup; jobs run in the order added. Call before start. baton must live as long as the
 * thread. A job may take long if it obeys the cancel.
 */
typedef void msd_credentials_refresh_job_fn(void *baton);
void msd_credentials_refresh_first(msd_credentials_refresh_t *r, msd_credentials_refresh_job_fn *job, void *baton);

/** The cancel that jobs must obey. */
ddb_cancel_t *msd_credentials_refresh_first_cancel(msd_credentials_refresh_t *r);

/** In a job: wait for t. @return 0, or 1, soon, if the thread must end. */
int msd_credentials_refresh_wait(msd_credentials_refresh_t *r, apr_interval_time_t t);

/** Start the threads. */
apr_status_t msd_credentials_refresh_start(msd_credentials_refresh_t *r);

/**
 * Cancel the threads' current HTTP exchanges, programs and waits; requests that wait for credentials are notified.
 * Returns when the threads are idle, or after half a second at most. Takes no locks: safe in a signal handler.
 */
void msd_credentials_refresh_cancel(msd_credentials_refresh_t *r);

/** Cancel and join the threads. Not safe in a signal handler. */
void msd_credentials_refresh_stop(msd_credentials_refresh_t *r);

#endif
