#ifndef MSD_TOUCHES_H
#define MSD_TOUCHES_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * Recent touches by all child processes, so that parallel requests of one session, in any number of processes, cause
 * only one touch. A table of fixed size in shared memory, without locks. An overwritten slot costs an additional touch,
 * never a session.
 */
typedef struct msd_touches_t msd_touches_t;

/** Create it in the parent process, before fork; the children use it at the same address. Freed with p. */
apr_status_t msd_touches_create(msd_touches_t **pr, apr_pool_t *p);

/**
 * Claim the touch of the session with this table key at now. Thread-safe and process-safe.
 * @return 1 for the first claim; 0 if there was another within interval (microseconds; 0: always 1).
 */
int msd_touches_claim(msd_touches_t *r, const char *key, apr_time_t now, apr_interval_time_t interval);

/** Release the claim with the same key and now, because the touch was not done: the next claim succeeds.
 * Thread-safe and process-safe. */
void msd_touches_release(msd_touches_t *r, const char *key, apr_time_t now);

#endif
