#ifndef MOD_SESSION_DYNAMODB_H
#define MOD_SESSION_DYNAMODB_H

#include <apr_optional.h>
#include <apr_time.h>
#include <httpd.h>

/* It takes a pointer among a macro's arguments for a product. */
/* clang-format off */

/*
 * Functions of mod_session_dynamodb for other modules: APR optional functions, fetched with APR_RETRIEVE_OPTIONAL_FN in
 * the optional_fn_retrieve hook. Each takes any request of the tree (a subrequest, a redirected one) and acts on its
 * one session, loading it if nobody has. They run in the request's own thread and may ask the table.
 */

/**
 * End the session now: the row is deleted before this returns, its entries are gone, and the response ends the cookie.
 * What is set afterwards goes into a new session with a new ID.
 * @return APR_SUCCESS, also without a session; else a failure: the session may still be there.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_end, (request_rec *r));

/**
 * Give the session a new ID when it is saved at the end of the request: its data moves, the old ID ends, the response
 * carries the new one. For changes of privilege that httpd can't see; a change of the user is seen without it.
 * @return APR_SUCCESS; APR_NOTFOUND without a stored session (a new one gets a new ID anyway).
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_renew, (request_rec *r));

/**
 * What may be logged of the session's ID: its SHA-512 in hex, in the request's pool. NULL while the session is new
 * and not stored.
 */
APR_DECLARE_OPTIONAL_FN(const char *, session_dynamodb_loggable_id, (request_rec *r));

typedef struct session_dynamodb_times_t {
    apr_time_t created;           /* microseconds since 1970; 0 for a session that is not stored */
    apr_time_t accessed;          /* last recorded activity */
    apr_time_t expires;           /* end, as far as known now: activity moves it, up to the absolute timeout */
    apr_int64_t idle_timeout;     /* seconds */
    apr_int64_t absolute_timeout; /* seconds */
} session_dynamodb_times_t;

/** @return APR_NOTFOUND where there is no session (mod_session off, or the store failed). */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_times, (request_rec *r, session_dynamodb_times_t *times));

/**
 * Give this session timeouts of its own, in seconds from 1; they are stored with it and hold from the save at the end
 * of this request.
 * @return APR_EINVAL for a timeout under 1, APR_NOTFOUND where there is no session.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, session_dynamodb_set_timeouts,
                        (request_rec *r, apr_int64_t idle, apr_int64_t absolute));

/* clang-format on */

#endif
