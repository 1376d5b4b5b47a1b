#ifndef MSD_TRANSPORT_H
#define MSD_TRANSPORT_H

#include <httpd.h>

#include "msd_config.h"

/*
 * How the session ID travels between client and server: in a cookie or, with SessionDynamoDBUseHeader On, in a header.
 * The mechanism that is not configured is ignored, both ways. Nothing here is ever logged: httpd's own cookie helpers
 * are not used because they log cookies, and because they split at commas.
 */

/**
 * Take the session ID out of the request's headers, so that no handler and no backend sees it. *sid is in r's pool,
 * and is set to the first one found.
 * @return how many were found: 0, 1, or more. More than one is no session: who can plant a second cookie must not be
 *         able to choose which one counts.
 */
int msd_transport_take(request_rec *r, const msd_dir_config_t *conf, const char **sid);

/**
 * Make sure that the response carries the ID, once, whatever its status. expires (epoch seconds) is for persistent
 * cookies.
 */
void msd_transport_issue(request_rec *r, const msd_dir_config_t *conf, const char *sid, apr_int64_t expires);

/** Make sure that the response ends the ID, once: a cookie with the same attributes in the past, or an empty header. */
void msd_transport_end(request_rec *r, const msd_dir_config_t *conf);

#endif
