#ifndef MSD_CHILD_H
#define MSD_CHILD_H

#include <httpd.h>

#include "httpd/child/msd_store_notices.h"
#include "store/ddb_store.h"

/*
 * The objects with which one child process accesses the table: the transport with its connections, and for each server
 * credentials, client and store. They are created after fork, because processes must not share connections.
 */

/** The child_init hook: build the objects for every server whose endpoint is known. Failures are logged. */
void msd_child_init(apr_pool_t *pchild, server_rec *main_server);

/**
 * The child_stopping hook. If no requests continue (not graceful, or prefork), fetching credentials ends, and waiting
 * requests are notified. With prefork, waits briefly for queued writes, because the process ends next.
 * Safe in prefork's signal handler: takes no locks.
 */
void msd_child_stopping(server_rec *main_server, int graceful);

/** The store of a server in this child; NULL if it could not be built. */
ddb_store_t *msd_child_store(const server_rec *s);

/**
 * The clock of the store's calls. Its time of day is corrected once a response of the service has shown that this
 * machine's is wrong. Without a store, the system clock.
 */
const ddb_clock_t *msd_child_clock(const server_rec *s);

/** Reads that requests of this child share; NULL if SessionDynamoDBShareReads is Off for s. */
struct msd_shared_reads_t *msd_child_shared_reads(const server_rec *s);

/** For msd_store_notices_log after the store's calls; NULL without a store. */
const msd_store_notices_t *msd_child_notices(const server_rec *s);

/** The numbers of the circuit breaker and of the credentials that s uses, for msd_gauges: the same in all children of a
 * configuration. -1: none. */
int msd_child_breaker_number(const server_rec *s);
int msd_child_creds_number(const server_rec *s);

/**
 * Record a request's activity in the table, in the background after the request. Several requests within interval
 * (microseconds), in any child, cause one touch.
 */
void msd_child_touch_later(const server_rec *s, const ddb_session_t *session, apr_time_t now,
                           apr_interval_time_t interval);

/** Mark the ID of a session, which has issued, as used by its client, in the background and once for all children. p is
 * for temporary data. @return 1 for the request that does. */
int msd_child_see_later(const server_rec *s, const ddb_session_t *session, apr_time_t now, apr_pool_t *p);

/** 1 for the one of this server's requests, in any child, that gives the session a new ID; others leave it alone for a
 * while. p is for temporary data. */
int msd_child_claim_renewal(const server_rec *s, const ddb_session_t *session, apr_time_t now, apr_pool_t *p);

/** 1 for the first request of this server, in any child, that reports what, text whose first 32 characters are random,
 * in a minute. */
int msd_child_claim_report(const server_rec *s, const char *what, apr_time_t now);

/** Delete a row whose ID no client has, in the background. */
void msd_child_remove_later(const server_rec *s, const char *key);

#endif
