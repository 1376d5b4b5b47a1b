#ifndef MSD_LOG_H
#define MSD_LOG_H

#include "httpd/child/msd_failure_log.h"
#include "httpd/msd_request.h"

/*
 * The lines of the error log that tell of requests: what is worth one, its level and its words. A failure is logged
 * once, and while there are many one a second is, with the number of the others (msd_failure_log.h). No line names a
 * session; where it matters which one, the SHA-512 of its ID does (OWASP Logging Cheat Sheet, "Data to exclude").
 */

/** A failed call of the store: rv and the session's error tell of it. */
void msd_log_failure(request_rec *r, apr_status_t rv, msd_failure_log_e what);

/** What came of the load, once a request tree; rv is msd_load's. */
void msd_log_load(request_rec *r, const msd_session_t *s, apr_status_t rv);

/** What is worth telling of a save that did not fail. */
void msd_log_saved(request_rec *r, const msd_session_t *s);

/** A program whose answer would pass by every filter is not run. */
void msd_log_unparsed(request_rec *r);

/** A program or backend said something in the carrier of this name: it was dropped. */
void msd_log_dropped(request_rec *r, const char *carrier);

/**
 * What a request did with its session: at debug one line, without an ID; and, once for each virtual host and start, a
 * notice of a Secure cookie on a plain connection. For msd_log_end.
 */
void msd_log_request(const msd_request_t *q);

/** At the end of a request tree that loaded: changes that were lost, and failures of others that were only counted. */
void msd_log_end(const msd_request_t *q);

#endif
