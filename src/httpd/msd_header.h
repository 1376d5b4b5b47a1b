#ifndef MSD_HEADER_H
#define MSD_HEADER_H

#include "httpd/msd_request.h"

/*
 * mod_session's SessionHeader: what the programs and backends of a request tree say in it changes the session, in the
 * order in which it was said, and goes no further. Redirected requests share a table of response headers, and httpd
 * makes one line of several there, joined by ", " (RFC 9110 section 5.3): so what was said is taken out before the next
 * request speaks, and is told apart again. A comma and a blank in front of "name=" separate; in a name or value they
 * have to be escaped, as the form encoding does.
 */

/** Before r's handler: what the request that sent httpd on to r said is kept, apart from what r will say. */
void msd_header_begin(request_rec *r);

/**
 * Before mod_session's filter, for the response of r, which is no subrequest: no session header is in the response any
 * more. Where the tree has a session that can still be saved, all that was said, less what backends may not change, was
 * done to it.
 * @return the request with which mod_session's filter has to begin, r or one that it was redirected from.
 */
request_rec *msd_header_settle(request_rec *r);

/** The names of the session headers that hold for r and those it was redirected from: const char *, in r's pool. */
apr_array_header_t *msd_header_names(request_rec *r);

#endif
