#ifndef MSD_FORWARD_H
#define MSD_FORWARD_H

#include "httpd/msd_request.h"

/*
 * Entries of the session on their way to a program or a backend, as request headers. Headers of these names from the
 * client are removed, in every spelling that a program may treat as the same name. With keys, the headers are signed.
 */

/** 1 if msd_forward has something to do for r: headers to remove or set, or an earlier request's to remove. Cheap. */
int msd_forward_due(request_rec *r);

/**
 * Remove the client's headers of these names and set ours. Must run last before the handler: until then a lookup
 * subrequest may replace the request's settings. z: r's session; if it is NULL, not ours or could not be read, no
 * entries are sent. Entries that can't be sent are logged.
 */
void msd_forward(request_rec *r, const session_rec *z);

#endif
