#ifndef DDB_SIGV4_H
#define DDB_SIGV4_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "base/ddb_error.h"

/**
 * AWS Signature Version 4 (AWS IAM User Guide, "Create a signed AWS API request"), header form. libcurl's own signer
 * is not used: on the versions that distributions ship it signs neither token nor target, or breaks when a header is
 * removed.
 */
typedef struct ddb_credentials_t {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /* NULL for long-term keys */
    apr_time_t expires;        /* 0: never */
    const char *account_id;    /* as the provider tells it, unchecked; NULL: unknown */
    const char *provider;      /* its name, a constant; NULL: fixed credentials */
    apr_uint32_t generation;   /* of their ddb_creds_t: each answer of its chain has another; 0: of none */
} ddb_credentials_t;

typedef struct ddb_sigv4_request_t {
    const char *method, *host;  /* host: lower case, with the port if it is not the scheme's default */
    const char *path, *query;   /* already canonical; query "" without a query */
    const apr_table_t *headers; /* signed, all of them, beside host, x-amz-date and x-amz-security-token */
    const char *body;
    apr_size_t body_len;
    const char *region, *service;
} ddb_sigv4_request_t;

/**
 * Derived signing keys, kept per thread-safe cache: one HMAC less chain per request. NULL is allowed where a cache is
 * taken: the key is derived each time. Wiped with its pool.
 */
typedef struct ddb_sigv4_cache_t ddb_sigv4_cache_t;
apr_status_t ddb_sigv4_cache_create(ddb_sigv4_cache_t **pc, apr_pool_t *p);

/** The keys, the time (microseconds since 1970, corrected for clock skew by the caller), and the cache or NULL. */
typedef struct ddb_sigv4_signer_t {
    const ddb_credentials_t *credentials;
    apr_time_t now;
    ddb_sigv4_cache_t *cache;
} ddb_sigv4_signer_t;

/** Add Authorization, X-Amz-Date and, with a token, X-Amz-Security-Token to out. Values live in p. */
apr_status_t ddb_sigv4_sign(apr_table_t *out, const ddb_sigv4_request_t *req, const ddb_sigv4_signer_t *signer,
                            apr_pool_t *p);

/* The steps, in order, as the specification names them; public for t/unit. headers: all signed ones. */
apr_status_t ddb_sigv4_canonical_request(const char **out, const char **signed_headers, const ddb_sigv4_request_t *req,
                                         const apr_table_t *headers, apr_pool_t *p);
apr_status_t ddb_sigv4_string_to_sign(const char **out, const char *canonical_request, const char *scope,
                                      const char *timestamp, apr_pool_t *p);

#endif
