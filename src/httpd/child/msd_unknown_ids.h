#ifndef MSD_UNKNOWN_IDS_H
#define MSD_UNKNOWN_IDS_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_crypto.h"

/*
 * Table keys of unknown session IDs: keys that any child process recently looked up and that belong to no session. An
 * unknown ID that a browser or an attacker sends with every request thus costs one read per minute. A table of fixed
 * size in shared memory, without locks; an overwritten slot costs a read. It holds keyed hashes, of which 128 bits are
 * compared: no other key is mistaken for an unknown one.
 */
typedef struct msd_unknown_ids_t msd_unknown_ids_t;

/** What is known of a key. */
typedef enum msd_unknown_ids_e {
    MSD_UNKNOWN_IDS_NOTHING,
    MSD_UNKNOWN_IDS_ABSENT, /* the table had no row with it */
    MSD_UNKNOWN_IDS_OVER,   /* its session was over: it moved, or its user left */
    MSD_UNKNOWN_IDS_EXPIRED /* its session was over by its timeouts */
} msd_unknown_ids_e;

/** How long an unknown session ID is remembered. */
#define MSD_UNKNOWN_IDS_FOR apr_time_from_sec(60)

/**
 * Create it in the parent process, before fork; the children use it at the same address. Freed with p, after its secret
 * is wiped. random generates the secret, which is new with each start.
 */
apr_status_t msd_unknown_ids_create(msd_unknown_ids_t **pm, ddb_random_fn *random, apr_pool_t *p);

/** The same shared memory for the keys of one table. table identifies it among all tables, and is copied. */
msd_unknown_ids_t *msd_unknown_ids_of_table(const msd_unknown_ids_t *m, const char *table, apr_pool_t *p);

/*
 * The following are thread-safe and process-safe. m NULL: nothing is remembered. now is a time of the machine's
 * monotonic clock, which all processes share; p is for temporary data.
 */

/** Whether, and why, this key is known to belong to no session. */
msd_unknown_ids_e msd_unknown_ids_holds(const msd_unknown_ids_t *m, const char *key, apr_time_t now, apr_pool_t *p);

/** Remember the key as unknown, as found by a consistent read that began at now. what: not MSD_UNKNOWN_IDS_NOTHING. */
void msd_unknown_ids_add(const msd_unknown_ids_t *m, const char *key, msd_unknown_ids_e what, apr_time_t now,
                         apr_pool_t *p);

/** Forget the key, because a session with it exists (again). */
void msd_unknown_ids_forget(const msd_unknown_ids_t *m, const char *key, apr_time_t now, apr_pool_t *p);

#endif
