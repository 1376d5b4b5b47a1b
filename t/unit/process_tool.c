/* Command lines as words, for process_oracle.py: each line of input is a command line in hex; the answer is its words
 * in hex, each with a blank behind, or "wrong". */

#include <stdio.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "base/ddb_process.h"

static void answer(const char *hex, apr_pool_t *p)
{
    const char *line = *hex ? apr_pdecode_base16(p, hex, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL) : "";
    char **argv;

    if (ddb_process_split(&argv, line, p) != APR_SUCCESS) {
        printf("wrong");
    }
    else {
        for (; *argv; argv++) {
            printf("%s ", **argv ? apr_pencode_base16(p, *argv, APR_ENCODE_STRING, APR_ENCODE_LOWER, NULL) : "");
        }
    }
    printf("\n");
}

int main(void)
{
    char line[1000];
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        answer(line, p);
        apr_pool_clear(p);
    }
    apr_terminate();
    return 0;
}
