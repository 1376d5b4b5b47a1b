#ifndef MSD_REFRESH_H
#define MSD_REFRESH_H

#include <httpd.h>

#include "ddb_creds.h"

/*
 * The thread of a child process for what no request shall wait for: it renews credentials before they end, and does
 * what is to be done once at the start. The chains live as long as the thread.
 */
typedef struct msd_refresh_t msd_refresh_t;

/**
 * Make one that has nothing to do and no thread yet. p must not be destroyed while the thread runs, as prefork does
 * with the child's pool inside a signal handler. s is for the log.
 */
apr_status_t msd_refresh_create(msd_refresh_t **pr, server_rec *s, apr_pool_t *p);

/** Renew what this chain finds. Before it runs. */
void msd_refresh_add(msd_refresh_t *r, ddb_creds_t *creds);

/**
 * Do this once, before all else, in the order of the calls. Before it runs. baton lives as long as the
 * thread. A job may take its time: requests renew credentials that end meanwhile.
 */
typedef void msd_refresh_job_fn(void *baton);
void msd_refresh_first(msd_refresh_t *r, msd_refresh_job_fn *job, void *baton);

/** In a job: wait so long. @return 1, at once, when the thread is to end. */
int msd_refresh_wait(msd_refresh_t *r, apr_interval_time_t t);

/** Start the thread. */
apr_status_t msd_refresh_start(msd_refresh_t *r);

/** End the thread after what it is at. Not in a signal handler. */
void msd_refresh_stop(msd_refresh_t *r);

#endif
