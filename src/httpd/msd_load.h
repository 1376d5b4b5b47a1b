#ifndef MSD_LOAD_H
#define MSD_LOAD_H

#include "httpd/msd_request.h"

/* Loads a session into a request. Failures are not logged: the session's error describes them. */

/**
 * Load the session of r's place, s, with the settings of r; sets its z, outcome and stored. With an unknown session ID,
 * the session is new and empty. Decodes the payload and checks all times itself, so that mod_session has nothing to
 * refuse: it would replace the session_rec, and the request's changes would be lost.
 * @return APR_SUCCESS; DDB_EBADITEM if a malformed row was ignored (worth a warning; the session is usable); any other
 *         status is a failure, with outcome MSD_FAILED or MSD_MISCONFIGURED.
 */
apr_status_t msd_load(request_rec *r, msd_request_t *q, msd_session_t *s);

/** The same without a look at the client's ID: s is new and empty, for a request that finds a session otherwise. */
apr_status_t msd_load_begin(request_rec *r, msd_request_t *q, msd_session_t *s);

#endif
