#ifndef DDB_ZLIB_H
#define DDB_ZLIB_H

#include <apr_pools.h>

#include "base/ddb_error.h"

typedef struct ddb_zlib_bytes_t {
    const char *data;
    apr_size_t len;
} ddb_zlib_bytes_t;

/** CRC-32 as zlib and gzip have it (ISO 3309), which is that of x-amz-crc32. */
apr_uint32_t ddb_zlib_crc32(const char *data, apr_size_t len);

/** in as a zlib stream (RFC 1950), in p. @return APR_ENOMEM. */
apr_status_t ddb_zlib_compress(ddb_zlib_bytes_t *out, ddb_zlib_bytes_t in, apr_pool_t *p);

/**
 * The content of a zlib stream, in p, with a NUL added behind it.
 * @return DDB_ETOOLARGE when it has more than max bytes: that much is looked at, not more; DDB_EBADITEM for what is no
 *         stream, ends early, goes on behind its end, or has a wrong checksum; APR_ENOMEM.
 */
apr_status_t ddb_zlib_decompress(ddb_zlib_bytes_t *out, ddb_zlib_bytes_t in, apr_size_t max, apr_pool_t *p);

#endif
