/* An old session, of another store of mod_session's, comes instead of one of ours. */

#include "httpd/msd_binding.h"
#include "httpd/msd_event.h"
#include "httpd/msd_identity.h"
#include "httpd/msd_import.h"
#include "httpd/msd_limit.h"
#include "httpd/msd_load_int.h"
#include "httpd/msd_save.h"

/** Count an old cookie that opens nothing as a guess, like an ID that opens nothing. What became of IDs is kept. */
static void refuse(const msd_load_t *w, const msd_import_t *old, ddb_miss_e miss)
{
    msd_session_t *s = w->s;
    const msd_session_ids_t ids = s->ids;

    msd_event_note(s, "refused", "import", old->sid, NULL);
    msd_session_count(s, DDB_COUNT_REFUSED);
    s->ids.miss = miss;
    if (msd_limit_guess(w->r, s, old->cookie, 1)) {
        s->outcome = MSD_LIMITED;
        msd_session_count(s, DDB_COUNT_LIMITED_GUESSES);
    }
    s->ids = ids;
}

/** Read what the old session's ID leads to: the session into which another request has imported it. It is never one of
 * the IDs that are known to be unknown, as this request may be about to use it. @return APR_NOTFOUND: *miss is why. */
static apr_status_t follow(const msd_load_t *w, const msd_import_t *old, ddb_miss_e *miss)
{
    ddb_session_t row = { .miss = DDB_MISS_NONE };
    msd_calls_batch_t batch;
    apr_status_t rv;

    msd_calls_begin(&w->q->calls, w->s, &batch);
    batch.call.consistent = 1;
    rv = ddb_store_load(w->q->calls.store, &batch.call, old->sid, &row);
    msd_calls_end(&w->q->calls, &batch);
    *miss = row.miss;
    rv = rv == APR_SUCCESS ? msd_load_accept(w->r, w->s, &row) : rv;
    rv = rv == DDB_EBADITEM ? APR_NOTFOUND : rv; /* as if it were over: nobody could read it */
    if (rv == APR_SUCCESS) {
        w->s->ids.opened = old->sid;
        w->s->answer.issue = row.sid;
        msd_binding_judge(w->r, w->s);
    }
    return rv;
}

static apr_status_t begin_with(const msd_load_t *w, const msd_import_t *old)
{
    msd_session_t *s = w->s;
    apr_status_t rv;

    msd_import_fill(s, old);
    msd_identity_judge(w->q, s);
    rv = msd_save_import(w->r, w->q, s, old->sid);
    if (rv != APR_SUCCESS || s->outcome != MSD_LOADED) {
        const msd_outcome_e outcome = s->outcome;

        msd_session_begin_new(s); /* error pages see nothing of it either */
        s->outcome = outcome;
    }
    return rv;
}

/** The old session is authentic, or its row is gone. */
static apr_status_t take_over(const msd_load_t *w, const msd_import_t *old)
{
    ddb_miss_e miss;
    apr_status_t rv = follow(w, old, &miss);

    if (rv == APR_NOTFOUND && miss == DDB_MISS_ABSENT && old->entries) {
        rv = begin_with(w, old);
        rv = rv == DDB_ECONFLICT ? follow(w, old, &miss) : rv;
    }
    if (rv == APR_NOTFOUND && miss == DDB_MISS_ABSENT && !old->entries) {
        refuse(w, old, miss);
    }
    else if (rv == APR_NOTFOUND && miss != DDB_MISS_ABSENT) {
        msd_event_note(w->s, "reused", "import", old->sid, NULL);
        w->s->ids.replaced = miss == DDB_MISS_MOVED || miss == DDB_MISS_LEFT;
    }
    if (rv == APR_SUCCESS && w->s->outcome == MSD_LOADED) {
        msd_import_taken(w->r, w->s, old);
    }
    return rv;
}

static apr_status_t import(const msd_load_t *w, const char *cookie)
{
    msd_session_t *s = w->s;
    msd_import_t old;
    apr_status_t rv = msd_calls_check(&w->q->calls, &s->error);

    rv = rv == APR_SUCCESS ? msd_import_read(w->r, s, cookie, &old) : rv;
    if (rv == DDB_ECONFIG && w->q->calls.store) {
        s->outcome = MSD_MISCONFIGURED;
        return rv;
    }
    if (rv == APR_SUCCESS && old.is_forged) {
        refuse(w, &old, DDB_MISS_FORM);
        return rv; /* the cookie stays: the passphrase may be wrong */
    }
    if (rv == APR_SUCCESS && !old.is_over) {
        rv = take_over(w, &old);
    }
    s->answer.end_old = (rv == APR_SUCCESS || rv == APR_NOTFOUND) && s->outcome <= MSD_LOADED;
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t msd_load_import(const msd_load_t *w, apr_status_t rv)
{
    msd_session_t *s = w->s;
    const apr_array_header_t *came = msd_request_came_old(w->q, s->conf);
    apr_status_t imported;

    if (!came || s->outcome > MSD_LOADED) {
        return rv;
    }
    /* Beside a live session it would be a way back after a logout. */
    s->answer.end_old = s->outcome == MSD_LOADED || s->now >= s->conf->import->until;
    if (s->answer.end_old || came->nelts > 1 || s->ids.replaced || s->ids.ambiguous || w->q->begun) {
        return rv;
    }
    s->importing = 1;
    imported = import(w, APR_ARRAY_IDX(came, 0, const char *));
    if (imported == APR_SUCCESS) {
        s->importing = 0;
        return rv;
    }
    if (s->outcome != MSD_MISCONFIGURED) {
        msd_event_note(s, "failed", ddb_error_word(imported), NULL, NULL);
        msd_load_fail(s, imported);
    }
    return imported;
}
