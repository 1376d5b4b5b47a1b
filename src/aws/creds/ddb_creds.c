/* The cached credentials: the snapshot that requests copy, and when the chain is asked again, by which thread. */

#include <string.h>

#include <apr_allocator.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "aws/creds/ddb_creds_int.h"
#include "aws/creds/ddb_creds_reply.h"
#include "base/ddb_crypto.h"

#define RENEW_MIN   apr_time_from_sec(2)       /* between two askings because of a refusal */
#define ADVISORY    apr_time_from_sec(15 * 60) /* before expiry: try to get new ones */
#define MANDATORY   apr_time_from_sec(10 * 60) /* before the end: they are needed soon */
#define RETRY_LATE  apr_time_from_sec(10)      /* after a failure, in the mandatory window */
#define RETRY_EARLY apr_time_from_sec(60)      /* before it */
#define FILES_EVERY apr_time_from_sec(5)       /* how often the files are checked for changes */
#define STEP_MIN    apr_time_from_msec(200)

struct ddb_creds_t {
    ddb_creds_opts_t o;
    ddb_credentials_t fixed; /* what o.fixed points to, if it does */

    /* Used only by the thread that asks. */
    ddb_creds_chain_t chain;
    volatile apr_uint32_t asked; /* the index of the provider being asked */
    apr_pool_t *spare;           /* receives the next answer */
    apr_time_t files_seen;       /* monotonic, when the files were looked at */
    apr_uint64_t files;          /* what they looked like when the chain was asked */

    apr_thread_mutex_t *mutex;   /* guards the rest; never held while a provider is asked */
    apr_thread_cond_t *answered; /* for threads that wait for an answer */
    apr_thread_cond_t *wanted;   /* for the thread that refreshes */
    int soon;                    /* 1: ask although no request waits */
    int asking;                  /* 1: a thread is asking the chain */
    int waiting;                 /* number of threads that wait for the next answer */
    int told;                    /* 1: a thread waited for the last answer */
    apr_time_t began;            /* monotonic, start of the request to the chain; 0: no request */
    apr_pool_t *pool;            /* of found and nothing else; wiped when cleared */
    int have;
    ddb_credentials_t found;
    apr_uint32_t generation; /* of found */
    apr_uint32_t answers;    /* how often the chain was asked */
    apr_status_t failure;    /* of the last answer */
    ddb_error_t why;         /* of it */
    apr_time_t due;          /* wall time from which new ones are requested; 0: never */
    apr_time_t renewed;      /* when they were last called stale, monotonic; 0: never */
};

/* Its own allocator: the pool is filled under our mutex, while other threads may be using p and its allocator. */
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
    }
    else {
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
    c->chain.asked = &c->asked;
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
        c->fixed.generation = 1;
        c->o.fixed = &c->fixed;
    }
    rv = apr_thread_mutex_create(&c->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&c->answered, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&c->wanted, p);
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

/* A number from 0 to most, different in each child process: children that started together must not ask together. */
static apr_interval_time_t draw(const ddb_creds_t *c, apr_interval_time_t most)
{
    apr_uint32_t number = 0;

    (c->o.random ? c->o.random : ddb_crypto_random)(&number, sizeof(number));
    return most > 0 ? (apr_interval_time_t)(number / 4294967296.0 * (double)most) : 0;
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
    apr_interval_time_t left = !c->have ? 0 : c->found.expires ? c->found.expires - now : ADVISORY;
    apr_interval_time_t wait = left > MANDATORY ? RETRY_EARLY : RETRY_LATE;

    wait = left > 0 ? least(wait, left / 4) : wait;
    return now + (wait > STEP_MIN ? wait / 2 + draw(c, wait) : STEP_MIN);
}

static int is_usable(const ddb_creds_t *c)
{
    return c->have && (!c->found.expires || ddb_clock_wall(c->o.clock) < c->found.expires);
}

/* --- asking the chain --- */

/* What was found becomes what is kept; after a failure what is kept stays. */
static void publish(ddb_creds_t *c, apr_status_t rv, const ddb_credentials_t *found, const ddb_error_t *why)
{
    apr_pool_t *old = c->pool;

    c->answers++;
    c->failure = rv;
    c->why = *why;
    if (rv == APR_SUCCESS) {
        c->found = *found;
        c->found.generation = ++c->generation;
        c->have = 1;
        c->pool = c->spare;
        c->spare = old;
        c->due = due_after_success(c, ddb_clock_wall(c->o.clock));
    }
    else {
        c->due = due_after_failure(c, ddb_clock_wall(c->o.clock));
    }
    c->began = 0;
    c->told = c->waiting > 0;
    c->waiting = 0;
}

/* For the thread that has set c->asking, under the mutex, which is released meanwhile: requests go on copying. */
static void ask_chain(ddb_creds_t *c)
{
    ddb_credentials_t found = { .expires = 0 };
    ddb_error_t why = { 0 };
    apr_status_t rv;

    c->began = ddb_clock_monotonic(c->o.clock);
    apr_atomic_set32(&c->asked, 0);
    apr_thread_mutex_unlock(c->mutex);
    /* Before they are read: a change in between is noticed then. */
    c->files = ddb_profile_stamp(&c->o.profile, c->spare);
    c->files_seen = ddb_clock_monotonic(c->o.clock);
    rv = ddb_creds_ask(&c->chain, &c->o, c->spare, &found, &why);
    if (rv == APR_NOTFOUND) {
        char looked_for[sizeof(why.detail)];
        apr_cpystrn(looked_for, why.detail, sizeof(looked_for));
        rv = ddb_error_set(&why, DDB_ENOCREDS, "no credentials found: %.350s; set up one of these", looked_for);
    }
    apr_thread_mutex_lock(c->mutex);
    publish(c, rv, &found, &why);
}

static void stop_asking(ddb_creds_t *c)
{
    /* The old credentials are unused by now: requests have copies. */
    apr_pool_clear(c->spare);
    c->asking = 0;
    apr_thread_cond_broadcast(c->answered);
}

/* --- requests --- */

static void copy(ddb_credentials_t *out, const ddb_credentials_t *in, apr_pool_t *p)
{
    out->access_key_id = apr_pstrdup(p, in->access_key_id);
    out->secret_access_key = ddb_crypto_secret_dup(p, in->secret_access_key);
    out->session_token = ddb_crypto_secret_dup(p, in->session_token);
    out->expires = in->expires;
    out->account_id = apr_pstrdup(p, in->account_id);
    out->provider = in->provider;
    out->generation = in->generation;
}

static apr_status_t too_late(const ddb_creds_t *c, ddb_error_t *err)
{
    const char *provider = c->chain.providers[apr_atomic_read32(c->chain.asked)]->name;

    return c->began
               ? ddb_error_set(err, APR_TIMEUP,
                               "no credentials yet: credential provider %s has not answered for %.1f s", provider,
                               (double)(ddb_clock_monotonic(c->o.clock) - c->began) / 1e6)
               : ddb_error_set(err, APR_TIMEUP, "no credentials yet: no credential provider has been asked so far");
}

/* In steps: a cancel set by a signal handler cannot wake a thread, and APR waits by the wall clock, which may jump. */
static void await_answer(ddb_creds_t *c, apr_interval_time_t left)
{
    apr_uint32_t before = c->answers;

    c->waiting++;
    apr_thread_cond_signal(c->wanted);
    apr_thread_cond_timedwait(c->answered, c->mutex, least(left, DDB_CANCEL_LOOK));
    if (c->answers == before) {
        c->waiting--;
    }
}

/* Under the mutex, which is released meanwhile. */
static apr_status_t await_usable(ddb_creds_t *c, apr_time_t deadline, ddb_error_t *err)
{
    apr_uint32_t before = c->answers;
    apr_interval_time_t left;

    while (!is_usable(c)) {
        left = deadline - ddb_clock_monotonic(c->o.clock);
        if (c->answers != before && c->failure != APR_SUCCESS) {
            /* Threads that waited share the answer, failures included: otherwise one after the other would wait for a
             * provider that does not answer. */
            return ddb_error_set(err, c->failure, "%s", c->why.detail);
        }
        if (ddb_cancel_is_set(c->o.cancel)) {
            return ddb_error_set(err, APR_EINTR, "credentials not requested");
        }
        if (left <= 0) {
            return too_late(c, err);
        }
        if (c->asking || c->o.has_refresher) {
            await_answer(c, left);
        }
        else {
            c->asking = 1;
            ask_chain(c);
            stop_asking(c);
        }
    }
    return APR_SUCCESS;
}

apr_status_t ddb_creds_get(ddb_creds_t *c, apr_time_t deadline, apr_pool_t *p, ddb_credentials_t *out, ddb_error_t *err)
{
    apr_status_t rv;

    if (c->o.fixed) {
        copy(out, c->o.fixed, p);
        return APR_SUCCESS;
    }
    apr_thread_mutex_lock(c->mutex);
    rv = await_usable(c, deadline, err);
    if (rv == APR_SUCCESS) {
        copy(out, &c->found, p);
    }
    apr_thread_mutex_unlock(c->mutex);
    return rv;
}

apr_uint32_t ddb_creds_generation(ddb_creds_t *c)
{
    apr_uint32_t generation;

    if (c->o.fixed) {
        return c->fixed.generation;
    }
    apr_thread_mutex_lock(c->mutex);
    generation = is_usable(c) ? c->found.generation : 0;
    apr_thread_mutex_unlock(c->mutex);
    return generation;
}

void ddb_creds_renew(ddb_creds_t *c, const char *access_key_id)
{
    apr_time_t now = ddb_clock_monotonic(c->o.clock);

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

/* --- the refresh thread --- */

void ddb_creds_ask_soon(ddb_creds_t *c)
{
    c->soon = 1;
}

/* Since the chain was asked. Not under the mutex: it reads the disk. */
static int have_files_changed(ddb_creds_t *c)
{
    apr_time_t now = ddb_clock_monotonic(c->o.clock);

    if (!c->files_seen || now - c->files_seen < FILES_EVERY) {
        return 0;
    }
    c->files_seen = now;
    return ddb_profile_stamp(&c->o.profile, c->spare) != c->files;
}

static int is_due(const ddb_creds_t *c)
{
    return (c->soon && !c->answers) || (c->due && ddb_clock_wall(c->o.clock) >= c->due)
           || (c->waiting && !is_usable(c));
}

static apr_interval_time_t time_to_next(const ddb_creds_t *c)
{
    apr_interval_time_t wait = c->due ? least(FILES_EVERY, c->due - ddb_clock_wall(c->o.clock)) : FILES_EVERY;

    return wait > STEP_MIN ? wait : STEP_MIN;
}

apr_status_t ddb_creds_refresh(ddb_creds_t *c, apr_interval_time_t *next, ddb_error_t *err)
{
    apr_status_t rv = APR_SUCCESS;
    int changed;

    *next = FILES_EVERY;
    if (c->o.fixed) {
        return APR_SUCCESS;
    }
    apr_thread_mutex_lock(c->mutex);
    if (!c->asking) {
        c->asking = 1;
        apr_thread_mutex_unlock(c->mutex);
        changed = have_files_changed(c);
        apr_thread_mutex_lock(c->mutex);
        if ((changed || is_due(c)) && !ddb_cancel_is_set(c->o.cancel)) {
            ask_chain(c);
            if (c->failure != APR_SUCCESS && c->failure != APR_EINTR && !c->told) {
                rv = ddb_error_set(err, c->failure, "%s", c->why.detail);
            }
        }
        stop_asking(c);
        *next = time_to_next(c);
    }
    apr_thread_mutex_unlock(c->mutex);
    return rv;
}

int ddb_creds_are_kept(ddb_creds_t *c)
{
    return ddb_creds_generation(c) != 0;
}

const char *ddb_creds_provider_name(int number)
{
    int i;

    for (i = 0; i < number - 1 && ddb_creds_all[i]; i++) {
    }
    return ddb_creds_all[i] ? ddb_creds_all[i]->name : NULL;
}

int ddb_creds_source(ddb_creds_t *c, apr_time_t *expires)
{
    const char *name;
    int number = 1;

    *expires = 0;
    if (c->o.fixed) {
        return 0;
    }
    apr_thread_mutex_lock(c->mutex);
    if (!c->have) {
        number = 0;
    }
    else {
        *expires = c->found.expires;
        /* The name of a provider is a constant, in whatever thread. */
        while ((name = ddb_creds_provider_name(number)) != NULL && strcmp(name, c->found.provider) != 0) {
            number++;
        }
        number = name ? number : 0;
    }
    apr_thread_mutex_unlock(c->mutex);
    return number;
}

void ddb_creds_wait(ddb_creds_t *c, apr_interval_time_t t)
{
    apr_thread_mutex_lock(c->mutex);
    if (!ddb_cancel_is_set(c->o.cancel) && (!c->waiting || is_usable(c))) {
        apr_thread_cond_timedwait(c->wanted, c->mutex, t);
    }
    apr_thread_mutex_unlock(c->mutex);
}

void ddb_creds_wake(ddb_creds_t *c)
{
    apr_thread_mutex_lock(c->mutex);
    apr_thread_cond_signal(c->wanted);
    apr_thread_mutex_unlock(c->mutex);
}
