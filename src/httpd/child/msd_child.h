#ifndef MSD_CHILD_H
#define MSD_CHILD_H

#include <httpd.h>

#include "httpd/child/msd_store_notices.h"
#include "store/ddb_store.h"

/*
 * What one child process talks to the table with: the transport with its connections, and per server credentials,
 * client and store. All of it is made after fork, because connections must not be shared between processes.
 */

/** The child_init hook: build for every server whose endpoint is known. What can't be built is logged. */
void msd_child_init(apr_pool_t *pchild, server_rec *main_server);

/**
 * The child_stopping hook. Where no requests go on (not graceful, or prefork), what asks for credentials ends, and who
 * waits for them is told. With prefork queued writes are waited for a moment, as the end of the process follows.
 * Safe inside its signal handler: takes no lock.
 */
void msd_child_stopping(server_rec *main_server, int graceful);

/** The store of a server in this child; NULL when it could not be built. */
ddb_store_t *msd_child_store(const server_rec *s);

/**
 * The clock that its calls go by; the time of day is corrected once the service has shown that this machine's is wrong.
 * The machine's own where there is no store.
 */
const ddb_clock_t *msd_child_clock(const server_rec *s);

/** For msd_store_notices_log after its calls; NULL where there is no store. */
const msd_store_notices_t *msd_child_notices(const server_rec *s);

/**
 * Record a request's activity in the table, after the request and without delaying anything. Several requests within
 * interval (microseconds), in any child, cause one touch.
 */
void msd_child_touch_later(const server_rec *s, const ddb_session_t *session, apr_time_t now,
                           apr_interval_time_t interval);

/** Delete a row that nobody knows of, when there is time. */
void msd_child_remove_later(const server_rec *s, const char *key);

#endif
