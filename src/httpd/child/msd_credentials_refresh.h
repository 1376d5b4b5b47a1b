#ifndef MSD_CREDENTIALS_REFRESH_H
#define MSD_CREDENTIALS_REFRESH_H

#include <httpd.h>

#include "aws/creds/ddb_creds.h"
#include "base/ddb_cancel.h"

/*
 * The threads of a child process for what no request shall do: one for each credential provider chain, which alone asks
 * the providers, from the start of the child on; and one for what is to be done once at that start, which then ends. A
 * chain that hangs keeps nobody else from anything. The chains live as long as the threads.
 */
typedef struct msd_credentials_refresh_t msd_credentials_refresh_t;

/**
 * Make one that has nothing to do and no thread yet. p comes of msd_thread_pool_create and outlives the threads. s is
 * for the log.
 */
msd_credentials_refresh_t *msd_credentials_refresh_create(server_rec *s, apr_pool_t *p);

/** Before they run: have a thread ask what this chain, made with this cancel and has_refresher, asks. */
void msd_credentials_refresh_add(msd_credentials_refresh_t *r, ddb_creds_t *creds, ddb_cancel_t *cancel);

/**
 * Do this once at the start, in the order of the calls. Before they run. baton lives as long as the thread. A job may
 * take its time as long as it goes by the cancel.
 */
typedef void msd_credentials_refresh_job_fn(void *baton);
void msd_credentials_refresh_first(msd_credentials_refresh_t *r, msd_credentials_refresh_job_fn *job, void *baton);

/** What the jobs have to go by. */
ddb_cancel_t *msd_credentials_refresh_first_cancel(msd_credentials_refresh_t *r);

/** In a job: wait so long. @return 1, soon, when the thread is to end. */
int msd_credentials_refresh_wait(msd_credentials_refresh_t *r, apr_interval_time_t t);

/** Start the threads. */
apr_status_t msd_credentials_refresh_start(msd_credentials_refresh_t *r);

/**
 * End what they are at: exchanges, programs, waits. Requests that wait for credentials are told. Returns when nobody
 * asks anything any more, which takes some tenths of a second at most. Takes no lock: fit for a signal handler.
 */
void msd_credentials_refresh_cancel(msd_credentials_refresh_t *r);

/** Cancel and end the threads. Not in a signal handler. */
void msd_credentials_refresh_stop(msd_credentials_refresh_t *r);

#endif
