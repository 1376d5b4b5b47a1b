#ifndef MSD_SAVE_H
#define MSD_SAVE_H

#include "httpd/msd_request.h"

/* How a request's changes get into the table. Nothing is logged here; a failure is described in the session's error. */

/**
 * Do what the entries of the session ask for, once: create, change, renew or end it, or nothing. With form mod_session
 * has encoded them into z->encoded. Sets the session's answer.
 * @return APR_SUCCESS, also when the session was ended by another request meanwhile (MSD_GONE); else a failure
 *         (MSD_WRITE_FAILED): the stored session is as it was, or the write's outcome is unknown.
 */
apr_status_t msd_save(request_rec *r, msd_request_t *q);

/** End the stored session now; entries are emptied and the response will end the ID. */
apr_status_t msd_save_end(request_rec *r, msd_request_t *q);

#endif
