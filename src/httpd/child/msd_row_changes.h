#ifndef MSD_ROW_CHANGES_H
#define MSD_ROW_CHANGES_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * When a row was last written by a child process of this server: what was read before is out of date. A table of fixed
 * size in shared memory, without locks. Several rows share a slot: the write of one then costs a read of the others.
 */
typedef struct msd_row_changes_t msd_row_changes_t;

/** Create it in the parent process, before fork; the children use it at the same address. Freed with p. */
apr_status_t msd_row_changes_create(msd_row_changes_t **pc, apr_pool_t *p);

/*
 * Both are thread-safe and process-safe. Times are of the machine's monotonic clock, which all processes share.
 */

/** The row with this table key is written, at now: whatever was read of it until now counts no longer. */
void msd_row_changes_note(msd_row_changes_t *c, const char *key, apr_time_t now);

/** When the row was last written; at the latest, as other rows share the slot. 0: never. */
apr_time_t msd_row_changes_last(const msd_row_changes_t *c, const char *key);

#endif
