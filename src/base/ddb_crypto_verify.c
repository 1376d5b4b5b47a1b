/* OpenSSL for signatures by public keys that come as numbers. */

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "base/ddb_crypto.h"

#define SIGNATURE_DER_MAX 80 /* SEQUENCE of two INTEGERs of up to 33 bytes */
#define EXPONENT          65537

/** 1 if the parameters make a public key. OpenSSL refuses a point that is not on the curve. */
static int make_key(EVP_PKEY **key, EVP_PKEY_CTX *ctx, OSSL_PARAM *params)
{
    return ctx && params && EVP_PKEY_fromdata_init(ctx) > 0
           && EVP_PKEY_fromdata(ctx, key, EVP_PKEY_PUBLIC_KEY, params) > 0;
}

/** *known: 1 if OpenSSL knows the algorithm. NULL: it does not, or the key is none. */
static EVP_PKEY *make_ec(const ddb_public_key_t *from, int *known)
{
    unsigned char point[1 + 2 * DDB_P256_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0),
                            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    *known = ctx != NULL;
    memcpy(point + 1, from->bytes, sizeof(point) - 1);
    if (!make_key(&key, ctx, params)) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *make_rsa(const ddb_public_key_t *from, int *known)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(from->bytes, (int)from->len, NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    *known = ctx && build && n;
    if (*known && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E, EXPONENT)) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    if (!make_key(&key, ctx, params)) {
        key = NULL;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/** r and s as OpenSSL reads them. @return the length in out; 0 if OpenSSL fails. */
static apr_size_t make_der(unsigned char *out, const unsigned char *raw)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, DDB_P256_BYTES, NULL), *s = BN_bin2bn(raw + DDB_P256_BYTES, DDB_P256_BYTES, NULL);
    int len = 0;

    if (signature && r && s && ECDSA_SIG_set0(signature, r, s)) {
        r = s = NULL; /* they are the signature's now */
        len = i2d_ECDSA_SIG(signature, &out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    return len > 0 ? (apr_size_t)len : 0;
}

static int verifies(EVP_PKEY *key, ddb_bytes_t signature, ddb_bytes_t in)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int good = ctx && EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) > 0
               && EVP_DigestVerify(ctx, signature.data, signature.len, in.data, in.len) == 1;

    EVP_MD_CTX_free(ctx);
    return good;
}

static int has_form(const ddb_public_key_t *key, apr_size_t signature_len)
{
    if (key->alg == DDB_ES256) {
        return key->len == 2 * (apr_size_t)DDB_P256_BYTES && signature_len == key->len;
    }
    return key->len >= DDB_RSA_LEAST && key->len <= DDB_RSA_MOST && key->bytes[0] && signature_len == key->len;
}

apr_status_t ddb_crypto_verify(const ddb_public_key_t *key, ddb_bytes_t signature, ddb_bytes_t in)
{
    unsigned char der[SIGNATURE_DER_MAX];
    EVP_PKEY *made;
    int known = 0, good = 0;

    if (!has_form(key, signature.len)) {
        return APR_NOTFOUND;
    }
    ERR_set_mark();
    made = key->alg == DDB_ES256 ? make_ec(key, &known) : make_rsa(key, &known);
    if (made && key->alg == DDB_ES256) {
        signature.len = make_der(der, signature.data);
        signature.data = der;
    }
    good = made && signature.len && verifies(made, signature, in);
    EVP_PKEY_free(made);
    ERR_pop_to_mark();
    return good ? APR_SUCCESS : known ? APR_NOTFOUND : APR_EGENERAL;
}
