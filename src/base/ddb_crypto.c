/* OpenSSL for the other rooms: digests, HMAC, random, constant-time compare, and secrets that are wiped. */

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "base/ddb_array.h"
#include "base/ddb_crypto.h"

static const struct {
    const EVP_MD *(*md)(void);
    const char *name;
    apr_size_t size;
} digests[] = {
    [DDB_SHA1] = { EVP_sha1, "SHA1", DDB_SHA1_BYTES },
    [DDB_SHA256] = { EVP_sha256, "SHA256", DDB_SHA256_BYTES },
    [DDB_SHA512] = { EVP_sha512, "SHA512", DDB_SHA512_BYTES },
};
#define DIGESTS DDB_ARRAY_LENGTH(digests)

/*
 * What EVP_sha256() gives makes OpenSSL look for the code behind it in each use, and so does the name of HMAC. This is
 * found once per process, on first use, which is a request's: what a module set up for the process before (SSLFIPS)
 * holds for it. Never changed after, and never freed: the process may end while threads use it.
 */
static struct {
    EVP_MD *md;
    EVP_MAC_CTX *hmac; /* to be copied, as each key has a context of its own */
} fetched[DIGESTS];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static EVP_MAC_CTX *fetch_hmac(ddb_digest_e alg)
{
    /* Only a context that has a key can be copied. */
    static const unsigned char key[DDB_DIGEST_MAX];
    OSSL_PARAM digest[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digests[alg].name, 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

    EVP_MAC_free(mac); /* ctx has a reference of its own */
    if (ctx && !EVP_MAC_init(ctx, key, sizeof(key), digest)) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

static void fetch_all(void)
{
    apr_size_t i;

    ERR_set_mark();
    for (i = 0; i < DIGESTS; i++) {
        fetched[i].md = EVP_MD_fetch(NULL, digests[i].name, NULL);
        fetched[i].hmac = fetch_hmac(i);
    }
    ERR_pop_to_mark(); /* a missing digest is reported when it is used */
}

static const EVP_MD *digest_of(ddb_digest_e alg)
{
    pthread_once(&fetch_once, fetch_all);
    return fetched[alg].md ? fetched[alg].md : digests[alg].md();
}

static EVP_MAC_CTX *hmac_of(ddb_digest_e alg)
{
    pthread_once(&fetch_once, fetch_all);
    return fetched[alg].hmac ? EVP_MAC_CTX_dup(fetched[alg].hmac) : fetch_hmac(alg);
}

/* Entries that we leave in the thread's error queue would be read by mod_ssl as its own; those of others stay. Every
 * caller has set the mark before it asked OpenSSL. */
static apr_status_t outcome(int good)
{
    if (!good) {
        ERR_pop_to_mark();
        return APR_EGENERAL;
    }
    ERR_clear_last_mark();
    return APR_SUCCESS;
}

apr_size_t ddb_crypto_size(ddb_digest_e alg)
{
    return digests[alg].size;
}

apr_status_t ddb_crypto_digest(ddb_digest_e alg, unsigned char *out, const void *in, apr_size_t len)
{
    ERR_set_mark();
    return outcome(EVP_Digest(in, len, out, NULL, digest_of(alg), NULL));
}

apr_status_t ddb_crypto_hmac(ddb_digest_e alg, unsigned char *out, ddb_bytes_t key, ddb_bytes_t in)
{
    /* A NULL key would mean "the key set before": an empty one needs an address. */
    const void *key_data = key.data ? key.data : "";
    apr_size_t size = digests[alg].size, made = 0;
    EVP_MAC_CTX *ctx;
    int good;

    ERR_set_mark();
    ctx = hmac_of(alg);
    good = ctx && EVP_MAC_init(ctx, key_data, key.len, NULL) && EVP_MAC_update(ctx, in.data, in.len)
           && EVP_MAC_final(ctx, out, &made, size) && made == size;
    EVP_MAC_CTX_free(ctx);
    return outcome(good);
}

apr_status_t ddb_crypto_random(void *out, apr_size_t len)
{
    if (len > INT_MAX) {
        return APR_EINVAL;
    }
    ERR_set_mark();
    return outcome(RAND_bytes(out, (int)len) == 1);
}

int ddb_crypto_equal(const void *a, const void *b, apr_size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void ddb_crypto_wipe(void *mem, apr_size_t len)
{
    OPENSSL_cleanse(mem, len);
}

static apr_status_t wipe_text(void *text)
{
    OPENSSL_cleanse(text, strlen(text));
    return APR_SUCCESS;
}

const char *ddb_crypto_secret_dup(apr_pool_t *p, const char *secret)
{
    char *copy = apr_pstrdup(p, secret);

    if (copy) {
        apr_pool_cleanup_register(p, copy, wipe_text, apr_pool_cleanup_null);
    }
    return copy;
}

const char *ddb_crypto_hex(apr_pool_t *p, const void *in, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *byte = in;
    char *text = apr_palloc(p, 2 * len + 1), *at = text; /* apr_pencode_base16_binary takes ten times as long */
    apr_size_t i;

    for (i = 0; i < len; i++) {
        *at++ = digits[byte[i] >> 4];
        *at++ = digits[byte[i] & 15];
    }
    *at = '\0';
    return text;
}
