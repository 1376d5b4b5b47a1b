#ifndef DDB_CLOCK_H
#define DDB_CLOCK_H

#include <apr_time.h>

/**
 * The clocks of the world, handed in so that tests need no waiting. All functions are thread safe.
 * wall: microseconds since 1970 UTC, may jump. monotonic: microseconds since some start, never goes back; deadlines
 * are points on it. sleep: returns after t microseconds.
 */
typedef struct ddb_clock_t {
    apr_time_t (*wall)(void *baton);
    apr_time_t (*monotonic)(void *baton);
    void (*sleep)(void *baton, apr_interval_time_t t);
    void *baton;
} ddb_clock_t;

/** The machine's own clocks. */
extern const ddb_clock_t ddb_clock_system;

/** The current wall and monotonic time of c, microseconds. */
apr_time_t ddb_clock_wall(const ddb_clock_t *c);
apr_time_t ddb_clock_monotonic(const ddb_clock_t *c);

/** Returns after t microseconds on that clock. */
void ddb_clock_sleep(const ddb_clock_t *c, apr_interval_time_t t);

/**
 * Read a time as AWS's services and tools write it: 2026-11-23T01:02:03, perhaps a fraction, which is left out, and Z,
 * UTC or +00:00. @return 0 when text (NULL allowed) is not such a time.
 */
int ddb_clock_parse(apr_time_t *t, const char *text);

#endif
