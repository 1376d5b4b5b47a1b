/* SipHash-2-4. The names are those of its definition. */

#include "base/ddb_siphash.h"

typedef struct state_t {
    apr_uint64_t v0, v1, v2, v3;
} state_t;

static apr_uint64_t rotate(apr_uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void rounds(state_t *s, int n)
{
    for (; n > 0; n--) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32) + s->v3;
        s->v2 += s->v1;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
    }
}

/** Up to eight bytes as a number, the first one lowest. */
static apr_uint64_t word_of(const unsigned char *bytes, apr_size_t len)
{
    apr_uint64_t word = 0;

    while (len) {
        word = word << 8 | bytes[--len];
    }
    return word;
}

static void add(state_t *s, apr_uint64_t m)
{
    s->v3 ^= m;
    rounds(s, 2);
    s->v0 ^= m;
}

apr_uint64_t ddb_siphash(const unsigned char key[DDB_SIPHASH_KEY], const void *data, apr_size_t len)
{
    const apr_uint64_t k0 = word_of(key, 8), k1 = word_of(key + 8, 8);
    state_t s = { .v0 = k0 ^ APR_UINT64_C(0x736f6d6570736575),
                  .v1 = k1 ^ APR_UINT64_C(0x646f72616e646f6d),
                  .v2 = k0 ^ APR_UINT64_C(0x6c7967656e657261),
                  .v3 = k1 ^ APR_UINT64_C(0x7465646279746573) };
    const unsigned char *bytes = data;
    apr_size_t left;

    for (left = len; left >= 8; left -= 8, bytes += 8) {
        add(&s, word_of(bytes, 8));
    }
    add(&s, (apr_uint64_t)len << 56 | word_of(bytes, left));
    s.v2 ^= 0xff;
    rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
