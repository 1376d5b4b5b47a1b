#ifndef MSD_ENV_H
#define MSD_ENV_H

#include <httpd.h>

#include "httpd/msd_session.h"

/**
 * SessionDynamoDBEnv: set the environment variables in r's settings from the entries of z, and remove those whose entry
 * does not exist. z NULL: there is no session.
 */
void msd_env_export(request_rec *r, const session_rec *z);

/** Remove the variables of other requests of r's tree that are of another place, or where SessionDynamoDB is Off, so
 * that a client could set HTTP_SESSION. Call before mod_session may set it, and only where SessionDynamoDB is On for
 * r. */
void msd_env_forget(request_rec *r);

/** Set the variables that describe the session: its times and a hash of its ID, never the ID itself. */
void msd_env_describe(request_rec *r, msd_session_t *s);

/** The same at the end of r, which is no subrequest, where they are missing or the session has changed. */
void msd_env_describe_again(request_rec *r, msd_session_t *s);

/** Remove HTTP_SESSION, with a warning, if it exceeds the system's limit: programs would not start with it. */
void msd_env_limit(request_rec *r);

#endif
