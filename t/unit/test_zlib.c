/* ddb_zlib: known checksums and streams, the way there and back, the limit to the byte, and streams that are none. */

#include <stdlib.h>

#include <apr_strings.h>

#include "base/ddb_zlib.h"
#include "tap.h"

#define BYTES(s)                                                                                                       \
    {                                                                                                                  \
        (s), sizeof(s) - 1                                                                                             \
    }

/* The values are those of Python's zlib.crc32(). */
static void test_checksums(void)
{
    char all[256];
    int i;

    for (i = 0; i < 256; i++) {
        all[i] = (char)i;
    }
    NUM_IS(ddb_zlib_crc32("", 0), 0, "the checksum of nothing is 0");
    NUM_IS(ddb_zlib_crc32(NULL, 0), 0, "nothing may be NULL");
    NUM_IS(ddb_zlib_crc32("123456789", 9), 0xcbf43926LL, "the check value of CRC-32 comes out");
    NUM_IS(ddb_zlib_crc32("{}", 2), 2745614147LL, "two bytes");
    NUM_IS(ddb_zlib_crc32("{\"Item\":{}}", 11), 49613676LL, "eleven bytes");
    NUM_IS(ddb_zlib_crc32(all, 256), 0x29058c73LL, "all bytes, a NUL first");
}

/* Exactly the bytes of a stream on the heap, so that valgrind and ASan see a read past them. */
static apr_status_t decompress(ddb_zlib_bytes_t *out, ddb_zlib_bytes_t in, apr_size_t max, apr_pool_t *p)
{
    char *copy = malloc(in.len ? in.len : 1);
    ddb_zlib_bytes_t exact = { .data = copy, .len = in.len };
    apr_status_t rv;

    if (in.len) {
        memcpy(copy, in.data, in.len);
    }
    out->data = NULL;
    out->len = 0;
    rv = ddb_zlib_decompress(out, exact, max, p);
    free(copy);
    return rv;
}

static ddb_zlib_bytes_t compressed(ddb_zlib_bytes_t in, apr_pool_t *p)
{
    ddb_zlib_bytes_t out = { 0 };

    NUM_IS(ddb_zlib_compress(&out, in, p), APR_SUCCESS, "it can be compressed");
    return out;
}

static void test_round_trip(ddb_zlib_bytes_t in, const char *name, apr_pool_t *p)
{
    ddb_zlib_bytes_t small = compressed(in, p), back;

    OK(decompress(&back, small, in.len, p) == APR_SUCCESS && back.len == in.len
           && memcmp(back.data, in.data, in.len) == 0,
       apr_psprintf(p, "%s: the same comes back", name));
    OK(back.data && back.data[in.len] == '\0', apr_psprintf(p, "%s: a NUL stands behind it", name));
    NUM_IS(decompress(&back, small, in.len + 1, p), APR_SUCCESS,
           apr_psprintf(p, "%s: a limit above it is no limit", name));
    if (in.len) {
        NUM_IS(decompress(&back, small, in.len - 1, p), DDB_ETOOLARGE,
               apr_psprintf(p, "%s: a limit a byte under it is one", name));
    }
}

static ddb_zlib_bytes_t repeated(const char *what, apr_size_t len, apr_pool_t *p)
{
    char *data = apr_palloc(p, len);
    ddb_zlib_bytes_t out = { .data = data, .len = len };
    apr_size_t i, width = strlen(what);

    for (i = 0; i < len; i++) {
        data[i] = what[i % width];
    }
    return out;
}

static ddb_zlib_bytes_t noise(apr_size_t len, apr_pool_t *p)
{
    char *data = apr_palloc(p, len);
    ddb_zlib_bytes_t out = { .data = data, .len = len };
    apr_uint32_t state = 1;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (char)(state >> 24);
    }
    return out;
}

static void test_round_trips(apr_pool_t *p)
{
    /* 4096 is the first buffer's size, and each further one's is double. */
    static const apr_size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 409600, 4 * 1024 * 1024 };
    apr_size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        test_round_trip(repeated("name=value&", sizes[i], p), apr_psprintf(p, "%ld bytes of text", (long)sizes[i]), p);
    }
    test_round_trip(noise(100000, p), "bytes at random", p);
    OK(compressed(repeated("name=value&", 4000, p), p).len < 100, "what repeats itself becomes small");
    OK(compressed(noise(4000, p), p).len > 4000, "what has no pattern becomes larger");
}

static void test_foreign(apr_pool_t *p)
{
    /* Python: zlib.compress(b"user=alice&role=admin"), and the same with level 0. */
    ddb_zlib_bytes_t python = BYTES("x\x9c+-N-\xb2M\xcc\xc9LNU+\xca\xcfI\xb5ML\xc9\xcd\xcc\x03\x00"
                                    "Y\xa9\x08\x19");
    ddb_zlib_bytes_t stored = BYTES("x\x01\x01\x15\x00\xea\xff"
                                    "user=alice&role=adminY\xa9\x08\x19");
    ddb_zlib_bytes_t out;

    NUM_IS(decompress(&out, python, 1000, p), APR_SUCCESS, "a stream that Python made is read");
    IS(out.data, "user=alice&role=admin", "its content is right");
    NUM_IS(decompress(&out, stored, 1000, p), APR_SUCCESS, "so is one that was not compressed");
    IS(out.data, "user=alice&role=admin", "its content is right too");
}

static void is_refused(ddb_zlib_bytes_t in, const char *name, apr_pool_t *p)
{
    ddb_zlib_bytes_t out;

    NUM_IS(decompress(&out, in, 1000, p), DDB_EBADITEM, name);
    OK(!out.data, "and gives nothing");
}

static void test_damaged(apr_pool_t *p)
{
    ddb_zlib_bytes_t good = compressed(repeated("user=alice&role=admin&", 500, p), p), out;
    ddb_zlib_bytes_t empty = BYTES(""), text = BYTES("user=alice&role=admin");
    ddb_zlib_bytes_t gzip = BYTES("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03+-N-\x02\x00I\xd6\x93\x8d\x04\x00\x00\x00");
    ddb_zlib_bytes_t dictionary = BYTES("x\xf9\x04m\x01\xc0+\x05"
                                        "b\xdb\xc4\x9c\xcc\xe4T\x00\x16V\x03\xfb");
    ddb_zlib_bytes_t longer, part;
    char *copy = apr_palloc(p, good.len + 1);
    int wrong = 0, accepted = 0;
    apr_size_t i;

    is_refused(empty, "nothing is no stream", p);
    is_refused(text, "text is no stream", p);
    is_refused(gzip, "gzip is another format", p);
    is_refused(dictionary, "a stream that needs a dictionary can't be read", p);
    memcpy(copy, good.data, good.len);
    copy[good.len] = 'x';
    longer.data = copy;
    longer.len = good.len + 1;
    is_refused(longer, "something behind the stream's end is refused", p);
    for (i = 0; i < good.len; i++) {
        part.data = good.data;
        part.len = i;
        wrong += decompress(&out, part, 1000, p) != DDB_EBADITEM;
    }
    NUM_IS(wrong, 0, "a stream cut short anywhere is refused");
    for (i = 0; i < 8 * good.len; i++) {
        memcpy(copy, good.data, good.len);
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
        part.data = copy;
        part.len = good.len;
        accepted += decompress(&out, part, 1000, p) == APR_SUCCESS
                    && (out.len != 500 || memcmp(out.data, repeated("user=alice&role=admin&", 500, p).data, 500) != 0);
    }
    NUM_IS(accepted, 0, "no flipped bit brings other content to light");
}

/* 100 MB of zeros in some 100 KB. */
static void test_bomb(apr_pool_t *p)
{
    ddb_zlib_bytes_t bomb = compressed(repeated("0", 100 * 1024 * 1024, p), p), out;

    OK(bomb.len < 110000, "a bomb is small");
    NUM_IS(decompress(&out, bomb, 1024 * 1024, p), DDB_ETOOLARGE, "it ends at the limit");
    OK(!out.data, "and gives nothing");
}

TAP_MAIN(p)
{
    test_checksums();
    test_round_trips(p);
    test_foreign(p);
    test_damaged(p);
    test_bomb(p);
}
