/* Response heads, line by line. */

#include <string.h>
#include <strings.h>

#include "httpd/msd_response_head.h"

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** Parse a status line, "HTTP/1.1 103 Early Hints". Any other line does not start a head. */
static void begin(msd_response_head_t *head, const char *line, apr_size_t len)
{
    /* "HTTP/1.1 103" has 12 characters. Three digits must follow the space, so stop the search before the last four. */
    const char *status = len > 12 && memcmp(line, "HTTP/", 5) == 0 ? memchr(line, ' ', len - 4) : NULL;

    if (!status || !is_digit(status[1]) || !is_digit(status[2]) || !is_digit(status[3])) {
        head->done = 1;
        return;
    }
    head->within = 1;
    /* After 101 the connection no longer speaks HTTP/1. */
    head->last = status[1] != '1' || memcmp(status + 1, "101", 3) == 0;
}

int msd_response_head_sets(const char *value, apr_size_t len, const char *cookie)
{
    const char *end = memchr(value, ';', len), *equals;

    end = end ? end : value + len;
    while (value < end && (msd_response_head_is_blank(*value) || *value == '=')) {
        value++;
    }
    equals = memchr(value, '=', (apr_size_t)(end - value));
    while (equals && equals > value && msd_response_head_is_blank(equals[-1])) {
        equals--;
    }
    return equals && strlen(cookie) == (apr_size_t)(equals - value) && memcmp(value, cookie, strlen(cookie)) == 0;
}

static int is_named(const char *line, const char *end, const char *name)
{
    return strlen(name) == (apr_size_t)(end - line) && strncasecmp(name, line, strlen(name)) == 0;
}

static int is_dropped(const msd_response_head_drop_t *drop, const char *line, apr_size_t len)
{
    const char *colon = memchr(line, ':', len), *end = colon;
    int i;

    if (!colon) {
        return 0;
    }
    while (end > line && msd_response_head_is_blank(end[-1])) {
        end--;
    }
    for (i = 0; i < drop->headers->nelts; i++) {
        if (is_named(line, end, APR_ARRAY_IDX(drop->headers, i, const char *))) {
            return 1;
        }
    }
    return drop->cookie && is_named(line, end, "Set-Cookie")
           && msd_response_head_sets(colon + 1, len - (apr_size_t)(colon + 1 - line), drop->cookie);
}

int msd_response_head_keeps(msd_response_head_t *head, const char *line, apr_size_t len,
                            const msd_response_head_drop_t *drop)
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
    if (!msd_response_head_is_blank(line[0])) {
        head->dropping = is_dropped(drop, line, len);
    }
    return !head->dropping;
}
