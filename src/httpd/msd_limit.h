#ifndef MSD_LIMIT_H
#define MSD_LIMIT_H

#include "httpd/msd_request.h"

/*
 * SessionDynamoDBGuessLimit and SessionDynamoDBCreateLimit: how many session IDs a client may guess, and how many
 * sessions may be begun for it (OWASP Session Management Cheat Sheet, "Session ID Guessing and Brute Force
 * Detection"). Whoever passes a limit is told of in the error log and by an event,
 * once in a window. A request with the ID of a live session comes through here only to begin another one.
 *
 * A guess is an ID of the client's that no session of ours has had, as far as that can be known: of a wrong form or
 * signature, of no row, or of another ID's row. The ID of a session that ended by a logout counts, too, since its row
 * is gone; IDs of expired sessions, and those that were replaced, do not. One ID counts once in a window.
 */

/** Count sid, of r's IDs, if it is a guess: s->ids.miss is the reason why it opened no session. consistent: 0 if the
 * table may have missed it. @return 1 if r is to be refused, unless another of its IDs opens a session. */
int msd_limit_guess(request_rec *r, msd_session_t *s, const char *sid, int consistent);

/** Count a session that r begins. @return 1: no, refuse it. Logins are not refused. */
int msd_limit_create(request_rec *r, msd_session_t *s);

/** The session that msd_limit_create has counted was stored, or could not be. */
void msd_limit_created(request_rec *r, msd_session_t *s, int stored);

#endif
