#ifndef MSD_SHARED_READS_H
#define MSD_SHARED_READS_H

#include <apr_pools.h>

#include "base/ddb_clock.h"
#include "store/ddb_store.h"

/*
 * SessionDynamoDBShareReads: requests of one child that want the same row while a read of it is under way wait for its
 * end, and then share one read, which begins after all of them came. So each sees what was written before it came.
 */
typedef struct msd_shared_reads_t msd_shared_reads_t;

/** In the child, after fork; goes with p, when no request is left. clock: of the deadlines of reads. */
apr_status_t msd_shared_reads_create(msd_shared_reads_t **ps, const ddb_clock_t *clock, apr_pool_t *p);

/**
 * As ddb_store_read_get, by this request or by another that shares the reply with it, or the failure, and then *shared
 * is 1. Only the one that reads counts a call. Reads of one store, key and consistency are shared; each request takes
 * the row from the reply itself, into its own pool. A failure for which the other one's deadline may be the reason is
 * not shared. Waits until the deadline of the read's call at most: APR_TIMEUP. Thread safe.
 */
apr_status_t msd_shared_reads_get(msd_shared_reads_t *s, ddb_store_read_t *read, int *shared);

#endif
