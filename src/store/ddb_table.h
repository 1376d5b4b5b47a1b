#ifndef DDB_TABLE_H
#define DDB_TABLE_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "aws/ddb_client.h"
#include "base/ddb_json.h"

/** The table itself: checking that it meets the needs of the store, and creating it. Thread safe. */
typedef struct ddb_table_t {
    ddb_client_t *client;
    const ddb_clock_t *clock;    /* for deadlines, which are the client's, and to wait by */
    const char *name;            /* or ARN */
    apr_interval_time_t timeout; /* microseconds, of one call */
} ddb_table_t;

/** The body of a call, which names the table, in p. */
ddb_json_t *ddb_table_body(const ddb_table_t *t, apr_pool_t *p);

/** One API call, its reply parsed, in p. Of a failure *reply is NULL. */
apr_status_t ddb_table_call(const ddb_table_t *t, const char *operation, const char *body, ddb_json_t **reply,
                            apr_pool_t *p, ddb_error_t *err);

typedef enum ddb_finding_e {
    DDB_GOOD,
    DDB_DOUBT, /* works, but not as well as it could; or unknown */
    DDB_WRONG  /* sessions cannot be stored properly */
} ddb_finding_e;

/** One finding. Strings live in the pool of the call. */
typedef struct ddb_finding_t {
    const char *about; /* "table", "key", "ttl", or the IAM action, such as "dynamodb:GetItem" */
    ddb_finding_e is;
    int unseen;       /* 1: a doubt only because the check is not permitted */
    const char *text; /* a sentence: the finding, and what to do about it */
} ddb_finding_t;

/**
 * Check the table: missing or not active, another key, time to live off or on another attribute, and each permission
 * that sessions need, with calls that change nothing (writes with a condition that fails; one write unit each).
 * findings: ddb_finding_t, in p.
 * @return APR_SUCCESS when the check is complete, whatever it found; a failure to reach the service.
 */
apr_status_t ddb_table_check(const ddb_table_t *t, apr_array_header_t **findings, apr_pool_t *p, ddb_error_t *err);

/** 1 when the findings say that the table is missing. */
int ddb_table_is_missing(const apr_array_header_t *findings);

/**
 * Create the table (key id of type S, on-demand capacity), wait up to `patience` microseconds until it is active, and
 * enable time to live. An existing table is left unchanged, except that time to live is enabled if it is off.
 * @return APR_SUCCESS; *had_it is 1 when the table existed, *ttl 0 when the service does not support time to live
 *         (some local ones); APR_TIMEUP when it did not become active in time; else a failure.
 */
apr_status_t ddb_table_create(const ddb_table_t *t, apr_interval_time_t patience, int *had_it, int *ttl, apr_pool_t *p,
                              ddb_error_t *err);

#endif
