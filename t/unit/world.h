#ifndef WORLD_H
#define WORLD_H

/* A scripted world for unit tests: a transport that plays answers in order and keeps what was sent, a clock that only
 * moves when told or slept on, and random bytes that count. No test waits or opens a socket. */

#include <apr_strings.h>

#include "base/ddb_clock.h"
#include "base/ddb_crypto.h"
#include "base/ddb_http.h"
#include "message.h"

#define WORLD_MAX 64

typedef struct world_answer_t {
    apr_status_t rv; /* not APR_SUCCESS: the exchange fails so */
    int unsettled;   /* of such a failure */
    int status;      /* HTTP status of an answer */
    const char *body;
    const char *header[4];    /* name, value, name, value */
    apr_interval_time_t took; /* the clock moves by this */
} world_answer_t;

typedef struct world_t {
    apr_pool_t *pool;
    world_answer_t answers[WORLD_MAX];
    int n_answers, n_sent;
    ddb_http_request_t sent[WORLD_MAX]; /* deep copies; a message is taken apart, too */
    apr_time_t now, mono;
    apr_interval_time_t slept[WORLD_MAX];
    int n_slept;
    ddb_http_transport_t http;
    ddb_clock_t clock;
} world_t;

/** A deep copy of req in p. @return what is wrong with its message, or NULL. */
static inline const char *world_copy(ddb_http_request_t *copy, const ddb_http_request_t *req, apr_pool_t *p)
{
    *copy = *req;
    copy->url = apr_pstrdup(p, req->url);
    if (req->message) {
        copy->message = apr_pstrmemdup(p, req->message, req->message_len);
        return message_parse(copy, req, p);
    }
    copy->headers = apr_table_clone(p, req->headers);
    copy->body = req->body ? apr_pstrmemdup(p, req->body, req->body_len) : NULL;
    return NULL;
}

static inline apr_status_t world_perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p,
                                         ddb_http_response_t *res, ddb_error_t *err)
{
    world_t *w = baton;
    const char *wrong = world_copy(&w->sent[w->n_sent], req, w->pool);
    const world_answer_t *a = &w->answers[w->n_sent];
    int i;

    if (wrong) {
        return ddb_error_set(err, APR_EGENERAL, "the message of request %d: %s", w->n_sent + 1, wrong);
    }
    if (w->n_sent >= w->n_answers) {
        return ddb_error_set(err, APR_EGENERAL, "the script has no answer %d", w->n_sent + 1);
    }
    w->n_sent++;
    w->now += a->took;
    w->mono += a->took;
    if (a->rv != APR_SUCCESS) {
        if (a->unsettled && err) {
            err->unsettled = 1;
        }
        return ddb_error_set(err, a->rv, "scripted failure");
    }
    res->status = a->status;
    res->headers = apr_table_make(p, 2);
    for (i = 0; i < 4 && a->header[i]; i += 2) {
        apr_table_set(res->headers, a->header[i], a->header[i + 1]);
    }
    res->body = apr_pstrdup(p, a->body ? a->body : "");
    res->body_len = strlen(res->body);
    return APR_SUCCESS;
}

static inline apr_time_t world_wall(void *baton)
{
    return ((world_t *)baton)->now;
}
static inline apr_time_t world_monotonic(void *baton)
{
    return ((world_t *)baton)->mono;
}

static inline void world_sleep(void *baton, apr_interval_time_t t)
{
    world_t *w = baton;
    w->slept[w->n_slept++ % WORLD_MAX] = t;
    w->now += t;
    w->mono += t;
}

/** Bytes 0, 1, 2 … on from the last call: every ID of a test is another, and the same in the next run. */
static inline apr_status_t world_random(void *out, apr_size_t len)
{
    static unsigned char next;
    apr_size_t i;
    for (i = 0; i < len; i++) {
        ((unsigned char *)out)[i] = next++;
    }
    return APR_SUCCESS;
}

/** A fresh world in p at 2026-11-23 01:02:03.000004 UTC. */
static inline world_t *world_create(apr_pool_t *p)
{
    world_t *w = apr_pcalloc(p, sizeof(*w));
    w->pool = p;
    w->now = APR_INT64_C(1795395723000004);
    w->mono = apr_time_from_sec(1000);
    w->http.perform = world_perform;
    w->http.baton = w;
    w->clock.wall = world_wall;
    w->clock.monotonic = world_monotonic;
    w->clock.sleep = world_sleep;
    w->clock.baton = w;
    return w;
}

/** Add the next answer. */
static inline world_answer_t *world_answer(world_t *w, int status, const char *body)
{
    world_answer_t *a = &w->answers[w->n_answers++];
    a->status = status;
    a->body = body;
    return a;
}

static inline void world_fail(world_t *w, apr_status_t rv, int unsettled)
{
    world_answer_t *a = world_answer(w, 0, NULL);
    a->rv = rv;
    a->unsettled = unsettled;
}

#endif
