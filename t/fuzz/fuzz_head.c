/* Heads of responses less some headers. The first line of an input names the headers, the rest is what a backend sent. */

#include <strings.h>

#include <apr_strings.h>

#include "fuzz.h"
#include "httpd/msd_response_head.h"

#define COOKIE "id"

static apr_array_header_t *words_of(char *line, apr_pool_t *p)
{
    apr_array_header_t *words = apr_array_make(p, 4, sizeof(const char *));
    char *last = NULL, *word = apr_strtok(line, " ", &last);

    for (; word; word = apr_strtok(NULL, " ", &last)) {
        /* The directives take no other. */
        if (!strchr(word, ':')) {
            APR_ARRAY_PUSH(words, const char *) = word;
        }
    }
    return words;
}

/* In other words than the module's: the line, behind a status line, is the header of that name. */
static int is_header(const char *line, const char *name)
{
    apr_size_t len = strlen(name);

    return strncasecmp(line, name, len) == 0 && line[len + strspn(line + len, " \t")] == ':';
}

/* The line sets the cookie COOKIE, if it is a Set-Cookie: blanks and '=' before the name are not looked at. */
static int is_cookie(const char *line, apr_size_t len)
{
    const char *value = memchr(line, ':', len), *end = line + len, *name = COOKIE;

    for (value++; value < end && memchr(" \t=", *value, 3); value++) {
    }
    for (; *name && value < end && *value == *name; name++, value++) {
    }
    while (value < end && memchr(" \t", *value, 2)) {
        value++;
    }
    return !*name && value < end && *value == '=';
}

/* What is kept of text. */
static const char *sifted(const char *text, const apr_array_header_t *names, apr_pool_t *p)
{
    apr_array_header_t *kept = apr_array_make(p, 8, sizeof(const char *));
    const msd_response_head_drop_t drop = { names, COOKIE };
    msd_response_head_t head = { 0 };
    int within = 0, taken = 0, i;

    while (*text) {
        const char *end = strchr(text, '\n');
        apr_size_t len = end ? (apr_size_t)(end - text) + 1 : strlen(text);
        const char *line = apr_pstrmemdup(p, text, len);
        int was_within = head.within, keeps = msd_response_head_keeps(&head, line, len, &drop);

        within = was_within && head.within;
        taken = within && (taken && (*line == ' ' || *line == '\t'));
        for (i = 0; within && *line != ' ' && *line != '\t' && i < names->nelts; i++) {
            taken |= is_header(line, APR_ARRAY_IDX(names, i, const char *));
        }
        if (within && *line != ' ' && *line != '\t' && is_header(line, "Set-Cookie")) {
            taken |= is_cookie(line, len);
        }
        HOLDS(keeps == !taken);
        if (keeps) {
            APR_ARRAY_PUSH(kept, const char *) = line;
        }
        text += len;
    }
    return apr_array_pstrcat(p, kept, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size);
    apr_array_header_t *names = words_of(fuzz_line(&text), p);
    const char *once = sifted(text, names, p);

    /* Only headers are missing, so that the same heads are read again. */
    HOLDS(strcmp(sifted(once, names, p), once) == 0);
    return fuzz_end();
}
