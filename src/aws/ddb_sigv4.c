/* AWS Signature Version 4: canonical request, string to sign, signing key, Authorization header. Many requests of one
 * form: ddb_sigv4_slots.c. */

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "aws/ddb_sigv4_int.h"
#include "base/ddb_crypto.h"

static ddb_bytes_t text(const char *s)
{
    ddb_bytes_t bytes = { .data = s, .len = strlen(s) };
    return bytes;
}

apr_status_t ddb_sigv4_derive_key(unsigned char *key, const char *secret, const ddb_sigv4_scope_t *scope, apr_pool_t *p)
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
        *out = apr_pstrcat(p, DDB_SIGV4_ALGORITHM "\n", timestamp, "\n", scope, "\n", hash, NULL);
    }
    return rv;
}

static void put_two(char *at, int n)
{
    at[0] = (char)('0' + n / 10);
    at[1] = (char)('0' + n % 10);
}

void ddb_sigv4_print_timestamp(char *text, apr_time_t now)
{
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
}

static void make_scope(ddb_sigv4_scope_t *scope, const ddb_sigv4_request_t *req, const char *timestamp, apr_pool_t *p)
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

apr_status_t ddb_sigv4_take_steps(ddb_sigv4_steps_t *steps, const ddb_sigv4_request_t *req,
                                  const ddb_sigv4_signer_t *signer, apr_pool_t *p)
{
    apr_table_t *headers = apr_table_clone(p, req->headers);
    apr_status_t rv;

    ddb_sigv4_print_timestamp(steps->timestamp, signer->now);
    make_scope(&steps->scope, req, steps->timestamp, p);
    set_own_headers(headers, steps->timestamp, signer->credentials);
    apr_table_set(headers, "Host", req->host);
    rv = ddb_sigv4_canonical_request(&steps->canonical_request, &steps->signed_headers, req, headers, p);
    if (rv == APR_SUCCESS) {
        rv = ddb_sigv4_string_to_sign(&steps->string_to_sign, steps->canonical_request, steps->scope.name,
                                      steps->timestamp, p);
    }
    return rv;
}

static apr_status_t signature_of(const char **signature, const ddb_sigv4_steps_t *steps, const char *secret,
                                 apr_pool_t *p)
{
    unsigned char key[DDB_SHA256_BYTES], mac[DDB_SHA256_BYTES];
    ddb_bytes_t key_bytes = { .data = key, .len = sizeof(key) };
    apr_status_t rv = ddb_sigv4_derive_key(key, secret, &steps->scope, p);

    if (rv == APR_SUCCESS) {
        rv = ddb_crypto_hmac(DDB_SHA256, mac, key_bytes, text(steps->string_to_sign));
    }
    if (rv == APR_SUCCESS) {
        *signature = ddb_crypto_hex(p, mac, sizeof(mac));
    }
    ddb_crypto_wipe(key, sizeof(key));
    return rv;
}

const char *ddb_sigv4_authorization(const char *access_key_id, const ddb_sigv4_steps_t *steps, const char *signature,
                                    apr_pool_t *p)
{
    return apr_pstrcat(p, DDB_SIGV4_ALGORITHM " Credential=", access_key_id, "/", steps->scope.name,
                       ", SignedHeaders=", steps->signed_headers, ", Signature=", signature, NULL);
}

apr_status_t ddb_sigv4_sign(apr_table_t *out, const ddb_sigv4_request_t *req, const ddb_sigv4_signer_t *signer,
                            apr_pool_t *p)
{
    const char *signature = NULL;
    ddb_sigv4_steps_t steps;
    apr_status_t rv = ddb_sigv4_take_steps(&steps, req, signer, p);

    if (rv == APR_SUCCESS) {
        rv = signature_of(&signature, &steps, signer->credentials->secret_access_key, p);
    }
    if (rv == APR_SUCCESS) {
        set_own_headers(out, steps.timestamp, signer->credentials);
        apr_table_setn(out, "Authorization",
                       ddb_sigv4_authorization(signer->credentials->access_key_id, &steps, signature, p));
    }
    return rv;
}
