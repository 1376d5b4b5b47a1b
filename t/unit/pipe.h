#ifndef PIPE_H
#define PIPE_H

/* What the tools of the oracles have in common: they answer lines of hex, one after the other. */

#include <stdio.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_general.h>

/** Text of hex and back; APR gives NULL for an empty text. */
static inline const char *pipe_text(const char *hex, apr_pool_t *p)
{
    return *hex ? apr_pdecode_base16(p, hex, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL) : "";
}

static inline const char *pipe_hex(const char *text, apr_pool_t *p)
{
    return *text ? apr_pencode_base16(p, text, APR_ENCODE_STRING, APR_ENCODE_LOWER, NULL) : "";
}

/** Let `answer` print an answer to each line of the input, in a pool that is cleared for the next. */
static inline int pipe_serve(void (*answer)(char *line, apr_pool_t *p))
{
    static char line[1 << 20];
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

#endif
