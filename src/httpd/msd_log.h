#ifndef MSD_LOG_H
#define MSD_LOG_H

#include "httpd/child/msd_failure_log.h"
#include "httpd/msd_request.h"

/*
 * Error log lines about requests: their occasion, level and text. Each failure is logged once; while there are many,
 * one per second is logged, with the number of the others (msd_failure_log.h). No line contains a session ID; where a
 * line must identify the session, it has the SHA-512 of the ID (OWASP Logging Cheat Sheet, "Data to exclude").
 */

/** Log a failed store call for s, as described by rv and the session's error. */
void msd_log_failure(request_rec *r, const msd_session_t *s, apr_status_t rv, msd_failure_log_e what);

/** Log the result of the load, once per request tree; rv is msd_load's. */
void msd_log_load(request_rec *r, const msd_session_t *s, apr_status_t rv);

/** Log what is notable about a save that did not fail. */
void msd_log_saved(request_rec *r, const msd_session_t *s);

/** Log that the address of r's client has passed a limit. */
void msd_log_limit(request_rec *r, const char *text);

/** Log that all clients seem to have the address of r's client. */
void msd_log_one_address(request_rec *r);

/** Log a failed renewal of the ID of s by its age; rv is msd_save_renew_aged's. */
void msd_log_renewed(request_rec *r, const msd_session_t *s, apr_status_t rv);

/** Log that r was refused, because it did not come over TLS. */
void msd_log_without_tls(request_rec *r);

/** Log that r was refused, because another site's page may have sent it, or because it has no anti-forgery token. */
void msd_log_cross_site(request_rec *r);
void msd_log_without_token(request_rec *r);

/** Log that a program was not run, because its output would bypass all filters. */
void msd_log_unparsed(request_rec *r);

/** Log that a cookie or header of a program or backend was dropped, because it is the ID's carrier. */
void msd_log_dropped(request_rec *r, const char *carrier);

/**
 * Log what a request did with s, one of its sessions: one line at debug, without an ID. Also, once per virtual host and
 * start, a notice about a Secure cookie on an unencrypted connection. Called by msd_log_end.
 */
void msd_log_request(const msd_request_t *q, const msd_session_t *s);

/** Call at the end of a request tree that loaded a session: logs lost changes, and failures that were only counted. */
void msd_log_end(const msd_request_t *q);

#endif
