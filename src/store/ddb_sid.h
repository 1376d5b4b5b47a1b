#ifndef DDB_SID_H
#define DDB_SID_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "base/ddb_crypto.h"

#define DDB_SID_BYTES_MIN 16 /* OWASP Session Management Cheat Sheet, "Session ID Entropy": well over its 64 bits */
#define DDB_SID_BYTES_MAX 128

/**
 * How session IDs look where they are made or checked. An ID is base64url (RFC 4648 section 5, no padding) of `bytes`
 * random bytes; with keys, '.' and a signature follow, the same as Python's itsdangerous.Signer(keys,
 * digest_method=digest).sign() makes: salt "itsdangerous.Signer", key derivation django-concat, HMAC.
 */
typedef struct ddb_sid_rules_t {
    int bytes;                       /* of new IDs: DDB_SID_BYTES_MIN to _MAX */
    ddb_digest_e digest;             /* of the signature: DDB_SHA1 or DDB_SHA256 */
    const apr_array_header_t *keys;  /* const char *, oldest first; NULL or empty: unsigned. The last one signs. */
    int hash;                        /* 1: the table key is a hash of the ID; 0: the ID itself, with its signature */
    const char *audience;            /* a label that the table key is bound to; NULL: no label. Needs hash */
    const apr_array_header_t *older; /* int: further lengths that are accepted; NULL or empty: no others */
} ddb_sid_rules_t;

/** A new ID in p. Fails only if random or OpenSSL does. */
apr_status_t ddb_sid_make(const char **sid, const ddb_sid_rules_t *rules, ddb_random_fn *random, apr_pool_t *p);

/**
 * Check form and signature without any look at the table: one of the lengths exactly, alphabet, canonical base64
 * (unused bits zero) of both parts, and a signature by any of the keys, compared in constant time.
 * @return APR_SUCCESS, or APR_NOTFOUND for an ID that can't be one of ours; another status if OpenSSL fails.
 */
apr_status_t ddb_sid_check(const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p);

/**
 * The table key of a checked ID, in p: base64url (no padding) of the SHA-256 of the ID without its signature, so that a
 * reader of the table cannot use a session and keys can be rotated. With an audience it is the HMAC-SHA-256 under that
 * label, so that the same ID has another key for every audience. With hash 0 it is the ID as it is.
 */
apr_status_t ddb_sid_table_key(const char **key, const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p);

/**
 * What may be logged of an ID: the SHA-512 of the text as received, in lower case hex (128 characters), in p. Any text
 * will do. NULL only if OpenSSL fails.
 */
const char *ddb_sid_loggable(const char *sid, apr_pool_t *p);

/**
 * A mark of the user to whom a session belongs, in p: base64url of HMAC-SHA-256 with the ID (without its signature) as
 * the key over the user name. It distinguishes users for a holder of the ID and is useless to anyone else.
 */
apr_status_t ddb_sid_user_mark(const char **mark, const char *sid, const char *user, apr_pool_t *p);

#endif
