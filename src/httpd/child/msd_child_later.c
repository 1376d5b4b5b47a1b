/* Writes in the background of a child process, and what one of all children does once for a session. */

#include <apr_strings.h>

#include "httpd/child/msd_child_int.h"
#include "httpd/child/msd_touches.h"
#include "httpd/conf/msd_config.h"

static msd_write_queue_job_t job_for(const server_rec *s, msd_write_queue_kind_e kind)
{
    const msd_server_config_t *c = msd_config_server(s);

    return (msd_write_queue_job_t){ .kind = kind,
                                    .store = msd_child_store(s),
                                    .table = c->table,
                                    .clock = msd_child_clock(s),
                                    .notices = msd_child_notices(s),
                                    .count = c->count,
                                    .timeout = c->timeout };
}

void msd_child_touch_later(const server_rec *s, const ddb_session_t *session, apr_time_t now,
                           apr_interval_time_t interval)
{
    const msd_server_config_t *c = msd_config_server(s);
    msd_write_queue_job_t job = job_for(s, MSD_WRITE_QUEUE_TOUCH);

    job.session = *session;
    job.now = now;
    job.recent = c->recent;
    if (!c->recent || msd_touches_claim(c->recent, session->key, now, interval)) {
        msd_write_queue_push(msd_child_writer(s), &job);
    }
}

/** 1 for the first to do something with the session in 10 seconds. */
static int is_first(const server_rec *s, const char *what, const ddb_session_t *session, apr_time_t now, apr_pool_t *p)
{
    msd_touches_t *recent = msd_config_server(s)->recent;

    return !recent || msd_touches_claim(recent, apr_pstrcat(p, what, session->key, NULL), now, apr_time_from_sec(10));
}

int msd_child_see_later(const server_rec *s, const ddb_session_t *session, apr_time_t now, apr_pool_t *p)
{
    msd_write_queue_job_t job = job_for(s, MSD_WRITE_QUEUE_SEEN);
    int first = is_first(s, "seen ", session, now, p);

    job.session = *session;
    job.now = now;
    if (first) {
        msd_write_queue_push(msd_child_writer(s), &job);
    }
    return first;
}

int msd_child_claim_renewal(const server_rec *s, const ddb_session_t *session, apr_time_t now, apr_pool_t *p)
{
    return is_first(s, "renewal ", session, now, p);
}

int msd_child_claim_report(const server_rec *s, const char *what, apr_time_t now)
{
    msd_touches_t *recent = msd_config_server(s)->recent;

    return !recent || msd_touches_claim(recent, what, now, apr_time_from_sec(60));
}

void msd_child_remove_later(const server_rec *s, const char *key)
{
    msd_write_queue_job_t job = job_for(s, MSD_WRITE_QUEUE_REMOVAL);

    job.session.key = key;
    msd_write_queue_push(msd_child_writer(s), &job);
}
