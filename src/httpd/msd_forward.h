#ifndef MSD_FORWARD_H
#define MSD_FORWARD_H

#include "httpd/msd_request.h"

/*
 * Entries of the session on their way to a program or a backend, as request headers. What a client sends under these
 * names is removed, in every spelling that a program may take for the same; with keys, what is sent is signed.
 */

/** 1 when there is something to do for r before its handler: headers to be sent, or an earlier request's to be taken
 * back. Cheap. */
int msd_forward_due(request_rec *r);

/**
 * Remove the client's headers of these names and set ours. Must be the last thing before the handler: until then a look
 * ahead may replace the request's settings by another one's. z: r's session; of one that is NULL, not ours or could not
 * be read, nothing is sent. What can't be sent is logged.
 */
void msd_forward(request_rec *r, const session_rec *z);

#endif
