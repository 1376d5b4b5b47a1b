#ifndef MSD_REFUSE_H
#define MSD_REFUSE_H

#include "httpd/msd_request.h"

/*
 * Requests that are answered with an error instead of running their handler, because of their session. Each function
 * returns the status of the response, or DECLINED: the request goes on.
 */

/** What the load of s means for its requests: HTTP_SERVICE_UNAVAILABLE if it failed and SessionDynamoDBOnError denies,
 * HTTP_INTERNAL_SERVER_ERROR if the settings contradict each other. */
int msd_refuse_session(const msd_session_t *s);

/** The same for r, of whose place's session it is; or HTTP_TOO_MANY_REQUESTS, with Retry-After, for a client that
 * guesses IDs (MSD_LIMITED), whose load did not fail, because mod_session would log each time; or HTTP_FORBIDDEN, with
 * an event and a line in the log, if another site may have sent it (msd_csrf). Error pages go on. */
int msd_refuse(request_rec *r);

/** The part of msd_refuse that concerns the load alone, and has the same result each time. */
int msd_refuse_unloaded(request_rec *r);

/** What a write of s that failed or was refused means for its response, the status; 0: none did. HTTP_FORBIDDEN for a
 * login beyond SessionDynamoDBUserSessionLimit, HTTP_TOO_MANY_REQUESTS for a session beyond CreateLimit. */
int msd_refuse_write(const msd_session_t *s);

/** Tell the client of r, which a limit refuses for s, when to come again. */
void msd_refuse_until(request_rec *r, const msd_session_t *s);

/**
 * HTTP_FORBIDDEN, with a line in the log, for a CGI program whose output httpd sends to the client unparsed, past all
 * filters: the client would see its session header, and changes of the session would not be saved.
 */
int msd_refuse_unparsed(request_rec *r);

#endif
