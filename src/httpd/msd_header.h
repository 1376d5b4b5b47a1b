#ifndef MSD_HEADER_H
#define MSD_HEADER_H

#include "httpd/msd_request.h"

/*
 * mod_session's SessionHeader: programs and backends of a request tree change the session through it. Changes apply in
 * the order sent, and the header never reaches the client. The same holds for SessionDynamoDBControlHeader. Redirected
 * requests share a table of response headers, in which httpd joins several lines by ", " (RFC 9110 section 5.3): so
 * headers are removed before the next request runs, and joined lines are split again. A comma and a space before
 * "name=" separate; in a name or value they must be escaped, as the form encoding does.
 */

/** Call before r's handler: saves the headers of the request that redirected to r, separately from those of r. */
void msd_header_begin(request_rec *r);

/**
 * Call before mod_session's filter, for the response of r, which must not be a subrequest. Removes all session headers
 * from the response. Applies their changes to the session of the sender's place, if it can still be saved, except those
 * that backends may not make.
 * @return the request that mod_session's filter must start with: r, or one that was redirected to it.
 */
request_rec *msd_header_settle(request_rec *r);

/** The names of the session headers and control headers of r and the requests that were redirected to it: const char *,
 * in r's pool. */
apr_array_header_t *msd_header_names(request_rec *r);

#endif
