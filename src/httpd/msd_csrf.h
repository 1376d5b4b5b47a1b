#ifndef MSD_CSRF_H
#define MSD_CSRF_H

#include "httpd/msd_request.h"

/*
 * Requests that another site makes a browser send, with the cookie of its user (OWASP CSRF Prevention Cheat Sheet).
 *
 * Two defences, each a setting of a place: an anti-forgery token (ddb_csrf), and what browsers tell of where a request
 * comes from: Fetch Metadata, or else Origin or Referer. Both concern requests that present a live session, with a
 * method that may change something: any but GET, HEAD, OPTIONS and TRACE (RFC 9110 section 9.2.1).
 *
 * A token belongs to the session as it is stored when the request begins. It stays valid when the ID is replaced
 * because of its age, and in requests that still come with the old ID; it ends with a login, a logout, or a program's
 * renewal. So a page that is itself the response to a login has a token that is not valid any more: a login should
 * answer with a redirect, as usual. The first page of a session that is only about to be stored has none.
 */

#define MSD_CSRF_HEADER   "X-CSRF-Token" /* by which scripts send the token */
#define MSD_CSRF_FIELD    "csrf_token"   /* the field of forms of this module's own pages */
#define MSD_CSRF_VARIABLE "SESSION_CSRF" /* the environment variable; also its KEY in SessionDynamoDBForward */

/* Names of this module's own handlers begin with this. They check the field themselves, by msd_csrf_check and
 * msd_csrf_is_foreign; SessionDynamoDBCSRFEnforce asks them for no header. */
#define MSD_CSRF_OWN_HANDLERS "session-dynamodb-"

/** What speaks against a request. */
typedef enum msd_csrf_e {
    MSD_CSRF_NOTHING,
    MSD_CSRF_CROSS_SITE, /* another site, or another origin, sent it */
    MSD_CSRF_NO_TOKEN    /* it has no token of its session */
} msd_csrf_e;

/** A token of s, in p: other text at each call. "" if s is not stored, or if random or OpenSSL fails. */
const char *msd_csrf_token(const msd_session_t *s, apr_pool_t *p, ddb_random_fn *random);

/** 1 if token, which may be NULL, is one of s, which is stored. */
int msd_csrf_check(const msd_session_t *s, const char *token);

/**
 * 1 if r was sent by a page of another origin, as far as its headers tell; for pages of this module, whatever the
 * settings. Sec-Fetch-Site must be same-origin or none, and Origin must be the request's own, where they are sent;
 * without either, Referer. Origin "null", which browsers send where a Referrer-Policy hides it, counts as absent beside
 * Sec-Fetch-Site. Scheme: as SessionDynamoDBRequireTLS sees it.
 */
int msd_csrf_is_foreign(request_rec *r);

/** 1 if r has to be judged: its place wants it, its method too, and it was not judged by these settings before.
 * Cheap. */
int msd_csrf_is_due(request_rec *r);

/** What speaks against r, by the settings of its place. s: its session, loaded. */
msd_csrf_e msd_csrf_judge(request_rec *r, const msd_session_t *s);

/** SessionDynamoDBCSRFToken: set the variable in r, or remove it. */
void msd_csrf_export(request_rec *r, const msd_session_t *s);

#endif
