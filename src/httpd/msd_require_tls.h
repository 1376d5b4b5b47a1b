#ifndef MSD_REQUIRE_TLS_H
#define MSD_REQUIRE_TLS_H

#include "httpd/msd_request.h"

/*
 * SessionDynamoDBRequireTLS: the refusal of requests that came without TLS, although their place requires it. Over TLS
 * came what SessionDynamoDBTLSWhen says so of, or else what came on a connection that uses TLS. The expression is
 * evaluated once in each request tree, where it is first needed, because modules change headers later. If that fails,
 * which httpd logs, it counts as false.
 */

/** 1 if r came over TLS. */
int msd_require_tls_is_over(request_rec *r);

/** 1 if r, or a request that led to it, is to be refused: there must be no session. Cheap where TLS is not required. */
int msd_require_tls_bars(request_rec *r);

/**
 * The response to r: HTTP_FORBIDDEN, with a line in the log, if it is to be refused; DECLINED: it goes on, as an error
 * page always does. A hook: of check_authn, after the load and before passwords are compared, and of the first handler.
 * Not of the fixups, where other modules redirect to https.
 */
int msd_require_tls_refuse(request_rec *r);

#endif
