/* The threads that fetch credentials, and the one for jobs at startup. */

#include <apr_atomic.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/child/msd_credentials_refresh.h"
#include "httpd/child/msd_thread.h"

APLOG_USE_MODULE(session_dynamodb);

#define CANCEL_STEP apr_time_from_msec(5)
#define CANCEL_MAX  apr_time_from_msec(500) /* a thread that is stuck for longer ends with the process */

typedef struct job_t {
    msd_credentials_refresh_job_fn *job;
    void *baton;
} job_t;

/** One thread. */
typedef struct worker_t {
    msd_credentials_refresh_t *all;
    ddb_cancel_t *cancel;
    ddb_creds_t *creds; /* NULL: it runs the jobs */
    msd_credentials_refresh_shown_t shown;
    apr_thread_t *thread;
    volatile apr_uint32_t busy;                       /* 1: it may be waiting for a provider or a job */
    char failure[sizeof(((ddb_error_t *)0)->detail)]; /* logged last; "": no failure since the last success */
} worker_t;

struct msd_credentials_refresh_t {
    apr_pool_t *pool;
    server_rec *server;
    apr_array_header_t *first;   /* job_t */
    apr_array_header_t *workers; /* worker_t *; the first runs the jobs */
};

static worker_t *worker(const msd_credentials_refresh_t *r, int i)
{
    return APR_ARRAY_IDX(r->workers, i, worker_t *);
}

static worker_t *add_worker(msd_credentials_refresh_t *r, ddb_creds_t *creds, ddb_cancel_t *cancel)
{
    worker_t *w = apr_palloc(r->pool, sizeof(*w));

    *w = (worker_t){ .all = r, .creds = creds, .cancel = cancel };
    APR_ARRAY_PUSH(r->workers, worker_t *) = w;
    return w;
}

void msd_credentials_refresh_add(msd_credentials_refresh_t *r, ddb_creds_t *creds, ddb_cancel_t *cancel,
                                 msd_credentials_refresh_shown_t shown)
{
    add_worker(r, creds, cancel)->shown = shown;
}

void msd_credentials_refresh_first(msd_credentials_refresh_t *r, msd_credentials_refresh_job_fn *job, void *baton)
{
    const job_t j = { .job = job, .baton = baton };

    APR_ARRAY_PUSH(r->first, job_t) = j;
}

ddb_cancel_t *msd_credentials_refresh_first_cancel(msd_credentials_refresh_t *r)
{
    return worker(r, 0)->cancel;
}

int msd_credentials_refresh_wait(msd_credentials_refresh_t *r, apr_interval_time_t t)
{
    ddb_cancel_t *cancel = msd_credentials_refresh_first_cancel(r);

    for (; t > 0 && !ddb_cancel_is_set(cancel); t -= DDB_CANCEL_LOOK) {
        apr_sleep(t < DDB_CANCEL_LOOK ? t : DDB_CANCEL_LOOK);
    }
    return ddb_cancel_is_set(cancel);
}

static void do_first(worker_t *w)
{
    const apr_array_header_t *first = w->all->first;
    int i;

    apr_atomic_set32(&w->busy, 1);
    for (i = 0; i < first->nelts && !ddb_cancel_is_set(w->cancel); i++) {
        const job_t *j = &APR_ARRAY_IDX(first, i, job_t);

        j->job(j->baton);
    }
    apr_atomic_set32(&w->busy, 0);
}

/* A failure that persists for the same reason is logged once, apart from debug. */
static void log_failure(worker_t *w, const ddb_error_t *err)
{
    int level = strcmp(err->detail, w->failure) == 0 ? APLOG_DEBUG : APLOG_WARNING;

    apr_cpystrn(w->failure, err->detail, sizeof(w->failure));
    if (ddb_creds_are_kept(w->creds)) {
        ap_log_error(APLOG_MARK, level, 0, w->all->server,
                     "the AWS credentials can't be renewed; the current ones stay in use until they expire: %s",
                     err->detail);
    }
    else {
        ap_log_error(APLOG_MARK, level, 0, w->all->server,
                     "no AWS credentials; requests that need the table look for them again: %s", err->detail);
    }
}

static void show(const worker_t *w)
{
    apr_time_t expires;
    int provider = ddb_creds_source(w->creds, &expires);

    if (w->shown.provider && w->shown.expires) {
        apr_atomic_set32(w->shown.expires, (apr_uint32_t)apr_time_sec(expires));
        apr_atomic_set32(w->shown.provider, (apr_uint32_t)provider);
    }
}

/* @return the time until the next refresh. */
static apr_interval_time_t refresh(worker_t *w)
{
    apr_interval_time_t next = 0;
    ddb_error_t err = { 0 };
    apr_status_t rv;

    apr_atomic_set32(&w->busy, 1);
    rv = ddb_creds_refresh(w->creds, &next, &err);
    show(w);
    apr_atomic_set32(&w->busy, 0);
    if (rv != APR_SUCCESS) {
        log_failure(w, &err);
    }
    else if (ddb_creds_are_kept(w->creds)) {
        w->failure[0] = '\0';
    }
    return next;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *baton)
{
    worker_t *w = baton;

    if (!w->creds) {
        do_first(w);
    }
    while (w->creds && !ddb_cancel_is_set(w->cancel)) {
        ddb_creds_wait(w->creds, refresh(w));
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

apr_status_t msd_credentials_refresh_start(msd_credentials_refresh_t *r)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = r->first->nelts ? 0 : 1; rv == APR_SUCCESS && i < r->workers->nelts; i++) {
        rv = msd_thread_start(&worker(r, i)->thread, run, worker(r, i), r->pool);
    }
    return rv;
}

msd_credentials_refresh_t *msd_credentials_refresh_create(server_rec *s, apr_pool_t *p)
{
    msd_credentials_refresh_t *r = apr_palloc(p, sizeof(*r));

    *r = (msd_credentials_refresh_t){ .pool = p,
                                      .server = s,
                                      .first = apr_array_make(p, 2, sizeof(job_t)),
                                      .workers = apr_array_make(p, 2, sizeof(worker_t *)) };
    add_worker(r, NULL, ddb_cancel_create(p));
    return r;
}

static int is_busy(const msd_credentials_refresh_t *r)
{
    int i, busy = 0;

    for (i = 0; i < r->workers->nelts; i++) {
        busy |= apr_atomic_read32(&worker(r, i)->busy) != 0;
    }
    return busy;
}

void msd_credentials_refresh_cancel(msd_credentials_refresh_t *r)
{
    apr_interval_time_t left = CANCEL_MAX;
    int i;

    for (i = 0; i < r->workers->nelts; i++) {
        ddb_cancel_set(worker(r, i)->cancel);
    }
    /* A process can crash if it exits while one of its threads is inside the TLS library. */
    for (; left > 0 && is_busy(r); left -= CANCEL_STEP) {
        apr_sleep(CANCEL_STEP);
    }
}

void msd_credentials_refresh_stop(msd_credentials_refresh_t *r)
{
    apr_status_t ignored;
    int i;

    msd_credentials_refresh_cancel(r);
    for (i = 0; i < r->workers->nelts; i++) {
        if (worker(r, i)->creds) {
            ddb_creds_wake(worker(r, i)->creds);
        }
        if (worker(r, i)->thread) {
            apr_thread_join(&ignored, worker(r, i)->thread);
        }
    }
}
