#ifndef MSD_EVENT_H
#define MSD_EVENT_H

#include "httpd/msd_request.h"

/*
 * The security events of sessions (SessionDynamoDBEventLog): noted as they happen, and written when the request is over
 * and its status is known. Where no events are logged, nothing is noted. docs/events.md explains the words.
 */

/** Note what happened to the session with the ID sid, and its user as known by now. event and reason are constants.
 * sid NULL: no ID. previous: the ID that sid replaced; NULL: none. */
void msd_event_note(msd_session_t *s, const char *event, const char *reason, const char *sid, const char *previous);

/** Note that sid, which the client sent, opened no session: s->ids has the reason. */
void msd_event_note_refused(msd_session_t *s, const char *sid);

/** The reasons, in words: what this request has made of s, and is about to store. */
const char *msd_event_why_renewed(const msd_session_t *s);
const char *msd_event_why_ended(const msd_session_t *s);

/** Write a line for each event of the tree, at its end, and for each session that could not be loaded or stored. */
void msd_event_write(msd_request_t *q);

#endif
