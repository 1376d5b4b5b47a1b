#ifndef MSD_IDENTITY_H
#define MSD_IDENTITY_H

#include "httpd/msd_request.h"

/*
 * Whose session it is. A session has at most one user in each realm; a realm is an authentication type with its
 * AuthName, or an entry that SessionDynamoDBUserKey names. Users of different realms are never compared.
 *
 * mod_auth_form's entry and the entries of SessionDynamoDBUserKey are judged by the changes of this request. A user of
 * HTTP authentication, who leaves no trace in the entries, is compared with the marks in the row.
 */

/**
 * In fixups, before mod_session's: r passed authentication and authorization. When its user is another than that of s,
 * its session, in that realm, the session is empty from here on, so that the request sees nothing of the other's.
 */
void msd_identity_note(request_rec *r, msd_session_t *s);

/** 1 when r's user of HTTP authentication is another than the one that s, its session, knows in that realm. */
int msd_identity_is_other(request_rec *r, msd_session_t *s);

/** Judge what the tree's requests have made of the users of s so far; the result is in its answer. */
void msd_identity_judge(msd_request_t *q, msd_session_t *s);

/**
 * Before the session is saved: remove the entries that its new user must not have. @return 1 when entries changed, so
 * that they have to be encoded again.
 */
int msd_identity_apply(msd_session_t *s);

/** The mark, in place of a user, of a session that was imported: nobody knows when its user has logged in. A login
 * takes it away. */
extern const ddb_marks_user_t msd_identity_imported;

/** 1 if s has this mark. */
int msd_identity_is_imported(const msd_session_t *s);

#endif
