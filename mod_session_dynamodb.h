#ifndef MOD_SESSION_DYNAMODB_H
#define MOD_SESSION_DYNAMODB_H

#include <apr_optional.h>
#include <apr_time.h>
#include <httpd.h>

/* clang-format would format the pointers among the macros' arguments as multiplications. */
/* clang-format off */

/*
 * Functions of mod_session_dynamodb for other modules: APR optional functions, fetched with APR_RETRIEVE_OPTIONAL_FN in
 * the optional_fn_retrieve hook. Each takes any request of the tree (a subrequest, a redirected one) and acts on the
 * session of its place, which it loads if necessary: requests of a tree share one where cookie name, keys and label are
 * the same. Call them in the request's own thread; they may access the table.
 *
 * Those that change the session return APR_EACCES, and do nothing, in an include whose place is not the page's: it may
 * only read the session of its place.
 */

/**
 * End the session now: the row is deleted before this returns, the entries are removed, and the response deletes the
 * cookie. Entries set afterwards go into a new session with a new ID.
 * @return APR_SUCCESS, also without a session; any other status is a failure: the session may still exist.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_end, (request_rec *r));

/**
 * Give the session a new ID when it is saved at the end of the request: its data moves, the old ID ends, and the
 * response sends the new one; the absolute timeout begins anew. For logins and changes of privilege that httpd can't
 * detect.
 * @return APR_SUCCESS; APR_NOTFOUND without a stored session (a new one gets a new ID anyway).
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_renew, (request_rec *r));

/**
 * The same, but the session begins anew: its entries are removed now, the old session ends, and the new ID belongs to a
 * session with those that are set afterwards. If none are, the session just ends.
 * @return APR_SUCCESS; APR_NOTFOUND if the session is not usable.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_create, (request_rec *r));

/**
 * End all other sessions of the session's user (others 1), or all of them, this one among them (others 0), when it is
 * saved at the end of the request: if that fails, the response is an error. Needs SessionDynamoDBUserSessions On.
 * @return APR_SUCCESS; APR_ENOTIMPL where it is Off; APR_NOTFOUND without a stored session.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_revoke, (request_rec *r, int others));

/**
 * The SHA-512 of the session's ID in hex, which is safe to log; allocated from the pool of the tree's topmost request.
 * NULL while the session is new and not stored.
 */
APR_DECLARE_OPTIONAL_FN(const char *, session_dynamodb_loggable_id, (request_rec *r));

typedef struct session_dynamodb_times_t {
    apr_time_t created;           /* microseconds since 1970; 0 for a session that is not stored */
    apr_time_t accessed;          /* last recorded activity */
    apr_time_t expires;           /* expiry, as known now: activity postpones it, up to the absolute timeout */
    apr_int64_t idle_timeout;     /* seconds */
    apr_int64_t absolute_timeout; /* seconds */
} session_dynamodb_times_t;

/** @return APR_SUCCESS; APR_NOTFOUND without a session (mod_session is off, or the store failed). */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_times, (request_rec *r, session_dynamodb_times_t *times));

/**
 * Give this session its own timeouts, in seconds, from 1 to ten years. They are stored with it, hold in all places
 * whatever their settings, and take effect with the save at the end of this request.
 * @return APR_SUCCESS; APR_EINVAL for a timeout out of range; APR_NOTFOUND without a session.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_set_timeouts,
                        (request_rec *r, apr_int64_t idle, apr_int64_t absolute));

/* clang-format on */

#endif
