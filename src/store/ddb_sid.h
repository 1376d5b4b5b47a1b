#ifndef DDB_SID_H
#define DDB_SID_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "base/ddb_crypto.h"

#define DDB_SID_BYTES_MIN 16 /* 128 bits; OWASP Session Management Cheat Sheet, "Session ID Entropy": at least 64 */
#define DDB_SID_BYTES_MAX 128

/**
 * The form of session IDs. An ID is base64url (RFC 4648 section 5, no padding) of `bytes` random bytes. With keys, '.'
 * and a signature follow, as made by Python's itsdangerous.Signer(keys, digest_method=digest).sign(): salt
 * "itsdangerous.Signer", key derivation django-concat, HMAC.
 */
typedef struct ddb_sid_rules_t {
    int bytes;                       /* of new IDs: DDB_SID_BYTES_MIN to _MAX */
    ddb_digest_e digest;             /* of the signature: DDB_SHA1 or DDB_SHA256 */
    const apr_array_header_t *keys;  /* const char *, oldest first; the last one signs. NULL or empty: unsigned */
    int hash;                        /* 1: the table key is a hash of the ID; 0: the ID itself, with its signature */
    const char *audience;            /* a label that the table key is bound to; needs hash. NULL: no label */
    const apr_array_header_t *older; /* int: other accepted numbers of random bytes; NULL or empty: no others */
} ddb_sid_rules_t;

/** A new ID, in p. Fails only if random or OpenSSL fails, or with APR_EINVAL if rules->bytes is out of range. */
apr_status_t ddb_sid_make(const char **sid, const ddb_sid_rules_t *rules, ddb_random_fn *random, apr_pool_t *p);

/** The ID that stands for a secret of another kind, such as the ID of a session in another store; in p. The same secret
 * and rules make the same; who does not know the secret cannot make it. Fails as ddb_sid_make. */
apr_status_t ddb_sid_derive(const char **sid, const ddb_sid_rules_t *rules, const char *secret, apr_pool_t *p);

/**
 * Check form and signature without a call to the table: exactly one of the lengths, the alphabet, canonical base64
 * (unused bits zero) in both parts, and a signature by any of the keys, compared in constant time.
 * @return APR_SUCCESS; APR_NOTFOUND for an ID that cannot be one of ours, or NULL; APR_EINVAL if rules->bytes is out of
 *         range; another status if OpenSSL fails.
 */
apr_status_t ddb_sid_check(const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p);

/**
 * The table key of a checked ID, in p: base64url (no padding) of the SHA-256 of the ID without its signature. So a
 * reader of the table cannot use a session, and signing keys can be rotated. With an audience, HMAC-SHA-256 under that
 * label replaces SHA-256: an ID has a different key for each audience. With hash 0, the key is the ID itself.
 */
apr_status_t ddb_sid_table_key(const char **key, const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p);

/**
 * The loggable form of an ID, in p: the SHA-512 of the text as received, in lower-case hex (128 characters). Accepts
 * any text. NULL only if OpenSSL fails.
 */
const char *ddb_sid_loggable(const char *sid, apr_pool_t *p);

/**
 * A mark of the user that a session belongs to, in p: base64url of the HMAC-SHA-256 of the user name, with the ID
 * (without its signature) as the key. It identifies the user only to a holder of the ID; it tells others nothing.
 */
apr_status_t ddb_sid_user_mark(const char **mark, const char *sid, const char *user, apr_pool_t *p);

#endif
