#ifndef MSD_ACCEPT_H
#define MSD_ACCEPT_H

#include "msd_request.h"

/*
 * What a proxied backend may change in the session by mod_session's SessionHeader: only the entries that
 * SessionDynamoDBAccept names. Programs that httpd runs itself are not restricted.
 */

/** Before r's handler: settle what backends said earlier in the tree, so that it isn't mixed with what r will say. */
void msd_accept_begin(request_rec *r);

/** Before mod_session reads the response's session headers: take out of them what a backend may not change. What is
 * taken out is logged, without values. */
void msd_accept_settle(request_rec *r);

#endif
