#ifndef MSD_SESSION_H
#define MSD_SESSION_H

#include "httpd/msd_request.h"

/*
 * How a session comes into a request: the load, and what is known of its times. Nothing is logged here; a failure is
 * described in q->error.
 */

/**
 * Load the session of r's tree, with the settings of r: q->z, q->outcome and q->session are set. An ID that is no
 * session's leaves a new, empty one. Decodes the payload itself and judges all times, so that mod_session finds nothing
 * to refuse: it would replace the session_rec by another one, and what the request writes would be lost.
 * @return APR_SUCCESS; DDB_EBADITEM when the row is no session and was passed over (worth a warning; the session is
 *         new and usable); else a failure, with outcome MSD_FAILED or MSD_MISCONFIGURED.
 */
apr_status_t msd_session_load(request_rec *r, msd_request_t *q);

/** Keep mod_session from refusing a session whose time ran out while the request, which began in time, was served. */
void msd_session_keep(msd_request_t *q);

/**
 * 1 when this request's activity has to be recorded by a touch. *interval is how long that holds: activity within it
 * needs no further touch.
 */
int msd_session_touch_due(const msd_request_t *q, apr_interval_time_t *interval);

/** When the session will end once this request's activity is recorded, epoch seconds. */
apr_int64_t msd_session_next_end(const msd_request_t *q);

/** When the session will end if nothing more happens, epoch seconds; 0 without a stored session. */
apr_int64_t msd_session_expires(const msd_request_t *q);

#endif
