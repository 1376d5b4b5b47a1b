/* ddb_seal: what is sealed is opened with its keys, in its row, and nowhere else. */

#include <string.h>

#include <apr_strings.h>

#include "store/ddb_seal.h"
#include "tap.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define K1       "1111111111111111111111111111111111111111"
#define K2       "2222222222222222222222222222222222222222"
#define DATA     "user=alice&role=editor"

static const ddb_seal_row_t row = { .key = "row-key", .audience = "shop", .encoding = "sealed", .version = 7 };
static const ddb_bytes_t data = { DATA, sizeof(DATA) - 1 };

static ddb_seal_t *keys(apr_pool_t *p, const char *first, const char *second)
{
    apr_array_header_t *all = apr_array_make(p, 2, sizeof(const char *));
    ddb_seal_t *s = NULL;

    if (first) {
        APR_ARRAY_PUSH(all, const char *) = first;
    }
    if (second) {
        APR_ARRAY_PUSH(all, const char *) = second;
    }
    return ddb_seal_create(&s, all, p) == APR_SUCCESS ? s : NULL;
}

static const unsigned char *fresh(apr_pool_t *p)
{
    unsigned char *nonce = apr_palloc(p, DDB_SEAL_NONCE);

    ddb_crypto_random(nonce, DDB_SEAL_NONCE);
    return nonce;
}

static ddb_bytes_t sealed_with(const ddb_seal_t *s, apr_pool_t *p)
{
    ddb_bytes_t out = { NULL, 0 };

    return ddb_seal_close(&out, s, data, &row, fresh(p), p) == APR_SUCCESS ? out : (ddb_bytes_t){ NULL, 0 };
}

/* 1 when s opens it in that row, as what it was. */
static int opens(const ddb_seal_t *s, ddb_bytes_t sealed, const ddb_seal_row_t *in, apr_pool_t *p)
{
    ddb_bytes_t out;
    apr_status_t rv = ddb_seal_open(&out, s, sealed, in, p);

    if (rv != APR_SUCCESS && (rv != APR_NOTFOUND || out.len != 0)) {
        return -1;
    }
    return rv == APR_SUCCESS && out.len == data.len && memcmp(out.data, data.data, out.len + 1) == 0;
}

/* As Python makes it, with cryptography:
 * key = hmac.digest(K1, b'session-dynamodb seal', 'sha256')
 * nonce = bytes(range(12))
 * bound = b'session-dynamodb seal\nsealed\nrow-key\n7\nshop'
 * nonce + AESGCM(key).encrypt(nonce, DATA, bound) */
static void test_vector(apr_pool_t *p)
{
    static const unsigned char nonce[DDB_SEAL_NONCE] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    ddb_bytes_t out;

    NUM_IS(ddb_seal_close(&out, keys(p, K1, NULL), data, &row, nonce, p), APR_SUCCESS, "data is sealed");
    IS(ddb_crypto_hex(p, out.data, out.len),
       "000102030405060708090a0b2f129d905f83ffcfb49834c644a1ebbd457c59ee58a0860a6378fc0e5bc9b9578f1bd4f7f093",
       "as by another program that knows the key");
}

static void test_keys(apr_pool_t *p)
{
    const ddb_seal_t *one = keys(p, K1, NULL), *two = keys(p, K1, K2), *next = keys(p, K2, NULL);
    ddb_bytes_t by_one = sealed_with(one, p), by_two = sealed_with(two, p);

    NUM_IS(by_one.len, data.len + DDB_SEAL_MORE, "sealed data is longer by nonce and tag");
    OK(!memmem(by_one.data, by_one.len, "alice", 5), "nobody can read it");
    OK(memcmp(by_one.data, sealed_with(one, p).data, by_one.len) != 0, "and it is another one each time");
    NUM_IS(opens(one, by_one, &row, p), 1, "its key opens it");
    NUM_IS(opens(keys(p, K1, NULL), by_one, &row, p), 1, "in another process, too");
    NUM_IS(opens(two, by_one, &row, p), 1, "an older key among several opens what it sealed");
    NUM_IS(opens(two, by_two, &row, p), 1, "and the newest what it sealed");
    NUM_IS(opens(next, by_two, &row, p), 1, "which is the last one");
    NUM_IS(opens(one, by_two, &row, p), 0, "not the first");
    NUM_IS(opens(next, by_one, &row, p), 0, "another key opens nothing");
    NUM_IS(opens(NULL, by_one, &row, p), 0, "nor does none");
}

static void test_clear(apr_pool_t *p)
{
    const ddb_seal_t *before = keys(p, K1, DDB_SEAL_CLEAR), *while_changing = keys(p, DDB_SEAL_CLEAR, K1);
    const ddb_seal_t *after = keys(p, K1, NULL), *never = keys(p, DDB_SEAL_CLEAR, NULL);
    ddb_bytes_t sealed = sealed_with(after, p);

    OK(!ddb_seal_is_on(NULL) && ddb_seal_takes_clear(NULL) && ddb_seal_is_nothing(NULL), "without keys data is clear");
    OK(!ddb_seal_is_on(never) && ddb_seal_takes_clear(never) && ddb_seal_is_nothing(never),
       "and so with 'clear' alone");
    OK(!ddb_seal_is_on(before) && ddb_seal_takes_clear(before) && !ddb_seal_is_nothing(before),
       "'clear' as the newest key does not seal");
    OK(ddb_seal_is_on(while_changing) && ddb_seal_takes_clear(while_changing), "an older 'clear' is read only");
    OK(ddb_seal_is_on(after) && !ddb_seal_takes_clear(after), "without 'clear' nothing clear is read");
    NUM_IS(opens(before, sealed, &row, p), 1, "sealed data is opened beside 'clear'");
    NUM_IS(opens(while_changing, sealed, &row, p), 1, "whichever is the newest");
    NUM_IS(opens(never, sealed, &row, p), 0, "not by 'clear' alone");
}

static void test_rows(apr_pool_t *p)
{
    const ddb_seal_row_t others[] = {
        { .key = "row-kez", .audience = "shop", .encoding = "sealed", .version = 7 },
        { .key = "row-key", .audience = "shoq", .encoding = "sealed", .version = 7 },
        { .key = "row-key", .audience = NULL, .encoding = "sealed", .version = 7 },
        { .key = "row-key", .audience = "shop", .encoding = "deflate sealed", .version = 7 },
        { .key = "row-key", .audience = "shop", .encoding = "sealed", .version = 8 },
        { .key = "row-key", .audience = "shop", .encoding = "sealed", .version = 6 },
        { .key = "row-key\n7", .audience = "shop", .encoding = "sealed", .version = 7 },
    };
    const ddb_seal_t *s = keys(p, K1, NULL);
    ddb_bytes_t sealed = sealed_with(s, p);
    int i, opened = 0;

    for (i = 0; i < COUNT(others); i++) {
        opened += opens(s, sealed, &others[i], p) != 0;
    }
    NUM_IS(opened, 0, "another row, label, encoding or version, newer or older, opens nothing");
}

static void test_changes(apr_pool_t *p)
{
    const ddb_seal_t *s = keys(p, K1, NULL);
    ddb_bytes_t sealed = sealed_with(s, p);
    char *bytes = memcpy(apr_pcalloc(p, sealed.len + 1), sealed.data, sealed.len);
    ddb_bytes_t changed = { bytes, sealed.len };
    apr_size_t i, opened = 0;

    for (i = 0; i < 8 * sealed.len; i++) {
        bytes[i / 8] ^= (char)(1 << i % 8);
        opened += opens(s, changed, &row, p) != 0;
        bytes[i / 8] ^= (char)(1 << i % 8);
    }
    NUM_IS(opened, 0, "a changed bit, wherever it is, opens nothing");
    for (i = 0; i < sealed.len; i++) {
        opened += opens(s, (ddb_bytes_t){ bytes, i }, &row, p) != 0;
        opened += opens(s, (ddb_bytes_t){ bytes + i + 1, sealed.len - i - 1 }, &row, p) != 0;
    }
    NUM_IS(opened, 0, "nor does what is cut at either end");
    changed.len++;
    NUM_IS(opens(s, changed, &row, p), 0, "nor what is longer");
    NUM_IS(opens(s, data, &row, p), 0, "nor what was never sealed");
    NUM_IS(opens(s, sealed, &row, p), 1, "it is opened as it was");
}

static void test_edges(apr_pool_t *p)
{
    const ddb_seal_t *s = keys(p, K1, NULL);
    ddb_bytes_t out, empty = { "", 0 };

    NUM_IS(ddb_seal_close(&out, s, empty, &row, fresh(p), p), APR_SUCCESS, "nothing can be sealed");
    NUM_IS(ddb_seal_open(&out, s, out, &row, p), APR_SUCCESS, "and opened");
    OK(out.len == 0 && out.data && *(const char *)out.data == '\0', "as nothing, with a NUL behind");
    OK(!ddb_seal_is_on(keys(p, NULL, NULL)), "an empty list seals nothing");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_vector, test_keys, test_clear, test_rows, test_changes, test_edges);
}
