/* Command lines as words, for process_oracle.py: each line of input is a command line in hex; the answer is its words
 * in hex, each with a blank behind, or "wrong". */

#include <apr_strings.h>

#include "base/ddb_process.h"
#include "pipe.h"

static void answer(char *hex, apr_pool_t *p)
{
    const char *line = pipe_text(hex, p);
    char **argv;

    if (ddb_process_split(&argv, line, p) != APR_SUCCESS) {
        printf("wrong");
    }
    else {
        for (; *argv; argv++) {
            printf("%s ", pipe_hex(*argv, p));
        }
    }
    printf("\n");
}

int main(void)
{
    return pipe_serve(answer);
}
