/* The flag that ends what waits, and the program that is killed with it. */

#include <signal.h>
#include <sys/types.h>

#include <apr_atomic.h>

#include "base/ddb_cancel.h"

#define START_STEP apr_time_from_msec(1)
#define START_MAX  apr_time_from_msec(500) /* a start takes some milliseconds; a thread that is stuck takes for ever */

struct ddb_cancel_t {
    volatile apr_uint32_t set, starting;
    volatile apr_uint32_t group; /* 0: no program is under way */
};

/** What a cancellable clock is. */
typedef struct view_t {
    ddb_cancel_t *cancel;
    const ddb_clock_t *clock;
    ddb_clock_t own;
} view_t;

ddb_cancel_t *ddb_cancel_create(apr_pool_t *p)
{
    return apr_pcalloc(p, sizeof(ddb_cancel_t));
}

int ddb_cancel_is_set(ddb_cancel_t *c)
{
    return c && apr_atomic_read32(&c->set);
}

void ddb_cancel_set(ddb_cancel_t *c)
{
    apr_interval_time_t left = START_MAX;
    apr_uint32_t group;

    apr_atomic_set32(&c->set, 1);
    /* From now on no program is started; one that is just starting has no ID yet to be killed by. */
    for (; left > 0 && apr_atomic_read32(&c->starting); left -= START_STEP) {
        apr_sleep(START_STEP);
    }
    group = apr_atomic_read32(&c->group);
    if (group) {
        kill(-(pid_t)group, SIGKILL);
    }
}

/* --- programs --- */

int ddb_cancel_starting(ddb_cancel_t *c)
{
    if (!c) {
        return 1;
    }
    apr_atomic_xchg32(&c->starting, 1);
    if (!ddb_cancel_is_set(c)) {
        return 1;
    }
    apr_atomic_set32(&c->starting, 0);
    return 0;
}

void ddb_cancel_started(ddb_cancel_t *c, apr_uint32_t group)
{
    if (c) {
        apr_atomic_xchg32(&c->group, group);
        apr_atomic_xchg32(&c->starting, 0);
    }
}

void ddb_cancel_ended(ddb_cancel_t *c)
{
    if (c) {
        apr_atomic_xchg32(&c->group, 0);
    }
}

/* --- the clock --- */

static apr_time_t wall(void *baton)
{
    return ddb_clock_wall(((view_t *)baton)->clock);
}

static apr_time_t monotonic(void *baton)
{
    return ddb_clock_monotonic(((view_t *)baton)->clock);
}

static void sleep_until_set(void *baton, apr_interval_time_t t)
{
    const view_t *v = baton;
    apr_interval_time_t step;

    for (; t > 0 && !ddb_cancel_is_set(v->cancel); t -= step) {
        step = t < DDB_CANCEL_LOOK ? t : DDB_CANCEL_LOOK;
        ddb_clock_sleep(v->clock, step);
    }
}

const ddb_clock_t *ddb_cancel_clock(ddb_cancel_t *c, const ddb_clock_t *clock, apr_pool_t *p)
{
    view_t *v = apr_palloc(p, sizeof(*v));

    *v = (view_t){ .cancel = c,
                   .clock = clock,
                   .own = { .wall = wall, .monotonic = monotonic, .sleep = sleep_until_set, .baton = v } };
    return &v->own;
}
