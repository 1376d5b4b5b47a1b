#ifndef MSD_SAVE_H
#define MSD_SAVE_H

#include "httpd/msd_request.h"

/* Saves a request's changes in the table. Failures are not logged: the session's error describes them. */

/**
 * Do the one write that the entries of s, a session of r's tree, require: create, change, renew or end the session, or
 * nothing. With the form format, mod_session must have encoded the entries into z->encoded. Sets the session's answer.
 * @return APR_SUCCESS, also if another request ended the session meanwhile (MSD_GONE, or MSD_REFUSED where the response
 *         must be an error) or a limit refuses a new one (MSD_OVER_LIMIT); any other status is a failure
 *         (MSD_WRITE_FAILED): the stored session is unchanged, or the result of the write is unknown.
 */
apr_status_t msd_save(request_rec *r, msd_request_t *q, msd_session_t *s);

/**
 * Give s, of which msd_session_renewal_due is true, a new ID because of the age of the present one; its data and times
 * stay. One request at a time does so. @return APR_SUCCESS, also if another one was first or s has ended; any other
 *         status is a failure, after which s is as before.
 */
apr_status_t msd_save_renew_aged(request_rec *r, msd_request_t *q, msd_session_t *s);

/** End the stored session s now: the entries are cleared, and the response deletes the client's ID. */
apr_status_t msd_save_end(request_rec *r, msd_request_t *q, msd_session_t *s);

/**
 * Begin a session with the entries of s, which come from an old session and are not stored yet (s->importing), under a
 * new ID. old: the ID that stands for the old session (ddb_sid_derive), which leads to the new one from then on.
 * @return APR_SUCCESS; then either s is stored and its ID is to be issued, or CreateLimit refuses it (MSD_LIMITED).
 *         DDB_ECONFLICT if another request was first, whose session is found under old; APR_NOTFOUND if the sessions of
 *         the user are being ended. After these, and all failures, s is as before, and nothing of it is stored, unless
 *         its error is unsettled.
 */
apr_status_t msd_save_import(request_rec *r, msd_request_t *q, msd_session_t *s, const char *old);

#endif
