/* The thread that renews credentials, and what it does before. */

#include <signal.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <httpd.h>
#include <http_log.h>

#include "msd_refresh.h"

APLOG_USE_MODULE(session_dynamodb);

#define WAIT_MAX apr_time_from_sec(60)

typedef struct job_t {
    msd_refresh_job_fn *job;
    void *baton;
} job_t;

struct msd_refresh_t {
    apr_pool_t *pool;
    server_rec *server;
    apr_array_header_t *first;  /* job_t */
    apr_array_header_t *chains; /* ddb_creds_t * */
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex;  /* of stopping */
    apr_thread_cond_t *stop;
    int stopping;
};

void msd_refresh_add(msd_refresh_t *r, ddb_creds_t *creds)
{
    APR_ARRAY_PUSH(r->chains, ddb_creds_t *) = creds;
}

void msd_refresh_first(msd_refresh_t *r, msd_refresh_job_fn *job, void *baton)
{
    const job_t j = { job, baton };

    APR_ARRAY_PUSH(r->first, job_t) = j;
}

static int is_stopping(msd_refresh_t *r)
{
    int stopping;

    apr_thread_mutex_lock(r->mutex);
    stopping = r->stopping;
    apr_thread_mutex_unlock(r->mutex);
    return stopping;
}

int msd_refresh_wait(msd_refresh_t *r, apr_interval_time_t t)
{
    int stopping;

    apr_thread_mutex_lock(r->mutex);
    if (!r->stopping) {
        apr_thread_cond_timedwait(r->stop, r->mutex, t);
    }
    stopping = r->stopping;
    apr_thread_mutex_unlock(r->mutex);
    return stopping;
}

static void do_first(msd_refresh_t *r)
{
    int i;

    for (i = 0; i < r->first->nelts && !is_stopping(r); i++) {
        const job_t *j = &APR_ARRAY_IDX(r->first, i, job_t);

        j->job(j->baton);
    }
}

/* The time until the first of them wants to be looked at again. */
static apr_interval_time_t refresh_all(msd_refresh_t *r)
{
    apr_interval_time_t wait = WAIT_MAX, next;
    ddb_error_t err;
    apr_status_t rv;
    int i;

    for (i = 0; i < r->chains->nelts; i++) {
        memset(&err, 0, sizeof(err));
        rv = ddb_creds_refresh(APR_ARRAY_IDX(r->chains, i, ddb_creds_t *), &next, &err);
        wait = next < wait ? next : wait;
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, r->server, "the AWS credentials can't be renewed, those there "
                         "are stay in use until they end: %s", err.detail);
        }
    }
    return wait;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *baton)
{
    msd_refresh_t *r = baton;
    apr_interval_time_t wait;

    do_first(r);
    apr_thread_mutex_lock(r->mutex);
    while (!r->stopping) {
        apr_thread_mutex_unlock(r->mutex);
        wait = refresh_all(r);
        apr_thread_mutex_lock(r->mutex);
        if (!r->stopping) {
            apr_thread_cond_timedwait(r->stop, r->mutex, wait);
        }
    }
    apr_thread_mutex_unlock(r->mutex);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

apr_status_t msd_refresh_start(msd_refresh_t *r)
{
    sigset_t all, before;
    apr_status_t rv;

    /* prefork's signal handlers end the process where they run: that must not be this thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rv = apr_thread_create(&r->thread, NULL, run, r, r->pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rv;
}

apr_status_t msd_refresh_create(msd_refresh_t **pr, server_rec *s, apr_pool_t *p)
{
    msd_refresh_t *r = apr_pcalloc(p, sizeof(*r));
    apr_status_t rv;

    r->pool = p;
    r->server = s;
    r->first = apr_array_make(p, 2, sizeof(job_t));
    r->chains = apr_array_make(p, 2, sizeof(ddb_creds_t *));
    rv = apr_thread_mutex_create(&r->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&r->stop, p);
    }
    *pr = rv == APR_SUCCESS ? r : NULL;
    return rv;
}

void msd_refresh_stop(msd_refresh_t *r)
{
    apr_status_t ignored;

    if (r->thread) {
        apr_thread_mutex_lock(r->mutex);
        r->stopping = 1;
        apr_thread_cond_signal(r->stop);
        apr_thread_mutex_unlock(r->mutex);
        apr_thread_join(&ignored, r->thread);
    }
}
