#ifndef MSD_TOUCHES_H
#define MSD_TOUCHES_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * Which sessions were touched lately, by any child process: what keeps parallel requests of one session, in however
 * many processes, down to one touch. A table of fixed size in shared memory, without locks; what it has forgotten costs
 * a touch too many, never a session.
 */
typedef struct msd_touches_t msd_touches_t;

/** Make it in the parent process, before fork; the children find it at the same address. Goes with p. */
apr_status_t msd_touches_create(msd_touches_t **pr, apr_pool_t *p);

/**
 * Ask to be the one who touches the session with this table key at now. Thread and process safe.
 * @return 1 for the first who asks; 0 when somebody did within interval (microseconds; 0: always 1).
 */
int msd_touches_claim(msd_touches_t *r, const char *key, apr_time_t now, apr_interval_time_t interval);

/** Give up a claim of the same key and now: what it was for was not done, and the next who asks may. Process safe. */
void msd_touches_release(msd_touches_t *r, const char *key, apr_time_t now);

#endif
