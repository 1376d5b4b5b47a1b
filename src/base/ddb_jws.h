#ifndef DDB_JWS_H
#define DDB_JWS_H

#include <apr_pools.h>

#include "base/ddb_crypto.h"
#include "base/ddb_json.h"

/*
 * JSON Web Signatures in compact form (RFC 7515 section 7.1), read strictly: three parts in base64url without padding,
 * as they would be written again; header and payload one JSON object each, in which no name repeats (section 4); ES256
 * and RS256, no other algorithm; no critical extensions (section 4.1.11). Everything else about the header, and all of
 * the payload, is for callers.
 */

#define DDB_JWS_LEN_MAX 4096 /* characters; those of browsers have some 200 to 1,000 */

typedef struct ddb_jws_t {
    ddb_signature_e alg;
    const ddb_json_t *header, *payload;
    const char *text;                          /* as it came, not copied */
    apr_size_t signed_len;                     /* of text: header and payload, which are signed */
    unsigned char signature[DDB_RSA_MOST + 2]; /* and room to decode */
    apr_size_t signature_len;
} ddb_jws_t;

/** Read text, which must live as long as *jws; the rest is in p. Nothing is verified. @return APR_NOTFOUND if it is not
 * of this form. */
apr_status_t ddb_jws_read(ddb_jws_t *jws, const char *text, apr_pool_t *p);

/** The public key in the header (member jwk, RFC 7517, RFC 7518 sections 6.2.1 and 6.3.1). Whoever signs can put one
 * there: it proves no more than that it signed. @return APR_NOTFOUND if there is none for the header's algorithm. */
apr_status_t ddb_jws_key(ddb_public_key_t *key, const ddb_jws_t *jws);

/** @return APR_SUCCESS if key made the signature; else as ddb_crypto_verify, APR_NOTFOUND also if the key is of another
 * algorithm. */
apr_status_t ddb_jws_verify(const ddb_jws_t *jws, const ddb_public_key_t *key);

/** A key as base64, in p, to be stored, and read again: APR_NOTFOUND for other text than that of print. */
const char *ddb_jws_key_print(const ddb_public_key_t *key, apr_pool_t *p);
apr_status_t ddb_jws_key_parse(ddb_public_key_t *key, const char *text);

#endif
