/* The session of one place: its state, its times, its loggable ID. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "httpd/child/msd_unknown_ids.h"
#include "httpd/msd_session.h"

const session_dir_conf *msd_session_conf(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &session_module);
}

static const apr_array_header_t *copy_names(const apr_array_header_t *names, apr_pool_t *p)
{
    apr_array_header_t *copy = apr_array_make(p, names->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < names->nelts; i++) {
        APR_ARRAY_PUSH(copy, const char *) = apr_pstrdup(p, APR_ARRAY_IDX(names, i, const char *));
    }
    return copy;
}

void msd_session_begin(msd_session_t *s, request_rec *r)
{
    s->conf = msd_config_dir(r, s->pool);
    s->server = r->server;
    s->max_age = msd_session_conf(r)->maxage;
    s->header = msd_session_conf(r)->header;
    if (!r->main) {
        s->loader = r;
        s->merged = msd_config_merged(r);
        return;
    }
    /* These may come from a .htaccess file, which lives as long as r. */
    s->header = apr_pstrdup(s->pool, s->header);
    s->conf->mask = s->conf->mask ? copy_names(s->conf->mask, s->pool) : NULL;
}

void msd_session_adopt(msd_session_t *s, request_rec *r)
{
    s->loader = r;
    s->merged = msd_config_merged(r);
    s->header = msd_session_conf(r)->header;
    s->conf->mask = msd_config_dir(r, s->pool)->mask;
}

int msd_session_usable(const msd_session_t *s)
{
    return s->z && (s->outcome == MSD_NEW || s->outcome == MSD_LOADED);
}

int msd_session_dirty(const msd_session_t *s)
{
    return s->z->dirty && !(s->z->expiry && s->z->expiry < apr_time_now());
}

int msd_session_unsaved(const msd_session_t *s)
{
    return msd_session_usable(s) && !s->z->written && s->answer.written == MSD_NOTHING && msd_session_dirty(s);
}

static void blank(msd_session_t *s)
{
    if (!s->z) {
        s->z = apr_palloc(s->pool, sizeof(*s->z));
    }
    memset(s->z, 0, sizeof(*s->z));
    s->z->pool = s->pool;
    s->z->entries = apr_table_make(s->pool, 10);
    s->z->uuid = apr_pcalloc(s->pool, sizeof(*s->z->uuid));
    s->loaded = s->seen = apr_table_make(s->pool, 1); /* nothing is ever added to either */
    s->members = NULL;
    s->expiry = 0;
    memset(&s->stored, 0, sizeof(s->stored));
}

void msd_session_timeouts(const msd_session_t *s, ddb_session_t *row)
{
    row->idle_timeout = s->conf->idle_timeout;
    row->absolute_timeout = s->conf->absolute_timeout;
    if (s->max_age > 0 && s->max_age < row->idle_timeout) {
        row->idle_timeout = s->max_age;
    }
}

void msd_session_begin_new(msd_session_t *s)
{
    blank(s);
    s->outcome = MSD_NEW;
    msd_session_timeouts(s, &s->stored);
}

void msd_session_withdraw(msd_session_t *s)
{
    s->ids.refused = msd_session_loggable_id(s);
    s->ids.miss = DDB_MISS_BOUND;
    s->answer.issue = NULL;
    msd_session_begin_new(s);
    msd_session_count(s, DDB_COUNT_REFUSED);
}

void msd_session_renew(msd_session_t *s)
{
    s->answer.renew = 1;
    if (s->stored.sid) {
        s->z->dirty = 1; /* mod_session saves only dirty sessions */
    }
}

void msd_session_begin_anew(msd_session_t *s)
{
    s->answer.anew = 1;
    msd_session_renew(s);
}

void msd_session_abandon(msd_session_t *s)
{
    s->answer.abandon = 1;
    apr_table_clear(s->z->entries);
    s->z->dirty = 1;
}

void msd_session_revoke(msd_session_t *s, msd_revoke_e what)
{
    s->answer.revoke = what;
    if (what == MSD_REVOKE_ALL) {
        msd_session_abandon(s);
    }
    s->z->dirty = 1;
}

void msd_session_set_timeouts(msd_session_t *s, apr_int64_t idle, apr_int64_t absolute)
{
    if (s->stored.sid && s->stored.timeouts_set && s->stored.idle_timeout == idle
        && s->stored.absolute_timeout == absolute) {
        return; /* a program that says so with each response costs no writes */
    }
    s->stored.idle_timeout = idle;
    s->stored.absolute_timeout = absolute;
    s->stored.timeouts_set = 1;
    s->answer.timeouts_changed = 1;
    s->z->dirty = 1;
}

int msd_session_is_denied(const msd_session_t *s)
{
    return s->answer.written >= MSD_REFUSED;
}

int msd_session_begins_empty(const msd_session_t *s)
{
    return s->answer.anew || s->answer.identity == MSD_USER_CHANGED
           || (s->answer.identity == MSD_LOGIN && s->conf->login == MSD_LOGIN_DROP);
}

int msd_session_has_own_id(const msd_session_t *s)
{
    return s->stored.sid && s->ids.opened && strcmp(s->ids.opened, s->stored.sid) == 0;
}

int msd_session_is_first_seen(const msd_session_t *s)
{
    return s->outcome == MSD_LOADED && s->stored.issued && !s->stored.seen && !s->is_passive
           && msd_session_has_own_id(s);
}

int msd_session_renewal_due(const msd_session_t *s)
{
    /* From its first use: the ID before it is accepted until then, and for the grace, which is shorter. */
    apr_int64_t since = s->stored.issued ? s->stored.seen : apr_time_sec(s->stored.created);

    if (!s->binding_changed
        && (s->conf->renew_interval <= 0 || since + s->conf->renew_interval > apr_time_sec(s->now))) {
        return 0;
    }
    return s->outcome == MSD_LOADED && msd_session_has_own_id(s) && (!s->stored.issued || s->stored.seen)
           && (s->answer.written == MSD_NOTHING || s->answer.written == MSD_STORED)
           /* Earlier versions mark one user, without a key that could move along. */
           && !(s->stored.user_mark && !s->stored.user_marks);
}

apr_status_t msd_session_write_failed(msd_session_t *s, apr_status_t rv)
{
    s->answer.written = MSD_WRITE_FAILED;
    s->answer.failure = rv;
    return rv;
}

void msd_session_keep(msd_session_t *s)
{
    apr_time_t now = apr_time_now();

    if (s->z->expiry && s->z->expiry <= now && s->z->expiry > s->now) {
        s->z->expiry = now + apr_time_from_sec(1);
        s->expiry = s->max_age > 0 ? s->expiry : s->z->expiry;
    }
}

int msd_session_touch_due(const msd_session_t *s, apr_interval_time_t *interval)
{
    apr_int64_t idle;

    if (s->outcome != MSD_LOADED || s->answer.written != MSD_NOTHING || !s->stored.sid || s->is_passive) {
        return 0;
    }
    idle = msd_session_here(s, &s->stored).idle_timeout;
    if (s->max_age > 0 && s->max_age < idle) {
        idle = s->max_age;
    }
    /* Activity within the interval is not recorded, so a session may expire early by as much. A tenth is the limit. */
    *interval = s->conf->touch_interval * 10 < idle ? apr_time_from_sec(s->conf->touch_interval)
                                                    : apr_time_from_sec(idle) / 10;
    return s->stored.accessed + *interval <= s->now;
}

ddb_session_t msd_session_here(const msd_session_t *s, const ddb_session_t *row)
{
    ddb_session_t here = *row, place;

    msd_session_timeouts(s, &place);
    if (!row->timeouts_set && s->conf->format == DDB_FORM) {
        here.idle_timeout = place.idle_timeout < row->idle_timeout ? place.idle_timeout : row->idle_timeout;
        here.absolute_timeout = place.absolute_timeout < row->absolute_timeout ? place.absolute_timeout
                                                                               : row->absolute_timeout;
    }
    return here;
}

apr_int64_t msd_session_expires(const msd_session_t *s)
{
    ddb_session_t here;

    if (!s->stored.sid) {
        return 0;
    }
    here = msd_session_here(s, &s->stored);
    return ddb_store_expires(&here);
}

apr_int64_t msd_session_next_end(const msd_session_t *s)
{
    ddb_session_t next = s->stored;

    next.accessed = s->now;
    return ddb_store_expires(&next);
}

const char *msd_session_loggable_id(msd_session_t *s)
{
    if (!s->stored.sid) {
        return NULL;
    }
    if (!s->stored.loggable) {
        s->stored.loggable = ddb_sid_loggable(s->stored.sid, s->pool);
    }
    return s->stored.loggable;
}

void msd_session_count(const msd_session_t *s, ddb_counted_e what)
{
    ddb_count_add(msd_config_server(s->server)->count, what, 1);
}

void msd_session_lives(const msd_session_t *s)
{
    msd_unknown_ids_forget(msd_config_server(s->server)->misses, s->stored.key, ddb_clock_monotonic(&ddb_clock_system),
                           s->pool);
}
