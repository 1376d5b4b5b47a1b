/* AWS Signature Version 4: canonical request, string to sign, signing key and its cache, Authorization header. */

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "aws/ddb_sigv4.h"
#include "base/ddb_crypto.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

/* A client signs with one secret for one region and service: a slot for today's key, one for yesterday's (clocks differ
 * around midnight UTC), and as many for credentials just refreshed. */
#define SLOTS 4

typedef struct slot_t {
    int used;
    unsigned char id[DDB_SHA256_BYTES];
    unsigned char key[DDB_SHA256_BYTES];
} slot_t;

struct ddb_sigv4_cache_t {
    apr_thread_mutex_t *mutex; /* of everything below */
    int oldest;
    slot_t slots[SLOTS];
};

static apr_status_t cache_wipe(void *baton)
{
    ddb_sigv4_cache_t *cache = baton;

    ddb_crypto_wipe(cache->slots, sizeof(cache->slots));
    return APR_SUCCESS;
}

apr_status_t ddb_sigv4_cache_create(ddb_sigv4_cache_t **pc, apr_pool_t *p)
{
    ddb_sigv4_cache_t *cache = apr_pcalloc(p, sizeof(*cache));
    apr_status_t rv = apr_thread_mutex_create(&cache->mutex, APR_THREAD_MUTEX_DEFAULT, p);

    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(p, cache, cache_wipe, apr_pool_cleanup_null);
        *pc = cache;
    }
    return rv;
}

/* 1 when the key of that id was found and copied to key. A cache whose lock fails is as an empty one. */
static int cache_get(ddb_sigv4_cache_t *cache, const unsigned char *id, unsigned char *key)
{
    int i, found = 0;

    if (apr_thread_mutex_lock(cache->mutex) != APR_SUCCESS) {
        return 0;
    }
    for (i = 0; i < SLOTS && !found; i++) {
        found = cache->slots[i].used && ddb_crypto_equal(cache->slots[i].id, id, DDB_SHA256_BYTES);
        if (found) {
            memcpy(key, cache->slots[i].key, DDB_SHA256_BYTES);
        }
    }
    apr_thread_mutex_unlock(cache->mutex);
    return found;
}

/* Two threads that derived the same key at the same time put it twice, which costs a slot and nothing else. */
static void cache_put(ddb_sigv4_cache_t *cache, const unsigned char *id, const unsigned char *key)
{
    slot_t *slot;

    if (apr_thread_mutex_lock(cache->mutex) != APR_SUCCESS) {
        return;
    }
    slot = &cache->slots[cache->oldest];
    cache->oldest = (cache->oldest + 1) % SLOTS;
    slot->used = 1;
    memcpy(slot->id, id, DDB_SHA256_BYTES);
    memcpy(slot->key, key, DDB_SHA256_BYTES);
    apr_thread_mutex_unlock(cache->mutex);
}

static ddb_bytes_t text(const char *s)
{
    ddb_bytes_t bytes = { .data = s, .len = strlen(s) };
    return bytes;
}

/* The four names that a signing key is made from and that are written in each signature. */
typedef struct scope_t {
    char date[9]; /* YYYYMMDD */
    const char *region, *service;
    const char *name; /* date/region/service/aws4_request */
} scope_t;

static apr_status_t derive_key(unsigned char *key, const char *secret, const scope_t *scope, apr_pool_t *p)
{
    const char *parts[] = { scope->date, scope->region, scope->service, "aws4_request" };
    char *first = apr_pstrcat(p, "AWS4", secret, NULL);
    ddb_bytes_t with = text(first), link = { .data = key, .len = DDB_SHA256_BYTES };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < 4 && rv == APR_SUCCESS; i++) {
        rv = ddb_crypto_hmac(DDB_SHA256, key, i ? link : with, text(parts[i]));
    }
    ddb_crypto_wipe(first, with.len);
    return rv;
}

/* A cached key is found by a hash of secret and scope, with a NUL between: the secret itself is not kept. */
static apr_status_t cache_id(unsigned char *id, const char *secret, const scope_t *scope, apr_pool_t *p)
{
    apr_size_t secret_len = strlen(secret) + 1, scope_len = strlen(scope->name), len = secret_len + scope_len;
    char *both = apr_palloc(p, len);
    apr_status_t rv;

    memcpy(both, secret, secret_len);
    memcpy(both + secret_len, scope->name, scope_len);
    rv = ddb_crypto_digest(DDB_SHA256, id, both, len);
    ddb_crypto_wipe(both, len);
    return rv;
}

static apr_status_t signing_key(unsigned char *key, const ddb_sigv4_signer_t *signer, const scope_t *scope,
                                apr_pool_t *p)
{
    const char *secret = signer->credentials->secret_access_key;
    unsigned char id[DDB_SHA256_BYTES];
    apr_status_t rv;

    if (!signer->cache) {
        return derive_key(key, secret, scope, p);
    }
    rv = cache_id(id, secret, scope, p);
    if (rv != APR_SUCCESS || cache_get(signer->cache, id, key)) {
        return rv;
    }
    rv = derive_key(key, secret, scope, p);
    if (rv == APR_SUCCESS) {
        cache_put(signer->cache, id, key);
    }
    return rv;
}

/* A header as it is signed, and its place in the table: values of one name keep their order. */
typedef struct signed_header_t {
    const char *name, *value;
    int place;
} signed_header_t;

static const char *lower_case(apr_pool_t *p, const char *name)
{
    char *copy = apr_pstrdup(p, name), *c;

    for (c = copy; *c; c++) {
        *c = apr_tolower(*c);
    }
    return copy;
}

/* Without space at either end, and one for each run of it within. */
static const char *collapse(apr_pool_t *p, const char *value)
{
    char *copy = apr_palloc(p, strlen(value) + 1), *out = copy;

    for (; *value; value++) {
        if (!apr_isspace(*value)) {
            *out++ = *value;
        }
        else if (out > copy && out[-1] != ' ') {
            *out++ = ' ';
        }
    }
    if (out > copy && out[-1] == ' ') {
        out--;
    }
    *out = '\0';
    return copy;
}

static int by_name(const void *a, const void *b)
{
    const signed_header_t *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : x->place - y->place;
}

static apr_array_header_t *sorted_headers(const apr_table_t *headers, apr_pool_t *p)
{
    const apr_array_header_t *from = apr_table_elts(headers);
    apr_array_header_t *to = apr_array_make(p, from->nelts, sizeof(signed_header_t));
    int i;

    for (i = 0; i < from->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(from, i, apr_table_entry_t);
        signed_header_t *header = &APR_ARRAY_PUSH(to, signed_header_t);
        header->name = lower_case(p, entry->key);
        header->value = collapse(p, entry->val);
        header->place = i;
    }
    qsort(to->elts, (size_t)to->nelts, sizeof(signed_header_t), by_name);
    return to;
}

/* The lines of the canonical headers without the last line end, and the list of signed headers. */
static void canonical_headers(const char **lines, const char **names, const apr_table_t *headers, apr_pool_t *p)
{
    apr_array_header_t *sorted = sorted_headers(headers, p);
    apr_array_header_t *pieces = apr_array_make(p, 4 * sorted->nelts, sizeof(const char *));
    apr_array_header_t *name = apr_array_make(p, sorted->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < sorted->nelts; i++) {
        const signed_header_t *header = &APR_ARRAY_IDX(sorted, i, signed_header_t);
        if (i > 0 && strcmp(header->name, header[-1].name) == 0) {
            APR_ARRAY_PUSH(pieces, const char *) = ",";
        }
        else {
            APR_ARRAY_PUSH(pieces, const char *) = i > 0 ? "\n" : "";
            APR_ARRAY_PUSH(pieces, const char *) = header->name;
            APR_ARRAY_PUSH(pieces, const char *) = ":";
            APR_ARRAY_PUSH(name, const char *) = header->name;
        }
        APR_ARRAY_PUSH(pieces, const char *) = header->value;
    }
    *lines = apr_array_pstrcat(p, pieces, 0);
    *names = apr_array_pstrcat(p, name, ';');
}

static apr_status_t hex_sha256(const char **hex, const void *in, apr_size_t len, apr_pool_t *p)
{
    unsigned char hash[DDB_SHA256_BYTES];
    apr_status_t rv = ddb_crypto_digest(DDB_SHA256, hash, in, len);

    if (rv == APR_SUCCESS) {
        *hex = ddb_crypto_hex(p, hash, sizeof(hash));
    }
    return rv;
}

apr_status_t ddb_sigv4_canonical_request(const char **out, const char **signed_headers, const ddb_sigv4_request_t *req,
                                         const apr_table_t *headers, apr_pool_t *p)
{
    const char *lines, *names, *body_hash;
    apr_status_t rv = hex_sha256(&body_hash, req->body, req->body_len, p);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    canonical_headers(&lines, &names, headers, p);
    /* An empty line ends the headers; behind it the names of the signed ones. */
    *out = apr_pstrcat(p, req->method, "\n", req->path, "\n", req->query, "\n", lines, "\n\n", names, "\n", body_hash,
                       NULL);
    *signed_headers = names;
    return APR_SUCCESS;
}

apr_status_t ddb_sigv4_string_to_sign(const char **out, const char *canonical_request, const char *scope,
                                      const char *timestamp, apr_pool_t *p)
{
    const char *hash;
    apr_status_t rv = hex_sha256(&hash, canonical_request, strlen(canonical_request), p);

    if (rv == APR_SUCCESS) {
        *out = apr_pstrcat(p, ALGORITHM "\n", timestamp, "\n", scope, "\n", hash, NULL);
    }
    return rv;
}

static void put_two(char *at, int n)
{
    at[0] = (char)('0' + n / 10);
    at[1] = (char)('0' + n % 10);
}

/* YYYYMMDDTHHMMSSZ; its first eight digits are the date of the scope, always. */
static const char *print_timestamp(apr_time_t now, apr_pool_t *p)
{
    char *text = apr_palloc(p, sizeof("YYYYMMDDTHHMMSSZ"));
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, now);
    put_two(text, t.tm_year / 100 + 19);
    put_two(text + 2, t.tm_year % 100);
    put_two(text + 4, t.tm_mon + 1);
    put_two(text + 6, t.tm_mday);
    text[8] = 'T';
    put_two(text + 9, t.tm_hour);
    put_two(text + 11, t.tm_min);
    put_two(text + 13, t.tm_sec);
    text[15] = 'Z';
    text[16] = '\0';
    return text;
}

static void make_scope(scope_t *scope, const ddb_sigv4_request_t *req, const char *timestamp, apr_pool_t *p)
{
    apr_cpystrn(scope->date, timestamp, sizeof(scope->date));
    scope->region = req->region;
    scope->service = req->service;
    scope->name = apr_pstrcat(p, scope->date, "/", req->region, "/", req->service, "/aws4_request", NULL);
}

/* What this room writes is replaced, not signed beside the new: out may be the table of an attempt before. */
static void set_own_headers(apr_table_t *headers, const char *timestamp, const ddb_credentials_t *credentials)
{
    apr_table_unset(headers, "Authorization");
    apr_table_unset(headers, "X-Amz-Security-Token");
    apr_table_set(headers, "X-Amz-Date", timestamp);
    if (credentials->session_token) {
        apr_table_set(headers, "X-Amz-Security-Token", credentials->session_token);
    }
}

static apr_status_t signature_of(const char **signature, const char *string_to_sign, const ddb_sigv4_signer_t *signer,
                                 const scope_t *scope, apr_pool_t *p)
{
    unsigned char key[DDB_SHA256_BYTES], mac[DDB_SHA256_BYTES];
    ddb_bytes_t key_bytes = { .data = key, .len = sizeof(key) };
    apr_status_t rv = signing_key(key, signer, scope, p);

    if (rv == APR_SUCCESS) {
        rv = ddb_crypto_hmac(DDB_SHA256, mac, key_bytes, text(string_to_sign));
    }
    if (rv == APR_SUCCESS) {
        *signature = ddb_crypto_hex(p, mac, sizeof(mac));
    }
    ddb_crypto_wipe(key, sizeof(key));
    return rv;
}

apr_status_t ddb_sigv4_sign(apr_table_t *out, const ddb_sigv4_request_t *req, const ddb_sigv4_signer_t *signer,
                            apr_pool_t *p)
{
    const char *timestamp = print_timestamp(signer->now, p);
    apr_table_t *headers = apr_table_clone(p, req->headers);
    const char *canonical, *string_to_sign, *signed_headers, *signature = NULL;
    scope_t scope;
    apr_status_t rv;

    make_scope(&scope, req, timestamp, p);
    set_own_headers(headers, timestamp, signer->credentials);
    apr_table_set(headers, "Host", req->host);
    rv = ddb_sigv4_canonical_request(&canonical, &signed_headers, req, headers, p);
    if (rv == APR_SUCCESS) {
        rv = ddb_sigv4_string_to_sign(&string_to_sign, canonical, scope.name, timestamp, p);
    }
    if (rv == APR_SUCCESS) {
        rv = signature_of(&signature, string_to_sign, signer, &scope, p);
    }
    if (rv == APR_SUCCESS) {
        set_own_headers(out, timestamp, signer->credentials);
        apr_table_setn(out, "Authorization",
                       apr_pstrcat(p, ALGORITHM " Credential=", signer->credentials->access_key_id, "/", scope.name,
                                   ", SignedHeaders=", signed_headers, ", Signature=", signature, NULL));
    }
    return rv;
}
