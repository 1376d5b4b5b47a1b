/* ddb_sigv4: vectors step by step, what is signed and how, and the cache of signing keys. */

#include <apr_encode.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "aws/ddb_sigv4.h"
#include "base/ddb_crypto.h"
#include "tap.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define SECRET   "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define GET_ITEM "{\"TableName\":\"sess\",\"Key\":{\"id\":{\"S\":\"a\"}}}"

/* 2026-11-23 01:02:03 UTC */
#define NOW   APR_INT64_C(1795395723000000)
#define SCOPE "20261123/us-east-1/dynamodb/aws4_request"

static const ddb_credentials_t long_term = { .access_key_id = "AKIDEXAMPLE", .secret_access_key = SECRET };
static const ddb_credentials_t temporary = { .access_key_id = "AKIDEXAMPLE",
                                             .secret_access_key = SECRET,
                                             .session_token = "TOK/EN+==" };

/* Computed with botocore 1.43.67, the chain of keys a second time without it. One key for all of them. */
#define SIGNING_KEY "d174a4695751e04015d7d0d2dbb7ca3e414504fd35cb5901be9c6c1f76370549"
static const struct {
    const char *name, *host, *target, *body;
    const ddb_credentials_t *credentials;
    const char *body_sha256, *canonical_sha256, *signature, *signed_headers;
} vectors[] = {
    { "A, long-term keys", "dynamodb.us-east-1.amazonaws.com", "GetItem", GET_ITEM, &long_term,
      "e0941c8cff07bec548a9845b59fe9f5a517fdc13b5560122569d39090faa9214",
      "56d9e592f46338eb5ab1a06d2b4902483c32e4b5938de1dbb6e764c60b1dbe30",
      "1506939fbc9e5183a6d9c4383dfaf321eca31d031bdb63f16171bbede88ede8e", "content-type;host;x-amz-date;x-amz-target" },
    { "B, with a token", "dynamodb.us-east-1.amazonaws.com", "GetItem", GET_ITEM, &temporary,
      "e0941c8cff07bec548a9845b59fe9f5a517fdc13b5560122569d39090faa9214",
      "9455834c484e1711a57252a9760bbe11d23260151df9437016dd88209f0d8480",
      "dcda2a0eb312f683bfe06eb80cee4389f5d1c18d6320a2ca9f5fe12e0a7d8a7e",
      "content-type;host;x-amz-date;x-amz-security-token;x-amz-target" },
    { "C, with a port", "127.0.0.1:8000", "ListTables", "{}", &long_term,
      "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      "f78be000eb346488978549d20b606aea29562b1cc75665482badfdd09d0cd6e8",
      "d342c0e49fcbd4eb70579a8d6e48560e9a88939d854e6e3941cdaf762f63ac79", "content-type;host;x-amz-date;x-amz-target" },
};

/* AWS Signature Version 4 Test Suite, cases by their names there; 2015-08-30 12:36:00 UTC, service "service". */
#define SUITE_NOW APR_INT64_C(1440938160000000)
static const struct {
    const char *name, *method;
    const char *headers[8];
    const char *signature;
} suite[] = {
    { "get-vanilla", "GET", { NULL }, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "post-vanilla", "POST", { NULL }, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "get-header-value-trim",
      "GET",
      { "My-Header1", " value1", "My-Header2", " \"a   b   c\"" },
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
    { "get-header-key-duplicate",
      "GET",
      { "My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1" },
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
    { "get-header-value-order",
      "GET",
      { "My-Header1", "value4", "My-Header1", "value1", "My-Header1", "value3", "My-Header1", "value2" },
      "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
    { "post-header-key-sort",
      "POST",
      { "My-Header1", "value1" },
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
    { "post-header-value-case",
      "POST",
      { "My-Header1", "VALUE1" },
      "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
};

static const char *sha256_hex(const char *in, apr_pool_t *p)
{
    unsigned char hash[DDB_SHA256_BYTES];

    ddb_crypto_digest(DDB_SHA256, hash, in, strlen(in));
    return ddb_crypto_hex(p, hash, sizeof(hash));
}

static ddb_sigv4_request_t request_of(const char *host, const char *body, const apr_table_t *headers)
{
    ddb_sigv4_request_t req = {
        .method = "POST", .path = "/", .query = "", .region = "us-east-1", .service = "dynamodb"
    };

    req.host = host;
    req.headers = headers;
    req.body = body;
    req.body_len = body ? strlen(body) : 0;
    return req;
}

static apr_table_t *dynamodb_headers(const char *operation, apr_pool_t *p)
{
    apr_table_t *headers = apr_table_make(p, 4);

    apr_table_setn(headers, "X-Amz-Target", apr_pstrcat(p, "DynamoDB_20120810.", operation, NULL));
    apr_table_setn(headers, "Content-Type", "application/x-amz-json-1.0");
    return headers;
}

static ddb_sigv4_signer_t signer_of(const ddb_credentials_t *credentials, apr_time_t now, ddb_sigv4_cache_t *cache)
{
    ddb_sigv4_signer_t signer = { 0 };

    signer.credentials = credentials;
    signer.now = now;
    signer.cache = cache;
    return signer;
}

/* Authorization of a GetItem signed so. */
static const char *sign_get_item(const ddb_credentials_t *credentials, apr_time_t now, ddb_sigv4_cache_t *cache,
                                 apr_pool_t *p)
{
    ddb_sigv4_request_t req = request_of("dynamodb.us-east-1.amazonaws.com", GET_ITEM, dynamodb_headers("GetItem", p));
    ddb_sigv4_signer_t signer = signer_of(credentials, now, cache);
    apr_table_t *out = apr_table_make(p, 4);

    return ddb_sigv4_sign(out, &req, &signer, p) == APR_SUCCESS ? apr_table_get(out, "Authorization") : NULL;
}

static const char *mac_by_signing_key(const char *string_to_sign, apr_pool_t *p)
{
    unsigned char mac[DDB_SHA256_BYTES];
    ddb_bytes_t key = { .len = DDB_SHA256_BYTES }, in = { .data = string_to_sign, .len = strlen(string_to_sign) };

    key.data = apr_pdecode_base16_binary(p, SIGNING_KEY, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL);
    ddb_crypto_hmac(DDB_SHA256, mac, key, in);
    return ddb_crypto_hex(p, mac, sizeof(mac));
}

static void test_vector(int i, apr_pool_t *p)
{
    apr_table_t *headers = dynamodb_headers(vectors[i].target, p), *all = apr_table_clone(p, headers);
    apr_table_t *out = apr_table_make(p, 4);
    ddb_sigv4_request_t req = request_of(vectors[i].host, vectors[i].body, headers);
    ddb_sigv4_signer_t signer = signer_of(vectors[i].credentials, NOW, NULL);
    const char *canonical, *names, *string_to_sign, *token = signer.credentials->session_token;

    apr_table_setn(all, "host", vectors[i].host);
    apr_table_setn(all, "x-amz-date", "20261123T010203Z");
    if (token) {
        apr_table_setn(all, "x-amz-security-token", token);
    }
    printf("# vector %s\n", vectors[i].name);
    ddb_sigv4_canonical_request(&canonical, &names, &req, all, p);
    IS(names, vectors[i].signed_headers, "signed headers");
    IS(strrchr(canonical, '\n') + 1, vectors[i].body_sha256, "hash of the body");
    IS(sha256_hex(canonical, p), vectors[i].canonical_sha256, "canonical request");
    ddb_sigv4_string_to_sign(&string_to_sign, canonical, SCOPE, "20261123T010203Z", p);
    IS(string_to_sign,
       apr_pstrcat(p, "AWS4-HMAC-SHA256\n20261123T010203Z\n" SCOPE "\n", vectors[i].canonical_sha256, NULL),
       "string to sign");
    IS(mac_by_signing_key(string_to_sign, p), vectors[i].signature, "signature by the signing key computed elsewhere");
    NUM_IS(ddb_sigv4_sign(out, &req, &signer, p), APR_SUCCESS, "all steps at once");
    IS(apr_table_get(out, "Authorization"),
       apr_pstrcat(p, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" SCOPE ", SignedHeaders=", vectors[i].signed_headers,
                   ", Signature=", vectors[i].signature, NULL),
       "Authorization");
    IS(apr_table_get(out, "X-Amz-Date"), "20261123T010203Z", "X-Amz-Date");
    IS(apr_table_get(out, "X-Amz-Security-Token"), token, "X-Amz-Security-Token, if there is one");
    NUM_IS(apr_table_elts(out)->nelts, token ? 3 : 2, "and nothing else");
    NUM_IS(apr_table_elts(headers)->nelts, 2, "the headers given stay as they were");
}

static void test_suite(apr_pool_t *p)
{
    int i, j;

    for (i = 0; i < COUNT(suite); i++) {
        apr_table_t *headers = apr_table_make(p, 4), *out = apr_table_make(p, 4);
        ddb_sigv4_request_t req = request_of("example.amazonaws.com", NULL, headers);
        ddb_sigv4_signer_t signer = signer_of(&long_term, SUITE_NOW, NULL);
        const char *authorization;

        req.method = suite[i].method;
        req.service = "service";
        for (j = 0; j < 8 && suite[i].headers[j]; j += 2) {
            apr_table_addn(headers, suite[i].headers[j], suite[i].headers[j + 1]);
        }
        ddb_sigv4_sign(out, &req, &signer, p);
        authorization = apr_table_get(out, "Authorization");
        IS(strrchr(authorization, '=') + 1, suite[i].signature, suite[i].name);
    }
}

static void test_canonical(apr_pool_t *p)
{
    static const char empty_hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    apr_table_t *headers = apr_table_make(p, 8);
    ddb_sigv4_request_t req = request_of("h", NULL, headers);
    const char *canonical, *names;

    apr_table_addn(headers, "X-B", "\t two \t\r\n words  ");
    apr_table_addn(headers, "X-Ab", "1");
    apr_table_addn(headers, "X-A-C", "2");
    apr_table_addn(headers, "x-a", "3");
    apr_table_addn(headers, "X-Empty", "");
    apr_table_addn(headers, "X-Space", "   ");
    apr_table_addn(headers, "Host", "h");
    apr_table_addn(headers, "x-A", " 1 ");
    req.path = "/a/b";
    req.query = "q=1";
    ddb_sigv4_canonical_request(&canonical, &names, &req, headers, p);
    IS(canonical,
       apr_pstrcat(p,
                   "POST\n/a/b\nq=1\n"
                   "host:h\nx-a:3,1\nx-a-c:2\nx-ab:1\nx-b:two words\nx-empty:\nx-space:\n\n"
                   "host;x-a;x-a-c;x-ab;x-b;x-empty;x-space\n",
                   empty_hash, NULL),
       "sorted by name alone, lower case, trimmed, values of one name joined in their order");
    IS(names, "host;x-a;x-a-c;x-ab;x-b;x-empty;x-space", "each name once");

    req.body = "a\0b";
    req.body_len = 3;
    ddb_sigv4_canonical_request(&canonical, &names, &req, headers, p);
    IS(strrchr(canonical, '\n') + 1, "59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138",
       "a body is bytes, NUL and all");
}

/* The same table again and again, as a client does that signs each attempt anew. */
static void test_again(apr_pool_t *p)
{
    apr_table_t *headers = dynamodb_headers("GetItem", p);
    ddb_sigv4_request_t req = request_of("dynamodb.us-east-1.amazonaws.com", GET_ITEM, headers);
    ddb_sigv4_signer_t first = signer_of(&temporary, NOW - apr_time_from_sec(3600), NULL);
    ddb_sigv4_signer_t second = signer_of(&long_term, NOW, NULL);

    ddb_sigv4_sign(headers, &req, &first, p);
    OK(apr_table_get(headers, "X-Amz-Security-Token") != NULL, "a first attempt with a token");
    ddb_sigv4_sign(headers, &req, &second, p);
    IS(strrchr(apr_table_get(headers, "Authorization"), '=') + 1, vectors[0].signature,
       "what an earlier attempt left in the table is not signed");
    IS(apr_table_get(headers, "X-Amz-Date"), "20261123T010203Z", "its date is replaced");
    OK(apr_table_get(headers, "X-Amz-Security-Token") == NULL, "its token is gone");
    NUM_IS(apr_table_elts(headers)->nelts, 4, "each header is there once");
}

static void test_time(apr_pool_t *p)
{
    static const struct {
        apr_time_t now;
        const char *stamp;
    } times[] = {
        { 0, "19700101T000000Z" },
        { NOW + 999999, "20261123T010203Z" },
        { APR_INT64_C(951782400000000), "20000229T000000Z" },
        { APR_INT64_C(4102444799000000), "20991231T235959Z" },
    };
    ddb_sigv4_request_t req = request_of("h", "{}", dynamodb_headers("GetItem", p));
    int i;

    for (i = 0; i < COUNT(times); i++) {
        ddb_sigv4_signer_t signer = signer_of(&long_term, times[i].now, NULL);
        apr_table_t *out = apr_table_make(p, 4);
        const char *scope = apr_pstrcat(p, "/", apr_pstrndup(p, times[i].stamp, 8), "/us-east-1/", NULL);
        ddb_sigv4_sign(out, &req, &signer, p);
        IS(apr_table_get(out, "X-Amz-Date"), times[i].stamp, "the date is UTC, whole seconds");
        OK(strstr(apr_table_get(out, "Authorization"), scope) != NULL, "and the scope has its day");
    }
}

static void test_cache(apr_pool_t *p)
{
    static const ddb_credentials_t other = { .access_key_id = "AKIDEXAMPLE", .secret_access_key = SECRET "2" };
    apr_time_t day = apr_time_from_sec(86400);
    ddb_sigv4_cache_t *cache = NULL;
    int round, i, wrong = 0;

    NUM_IS(ddb_sigv4_cache_create(&cache, p), APR_SUCCESS, "a cache is made");
    for (i = 0; i < 3; i++) {
        IS(strrchr(sign_get_item(&long_term, NOW, cache, p), '=') + 1, vectors[0].signature,
           i ? "a key from the cache signs the same" : "a key that the cache did not have signs right");
    }
    /* More keys than the cache has room for, in turns: each must come out as without a cache. */
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 7; i++) {
            wrong += strcmp(sign_get_item(&long_term, NOW + i * day, cache, p),
                            sign_get_item(&long_term, NOW + i * day, NULL, p))
                     != 0;
            wrong += strcmp(sign_get_item(&other, NOW + i * day, cache, p),
                            sign_get_item(&other, NOW + i * day, NULL, p))
                     != 0;
        }
    }
    NUM_IS(wrong, 0, "keys of other days and secrets are told apart, and old ones make room");
}

static void test_cache_scope(apr_pool_t *p)
{
    static const char *const scopes[][2] = {
        { "us-east-1", "dynamodb" },
        { "us-east-2", "dynamodb" },
        { "us-east-1", "sts" },
        { "us-east-1/dynamodb", "" },
    };
    ddb_sigv4_request_t req = request_of("h", "{}", dynamodb_headers("GetItem", p));
    ddb_sigv4_signer_t with = signer_of(&long_term, NOW, NULL), without = with;
    apr_table_t *a = apr_table_make(p, 4), *b = apr_table_make(p, 4);
    int i, wrong = 0;

    ddb_sigv4_cache_create(&with.cache, p);
    for (i = 0; i < 2 * COUNT(scopes); i++) {
        req.region = scopes[i % COUNT(scopes)][0];
        req.service = scopes[i % COUNT(scopes)][1];
        ddb_sigv4_sign(a, &req, &with, p);
        ddb_sigv4_sign(b, &req, &without, p);
        wrong += strcmp(apr_table_get(a, "Authorization"), apr_table_get(b, "Authorization")) != 0;
    }
    NUM_IS(wrong, 0, "keys of other regions and services are told apart");
}

/* Where the signing key of the vectors is in the cache, NULL if it is not: the cache is one block of its pool. */
static unsigned char *key_in(ddb_sigv4_cache_t *cache, apr_pool_t *p)
{
    const unsigned char *key = apr_pdecode_base16_binary(p, SIGNING_KEY, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL);
    unsigned char *bytes = (unsigned char *)cache;
    apr_size_t i;

    for (i = 0; i + DDB_SHA256_BYTES <= 256; i++) {
        if (!memcmp(bytes + i, key, DDB_SHA256_BYTES)) {
            return bytes + i;
        }
    }
    return NULL;
}

/* A cleanup that runs after the cache's own and before the memory goes. */
static struct {
    ddb_sigv4_cache_t *cache;
    apr_pool_t *elsewhere;
    int wiped;
} witness;

static apr_status_t look(void *baton)
{
    (void)baton;
    witness.wiped = key_in(witness.cache, witness.elsewhere) == NULL;
    return APR_SUCCESS;
}

static void test_cache_inside(apr_pool_t *p)
{
    apr_pool_t *scope;
    unsigned char *key;

    apr_pool_create(&scope, p);
    apr_pool_cleanup_register(scope, &witness, look, apr_pool_cleanup_null);
    ddb_sigv4_cache_create(&witness.cache, scope);
    witness.elsewhere = p;
    OK(key_in(witness.cache, p) == NULL, "a new cache has no key");
    sign_get_item(&long_term, NOW, witness.cache, p);
    key = key_in(witness.cache, p);
    if (OK(key != NULL, "the signing key is in the cache")) {
        *key ^= 1;
        OK(strcmp(strrchr(sign_get_item(&long_term, NOW, witness.cache, p), '=') + 1, vectors[0].signature) != 0,
           "and is taken from there");
        *key ^= 1;
    }
    apr_pool_destroy(scope);
    OK(witness.wiped, "it is wiped with the cache's pool");
}

#define THREADS 8

typedef struct job_t {
    ddb_sigv4_cache_t *cache;
    const char *want[6];
    int wrong;
} job_t;

static void *APR_THREAD_FUNC sign_often(apr_thread_t *thread, void *baton)
{
    job_t *job = baton;
    apr_pool_t *scope;
    int i;

    apr_pool_create(&scope, apr_thread_pool_get(thread));
    for (i = 0; i < 300; i++) {
        const char *got = sign_get_item(&long_term, NOW + (i % 6) * apr_time_from_sec(86400), job->cache, scope);
        job->wrong += !got || strcmp(got, job->want[i % 6]) != 0;
        apr_pool_clear(scope);
    }
    return NULL;
}

static void test_threads(apr_pool_t *p)
{
    apr_thread_t *threads[THREADS];
    job_t jobs[THREADS], model = { NULL, { NULL }, 0 };
    apr_status_t rv;
    int i, wrong = 0;

    ddb_sigv4_cache_create(&model.cache, p);
    for (i = 0; i < 6; i++) {
        model.want[i] = sign_get_item(&long_term, NOW + i * apr_time_from_sec(86400), NULL, p);
    }
    for (i = 0; i < THREADS; i++) {
        jobs[i] = model;
        apr_thread_create(&threads[i], NULL, sign_often, &jobs[i], p);
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        wrong += jobs[i].wrong;
    }
    NUM_IS(wrong, 0, "threads that share a cache too small for all of them sign right");
}

TAP_MAIN(p)
{
    int i;

    for (i = 0; i < COUNT(vectors); i++) {
        test_vector(i, p);
    }
    test_suite(p);
    test_canonical(p);
    test_again(p);
    test_time(p);
    test_cache(p);
    test_cache_scope(p);
    test_cache_inside(p);
    test_threads(p);
}
