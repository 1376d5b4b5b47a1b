#ifndef DDB_REPLY_H
#define DDB_REPLY_H

#include <apr_pools.h>

#include "base/ddb_error.h"
#include "base/ddb_json.h"
#include "base/ddb_json_pull.h"

/* What every reply of DynamoDB may hold, whatever was asked: an error, and the capacity that the call consumed. */

typedef struct ddb_reply_t {
    const char *body; /* in the pool of the call; also of an error reply that is an answer (DDB_ECONFLICT) */
    apr_size_t len;
    apr_int64_t consumed; /* half capacity units, of a read; 0: not reported */
} ddb_reply_t;

/** Half capacity units that a reply, already read, reports; 0: it does not. */
apr_int64_t ddb_reply_capacity(const ddb_json_t *reply);

/** The same of a reply that is being read, up to the value of its first member ConsumedCapacity, which is read here.
 * @return 0 if it is a number that ddb_reply_capacity has to read. */
int ddb_reply_pull_capacity(ddb_json_pull_t *r, apr_int64_t *halves);

/** The same of the text of a reply. */
apr_int64_t ddb_reply_consumed(const char *in, apr_size_t len, apr_pool_t *p);

/**
 * Turn an error reply into a status word; fills err->type and http_status, and detail from its message cut short and
 * made printable. Falls back to the HTTP status for a body that is no JSON.
 */
apr_status_t ddb_reply_parse_error(int http_status, const char *in, apr_size_t len, apr_pool_t *p, ddb_error_t *err);

/** 1 when err, as ddb_reply_parse_error filled it, is of the key that encrypts the table and of no permission for the
 * table itself. */
int ddb_reply_is_of_kms(const ddb_error_t *err);

#endif
