/* Signs what sigv4_oracle.py sends: one request a line, fields in hex with a tab between:
 * now (microseconds), access key, secret, token ("" for none), region, service, method, host, path, query, body, then
 * names and values of headers in turns. The answer is Authorization, X-Amz-Date and token, with a tab between. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "aws/ddb_sigv4.h"
#include "message.h"

enum { NOW, ACCESS_KEY, SECRET, TOKEN, REGION, SERVICE, METHOD, HOST, PATH, QUERY, BODY, HEADERS, FIELDS_MAX = 64 };

typedef struct fields_t {
    const char *text[FIELDS_MAX];
    apr_size_t len[FIELDS_MAX];
    int n;
} fields_t;

static const char *from_hex(const char *hex, apr_size_t len, apr_pool_t *p)
{
    const unsigned char *bytes = apr_pdecode_base16_binary(p, hex, (apr_ssize_t)len * 2, APR_ENCODE_NONE, NULL);

    return len && bytes ? apr_pstrmemdup(p, (const char *)bytes, len) : "";
}

static void split(fields_t *f, char *line, apr_pool_t *p)
{
    char *from = line, *tab;

    for (f->n = 0; from && f->n < FIELDS_MAX; from = tab, f->n++) {
        tab = strchr(from, '\t');
        if (tab) {
            *tab++ = '\0';
        }
        f->len[f->n] = strlen(from) / 2;
        f->text[f->n] = from_hex(from, f->len[f->n], p);
    }
}

static const char *sign(const fields_t *f, const ddb_sigv4_signer_t *signer, apr_pool_t *p)
{
    apr_table_t *headers = apr_table_make(p, 8), *out = apr_table_make(p, 4);
    ddb_sigv4_request_t req = { .method = f->text[METHOD],
                                .host = f->text[HOST],
                                .path = f->text[PATH],
                                .query = f->text[QUERY],
                                .headers = headers,
                                .body = f->text[BODY],
                                .body_len = f->len[BODY],
                                .region = f->text[REGION],
                                .service = f->text[SERVICE] };
    const char *token;
    int i;

    for (i = HEADERS; i + 1 < f->n; i += 2) {
        apr_table_addn(headers, f->text[i], f->text[i + 1]);
    }
    if (ddb_sigv4_sign(out, &req, signer, p) != APR_SUCCESS) {
        return "error";
    }
    token = apr_table_get(out, "X-Amz-Security-Token");
    return apr_pstrcat(p, apr_table_get(out, "Authorization"), "\t", apr_table_get(out, "X-Amz-Date"), "\t",
                       token ? token : "", NULL);
}

#define TARGET "DynamoDB_20120810."

/* Its operation; NULL when the request is not one of a client for DynamoDB. */
static const char *operation_of(const fields_t *f)
{
    int first = f->n == HEADERS + 4 && !strcmp(f->text[HEADERS], "X-Amz-Target") ? HEADERS : HEADERS + 2;
    const char *target = f->text[first + 1];

    return f->n == HEADERS + 4 && !strcmp(f->text[METHOD], "POST") && !strcmp(f->text[PATH], "/") && !*f->text[QUERY]
                   && !strcmp(f->text[SERVICE], "dynamodb") && !strncmp(target, TARGET, strlen(TARGET))
               ? target + strlen(TARGET)
               : NULL;
}

/* The same three fields, from a message. */
static const char *sign_message(const fields_t *f, const ddb_sigv4_signer_t *signer, ddb_sigv4_slots_t *slots,
                                apr_pool_t *p)
{
    ddb_endpoint_t endpoint = { .url = "https://h", .host = f->text[HOST], .region = f->text[REGION] };
    ddb_sigv4_sender_t sender = { .credentials = signer->credentials, .endpoint = &endpoint };
    ddb_sigv4_post_t post = {
        .operation = operation_of(f), .body = f->text[BODY], .body_len = f->len[BODY], .now = signer->now
    };
    ddb_sigv4_message_t m = { 0 };
    ddb_http_request_t req = { 0 }, parts = { 0 };
    const char *wrong, *token;

    /* A new slot is used twice: a slot that is not new must do it as well. */
    if (ddb_sigv4_write_anew(&m, slots, &sender, &post, p) != APR_SUCCESS
        || ddb_sigv4_write(&m, slots, sender.credentials->generation, &post, p) != APR_SUCCESS) {
        return "error";
    }
    req.message = m.text;
    req.message_len = m.len;
    wrong = message_parse(&parts, &req, p);
    if (wrong || parts.body_len != post.body_len || memcmp(parts.body, post.body, post.body_len) != 0) {
        return wrong ? wrong : "another body";
    }
    token = apr_table_get(parts.headers, "X-Amz-Security-Token");
    return apr_pstrcat(p, apr_table_get(parts.headers, "Authorization"), "\t",
                       apr_table_get(parts.headers, "X-Amz-Date"), "\t", token ? token : "", NULL);
}

static const char *answer(const fields_t *f, ddb_sigv4_slots_t *slots, apr_uint32_t number, apr_pool_t *p)
{
    ddb_credentials_t credentials = { .access_key_id = f->text[ACCESS_KEY],
                                      .secret_access_key = f->text[SECRET],
                                      .session_token = f->len[TOKEN] ? f->text[TOKEN] : NULL,
                                      .generation = number };
    ddb_sigv4_signer_t signer = { .credentials = &credentials, .now = apr_atoi64(f->text[NOW]) };
    const char *signature = sign(f, &signer, p);

    return operation_of(f) && strcmp(sign_message(f, &signer, slots, p), signature) != 0
               ? "it makes a difference to sign a message"
               : signature;
}

/* What can come as a message is signed both ways, which must make no difference. */
static void serve(apr_pool_t *p)
{
    static const ddb_sigv4_form_t form = { .service = "dynamodb",
                                           .content_type = "application/x-amz-json-1.0",
                                           .target = TARGET,
                                           .unsigned_lines = "User-Agent: me\r\n" };
    static char line[1 << 20];
    ddb_sigv4_slots_t *slots;
    apr_uint32_t number = 0;
    apr_pool_t *scope;

    ddb_sigv4_slots_create(&slots, &form, p);
    apr_pool_create(&scope, p);
    while (fgets(line, sizeof(line), stdin)) {
        fields_t f;
        line[strcspn(line, "\n")] = '\0';
        split(&f, line, scope);
        puts(answer(&f, slots, ++number, scope));
        apr_pool_clear(scope);
    }
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    serve(p);
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
