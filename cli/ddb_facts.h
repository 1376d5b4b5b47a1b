#ifndef DDB_FACTS_H
#define DDB_FACTS_H

#include "ddb_observer.h"
#include "store/ddb_table.h"

/*
 * The assumptions of docs/unverified.md that a program can try on a table: each has an identifier, which that page
 * names. Calls are made one after the other, on rows of this run alone, which are deleted in the end whatever happened;
 * they have a time to live of an hour in case they are not.
 */

typedef enum ddb_fact_e {
    DDB_FACT_YES,    /* as assumed */
    DDB_FACT_NO,     /* seen to be otherwise */
    DDB_FACT_UNTRIED /* nothing was seen */
} ddb_fact_e;

typedef struct ddb_fact_t {
    const char *id;    /* as in docs/unverified.md */
    const char *claim; /* what is assumed; constants both */
    ddb_fact_e is;
    const char *observed; /* or why nothing was; printable, in the pool of the run */
    char request_id[64];  /* of the reply that decided it; "" without one */
} ddb_fact_t;

/** A run. Strings must outlive it. */
typedef struct ddb_facts_opts_t {
    ddb_client_opts_t client; /* what all clients of the run have in common */
    ddb_credentials_t credentials;
    const char *table;
    apr_interval_time_t timeout; /* of one call */
    apr_time_t deadline;         /* of the whole run, but for the deletion of its rows; on the clock's monotonic time */
    int own;                     /* 1: the table is of this run, so that its capacity may be changed */
    const char *account_id;      /* of the caller; NULL: unknown */
    const char *only;            /* one identifier; NULL: all */
    volatile apr_uint32_t *stop; /* not 0: no other assumption is tried; as of ddb_rows_t */
    void (*found)(void *baton, const ddb_fact_t *fact);
    void *baton;
} ddb_facts_opts_t;

/** What a run comes to. */
typedef struct ddb_facts_sum_t {
    int left;                              /* rows that could not be deleted */
    const char *prefix;                    /* what their keys begin with, in the pool of the run */
    apr_int64_t read_halves, write_halves; /* capacity, in halves of a unit, as the replies state it */
} ddb_facts_sum_t;

/**
 * Try them, and tell found of each.
 * @return APR_SUCCESS whatever was found; APR_EINTR when it was stopped; a failure of the first call, such as one of
 *         the credentials, with which nothing can be tried.
 */
apr_status_t ddb_facts_run(const ddb_facts_opts_t *o, ddb_facts_sum_t *sum, apr_pool_t *p, ddb_error_t *err);

#endif
