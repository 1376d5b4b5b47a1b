/* Anti-forgery tokens of a session. */

#include <string.h>

#include <apr_encode.h>

#include "store/ddb_csrf.h"

#define SECRET  DDB_SHA256_BYTES
#define KEY_LEN 44 /* base64 of a secret, with padding */

/* Labels of what is derived from an ID. */
#define FIRST_SECRET "session-dynamodb csrf: secret"
#define PAD          "session-dynamodb csrf: pad"

static apr_status_t derive(unsigned char *out, const char *sid, const char *label)
{
    ddb_bytes_t key = { sid, strcspn(sid, ".") }, text = { label, strlen(label) };

    return ddb_crypto_hmac(DDB_SHA256, out, key, text);
}

static void mix(unsigned char *into, const unsigned char *with)
{
    int i;

    for (i = 0; i < SECRET; i++) {
        into[i] ^= with[i];
    }
}

/* A one-time pad: an ID encrypts one secret ever, that of its session. */
static apr_status_t encrypt_secret(unsigned char *secret, const char *sid)
{
    unsigned char pad[SECRET];
    apr_status_t rv = derive(pad, sid, PAD);

    if (rv == APR_SUCCESS) {
        mix(secret, pad);
    }
    ddb_crypto_wipe(pad, sizeof(pad));
    return rv;
}

/* @return 0 for other text than base64 of this length. out has room for three bytes more. */
static int decode(unsigned char *out, const char *text, apr_size_t text_len, apr_size_t bytes)
{
    apr_size_t len = 0;

    return text && strnlen(text, text_len + 1) == text_len
           && apr_decode_base64_binary(out, text, (apr_ssize_t)text_len, APR_ENCODE_NONE, &len) == APR_SUCCESS
           && len == bytes;
}

static apr_status_t read_secret(unsigned char *secret, const char *sid, const char *key)
{
    unsigned char raw[SECRET + 3];

    if (!decode(raw, key, KEY_LEN, SECRET)) {
        return derive(secret, sid, FIRST_SECRET);
    }
    memcpy(secret, raw, SECRET);
    return encrypt_secret(secret, sid);
}

apr_status_t ddb_csrf_make(const char **token, const char *sid, const char *key, ddb_random_fn *random, apr_pool_t *p)
{
    unsigned char bytes[2 * SECRET]; /* the mask, and the masked secret */
    apr_status_t rv = random(bytes, SECRET);

    rv = rv == APR_SUCCESS ? read_secret(bytes + SECRET, sid, key) : rv;
    if (rv == APR_SUCCESS) {
        mix(bytes + SECRET, bytes);
        *token = apr_pencode_base64_binary(p, bytes, sizeof(bytes), APR_ENCODE_BASE64URL, NULL);
    }
    ddb_crypto_wipe(bytes, sizeof(bytes));
    return rv;
}

apr_status_t ddb_csrf_check(const char *token, const char *sid, const char *key)
{
    unsigned char bytes[2 * SECRET + 3], secret[SECRET];
    apr_status_t rv;

    if (!decode(bytes, token, DDB_CSRF_LEN, 2 * (apr_size_t)SECRET)) {
        return APR_NOTFOUND;
    }
    rv = read_secret(secret, sid, key);
    if (rv == APR_SUCCESS) {
        mix(bytes + SECRET, bytes);
        rv = ddb_crypto_equal(bytes + SECRET, secret, SECRET) ? APR_SUCCESS : APR_NOTFOUND;
    }
    ddb_crypto_wipe(secret, sizeof(secret));
    ddb_crypto_wipe(bytes, sizeof(bytes));
    return rv;
}

apr_status_t ddb_csrf_move(const char **key, const char *from, const char *to, apr_pool_t *p)
{
    unsigned char secret[SECRET];
    apr_status_t rv = read_secret(secret, from, *key);

    rv = rv == APR_SUCCESS ? encrypt_secret(secret, to) : rv;
    if (rv == APR_SUCCESS) {
        *key = apr_pencode_base64_binary(p, secret, sizeof(secret), APR_ENCODE_NONE, NULL);
    }
    ddb_crypto_wipe(secret, sizeof(secret));
    return rv;
}
