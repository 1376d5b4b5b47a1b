#ifndef DDB_CANCEL_H
#define DDB_CANCEL_H

#include <apr_pools.h>

#include "base/ddb_clock.h"

/**
 * How the end of a process reaches one thread that asks others and may have to wait for them. It is set once, by any
 * thread or by a signal handler; whoever waits looks at it as often as DDB_CANCEL_LOOK says. NULL is one that is never
 * set. Lives as long as the pool that it was created in; nothing is registered with that pool.
 */
typedef struct ddb_cancel_t ddb_cancel_t;

/** The longest wait between two looks. */
#define DDB_CANCEL_LOOK apr_time_from_msec(100)

ddb_cancel_t *ddb_cancel_create(apr_pool_t *p);

/** Set it and kill the program under way, with those it started. Takes no lock: fit for a signal handler. */
void ddb_cancel_set(ddb_cancel_t *c);

int ddb_cancel_is_set(ddb_cancel_t *c);

/** A clock like this one, whose sleep ends soon after c is set. It lives in p. */
const ddb_clock_t *ddb_cancel_clock(ddb_cancel_t *c, const ddb_clock_t *clock, apr_pool_t *p);

/*
 * For who runs programs, one at a time for each c: what is started is known before it could be left behind.
 */

/** Before it is started. @return 0 when c is set: start nothing. Else one of the next follows. */
int ddb_cancel_starting(ddb_cancel_t *c);

/** The number of its process group; 0 when it could not be started. */
void ddb_cancel_started(ddb_cancel_t *c, apr_uint32_t group);

/** Its end is known. Called before it is waited for, since its number may be another's from then on. */
void ddb_cancel_ended(ddb_cancel_t *c);

#endif
