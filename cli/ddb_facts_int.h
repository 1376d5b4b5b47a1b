#ifndef DDB_FACTS_INT_H
#define DDB_FACTS_INT_H

#include "ddb_facts.h"

/* Shared by the files of ddb_facts. */

/** A run. */
typedef struct ddb_facts_t {
    const ddb_facts_opts_t *o;
    ddb_observer_t observer;
    ddb_client_t *client;     /* as httpd has it */
    ddb_client_t *once;       /* the same, but for retries and for the correction of the clock */
    ddb_facts_sum_t *sum;     /* its prefix is of this run's keys */
    apr_array_header_t *keys; /* const char *, of rows that may be there */
    ddb_fact_t *fact;         /* the one that is tried */
    /* the last call */
    apr_status_t rv;
    ddb_error_t err;
    ddb_json_t *reply; /* also of a failed condition; NULL: none */
    apr_pool_t *pool;
    apr_pool_t *scratch; /* of the fact */
} ddb_facts_t;

typedef void ddb_facts_probe_fn(ddb_facts_t *f);

/* --- calls --- */

/** A table key of this run, in its pool. Its row is deleted in the end. */
const char *ddb_facts_key(ddb_facts_t *f, const char *name);

/** A request for a row, with its capacity. part: "Key" or "Item", which has an expiry then. */
ddb_json_t *ddb_facts_body(ddb_facts_t *f, const char *part, const char *key);

/** An update of a row, which may be missing: SET attribute = :v, and an expiry. :v is the caller's. */
ddb_json_t *ddb_facts_update(ddb_facts_t *f, const char *key, const char *attribute);

/** One call of that client; f has the result. @return f->rv. */
apr_status_t ddb_facts_send(ddb_facts_t *f, ddb_client_t *client, const char *operation, const char *body);
apr_status_t ddb_facts_call(ddb_facts_t *f, const char *operation, const ddb_json_t *body);

/** Write a row with that attribute (name NULL: none). @return f->rv. */
apr_status_t ddb_facts_put(ddb_facts_t *f, const char *key, const char *name, const char *type, const char *value);

/** Read a row consistently. @return f->rv; the item is f->reply's. */
apr_status_t ddb_facts_get(ddb_facts_t *f, const char *key);

/** A client of the run with other options; NULL after a failure of the machine. */
ddb_client_t *ddb_facts_client(ddb_facts_t *f, const ddb_client_opts_t *o);

/** 1 when nothing more is to be tried. */
int ddb_facts_is_stopped(const ddb_facts_t *f);

/* --- results --- */

void ddb_facts_yes(ddb_facts_t *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ddb_facts_no(ddb_facts_t *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ddb_facts_untried(ddb_facts_t *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Yes or no, with the same words; instead of no as ddb_facts_failed, where the last call failed for a reason that
 * passes. */
void ddb_facts_judge(ddb_facts_t *f, int yes, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Nothing was seen, because a call that a probe needs did not succeed. */
void ddb_facts_failed(ddb_facts_t *f);

/** The last call in a word: "200", or the error's name. */
const char *ddb_facts_outcome(const ddb_facts_t *f);

/* --- probes, in the order of their table --- */

ddb_facts_probe_fn ddb_facts_request_id, ddb_facts_all_old, ddb_facts_capacity, ddb_facts_capacity_permission,
    ddb_facts_capacity_units, ddb_facts_conditions, ddb_facts_strong_read, ddb_facts_item_size, ddb_facts_key_size,
    ddb_facts_numbers, ddb_facts_empty_data, ddb_facts_utf8, ddb_facts_reserved_words;
ddb_facts_probe_fn ddb_facts_unsigned_headers, ddb_facts_no_signature, ddb_facts_wrong_signature, ddb_facts_unknown_key,
    ddb_facts_clock, ddb_facts_missing_table, ddb_facts_ttl, ddb_facts_account_endpoint, ddb_facts_tls,
    ddb_facts_http11, ddb_facts_throttling, ddb_facts_date, ddb_facts_crc32;

#endif
