/* zlib: checksum, compression, and decompression that ends at a limit. */

#include <string.h>

#include <zlib.h>

#include "base/ddb_zlib.h"

#define FIRST_BUFFER 4096 /* doubled until the content fits */

apr_uint32_t ddb_zlib_crc32(const char *data, apr_size_t len)
{
    return (apr_uint32_t)crc32_z(0, (const Bytef *)data, len);
}

apr_status_t ddb_zlib_compress(ddb_zlib_bytes_t *out, ddb_zlib_bytes_t in, apr_pool_t *p)
{
    uLongf len = compressBound(in.len);
    Bytef *data = apr_palloc(p, len);

    /* With a buffer of compressBound() memory is all that can be short. */
    if (compress2(data, &len, (const Bytef *)in.data, in.len, Z_DEFAULT_COMPRESSION) != Z_OK) {
        return APR_ENOMEM;
    }
    out->data = (const char *)data;
    out->len = len;
    return APR_SUCCESS;
}

/* Twice the room, in p; at most one byte over max, which tells too much from just enough. */
static char *grow(z_stream *z, char *buffer, apr_size_t *size, apr_size_t max, apr_pool_t *p)
{
    apr_size_t used = *size, more = used ? 2 * used : FIRST_BUFFER;
    char *bigger;

    more = more <= max ? more : max + 1;
    bigger = apr_palloc(p, more + 1); /* and the NUL */
    if (used) {
        memcpy(bigger, buffer, used);
    }
    z->next_out = (Bytef *)bigger + used;
    z->avail_out = (uInt)(more - used);
    *size = more;
    return bigger;
}

apr_status_t ddb_zlib_decompress(ddb_zlib_bytes_t *out, ddb_zlib_bytes_t in, apr_size_t max, apr_pool_t *p)
{
    z_stream z;
    apr_size_t size = 0;
    char *buffer = NULL;
    int rc;

    memset(&z, 0, sizeof(z));
    z.next_in = (Bytef *)in.data;
    z.avail_in = (uInt)in.len;
    if (inflateInit(&z) != Z_OK) {
        return APR_ENOMEM;
    }
    do {
        buffer = grow(&z, buffer, &size, max, p);
        rc = inflate(&z, Z_NO_FLUSH);
    } while (rc == Z_OK && z.avail_out == 0 && size <= max);
    inflateEnd(&z);
    out->len = size - z.avail_out;
    if (out->len > max) {
        return DDB_ETOOLARGE;
    }
    if (rc != Z_STREAM_END || z.avail_in) {
        return rc == Z_MEM_ERROR ? APR_ENOMEM : DDB_EBADITEM;
    }
    buffer[out->len] = '\0';
    out->data = buffer;
    return APR_SUCCESS;
}
