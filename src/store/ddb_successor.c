/* The successor of a session ID: base64 (RFC 4648 section 4) of a nonce and the ID, XORed with a key stream. The stream
 * is HMAC-SHA-256 under the old ID, which is random, of label, nonce and a counter (NIST SP 800-108, counter mode). */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "store/ddb_successor.h"

#define NONCE 16
#define MOST  256 /* bytes of an ID with its signature; the longest has 215 */
#define LABEL "session-dynamodb successor"

/** What the key stream is made of. */
typedef struct input_t {
    char label[sizeof(LABEL)];
    unsigned char nonce[NONCE];
    unsigned char counter;
} input_t;

static apr_status_t apply_stream(unsigned char *bytes, apr_size_t len, const unsigned char *nonce, const char *sid)
{
    ddb_bytes_t key = { sid, strcspn(sid, ".") };
    input_t input = { .label = LABEL };
    ddb_bytes_t in = { &input, sizeof(input) };
    unsigned char block[DDB_SHA256_BYTES];
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    memcpy(input.nonce, nonce, NONCE);
    for (i = 0; i < len && rv == APR_SUCCESS; i++) {
        if (i % sizeof(block) == 0) {
            rv = ddb_crypto_hmac(DDB_SHA256, block, key, in);
            input.counter++;
        }
        bytes[i] ^= block[i % sizeof(block)];
    }
    ddb_crypto_wipe(block, sizeof(block));
    return rv;
}

apr_status_t ddb_successor_encrypt(const char **text, const char *successor, const char *sid, ddb_random_fn *random,
                                   apr_pool_t *p)
{
    unsigned char bytes[NONCE + MOST];
    apr_size_t len = strlen(successor);
    apr_status_t rv;

    if (len > MOST) {
        return APR_EINVAL;
    }
    rv = random(bytes, NONCE);
    memcpy(bytes + NONCE, successor, len); /* NOLINT(bugprone-not-null-terminated-result): bytes, not a text */
    rv = rv == APR_SUCCESS ? apply_stream(bytes + NONCE, len, bytes, sid) : rv;
    if (rv == APR_SUCCESS) {
        *text = apr_pencode_base64_binary(p, bytes, (apr_ssize_t)(NONCE + len), APR_ENCODE_NONE, NULL);
    }
    ddb_crypto_wipe(bytes, sizeof(bytes));
    return rv;
}

apr_status_t ddb_successor_decrypt(const char **successor, const char *text, const char *sid, apr_pool_t *p)
{
    apr_size_t most = ((NONCE + MOST) * 4 + 11) / 3, len = strnlen(text, most + 1), bytes = 0;
    unsigned char raw[NONCE + MOST + 4];
    apr_status_t rv;

    if (len > most || apr_decode_base64_binary(raw, text, (apr_ssize_t)len, APR_ENCODE_NONE, &bytes) != APR_SUCCESS
        || bytes <= NONCE || bytes > NONCE + MOST) {
        return APR_NOTFOUND;
    }
    rv = apply_stream(raw + NONCE, bytes - NONCE, raw, sid);
    if (rv == APR_SUCCESS && memchr(raw + NONCE, '\0', bytes - NONCE)) {
        rv = APR_NOTFOUND;
    }
    *successor = rv == APR_SUCCESS ? apr_pstrmemdup(p, (const char *)raw + NONCE, bytes - NONCE) : NULL;
    ddb_crypto_wipe(raw, sizeof(raw));
    return rv;
}
