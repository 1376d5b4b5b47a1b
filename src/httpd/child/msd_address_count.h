#ifndef MSD_ADDRESS_COUNT_H
#define MSD_ADDRESS_COUNT_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_crypto.h"

/*
 * How often something happened to each client address, counted by all child processes together: a table of fixed size
 * in shared memory, without locks.
 *
 * Addresses are counted in windows, each of which begins with an address's first count after the last one: so there are
 * up to twice as many in some span of a window's length. An IPv6 address counts with all of its /64, which one client
 * may have to itself, and an IPv4 address in IPv6 form (RFC 4291 section 2.5.5.2) as the IPv4 address.
 *
 * The table knows an address by a hash of 64 bits under a random key, so that one is never taken for another. When it
 * is full, the address with the lowest count is forgotten, and begins anew: a flood of addresses makes others count
 * late, never early.
 */
typedef struct msd_address_count_t msd_address_count_t;

/** The highest limit, and the longest window in seconds. */
#define MSD_ADDRESS_COUNT_MOST         10000
#define MSD_ADDRESS_COUNT_SECONDS_MOST 3600

/** What is counted. Counts of the same address with another limit or window are separate. */
typedef struct msd_address_count_of_t {
    const char *ip; /* of the client, as text */
    int most;       /* 1 to MSD_ADDRESS_COUNT_MOST */
    int seconds;    /* of a window, 1 to MSD_ADDRESS_COUNT_SECONDS_MOST */
} msd_address_count_of_t;

/** A count; all 0 if nothing is counted. */
typedef struct msd_address_counted_t {
    int count; /* in this window */
    int added; /* 1: this call has added one; of all calls in a window, one adds the nth */
    int left;  /* seconds until the window ends, rounded up: at least 1 */
} msd_address_counted_t;

/**
 * Create it in the parent process, before fork; the children use it at the same address. Freed with p, after its key
 * is wiped. random generates the key, which is new with each start. values: 1 if add gets values.
 */
apr_status_t msd_address_count_create(msd_address_count_t **pm, int values, ddb_random_fn *random, apr_pool_t *p);

/*
 * The following are thread-safe and process-safe. now is a time of the machine's monotonic clock, which all processes
 * share. m NULL: nothing is counted.
 */

/**
 * Count one. value, if not NULL, counts only once in a window, as long as it is among the last two dozen of its address
 * there; requests that bring it at the same moment may each count it.
 */
msd_address_counted_t msd_address_count_add(const msd_address_count_t *m, const msd_address_count_of_t *of,
                                            const char *value, apr_time_t now);

/** Take one back that was added in the present window. */
void msd_address_count_take_back(const msd_address_count_t *m, const msd_address_count_of_t *of, apr_time_t now);

/** The address as it is counted, such as 192.0.2.1 or 2001:db8:1:2::/64, in p. */
const char *msd_address_count_name(const char *ip, apr_pool_t *p);

#endif
