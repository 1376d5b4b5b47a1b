#ifndef MSD_HEADER_ACCEPT_H
#define MSD_HEADER_ACCEPT_H

#include "httpd/msd_request.h"

/*
 * What a proxied backend may change in the session by mod_session's SessionHeader: only the entries that
 * SessionDynamoDBAccept names. Programs that httpd runs itself are not restricted.
 */

/** 1 when a backend answers r, or is going to. */
int msd_header_accept_is_proxied(const request_rec *r);

/**
 * What of a session header counts that r said: all of it where a program of httpd's own said it, what is accepted where
 * a backend did; NULL: nothing. What does not count is logged, without values. In r's pool, or said itself.
 */
const char *msd_header_accept_filter(request_rec *r, const char *header, const char *said);

#endif
