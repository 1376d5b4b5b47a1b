/* Sealed bytes: AES-256-GCM (NIST SP 800-38D), its nonce in front and its tag behind. */

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <apr_thread_mutex.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/ddb_crypto.h"

#define NONCE DDB_SEAL_NONCE /* SP 800-38D section 8.2.2: random */
#define TAG   16

/* As in ddb_crypto.c: the errors of others stay in the thread's queue, ours go. */
static apr_status_t outcome(int good, apr_status_t bad)
{
    if (!good) {
        ERR_pop_to_mark();
        return bad;
    }
    ERR_clear_last_mark();
    return APR_SUCCESS;
}

/* Found once per process, like the digests of ddb_crypto.c, and never freed. */
static EVP_CIPHER *aes;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* With this key, for any nonce. The caller has set the mark in the queue of errors. */
static EVP_CIPHER_CTX *with_key(const unsigned char *key)
{
    EVP_CIPHER_CTX *ctx;

    pthread_once(&fetch_once, fetch);
    ctx = aes ? EVP_CIPHER_CTX_new() : NULL;
    if (ctx && !EVP_CipherInit_ex2(ctx, aes, key, NULL, 1, NULL)) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

/* The nonce is in out. */
static apr_status_t seal_with(EVP_CIPHER_CTX *ctx, unsigned char *out, ddb_bytes_t in, ddb_bytes_t bound)
{
    unsigned char *tag = out + NONCE + in.len;
    int n = 0;

    return outcome(ctx && EVP_CipherInit_ex2(ctx, NULL, NULL, out, 1, NULL)
                       && EVP_EncryptUpdate(ctx, NULL, &n, bound.data, (int)bound.len)
                       && EVP_EncryptUpdate(ctx, out + NONCE, &n, in.data, (int)in.len)
                       && EVP_EncryptFinal_ex(ctx, tag, &n)
                       && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag),
                   APR_EGENERAL);
}

static apr_status_t unseal_with(EVP_CIPHER_CTX *ctx, unsigned char *out, ddb_bytes_t in, ddb_bytes_t bound)
{
    const unsigned char *sealed = in.data;
    apr_size_t len = in.len - DDB_SEAL_MORE;
    unsigned char tag[TAG];
    apr_status_t rv;
    int n = 0;

    memcpy(tag, sealed + NONCE + len, TAG);
    if (!ctx || !EVP_CipherInit_ex2(ctx, NULL, NULL, sealed, 0, NULL)) {
        return outcome(0, APR_EGENERAL);
    }
    rv = outcome(EVP_DecryptUpdate(ctx, NULL, &n, bound.data, (int)bound.len)
                     && EVP_DecryptUpdate(ctx, out, &n, sealed + NONCE, (int)len)
                     && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag)
                     && EVP_DecryptFinal_ex(ctx, tag, &n) == 1,
                 APR_NOTFOUND);
    if (rv != APR_SUCCESS) {
        ddb_crypto_wipe(out, len);
    }
    return rv;
}

static int can_be_sealed(ddb_bytes_t in, ddb_bytes_t bound)
{
    return in.len <= INT_MAX - DDB_SEAL_MORE && bound.len <= INT_MAX;
}

static int can_be_unsealed(ddb_bytes_t in, ddb_bytes_t bound)
{
    return in.len >= DDB_SEAL_MORE && in.len <= INT_MAX && bound.len <= INT_MAX;
}

apr_status_t ddb_crypto_seal(unsigned char *out, const unsigned char *key, ddb_bytes_t in, ddb_bytes_t bound,
                             ddb_random_fn *random)
{
    EVP_CIPHER_CTX *ctx;
    apr_status_t rv = can_be_sealed(in, bound) ? random(out, NONCE) : APR_EINVAL;

    if (rv == APR_SUCCESS) {
        ERR_set_mark();
        ctx = with_key(key);
        rv = seal_with(ctx, out, in, bound);
        EVP_CIPHER_CTX_free(ctx); /* wipes the key */
    }
    return rv;
}

apr_status_t ddb_crypto_unseal(unsigned char *out, const unsigned char *key, ddb_bytes_t in, ddb_bytes_t bound)
{
    EVP_CIPHER_CTX *ctx;
    apr_status_t rv = APR_NOTFOUND;

    if (can_be_unsealed(in, bound)) {
        ERR_set_mark();
        ctx = with_key(key);
        rv = unseal_with(ctx, out, in, bound);
        EVP_CIPHER_CTX_free(ctx);
    }
    return rv;
}

/* --- keys that are kept --- */

typedef struct context_t {
    struct context_t *next;
    EVP_CIPHER_CTX *ctx;
} context_t;

struct ddb_cipher_t {
    unsigned char key[DDB_SEAL_KEY];
    apr_thread_mutex_t *mutex; /* of free */
    context_t *free;           /* as many as have been used at the same time */
};

static apr_status_t wipe(void *baton)
{
    ddb_cipher_t *c = baton;
    context_t *one, *next;

    for (one = c->free; one; one = next) {
        next = one->next;
        EVP_CIPHER_CTX_free(one->ctx);
        free(one);
    }
    c->free = NULL;
    ddb_crypto_wipe(c->key, sizeof(c->key));
    return APR_SUCCESS;
}

apr_status_t ddb_crypto_cipher_create(ddb_cipher_t **pc, const unsigned char *key, apr_pool_t *p)
{
    ddb_cipher_t *c = apr_pcalloc(p, sizeof(*c));
    apr_status_t rv = apr_thread_mutex_create(&c->mutex, APR_THREAD_MUTEX_DEFAULT, p);

    memcpy(c->key, key, sizeof(c->key));
    apr_pool_cleanup_register(p, c, wipe, apr_pool_cleanup_null);
    *pc = rv == APR_SUCCESS ? c : NULL;
    return rv;
}

/* NULL when memory or OpenSSL fails. */
static context_t *take(ddb_cipher_t *c)
{
    context_t *one;

    apr_thread_mutex_lock(c->mutex);
    one = c->free;
    if (one) {
        c->free = one->next;
    }
    apr_thread_mutex_unlock(c->mutex);
    if (!one) {
        one = calloc(1, sizeof(*one));
        if (one) {
            one->ctx = with_key(c->key);
        }
    }
    return one;
}

static void give_back(ddb_cipher_t *c, context_t *one)
{
    apr_thread_mutex_lock(c->mutex);
    one->next = c->free;
    c->free = one;
    apr_thread_mutex_unlock(c->mutex);
}

/* Without a context that works, or with one that has failed, it is not used again. */
static void end(ddb_cipher_t *c, context_t *one, apr_status_t rv)
{
    if (one && one->ctx && rv != APR_EGENERAL) {
        give_back(c, one);
    }
    else if (one) {
        EVP_CIPHER_CTX_free(one->ctx);
        free(one);
    }
}

apr_status_t ddb_crypto_cipher_seal(unsigned char *out, ddb_cipher_t *c, const unsigned char *nonce, ddb_bytes_t in,
                                    ddb_bytes_t bound)
{
    apr_status_t rv = APR_EINVAL;
    context_t *one;

    if (can_be_sealed(in, bound)) {
        ERR_set_mark();
        one = take(c);
        memcpy(out, nonce, NONCE);
        rv = seal_with(one ? one->ctx : NULL, out, in, bound);
        end(c, one, rv);
    }
    return rv;
}

apr_status_t ddb_crypto_cipher_unseal(unsigned char *out, ddb_cipher_t *c, ddb_bytes_t in, ddb_bytes_t bound)
{
    apr_status_t rv = APR_NOTFOUND;
    context_t *one;

    if (can_be_unsealed(in, bound)) {
        ERR_set_mark();
        one = take(c);
        rv = unseal_with(one ? one->ctx : NULL, out, in, bound);
        end(c, one, rv);
    }
    return rv;
}
