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

static const char *sign(const fields_t *f, ddb_sigv4_cache_t *cache, apr_pool_t *p)
{
    ddb_credentials_t credentials = { .access_key_id = f->text[ACCESS_KEY],
                                      .secret_access_key = f->text[SECRET],
                                      .session_token = f->len[TOKEN] ? f->text[TOKEN] : NULL };
    ddb_sigv4_signer_t signer = { .credentials = &credentials, .now = apr_atoi64(f->text[NOW]), .cache = cache };
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
    if (ddb_sigv4_sign(out, &req, &signer, p) != APR_SUCCESS) {
        return "error";
    }
    token = apr_table_get(out, "X-Amz-Security-Token");
    return apr_pstrcat(p, apr_table_get(out, "Authorization"), "\t", apr_table_get(out, "X-Amz-Date"), "\t",
                       token ? token : "", NULL);
}

/* Each request is signed with and without the cache, which must make no difference. */
static void serve(apr_pool_t *p)
{
    static char line[1 << 20];
    ddb_sigv4_cache_t *cache;
    apr_pool_t *scope;

    ddb_sigv4_cache_create(&cache, p);
    apr_pool_create(&scope, p);
    while (fgets(line, sizeof(line), stdin)) {
        const char *cached, *uncached;
        fields_t f;
        line[strcspn(line, "\n")] = '\0';
        split(&f, line, scope);
        cached = sign(&f, cache, scope);
        uncached = sign(&f, NULL, scope);
        puts(strcmp(cached, uncached) ? "the cache makes a difference" : cached);
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
