#ifndef MSD_LOAD_H
#define MSD_LOAD_H

#include "httpd/msd_request.h"

/* How a session comes into a request. Nothing is logged here; a failure is described in the session's error. */

/**
 * Load the session of r's tree, with the settings of r: its z, outcome and stored are set. An ID that is no session's
 * leaves a new, empty one. Decodes the payload itself and judges all times, so that mod_session finds nothing to
 * refuse: it would replace the session_rec by another one, and what the request writes would be lost.
 * @return APR_SUCCESS; DDB_EBADITEM when the row is no session and was passed over (worth a warning; the session is
 *         new and usable); else a failure, with outcome MSD_FAILED or MSD_MISCONFIGURED.
 */
apr_status_t msd_load(request_rec *r, msd_request_t *q);

#endif
