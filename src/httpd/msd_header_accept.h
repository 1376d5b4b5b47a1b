#ifndef MSD_HEADER_ACCEPT_H
#define MSD_HEADER_ACCEPT_H

#include "httpd/msd_request.h"

/*
 * The changes that may be made to the session with mod_session's SessionHeader: by programs that httpd runs itself to
 * all entries but those that SessionDynamoDBProtectKeys names, where the session was loaded or where the program is; by
 * a proxied backend only to those that SessionDynamoDBAccept names, too.
 */

/** 1 if a backend answers r, or will. */
int msd_header_accept_is_proxied(const request_rec *r);

/**
 * The part of a session header from r that may take effect; NULL: nothing. Refused entries are logged, without values.
 * The result is in r's pool, or said itself.
 */
const char *msd_header_accept_filter(request_rec *r, const char *header, const char *said);

/** said if r may control the session by this header, as programs may and backends only where SessionDynamoDBAccept
 * names the header itself; else NULL, and a line in the log. */
const char *msd_header_accept_control(request_rec *r, const char *header, const char *said);

#endif
