/* Session IDs over a pipe, for sid_oracle.py: sid_tool sign|check|key DIGEST BYTES [KEY...]
 * Each line of input is bytes in hex. sign: they are the random bytes, the answer is the ID. check: they are an ID, the
 * answer is "ok" or "refused". key: they are an ID, the answer is its table key. Anything that fails: "error". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_general.h>

#include "store/ddb_sid.h"

#define LINE_MAX_BYTES 20000

/* The bytes of the line at hand; static because ddb_random_fn has no baton. */
static unsigned char input[LINE_MAX_BYTES];
static apr_size_t input_len;

static apr_status_t input_random(void *out, apr_size_t len)
{
    if (len != input_len) {
        return APR_EINVAL;
    }
    memcpy(out, input, len);
    return APR_SUCCESS;
}

static const char *answer(const char *verb, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    const char *text = "error";
    apr_status_t rv;

    if (!strcmp(verb, "sign")) {
        return ddb_sid_make(&text, rules, input_random, p) == APR_SUCCESS ? text : "error";
    }
    if (!strcmp(verb, "key")) {
        return ddb_sid_table_key(&text, (const char *)input, rules, p) == APR_SUCCESS ? text : "error";
    }
    rv = ddb_sid_check((const char *)input, rules, p);
    return rv == APR_SUCCESS ? "ok" : rv == APR_NOTFOUND ? "refused" : "error";
}

static void serve(const char *verb, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    static char line[2 * LINE_MAX_BYTES];
    apr_pool_t *scope;

    apr_pool_create(&scope, p);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        memset(input, 0, sizeof(input));
        if (apr_decode_base16_binary(input, line, APR_ENCODE_STRING, APR_ENCODE_NONE, &input_len) != APR_SUCCESS) {
            input_len = 0; /* an empty line */
        }
        puts(answer(verb, rules, scope));
        apr_pool_clear(scope);
    }
    apr_pool_destroy(scope);
}

int main(int argc, char **argv)
{
    ddb_sid_rules_t rules = { .digest = DDB_SHA1, .hash = 1 };
    apr_array_header_t *keys;
    apr_pool_t *p;
    int i;

    if (argc < 4) {
        fprintf(stderr, "usage: sid_tool sign|check|key SHA1|SHA256 BYTES [KEY...]\n");
        return 2;
    }
    apr_initialize();
    apr_pool_create(&p, NULL);
    keys = apr_array_make(p, argc, sizeof(const char *));
    for (i = 4; i < argc; i++) {
        APR_ARRAY_PUSH(keys, const char *) = argv[i];
    }
    rules.digest = !strcmp(argv[2], "SHA256") ? DDB_SHA256 : DDB_SHA1;
    rules.bytes = atoi(argv[3]);
    rules.keys = keys;
    serve(argv[1], &rules, p);
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
