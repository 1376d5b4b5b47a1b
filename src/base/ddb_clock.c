/* The machine's clocks, in the shape that rooms take; times as AWS writes them. */

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "base/ddb_clock.h"

static apr_time_t wall(void *baton)
{
    (void)baton;
    return apr_time_now();
}

/* CLOCK_MONOTONIC cannot fail where POSIX timers exist, and ignores changes of the wall clock. */
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

const ddb_clock_t ddb_clock_system = { .wall = wall, .monotonic = monotonic, .sleep = pause_for };

apr_time_t ddb_clock_wall(const ddb_clock_t *c)
{
    return c->wall(c->baton);
}

apr_time_t ddb_clock_monotonic(const ddb_clock_t *c)
{
    return c->monotonic(c->baton);
}

void ddb_clock_sleep(const ddb_clock_t *c, apr_interval_time_t t)
{
    c->sleep(c->baton, t);
}

int ddb_clock_parse(apr_time_t *t, const char *text)
{
    struct tm when = { 0 };
    const char *rest = text && isdigit((unsigned char)*text) ? strptime(text, "%Y-%m-%dT%H:%M:%S", &when) : NULL;
    time_t seconds;

    if (!rest) {
        return 0;
    }
    if (*rest == '.') {
        rest += 1 + strspn(rest + 1, "0123456789");
    }
    if (strcmp(rest, "Z") != 0 && strcmp(rest, "UTC") != 0 && strcmp(rest, "+00:00") != 0) {
        return 0;
    }
    seconds = timegm(&when);
    *t = apr_time_from_sec(seconds);
    return seconds > 0;
}
