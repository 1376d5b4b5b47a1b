#ifndef MSD_COUNTS_H
#define MSD_COUNTS_H

#include <httpd.h>

#include "base/ddb_count.h"

/*
 * The counters of each table (ddb_count), of all child processes. They belong to the process of httpd, not to its
 * configuration: a restart goes on with them, because the children of the last configuration still count while they
 * serve their last requests. A module that counts something else begins anew (DDB_COUNT_LAYOUT, version).
 */

/** One table, as the labels of metrics name it. Virtual hosts that agree in all of these share it. */
typedef struct msd_counts_table_t {
    const char *table, *region, *endpoint;
    const char *profile;   /* "": the default one */
    int is_one_of_several; /* 1: another one has the same table and region */
    int used;              /* 1: SessionDynamoDB is On in some host of it */
    ddb_count_t *count;
} msd_counts_table_t;

/** Those of one configuration; set in all servers' records. */
typedef struct msd_counts_t {
    apr_time_t started;         /* when counting began, wall clock */
    apr_array_header_t *tables; /* msd_counts_table_t */
} msd_counts_t;

/**
 * Find or create the counters of all tables, before fork, and set them in the servers' records. p is the
 * configuration's pool. @return a failure if some are missing: their records have NULL, and count nothing.
 */
apr_status_t msd_counts_prepare(server_rec *main_server, apr_pool_t *p);

/** In a child process, after fork. */
void msd_counts_child(const server_rec *main_server);

/** Groups of events that are counted together, for those who show them. */
typedef struct msd_counts_event_t {
    const char *event, *reason; /* words of docs/events.md */
} msd_counts_event_t;

/** The event of this number, from 0; NULL behind the last. */
const msd_counts_event_t *msd_counts_event(int number);

/** Count n times an event of a session of s. Reasons of `failed` that have no number are "other". */
void msd_counts_add_event(const server_rec *s, const char *event, const char *reason, apr_uint64_t n);

/** The number of those counted in one table. */
apr_uint64_t msd_counts_events(const ddb_count_t *count, int number);

/** The sum of one counter over all tables. */
apr_uint64_t msd_counts_sum(const msd_counts_t *counts, ddb_counted_e what);

#endif
