#ifndef MSD_HEADER_ACCEPT_H
#define MSD_HEADER_ACCEPT_H

#include "httpd/msd_request.h"

/*
 * The changes that a proxied backend may make to the session with mod_session's SessionHeader: only to entries that
 * SessionDynamoDBAccept names. Programs that httpd runs itself are not restricted.
 */

/** 1 if a backend answers r, or will. */
int msd_header_accept_is_proxied(const request_rec *r);

/**
 * The part of a session header from r that may take effect: all of it from a program that httpd runs, the accepted
 * entries from a backend; NULL: nothing. Refused entries are logged, without values. The result is in r's pool, or said
 * itself.
 */
const char *msd_header_accept_filter(request_rec *r, const char *header, const char *said);

#endif
