#ifndef MSD_UNKNOWN_IDS_H
#define MSD_UNKNOWN_IDS_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_crypto.h"

/*
 * Which table keys were looked up lately and are no session's, by any child process: so that an ID which a browser, or
 * somebody who tries, sends with every request costs one read a minute. A table of fixed size in shared memory, without
 * locks; what it has forgotten costs a read. It holds keyed hashes, and 128 bits of them are compared: no other key is
 * taken for a missing one.
 */
typedef struct msd_unknown_ids_t msd_unknown_ids_t;

/** How long a miss is remembered. */
#define MSD_UNKNOWN_IDS_FOR apr_time_from_sec(60)

/**
 * Make it in the parent process, before fork; the children find it at the same address. Goes with p, from which its
 * secret is wiped. random: for the secret, which is another one with each start.
 */
apr_status_t msd_unknown_ids_create(msd_unknown_ids_t **pm, ddb_random_fn *random, apr_pool_t *p);

/** The same memory for the keys of one table; table: whatever tells it from all others, copied. */
msd_unknown_ids_t *msd_unknown_ids_of_table(const msd_unknown_ids_t *m, const char *table, apr_pool_t *p);

/*
 * The following are thread and process safe. m NULL: nothing is remembered. now is on the machine's monotonic clock,
 * which all processes share; p for what is needed meanwhile.
 */

/** 1 when the table is known not to hold a session under this key. */
int msd_unknown_ids_holds(const msd_unknown_ids_t *m, const char *key, apr_time_t now, apr_pool_t *p);

/** Remember what a consistent read found that began at now. */
void msd_unknown_ids_add(const msd_unknown_ids_t *m, const char *key, apr_time_t now, apr_pool_t *p);

/** There is a session under this key (again). */
void msd_unknown_ids_forget(const msd_unknown_ids_t *m, const char *key, apr_pool_t *p);

#endif
