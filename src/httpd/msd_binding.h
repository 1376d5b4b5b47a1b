#ifndef MSD_BINDING_H
#define MSD_BINDING_H

#include "httpd/msd_request.h"

/*
 * SessionDynamoDBBind: properties of the client to which sessions are bound (ddb_bound): its User-Agent, the network of
 * its address, its TLS certificate. All can be shared or forged, and change honestly, so a change is a hint of theft
 * and the right ones prove nothing.
 *
 * They are stored with writes that are made anyway, and compared after each load. So a session that is older than the
 * setting is bound by its next write, and one whose client has changed to the new client, where the change is not
 * denied.
 */

/** The properties of r's client that count in the place of s, into s->bind. Before the first write. Cheap where
 * nothing is set. */
void msd_binding_look(request_rec *r, msd_session_t *s);

/**
 * Compare with what the session, just loaded, is bound to, and act on changes: an event and a line in the log, both
 * once a minute for a session and what it changed to; and then as the setting says, a new ID with the response
 * (s->binding_changed), or no session, as if the ID were unknown.
 */
void msd_binding_judge(request_rec *r, msd_session_t *s);

#endif
