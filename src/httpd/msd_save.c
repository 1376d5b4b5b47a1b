/* Which write a request's changes ask for, and how it is done against other writers. */

#include <apr_strings.h>

#include "httpd/child/msd_child.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_payload.h"
#include "httpd/msd_save.h"

#define MERGES_MAX 100 /* of one request; more writers of one session at once are a table that lies */

static void set_payload(msd_request_t *q, ddb_session_t *s)
{
    s->data = q->z->encoded ? q->z->encoded : "";
    s->data_len = strlen(s->data);
}

/** 1 when the application set an end of its own. With SessionMaxAge the end follows from the row's times instead, and a
 * JSON object has no place for it. */
static int expiry_changed(const msd_request_t *q)
{
    return q->conf->format == DDB_FORM && q->z->maxage <= 0 && q->z->expiry != q->expiry;
}

/** Another request changed the row: q's entries become the merge of both changes, against the row as it is now. */
static apr_status_t merge(request_rec *r, msd_request_t *q, const ddb_session_t *current)
{
    apr_pool_t *p = q->top->pool;
    session_rec theirs;
    apr_table_t *merged;
    apr_status_t rv;

    memset(&theirs, 0, sizeof(theirs));
    theirs.pool = p;
    theirs.entries = apr_table_make(p, 10);
    if (q->merges == MERGES_MAX) {
        return ddb_error_set(&q->error, DDB_EUNAVAILABLE,
                             "gave up after %d attempts, because other requests kept changing the session: find out "
                             "what changes it so often",
                             MERGES_MAX);
    }
    q->merges++;
    rv = msd_payload_decode(r, q, &theirs, current);
    if (rv == DDB_ETOOLARGE) {
        return rv; /* which says what to do about it */
    }
    if (rv != APR_SUCCESS) {
        return ddb_error_set(&q->error, rv, "the data that another request stored meanwhile can't be decoded");
    }
    msd_request_count(q, DDB_COUNT_MERGED);
    merged = msd_entries_merge(p, q->loaded, q->z->entries, theirs.entries);
    q->loaded = msd_entries_copy(p, theirs.entries);
    if (!expiry_changed(q)) {
        q->z->expiry = theirs.expiry;
    }
    q->expiry = theirs.expiry;
    /* The table's address is known to handlers: its content changes, not the table. */
    apr_table_clear(q->z->entries);
    apr_table_overlap(q->z->entries, merged, APR_OVERLAP_TABLES_SET);
    return msd_payload_encode(r, q);
}

static void stored(msd_request_t *q, const ddb_session_t *s)
{
    q->session = *s;
    q->loaded = msd_entries_copy(q->top->pool, q->z->entries);
    q->expiry = q->z->expiry;
    q->renew = 0;
    q->timeouts_changed = 0;
    q->written = MSD_STORED;
    msd_request_lives(q);
}

static apr_status_t create(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    ddb_session_t s = q->session;
    const char *undisclosed = NULL;
    apr_status_t rv;

    set_payload(q, &s);
    s.created = q->now;
    s.user = msd_request_user(r, q);
    rv = ddb_store_insert(q->store, call, &s, &undisclosed);
    if (rv == APR_SUCCESS) {
        stored(q, &s);
        msd_request_count(q, DDB_COUNT_CREATED);
        q->issue = s.sid;
    }
    else if (undisclosed) {
        msd_child_remove_later(r->server, undisclosed);
    }
    return rv;
}

/** Only the timeouts that this request changed are ours to write; the others follow the row. */
static void rebase(const msd_request_t *q, ddb_session_t *s, const ddb_session_t *current)
{
    ddb_session_t ours = *s;

    *s = *current;
    s->data = ours.data;
    s->data_len = ours.data_len;
    s->user = ours.user;
    if (q->timeouts_changed) {
        s->idle_timeout = ours.idle_timeout;
        s->absolute_timeout = ours.absolute_timeout;
    }
}

static apr_status_t change(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    ddb_session_t s = q->session, current;
    int left = msd_request_user_left(r, q);
    apr_status_t rv;

    /* Each round that is lost was won by another request, which then is done. */
    for (;;) {
        set_payload(q, &s);
        s.user = NULL;
        if (left) {
            /* Who logs in next, be it the same user, gets a new ID. */
            s.user_mark = NULL;
        }
        memset(&current, 0, sizeof(current));
        rv = ddb_store_save(q->store, call, &s, &current);
        if (rv != DDB_ECONFLICT) {
            break;
        }
        rv = merge(r, q, &current);
        if (rv != APR_SUCCESS) {
            break;
        }
        rebase(q, &s, &current);
    }
    if (rv == APR_SUCCESS) {
        stored(q, &s);
        /* The date in a persistent cookie has to follow the session's end. */
        q->issue = q->conf->cookie_persistent ? s.sid : q->issue;
    }
    return rv;
}

/** Take a row away that is no session's (any more); later, if it can't be done now. */
static void take_away(msd_request_t *q, const ddb_store_call_t *call, const char *key)
{
    ddb_error_t ignored = { 0 };
    ddb_store_call_t quiet = *call;

    quiet.err = &ignored; /* what has to be reported is the failure that made this necessary */
    if (ddb_store_remove(q->store, &quiet, key) != APR_SUCCESS) {
        msd_child_remove_later(q->loader->server, key);
    }
}

/** End the old session, bringing what others changed in it meanwhile into the new one first. */
static apr_status_t end_old(request_rec *r, msd_request_t *q, const ddb_store_call_t *call, ddb_session_t *fresh)
{
    ddb_session_t old = q->session, current, unused;
    apr_status_t rv;

    for (;;) {
        memset(&current, 0, sizeof(current));
        rv = ddb_store_replace(q->store, call, &old, &current);
        if (rv != DDB_ECONFLICT) {
            return rv;
        }
        rv = merge(r, q, &current);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        set_payload(q, fresh);
        fresh->user = NULL;
        if (!q->timeouts_changed) {
            fresh->idle_timeout = current.idle_timeout;
            fresh->absolute_timeout = current.absolute_timeout;
        }
        rv = ddb_store_save(q->store, call, fresh, &unused);
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
static apr_status_t renew(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    ddb_session_t fresh = q->session;
    const char *undisclosed = NULL;
    apr_status_t rv;

    set_payload(q, &fresh);
    fresh.user = msd_request_user(r, q);
    rv = ddb_store_insert(q->store, call, &fresh, &undisclosed);
    if (rv != APR_SUCCESS) {
        if (undisclosed) {
            msd_child_remove_later(r->server, undisclosed);
        }
        return rv;
    }
    rv = end_old(r, q, call, &fresh);
    take_away(q, call, rv == APR_SUCCESS ? q->session.key : fresh.key);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    stored(q, &fresh);
    msd_request_count(q, DDB_COUNT_RENEWED);
    q->issue = fresh.sid;
    return rv;
}

static apr_status_t end(msd_request_t *q, const ddb_store_call_t *call)
{
    apr_status_t rv = ddb_store_remove(q->store, call, q->session.key);

    if (rv == APR_SUCCESS) {
        msd_request_begin_new(q);
        msd_request_count(q, DDB_COUNT_ENDED);
        q->written = MSD_ENDED;
        q->issue = NULL;
        q->end_id = 1;
    }
    return rv;
}

/** Which write the entries ask for; NULL for none. */
typedef apr_status_t write_fn(request_rec *r, msd_request_t *q, const ddb_store_call_t *call);

static apr_status_t end_emptied(request_rec *r, msd_request_t *q, const ddb_store_call_t *call)
{
    (void)r;
    return end(q, call);
}

static write_fn *choose_write(request_rec *r, msd_request_t *q)
{
    int empty = msd_payload_empty(q);

    if (!q->session.sid) {
        return empty || !q->z->dirty ? NULL : create;
    }
    if (empty && q->z->dirty) {
        return end_emptied;
    }
    if (q->renew || msd_request_user_changed(r, q)) {
        return renew;
    }
    if (q->timeouts_changed || expiry_changed(q)) {
        return change;
    }
    /* With SessionMaxAge mod_session brings every session here, changed or not. */
    return q->z->dirty && !msd_entries_equal(q->top->pool, q->z->entries, q->loaded) ? change : NULL;
}

static apr_status_t fail(msd_request_t *q, apr_status_t rv)
{
    q->written = MSD_WRITE_FAILED;
    q->failure = rv;
    return rv;
}

apr_status_t msd_save(request_rec *r, msd_request_t *q)
{
    write_fn *write = choose_write(r, q);
    ddb_store_call_t call;
    ddb_sid_rules_t rules;
    apr_time_t started;
    apr_status_t rv;

    if (!write) {
        return APR_SUCCESS;
    }
    if (q->begun && (write == create || write == renew)) {
        /* A server side include that comes late in its page. A row that nobody can find would be of no use. */
        q->written = MSD_TOO_LATE;
        return APR_SUCCESS;
    }
    if (!q->store) {
        return fail(
            q,
            ddb_error_set(
                &q->error, DDB_ECONFIG,
                "the session store is not available: see the earlier lines of the log, or run apachectl configtest"));
    }
    /* In its own form mod_session has encoded the entries. */
    rv = q->conf->format == DDB_JSON && write != end_emptied ? msd_payload_encode(r, q) : APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        started = msd_request_call_begin(q, &call, &rules);
        rv = write(r, q, &call);
        msd_request_call_end(q, started);
    }
    if (rv == APR_NOTFOUND) {
        q->written = MSD_GONE;
        q->issue = NULL;
        q->session.sid = NULL;
        return APR_SUCCESS;
    }
    return rv == APR_SUCCESS ? rv : fail(q, rv);
}

apr_status_t msd_save_end(msd_request_t *q)
{
    ddb_store_call_t call;
    ddb_sid_rules_t rules;
    apr_time_t started = msd_request_call_begin(q, &call, &rules);
    apr_status_t rv = end(q, &call);

    msd_request_call_end(q, started);
    return rv;
}
