#ifndef MSD_FAILURE_LOG_H
#define MSD_FAILURE_LOG_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * Keeps an outage from flooding the log: of each kind of failure, all child processes together log one per second, with
 * the number of those not logged. In shared memory, without locks.
 */
typedef struct msd_failure_log_t msd_failure_log_t;

/** The kinds, each with its own limit. */
typedef enum msd_failure_log_e {
    MSD_FAILURE_LOG_READ,       /* reading a session failed */
    MSD_FAILURE_LOG_WRITE,      /* writing a session failed */
    MSD_FAILURE_LOG_END,        /* ending a session failed */
    MSD_FAILURE_LOG_IMPORT,     /* importing an old session failed */
    MSD_FAILURE_LOG_QUEUE,      /* a background write failed */
    MSD_FAILURE_LOG_TLS,        /* a request without TLS was refused */
    MSD_FAILURE_LOG_CROSS_SITE, /* a request was refused because of where it came from */
    MSD_FAILURE_LOG_CSRF,       /* and because it had no anti-forgery token */
    MSD_FAILURE_LOG_KINDS
} msd_failure_log_e;

/** Create it in the parent process, before fork; the children use it at the same address. Freed with p. */
apr_status_t msd_failure_log_create(msd_failure_log_t **po, apr_pool_t *p);

/*
 * The following are thread-safe and process-safe. now is a time of the machine's monotonic clock, which all processes
 * share; texts are allocated from p.
 */

/**
 * Register a failure. o NULL: log each failure.
 * @return NULL if it is only counted; otherwise log it, with this text at the end of the line: "", or the number of
 *         earlier failures that were not logged.
 */
const char *msd_failure_log_line(msd_failure_log_t *o, msd_failure_log_e kind, apr_time_t now, apr_pool_t *p);

/**
 * Call from time to time, and at the end with APR_INT64_MAX as now. o may be NULL.
 * @return a line about failures that were only counted, and that no later line of their kind has reported; NULL if
 *         there are none, or if it is too early.
 */
const char *msd_failure_log_rest(msd_failure_log_t *o, apr_time_t now, apr_pool_t *p);

#endif
