/* ddb_crypto: published vectors, failures that leave nothing behind, secrets that are wiped. */

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/ddb_crypto.h"
#include "tap.h"

#define MESSAGE_448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

static const struct {
    ddb_digest_e alg;
    const char *in, *want, *name;
} digest_vectors[] = {
    /* FIPS 180-4 and its example values; the empty message as the CAVP byte vectors have it */
    { DDB_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d", "FIPS 180-4 SHA-1, one block" },
    { DDB_SHA1, MESSAGE_448, "84983e441c3bd26ebaae4aa1f95129e5e54670f1", "FIPS 180-4 SHA-1, two blocks" },
    { DDB_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "CAVP SHA-1, empty message" },
    { DDB_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "FIPS 180-4 SHA-256, one block" },
    { DDB_SHA256, MESSAGE_448, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      "FIPS 180-4 SHA-256, two blocks" },
    { DDB_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "CAVP SHA-256, empty message" },
    { DDB_SHA512, "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      "FIPS 180-4 SHA-512, one block" },
    { DDB_SHA512, "",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
      "CAVP SHA-512, empty message" },
};

static const struct {
    ddb_digest_e alg;
    char key_byte; /* the key is key_len of these, or counts up from 1 when key is "+", or is key */
    int key_len;
    const char *key, *in;
    char in_byte; /* the text is 50 of these when in is NULL */
    const char *want, *name;
} hmac_vectors[] = {
    { DDB_SHA1, 0x0b, 20, NULL, "Hi There", 0, "b617318655057264e28bc0b6fb378c8ef146be00", "RFC 2202 case 1" },
    { DDB_SHA1, 0, 4, "Jefe", "what do ya want for nothing?", 0, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
      "RFC 2202 case 2" },
    { DDB_SHA1, '\xaa', 20, NULL, NULL, '\xdd', "125d7342b9ac11cd91a39af48aa17b4f63f175d3", "RFC 2202 case 3" },
    { DDB_SHA1, 0, 25, "+", NULL, '\xcd', "4c9007f4026250c6bc8414f9bf50c86c2d7235da", "RFC 2202 case 4" },
    { DDB_SHA1, '\xaa', 80, NULL, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
      "aa4ae5e15272d00e95705637ce8a3b55ed402112", "RFC 2202 case 6" },
    { DDB_SHA256, 0x0b, 20, NULL, "Hi There", 0, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      "RFC 4231 case 1, SHA-256" },
    { DDB_SHA256, 0, 4, "Jefe", "what do ya want for nothing?", 0,
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "RFC 4231 case 2, SHA-256" },
    { DDB_SHA256, '\xaa', 20, NULL, NULL, '\xdd', "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      "RFC 4231 case 3, SHA-256" },
    { DDB_SHA256, 0, 25, "+", NULL, '\xcd', "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
      "RFC 4231 case 4, SHA-256" },
    { DDB_SHA256, '\xaa', 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "RFC 4231 case 6, SHA-256" },
    { DDB_SHA256, '\xaa', 131, NULL,
      "This is a test using a larger than block-size key and a larger than block-size data. "
      "The key needs to be hashed before being used by the HMAC algorithm.",
      0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2", "RFC 4231 case 7, SHA-256" },
    { DDB_SHA512, 0x0b, 20, NULL, "Hi There", 0,
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
      "RFC 4231 case 1, SHA-512" },
    { DDB_SHA512, '\xaa', 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
      "RFC 4231 case 6, SHA-512" },
};

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static void test_digest(apr_pool_t *p)
{
    unsigned char out[DDB_DIGEST_MAX + 1];
    int i, spilt = 0;

    for (i = 0; i < COUNT(digest_vectors); i++) {
        ddb_digest_e alg = digest_vectors[i].alg;
        const char *in = digest_vectors[i].in;
        memset(out, 0x5a, sizeof(out));
        if (ddb_crypto_digest(alg, out, in, strlen(in)) != APR_SUCCESS) {
            memset(out, 0, sizeof(out));
        }
        IS(ddb_crypto_hex(p, out, ddb_crypto_size(alg)), digest_vectors[i].want, digest_vectors[i].name);
        spilt += out[ddb_crypto_size(alg)] != 0x5a;
    }
    NUM_IS(spilt, 0, "a digest fills exactly its size");
    OK(ddb_crypto_digest(DDB_SHA256, out, NULL, 0) == APR_SUCCESS
           && !strcmp(ddb_crypto_hex(p, out, 32), digest_vectors[5].want),
       "nothing at no address is the empty message");
    ddb_crypto_digest(DDB_SHA1, out, "a\0b", 3);
    IS(ddb_crypto_hex(p, out, 20), "4a3dec2d1f8245280855c42db0ee4239f917fdb8", "a NUL is a byte as any other");
}

static ddb_bytes_t hmac_key(int i, char *buf)
{
    ddb_bytes_t key = { .data = buf, .len = (apr_size_t)hmac_vectors[i].key_len };
    int j;

    if (hmac_vectors[i].key && hmac_vectors[i].key[0] != '+') {
        key.data = hmac_vectors[i].key;
    }
    for (j = 0; j < hmac_vectors[i].key_len; j++) {
        buf[j] = hmac_vectors[i].key ? (char)(j + 1) : hmac_vectors[i].key_byte;
    }
    return key;
}

#define EMPTY_HMAC "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"

static void test_hmac(apr_pool_t *p)
{
    unsigned char out[DDB_DIGEST_MAX];
    char key_buf[256], in_buf[50];
    ddb_bytes_t in, none = { NULL, 0 };
    int i;

    for (i = 0; i < COUNT(hmac_vectors); i++) {
        memset(in_buf, hmac_vectors[i].in_byte, sizeof(in_buf));
        in.data = hmac_vectors[i].in ? hmac_vectors[i].in : in_buf;
        in.len = hmac_vectors[i].in ? strlen(hmac_vectors[i].in) : sizeof(in_buf);
        memset(out, 0, sizeof(out));
        ddb_crypto_hmac(hmac_vectors[i].alg, out, hmac_key(i, key_buf), in);
        IS(ddb_crypto_hex(p, out, ddb_crypto_size(hmac_vectors[i].alg)), hmac_vectors[i].want, hmac_vectors[i].name);
    }
    NUM_IS(ddb_crypto_hmac(DDB_SHA256, out, none, none), APR_SUCCESS, "HMAC with nothing for key and text");
    IS(ddb_crypto_hex(p, out, 32), EMPTY_HMAC, "is that of an empty key and an empty text");
}

/* By turns with short, empty and long texts: an HMAC must not go on from the one before. */
static void test_kept_hmac(apr_pool_t *p)
{
    unsigned char out[DDB_DIGEST_MAX], again[DDB_DIGEST_MAX];
    char key_buf[256], text[300];
    ddb_bytes_t none = { NULL, 0 };
    ddb_hmac_t *h;
    int i, j, wrong = 0;

    memset(text, 't', sizeof(text));
    for (i = 0; i < COUNT(hmac_vectors); i++) {
        ddb_digest_e alg = hmac_vectors[i].alg;
        ddb_bytes_t key = hmac_key(i, key_buf);

        wrong += ddb_crypto_hmac_create(&h, alg, key, p) != APR_SUCCESS;
        for (j = 0; j < 30; j++) {
            ddb_bytes_t in = { .data = text, .len = j % 3 ? (apr_size_t)j * 10 : 0 };

            wrong += ddb_crypto_hmac(alg, out, hmac_key(i, key_buf), in) != APR_SUCCESS;
            memset(key_buf, 0, sizeof(key_buf)); /* the key is OpenSSL's alone */
            wrong += ddb_crypto_hmac_again(h, again, in) != APR_SUCCESS;
            wrong += memcmp(out, again, ddb_crypto_size(alg)) != 0;
        }
    }
    NUM_IS(wrong, 0, "a key that is kept makes HMAC after HMAC as if it were given each time");
    NUM_IS(ddb_crypto_hmac_create(&h, DDB_SHA256, none, p), APR_SUCCESS, "an empty key can be kept");
    NUM_IS(ddb_crypto_hmac_again(h, out, none), APR_SUCCESS, "for nothing");
    IS(ddb_crypto_hex(p, out, 32), EMPTY_HMAC, "which has its HMAC");
}

static void test_prefix(apr_pool_t *p)
{
    unsigned char out[DDB_DIGEST_MAX], want[DDB_DIGEST_MAX];
    ddb_digest_e algs[] = { DDB_SHA1, DDB_SHA256, DDB_SHA512 };
    ddb_prefix_t *prefix;
    char text[260];
    int i, begin, len, wrong = 0;

    for (i = 0; i < (int)sizeof(text); i++) {
        text[i] = (char)i;
    }
    for (i = 0; i < COUNT(algs); i++) {
        wrong += ddb_crypto_prefix_create(&prefix, algs[i], p) != APR_SUCCESS;
        for (begin = 0; begin < 140; begin += 7) {
            wrong += ddb_crypto_prefix_set(prefix, text, (apr_size_t)begin) != APR_SUCCESS;
            /* The same beginning, whatever followed it before. */
            for (len = begin; len < (int)sizeof(text); len += 13) {
                ddb_crypto_digest(algs[i], want, text, (apr_size_t)len);
                wrong += ddb_crypto_prefix_digest(prefix, out, text + begin, (apr_size_t)(len - begin)) != APR_SUCCESS;
                wrong += memcmp(out, want, ddb_crypto_size(algs[i])) != 0;
            }
        }
    }
    NUM_IS(wrong, 0, "a digest from a beginning that is kept is that of the whole");
}

static void test_repeated(apr_pool_t *p)
{
    static const int changed_at[] = { -1, 0, -1, 63, 63, 64, -1, 200 }; /* a byte of the text; -1: as before */
    unsigned char out[DDB_DIGEST_MAX], want[DDB_DIGEST_MAX];
    ddb_digest_e algs[] = { DDB_SHA1, DDB_SHA256, DDB_SHA512 };
    ddb_repeated_t *r;
    char text[260];
    int i, j, len, wrong = 0;

    memset(text, 'x', sizeof(text));
    for (i = 0; i < COUNT(algs); i++) {
        wrong += ddb_crypto_repeated_create(&r, algs[i], p) != APR_SUCCESS;
        for (len = 0; len <= (int)sizeof(text); len++) {
            for (j = 0; j < COUNT(changed_at); j++) {
                text[changed_at[j] < 0 ? 0 : changed_at[j]] ^= changed_at[j] < 0 ? 0 : 1;
                ddb_crypto_digest(algs[i], want, text, (apr_size_t)len);
                wrong += ddb_crypto_repeated_digest(r, out, text, (apr_size_t)len) != APR_SUCCESS;
                wrong += memcmp(out, want, ddb_crypto_size(algs[i])) != 0;
            }
        }
    }
    NUM_IS(wrong, 0, "the digest of a text is its own, whether it begins like the one before or not");
}

/* No algorithm of OpenSSL's default provider has the property asked for here: fetching fails, as it does on a machine
 * whose OpenSSL is set up wrong. Digests and HMAC are fetched once per process: this is for one that has fetched none
 * yet. */
static void test_failure(void)
{
    unsigned char out[DDB_DIGEST_MAX];
    ddb_bytes_t bytes = { .data = "x", .len = 1 };
    ddb_prefix_t *prefix;
    ddb_repeated_t *repeated;
    char text[100] = "";
    ddb_hmac_t *h;
    unsigned long mine;
    apr_pool_t *p;

    apr_pool_create(&p, NULL);
    EVP_set_default_properties(NULL, "nobody=has_this");
    OK(ddb_crypto_digest(DDB_SHA256, out, "x", 1) != APR_SUCCESS, "a digest that OpenSSL can't make is a failure");
    OK(ddb_crypto_hmac(DDB_SHA256, out, bytes, bytes) != APR_SUCCESS, "an HMAC that OpenSSL can't make is a failure");
    OK(ddb_crypto_hmac_create(&h, DDB_SHA256, bytes, p) != APR_SUCCESS && !h, "nor can a key be kept then");
    OK(ddb_crypto_prefix_create(&prefix, DDB_SHA256, p) != APR_SUCCESS
           || ddb_crypto_prefix_set(prefix, "x", 1) != APR_SUCCESS,
       "nor a beginning");
    OK(ddb_crypto_repeated_create(&repeated, DDB_SHA256, p) != APR_SUCCESS
           || ddb_crypto_repeated_digest(repeated, out, text, sizeof(text)) != APR_SUCCESS,
       "nor one that repeats");
    NUM_IS(ERR_peek_error(), 0, "a failure leaves nothing in the thread's error queue");

    ERR_raise(ERR_LIB_USER, 42);
    mine = ERR_peek_error();
    ddb_crypto_digest(DDB_SHA256, out, "x", 1);
    OK(mine != 0 && ERR_peek_last_error() == mine, "a failure leaves what others have in the queue");
    EVP_set_default_properties(NULL, "");
    NUM_IS(ddb_crypto_digest(DDB_SHA256, out, "x", 1), APR_SUCCESS, "and so does a success");
    OK(ERR_get_error() == mine && ERR_get_error() == 0, "which may come after a failure");
    NUM_IS(ddb_crypto_hmac(DDB_SHA256, out, bytes, bytes), APR_SUCCESS, "for HMAC as well");
    /* Nothing is known of its contexts in this process, as with an OpenSSL whose contexts do not restart. */
    test_kept_hmac(p);
    apr_pool_destroy(p);
}

/* In a process of its own; its checks are the first ones. */
static void run_apart(void (*test)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        test();
        fflush(stdout);
        _exit(tap_failed ? 255 : tap_count);
    }
    waitpid(child, &status, 0);
    tap_count = WEXITSTATUS(status);
    OK(child > 0 && WIFEXITED(status) && tap_count < 255, "all of these hold in a process of their own");
}

static void test_fetched(apr_pool_t *p)
{
    unsigned char out[DDB_DIGEST_MAX];
    ddb_bytes_t none = { 0 };

    EVP_set_default_properties(NULL, "nobody=has_this");
    NUM_IS(ddb_crypto_digest(DDB_SHA256, out, "abc", 3), APR_SUCCESS, "a digest used before is not looked for again");
    IS(ddb_crypto_hex(p, out, 32), digest_vectors[3].want, "and is the same");
    NUM_IS(ddb_crypto_hmac(DDB_SHA256, out, none, none), APR_SUCCESS, "neither is HMAC");
    IS(ddb_crypto_hex(p, out, 32), EMPTY_HMAC, "which is the same, too");
    EVP_set_default_properties(NULL, "");
}

static void test_random(void)
{
    unsigned char a[64] = { 0 }, b[64] = { 0 }, seen[256] = { 0 };
    int i, j, different = 0;

    OK(ddb_crypto_random(a, sizeof(a)) == APR_SUCCESS && ddb_crypto_random(b, sizeof(b)) == APR_SUCCESS,
       "random bytes are made");
    OK(memcmp(a, b, sizeof(a)) != 0, "two calls give different bytes");
    for (i = 0; i < 100; i++) {
        ddb_crypto_random(a, sizeof(a));
        for (j = 0; j < (int)sizeof(a); j++) {
            different += !seen[a[j]]++;
        }
    }
    /* 6,400 bytes miss a given value with probability 2^-36. */
    NUM_IS(different, 256, "every value of a byte comes up");
    a[63] = 7;
    OK(ddb_crypto_random(a, 0) == APR_SUCCESS && a[63] == 7, "no bytes asked, none written");
    OK(ddb_crypto_random(a, (apr_size_t)1 << 40) != APR_SUCCESS, "more than OpenSSL's int can say is refused");
}

static void test_equal(void)
{
    char a[40], b[40];
    int i, wrong = 0;

    memset(a, 'a', sizeof(a));
    memcpy(b, a, sizeof(b));
    OK(ddb_crypto_equal(a, b, sizeof(a)), "same bytes are equal");
    for (i = 0; i < (int)sizeof(b); i++) {
        b[i] ^= 1;
        wrong += ddb_crypto_equal(a, b, sizeof(a)) != 0;
        b[i] ^= 1;
    }
    NUM_IS(wrong, 0, "one bit anywhere makes them differ");
    OK(ddb_crypto_equal(a, "other", 0), "nothing equals nothing");
}

/* apr_pool_clear frees the copy, so its wiping can be seen only by who runs right after it: cleanups run last in, first
 * out, and this one is registered before. */
static struct {
    const char *copy;
    int wiped;
} witness;

static apr_status_t look(void *copies)
{
    static const char zeros[6];
    (void)copies;
    witness.wiped = witness.copy && !memcmp(witness.copy, zeros, sizeof(zeros));
    return APR_SUCCESS;
}

static void test_secrets(apr_pool_t *p)
{
    apr_pool_t *scope;
    char mem[16], text[] = "secret";

    memset(mem, 'k', sizeof(mem));
    ddb_crypto_wipe(mem, 15);
    OK(mem[0] == 0 && mem[14] == 0 && mem[15] == 'k', "wipe overwrites as many bytes as it is told");

    apr_pool_create(&scope, p);
    apr_pool_cleanup_register(scope, &witness, look, apr_pool_cleanup_null);
    witness.copy = ddb_crypto_secret_dup(scope, text);
    IS(witness.copy, "secret", "a secret is copied");
    OK(witness.copy != text, "the copy is another place");
    apr_pool_clear(scope);
    OK(witness.wiped, "the copy is wiped when its pool is cleared");
    OK(ddb_crypto_secret_dup(scope, NULL) == NULL, "no secret, no copy");
    IS(ddb_crypto_secret_dup(scope, ""), "", "an empty secret is one");
    apr_pool_destroy(scope);
}

static void test_hex(apr_pool_t *p)
{
    IS(ddb_crypto_hex(p, "\x00\x01\x7f\x80\xab\xff", 6), "00017f80abff", "hex is lower case, two digits a byte");
    IS(ddb_crypto_hex(p, "", 0), "", "hex of nothing is empty");
}

/* --- sealed bytes --- */

static const unsigned char gcm_key[DDB_SEAL_KEY] = { 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                                     0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                                     0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08 };
#define GCM_NONCE "cafebabefacedbaddecaf888"
#define GCM_BOUND "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_TEXT                                                                                                       \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657" \
    "ba637b39"
#define GCM_SEALED                                                                                                     \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a" \
    "bcc9f662"
#define GCM_TAG "76fc6ece0f4e1768cddf8853bb2d551b"

static ddb_bytes_t bytes_of(apr_pool_t *p, const char *hex)
{
    apr_size_t len = strlen(hex) / 2, i;
    unsigned char *out = apr_palloc(p, len + 1);
    unsigned int byte;

    for (i = 0; i < len; i++) {
        sscanf(hex + 2 * i, "%2x", &byte);
        out[i] = (unsigned char)byte;
    }
    return (ddb_bytes_t){ out, len };
}

static apr_status_t gcm_nonce(void *out, apr_size_t len)
{
    static const unsigned char nonce[] = { 0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88 };

    memcpy(out, nonce, len < sizeof(nonce) ? len : sizeof(nonce));
    return len == sizeof(nonce) ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t no_nonce(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_EGENERAL;
}

static void test_seal(apr_pool_t *p)
{
    ddb_bytes_t text = bytes_of(p, GCM_TEXT), bound = bytes_of(p, GCM_BOUND), sealed, changed;
    unsigned char *out = apr_palloc(p, text.len + DDB_SEAL_MORE), *back = apr_palloc(p, text.len + 1);
    unsigned char other[DDB_SEAL_KEY], *one;
    apr_size_t i;
    int wrong = 0, left = 0;

    NUM_IS(ddb_crypto_seal(out, gcm_key, text, bound, gcm_nonce), APR_SUCCESS, "bytes are sealed");
    IS(ddb_crypto_hex(p, out, text.len + DDB_SEAL_MORE), GCM_NONCE GCM_SEALED GCM_TAG,
       "as in test case 16 of the GCM specification");
    sealed = (ddb_bytes_t){ out, text.len + DDB_SEAL_MORE };
    NUM_IS(ddb_crypto_unseal(back, gcm_key, sealed, bound), APR_SUCCESS, "... and opened");
    OK(memcmp(back, text.data, text.len) == 0, "... as they were");
    for (i = 0; i < sealed.len; i++) {
        one = apr_pmemdup(p, out, sealed.len);
        one[i] ^= 1;
        changed = (ddb_bytes_t){ one, sealed.len };
        wrong += ddb_crypto_unseal(back, gcm_key, changed, bound) != APR_NOTFOUND;
        left += memcmp(back, text.data, 8) == 0;
        changed = (ddb_bytes_t){ out, i };
        wrong += ddb_crypto_unseal(back, gcm_key, changed, bound) != APR_NOTFOUND;
    }
    NUM_IS(wrong, 0, "no changed bit and no missing byte goes unnoticed");
    NUM_IS(left, 0, "... and nothing of them is left");
    memcpy(other, gcm_key, sizeof(other));
    other[31] ^= 1;
    NUM_IS(ddb_crypto_unseal(back, other, sealed, bound), APR_NOTFOUND, "another key does not open them");
    bound.len--;
    NUM_IS(ddb_crypto_unseal(back, gcm_key, sealed, bound), APR_NOTFOUND,
           "nor does something else that they are bound to");
    NUM_IS(ddb_crypto_seal(out, gcm_key, text, bound, no_nonce), APR_EGENERAL,
           "without random bytes nothing is sealed");
    text.len = bound.len = 0;
    NUM_IS(ddb_crypto_seal(out, gcm_key, text, bound, gcm_nonce), APR_SUCCESS, "nothing can be sealed, too");
    NUM_IS(ddb_crypto_unseal(back, gcm_key, (ddb_bytes_t){ out, DDB_SEAL_MORE }, bound), APR_SUCCESS, "... and opened");
    OK(!ERR_peek_error(), "no error is left in OpenSSL's queue");
}

/* Each with its own nonce, in one context after another. */
static void test_cipher(apr_pool_t *p)
{
    ddb_bytes_t text = bytes_of(p, GCM_TEXT), bound = bytes_of(p, GCM_BOUND), sealed;
    unsigned char *out = apr_palloc(p, text.len + DDB_SEAL_MORE), *back = apr_palloc(p, text.len);
    unsigned char *once = apr_palloc(p, text.len + DDB_SEAL_MORE);
    unsigned char nonce[DDB_SEAL_NONCE] = { 0 };
    ddb_cipher_t *c = NULL;
    int i, wrong = 0;

    NUM_IS(ddb_crypto_cipher_create(&c, gcm_key, p), APR_SUCCESS, "a key is kept");
    sealed = (ddb_bytes_t){ out, text.len + DDB_SEAL_MORE };
    for (i = 0; i < 20; i++) {
        apr_size_t at = (apr_size_t)i * sealed.len / 20;

        nonce[0]++;
        wrong += ddb_crypto_cipher_seal(out, c, nonce, text, bound) != APR_SUCCESS;
        wrong += ddb_crypto_unseal(back, gcm_key, sealed, bound) != APR_SUCCESS;
        wrong += memcmp(back, text.data, text.len) != 0;
        wrong += ddb_crypto_cipher_unseal(back, c, sealed, bound) != APR_SUCCESS;
        out[at] ^= 1;
        wrong += ddb_crypto_cipher_unseal(back, c, sealed, bound) != APR_NOTFOUND;
        out[at] ^= 1;
        wrong += ddb_crypto_cipher_unseal(back, c, sealed, text) != APR_NOTFOUND;
        wrong += ddb_crypto_cipher_unseal(back, c, sealed, bound) != APR_SUCCESS;
        wrong += memcmp(back, text.data, text.len) != 0;
    }
    NUM_IS(wrong, 0, "and seals and opens again and again, after failures, too");
    ddb_crypto_seal(once, gcm_key, text, bound, gcm_nonce);
    gcm_nonce(nonce, sizeof(nonce));
    ddb_crypto_cipher_seal(out, c, nonce, text, bound);
    OK(memcmp(out, once, sealed.len) == 0, "what it seals is what the key seals");
    NUM_IS(ddb_crypto_cipher_unseal(back, c, (ddb_bytes_t){ out, DDB_SEAL_MORE - 1 }, bound), APR_NOTFOUND,
           "what is shorter than a seal is none");
}

TAP_MAIN(p)
{
    run_apart(test_failure);
    NUM_IS(ddb_crypto_size(DDB_SHA1), 20, "SHA-1 has 20 bytes");
    NUM_IS(ddb_crypto_size(DDB_SHA256), 32, "SHA-256 has 32 bytes");
    NUM_IS(ddb_crypto_size(DDB_SHA512), 64, "SHA-512 has 64 bytes");
    test_digest(p);
    test_hmac(p);
    test_kept_hmac(p);
    test_prefix(p);
    test_repeated(p);
    test_fetched(p);
    test_random();
    test_equal();
    test_secrets(p);
    test_hex(p);
    test_seal(p);
    test_cipher(p);
}
