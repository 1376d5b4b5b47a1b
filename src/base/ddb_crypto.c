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
    int restarts;      /* 1: a context that has made an HMAC makes another one with its key */
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

/* With a context that has just been given its key, or restarted. */
static int make_hmac(EVP_MAC_CTX *ctx, unsigned char *out, apr_size_t size, ddb_bytes_t in)
{
    apr_size_t made = 0;

    return EVP_MAC_update(ctx, in.data, in.len) && EVP_MAC_final(ctx, out, &made, size) && made == size;
}

/* Without a key: with the one that it has. */
static int restart_hmac(EVP_MAC_CTX *ctx)
{
    return EVP_MAC_init(ctx, NULL, 0, NULL);
}

/* Before OpenSSL 3.0.3, and with a FIPS provider of that age also later, a restart is reported as done and is not: what
 * follows is no HMAC of anything. */
static int does_restart(const EVP_MAC_CTX *hmac, apr_size_t size)
{
    unsigned char first[DDB_DIGEST_MAX], second[DDB_DIGEST_MAX];
    ddb_bytes_t in = { .data = "x", .len = 1 };
    EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_dup(hmac) : NULL;
    int restarts = ctx && make_hmac(ctx, first, size, in) && restart_hmac(ctx) && make_hmac(ctx, second, size, in)
                   && memcmp(first, second, size) == 0;

    EVP_MAC_CTX_free(ctx);
    return restarts;
}

static void fetch_all(void)
{
    apr_size_t i;

    ERR_set_mark();
    for (i = 0; i < DIGESTS; i++) {
        fetched[i].md = EVP_MD_fetch(NULL, digests[i].name, NULL);
        fetched[i].hmac = fetch_hmac(i);
        fetched[i].restarts = does_restart(fetched[i].hmac, digests[i].size);
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

/* A context with that key, or NULL. */
static EVP_MAC_CTX *hmac_with(ddb_digest_e alg, ddb_bytes_t key)
{
    EVP_MAC_CTX *ctx = hmac_of(alg);

    /* A NULL key would mean "the key set before": an empty one needs an address. */
    if (ctx && !EVP_MAC_init(ctx, key.data ? key.data : "", key.len, NULL)) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

apr_status_t ddb_crypto_hmac(ddb_digest_e alg, unsigned char *out, ddb_bytes_t key, ddb_bytes_t in)
{
    EVP_MAC_CTX *ctx;
    int good;

    ERR_set_mark();
    ctx = hmac_with(alg, key);
    good = ctx && make_hmac(ctx, out, digests[alg].size, in);
    EVP_MAC_CTX_free(ctx);
    return outcome(good);
}

struct ddb_hmac_t {
    ddb_digest_e alg;
    EVP_MAC_CTX *ctx;
};

static apr_status_t free_hmac(void *baton)
{
    EVP_MAC_CTX_free(((ddb_hmac_t *)baton)->ctx);
    return APR_SUCCESS;
}

apr_status_t ddb_crypto_hmac_create(ddb_hmac_t **ph, ddb_digest_e alg, ddb_bytes_t key, apr_pool_t *p)
{
    ddb_hmac_t *h = apr_palloc(p, sizeof(*h));

    ERR_set_mark();
    h->alg = alg;
    h->ctx = hmac_with(alg, key);
    *ph = h->ctx ? h : NULL;
    apr_pool_cleanup_register(p, h, free_hmac, apr_pool_cleanup_null);
    return outcome(h->ctx != NULL);
}

apr_status_t ddb_crypto_hmac_again(ddb_hmac_t *h, unsigned char *out, ddb_bytes_t in)
{
    int restarts = fetched[h->alg].restarts, good;
    EVP_MAC_CTX *ctx;

    ERR_set_mark();
    ctx = restarts ? h->ctx : EVP_MAC_CTX_dup(h->ctx);
    good = ctx && (!restarts || restart_hmac(ctx)) && make_hmac(ctx, out, digests[h->alg].size, in);
    if (!restarts) {
        EVP_MAC_CTX_free(ctx);
    }
    return outcome(good);
}

struct ddb_prefix_t {
    ddb_digest_e alg;
    EVP_MD_CTX *beginning, *whole;
};

static apr_status_t free_prefix(void *baton)
{
    ddb_prefix_t *prefix = baton;

    EVP_MD_CTX_free(prefix->beginning);
    EVP_MD_CTX_free(prefix->whole);
    return APR_SUCCESS;
}

apr_status_t ddb_crypto_prefix_create(ddb_prefix_t **pp, ddb_digest_e alg, apr_pool_t *p)
{
    ddb_prefix_t *prefix = apr_palloc(p, sizeof(*prefix));
    int good;

    ERR_set_mark();
    prefix->alg = alg;
    prefix->beginning = EVP_MD_CTX_new();
    prefix->whole = EVP_MD_CTX_new();
    good = prefix->beginning && prefix->whole;
    *pp = good ? prefix : NULL;
    apr_pool_cleanup_register(p, prefix, free_prefix, apr_pool_cleanup_null);
    return outcome(good);
}

apr_status_t ddb_crypto_prefix_set(ddb_prefix_t *prefix, const void *beginning, apr_size_t len)
{
    ERR_set_mark();
    return outcome(EVP_DigestInit_ex(prefix->beginning, digest_of(prefix->alg), NULL)
                   && EVP_DigestUpdate(prefix->beginning, beginning, len));
}

apr_status_t ddb_crypto_prefix_digest(ddb_prefix_t *prefix, unsigned char *out, const void *rest, apr_size_t len)
{
    ERR_set_mark();
    return outcome(EVP_MD_CTX_copy_ex(prefix->whole, prefix->beginning) && EVP_DigestUpdate(prefix->whole, rest, len)
                   && EVP_DigestFinal_ex(prefix->whole, out, NULL));
}

struct ddb_repeated_t {
    ddb_prefix_t *prefix;
    int is_set;
    unsigned char first[DDB_CRYPTO_BLOCK];
};

static apr_status_t wipe_repeated(void *baton)
{
    ddb_repeated_t *r = baton;

    OPENSSL_cleanse(r->first, sizeof(r->first));
    return APR_SUCCESS;
}

apr_status_t ddb_crypto_repeated_create(ddb_repeated_t **pr, ddb_digest_e alg, apr_pool_t *p)
{
    ddb_repeated_t *r = apr_pcalloc(p, sizeof(*r));
    apr_status_t rv = ddb_crypto_prefix_create(&r->prefix, alg, p);

    apr_pool_cleanup_register(p, r, wipe_repeated, apr_pool_cleanup_null);
    *pr = rv == APR_SUCCESS ? r : NULL;
    return rv;
}

apr_status_t ddb_crypto_repeated_digest(ddb_repeated_t *r, unsigned char *out, const void *in, apr_size_t len)
{
    apr_status_t rv = APR_SUCCESS;

    if (len < sizeof(r->first)) {
        return ddb_crypto_digest(r->prefix->alg, out, in, len);
    }
    if (!r->is_set || memcmp(r->first, in, sizeof(r->first)) != 0) {
        rv = ddb_crypto_prefix_set(r->prefix, in, sizeof(r->first));
        memcpy(r->first, in, sizeof(r->first));
        r->is_set = rv == APR_SUCCESS;
    }
    return rv == APR_SUCCESS ? ddb_crypto_prefix_digest(r->prefix, out, (const unsigned char *)in + sizeof(r->first),
                                                        len - sizeof(r->first))
                             : rv;
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

#define SIXTEEN(first)                                                                                                 \
    first "0" first "1" first "2" first "3" first "4" first "5" first "6" first "7" first "8" first "9" first          \
          "a" first "b" first "c" first "d" first "e" first "f"

void ddb_crypto_hex_to(char *to, const void *in, apr_size_t len)
{
    /* A table of bytes, not of digits: this runs five times in a request. */
    static const char bytes[] = SIXTEEN("0") SIXTEEN("1") SIXTEEN("2") SIXTEEN("3") SIXTEEN("4") SIXTEEN("5")
        SIXTEEN("6") SIXTEEN("7") SIXTEEN("8") SIXTEEN("9") SIXTEEN("a") SIXTEEN("b") SIXTEEN("c") SIXTEEN("d")
            SIXTEEN("e") SIXTEEN("f");
    const unsigned char *byte = in, *end = byte + len;

    for (; byte < end; byte++, to += 2) {
        memcpy(to, bytes + 2 * *byte, 2);
    }
}

const char *ddb_crypto_hex(apr_pool_t *p, const void *in, apr_size_t len)
{
    char *text = apr_palloc(p, 2 * len + 1); /* apr_pencode_base16_binary takes ten times as long */

    ddb_crypto_hex_to(text, in, len);
    text[2 * len] = '\0';
    return text;
}

const char *ddb_crypto_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
