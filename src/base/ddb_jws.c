/* JSON Web Signatures in compact form. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_base64.h"
#include "base/ddb_jws.h"

#define MEMBERS_MAX 16     /* of an object; those of browsers have three */
#define EXPONENT    "AQAB" /* 65537: what browsers and TPMs make, and OpenSSL verifies fastest */

/** Decode base64url (RFC 4648 section 5) without padding, which has one form for each text: the bits that a last
 * character has too many are 0. out has room for most + 2 bytes. 0: other text, or more than most bytes. */
static int decode(unsigned char *out, apr_size_t *len, ddb_bytes_t in, apr_size_t most)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *text = in.data, *digit;
    unsigned int bits = 0;
    apr_size_t i, n = 0;

    if (in.len % 4 == 1 || in.len / 4 * 3 > most) {
        return 0;
    }
    for (i = 0; i < in.len; i++) {
        digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit) {
            return 0;
        }
        bits = (bits << 6 | (unsigned int)(digit - digits)) & 0xffffU;
        if (i % 4) {
            out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    *len = n;
    return n <= most && (in.len % 4 == 0 || !(bits & (in.len % 4 == 2 ? 0xfU : 0x3U)));
}

/** 1 if no name repeats in the object. */
static int has_unique_names(const char *text, apr_pool_t *p)
{
    apr_array_header_t *members = NULL;
    const char *names[MEMBERS_MAX];
    int i, j;

    if (ddb_json_members(&members, text, p) != APR_SUCCESS || members->nelts > MEMBERS_MAX) {
        return 0;
    }
    for (i = 0; i < members->nelts; i++) {
        names[i] = ddb_json_unquote(APR_ARRAY_IDX(members, i, ddb_json_member_t).name, p);
        for (j = 0; names[i] && j < i && strcmp(names[i], names[j]) != 0; j++) {
        }
        if (!names[i] || j < i) {
            return 0;
        }
    }
    return 1;
}

/** The member of an object, as it is written; NULL: there is none. */
static const char *member_text(const char *text, const char *name, apr_pool_t *p)
{
    apr_array_header_t *members = NULL;
    apr_status_t rv = ddb_json_members(&members, text, p);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < members->nelts; i++) {
        const ddb_json_member_t *m = &APR_ARRAY_IDX(members, i, ddb_json_member_t);
        const char *unquoted = ddb_json_unquote(m->name, p);

        if (unquoted && strcmp(unquoted, name) == 0) {
            return m->value;
        }
    }
    return NULL;
}

/** One part of the text as a JSON object, and as text in *text. */
static const ddb_json_t *read_object(const char **text, ddb_bytes_t part, apr_pool_t *p)
{
    char *json = apr_palloc(p, part.len + 3);
    ddb_json_t *object = NULL;
    apr_size_t len = 0;

    if (!decode((unsigned char *)json, &len, part, part.len)) {
        return NULL;
    }
    json[len] = '\0';
    *text = json;
    return strlen(json) == len && ddb_json_parse(&object, json, len, p) == APR_SUCCESS && has_unique_names(json, p)
               ? object
               : NULL;
}

static int read_header(ddb_jws_t *jws, const char *text, apr_pool_t *p)
{
    const char *alg = ddb_json_str(jws->header, "alg"), *key;

    if (!alg || (strcmp(alg, "ES256") != 0 && strcmp(alg, "RS256") != 0) || ddb_json_has(jws->header, "crit")) {
        return 0;
    }
    jws->alg = strcmp(alg, "ES256") == 0 ? DDB_ES256 : DDB_RS256;
    if (!ddb_json_child(jws->header, "jwk")) {
        return 1;
    }
    key = member_text(text, "jwk", p);
    return key && has_unique_names(key, p);
}

apr_status_t ddb_jws_read(ddb_jws_t *jws, const char *text, apr_pool_t *p)
{
    const char *dot, *last, *json = NULL, *unused = NULL;

    *jws = (ddb_jws_t){ .text = text };
    if (strnlen(text, DDB_JWS_LEN_MAX + 1) > DDB_JWS_LEN_MAX) {
        return APR_NOTFOUND;
    }
    dot = strchr(text, '.');
    last = dot ? strchr(dot + 1, '.') : NULL;
    if (!last
        || !decode(jws->signature, &jws->signature_len, (ddb_bytes_t){ last + 1, strlen(last + 1) }, DDB_RSA_MOST)) {
        return APR_NOTFOUND;
    }
    jws->signed_len = (apr_size_t)(last - text);
    jws->header = read_object(&json, (ddb_bytes_t){ text, (apr_size_t)(dot - text) }, p);
    jws->payload = read_object(&unused, (ddb_bytes_t){ dot + 1, (apr_size_t)(last - dot - 1) }, p);
    return jws->header && jws->payload && read_header(jws, json, p) ? APR_SUCCESS : APR_NOTFOUND;
}

/** A number of a key into out, which has room for most + 2 bytes; the number of its bytes, 0 for none. */
static apr_size_t read_number(unsigned char *out, const ddb_json_t *jwk, const char *name, apr_size_t most)
{
    const char *text = ddb_json_str(jwk, name);
    apr_size_t len = 0;

    return text && decode(out, &len, (ddb_bytes_t){ text, strlen(text) }, most) ? len : 0;
}

static int is_text(const ddb_json_t *object, const char *name, const char *value)
{
    const char *text = ddb_json_str(object, name);

    return text && strcmp(text, value) == 0;
}

static int read_ec(ddb_public_key_t *key, const ddb_json_t *jwk)
{
    unsigned char number[DDB_P256_BYTES + 2];
    static const char *const names[] = { "x", "y" };
    int i;

    for (i = 0; i < 2; i++) {
        /* With the zeros before it: RFC 7518 section 6.2.1.2. */
        if (read_number(number, jwk, names[i], DDB_P256_BYTES) != DDB_P256_BYTES) {
            return 0;
        }
        memcpy(key->bytes + i * DDB_P256_BYTES, number, DDB_P256_BYTES);
    }
    key->len = 2 * (apr_size_t)DDB_P256_BYTES;
    return is_text(jwk, "kty", "EC") && is_text(jwk, "crv", "P-256");
}

static int read_rsa(ddb_public_key_t *key, const ddb_json_t *jwk)
{
    unsigned char number[DDB_RSA_MOST + 2];

    key->len = read_number(number, jwk, "n", DDB_RSA_MOST);
    memcpy(key->bytes, number, key->len);
    /* Without zeros before it: RFC 7518 section 6.3.1.1. */
    return is_text(jwk, "kty", "RSA") && is_text(jwk, "e", EXPONENT) && key->len >= DDB_RSA_LEAST && key->bytes[0];
}

apr_status_t ddb_jws_key(ddb_public_key_t *key, const ddb_jws_t *jws)
{
    const ddb_json_t *jwk = ddb_json_child(jws->header, "jwk");

    *key = (ddb_public_key_t){ .alg = jws->alg };
    return jwk && (jws->alg == DDB_ES256 ? read_ec(key, jwk) : read_rsa(key, jwk)) ? APR_SUCCESS : APR_NOTFOUND;
}

apr_status_t ddb_jws_verify(const ddb_jws_t *jws, const ddb_public_key_t *key)
{
    if (jws->alg != key->alg) {
        return APR_NOTFOUND;
    }
    return ddb_crypto_verify(key, (ddb_bytes_t){ jws->signature, jws->signature_len },
                             (ddb_bytes_t){ jws->text, jws->signed_len });
}

const char *ddb_jws_key_print(const ddb_public_key_t *key, apr_pool_t *p)
{
    unsigned char raw[1 + DDB_PUBLIC_KEY_MAX] = { (unsigned char)key->alg };
    char *text = apr_palloc(p, DDB_BASE64_LEN(sizeof(raw)) + 1);
    apr_size_t len = 1 + key->len;

    memcpy(raw + 1, key->bytes, key->len);
    ddb_base64_encode(text, raw, len);
    text[DDB_BASE64_LEN(len)] = '\0';
    return text;
}

apr_status_t ddb_jws_key_parse(ddb_public_key_t *key, const char *text)
{
    char raw[DDB_BASE64_LEN(1 + DDB_PUBLIC_KEY_MAX) / 4 * 3];
    apr_size_t len = 0, text_len = strnlen(text, DDB_BASE64_LEN(1 + DDB_PUBLIC_KEY_MAX) + 1);

    if (text_len > DDB_BASE64_LEN(1 + DDB_PUBLIC_KEY_MAX) || !ddb_base64_decode(raw, &len, text, text_len) || len < 1
        || (raw[0] != DDB_ES256 && raw[0] != DDB_RS256) || len > 1 + DDB_PUBLIC_KEY_MAX) {
        return APR_NOTFOUND;
    }
    *key = (ddb_public_key_t){ .alg = (ddb_signature_e)raw[0], .len = len - 1 };
    memcpy(key->bytes, raw + 1, key->len);
    return key->alg == DDB_ES256 ? (key->len == 2 * (apr_size_t)DDB_P256_BYTES ? APR_SUCCESS : APR_NOTFOUND)
                                 : (key->len >= DDB_RSA_LEAST ? APR_SUCCESS : APR_NOTFOUND);
}
