/* Which write a request's changes ask for, and how it is done against other writers. */

#include <apr_strings.h>

#include "httpd/child/msd_child.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_payload.h"
#include "httpd/msd_save.h"

#define MERGES_MAX 100 /* of one request; more writers of one session at once are a table that lies */

/** One write: for whom, of which session, to which store. */
typedef struct save_t {
    request_rec *r;
    msd_request_t *q;
    msd_session_t *s;
    const ddb_store_call_t *call;
} save_t;

typedef apr_status_t write_fn(const save_t *w);

static void set_payload(const msd_session_t *s, ddb_session_t *row)
{
    row->data = s->z->encoded ? s->z->encoded : "";
    row->data_len = strlen(row->data);
}

/** 1 when the application set an end of its own. With SessionMaxAge the end follows from the row's times instead, and a
 * JSON object has no place for it. */
static int expiry_changed(const msd_session_t *s)
{
    return s->conf->format == DDB_FORM && s->z->maxage <= 0 && s->z->expiry != s->expiry;
}

/** The entries of a row that another request wrote, into theirs. */
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
        /* That one's detail says what to do about it. */
        ddb_error_set(&s->error, rv, "the data that another request stored meanwhile can't be decoded");
    }
    return rv;
}

/** Another request changed the row: the entries become the merge of both changes, against the row as it is now. */
static apr_status_t merge(request_rec *r, msd_session_t *s, const ddb_session_t *current)
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
    /* The table's address is known to handlers: its content changes, not the table. */
    apr_table_clear(s->z->entries);
    apr_table_overlap(s->z->entries, merged, APR_OVERLAP_TABLES_SET);
    return msd_payload_encode(r, s);
}

static void stored(msd_session_t *s, const ddb_session_t *row)
{
    s->stored = *row;
    s->loaded = msd_entries_copy(s->pool, s->z->entries);
    s->expiry = s->z->expiry;
    s->answer.renew = 0;
    s->answer.timeouts_changed = 0;
    s->answer.written = MSD_STORED;
    msd_session_lives(s);
}

/** Store row under a new ID. */
static apr_status_t insert(const save_t *w, ddb_session_t *row)
{
    const char *undisclosed = NULL;
    apr_status_t rv;

    set_payload(w->s, row);
    row->user = msd_request_user(w->r, w->q);
    rv = ddb_store_insert(w->q->calls.store, w->call, row, &undisclosed);
    if (rv != APR_SUCCESS && undisclosed) {
        msd_child_remove_later(w->r->server, undisclosed);
    }
    return rv;
}

static apr_status_t create(const save_t *w)
{
    ddb_session_t row = w->s->stored;
    apr_status_t rv;

    row.created = w->s->now;
    rv = insert(w, &row);
    if (rv == APR_SUCCESS) {
        stored(w->s, &row);
        msd_session_count(w->s, DDB_COUNT_CREATED);
        w->s->answer.issue = row.sid;
    }
    return rv;
}

/** Only the timeouts that this request changed are ours to write; the others follow the row. */
static void rebase(const msd_session_t *s, ddb_session_t *row, const ddb_session_t *current)
{
    ddb_session_t ours = *row;

    *row = *current;
    row->data = ours.data;
    row->data_len = ours.data_len;
    row->user = ours.user;
    if (s->answer.timeouts_changed) {
        row->idle_timeout = ours.idle_timeout;
        row->absolute_timeout = ours.absolute_timeout;
    }
}

/** Write row in place of the stored session. Each round that is lost was won by another request, which then is done. */
static apr_status_t overwrite(const save_t *w, ddb_session_t *row)
{
    int left = msd_request_user_left(w->r, w->s);
    ddb_session_t current;
    apr_status_t rv;

    for (;;) {
        set_payload(w->s, row);
        row->user = NULL;
        if (left) {
            /* Who logs in next, be it the same user, gets a new ID. */
            row->user_mark = NULL;
        }
        memset(&current, 0, sizeof(current));
        rv = ddb_store_save(w->q->calls.store, w->call, row, &current);
        if (rv != DDB_ECONFLICT) {
            return rv;
        }
        rv = merge(w->r, w->s, &current);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rebase(w->s, row, &current);
    }
}

static apr_status_t change(const save_t *w)
{
    msd_session_t *s = w->s;
    ddb_session_t row = s->stored;
    apr_status_t rv = overwrite(w, &row);

    if (rv == APR_SUCCESS) {
        stored(s, &row);
        /* The date in a persistent cookie has to follow the session's end. */
        s->answer.issue = s->conf->cookie_persistent ? row.sid : s->answer.issue;
    }
    return rv;
}

/** Take a row away that is no session's (any more); later, if it can't be done now. */
static void take_away(const save_t *w, const char *key)
{
    ddb_error_t ignored = { 0 };
    ddb_store_call_t quiet = *w->call;

    quiet.err = &ignored; /* what has to be reported is the failure that made this necessary */
    if (ddb_store_remove(w->q->calls.store, &quiet, key) != APR_SUCCESS) {
        msd_child_remove_later(w->s->loader->server, key);
    }
}

/** End the old session, bringing what others changed in it meanwhile into the new one first. */
static apr_status_t end_old(const save_t *w, ddb_session_t *fresh)
{
    ddb_session_t old = w->s->stored, current, unused;
    apr_status_t rv;

    for (;;) {
        memset(&current, 0, sizeof(current));
        rv = ddb_store_replace(w->q->calls.store, w->call, &old, &current);
        if (rv != DDB_ECONFLICT) {
            return rv;
        }
        rv = merge(w->r, w->s, &current);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        set_payload(w->s, fresh);
        fresh->user = NULL;
        if (!w->s->answer.timeouts_changed) {
            fresh->idle_timeout = current.idle_timeout;
            fresh->absolute_timeout = current.absolute_timeout;
        }
        rv = ddb_store_save(w->q->calls.store, w->call, fresh, &unused);
        if (rv != APR_SUCCESS) {
            return rv == APR_NOTFOUND ? DDB_EUNAVAILABLE : rv;
        }
        old = current;
    }
}

/**
 * The session moves to a new ID. The order is what makes it safe: the data is there under the new ID before the old one
 * ends, and the new ID is given out only after that. Whatever step fails, one of the two rows is whole.
 */
static apr_status_t renew(const save_t *w)
{
    ddb_session_t fresh = w->s->stored;
    apr_status_t rv = insert(w, &fresh);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = end_old(w, &fresh);
    take_away(w, rv == APR_SUCCESS ? w->s->stored.key : fresh.key);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    stored(w->s, &fresh);
    msd_session_count(w->s, DDB_COUNT_RENEWED);
    w->s->answer.issue = fresh.sid;
    return rv;
}

static apr_status_t end(const save_t *w)
{
    msd_session_t *s = w->s;
    apr_status_t rv = ddb_store_remove(w->q->calls.store, w->call, s->stored.key);

    if (rv == APR_SUCCESS) {
        msd_session_begin_new(s);
        msd_session_count(s, DDB_COUNT_ENDED);
        s->answer.written = MSD_ENDED;
        s->answer.issue = NULL;
        s->answer.end_id = 1;
    }
    return rv;
}

/** The write that the entries ask for; NULL: no write. */
static write_fn *choose_write(request_rec *r, const msd_request_t *q)
{
    const msd_session_t *s = &q->session;
    int empty = msd_payload_empty(s);

    if (!s->stored.sid) {
        return empty || !s->z->dirty ? NULL : create;
    }
    if (empty && s->z->dirty) {
        return end;
    }
    if (s->answer.renew || msd_request_user_changed(r, q)) {
        return renew;
    }
    if (s->answer.timeouts_changed || expiry_changed(s)) {
        return change;
    }
    /* With SessionMaxAge mod_session brings every session here, changed or not. */
    return s->z->dirty && !msd_entries_equal(s->pool, s->z->entries, s->loaded) ? change : NULL;
}

static apr_status_t run(write_fn *write, request_rec *r, msd_request_t *q)
{
    msd_calls_batch_t batch;
    const save_t w = { .r = r, .q = q, .s = &q->session, .call = &batch.call };
    apr_status_t rv;

    msd_calls_begin(&q->calls, &q->session, &batch);
    rv = write(&w);
    msd_calls_end(&q->calls, &batch);
    return rv;
}

apr_status_t msd_save(request_rec *r, msd_request_t *q)
{
    msd_session_t *s = &q->session;
    write_fn *write = choose_write(r, q);
    apr_status_t rv;

    if (!write) {
        return APR_SUCCESS;
    }
    if (q->begun && (write == create || write == renew)) {
        /* A server side include that comes late in its page. A row that nobody can find would be of no use. */
        s->answer.written = MSD_TOO_LATE;
        return APR_SUCCESS;
    }
    rv = msd_calls_check(&q->calls, &s->error);
    if (rv == APR_SUCCESS && s->conf->format == DDB_JSON && write != end) {
        /* In its own form mod_session has encoded the entries. */
        rv = msd_payload_encode(r, s);
    }
    if (rv == APR_SUCCESS) {
        rv = run(write, r, q);
    }
    if (rv == APR_NOTFOUND) {
        s->answer.written = MSD_GONE;
        s->answer.issue = NULL;
        s->stored.sid = NULL;
        return APR_SUCCESS;
    }
    return rv == APR_SUCCESS ? rv : msd_session_write_failed(s, rv);
}

apr_status_t msd_save_end(request_rec *r, msd_request_t *q)
{
    return run(end, r, q);
}
