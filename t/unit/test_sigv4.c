/* ddb_sigv4: vectors step by step, what is signed and how, and the slots for requests of one form. */

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "aws/ddb_sigv4.h"
#include "base/ddb_crypto.h"
#include "message.h"
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

static ddb_sigv4_signer_t signer_of(const ddb_credentials_t *credentials, apr_time_t now)
{
    return (ddb_sigv4_signer_t){ .credentials = credentials, .now = now };
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
    ddb_sigv4_signer_t signer = signer_of(vectors[i].credentials, NOW);
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
        ddb_sigv4_signer_t signer = signer_of(&long_term, SUITE_NOW);
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
    ddb_sigv4_signer_t first = signer_of(&temporary, NOW - apr_time_from_sec(3600));
    ddb_sigv4_signer_t second = signer_of(&long_term, NOW);

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
        ddb_sigv4_signer_t signer = signer_of(&long_term, times[i].now);
        apr_table_t *out = apr_table_make(p, 4);
        const char *scope = apr_pstrcat(p, "/", apr_pstrndup(p, times[i].stamp, 8), "/us-east-1/", NULL);
        ddb_sigv4_sign(out, &req, &signer, p);
        IS(apr_table_get(out, "X-Amz-Date"), times[i].stamp, "the date is UTC, whole seconds");
        OK(strstr(apr_table_get(out, "Authorization"), scope) != NULL, "and the scope has its day");
    }
}

/* --- slots --- */

#define DAY apr_time_from_sec(86400)

static const ddb_sigv4_form_t form = { .service = "dynamodb",
                                       .content_type = "application/x-amz-json-1.0",
                                       .target = "DynamoDB_20120810.",
                                       .unsigned_lines = "Accept-Encoding: identity\r\nUser-Agent: me\r\n" };

static ddb_sigv4_slots_t *slots_of(apr_pool_t *p)
{
    ddb_sigv4_slots_t *slots = NULL;

    if (ddb_sigv4_slots_create(&slots, &form, p) != APR_SUCCESS) {
        printf("Bail out! no slots\n");
        exit(1);
    }
    return slots;
}

static ddb_endpoint_t endpoint_of(const char *host, apr_pool_t *p)
{
    return (ddb_endpoint_t){ .url = apr_pstrcat(p, "https://", host, NULL), .host = host, .region = "us-east-1" };
}

static ddb_sigv4_post_t post_of(const char *operation, const char *body, apr_time_t now)
{
    return (ddb_sigv4_post_t){ .operation = operation, .body = body, .body_len = strlen(body), .now = now };
}

/* As a client does: with a slot that is there, else with a new one. *anew counts those. */
static apr_status_t write_message(ddb_sigv4_message_t *m, ddb_sigv4_slots_t *slots, const ddb_sigv4_sender_t *sender,
                                  const ddb_sigv4_post_t *post, int *anew, apr_pool_t *p)
{
    apr_status_t rv = ddb_sigv4_write(m, slots, sender->credentials->generation, post, p);

    if (rv == APR_NOTFOUND) {
        ++*anew;
        rv = ddb_sigv4_write_anew(m, slots, sender, post, p);
    }
    return rv;
}

/* Its headers, or none if there is anything wrong with it. */
static const apr_table_t *headers_of(const ddb_sigv4_message_t *m, const char *body, apr_pool_t *p)
{
    ddb_http_request_t req = { .message = m->text, .message_len = m->len }, parts = { 0 };
    const char *wrong = message_parse(&parts, &req, p);

    if (wrong || strcmp(parts.body, body) != 0 || m->head_len + strlen(body) != m->len) {
        printf("# %s\n", wrong ? wrong : "another body, or another length of the head");
        return apr_table_make(p, 1);
    }
    return parts.headers;
}

static const char *header_of(const apr_table_t *headers, const char *name)
{
    const char *value = apr_table_get(headers, name);

    return value ? value : "(none)";
}

static void test_slot_vector(int i, apr_pool_t *p)
{
    ddb_endpoint_t endpoint = endpoint_of(vectors[i].host, p);
    ddb_sigv4_sender_t sender = { .credentials = vectors[i].credentials, .endpoint = &endpoint };
    ddb_sigv4_post_t post = post_of(vectors[i].target, vectors[i].body, NOW);
    ddb_sigv4_message_t m = { 0 };
    const apr_table_t *headers;

    NUM_IS(ddb_sigv4_write_anew(&m, slots_of(p), &sender, &post, p), APR_SUCCESS, vectors[i].name);
    headers = headers_of(&m, vectors[i].body, p);
    IS(header_of(headers, "Authorization"),
       apr_pstrcat(p, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" SCOPE ", SignedHeaders=", vectors[i].signed_headers,
                   ", Signature=", vectors[i].signature, NULL),
       "a message is signed as a table of headers is");
    IS(header_of(headers, "X-Amz-Date"), "20261123T010203Z", "at its time");
    IS(apr_table_get(headers, "X-Amz-Security-Token"), vectors[i].credentials->session_token, "with the token");
    IS(header_of(headers, "Host"), vectors[i].host, "for its host");
    IS(header_of(headers, "X-Amz-Target"), apr_pstrcat(p, form.target, vectors[i].target, NULL), "and operation");
    IS(header_of(headers, "Content-Type"), form.content_type, "its type");
    IS(header_of(headers, "Accept-Encoding"), "identity", "the unsigned headers are there");
    IS(header_of(headers, "User-Agent"), "me", "all of them");
    NUM_IS(apr_table_elts(headers)->nelts, vectors[i].credentials->session_token ? 9 : 8, "and no others");
    IS(m.url, apr_pstrcat(p, "https://", vectors[i].host, "/", NULL), "it goes to the endpoint");
    IS(m.access_key_id, "AKIDEXAMPLE", "and tells whose it is");
}

/* Authorization by way of tables. */
static const char *authorization(const ddb_sigv4_sender_t *sender, const ddb_sigv4_post_t *post, apr_pool_t *p)
{
    ddb_sigv4_request_t req = request_of(sender->endpoint->host, post->body, dynamodb_headers(post->operation, p));
    ddb_sigv4_signer_t signer = signer_of(sender->credentials, post->now);
    apr_table_t *out = apr_table_make(p, 4);

    ddb_sigv4_sign(out, &req, &signer, p);
    return header_of(out, "Authorization");
}

static const char *letters(char letter, apr_size_t n, apr_pool_t *p)
{
    char *text = apr_palloc(p, n + 1);

    memset(text, letter, n);
    text[n] = '\0';
    return text;
}

/* All lengths around the blocks of SHA-256, and some in each other dimension. */
static void test_slot_signs_as_tables(apr_pool_t *p)
{
    static const char *const operations[] = { "GetItem", "PutItem", "UpdateItem", "DescribeTimeToLive", "x" };
    static const char *const hosts[] = { "dynamodb.us-east-1.amazonaws.com", "127.0.0.1:8000", "[::1]:1", "h" };
    static const apr_size_t tokens[] = { 0, 1, 9, 700, 5000, 100000 };
    apr_time_t times[] = { NOW, NOW + 999999, NOW + 1000000, NOW + DAY, NOW - DAY, 0 };
    ddb_sigv4_slots_t *slots = slots_of(p);
    apr_pool_t *each;
    int i, wrong = 0, anew = 0;

    apr_pool_create(&each, p);
    for (i = 0; i < 1200; i++) {
        apr_size_t token = tokens[i / 200];
        ddb_endpoint_t endpoint = endpoint_of(hosts[i / 50 % COUNT(hosts)], each);
        ddb_credentials_t credentials = { .access_key_id = apr_psprintf(each, "AKID%d", i / 50),
                                          .secret_access_key = apr_psprintf(each, "secret %d", i / 50),
                                          .session_token = token ? letters('t', token, each) : NULL,
                                          .generation = (apr_uint32_t)(i / 50 + 1) };
        ddb_sigv4_sender_t sender = { .credentials = &credentials, .endpoint = &endpoint };
        ddb_sigv4_post_t post = post_of(operations[i % COUNT(operations)], letters('b', (apr_size_t)i % 200, each),
                                        times[i / 10 % COUNT(times)]);
        ddb_sigv4_message_t m = { 0 };

        wrong += write_message(&m, slots, &sender, &post, &anew, each) != APR_SUCCESS
                 || strcmp(header_of(headers_of(&m, post.body, each), "Authorization"),
                           authorization(&sender, &post, each))
                        != 0;
        apr_pool_clear(each);
    }
    NUM_IS(wrong, 0, "messages of any operation, host, token, day and body are signed as tables are");
    OK(anew >= 24 && anew <= 96, "most of them with a slot that was there");
}

static apr_status_t write_by(ddb_sigv4_slots_t *slots, apr_uint32_t generation, apr_time_t now, apr_pool_t *p)
{
    ddb_sigv4_post_t post = post_of("GetItem", GET_ITEM, now);
    ddb_sigv4_message_t m = { 0 };

    return ddb_sigv4_write(&m, slots, generation, &post, p);
}

static apr_status_t write_anew(ddb_sigv4_slots_t *slots, apr_uint32_t generation, apr_time_t now, apr_pool_t *p)
{
    ddb_credentials_t credentials = temporary;
    ddb_endpoint_t endpoint = endpoint_of("h", p);
    ddb_sigv4_sender_t sender = { .credentials = &credentials, .endpoint = &endpoint };
    ddb_sigv4_post_t post = post_of("GetItem", GET_ITEM, now);
    ddb_sigv4_message_t m = { 0 };

    credentials.generation = generation;
    return ddb_sigv4_write_anew(&m, slots, &sender, &post, p);
}

static void test_slot_is_found(apr_pool_t *p)
{
    ddb_sigv4_slots_t *slots = slots_of(p);
    apr_time_t midnight = (NOW / DAY + 1) * DAY;

    NUM_IS(write_by(slots, 1, NOW, p), APR_NOTFOUND, "there is no slot at first");
    NUM_IS(write_anew(slots, 1, NOW, p), APR_SUCCESS, "one is made");
    NUM_IS(write_by(slots, 1, NOW, p), APR_SUCCESS, "and used after");
    NUM_IS(write_by(slots, 1, NOW - 3600 * APR_USEC_PER_SEC, p), APR_SUCCESS, "at any time");
    NUM_IS(write_by(slots, 1, midnight - 1, p), APR_SUCCESS, "of that day");
    NUM_IS(write_by(slots, 1, midnight, p), APR_NOTFOUND, "the next day needs another");
    NUM_IS(write_by(slots, 1, NOW, p), APR_NOTFOUND, "which ends the first");
    NUM_IS(write_anew(slots, 1, midnight, p), APR_SUCCESS, "another is made");
    NUM_IS(write_by(slots, 2, midnight, p), APR_NOTFOUND, "other credentials do not use it");
    NUM_IS(write_by(slots, 1, midnight, p), APR_NOTFOUND, "they end it");
    write_anew(slots, 1, NOW, p);
    write_anew(slots, 1, NOW, p);
    NUM_IS(write_by(slots, 0, NOW, p), APR_NOTFOUND, "without credentials nothing is signed");
    NUM_IS(write_by(slots, 1, NOW, p), APR_NOTFOUND, "and no slot stays");
}

static void test_slot_refuses_line_breaks(apr_pool_t *p)
{
    static const char *const cases[][3] = {
        { "AKID\r\nX: y", NULL, "h" }, { "AKID", "t\nt", "h" }, { "AKID", "t\r", "h" }, { "AKID", NULL, "h\r\n" }
    };
    ddb_sigv4_post_t post = post_of("GetItem", "{}", NOW);
    int i;

    for (i = 0; i < COUNT(cases); i++) {
        ddb_credentials_t credentials = { .access_key_id = cases[i][0],
                                          .secret_access_key = SECRET,
                                          .session_token = cases[i][1] };
        ddb_endpoint_t endpoint = endpoint_of(cases[i][2], p);
        ddb_sigv4_sender_t sender = { .credentials = &credentials, .endpoint = &endpoint };
        ddb_sigv4_message_t m = { 0 };

        NUM_IS(ddb_sigv4_write_anew(&m, slots_of(p), &sender, &post, p), APR_EINVAL,
               "nobody can begin another header of the message");
    }
}

static void test_slot_again(apr_pool_t *p)
{
    ddb_sigv4_slots_t *slots = slots_of(p);
    ddb_endpoint_t endpoint = endpoint_of(vectors[0].host, p);
    ddb_credentials_t credentials = long_term;
    ddb_sigv4_sender_t sender = { .credentials = &credentials, .endpoint = &endpoint };
    ddb_sigv4_post_t first = post_of("DescribeTimeToLive", letters('x', 5000, p), NOW + 5000000);
    ddb_sigv4_post_t second = post_of("GetItem", GET_ITEM, NOW);
    ddb_sigv4_message_t m = { 0 };
    int anew = 0;

    credentials.generation = 7;
    write_message(&m, slots, &sender, &first, &anew, p);
    NUM_IS(write_message(&m, slots, &sender, &second, &anew, p), APR_SUCCESS, "a slot is used again");
    NUM_IS(anew, 1, "the same");
    IS(strrchr(header_of(headers_of(&m, GET_ITEM, p), "Authorization"), '=') + 1, vectors[0].signature,
       "for a smaller request of an earlier second, which is signed right");
}

/* Debian's APR maps the memory of pools, and unmaps it when they are destroyed: what is in it then can be looked at. */
static struct {
    const char *text; /* to look for; NULL: do not look */
    int looked, found;
} watch;

static int has(const char *mem, size_t len, const char *text)
{
    size_t n = strlen(text), i;

    for (i = 0; i + n <= len && memcmp(mem + i, text, n) != 0; i++) {
    }
    return i + n <= len;
}

int munmap(void *mem, size_t len)
{
    if (watch.text) {
        watch.looked++;
        watch.found += has(mem, len, watch.text);
    }
    return (int)syscall(SYS_munmap, mem, len);
}

static void test_slot_is_wiped(apr_pool_t *p)
{
    ddb_credentials_t credentials = temporary;
    ddb_endpoint_t endpoint = endpoint_of("h", p);
    ddb_sigv4_sender_t sender = { .credentials = &credentials, .endpoint = &endpoint };
    ddb_sigv4_post_t post = post_of("GetItem", GET_ITEM, NOW);
    ddb_sigv4_message_t m = { 0 };
    ddb_sigv4_slots_t *slots;
    apr_pool_t *scope;

    credentials.generation = 5;
    apr_pool_create(&scope, p);
    slots = slots_of(scope);
    ddb_sigv4_write_anew(&m, slots, &sender, &post, p);
    OK(memmem(m.text, m.len, temporary.session_token, strlen(temporary.session_token)) != NULL, "a slot knows a token");
    watch.text = temporary.session_token;
    write_by(slots, 6, NOW, p);
    NUM_IS(watch.found, 0, "it is wiped when there are other credentials");
    watch.text = NULL;
    ddb_sigv4_write_anew(&m, slots, &sender, &post, p);
    watch.text = temporary.session_token;
    apr_pool_destroy(scope);
    watch.text = NULL;
    NUM_IS(watch.found, 0, "and with all slots");
    if (!watch.looked) {
        printf("# APR maps no memory here: nothing was seen\n");
    }
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
    for (i = 0; i < COUNT(vectors); i++) {
        test_slot_vector(i, p);
    }
    test_slot_signs_as_tables(p);
    test_slot_is_found(p);
    test_slot_refuses_line_breaks(p);
    test_slot_again(p);
    test_slot_is_wiped(p);
}
