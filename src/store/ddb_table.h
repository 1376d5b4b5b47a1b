#ifndef DDB_TABLE_H
#define DDB_TABLE_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "aws/ddb_client.h"
#include "base/ddb_json.h"

/** The table itself: checking that it suits the store, and creating it. Thread safe. */
typedef struct ddb_table_t {
    ddb_client_t *client;
    const ddb_clock_t *clock;    /* the client's, for deadlines and waits */
    const char *name;            /* or ARN */
    apr_interval_time_t timeout; /* of one call, microseconds */
} ddb_table_t;

/** A request body that names the table, in p. */
ddb_json_t *ddb_table_body(const ddb_table_t *t, apr_pool_t *p);

/** One API call; *reply is the parsed reply, in p, or NULL after a failure. */
apr_status_t ddb_table_call(const ddb_table_t *t, const char *operation, const char *body, ddb_json_t **reply,
                            apr_pool_t *p, ddb_error_t *err);

typedef enum ddb_finding_e {
    DDB_GOOD,
    DDB_DOUBT, /* works, but not as well as it could; or unknown */
    DDB_WRONG  /* sessions cannot be stored correctly */
} ddb_finding_e;

/** The result of one check. Strings live in the pool of the call. */
typedef struct ddb_finding_t {
    const char *about; /* "table", "key", "ttl", or the IAM action, such as "dynamodb:GetItem" */
    ddb_finding_e is;
    int unseen;       /* 1: a doubt only because the check was not possible: the credentials do not allow it, or the
                         service does not know it */
    const char *text; /* a sentence: the finding, and the remedy */
} ddb_finding_t;

/**
 * Check the table for every possible fault: missing or not active, wrong key, time to live off or on another attribute,
 * and each permission that sessions need. The calls change nothing: writes have a condition that fails, and consume one
 * write unit each. findings: ddb_finding_t, in p. *description: what DescribeTable tells of the table, in p; NULL when
 * it was not to be had; the pointer to it may be NULL.
 * @return APR_SUCCESS if the check is complete, whatever it found; otherwise a failure to reach the service.
 */
apr_status_t ddb_table_check(const ddb_table_t *t, apr_array_header_t **findings, const ddb_json_t **description,
                             apr_pool_t *p, ddb_error_t *err);

/** Add a finding. text is kept as it is. */
void ddb_table_found(apr_array_header_t *findings, const char *about, ddb_finding_e is, const char *text);

/** Add a finding that nobody could check. */
void ddb_table_unseen(apr_array_header_t *findings, const char *about, const char *text);

/** 1 when err is of an action that the policy does not allow, and not of the credentials. */
int ddb_table_is_forbidden(const ddb_error_t *err);

/** 1 if the check found that the table does not exist. */
int ddb_table_is_missing(const apr_array_header_t *findings);

/**
 * Create the table (key id of type S, on-demand capacity), wait up to `patience` microseconds until it is active, and
 * enable time to live. An existing table is left unchanged, except that time to live is enabled if it is off.
 * *had_it: 1 if the table existed; *ttl: 0 if the service does not support time to live (some local ones).
 * @return APR_SUCCESS; APR_TIMEUP if the table did not become active in time; any other failure.
 */
apr_status_t ddb_table_create(const ddb_table_t *t, apr_interval_time_t patience, int *had_it, int *ttl, apr_pool_t *p,
                              ddb_error_t *err);

#endif
