/* Session IDs: creation, signatures, checks, and derived values. */

#include <limits.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "store/ddb_sid.h"

#define BASE64_LEN(bytes) (((bytes)*4 + 2) / 3) /* without padding */

/* The default salt of itsdangerous, and the word that its django-concat derivation puts between salt and key. */
#define DERIVATION_PREFIX                                                                                              \
    "itsdangerous.Signer"                                                                                              \
    "signer"

#define DERIVED "session-dynamodb derived ID "

/* Buffers have the size of the limits, so the limits are enforced here too, whatever the configuration accepted. */
static int bytes_in_range(int bytes)
{
    return bytes >= DDB_SID_BYTES_MIN && bytes <= DDB_SID_BYTES_MAX;
}

static int is_signed(const ddb_sid_rules_t *rules)
{
    return rules->keys && rules->keys->nelts > 0;
}

/* base64url has no '.', so the ID ends, and its signature starts, at the first one. */
static ddb_bytes_t without_signature(const char *sid)
{
    ddb_bytes_t part = { .data = sid, .len = strcspn(sid, ".") };
    return part;
}

static const char *base64url(apr_pool_t *p, const unsigned char *in, apr_size_t len)
{
    return apr_pencode_base64_binary(p, in, (apr_ssize_t)len, APR_ENCODE_BASE64URL, NULL);
}

static apr_status_t derive_key(unsigned char *out, ddb_digest_e digest, const char *key, apr_pool_t *p)
{
    apr_size_t len = strlen(DERIVATION_PREFIX) + strlen(key);
    char *text = apr_pstrcat(p, DERIVATION_PREFIX, key, NULL);
    apr_status_t rv = ddb_crypto_digest(digest, out, text, len);

    ddb_crypto_wipe(text, len);
    return rv;
}

/* Sign an unsigned ID with one key; the signature is text in p. */
static apr_status_t make_signature(const char **signature, ddb_bytes_t value, ddb_digest_e digest, const char *key,
                                   apr_pool_t *p)
{
    unsigned char derived[DDB_DIGEST_MAX], mac[DDB_DIGEST_MAX];
    ddb_bytes_t derived_key = { .data = derived, .len = ddb_crypto_size(digest) };
    apr_status_t rv;

    rv = derive_key(derived, digest, key, p);
    if (rv == APR_SUCCESS) {
        rv = ddb_crypto_hmac(digest, mac, derived_key, value);
    }
    if (rv == APR_SUCCESS) {
        *signature = base64url(p, mac, ddb_crypto_size(digest));
    }
    ddb_crypto_wipe(derived, sizeof(derived));
    return rv;
}

/* The ID of these rules->bytes bytes, which are wiped. */
static apr_status_t write_sid(const char **sid, unsigned char *bytes, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    ddb_bytes_t value;
    const char *text, *signature, *newest;
    apr_status_t rv;

    text = base64url(p, bytes, (apr_size_t)rules->bytes);
    ddb_crypto_wipe(bytes, (apr_size_t)rules->bytes);
    if (is_signed(rules)) {
        value.data = text;
        value.len = strlen(text);
        newest = APR_ARRAY_IDX(rules->keys, rules->keys->nelts - 1, const char *);
        rv = make_signature(&signature, value, rules->digest, newest, p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        text = apr_pstrcat(p, text, ".", signature, NULL);
    }
    *sid = text;
    return APR_SUCCESS;
}

apr_status_t ddb_sid_make(const char **sid, const ddb_sid_rules_t *rules, ddb_random_fn *random, apr_pool_t *p)
{
    unsigned char bytes[DDB_SID_BYTES_MAX];
    apr_status_t rv;

    if (!bytes_in_range(rules->bytes)) {
        return APR_EINVAL;
    }
    rv = random(bytes, (apr_size_t)rules->bytes);
    return rv == APR_SUCCESS ? write_sid(sid, bytes, rules, p) : rv;
}

apr_status_t ddb_sid_derive(const char **sid, const ddb_sid_rules_t *rules, const char *secret, apr_pool_t *p)
{
    unsigned char bytes[DDB_SID_BYTES_MAX];
    char label[] = DERIVED "0"; /* NIST SP 800-108, counter mode: the counter is the last character */
    const ddb_bytes_t key = { secret, strlen(secret) }, in = { label, sizeof(label) - 1 };
    apr_size_t i;
    apr_status_t rv = APR_SUCCESS;

    if (!bytes_in_range(rules->bytes)) {
        return APR_EINVAL;
    }
    for (i = 0; i < sizeof(bytes) && rv == APR_SUCCESS; i += DDB_SHA256_BYTES) {
        rv = ddb_crypto_hmac(DDB_SHA256, bytes + i, key, in);
        label[sizeof(label) - 2]++;
    }
    return rv == APR_SUCCESS ? write_sid(sid, bytes, rules, p) : rv;
}

/* 1 if the first `len` characters of text are the base64url encoding of `bytes` bytes, in the only canonical spelling:
 * the bits of the last digit that belong to no byte are zero. */
static int is_canonical(const char *text, apr_size_t len, apr_size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const char is_digit[UCHAR_MAX + 1] = {
        ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1, ['-'] = 1, ['_'] = 1
    };
    const unsigned unused = (1U << (len * 6 - bytes * 8)) - 1;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (!is_digit[(unsigned char)text[i]]) {
            return 0;
        }
    }
    return ((unsigned)(strchr(digits, text[len - 1]) - digits) & unused) == 0;
}

/* Comparing signatures as text accepts only the canonical spelling. Most are by the newest key: try it first. */
static apr_status_t check_signature(const char *signature, ddb_bytes_t value, const ddb_sid_rules_t *rules,
                                    apr_pool_t *p)
{
    apr_size_t len = BASE64_LEN(ddb_crypto_size(rules->digest));
    const char *ours;
    apr_status_t rv;
    int i;

    for (i = rules->keys->nelts - 1; i >= 0; i--) {
        rv = make_signature(&ours, value, rules->digest, APR_ARRAY_IDX(rules->keys, i, const char *), p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (ddb_crypto_equal(ours, signature, len)) {
            return APR_SUCCESS;
        }
    }
    return APR_NOTFOUND;
}

/* The length of the unsigned part, if sid has the form of an ID with `bytes` random bytes; otherwise 0. Clients can
 * send text of any length: read no more of it than a valid ID would have. */
static apr_size_t unsigned_length(const char *sid, const ddb_sid_rules_t *rules, int bytes)
{
    apr_size_t part = BASE64_LEN((apr_size_t)bytes), len = part;

    if (is_signed(rules)) {
        len += 1 + BASE64_LEN(ddb_crypto_size(rules->digest));
    }
    if (!bytes_in_range(bytes) || strnlen(sid, len + 1) != len || !is_canonical(sid, part, (apr_size_t)bytes)) {
        return 0;
    }
    return is_signed(rules) && sid[part] != '.' ? 0 : part;
}

apr_status_t ddb_sid_check(const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    ddb_bytes_t value = { .data = sid };
    int i;

    if (!bytes_in_range(rules->bytes)) {
        return APR_EINVAL;
    }
    value.len = sid ? unsigned_length(sid, rules, rules->bytes) : 0;
    for (i = 0; sid && !value.len && rules->older && i < rules->older->nelts; i++) {
        value.len = unsigned_length(sid, rules, APR_ARRAY_IDX(rules->older, i, int));
    }
    if (!value.len || !is_signed(rules)) {
        return value.len ? APR_SUCCESS : APR_NOTFOUND;
    }
    return check_signature(sid + value.len + 1, value, rules, p);
}

apr_status_t ddb_sid_table_key(const char **key, const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    unsigned char hash[DDB_SHA256_BYTES];
    ddb_bytes_t value = without_signature(sid), audience = { .data = rules->audience };
    apr_status_t rv;

    if (!rules->hash) {
        *key = apr_pstrdup(p, sid);
        return APR_SUCCESS;
    }
    if (rules->audience) {
        audience.len = strlen(rules->audience);
        rv = ddb_crypto_hmac(DDB_SHA256, hash, audience, value);
    }
    else {
        rv = ddb_crypto_digest(DDB_SHA256, hash, value.data, value.len);
    }
    if (rv == APR_SUCCESS) {
        *key = base64url(p, hash, sizeof(hash));
    }
    return rv;
}

const char *ddb_sid_loggable(const char *sid, apr_pool_t *p)
{
    unsigned char hash[DDB_SHA512_BYTES];

    if (ddb_crypto_digest(DDB_SHA512, hash, sid, strlen(sid)) != APR_SUCCESS) {
        return NULL;
    }
    return ddb_crypto_hex(p, hash, sizeof(hash));
}

apr_status_t ddb_sid_user_mark(const char **mark, const char *sid, const char *user, apr_pool_t *p)
{
    unsigned char mac[DDB_SHA256_BYTES];
    ddb_bytes_t name = { .data = user, .len = strlen(user) };
    apr_status_t rv = ddb_crypto_hmac(DDB_SHA256, mac, without_signature(sid), name);

    if (rv == APR_SUCCESS) {
        *mark = base64url(p, mac, sizeof(mac));
    }
    return rv;
}
