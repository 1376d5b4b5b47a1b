/* Loading a session into a request; msd_save.c writes it. */

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "httpd/child/msd_metrics.h"
#include "httpd/child/msd_unknown_ids.h"
#include "httpd/conf/msd_config_check.h"
#include "httpd/msd_binding.h"
#include "httpd/msd_device.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_event.h"
#include "httpd/msd_limit.h"
#include "httpd/msd_load_int.h"
#include "httpd/msd_payload.h"
#include "httpd/msd_reads.h"
#include "httpd/msd_require_tls.h"

#define SIDS_MAX 2 /* the number of a request's IDs that are looked up at most */

/** 1 if the session has expired here, although its row has not: by the timeouts of this place, or by mod_session's own
 * rules: the expiry in the payload, or SessionMaxAge's, which follows from the row's times. The earliest counts. */
static int past_expiry(msd_session_t *s)
{
    apr_time_t end = s->max_age > 0 ? s->stored.accessed + apr_time_from_sec(s->max_age) : 0;
    const ddb_session_t here = msd_session_here(s, &s->stored);

    s->expiry = s->z->expiry;
    if (end && (!s->expiry || end < s->expiry)) {
        s->z->expiry = end;
    }
    return (s->z->expiry && s->z->expiry <= s->now) || ddb_store_expires(&here) <= apr_time_sec(s->now);
}

/** Why a session of which past_expiry is true is over. */
static ddb_over_e why_past(const msd_session_t *s)
{
    const ddb_session_t here = msd_session_here(s, &s->stored);

    if (s->expiry && s->expiry <= s->now) {
        return DDB_OVER_APPLICATION;
    }
    /* SessionMaxAge is an idle timeout. */
    return ddb_store_expires(&here) <= apr_time_sec(s->now) ? ddb_store_why_over(&here) : DDB_OVER_IDLE;
}

apr_status_t msd_load_accept(request_rec *r, msd_session_t *s, const ddb_session_t *row)
{
    apr_status_t rv = msd_payload_decode(r, s, s->z, row);

    s->stored = *row;
    if (rv != APR_SUCCESS) {
        msd_session_begin_new(s);
        return rv;
    }
    if (past_expiry(s)) {
        s->ids.over = why_past(s);
        msd_session_begin_new(s);
        s->ids.miss = DDB_MISS_OVER;
        return APR_NOTFOUND;
    }
    s->z->dirty = 0;
    s->loaded = msd_entries_copy(s->pool, s->z->entries);
    s->seen = apr_table_copy(s->pool, s->z->entries);
    s->outcome = MSD_LOADED;
    return APR_SUCCESS;
}

/**
 * The unknown session IDs, and the table key of sid in *key; NULL if they must not be used: an eventually consistent
 * read may miss an existing row, and without hashing the keys are the IDs themselves, which other programs may write.
 */
static const msd_unknown_ids_t *misses_for(const msd_session_t *s, const ddb_store_call_t *call, const char *sid,
                                           const char **key)
{
    const msd_unknown_ids_t *m = msd_config_server(s->server)->misses;

    return m && call->consistent && call->rules->hash
                   && ddb_sid_table_key(key, sid, call->rules, call->pool) == APR_SUCCESS
               ? m
               : NULL;
}

/** Why the ID of the row, just read, is unknown. */
static msd_unknown_ids_e reason_of(const ddb_session_t *row)
{
    if (row->miss == DDB_MISS_ABSENT) {
        return MSD_UNKNOWN_IDS_ABSENT;
    }
    return row->over == DDB_OVER_IDLE || row->over == DDB_OVER_ABSOLUTE ? MSD_UNKNOWN_IDS_EXPIRED
                                                                        : MSD_UNKNOWN_IDS_OVER;
}

/** Like ddb_store_load, but does not read the table again for a known unknown session ID. */
static apr_status_t look_up(const msd_load_t *w, const msd_calls_batch_t *batch, const char *sid, ddb_session_t *row,
                            const msd_reads_t *reads)
{
    ddb_store_call_t call = batch->call;
    const msd_unknown_ids_t *m = misses_for(w->s, &call, sid, &call.key);
    msd_unknown_ids_e known;
    apr_status_t rv;

    known = msd_unknown_ids_holds(m, call.key, batch->started, call.pool);
    if (known != MSD_UNKNOWN_IDS_NOTHING) {
        row->miss = known == MSD_UNKNOWN_IDS_ABSENT ? DDB_MISS_KNOWN : DDB_MISS_KNOWN_OVER;
        row->over = known == MSD_UNKNOWN_IDS_EXPIRED ? DDB_OVER_IDLE : DDB_OVER_MOVED; /* or the like: both stand for */
        return APR_NOTFOUND;
    }
    rv = ddb_store_load(w->q->calls.store, &call, sid, row);
    if (rv == APR_NOTFOUND && !reads->cached && (row->miss == DDB_MISS_ABSENT || row->miss == DDB_MISS_OVER)) {
        msd_unknown_ids_add(m, call.key, reason_of(row), batch->started, call.pool);
    }
    return rv;
}

static apr_status_t read_row(const msd_load_t *w, const char *sid, ddb_session_t *row, msd_reads_t *reads)
{
    msd_calls_batch_t batch;
    apr_status_t rv;

    memset(row, 0, sizeof(*row));
    msd_calls_begin(&w->q->calls, w->s, &batch);
    msd_reads_begin(reads, w->s->server, &batch.call);
    rv = look_up(w, &batch, sid, row, reads);
    msd_calls_end(&w->q->calls, &batch);
    return rv;
}

/** Read the row of an ID and open its session. */
static apr_status_t open_row(const msd_load_t *w, const char *sid, ddb_session_t *row)
{
    msd_reads_t reads = { .fresh = 0 };
    apr_status_t rv;

    do {
        rv = read_row(w, sid, row, &reads);
        w->s->ids.miss = row->miss;
        w->s->ids.over = row->over;
        rv = rv == APR_SUCCESS ? msd_load_accept(w->r, w->s, row) : rv;
    } while (rv != APR_SUCCESS && msd_reads_again(&reads));
    w->s->ids.cached = reads.cached;
    w->s->ids.shared = reads.shared;
    return rv;
}

apr_status_t msd_load_fail(msd_session_t *s, apr_status_t rv)
{
    msd_session_begin_new(s);
    s->outcome = MSD_FAILED;
    s->answer.failure = rv;
    return rv;
}

/** The result of looking up a request's IDs. */
typedef struct found_t {
    int live;
    ddb_session_t alive; /* the last live session */
    int replaced;        /* 1: an ID was replaced by a newer one */
    int limited;         /* 1: the client is over the limit of guesses: refused, if there is no live session */
    apr_status_t told;   /* DDB_EBADITEM: a row was malformed, which is worth a warning */
} found_t;

/** sid opened the session in row. An ID and the one that replaced it because of its age open the same one. */
static void opened_by(msd_session_t *s, const char *sid, const ddb_session_t *row, found_t *found)
{
    int again = found->live && strcmp(found->alive.sid, row->sid) == 0;

    if (!again || strcmp(sid, row->sid) == 0) {
        s->ids.opened = sid;
    }
    /* An ID that was replaced by age: tell the client, which does not seem to know the new one. */
    s->answer.issue = msd_session_has_own_id(s) ? NULL : row->sid;
    found->alive = *row;
    found->live += !again;
}

/** 1 if the rows are read consistently: as each call is, or those that fill the cache (msd_reads_begin). */
static int is_consistent(const msd_session_t *s)
{
    return s->conf->consistent_read || msd_config_server(s->server)->row_cache;
}

/** Read each ID's row, up to the first failure. An unknown ID is not a failure. */
static apr_status_t read_rows(const msd_load_t *w, const apr_array_header_t *sids, found_t *found)
{
    msd_session_t *s = w->s;
    ddb_session_t row;
    int i;

    for (i = 0; i < sids->nelts; i++) {
        apr_status_t rv = open_row(w, APR_ARRAY_IDX(sids, i, const char *), &row);

        found->replaced |= row.miss == DDB_MISS_MOVED || row.miss == DDB_MISS_LEFT || row.miss == DDB_MISS_REUSED;
        if (rv == APR_SUCCESS) {
            opened_by(s, APR_ARRAY_IDX(sids, i, const char *), &row, found);
        }
        else if (rv == DDB_EBADITEM) {
            found->told = rv;
        }
        else if (rv != APR_NOTFOUND) {
            return rv;
        }
        else {
            found->limited |= msd_limit_guess(w->r, s, APR_ARRAY_IDX(sids, i, const char *), is_consistent(s));
        }
    }
    return APR_SUCCESS;
}

/** Look up one or two IDs. If exactly one belongs to a live session, use it; if both do, use neither. */
static apr_status_t ask_store(const msd_load_t *w, const apr_array_header_t *sids)
{
    msd_session_t *s = w->s;
    found_t found = { .live = 0, .told = APR_SUCCESS };
    apr_status_t rv = msd_calls_check(&w->q->calls, &s->error);

    if (rv == APR_SUCCESS) {
        rv = read_rows(w, sids, &found);
    }
    if (rv != APR_SUCCESS) {
        msd_event_note(s, "failed", ddb_error_word(rv), APR_ARRAY_IDX(sids, 0, const char *), NULL);
        return msd_load_fail(s, rv);
    }
    if (found.live == 1 && s->outcome != MSD_LOADED) {
        /* The other ID was looked up after it, and has reset the session. */
        msd_load_accept(w->r, s, &found.alive);
    }
    else if (found.live > 1) {
        msd_session_begin_new(s);
        s->ids.ambiguous = 1;
        s->answer.issue = NULL;
        msd_event_note(s, "refused", "ambiguous", NULL, NULL);
    }
    else if (!found.live) {
        s->ids.replaced = found.replaced;
        s->ids.refused = ddb_sid_loggable(APR_ARRAY_IDX(sids, 0, const char *), s->pool);
        msd_session_count(s, DDB_COUNT_REFUSED);
        msd_event_note_refused(s, APR_ARRAY_IDX(sids, sids->nelts - 1, const char *)); /* ids.miss is this one's */
        if (found.limited) {
            s->outcome = MSD_LIMITED;
            msd_session_count(s, DDB_COUNT_LIMITED_GUESSES);
        }
    }
    return found.told;
}

/** 1 if sid is a duplicate, or can't be a valid ID here. */
static int adds_nothing(const apr_array_header_t *sids, const char *sid, const ddb_sid_rules_t *rules)
{
    return ddb_array_holds(sids, sid) || ddb_sid_check(sid, rules, sids->pool) == APR_NOTFOUND;
}

/**
 * A browser sends all cookies of a name that match the page, including those with other paths and domains: left from an
 * earlier configuration, from another application, from another host of the domain. Their order means nothing. Values
 * that can't be IDs are ignored. If two can, the table tells which one is live. With more, all are ignored: whoever
 * plants cookies must not be able to cause a read for each of them.
 */
static apr_status_t choose(const msd_load_t *w, const apr_array_header_t *came)
{
    apr_array_header_t *sids = apr_array_make(w->s->pool, SIDS_MAX + 1, sizeof(const char *));
    ddb_sid_rules_t rules;
    int i;

    msd_config_rules(&rules, w->s->conf);
    for (i = 0; i < came->nelts && sids->nelts <= SIDS_MAX; i++) {
        if (!adds_nothing(sids, APR_ARRAY_IDX(came, i, const char *), &rules)) {
            APR_ARRAY_PUSH(sids, const char *) = APR_ARRAY_IDX(came, i, const char *);
        }
    }
    if (sids->nelts > SIDS_MAX) {
        w->s->ids.ambiguous = 1;
        msd_event_note(w->s, "refused", "ambiguous", NULL, NULL);
        return APR_SUCCESS;
    }
    if (!sids->nelts) {
        /* Let the store refuse it, without a call, so that the refusal is logged. */
        APR_ARRAY_PUSH(sids, const char *) = APR_ARRAY_IDX(came, 0, const char *);
    }
    return ask_store(w, sids);
}

/** @return APR_SUCCESS if the settings are compatible; otherwise nothing may be loaded. */
static apr_status_t check(request_rec *r, msd_session_t *s)
{
    const char *problem = msd_config_check_dir(s->conf, NULL, s->pool);
    apr_status_t rv;

    if (!problem && s->header && strcasecmp(s->header, s->conf->control_header) == 0) {
        problem =
            "SessionDynamoDBControlHeader and SessionHeader name the same header: use another name for one of them";
    }
    rv = problem ? ddb_error_set(&s->error, DDB_ECONFIG, "%s", problem) : msd_payload_check(r, s);
    if (rv != APR_SUCCESS) {
        s->outcome = MSD_MISCONFIGURED;
    }
    return rv;
}

apr_status_t msd_load_begin(request_rec *r, msd_request_t *q, msd_session_t *s)
{
    apr_status_t rv;

    msd_session_begin(s, r);
    if (!q->calls.server) {
        msd_calls_init(&q->calls, r->server);
    }
    s->now = q->session.now ? q->session.now : ddb_clock_wall(q->calls.clock);
    rv = check(r, s);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    msd_request_take(r, q, s->conf);
    msd_session_begin_new(s);
    return APR_SUCCESS;
}

apr_status_t msd_load(request_rec *r, msd_request_t *q, msd_session_t *s)
{
    const msd_load_t w = { .r = r, .q = q, .s = s };
    const apr_array_header_t *came;
    apr_status_t rv = msd_load_begin(r, q, s);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    came = msd_request_came(q, s->conf);
    s->ids.count = came ? came->nelts : 0;
    if (msd_require_tls_bars(r)) {
        s->outcome = MSD_WITHOUT_TLS;
        return APR_SUCCESS;
    }
    msd_binding_look(r, s);
    if (msd_metrics_is_for(r)) {
        return APR_SUCCESS;
    }
    if (came) {
        /* A single value needs no choice: the store validates it. */
        rv = came->nelts == 1 ? ask_store(&w, came) : choose(&w, came);
        msd_binding_judge(r, s);
    }
    rv = s->conf->import ? msd_load_import(&w, rv) : rv;
    msd_device_judge(r, q, s);
    if (s->outcome == MSD_LOADED) {
        msd_session_count(s, DDB_COUNT_LOADED);
    }
    return rv;
}
