/* The machine's clocks, in the shape that rooms take. */

#include <time.h>

#include "ddb_clock.h"

static apr_time_t wall(void *baton)
{
    (void)baton;
    return apr_time_now();
}

/* CLOCK_MONOTONIC can't fail where POSIX timers exist, and keeps going when somebody sets the wall clock. */
static apr_time_t monotonic(void *baton)
{
    struct timespec ts;

    (void)baton;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return apr_time_make((apr_time_t)ts.tv_sec, ts.tv_nsec / 1000);
}

static void pause_for(void *baton, apr_interval_time_t t)
{
    (void)baton;
    if (t > 0) {
        apr_sleep(t);
    }
}

const ddb_clock_t ddb_clock_system = { wall, monotonic, pause_for, NULL };
