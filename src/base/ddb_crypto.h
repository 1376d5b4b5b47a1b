#ifndef DDB_CRYPTO_H
#define DDB_CRYPTO_H

#include <apr_pools.h>

#include "base/ddb_error.h"

/* The only room that knows libcrypto, of OpenSSL. Every function is thread safe. Bytes to text: APR's apr_encode.h. */

#define DDB_SHA1_BYTES   20
#define DDB_SHA256_BYTES 32
#define DDB_SHA512_BYTES 64
#define DDB_DIGEST_MAX   DDB_SHA512_BYTES

typedef enum ddb_digest_e { DDB_SHA1, DDB_SHA256, DDB_SHA512 } ddb_digest_e;

/** The version of OpenSSL that runs, such as 3.0.19. A constant. */
const char *ddb_crypto_version(void);

/** Length in bytes of a digest or MAC made with alg. */
apr_size_t ddb_crypto_size(ddb_digest_e alg);

/** out has room for ddb_crypto_size(alg) bytes. Fails only if OpenSSL does. */
apr_status_t ddb_crypto_digest(ddb_digest_e alg, unsigned char *out, const void *in, apr_size_t len);

typedef struct ddb_bytes_t {
    const void *data;
    apr_size_t len;
} ddb_bytes_t;

/** HMAC (RFC 2104); out as above. */
apr_status_t ddb_crypto_hmac(ddb_digest_e alg, unsigned char *out, ddb_bytes_t key, ddb_bytes_t in);

/**
 * A key that OpenSSL keeps, ready for HMAC after HMAC; nobody else has it. Made for p and wiped with it. One thread at
 * a time.
 */
typedef struct ddb_hmac_t ddb_hmac_t;
apr_status_t ddb_crypto_hmac_create(ddb_hmac_t **ph, ddb_digest_e alg, ddb_bytes_t key, apr_pool_t *p);

/** HMAC with the key of h; out as above. */
apr_status_t ddb_crypto_hmac_again(ddb_hmac_t *h, unsigned char *out, ddb_bytes_t in);

/**
 * The digest of a beginning that many texts share, worked out once. Made for p and wiped with it; the beginning itself
 * is not kept. One thread at a time.
 */
typedef struct ddb_prefix_t ddb_prefix_t;
apr_status_t ddb_crypto_prefix_create(ddb_prefix_t **pp, ddb_digest_e alg, apr_pool_t *p);

/** From now on texts begin with these len bytes. After a failure it has to be set anew before it is used. */
apr_status_t ddb_crypto_prefix_set(ddb_prefix_t *prefix, const void *beginning, apr_size_t len);

/** The digest of the beginning followed by these len bytes; out as above. */
apr_status_t ddb_crypto_prefix_digest(ddb_prefix_t *prefix, unsigned char *out, const void *rest, apr_size_t len);

/**
 * Digests of texts that mostly begin like the one before: their first DDB_CRYPTO_BLOCK bytes are kept, and worked out
 * only when they change. Made for p and wiped with it. One thread at a time.
 */
#define DDB_CRYPTO_BLOCK 64 /* bytes: what SHA-1 and SHA-256 work on at a time */
typedef struct ddb_repeated_t ddb_repeated_t;
apr_status_t ddb_crypto_repeated_create(ddb_repeated_t **pr, ddb_digest_e alg, apr_pool_t *p);

/** As ddb_crypto_digest. */
apr_status_t ddb_crypto_repeated_digest(ddb_repeated_t *r, unsigned char *out, const void *in, apr_size_t len);

/** Fill out with len unpredictable bytes. The type is what rooms take, so that tests can script it. */
typedef apr_status_t ddb_random_fn(void *out, apr_size_t len);
apr_status_t ddb_crypto_random(void *out, apr_size_t len);

/** 1 when both are the same len bytes; takes the same time wherever they differ. */
int ddb_crypto_equal(const void *a, const void *b, apr_size_t len);

/** Overwrite len bytes; the compiler may not drop it. */
void ddb_crypto_wipe(void *mem, apr_size_t len);

/** Copy a secret into p; the copy is wiped when p is cleared. NULL gives NULL. */
const char *ddb_crypto_secret_dup(apr_pool_t *p, const char *secret);

#define DDB_SEAL_KEY   32 /* bytes */
#define DDB_SEAL_NONCE 12 /* bytes */
#define DDB_SEAL_MORE  28 /* bytes by which what is sealed is longer: nonce and tag */

/**
 * Seal bytes (AES-256-GCM): nobody without key can read or change them. out has room for in.len + DDB_SEAL_MORE.
 * bound is not in it: the same has to be given to unseal. random: for the nonce; a key may seal 2^32 times.
 * Fails only if random or OpenSSL does. out and in do not overlap.
 */
apr_status_t ddb_crypto_seal(unsigned char *out, const unsigned char *key, ddb_bytes_t in, ddb_bytes_t bound,
                             ddb_random_fn *random);

/** Undo it. out has room for in.len - DDB_SEAL_MORE, and is wiped on failure. @return APR_NOTFOUND for bytes that were
 * not sealed with this key and bound; APR_EGENERAL if OpenSSL has no AES-256-GCM. */
apr_status_t ddb_crypto_unseal(unsigned char *out, const unsigned char *key, ddb_bytes_t in, ddb_bytes_t bound);

/**
 * A key that OpenSSL keeps, ready to seal and unseal again and again, which saves most of the cost. Made for p, and
 * wiped with it. Thread safe.
 */
typedef struct ddb_cipher_t ddb_cipher_t;
apr_status_t ddb_crypto_cipher_create(ddb_cipher_t **pc, const unsigned char *key, apr_pool_t *p);

/** As ddb_crypto_seal and ddb_crypto_unseal; nonce: DDB_SEAL_NONCE random bytes, others each time. */
apr_status_t ddb_crypto_cipher_seal(unsigned char *out, ddb_cipher_t *c, const unsigned char *nonce, ddb_bytes_t in,
                                    ddb_bytes_t bound);
apr_status_t ddb_crypto_cipher_unseal(unsigned char *out, ddb_cipher_t *c, ddb_bytes_t in, ddb_bytes_t bound);

/** The algorithms of signatures (RFC 7518 section 3.1): ECDSA on P-256 with SHA-256, RSASSA-PKCS1-v1_5 with SHA-256. */
typedef enum ddb_signature_e { DDB_ES256, DDB_RS256 } ddb_signature_e;

#define DDB_P256_BYTES     32  /* of a coordinate, and of each half of a signature */
#define DDB_RSA_LEAST      256 /* bytes of a modulus: 2048 bits, as RFC 7518 section 3.3 demands */
#define DDB_RSA_MOST       512
#define DDB_PUBLIC_KEY_MAX DDB_RSA_MOST

/** A public key, as numbers without a sign, most significant byte first. */
typedef struct ddb_public_key_t {
    ddb_signature_e alg;
    unsigned char bytes[DDB_PUBLIC_KEY_MAX]; /* ES256: x and y; RS256: the modulus, whose exponent is 65537 */
    apr_size_t len;                          /* ES256: 2 * DDB_P256_BYTES; RS256: DDB_RSA_LEAST to DDB_RSA_MOST */
} ddb_public_key_t;

/**
 * Verify a signature in the form of RFC 7518: ES256: r and s, of DDB_P256_BYTES each (section 3.4); RS256: as long as
 * the modulus (section 3.3). @return APR_NOTFOUND if it is not that of these bytes by this key, or the key is none,
 * such as a point that is not on the curve; APR_EGENERAL if OpenSSL does not know the algorithm.
 */
apr_status_t ddb_crypto_verify(const ddb_public_key_t *key, ddb_bytes_t signature, ddb_bytes_t in);

/** Lower case hex of in, in p. */
const char *ddb_crypto_hex(apr_pool_t *p, const void *in, apr_size_t len);

/** The same, 2 * len characters at to, without a NUL. */
void ddb_crypto_hex_to(char *to, const void *in, apr_size_t len);

#endif
