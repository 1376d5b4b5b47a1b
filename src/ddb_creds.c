/* What the chain found: the snapshot that requests copy, who asks the chain anew, and when. */

#include <string.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "ddb_creds_int.h"
#include "ddb_creds_reply.h"
#include "ddb_crypto.h"

#define RENEW_MIN     apr_time_from_sec(2)       /* between two askings because of a refusal */
#define ADVISORY      apr_time_from_sec(15 * 60) /* before the end: others are worth asking for */
#define MANDATORY     apr_time_from_sec(10 * 60) /* before the end: they are needed soon */
#define RETRY_LATE    apr_time_from_sec(10)      /* after a failure, in the mandatory window */
#define RETRY_EARLY   apr_time_from_sec(60)      /* before it */
#define FILES_EVERY   apr_time_from_sec(5)       /* how often it is looked whether files have changed */
#define STEP_MIN      apr_time_from_msec(200)
#define STEP_IDLE     apr_time_from_sec(2)       /* till it is looked whether a request has asked for the first time */

struct ddb_creds_t {
    ddb_creds_opts_t o;
    ddb_credentials_t fixed;     /* what o.fixed points to, if it does */

    apr_thread_mutex_t *asking;  /* held while providers are asked, which may take seconds; over the next six */
    ddb_creds_chain_t chain;
    apr_pool_t *spare;           /* what the next answer is put into */
    apr_time_t files_seen;       /* monotonic, when the files were looked at */
    apr_uint64_t files;          /* what they looked like when the chain was asked */
    apr_status_t failure;        /* of the last answer */
    ddb_error_t why;             /* of it */

    apr_thread_mutex_t *mutex;   /* never held for long; over what follows */
    apr_pool_t *pool;            /* of found and nothing else; wiped when cleared */
    int have;
    ddb_credentials_t found;
    apr_uint32_t answers;        /* how often the chain was asked */
    apr_time_t due;              /* wall time from when others are asked for; 0: never */
    apr_time_t renewed;          /* when they were last called stale, monotonic; 0: never */
};

static apr_time_t wall(const ddb_creds_t *c)
{
    return c->o.clock->wall(c->o.clock->baton);
}

static apr_time_t monotonic(const ddb_creds_t *c)
{
    return c->o.clock->monotonic(c->o.clock->baton);
}

/* Its own allocator: such a pool is filled under one of our mutexes, while others may be using p and its allocator. */
static apr_status_t create_pool(apr_pool_t **pool, apr_pool_t *p)
{
    apr_allocator_t *allocator;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_pool_create_ex(pool, p, NULL, allocator);
    if (rv == APR_SUCCESS) {
        apr_allocator_owner_set(allocator, *pool);
    } else {
        apr_allocator_destroy(allocator);
    }
    return rv;
}

static apr_status_t prepare_providers(ddb_creds_t *c, apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i, n = 0;

    c->chain.providers = ddb_creds_all;
    while (ddb_creds_all[n]) {
        n++;
    }
    c->chain.states = apr_pcalloc(p, n * sizeof(*c->chain.states));
    for (i = 0; rv == APR_SUCCESS && i < n; i++) {
        rv = ddb_creds_all[i]->prepare ? ddb_creds_all[i]->prepare(&c->chain.states[i], p) : APR_SUCCESS;
    }
    return rv;
}

apr_status_t ddb_creds_create(ddb_creds_t **pc, const ddb_creds_opts_t *o, apr_pool_t *p)
{
    ddb_creds_t *c = apr_pcalloc(p, sizeof(*c));
    apr_pool_t *kept = NULL;
    apr_status_t rv;

    *pc = NULL;
    c->o = *o;
    if (o->fixed) {
        c->fixed = *o->fixed;
        c->o.fixed = &c->fixed;
    }
    rv = apr_thread_mutex_create(&c->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&c->asking, APR_THREAD_MUTEX_DEFAULT, p);
    }
    if (rv == APR_SUCCESS) {
        rv = create_pool(&c->pool, p);
    }
    if (rv == APR_SUCCESS) {
        rv = create_pool(&c->spare, p);
    }
    if (rv == APR_SUCCESS) {
        rv = create_pool(&kept, p);
    }
    if (rv == APR_SUCCESS) {
        rv = prepare_providers(c, kept);
    }
    *pc = rv == APR_SUCCESS ? c : NULL;
    return rv;
}

/* --- when --- */

/* Some number from 0 to most, another one in each child: those who began together must not come back together. */
static apr_interval_time_t draw(const ddb_creds_t *c, apr_interval_time_t most)
{
    apr_uint32_t number = 0;

    (c->o.random ? c->o.random : ddb_crypto_random)(&number, sizeof(number));
    return most > 0 ? (apr_interval_time_t)(number / 4294967296.0 * most) : 0;
}

static apr_interval_time_t least(apr_interval_time_t a, apr_interval_time_t b)
{
    return a < b ? a : b;
}

/* Between the beginnings of the two windows. Of keys that live for less than half an hour the windows are shares of
 * that life: else they would be asked for all the time. */
static apr_time_t due_after_success(const ddb_creds_t *c, apr_time_t now)
{
    apr_interval_time_t life = c->found.expires - now;
    apr_interval_time_t advisory = least(ADVISORY, life / 2), mandatory = least(MANDATORY, life / 3);

    return c->found.expires ? c->found.expires - advisory + draw(c, advisory - mandatory) : 0;
}

static apr_time_t due_after_failure(const ddb_creds_t *c, apr_time_t now)
{
    apr_interval_time_t left = c->found.expires ? c->found.expires - now : ADVISORY;
    apr_interval_time_t wait = left > MANDATORY ? RETRY_EARLY : RETRY_LATE;

    wait = left > 0 ? least(wait, left / 4) : wait;
    return now + (wait > STEP_MIN ? wait / 2 + draw(c, wait) : STEP_MIN);
}

static int is_usable(const ddb_creds_t *c)
{
    return c->have && (!c->found.expires || wall(c) < c->found.expires);
}

/* --- asking --- */

/* What was found becomes what is kept; after a failure what is kept stays. */
static void publish(ddb_creds_t *c, const ddb_credentials_t *found)
{
    apr_pool_t *old = c->pool;

    apr_thread_mutex_lock(c->mutex);
    c->answers++;
    if (c->failure == APR_SUCCESS) {
        c->found = *found;
        c->have = 1;
        c->pool = c->spare;
        c->spare = old;
        c->due = due_after_success(c, wall(c));
    } else {
        c->due = due_after_failure(c, wall(c));
    }
    apr_thread_mutex_unlock(c->mutex);
    /* Nobody looks at them any more: requests have copies. */
    apr_pool_clear(c->spare);
}

/* Under c->asking alone: requests go on copying what is kept. */
static void ask_chain(ddb_creds_t *c)
{
    ddb_credentials_t found = { .expires = 0 };
    ddb_error_t why = { 0 };

    /* Before they are read: a change in between is noticed then. */
    c->files = ddb_profile_stamp(&c->o.profile, c->spare);
    c->files_seen = monotonic(c);
    c->failure = ddb_creds_ask(&c->chain, &c->o, c->spare, &found, &why);
    if (c->failure == APR_NOTFOUND) {
        c->failure = ddb_error_set(&c->why, DDB_ENOCREDS, "no credentials: %s", why.detail);
    } else {
        c->why = why;
    }
    publish(c, &found);
}

/* --- those who want them --- */

static void copy(ddb_credentials_t *out, const ddb_credentials_t *in, apr_pool_t *p)
{
    out->access_key_id = apr_pstrdup(p, in->access_key_id);
    out->secret_access_key = ddb_crypto_secret_dup(p, in->secret_access_key);
    out->session_token = ddb_crypto_secret_dup(p, in->session_token);
    out->expires = in->expires;
    out->account_id = apr_pstrdup(p, in->account_id);
    out->provider = in->provider;
}

/* 1 when what is kept could be used. */
static int copy_kept(ddb_creds_t *c, ddb_credentials_t *out, apr_pool_t *p, apr_uint32_t *answers)
{
    int usable;

    apr_thread_mutex_lock(c->mutex);
    *answers = c->answers;
    usable = is_usable(c);
    if (usable) {
        copy(out, &c->found, p);
    }
    apr_thread_mutex_unlock(c->mutex);
    return usable;
}

apr_status_t ddb_creds_get(ddb_creds_t *c, apr_pool_t *p, ddb_credentials_t *out, ddb_error_t *err)
{
    apr_uint32_t before, now;
    apr_status_t rv = APR_SUCCESS;

    if (c->o.fixed) {
        copy(out, c->o.fixed, p);
        return APR_SUCCESS;
    }
    if (copy_kept(c, out, p, &before)) {
        return APR_SUCCESS;
    }
    apr_thread_mutex_lock(c->asking);
    if (!copy_kept(c, out, p, &now)) {
        /* Who waited for somebody else's asking has the same answer, a failure too: one after the other would wait for
         * a provider that does not answer. */
        if (now == before || c->failure == APR_SUCCESS) {
            ask_chain(c);
        }
        rv = c->failure;
        if (rv == APR_SUCCESS) {
            copy(out, &c->found, p); /* only changed under c->asking */
        } else {
            ddb_error_set(err, rv, "%s", c->why.detail);
        }
    }
    apr_thread_mutex_unlock(c->asking);
    return rv;
}

void ddb_creds_renew(ddb_creds_t *c, const char *access_key_id)
{
    apr_time_t now = monotonic(c);

    if (c->o.fixed) {
        return;
    }
    apr_thread_mutex_lock(c->mutex);
    if (c->have && strcmp(c->found.access_key_id, access_key_id) == 0
        && (!c->renewed || now - c->renewed >= RENEW_MIN)) {
        c->have = 0;
        c->renewed = now;
    }
    apr_thread_mutex_unlock(c->mutex);
}

/* --- the one who asks before they want them --- */

static int have_files_changed(ddb_creds_t *c)
{
    apr_time_t now = monotonic(c);

    if (now - c->files_seen < FILES_EVERY) {
        return 0;
    }
    c->files_seen = now;
    return ddb_profile_stamp(&c->o.profile, c->spare) != c->files;
}

static void look(ddb_creds_t *c, int *have, apr_time_t *due)
{
    apr_thread_mutex_lock(c->mutex);
    *have = c->have;
    *due = c->due;
    apr_thread_mutex_unlock(c->mutex);
}

static apr_interval_time_t time_to_next(ddb_creds_t *c)
{
    apr_interval_time_t wait = FILES_EVERY;
    apr_time_t due;
    int have;

    look(c, &have, &due);
    if (!have) {
        return STEP_IDLE;
    }
    wait = due ? least(wait, due - wall(c)) : wait;
    return wait > STEP_MIN ? wait : STEP_MIN;
}

apr_status_t ddb_creds_refresh(ddb_creds_t *c, apr_interval_time_t *next, ddb_error_t *err)
{
    apr_status_t rv = APR_SUCCESS;
    apr_time_t due;
    int have;

    *next = FILES_EVERY;
    /* A request that asks does the same. */
    if (c->o.fixed || apr_thread_mutex_trylock(c->asking) != APR_SUCCESS) {
        return APR_SUCCESS;
    }
    look(c, &have, &due);
    if (have && ((due && wall(c) >= due) || have_files_changed(c))) {
        ask_chain(c);
        rv = c->failure == APR_SUCCESS ? APR_SUCCESS : ddb_error_set(err, c->failure, "%s", c->why.detail);
    }
    *next = time_to_next(c);
    apr_pool_clear(c->spare);
    apr_thread_mutex_unlock(c->asking);
    return rv;
}
