#ifndef DDB_CANCEL_H
#define DDB_CANCEL_H

#include <apr_pools.h>

#include "base/ddb_clock.h"

/**
 * Tells a thread that waits for another service that the process is stopping. Any thread or a signal handler sets it,
 * once; waiting threads check it at least every DDB_CANCEL_LOOK. NULL is a cancel that is never set. It lives as long
 * as the pool that it was created in; nothing is registered with that pool.
 */
typedef struct ddb_cancel_t ddb_cancel_t;

/** The longest wait between two checks. */
#define DDB_CANCEL_LOOK apr_time_from_msec(100)

ddb_cancel_t *ddb_cancel_create(apr_pool_t *p);

/** Set it and kill the running program and its child processes. Takes no lock, so it is safe in a signal handler. */
void ddb_cancel_set(ddb_cancel_t *c);

int ddb_cancel_is_set(ddb_cancel_t *c);

/** A clock like this one whose sleep ends soon after c is set. It lives in p. */
const ddb_clock_t *ddb_cancel_clock(ddb_cancel_t *c, const ddb_clock_t *clock, apr_pool_t *p);

/*
 * For code that runs programs, one at a time for each c: a program is registered before it could be left behind.
 */

/** Call before the start. @return 0 when c is set: start nothing. Otherwise call one of the next two. */
int ddb_cancel_starting(ddb_cancel_t *c);

/** The ID of its process group; 0 when the program could not be started. */
void ddb_cancel_started(ddb_cancel_t *c, apr_uint32_t group);

/** The program has ended. Call before waitpid, because its ID may belong to another process from then on. */
void ddb_cancel_ended(ddb_cancel_t *c);

#endif
