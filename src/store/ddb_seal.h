#ifndef DDB_SEAL_H
#define DDB_SEAL_H

#include <apr_tables.h>

#include "base/ddb_crypto.h"

/*
 * Sealed data (AES-256-GCM, NIST SP 800-38D). Whoever reads the table learns nothing from it. Whoever writes to the
 * table can neither change it, nor move it to another row, nor put an older state back under a newer version: the row's
 * key, label, version and encoding are associated data.
 */

/** The keys of a place. Thread safe. */
typedef struct ddb_seal_t ddb_seal_t;

#define DDB_SEAL_CLEAR      "clear" /* in the place of a key: data that is not sealed */
#define DDB_SEAL_SECRET_MIN 32      /* characters of a key */

/**
 * keys: const char *, oldest first. All open data, and the last one seals it; DDB_SEAL_CLEAR stands for clear data
 * among them. What seals is derived from the keys, lives in p, and is wiped with it. Fails only if OpenSSL does.
 */
apr_status_t ddb_seal_create(ddb_seal_t **ps, const apr_array_header_t *keys, apr_pool_t *p);

/** 1 if all data is clear, and nothing else is read. s may be NULL. */
int ddb_seal_is_nothing(const ddb_seal_t *s);

/** 1 if data that is written is to be sealed. s may be NULL: there are no keys. */
int ddb_seal_is_on(const ddb_seal_t *s);

/** 1 if clear data may be read. s may be NULL. */
int ddb_seal_takes_clear(const ddb_seal_t *s);

/** The row that data belongs to. */
typedef struct ddb_seal_row_t {
    const char *key;      /* of the table */
    const char *audience; /* label of its sessions; NULL: none */
    const char *encoding; /* of the data, as the row names it */
    apr_int64_t version;
} ddb_seal_row_t;

/** Seal `in`, if ddb_seal_is_on; *out lives in p. nonce: DDB_SEAL_NONCE random bytes, others each time; a key may seal
 * 2^32 times. Fails only if OpenSSL does. */
apr_status_t ddb_seal_close(ddb_bytes_t *out, const ddb_seal_t *s, ddb_bytes_t in, const ddb_seal_row_t *row,
                            const unsigned char *nonce, apr_pool_t *p);

/** Undo it; *out lives in p, with a NUL behind it. s may be NULL.
 * @return APR_NOTFOUND if no key opens it in this row; other failures are OpenSSL's. */
apr_status_t ddb_seal_open(ddb_bytes_t *out, const ddb_seal_t *s, ddb_bytes_t in, const ddb_seal_row_t *row,
                           apr_pool_t *p);

#endif
