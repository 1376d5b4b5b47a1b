/* Functions for other modules that act on the session of a request. */

#include <string.h>

#include <apr_optional.h>
#include <httpd.h>
#include <mod_session.h>

#include "mod_session_dynamodb.h"
#include "mod_session_dynamodb_int.h"
#include "httpd/msd_log.h"
#include "httpd/msd_request.h"
#include "httpd/msd_save.h"
#include "httpd/msd_session.h"

/** The session of r's tree, loaded if necessary; NULL if it is not usable. */
static msd_session_t *session_of(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ap_session_load) *load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_rec *z = NULL;
    msd_session_t *s;

    if (load(r, &z) != APR_SUCCESS) {
        return NULL;
    }
    s = msd_request_session_of(msd_request_find(r), z);
    return s && msd_session_usable(s) ? s : NULL;
}

/** session_of for a change; APR_EACCES if r may not make one. */
static apr_status_t session_for_change(msd_session_t **ps, request_rec *r)
{
    *ps = session_of(r);
    if (*ps && msd_request_is_foreign_part(r, *ps)) {
        *ps = NULL;
        return APR_EACCES;
    }
    return *ps ? APR_SUCCESS : APR_NOTFOUND;
}

static apr_status_t session_dynamodb_end(request_rec *r)
{
    msd_session_t *s;
    apr_status_t rv = session_for_change(&s, r);

    if (rv == APR_NOTFOUND) {
        s = msd_request_session(r);
        return s && s->outcome == MSD_FAILED ? DDB_EUNAVAILABLE : APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && !s->stored.sid) {
        apr_table_clear(s->z->entries);
    }
    else if (rv == APR_SUCCESS) {
        rv = msd_save_end(r, msd_request_find(r), s);
        if (rv != APR_SUCCESS) {
            msd_log_failure(r, s, rv, MSD_FAILURE_LOG_END);
        }
    }
    return rv;
}

static apr_status_t session_dynamodb_renew(request_rec *r)
{
    msd_session_t *s;
    apr_status_t rv = session_for_change(&s, r);

    if (rv == APR_SUCCESS) {
        msd_session_renew(s);
        rv = s->stored.sid ? APR_SUCCESS : APR_NOTFOUND;
    }
    return rv;
}

static apr_status_t session_dynamodb_create(request_rec *r)
{
    msd_session_t *s;
    apr_status_t rv = session_for_change(&s, r);

    if (rv == APR_SUCCESS) {
        apr_table_clear(s->z->entries);
        msd_session_begin_anew(s);
    }
    return rv;
}

static apr_status_t session_dynamodb_revoke(request_rec *r, int others)
{
    msd_session_t *s;
    apr_status_t rv = session_for_change(&s, r);

    if (rv != APR_SUCCESS || !s->conf->user_sessions || !s->stored.sid) {
        return rv != APR_SUCCESS ? rv : s->conf->user_sessions ? APR_NOTFOUND : APR_ENOTIMPL;
    }
    msd_session_revoke(s, others ? MSD_REVOKE_OTHERS : MSD_REVOKE_ALL);
    return rv;
}

static const char *session_dynamodb_loggable_id(request_rec *r)
{
    msd_session_t *s = session_of(r);

    return s ? msd_session_loggable_id(s) : NULL;
}

static apr_status_t session_dynamodb_times(request_rec *r, session_dynamodb_times_t *times)
{
    msd_session_t *s = session_of(r);
    ddb_session_t here;

    memset(times, 0, sizeof(*times));
    if (!s) {
        return APR_NOTFOUND;
    }
    times->created = s->stored.created;
    times->accessed = s->stored.accessed;
    times->expires = apr_time_from_sec(msd_session_expires(s));
    here = msd_session_here(s, &s->stored);
    times->idle_timeout = here.idle_timeout;
    times->absolute_timeout = here.absolute_timeout;
    return APR_SUCCESS;
}

static apr_status_t session_dynamodb_set_timeouts(request_rec *r, apr_int64_t idle, apr_int64_t absolute)
{
    msd_session_t *s;
    apr_status_t rv;

    if (idle < 1 || absolute < 1 || idle > MSD_SECONDS_MOST || absolute > MSD_SECONDS_MOST) {
        return APR_EINVAL;
    }
    rv = session_for_change(&s, r);
    if (rv == APR_SUCCESS) {
        msd_session_set_timeouts(s, idle, absolute);
    }
    return rv;
}

void session_dynamodb_register_functions(void)
{
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_end);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_renew);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_create);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_revoke);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_loggable_id);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_times);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_set_timeouts);
}
