#ifndef DDB_CREDS_REPLY_H
#define DDB_CREDS_REPLY_H

#include "aws/ddb_sigv4.h"
#include "base/ddb_json.h"

/* Credentials as services and programs give them out: a JSON object whose members each names in its own way. */

typedef struct ddb_creds_shape_t {
    const char *source; /* in errors: "the instance metadata service" */
    const char *access_key_id, *secret_access_key, *session_token, *expires,
        *account_id;    /* names of the members; NULL: not in the reply */
    int token_needed;   /* 1: the reply is invalid without a session token */
    int expires_needed; /* 1: likewise without a time of expiry */
} ddb_creds_shape_t;

/**
 * Read text as a JSON object. text is overwritten, whatever comes of it, and the object is wiped with p.
 * @return DDB_EBADREPLY
 */
apr_status_t ddb_creds_reply_parse(ddb_json_t **obj, char *text, apr_size_t len, apr_pool_t *p);

/**
 * Fill out from an object, copied into p and wiped with it. The time of expiry is text (ISO 8601 with a time zone) or a
 * number of milliseconds since 1970.
 * @return DDB_EBADREPLY with a detail that names the source and the member: one that is missing, empty, no text, or no
 *         time.
 */
apr_status_t ddb_creds_reply_read(ddb_credentials_t *out, const ddb_json_t *obj, const ddb_creds_shape_t *shape,
                                  apr_pool_t *p, ddb_error_t *err);

/** @return DDB_EBADREPLY when they have expired already at now. */
apr_status_t ddb_creds_reply_check_time(const ddb_credentials_t *c, apr_time_t now, const char *source,
                                        ddb_error_t *err);

/** What a service says of itself for an error: at most 60 characters, each printable, in p. NULL gives "". */
const char *ddb_creds_reply_printable(const char *text, apr_pool_t *p);

#endif
