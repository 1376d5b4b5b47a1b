/* JSON Web Signatures over a pipe, for jws_oracle.py: jws_tool
 * Each line of input is a signature in compact form, and after a blank another one, whose header has the public key; the
 * same text twice verifies it by its own key. The answer is "good", "bad" (a signature that the key has not made),
 * "no key" or "no form". Anything that fails: "error". */

#include <stdio.h>
#include <string.h>

#include <apr_general.h>

#include "base/ddb_jws.h"

#define LINE_MOST 40000

static const char *answer(char *line, apr_pool_t *p)
{
    char *with_key = strchr(line, ' ');
    ddb_jws_t jws, other;
    ddb_public_key_t key, stored;
    apr_status_t rv;

    if (!with_key) {
        return "error";
    }
    *with_key++ = '\0';
    if (ddb_jws_read(&jws, line, p) != APR_SUCCESS || ddb_jws_read(&other, with_key, p) != APR_SUCCESS) {
        return "no form";
    }
    if (ddb_jws_key(&key, &other) != APR_SUCCESS) {
        return "no key";
    }
    /* As the row has it. */
    if (ddb_jws_key_parse(&stored, ddb_jws_key_print(&key, p)) != APR_SUCCESS) {
        return "error";
    }
    rv = ddb_jws_verify(&jws, &stored);
    return rv == APR_SUCCESS ? "good" : rv == APR_NOTFOUND ? "bad" : "error";
}

int main(void)
{
    static char line[LINE_MOST];
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        puts(answer(line, p));
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
