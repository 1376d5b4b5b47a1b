/* Compressed data: the input as a zlib stream, and as data to compress. */

#include "base/ddb_zlib.h"
#include "fuzz.h"

#define MAX 65536

static apr_status_t decompress(ddb_zlib_bytes_t *out, const char *in, apr_size_t len, apr_pool_t *p)
{
    ddb_zlib_bytes_t stream = { apr_pmemdup(p, in, len), len }; /* of that size, nothing behind */
    apr_status_t rv = ddb_zlib_decompress(out, stream, MAX, p);

    HOLDS(rv == APR_SUCCESS || rv == DDB_EBADITEM || rv == DDB_ETOOLARGE);
    HOLDS(rv != APR_SUCCESS || (out->len <= MAX && out->data[out->len] == '\0'));
    return rv;
}

static void comes_back(const char *data, apr_size_t len, apr_pool_t *p)
{
    ddb_zlib_bytes_t in = { data, len }, small, out;

    HOLDS(ddb_zlib_compress(&small, in, p) == APR_SUCCESS);
    HOLDS(decompress(&out, small.data, small.len, p) == APR_SUCCESS);
    HOLDS(out.len == len && memcmp(out.data, data, len) == 0);
}

/* All of a stream and nothing else. */
static void is_whole(const char *stream, apr_size_t len, apr_pool_t *p)
{
    ddb_zlib_bytes_t ignored;
    char *longer = apr_pcalloc(p, len + 1);

    memcpy(longer, stream, len);
    HOLDS(decompress(&ignored, longer, len + 1, p) == DDB_EBADITEM);
    HOLDS(decompress(&ignored, stream, len - 1, p) == DDB_EBADITEM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    const char *text = fuzz_text(data, size);
    ddb_zlib_bytes_t out;

    if (decompress(&out, text, size, p) == APR_SUCCESS) {
        is_whole(text, size, p);
        comes_back(out.data, out.len, p);
    }
    comes_back(text, size, p);
    return fuzz_end();
}
