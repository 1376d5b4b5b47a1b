/* The queue and the thread for background writes. */

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/child/msd_failure_log.h"
#include "httpd/child/msd_thread.h"
#include "httpd/child/msd_write_queue.h"
#include "httpd/conf/msd_config.h"

APLOG_USE_MODULE(session_dynamodb);

#define DRAIN_STEP  apr_time_from_msec(5)
#define GIVE_UP_MAX apr_time_from_msec(1200) /* a little more than the longest attempt */

struct msd_write_queue_t {
    apr_pool_t *pool;
    server_rec *server;
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* protects all fields below except given_up and pending */
    apr_thread_cond_t *filled;
    const msd_write_queue_job_t *queue[MSD_WRITE_QUEUE_MOST];
    apr_pool_t *pools[MSD_WRITE_QUEUE_MOST]; /* of each job */
    int first, count, stopping;
    int dropped;                    /* since the queue was full */
    int given_up;                   /* at the end; used by the thread alone */
    ddb_cancel_t *cancel;           /* set: no further calls */
    volatile apr_uint32_t *pending; /* number of jobs queued or in progress */
    volatile apr_uint32_t unseen;   /* that number, where nobody else sees it */
};

static const msd_write_queue_job_t *copy_job(apr_pool_t *p, const msd_write_queue_job_t *job)
{
    const ddb_session_t *s = &job->session;
    msd_write_queue_job_t *copy = apr_pmemdup(p, job, sizeof(*job));

    /* All other members point to memory of the request, which has ended by then. */
    copy->session = (ddb_session_t){ .key = apr_pstrdup(p, s->key),
                                     .created = s->created,
                                     .accessed = s->accessed,
                                     .idle_timeout = s->idle_timeout,
                                     .absolute_timeout = s->absolute_timeout };
    return copy;
}

/* The touch was not sent, so let the session's next request send one. */
static void release_claim(const msd_write_queue_job_t *job)
{
    if (job->recent) {
        msd_touches_release(job->recent, job->session.key, job->now);
    }
}

static void lose(const msd_write_queue_job_t *job)
{
    ddb_count_add(job->count, (ddb_counted_e)(DDB_COUNT_DROPPED + (int)job->kind), 1);
    release_claim(job);
}

static void drop(msd_write_queue_t *w, const msd_write_queue_job_t *job)
{
    ap_log_error(APLOG_MARK, w->dropped ? APLOG_DEBUG : APLOG_WARNING, 0, w->server,
                 "the write queue is full (%d queued writes): further writes are dropped, so sessions may expire up to "
                 "SessionDynamoDBTouchInterval early",
                 w->count);
    w->dropped++;
    lose(job);
}

static void enqueue(msd_write_queue_t *w, const msd_write_queue_job_t *job)
{
    int at = (w->first + w->count) % MSD_WRITE_QUEUE_MOST;
    apr_pool_t *p = NULL;

    if (w->count == MSD_WRITE_QUEUE_MOST || apr_pool_create(&p, w->pool) != APR_SUCCESS) {
        drop(w, job);
        return;
    }
    w->pools[at] = p;
    w->queue[at] = copy_job(p, job);
    w->count++;
    apr_atomic_inc32(w->pending);
    apr_thread_cond_signal(w->filled);
}

void msd_write_queue_push(msd_write_queue_t *w, const msd_write_queue_job_t *job)
{
    apr_thread_mutex_lock(w->mutex);
    if (!w->stopping) {
        enqueue(w, job);
    }
    apr_thread_mutex_unlock(w->mutex);
}

static void log_failure(const msd_write_queue_t *w, const msd_write_queue_job_t *job, apr_status_t rv,
                        const ddb_error_t *e, apr_pool_t *p)
{
    static const char *const texts[] = { "queued touch (session activity)", "queued removal of an unused row",
                                         "queued note that a new session ID is in use" };
    const char *what = texts[job->kind];
    const char *others = msd_failure_log_line(msd_config_server(w->server)->outage, MSD_FAILURE_LOG_QUEUE,
                                              ddb_clock_monotonic(job->clock), p);
    char text[120];

    if (others) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, w->server,
                     "table %s: %s failed: %s: %s (%s, type %s, request ID %s, %d attempts)%s", job->table, what,
                     ddb_error_text(rv, text, sizeof(text)), e->detail, e->operation, e->type[0] ? e->type : "-",
                     e->request_id[0] ? e->request_id : "-", e->attempts, others);
    }
}

static apr_status_t write_job(const msd_write_queue_job_t *job, const ddb_store_call_t *call)
{
    switch (job->kind) {
    case MSD_WRITE_QUEUE_TOUCH:
        return ddb_store_touch(job->store, call, &job->session);
    case MSD_WRITE_QUEUE_SEEN:
        return ddb_store_see(job->store, call, job->session.key);
    case MSD_WRITE_QUEUE_REMOVAL:
        break;
    }
    return ddb_store_remove(job->store, call, job->session.key);
}

static void carry_out(msd_write_queue_t *w, const msd_write_queue_job_t *job, apr_pool_t *p)
{
    ddb_error_t err = { 0 };
    /* None of them reads the data, so the format does not matter. */
    ddb_store_call_t call = { .format = DDB_FORM,
                              .consistent = 1,
                              .now = job->now,
                              .pool = p,
                              .err = &err,
                              .deadline = ddb_clock_monotonic(job->clock) + job->timeout,
                              .cancel = w->cancel };
    apr_status_t rv = write_job(job, &call);

    if (rv == APR_EINTR && !err.attempts) {
        lose(job);
    }
    else if (rv != APR_SUCCESS && rv != APR_NOTFOUND && !err.attempts) {
        release_claim(job);
    }
    if (rv == APR_EINTR) {
        w->given_up++;
    }
    else if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        log_failure(w, job, rv, &err, p);
    }
    msd_store_notices_log(w->server, job->notices);
}

static void settle(msd_write_queue_t *w, const msd_write_queue_job_t *job, apr_pool_t *p)
{
    if (ddb_cancel_is_set(w->cancel)) {
        w->given_up++;
        lose(job);
    }
    else {
        carry_out(w, job, p);
    }
}

/** Log the number of lost writes. Call with the mutex locked, when the queue is empty. */
static void log_losses(msd_write_queue_t *w)
{
    if (w->dropped) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, w->server, "the write queue is empty again; dropped writes: %d",
                     w->dropped);
    }
    if (w->given_up) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, w->server,
                     "dropped %d queued writes, because this process ends: sessions may expire up to "
                     "SessionDynamoDBTouchInterval early",
                     w->given_up);
    }
    w->dropped = w->given_up = 0;
}

/** Wait for the next job and take it; NULL if the queue is empty and stopping. */
static const msd_write_queue_job_t *next_job(msd_write_queue_t *w, apr_pool_t **p)
{
    const msd_write_queue_job_t *job = NULL;

    apr_thread_mutex_lock(w->mutex);
    while (!w->count && !w->stopping) {
        apr_thread_cond_wait(w->filled, w->mutex);
    }
    if (w->count) {
        job = w->queue[w->first];
        *p = w->pools[w->first];
        w->first = (w->first + 1) % MSD_WRITE_QUEUE_MOST;
        w->count--;
    }
    apr_thread_mutex_unlock(w->mutex);
    return job;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *baton)
{
    msd_write_queue_t *w = baton;
    const msd_write_queue_job_t *job;
    apr_pool_t *p = NULL;

    while ((job = next_job(w, &p))) {
        settle(w, job, p);
        /* Locked, because destroying the job's pool changes its parent pool, in which requests create others. */
        apr_thread_mutex_lock(w->mutex);
        apr_pool_destroy(p);
        if (!w->count) {
            log_losses(w);
        }
        apr_thread_mutex_unlock(w->mutex);
        apr_atomic_dec32(w->pending);
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static apr_status_t start(msd_write_queue_t *w)
{
    apr_status_t rv = apr_thread_mutex_create(&w->mutex, APR_THREAD_MUTEX_DEFAULT, w->pool);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&w->filled, w->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = msd_thread_start(&w->thread, run, w, w->pool);
    }
    return rv;
}

apr_status_t msd_write_queue_create(msd_write_queue_t **pw, server_rec *s, volatile apr_uint32_t *length)
{
    apr_pool_t *p = NULL;
    msd_write_queue_t *w;
    /* Use a pool that neither the child's pool nor the end of the process destroys: destroying the condition variable
     * while the thread waits on it would block. */
    apr_status_t rv = msd_thread_pool_create(&p);

    *pw = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    w = apr_palloc(p, sizeof(*w));
    *w = (msd_write_queue_t){ .pool = p, .server = s, .cancel = ddb_cancel_create(p) };
    w->pending = length ? length : &w->unseen;
    rv = start(w);
    if (rv == APR_SUCCESS) {
        *pw = w;
    }
    else {
        apr_pool_destroy(p); /* and w */
    }
    return rv;
}

void msd_write_queue_drain(msd_write_queue_t *w, apr_interval_time_t limit)
{
    for (; limit > 0 && apr_atomic_read32(w->pending) > 0; limit -= DRAIN_STEP) {
        apr_sleep(DRAIN_STEP);
    }
    ddb_cancel_set(w->cancel);
    for (limit = GIVE_UP_MAX; limit > 0 && apr_atomic_read32(w->pending) > 0; limit -= DRAIN_STEP) {
        apr_sleep(DRAIN_STEP);
    }
}

void msd_write_queue_stop(msd_write_queue_t *w)
{
    apr_status_t ignored;

    ddb_cancel_set(w->cancel);
    apr_thread_mutex_lock(w->mutex);
    w->stopping = 1;
    apr_thread_cond_signal(w->filled);
    apr_thread_mutex_unlock(w->mutex);
    apr_thread_join(&ignored, w->thread);
    apr_pool_destroy(w->pool); /* and w */
}
