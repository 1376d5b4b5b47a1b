#ifndef MSD_SESSIONS_PAGE_H
#define MSD_SESSIONS_PAGE_H

#include <httpd.h>

/*
 * The handler "session-dynamodb-sessions": a page on which users see their sessions and end them (OWASP ASVS 5.0,
 * 7.5.2). HTML without scripts. GET and HEAD show the sessions that are alive; POST ends one, the others or all, if the
 * form's token is one of the session and the request is of the same origin (msd_csrf).
 */

#define MSD_SESSIONS_PAGE_HANDLER "session-dynamodb-sessions"

/** A hook. */
int msd_sessions_page_handler(request_rec *r);

#endif
