#ifndef MSD_GAUGES_H
#define MSD_GAUGES_H

#include <httpd.h>

/*
 * What each child process says of itself as it is now, in shared memory: words of 32 bits, each written by its child
 * alone. A child that dies, however it dies, is no longer counted: only those that httpd's scoreboard has are. After a
 * graceful restart these are the children of the new configuration.
 */
typedef struct msd_gauges_t msd_gauges_t;

typedef enum msd_gauge_e {
    MSD_GAUGE_QUEUE,    /* writes in the queue; number 0 only */
    MSD_GAUGE_BREAKER,  /* ddb_breaker_state_e; 0: there is none */
    MSD_GAUGE_PROVIDER, /* number of the credentials' provider, from 1; 0: there are no credentials */
    MSD_GAUGE_EXPIRES,  /* seconds since 1970; 0: never */
    MSD_GAUGES
} msd_gauge_e;

/** For child processes with up to n things of each kind, such as circuit breakers. Before fork; lives as long as p. */
apr_status_t msd_gauges_create(msd_gauges_t **pg, int n, apr_pool_t *p);

/** In a child process, after fork: take a place. Does nothing when g is NULL. */
void msd_gauges_claim(msd_gauges_t *g);

/** This child's word: number from 0. NULL when the child has no place, or number is too high. */
volatile apr_uint32_t *msd_gauges_word(msd_gauges_t *g, msd_gauge_e what, int number);

/** The children that run: their places (int) in p. Not in a signal handler. */
apr_array_header_t *msd_gauges_places(const msd_gauges_t *g, apr_pool_t *p);

/** The numbers there are of each kind. 0 when g is NULL. */
int msd_gauges_numbers(const msd_gauges_t *g);

/** A word of the child in that place. */
apr_uint32_t msd_gauges_read(const msd_gauges_t *g, int place, msd_gauge_e what, int number);

#endif
