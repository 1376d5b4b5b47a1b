/* A session of another store begins here. */

#include "httpd/msd_event.h"
#include "httpd/msd_identity.h"
#include "httpd/msd_limit.h"
#include "httpd/msd_payload.h"
#include "httpd/msd_save_int.h"
#include "httpd/msd_user_sessions.h"

/** Another request was first, or the old session could not be told where the new one is. */
static void take_back(const msd_save_t *w, const ddb_session_t *row)
{
    if (w->call->err->unsettled) {
        return; /* it may lead to the row after all: the next request finds out */
    }
    msd_save_take_away(w, row->key);
    if (row->listed_in) {
        msd_user_sessions_ended(w->q, w->call, row, NULL);
    }
}

/**
 * The order is that of any new ID: the session is stored, then the old one leads to it, then its ID is sent. Requests
 * that come at the same time agree by the second write, and all get the same ID; whoever never receives it gets it with
 * the next request.
 */
static apr_status_t write_rows(const msd_save_t *w, const char *old)
{
    msd_session_t *s = w->s;
    ddb_session_t row = s->stored;
    apr_status_t rv;

    row.created = s->now;
    row.issued = apr_time_sec(s->now); /* until it is seen, the old session leads to it */
    row.login = &msd_identity_imported;
    row.bind = s->bind;
    msd_save_set_payload(s, &row);
    rv = msd_save_insert_row(w, &row);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ddb_store_lead(w->q->calls.store, w->call, old, row.sid, apr_time_sec(s->conf->import->until));
    if (rv != APR_SUCCESS) {
        take_back(w, &row);
        return rv;
    }
    msd_event_note(s, "created", "import", row.sid, NULL);
    msd_save_stored(s, &row);
    s->answer.issue = row.sid;
    return rv;
}

/** From here on as if it had been loaded. */
static void go_on(msd_session_t *s)
{
    s->outcome = MSD_LOADED;
    s->answer.written = MSD_NOTHING;
    s->answer.verified = 0;
    s->z->dirty = 0;
}

apr_status_t msd_save_import(request_rec *r, msd_request_t *q, msd_session_t *s, const char *old)
{
    msd_save_t w = { .r = r, .q = q, .s = s };
    msd_calls_batch_t batch;
    apr_status_t rv = msd_payload_encode(r, s);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (msd_limit_create(r, s)) {
        s->outcome = MSD_LIMITED;
        return APR_SUCCESS;
    }
    msd_calls_begin(&q->calls, s, &batch);
    w.call = &batch.call;
    rv = write_rows(&w, old);
    msd_calls_end(&q->calls, &batch);
    msd_limit_created(r, s, rv == APR_SUCCESS);
    if (rv == APR_SUCCESS) {
        go_on(s);
    }
    return rv;
}
