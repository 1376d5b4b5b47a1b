#ifndef MSD_OUTAGE_H
#define MSD_OUTAGE_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * An outage is no storm of log lines: of the failures of one kind one a second is logged, of all child processes
 * together, with the number of those that were not. In shared memory, without locks.
 */
typedef struct msd_outage_t msd_outage_t;

/** The kinds, each with lines of its own. */
typedef enum msd_outage_e {
    MSD_OUTAGE_READ,  /* a session could not be read */
    MSD_OUTAGE_WRITE, /* or written, */
    MSD_OUTAGE_END,   /* or ended */
    MSD_OUTAGE_QUEUE, /* a write failed that nobody waits for */
    MSD_OUTAGE_KINDS
} msd_outage_e;

/** Make it in the parent process, before fork; the children find it at the same address. Goes with p. */
apr_status_t msd_outage_create(msd_outage_t **po, apr_pool_t *p);

/*
 * The following are thread and process safe. now is on the machine's monotonic clock, which all processes share; texts
 * are in p.
 */

/**
 * A failure: @return NULL when it is only counted; else it is to be logged, with this text at the end of the line,
 * which is "" or tells of those before it that were not. o NULL: each is to be logged.
 */
const char *msd_outage_line(msd_outage_t *o, msd_outage_e kind, apr_time_t now, apr_pool_t *p);

/**
 * To be asked now and then, and at the end with now APR_INT64_MAX: @return a line about failures that were only
 * counted, when no other of their kind came to tell of them; NULL: there are none, or it is too early. o may be NULL.
 */
const char *msd_outage_rest(msd_outage_t *o, apr_time_t now, apr_pool_t *p);

#endif
