#ifndef MSD_FAILURE_LOG_H
#define MSD_FAILURE_LOG_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * An outage is no storm of log lines: of the failures of one kind one a second is logged, of all child processes
 * together, with the number of those that were not. In shared memory, without locks.
 */
typedef struct msd_failure_log_t msd_failure_log_t;

/** The kinds, each with lines of its own. */
typedef enum msd_failure_log_e {
    MSD_FAILURE_LOG_READ,  /* a session could not be read */
    MSD_FAILURE_LOG_WRITE, /* or written, */
    MSD_FAILURE_LOG_END,   /* or ended */
    MSD_FAILURE_LOG_QUEUE, /* a write failed that nobody waits for */
    MSD_FAILURE_LOG_KINDS
} msd_failure_log_e;

/** Make it in the parent process, before fork; the children find it at the same address. Goes with p. */
apr_status_t msd_failure_log_create(msd_failure_log_t **po, apr_pool_t *p);

/*
 * The following are thread and process safe. now is on the machine's monotonic clock, which all processes share; texts
 * are in p.
 */

/**
 * A failure: @return NULL when it is only counted; else it is to be logged, with this text at the end of the line,
 * which is "" or tells of those before it that were not. o NULL: each is to be logged.
 */
const char *msd_failure_log_line(msd_failure_log_t *o, msd_failure_log_e kind, apr_time_t now, apr_pool_t *p);

/**
 * To be asked now and then, and at the end with now APR_INT64_MAX: @return a line about failures that were only
 * counted, when no other of their kind came to tell of them; NULL: there are none, or it is too early. o may be NULL.
 */
const char *msd_failure_log_rest(msd_failure_log_t *o, apr_time_t now, apr_pool_t *p);

#endif
