/* ddb_jws and ddb_crypto_verify: the examples of RFC 7515, proofs as browsers send them, and what is none. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_array.h"
#include "base/ddb_jws.h"
#include "tap.h"

/* RFC 7515 appendix A.2 and A.3: header, payload, signature, and the public key. */
#define RFC_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RS_HEADER   "eyJhbGciOiJSUzI1NiJ9"
#define RS_SIGNATURE                                                                                                   \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9"             \
    "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB"             \
    "_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq"             \
    "Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RS_N                                                                                                           \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"             \
    "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB"             \
    "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia"             \
    "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define ES_HEADER    "eyJhbGciOiJFUzI1NiJ9"
#define ES_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ES_X         "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define ES_Y         "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

/* A registration and a refresh as Chromium sends them, made with python3-cryptography. */
#define REGISTRATION                                                                                                   \
    "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6IlJ4dy1kWXhKQkNoYnVuNVRFWTdROVNT"             \
    "dDZ3ZFgwbHZTLU9ldzEyMzZjVXciLCJ5IjoiM1ZJUGVzcUtpNUY2ekRmMUhland5YnZqcllXRGd1Y0MzQ1doTFFuM3FGZyJ9LCJ0"             \
    "eXAiOiJkYnNjK2p3dCJ9.eyJhdXRob3JpemF0aW9uIjoiQSIsImp0aSI6ImNoYWxsZW5nZS0xIn0.VtVq9GhztvVQTS0zS8Njfyb"             \
    "ocTEEviy7QdCHA7QqKilruSVoJ-z7fegceb6c0Qtbq-x6Q0uH6EWxszJFplSNhw"
#define REFRESH                                                                                                        \
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRic2Mrand0In0.eyJqdGkiOiJjaGFsbGVuZ2UtMiJ9.RBYqgQk46eLDXjkdBkvZEfXKhnM"             \
    "HAas-zVjPfgGqG7m8x6XowpkrdkAjJHCvR8QE39j1FzvYN1ftPym4o-SBwg"

static const char *encode(const void *bytes, apr_size_t len, apr_pool_t *p)
{
    return apr_pencode_base64_binary(p, bytes, (apr_ssize_t)len, APR_ENCODE_BASE64URL, NULL);
}

static const char *encode_text(const char *text, apr_pool_t *p)
{
    return encode(text, strlen(text), p);
}

/** Header and payload in clear, with some signature of 64 bytes. */
static const char *jws_of(const char *header, const char *payload, apr_pool_t *p)
{
    return apr_pstrcat(p, encode_text(header, p), ".", encode_text(payload, p), ".", ES_SIGNATURE, NULL);
}

static apr_status_t read_one(const char *text, apr_pool_t *p)
{
    ddb_jws_t jws;

    return ddb_jws_read(&jws, text, p);
}

/** The key of a header with this jwk. */
static apr_status_t key_of(ddb_public_key_t *key, const char *alg, const char *jwk, apr_pool_t *p)
{
    ddb_jws_t jws;
    const char *header = apr_pstrcat(p, "{\"alg\":\"", alg, "\",\"jwk\":", jwk, "}", NULL);
    apr_status_t rv = ddb_jws_read(&jws, jws_of(header, "{}", p), p);

    return rv == APR_SUCCESS ? ddb_jws_key(key, &jws) : APR_EGENERAL;
}

static const char *ec_jwk(const char *x, const char *y, apr_pool_t *p)
{
    return apr_pstrcat(p, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"", x, "\",\"y\":\"", y, "\"}", NULL);
}

static void test_rfc(apr_pool_t *p)
{
    ddb_public_key_t es, rs;
    ddb_jws_t jws;

    OK(key_of(&es, "ES256", ec_jwk(ES_X, ES_Y, p), p) == APR_SUCCESS, "the key of A.3");
    OK(key_of(&rs, "RS256", "{\"kty\":\"RSA\",\"n\":\"" RS_N "\",\"e\":\"AQAB\"}", p) == APR_SUCCESS, "the key of A.2");
    NUM_IS(rs.len, 256, "... of 2048 bits");
    NUM_IS(ddb_jws_read(&jws, ES_HEADER "." RFC_PAYLOAD "." ES_SIGNATURE, p), APR_SUCCESS, "RFC 7515 A.3 is read");
    NUM_IS(ddb_jws_verify(&jws, &es), APR_SUCCESS, "... and verified");
    NUM_IS(ddb_jws_verify(&jws, &rs), APR_NOTFOUND, "... not by a key of the other algorithm");
    IS(ddb_json_str(jws.payload, "iss"), "joe", "... the payload");
    NUM_IS(ddb_jws_read(&jws, RS_HEADER "." RFC_PAYLOAD "." RS_SIGNATURE, p), APR_SUCCESS, "RFC 7515 A.2 is read");
    NUM_IS(ddb_jws_verify(&jws, &rs), APR_SUCCESS, "... and verified");
    NUM_IS(ddb_jws_verify(&jws, &es), APR_NOTFOUND, "... not by a key of the other algorithm");
    rs.bytes[100] ^= 1;
    NUM_IS(ddb_jws_verify(&jws, &rs), APR_NOTFOUND, "... nor by another key");
    NUM_IS(ddb_jws_read(&jws, ES_HEADER "." RFC_PAYLOAD "." RS_SIGNATURE, p), APR_SUCCESS,
           "a signature of the other kind");
    NUM_IS(ddb_jws_verify(&jws, &es), APR_NOTFOUND, "... is none");
    NUM_IS(ddb_jws_read(&jws, RS_HEADER "." RFC_PAYLOAD "." ES_SIGNATURE, p), APR_SUCCESS, "and the other way round");
    rs.bytes[100] ^= 1;
    NUM_IS(ddb_jws_verify(&jws, &rs), APR_NOTFOUND, "... neither");
}

static void test_browser(apr_pool_t *p)
{
    ddb_public_key_t key, again;
    ddb_jws_t first, next;

    NUM_IS(ddb_jws_read(&first, REGISTRATION, p), APR_SUCCESS, "a registration");
    IS(ddb_json_str(first.payload, "jti"), "challenge-1", "... with its challenge");
    IS(ddb_json_str(first.header, "typ"), "dbsc+jwt", "... and type");
    NUM_IS(ddb_jws_key(&key, &first), APR_SUCCESS, "... and key");
    NUM_IS(ddb_jws_verify(&first, &key), APR_SUCCESS, "... which made it");
    NUM_IS(ddb_jws_key_parse(&again, ddb_jws_key_print(&key, p)), APR_SUCCESS, "the key is stored and read");
    NUM_IS(ddb_jws_read(&next, REFRESH, p), APR_SUCCESS, "a refresh");
    NUM_IS(ddb_jws_key(&key, &next), APR_NOTFOUND, "... has no key");
    NUM_IS(ddb_jws_verify(&next, &again), APR_SUCCESS, "... but was made by the same");
    again.bytes[0] ^= 1;
    NUM_IS(ddb_jws_verify(&next, &again), APR_NOTFOUND, "a point that is not on the curve verifies nothing");
}

/** Each bit of the signed text counts, or it is no JWS any more. */
static void test_changed(apr_pool_t *p)
{
    ddb_public_key_t key;
    ddb_jws_t jws;
    char *text = apr_pstrdup(p, REGISTRATION);
    apr_size_t i, accepted = 0;

    ddb_jws_read(&jws, REGISTRATION, p);
    ddb_jws_key(&key, &jws);
    for (i = 0; text[i]; i++) {
        const char was = text[i];
        apr_pool_t *scope;

        apr_pool_create(&scope, p);
        text[i] = was == 'A' ? 'B' : 'A';
        accepted += ddb_jws_read(&jws, text, scope) == APR_SUCCESS && ddb_jws_verify(&jws, &key) == APR_SUCCESS;
        text[i] = was;
        apr_pool_destroy(scope);
    }
    NUM_IS(accepted, 0, "no other text is accepted");
}

static void test_form(apr_pool_t *p)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c.d",
        ES_HEADER "." RFC_PAYLOAD,
        ES_HEADER "." RFC_PAYLOAD "." ES_SIGNATURE ".",
        ES_HEADER "." RFC_PAYLOAD "." ES_SIGNATURE "=",
        ES_HEADER "=." RFC_PAYLOAD "." ES_SIGNATURE,
        " " ES_HEADER "." RFC_PAYLOAD "." ES_SIGNATURE,
        ES_HEADER "." RFC_PAYLOAD "." ES_SIGNATURE "\n",
        ES_HEADER "."
                  "." ES_SIGNATURE,
        "." RFC_PAYLOAD "." ES_SIGNATURE,
        "eyJhbGciOiJFUzI1NiJ+." RFC_PAYLOAD "." ES_SIGNATURE, /* the alphabet of ordinary base64 */
        "eyJhbGciOiJFUzI1NiJ9f." RFC_PAYLOAD "." ES_SIGNATURE,
    };
    static const char *const headers[] = {
        "{}",
        "[]",
        "{\"alg\":\"none\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"ES384\"}",
        "{\"alg\":\"es256\"}",
        "{\"alg\":[\"ES256\"]}",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}",
        "{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"ES256\"} ",
        "{\"alg\":\"ES256\"}x",
        "{\"alg\":\"ES256\",\"jwk\":{\"x\":\"1\",\"x\":\"2\"}}",
        "{\"alg\":\"ES256\\u0000\"}",
    };
    apr_size_t i;
    char *last;

    for (i = 0; i < DDB_ARRAY_LENGTH(bad); i++) {
        NUM_IS(read_one(bad[i], p), APR_NOTFOUND, apr_psprintf(p, "not a JWS: %.30s", bad[i]));
    }
    for (i = 0; i < DDB_ARRAY_LENGTH(headers); i++) {
        NUM_IS(read_one(jws_of(headers[i], "{}", p), p),
               strcmp(headers[i], "{\"alg\":\"ES256\"} ") == 0 ? APR_SUCCESS : APR_NOTFOUND,
               apr_psprintf(p, "a header: %s", headers[i]));
    }
    NUM_IS(read_one(jws_of("{\"alg\":\"ES256\"}", "{\"jti\":1,\"jti\":2}", p), p), APR_NOTFOUND,
           "a claim that repeats");
    NUM_IS(read_one(jws_of("{\"alg\":\"ES256\"}", "[]", p), p), APR_NOTFOUND, "claims that are no object");
    last = apr_pstrcat(p, ES_HEADER "." RFC_PAYLOAD "." ES_SIGNATURE, NULL);
    last[strlen(last) - 1] = 'R';
    NUM_IS(read_one(last, p), APR_NOTFOUND, "bits behind the last byte");
    NUM_IS(read_one(jws_of("{\"alg\":\"ES256\"}",
                           apr_pstrcat(p, "{\"x\":\"", encode(apr_pcalloc(p, 2900), 2900, p), "\"}", NULL), p),
                    p),
           APR_NOTFOUND, "more than 4096 characters");
}

static void test_keys(apr_pool_t *p)
{
    static const char *const bad_ec[] = {
        "{\"kty\":\"RSA\",\"crv\":\"P-256\",\"x\":\"" ES_X "\",\"y\":\"" ES_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" ES_X "\",\"y\":\"" ES_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES_X "AA\",\"y\":\"" ES_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"" ES_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES_X "=\",\"y\":\"" ES_Y "\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS_N "\",\"e\":\"AQAB\"}",
    };
    static const char *const bad_rsa[] = {
        "{\"kty\":\"RSA\",\"n\":\"" RS_N "\",\"e\":\"AQ\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS_N "\",\"e\":\"Aw\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS_N "\"}",
        "{\"kty\":\"EC\",\"n\":\"" RS_N "\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"AA" RS_N "\",\"e\":\"AQAB\"}",
    };
    ddb_public_key_t key;
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(bad_ec); i++) {
        NUM_IS(key_of(&key, "ES256", bad_ec[i], p), APR_NOTFOUND, apr_psprintf(p, "no key for ES256: %s", bad_ec[i]));
    }
    for (i = 0; i < DDB_ARRAY_LENGTH(bad_rsa); i++) {
        NUM_IS(key_of(&key, "RS256", bad_rsa[i], p), APR_NOTFOUND, apr_psprintf(p, "no key for RS256: %s", bad_rsa[i]));
    }
    NUM_IS(key_of(&key, "RS256",
                  apr_pstrcat(p, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"",
                              encode(memset(apr_palloc(p, 255), 0xff, 255), 255, p), "\"}", NULL),
                  p),
           APR_NOTFOUND, "a modulus of 2040 bits");
    NUM_IS(key_of(&key, "RS256",
                  apr_pstrcat(p, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"",
                              encode(memset(apr_palloc(p, 512), 0xff, 512), 512, p), "\"}", NULL),
                  p),
           APR_SUCCESS, "one of 4096");
    NUM_IS(ddb_jws_key_parse(&key, ddb_jws_key_print(&key, p)), APR_SUCCESS, "... is stored and read");
    NUM_IS(key_of(&key, "ES256", "\"text\"", p), APR_NOTFOUND, "a jwk that is no object");
}

/** The numbers of an ECDSA signature at the ends of their range. */
static void test_numbers(apr_pool_t *p)
{
    static const unsigned char order[DDB_P256_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,
                                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                         0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                                         0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
    unsigned char raw[2 * DDB_P256_BYTES];
    ddb_public_key_t key;
    ddb_jws_t jws;
    ddb_bytes_t in;
    int i;

    ddb_jws_read(&jws, REGISTRATION, p);
    ddb_jws_key(&key, &jws);
    in = (ddb_bytes_t){ jws.text, jws.signed_len };
    for (i = 0; i < 2; i++) {
        memcpy(raw, jws.signature, sizeof(raw));
        memset(raw + i * DDB_P256_BYTES, 0, DDB_P256_BYTES);
        NUM_IS(ddb_crypto_verify(&key, (ddb_bytes_t){ raw, sizeof(raw) }, in), APR_NOTFOUND, i ? "s is 0" : "r is 0");
        memcpy(raw + i * DDB_P256_BYTES, order, DDB_P256_BYTES);
        NUM_IS(ddb_crypto_verify(&key, (ddb_bytes_t){ raw, sizeof(raw) }, in), APR_NOTFOUND, i ? "s is n" : "r is n");
        memset(raw + i * DDB_P256_BYTES, 0xff, DDB_P256_BYTES);
        NUM_IS(ddb_crypto_verify(&key, (ddb_bytes_t){ raw, sizeof(raw) }, in), APR_NOTFOUND, "more than that");
    }
    for (i = 62; i <= 66; i += i == 63 ? 2 : 1) {
        unsigned char *longer = apr_pcalloc(p, 70);

        memcpy(longer, jws.signature, 64);
        NUM_IS(ddb_crypto_verify(&key, (ddb_bytes_t){ longer, (apr_size_t)i }, in), APR_NOTFOUND,
               apr_psprintf(p, "%d bytes", i));
    }
    NUM_IS(ddb_crypto_verify(&key, (ddb_bytes_t){ jws.signature, 64 }, in), APR_SUCCESS, "the signature itself");
}

static void test_stored(apr_pool_t *p)
{
    static const char *const bad[] = { "", "AA==", "AAAA", "A", "????" };
    ddb_public_key_t key;
    apr_size_t i;

    (void)p;
    for (i = 0; i < DDB_ARRAY_LENGTH(bad); i++) {
        NUM_IS(ddb_jws_key_parse(&key, bad[i]), APR_NOTFOUND, "no stored key");
    }
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_rfc, test_browser, test_changed, test_form, test_keys, test_numbers, test_stored);
}
