#ifndef DDB_SIGV4_INT_H
#define DDB_SIGV4_INT_H

#include "aws/ddb_sigv4.h"

/* Between the files of ddb_sigv4. */

#define DDB_SIGV4_ALGORITHM     "AWS4-HMAC-SHA256"
#define DDB_SIGV4_TIMESTAMP_LEN 16 /* YYYYMMDDTHHMMSSZ */

/** The four names that a signing key is made from and that are written in each signature. */
typedef struct ddb_sigv4_scope_t {
    char date[9]; /* YYYYMMDD */
    const char *region, *service;
    const char *name; /* date/region/service/aws4_request */
} ddb_sigv4_scope_t;

/** A request on its way to a signature. Both texts end with a hash, in hex. */
typedef struct ddb_sigv4_steps_t {
    char timestamp[DDB_SIGV4_TIMESTAMP_LEN + 1];
    ddb_sigv4_scope_t scope;
    const char *canonical_request, *signed_headers;
    const char *string_to_sign;
} ddb_sigv4_steps_t;

apr_status_t ddb_sigv4_take_steps(ddb_sigv4_steps_t *steps, const ddb_sigv4_request_t *req,
                                  const ddb_sigv4_signer_t *signer, apr_pool_t *p);

/** DDB_SIGV4_TIMESTAMP_LEN characters and a NUL; the first eight digits are the date of the scope, always. */
void ddb_sigv4_print_timestamp(char *text, apr_time_t now);

/** key: DDB_SHA256_BYTES, which the caller wipes. */
apr_status_t ddb_sigv4_derive_key(unsigned char *key, const char *secret, const ddb_sigv4_scope_t *scope,
                                  apr_pool_t *p);

/** The header's value; it ends with the signature. */
const char *ddb_sigv4_authorization(const char *access_key_id, const ddb_sigv4_steps_t *steps, const char *signature,
                                    apr_pool_t *p);

#endif
