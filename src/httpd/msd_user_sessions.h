#ifndef MSD_USER_SESSIONS_H
#define MSD_USER_SESSIONS_H

#include "httpd/msd_request.h"
#include "store/ddb_user_sessions.h"

/*
 * The sessions of the users of a request's session (SessionDynamoDBUserSessions): listed when a session gets an ID,
 * taken from the list when it ends, shown, and ended together. A session with users in several realms is in the list of
 * each. Nothing here is called where the setting is Off.
 */

/** One insert of a row that is listed first. Private to the functions here. */
typedef struct msd_user_sessions_t {
    ddb_store_announce_t announce; /* for the insert's ddb_store_call_t */
    ddb_store_t *store;
    msd_session_t *s;
    apr_array_header_t *ids; /* const char *, of lists */
    ddb_user_session_t session;
    ddb_user_limit_t limit;
} msd_user_sessions_t;

/**
 * Before the insert of row, which s becomes: which lists it will be in. Sets row->listed_in. *u must live as long as
 * the insert. @return 0 if it has no users, and nothing is announced; a failure in *rv only if OpenSSL fails.
 */
int msd_user_sessions_begin(msd_user_sessions_t *u, request_rec *r, const msd_request_t *q, msd_session_t *s,
                            ddb_session_t *row, apr_status_t *rv);

/** Before the write that lets s, which is listed, end later than its lists say: list it anew. @return APR_NOTFOUND if
 * it was ended meanwhile. */
apr_status_t msd_user_sessions_extend(request_rec *r, const msd_request_t *q, msd_session_t *s,
                                      const ddb_store_call_t *call);

/** The row `was` has ended, and its session goes on as `is`, or not (NULL). Takes it out of the lists where it does not
 * belong any more; if that fails, it stays listed until its absolute end. */
void msd_user_sessions_ended(const msd_request_t *q, const ddb_store_call_t *call, const ddb_session_t *was,
                             const ddb_session_t *is);

/**
 * End the other sessions of the users of s, within the budget of the tree; MSD_REVOKE_ALL: s as well, if it is listed,
 * and the caller has to end it in any case.
 * @return APR_SUCCESS, also if s has no users; a failure: some may be alive.
 */
apr_status_t msd_user_sessions_revoke(msd_request_t *q, msd_session_t *s, msd_revoke_e what);

/**
 * The lists that s is in, or would be: const char *, in s->pool, under all keys. For users who are known only to the
 * request, msd_identity_judge must have looked at it.
 */
apr_status_t msd_user_sessions_lists(apr_array_header_t **ids, const msd_session_t *s);

#endif
