#ifndef DDB_SIGV4_H
#define DDB_SIGV4_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "aws/ddb_endpoint.h"
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

/** The keys, and the time: microseconds since 1970, corrected for clock skew by the caller. */
typedef struct ddb_sigv4_signer_t {
    const ddb_credentials_t *credentials;
    apr_time_t now;
} ddb_sigv4_signer_t;

/** Add Authorization, X-Amz-Date and, with a token, X-Amz-Security-Token to out. Values live in p. */
apr_status_t ddb_sigv4_sign(apr_table_t *out, const ddb_sigv4_request_t *req, const ddb_sigv4_signer_t *signer,
                            apr_pool_t *p);

/* The steps, in order, as the specification names them; public for t/unit. headers: all signed ones. */
apr_status_t ddb_sigv4_canonical_request(const char **out, const char **signed_headers, const ddb_sigv4_request_t *req,
                                         const apr_table_t *headers, apr_pool_t *p);
apr_status_t ddb_sigv4_string_to_sign(const char **out, const char *canonical_request, const char *scope,
                                      const char *timestamp, apr_pool_t *p);

/* --- many requests of one form --- */

/** What all requests of a client have in common: a POST for "/". */
typedef struct ddb_sigv4_form_t {
    const char *service;
    const char *content_type, *target; /* signed; target: X-Amz-Target up to the operation */
    const char *unsigned_lines;        /* further lines of the head, each with its CR LF: what proxies may rewrite */
} ddb_sigv4_form_t;

/**
 * Slots: each has all that is the same for the credentials of one generation on one day (UTC), above all the signing
 * key, which OpenSSL keeps: the secret is not needed again. A slot serves one thread at a time, and there are as many
 * as threads have signed at the same time; those of other generations and days go when they are met. Thread safe.
 */
typedef struct ddb_sigv4_slots_t ddb_sigv4_slots_t;

/** form is copied, its strings must outlive p. Keys and tokens are wiped with p. */
apr_status_t ddb_sigv4_slots_create(ddb_sigv4_slots_t **ps, const ddb_sigv4_form_t *form, apr_pool_t *p);

typedef struct ddb_sigv4_post_t {
    const char *operation;
    const char *body;
    apr_size_t body_len;
    apr_time_t now; /* as of a signer */
} ddb_sigv4_post_t;

/** Whose request it is and where it goes. endpoint: that of the credentials' account. */
typedef struct ddb_sigv4_sender_t {
    const ddb_credentials_t *credentials;
    const ddb_endpoint_t *endpoint;
} ddb_sigv4_sender_t;

/** A signed request as it is sent (RFC 9112). */
typedef struct ddb_sigv4_message_t {
    char *text;               /* head, empty line, body */
    apr_size_t head_len, len; /* head_len: with the empty line */
    int has_token;            /* 1: a session token is in the head, which the caller wipes */
    const char *url;
    const char *access_key_id, *provider; /* of the credentials */
} ddb_sigv4_message_t;

/**
 * Write a request with credentials of that generation, all in p.
 * @return APR_NOTFOUND when no free slot knows them, and always for generation 0: ddb_sigv4_write_anew does it then.
 *         A failure is OpenSSL's.
 */
apr_status_t ddb_sigv4_write(ddb_sigv4_message_t *out, ddb_sigv4_slots_t *slots, apr_uint32_t generation,
                             const ddb_sigv4_post_t *post, apr_pool_t *p);

/** The same with a new slot, which others use after. @return APR_EINVAL when there is a line break in the sender. */
apr_status_t ddb_sigv4_write_anew(ddb_sigv4_message_t *out, ddb_sigv4_slots_t *slots, const ddb_sigv4_sender_t *sender,
                                  const ddb_sigv4_post_t *post, apr_pool_t *p);

#endif
