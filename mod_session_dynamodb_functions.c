/* What other modules may do with the session of a request. */

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

/** The tree's session, loaded if nobody has; NULL where there is none to work with. */
static msd_request_t *session_of(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ap_session_load) *load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_rec *z = NULL;
    msd_request_t *q;

    if (load(r, &z) != APR_SUCCESS) {
        return NULL;
    }
    q = msd_request_find(r);
    return q && msd_request_usable(q) ? q : NULL;
}

static apr_status_t session_dynamodb_end(request_rec *r)
{
    msd_request_t *q = session_of(r);
    apr_status_t rv;

    if (!q) {
        return msd_request_find(r) && msd_request_find(r)->outcome == MSD_FAILED ? DDB_EUNAVAILABLE : APR_SUCCESS;
    }
    if (!q->session.sid) {
        apr_table_clear(q->z->entries);
        return APR_SUCCESS;
    }
    rv = msd_save_end(q);
    if (rv != APR_SUCCESS) {
        msd_log_failure(r, rv, MSD_FAILURE_LOG_END);
    }
    return rv;
}

static apr_status_t session_dynamodb_renew(request_rec *r)
{
    msd_request_t *q = session_of(r);

    if (!q || !q->session.sid) {
        return APR_NOTFOUND;
    }
    q->renew = 1;
    q->z->dirty = 1;
    return APR_SUCCESS;
}

static const char *session_dynamodb_loggable_id(request_rec *r)
{
    msd_request_t *q = session_of(r);

    return q ? msd_request_loggable_id(q) : NULL;
}

static apr_status_t session_dynamodb_times(request_rec *r, session_dynamodb_times_t *times)
{
    msd_request_t *q = session_of(r);

    memset(times, 0, sizeof(*times));
    if (!q) {
        return APR_NOTFOUND;
    }
    times->created = q->session.created;
    times->accessed = q->session.accessed;
    times->expires = apr_time_from_sec(msd_session_expires(q));
    times->idle_timeout = q->session.idle_timeout;
    times->absolute_timeout = q->session.absolute_timeout;
    return APR_SUCCESS;
}

static apr_status_t session_dynamodb_set_timeouts(request_rec *r, apr_int64_t idle, apr_int64_t absolute)
{
    msd_request_t *q = session_of(r);

    if (idle < 1 || absolute < 1) {
        return APR_EINVAL;
    }
    if (!q) {
        return APR_NOTFOUND;
    }
    q->session.idle_timeout = idle;
    q->session.absolute_timeout = absolute;
    q->timeouts_changed = 1;
    q->z->dirty = 1;
    return APR_SUCCESS;
}

void session_dynamodb_register_functions(void)
{
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_end);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_renew);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_loggable_id);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_times);
    APR_REGISTER_OPTIONAL_FN(session_dynamodb_set_timeouts);
}
