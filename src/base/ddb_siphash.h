#ifndef DDB_SIPHASH_H
#define DDB_SIPHASH_H

#include <apr.h>

/*
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012): a hash of short input that nobody can
 * predict without the key. For tables in memory, where an HMAC would cost many times as much.
 */

#define DDB_SIPHASH_KEY 16 /* bytes */

/** The hash of len bytes of data. */
apr_uint64_t ddb_siphash(const unsigned char key[DDB_SIPHASH_KEY], const void *data, apr_size_t len);

#endif
