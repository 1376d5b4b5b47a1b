/* Sealed bytes: AES-256-GCM (NIST SP 800-38D), its nonce in front and its tag behind. */

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/ddb_crypto.h"

#define NONCE 12 /* bytes; SP 800-38D section 8.2.2: random */
#define TAG   16

/* As in ddb_crypto.c: the errors of others stay in the thread's queue, ours go. */
static apr_status_t outcome(EVP_CIPHER_CTX *ctx, int good, apr_status_t bad)
{
    EVP_CIPHER_CTX_free(ctx); /* wipes the key */
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

/* The caller has set the mark in the queue of errors. */
static EVP_CIPHER_CTX *begin(const unsigned char *key, const unsigned char *nonce, int seal)
{
    EVP_CIPHER_CTX *ctx;

    pthread_once(&fetch_once, fetch);
    ctx = aes ? EVP_CIPHER_CTX_new() : NULL;
    if (ctx && !EVP_CipherInit_ex2(ctx, aes, key, nonce, seal, NULL)) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

apr_status_t ddb_crypto_seal(unsigned char *out, const unsigned char *key, ddb_bytes_t in, ddb_bytes_t bound,
                             ddb_random_fn *random)
{
    EVP_CIPHER_CTX *ctx;
    unsigned char *tag = out + NONCE + in.len;
    int n = 0;
    apr_status_t rv = in.len > INT_MAX || bound.len > INT_MAX ? APR_EINVAL : random(out, NONCE);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    ERR_set_mark();
    ctx = begin(key, out, 1);
    return outcome(ctx,
                   ctx && EVP_EncryptUpdate(ctx, NULL, &n, bound.data, (int)bound.len)
                       && EVP_EncryptUpdate(ctx, out + NONCE, &n, in.data, (int)in.len)
                       && EVP_EncryptFinal_ex(ctx, tag, &n)
                       && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag),
                   APR_EGENERAL);
}

apr_status_t ddb_crypto_unseal(unsigned char *out, const unsigned char *key, ddb_bytes_t in, ddb_bytes_t bound)
{
    const unsigned char *sealed = in.data;
    apr_size_t len = in.len - DDB_SEAL_MORE;
    unsigned char tag[TAG];
    EVP_CIPHER_CTX *ctx;
    apr_status_t rv;
    int n = 0;

    if (in.len < DDB_SEAL_MORE || in.len > INT_MAX || bound.len > INT_MAX) {
        return APR_NOTFOUND;
    }
    memcpy(tag, sealed + NONCE + len, TAG);
    ERR_set_mark();
    ctx = begin(key, sealed, 0);
    if (!ctx) {
        return outcome(ctx, 0, APR_EGENERAL);
    }
    rv = outcome(ctx,
                 EVP_DecryptUpdate(ctx, NULL, &n, bound.data, (int)bound.len)
                     && EVP_DecryptUpdate(ctx, out, &n, sealed + NONCE, (int)len)
                     && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag)
                     && EVP_DecryptFinal_ex(ctx, tag, &n) == 1,
                 APR_NOTFOUND);
    if (rv != APR_SUCCESS) {
        ddb_crypto_wipe(out, len);
    }
    return rv;
}
