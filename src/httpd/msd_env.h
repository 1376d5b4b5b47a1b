#ifndef MSD_ENV_H
#define MSD_ENV_H

#include <httpd.h>

#include "httpd/msd_session.h"

/**
 * SessionDynamoDBEnv: set the environment variables that r's settings ask for from the entries of z, and remove those
 * whose entry is not there. z NULL: there is no session.
 */
void msd_env_export(request_rec *r, const session_rec *z);

/** Before mod_session sets it, if it does: forget what a client has put into HTTP_SESSION for another request of r's
 * tree, where SessionDynamoDB is Off. r's place is On. */
void msd_env_forget(request_rec *r);

/** What may be known of a session itself: its times and a hash of its ID, never the ID. */
void msd_env_describe(request_rec *r, msd_session_t *s);

/** Leave HTTP_SESSION out, with a warning, where it is longer than the system allows: a program would not start. */
void msd_env_limit(request_rec *r);

#endif
