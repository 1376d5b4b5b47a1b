/* The binding of a session to a device. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_base64.h"
#include "store/ddb_attribute.h"
#include "store/ddb_device.h"

#define SECRET_BYTES 16
#define MAC_BYTES    16
#define MAC_LEN      22 /* base64url of it */
#define NONCE_BYTES  8
#define NONCE_LEN    11
#define KEY_LEN      43 /* of a table key */
#define NUMBER_MAX   20 /* characters of a time */
#define TEXT_MAX     (KEY_LEN + 1 + NUMBER_MAX + 1 + MAC_LEN)

/* Labels of what is made with a secret. */
#define ID        "id"
#define INVITE    "registration"
#define CHALLENGE "refresh"
#define COOKIE    "cookie"

apr_status_t ddb_device_secret(const char **secret, ddb_random_fn *random, apr_pool_t *p)
{
    unsigned char bytes[SECRET_BYTES];
    char *text = apr_palloc(p, DDB_DEVICE_SECRET_LEN + 1);
    apr_status_t rv = random(bytes, sizeof(bytes));

    if (rv == APR_SUCCESS) {
        ddb_base64_encode(text, bytes, sizeof(bytes));
        text[DDB_DEVICE_SECRET_LEN] = '\0';
        *secret = text;
    }
    ddb_crypto_wipe(bytes, sizeof(bytes));
    return rv;
}

/** The MAC of len characters under a label, MAC_LEN characters at out and a NUL. */
static apr_status_t make_mac(char *out, const char *secret, const char *label, const char *text, apr_size_t len)
{
    char key[DDB_DEVICE_SECRET_LEN / 4 * 3];
    unsigned char mac[DDB_SHA256_BYTES];
    char in[32 + TEXT_MAX];
    apr_size_t key_len = 0, label_len = strlen(label) + 1;
    ddb_bytes_t with = { key, SECRET_BYTES }, all = { in, label_len + len };
    apr_status_t rv;

    if (!secret || strnlen(secret, DDB_DEVICE_SECRET_LEN + 1) != DDB_DEVICE_SECRET_LEN || len > TEXT_MAX
        || !ddb_base64_decode(key, &key_len, secret, DDB_DEVICE_SECRET_LEN) || key_len != SECRET_BYTES) {
        return APR_NOTFOUND;
    }
    memcpy(in, label, label_len); /* with its NUL */
    memcpy(in + label_len, text, len);
    rv = ddb_crypto_hmac(DDB_SHA256, mac, with, all);
    if (rv == APR_SUCCESS) {
        apr_encode_base64_binary(out, mac, MAC_BYTES, APR_ENCODE_BASE64URL, NULL);
    }
    ddb_crypto_wipe(key, sizeof(key));
    ddb_crypto_wipe(mac, sizeof(mac));
    return rv;
}

/** text, a dot, and its MAC. */
static apr_status_t append_mac(const char **out, const char *secret, const char *label, const char *text, apr_pool_t *p)
{
    char mac[MAC_LEN + 1] = "";
    apr_status_t rv = make_mac(mac, secret, label, text, strlen(text));

    if (rv == APR_SUCCESS) {
        *out = apr_pstrcat(p, text, ".", mac, NULL);
    }
    return rv;
}

/** What is before the MAC, with its length, if that is right. @return APR_NOTFOUND if it is not. */
static apr_status_t check_mac(apr_size_t *len, const char *text, const char *secret, const char *label)
{
    char mac[MAC_LEN + 1] = "";
    apr_size_t all = text ? strnlen(text, TEXT_MAX + 1) : 0;
    apr_status_t rv;

    if (all > TEXT_MAX || all < MAC_LEN + 2 || text[all - MAC_LEN - 1] != '.') {
        return APR_NOTFOUND;
    }
    *len = all - MAC_LEN - 1;
    rv = make_mac(mac, secret, label, text, *len);
    return rv != APR_SUCCESS ? rv : ddb_crypto_equal(mac, text + *len + 1, MAC_LEN) ? APR_SUCCESS : APR_NOTFOUND;
}

/** The number of len characters at text, in the one form that prints; -1: none. */
static apr_int64_t read_time(const char *text, apr_size_t len)
{
    char number[NUMBER_MAX + 1];
    apr_int64_t n = -1;

    if (len < 1 || len > NUMBER_MAX) {
        return -1;
    }
    memcpy(number, text, len);
    number[len] = '\0';
    return ddb_attribute_read_number(&n, number) && n >= 0 ? n : -1;
}

static int is_recent(apr_int64_t then, apr_int64_t now, apr_int64_t age)
{
    /* Of another server, whose clock may be a little ahead. */
    return then >= 0 && then <= now + DDB_DEVICE_SLACK && now - then <= age;
}

apr_status_t ddb_device_id(const char **id, const char *secret, apr_pool_t *p)
{
    char mac[MAC_LEN + 1] = "";
    apr_status_t rv = make_mac(mac, secret, ID, "", 0);

    if (rv == APR_SUCCESS) {
        *id = apr_pstrdup(p, mac);
    }
    return rv;
}

apr_status_t ddb_device_invite(const char **challenge, const char *secret, const char *key, apr_int64_t now,
                               apr_pool_t *p)
{
    return append_mac(challenge, secret, INVITE, apr_psprintf(p, "%s.%" APR_INT64_T_FMT, key, now), p);
}

const char *ddb_device_invited(const char *challenge, apr_pool_t *p)
{
    static const char form[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    return strspn(challenge, form) == KEY_LEN && challenge[KEY_LEN] == '.' ? apr_pstrmemdup(p, challenge, KEY_LEN)
                                                                           : NULL;
}

apr_status_t ddb_device_check_invite(const char *challenge, const char *secret, apr_int64_t now, apr_int64_t age)
{
    apr_size_t len = 0;
    apr_status_t rv = check_mac(&len, challenge, secret, INVITE);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return len > KEY_LEN + 1 && is_recent(read_time(challenge + KEY_LEN + 1, len - KEY_LEN - 1), now, age)
               ? APR_SUCCESS
               : APR_NOTFOUND;
}

apr_status_t ddb_device_challenge(const char **challenge, const char *secret, apr_int64_t now, ddb_random_fn *random,
                                  apr_pool_t *p)
{
    unsigned char bytes[NONCE_BYTES];
    apr_status_t rv = random(bytes, sizeof(bytes));
    const char *nonce;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    nonce = apr_pencode_base64_binary(p, bytes, sizeof(bytes), APR_ENCODE_BASE64URL, NULL);
    return append_mac(challenge, secret, CHALLENGE, apr_psprintf(p, "%s.%" APR_INT64_T_FMT, nonce, now), p);
}

apr_status_t ddb_device_check_challenge(const char *challenge, const char *secret, apr_int64_t now, apr_int64_t age)
{
    apr_size_t len = 0;
    apr_status_t rv = check_mac(&len, challenge, secret, CHALLENGE);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return len > NONCE_LEN + 1 && is_recent(read_time(challenge + NONCE_LEN + 1, len - NONCE_LEN - 1), now, age)
               ? APR_SUCCESS
               : APR_NOTFOUND;
}

apr_status_t ddb_device_cookie(const char **value, const char *secret, apr_int64_t now, apr_int64_t lifetime,
                               apr_pool_t *p)
{
    const apr_int64_t slack = lifetime / 4 < DDB_DEVICE_SLACK ? lifetime / 4 : DDB_DEVICE_SLACK;

    return append_mac(value, secret, COOKIE, apr_psprintf(p, "%" APR_INT64_T_FMT, now + lifetime + slack), p);
}

apr_status_t ddb_device_check_cookie(const char *value, const char *secret, apr_int64_t now)
{
    apr_size_t len = 0;
    apr_status_t rv = check_mac(&len, value, secret, COOKIE);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return read_time(value, len) > now ? APR_SUCCESS : APR_NOTFOUND;
}
