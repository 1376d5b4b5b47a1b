/* What a session is bound to. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "base/ddb_crypto.h"
#include "store/ddb_bound.h"

#define BYTES 16 /* of a digest: the truncation that RFC 2104 section 5 allows */

static apr_status_t make_digest(const char **digest, const char *sid, const char *kind, const char *value,
                                apr_pool_t *p)
{
    ddb_bytes_t key = { sid, strcspn(sid, ".") };
    ddb_bytes_t in = { apr_psprintf(p, "%s%c%s", kind, '\0', value), strlen(kind) + 1 + strlen(value) };
    unsigned char mac[DDB_SHA256_BYTES];
    apr_status_t rv = ddb_crypto_hmac(DDB_SHA256, mac, key, in);

    if (rv == APR_SUCCESS) {
        *digest = apr_pencode_base64_binary(p, mac, BYTES, APR_ENCODE_BASE64URL, NULL);
    }
    ddb_crypto_wipe(mac, sizeof(mac));
    return rv;
}

/** The stored digest of a kind with its settings; NULL: there is none. */
static const char *find_digest(const char *bound, const char *kind)
{
    apr_size_t len = strlen(kind);
    const char *word;

    for (word = bound; word && *word; word += strcspn(word, " "), word += strspn(word, " ")) {
        if (strncmp(word, kind, len) == 0 && word[len] == '=' && strcspn(word + len + 1, " ") == DDB_BOUND_DIGEST) {
            return word + len + 1;
        }
    }
    return NULL;
}

/** 1 if word is of a kind that counts, by whatever settings. */
static int counts(const char *word, const ddb_bound_t *client)
{
    apr_size_t len = strcspn(word, "/= ");
    int i;

    for (i = 0; i < DDB_BOUND_KINDS; i++) {
        const char *kind = client->kind[i];

        if (kind && strcspn(kind, "/") == len && strncmp(kind, word, len) == 0) {
            return 1;
        }
    }
    return 0;
}

/** Words of other places, by their own rules. */
static void keep_others(apr_array_header_t *words, const char *bound, const ddb_bound_t *client)
{
    const char *word;
    apr_size_t len;

    for (word = bound; word && *word; word += len, word += strspn(word, " ")) {
        len = strcspn(word, " ");
        if (len && !counts(word, client)) {
            APR_ARRAY_PUSH(words, const char *) = apr_pstrmemdup(words->pool, word, len);
        }
    }
}

static int is_to_bind(const ddb_bound_t *client, int kind, const char *bound, int is_new)
{
    return client->kind[kind] && client->value[kind]
           && (kind != DDB_BOUND_CERTIFICATE || is_new || find_digest(bound, client->kind[kind]));
}

apr_status_t ddb_bound_make(const char **bound, const char *sid, const ddb_bound_t *client, int is_new, apr_pool_t *p)
{
    apr_array_header_t *words = apr_array_make(p, DDB_BOUND_KINDS, sizeof(const char *));
    const char *digest = NULL, *text;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < DDB_BOUND_KINDS && rv == APR_SUCCESS; i++) {
        if (is_to_bind(client, i, *bound, is_new)) {
            rv = make_digest(&digest, sid, client->kind[i], client->value[i], p);
            APR_ARRAY_PUSH(words, const char *) = apr_pstrcat(p, client->kind[i], "=", digest, NULL);
        }
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    keep_others(words, *bound, client);
    text = words->nelts ? apr_array_pstrcat(p, words, ' ') : NULL;
    if (!text || !*bound || strcmp(text, *bound) != 0) {
        *bound = text;
    }
    return APR_SUCCESS;
}

apr_status_t ddb_bound_compare(const char *changed[DDB_BOUND_KINDS], const char *bound, const char *sid,
                               const ddb_bound_t *client, apr_pool_t *p)
{
    const char *digest, *stored;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < DDB_BOUND_KINDS && rv == APR_SUCCESS; i++) {
        changed[i] = NULL;
        stored = client->kind[i] ? find_digest(bound, client->kind[i]) : NULL;
        if (!stored) {
            continue;
        }
        digest = "";
        rv = client->value[i] ? make_digest(&digest, sid, client->kind[i], client->value[i], p) : APR_SUCCESS;
        if (rv == APR_SUCCESS && (!*digest || !ddb_crypto_equal(digest, stored, DDB_BOUND_DIGEST))) {
            changed[i] = digest;
        }
    }
    return rv;
}
