/* Heads of responses, line by line. */

#include <string.h>
#include <strings.h>

#include "msd_head.h"

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** A status line, "HTTP/1.1 103 Early Hints"; what is none begins no head. */
static void begin(msd_head_t *head, const char *line, apr_size_t len)
{
    const char *status = len > 12 && memcmp(line, "HTTP/", 5) == 0 ? memchr(line, ' ', len - 4) : NULL;

    if (!status || !is_digit(status[1]) || !is_digit(status[2]) || !is_digit(status[3])) {
        head->done = 1;
        return;
    }
    head->within = 1;
    /* 101 is the end of HTTP on this connection. */
    head->last = status[1] != '1' || memcmp(status + 1, "101", 3) == 0;
}

static int is_one_of(const apr_array_header_t *names, const char *line, apr_size_t len)
{
    const char *colon = memchr(line, ':', len);
    int i;

    while (colon && colon > line && (colon[-1] == ' ' || colon[-1] == '\t')) {
        colon--;
    }
    for (i = 0; colon && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        if (strlen(name) == (apr_size_t)(colon - line) && strncasecmp(name, line, strlen(name)) == 0) {
            return 1;
        }
    }
    return 0;
}

int msd_head_keeps(msd_head_t *head, const char *line, apr_size_t len, const apr_array_header_t *names)
{
    if (head->done) {
        return 1;
    }
    if (!head->within) {
        begin(head, line, len);
        return 1;
    }
    if (line[0] == '\n' || (len > 1 && line[0] == '\r' && line[1] == '\n')) {
        head->done = head->last;
        head->within = head->dropping = 0;
        return 1;
    }
    if (line[0] != ' ' && line[0] != '\t') {
        head->dropping = is_one_of(names, line, len);
    }
    return !head->dropping;
}
