/* The write that a request's changes require, in competition with other writers. New IDs: msd_save_renew.c. */

#include <apr_strings.h>

#include "httpd/child/msd_child.h"
#include "httpd/msd_device.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_event.h"
#include "httpd/msd_identity.h"
#include "httpd/msd_limit.h"
#include "httpd/msd_payload.h"
#include "httpd/msd_save_int.h"
#include "httpd/msd_user_sessions.h"

#define MERGES_MAX 100 /* per request; no session has more concurrent writers: the table's answers must be wrong */

void msd_save_set_payload(const msd_session_t *s, ddb_session_t *row)
{
    row->data = s->z->encoded ? s->z->encoded : "";
    row->data_len = strlen(row->data);
}

/** 1 if the application set its own expiry. With SessionMaxAge the expiry follows from the row's times instead, and a
 * JSON object cannot hold one. */
static int expiry_changed(const msd_session_t *s)
{
    return s->conf->format == DDB_FORM && s->z->maxage <= 0 && s->z->expiry != s->expiry;
}

/** Decode the entries of a row that another request wrote into theirs. */
static apr_status_t decode_theirs(request_rec *r, msd_session_t *s, session_rec *theirs, const ddb_session_t *row)
{
    apr_status_t rv;

    if (s->answer.merges == MERGES_MAX) {
        return ddb_error_set(&s->error, DDB_EUNAVAILABLE,
                             "gave up after %d attempts, because other requests kept changing the session: find out "
                             "what changes it so often",
                             MERGES_MAX);
    }
    s->answer.merges++;
    rv = msd_payload_decode(r, s, theirs, row);
    if (rv != APR_SUCCESS && rv != DDB_ETOOLARGE) {
        /* DDB_ETOOLARGE is left as it is: its detail tells the operator what to do. */
        ddb_error_set(&s->error, rv, "the data that another request stored meanwhile can't be decoded");
    }
    return rv;
}

apr_status_t msd_save_merge(request_rec *r, msd_session_t *s, const ddb_session_t *current)
{
    session_rec theirs = { .pool = s->pool, .entries = apr_table_make(s->pool, 10) };
    apr_table_t *merged;
    apr_status_t rv = decode_theirs(r, s, &theirs, current);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    msd_session_count(s, DDB_COUNT_MERGED);
    merged = msd_entries_merge(s->pool, s->loaded, s->z->entries, theirs.entries);
    s->loaded = msd_entries_copy(s->pool, theirs.entries);
    if (!expiry_changed(s)) {
        s->z->expiry = theirs.expiry;
    }
    s->expiry = theirs.expiry;
    /* Handlers may hold a pointer to this table: replace its contents, not the table. */
    apr_table_clear(s->z->entries);
    apr_table_overlap(s->z->entries, merged, APR_OVERLAP_TABLES_SET);
    return msd_payload_encode(r, s);
}

void msd_save_stored(msd_session_t *s, const ddb_session_t *row)
{
    if (s->stored.sid && strcmp(s->stored.sid, row->sid) != 0) {
        s->answer.issue = row->sid;
    }
    s->stored = *row;
    s->loaded = msd_entries_copy(s->pool, s->z->entries);
    s->seen = apr_table_copy(s->pool, s->z->entries);
    s->expiry = s->z->expiry;
    s->answer.renew = 0;
    s->answer.anew = 0;
    s->answer.identity = MSD_SAME_USER;
    s->answer.timeouts_changed = 0;
    s->answer.written = MSD_STORED;
    msd_session_lives(s);
}

/** The user from this write on. Versions that know no realms go by one mark. */
static void set_login(const msd_session_t *s, ddb_session_t *row)
{
    row->login = s->answer.login;
    row->user = row->login ? row->login->user : NULL;
    row->bind = s->bind;
}

apr_status_t msd_save_insert_row(const msd_save_t *w, ddb_session_t *row)
{
    const char *undisclosed = NULL;
    ddb_store_call_t call = *w->call;
    msd_user_sessions_t lists;
    apr_status_t rv = APR_SUCCESS;

    msd_device_begin(w->s, row);
    if (!w->s->conf->user_sessions) {
        row->listed_in = NULL;
    }
    else if (msd_user_sessions_begin(&lists, w->r, w->q, w->s, row, &rv)) {
        call.announce = &lists.announce;
    }
    rv = rv == APR_SUCCESS ? ddb_store_insert(w->q->calls.store, &call, row, &undisclosed) : rv;

    if (rv != APR_SUCCESS && undisclosed) {
        msd_child_remove_later(w->s->server, undisclosed);
    }
    w->s->answer.invite = rv == APR_SUCCESS && w->s->conf->device_bound != MSD_DEVICE_BOUND_OFF;
    return rv;
}

apr_status_t msd_save_insert(const msd_save_t *w, ddb_session_t *row)
{
    msd_save_set_payload(w->s, row);
    set_login(w->s, row);
    return msd_save_insert_row(w, row);
}

static apr_status_t create(const msd_save_t *w)
{
    ddb_session_t row = w->s->stored;
    apr_status_t rv;

    if (msd_limit_create(w->r, w->s)) {
        w->s->answer.written = MSD_OVER_LIMIT;
        return APR_SUCCESS;
    }
    row.created = w->s->now;
    rv = msd_save_insert(w, &row);
    msd_limit_created(w->r, w->s, rv == APR_SUCCESS);
    if (rv == APR_SUCCESS) {
        msd_event_note(w->s, "created", w->s->answer.identity == MSD_LOGIN ? "login" : "new", row.sid, NULL);
        msd_save_stored(w->s, &row);
        w->s->answer.issue = row.sid;
    }
    return rv;
}

/** Move our changes onto the current row. Its timeouts stay, unless this request set them. */
static void rebase(const msd_session_t *s, ddb_session_t *row, const ddb_session_t *current)
{
    ddb_session_t ours = *row;

    *row = *current;
    row->data = ours.data;
    row->data_len = ours.data_len;
    if (s->answer.timeouts_changed) {
        row->idle_timeout = ours.idle_timeout;
        row->absolute_timeout = ours.absolute_timeout;
        row->timeouts_set = 1;
    }
}

/** Write row in place of the stored session. Each conflict means that another request has finished its write, so the
 * loop ends. */
static apr_status_t overwrite(const msd_save_t *w, ddb_session_t *row)
{
    ddb_session_t current;
    apr_status_t rv;

    for (;;) {
        msd_save_set_payload(w->s, row);
        set_login(w->s, row);
        memset(&current, 0, sizeof(current));
        rv = ddb_store_save(w->q->calls.store, w->call, row, &current);
        if (rv != DDB_ECONFLICT) {
            return rv;
        }
        rv = msd_save_merge(w->r, w->s, &current);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rebase(w->s, row, &current);
    }
}

static apr_status_t change(const msd_save_t *w)
{
    msd_session_t *s = w->s;
    ddb_session_t row = s->stored;
    apr_status_t rv = APR_SUCCESS;

    if (s->conf->user_sessions && row.listed_in && row.absolute_timeout > row.row->absolute_timeout) {
        rv = msd_user_sessions_extend(w->r, w->q, s, w->call);
    }
    rv = rv == APR_SUCCESS ? overwrite(w, &row) : rv;
    if (rv == APR_SUCCESS) {
        msd_save_stored(s, &row);
        /* A persistent cookie contains the session's expiry, which has changed. */
        s->answer.issue = s->conf->cookie_persistent ? row.sid : s->answer.issue;
    }
    return rv;
}

static apr_status_t end_because(const msd_save_t *w, const char *reason)
{
    msd_session_t *s = w->s;
    ddb_session_t last = s->stored;
    apr_status_t rv = ddb_store_end(w->q->calls.store, w->call, &last);
    /* Where a login was first, the session goes on, and the client has the cookie of it. */
    int goes_on = !s->answer.all_ended && (last.miss == DDB_MISS_MOVED || last.miss == DDB_MISS_LEFT);

    if (rv == APR_SUCCESS && !goes_on) {
        msd_event_note(s, "ended", reason, last.sid, NULL);
    }
    if (rv == APR_SUCCESS && s->conf->user_sessions && s->stored.listed_in) {
        msd_user_sessions_ended(w->q, w->call, &s->stored, NULL);
    }
    if (rv == APR_SUCCESS) {
        msd_session_begin_new(s);
        s->answer.written = MSD_ENDED;
        s->answer.issue = NULL;
        s->answer.end_id = !goes_on;
    }
    return rv;
}

static apr_status_t end(const msd_save_t *w)
{
    return end_because(w, msd_event_why_ended(w->s));
}

static apr_status_t end_by_program(const msd_save_t *w)
{
    apr_status_t rv = end_because(w, "program");

    if (rv != APR_SUCCESS) {
        msd_event_note(w->s, "failed", ddb_error_word(rv), w->s->stored.sid, NULL);
    }
    return rv;
}

/** 1 if this request has something to store, beside a user whom HTTP authentication tells again with each request. */
static int has_changes(const msd_session_t *s)
{
    return s->answer.verified || s->answer.abandon || s->answer.timeouts_changed || expiry_changed(s)
           || !msd_entries_equal(s->pool, s->z->entries, s->loaded);
}

/** What the client stores belongs to the session of a newer ID than it sent: a new one would take its place. */
static apr_status_t refuse(const msd_save_t *w)
{
    (void)w;
    return APR_NOTFOUND;
}

/** The write that the entries require; NULL: no write. */
static msd_save_fn *choose_write(const msd_session_t *s)
{
    int empty = msd_payload_empty(s);

    if (s->answer.abandon) {
        return s->stored.sid ? end : s->ids.replaced ? refuse : NULL;
    }
    if (!s->stored.sid) {
        return empty || !s->z->dirty ? NULL : s->ids.replaced && !s->answer.verified ? refuse : create;
    }
    if ((empty && s->z->dirty) || (s->answer.identity == MSD_LOGOUT && s->conf->logout == MSD_LOGOUT_END)) {
        return end;
    }
    if (s->answer.renew || s->answer.identity != MSD_SAME_USER) {
        return msd_save_renew;
    }
    if (s->answer.timeouts_changed || expiry_changed(s)) {
        return change;
    }
    /* With SessionMaxAge mod_session saves every session, changed or not. */
    return s->z->dirty && !msd_entries_equal(s->pool, s->z->entries, s->loaded) ? change : NULL;
}

apr_status_t msd_save_run(msd_save_fn *write, msd_save_t w)
{
    msd_calls_batch_t batch;
    apr_status_t rv;

    msd_calls_begin(&w.q->calls, w.s, &batch);
    w.call = &batch.call;
    rv = write(&w);
    msd_calls_end(&w.q->calls, &batch);
    return rv;
}

static apr_status_t write_changes(const msd_save_t *w, msd_save_fn *write, int changed)
{
    msd_session_t *s = w->s;
    apr_status_t rv = msd_calls_check(&w->q->calls, &s->error);

    if (rv == APR_SUCCESS && (changed || s->conf->format == DDB_JSON) && write != end) {
        /* With the form format, mod_session has encoded the entries already, as they were then. */
        rv = msd_payload_encode(w->r, s);
    }
    if (rv == APR_SUCCESS) {
        rv = msd_save_run(write, *w);
    }
    if (rv == APR_NOTFOUND) {
        s->answer.written = has_changes(s) ? MSD_REFUSED : MSD_GONE;
        s->answer.failure = DDB_ECONFLICT;
        s->answer.issue = NULL;
        s->stored.sid = NULL;
        return APR_SUCCESS;
    }
    return rv;
}

apr_status_t msd_save(request_rec *r, msd_request_t *q, msd_session_t *s)
{
    const msd_save_t w = { .r = r, .q = q, .s = s };
    const msd_revoke_e revoke = s->conf->user_sessions ? s->answer.revoke : MSD_REVOKE_NONE;
    msd_save_fn *write;
    apr_status_t rv = APR_SUCCESS;
    int changed;

    s->answer.revoke = MSD_REVOKE_NONE;
    msd_identity_judge(q, s);
    changed = msd_identity_apply(s);
    write = choose_write(s);
    if (q->begun && (write == create || write == msd_save_renew)) {
        /* A server-side include late in its page: the client cannot get the ID any more, so a row would be useless. */
        s->answer.written = MSD_TOO_LATE;
        write = NULL;
    }
    /* All sessions end before this one, whose end forgets its user; the others after it has its new ID, which can't be
     * listed later. */
    if (revoke == MSD_REVOKE_ALL) {
        rv = msd_user_sessions_revoke(q, s, revoke);
    }
    if (rv == APR_SUCCESS && write) {
        rv = write_changes(&w, write, changed);
    }
    if (rv == APR_SUCCESS && revoke == MSD_REVOKE_OTHERS && !msd_session_is_denied(s)) {
        rv = msd_user_sessions_revoke(q, s, revoke);
        s->answer.issue_on_error = rv != APR_SUCCESS && s->answer.written == MSD_STORED;
    }
    return rv == APR_SUCCESS ? rv : msd_session_write_failed(s, rv);
}

apr_status_t msd_save_end(request_rec *r, msd_request_t *q, msd_session_t *s)
{
    const msd_save_t w = { .r = r, .q = q, .s = s };

    return msd_save_run(end_by_program, w);
}
