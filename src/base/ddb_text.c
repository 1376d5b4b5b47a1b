/* Text that grows, and JSON's escapes. */

#include <string.h>

#include "base/ddb_base64.h"
#include "base/ddb_text.h"

#define NUMBER_LEN 20 /* of the longest: -9223372036854775808 */

void ddb_text_begin(ddb_text_t *t, apr_size_t size, apr_pool_t *p)
{
    *t = (ddb_text_t){ .data = apr_palloc(p, size), .size = size, .p = p };
}

/* Where the next len bytes go. */
static char *room(ddb_text_t *t, apr_size_t len)
{
    if (t->size - t->len < len) {
        apr_size_t size = 2 * (t->len + len); /* at least twice what was: what moves costs linear time */
        char *data = apr_palloc(t->p, size);

        memcpy(data, t->data, t->len);
        t->data = data;
        t->size = size;
    }
    return t->data + t->len;
}

void ddb_text_add_bytes(ddb_text_t *t, const char *bytes, apr_size_t len)
{
    memcpy(room(t, len), bytes, len);
    t->len += len;
}

void ddb_text_add(ddb_text_t *t, const char *s)
{
    ddb_text_add_bytes(t, s, strlen(s));
}

void ddb_text_add_number(ddb_text_t *t, apr_int64_t n)
{
    char digits[NUMBER_LEN], *first = digits + NUMBER_LEN;
    apr_uint64_t left = n < 0 ? 0 - (apr_uint64_t)n : (apr_uint64_t)n;

    do {
        *--first = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (n < 0) {
        *--first = '-';
    }
    ddb_text_add_bytes(t, first, (apr_size_t)(digits + NUMBER_LEN - first));
}

void ddb_text_add_base64(ddb_text_t *t, const void *bytes, apr_size_t len)
{
    apr_size_t encoded = DDB_BASE64_LEN(len);

    ddb_base64_encode(room(t, encoded), bytes, len);
    t->len += encoded;
}

/* 1: may not stand in a string as it is. */
static const char is_special[256] = { [0 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1 };

static void add_escape(ddb_text_t *t, unsigned char c)
{
    static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt", hex[] = "0123456789abcdef";
    const char *name = strchr(names, c);
    char escape[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

    if (name) {
        escape[1] = letters[name - names];
    }
    ddb_text_add_bytes(t, escape, name ? 2 : sizeof(escape));
}

void ddb_text_add_json(ddb_text_t *t, const char *s)
{
    const char *end;

    ddb_text_add_bytes(t, "\"", 1);
    for (;; s = end + 1) {
        for (end = s; !is_special[(unsigned char)*end]; end++) {
        }
        ddb_text_add_bytes(t, s, (apr_size_t)(end - s));
        if (!*end) {
            break;
        }
        add_escape(t, (unsigned char)*end);
    }
    ddb_text_add_bytes(t, "\"", 1);
}

const char *ddb_text_end(ddb_text_t *t)
{
    *room(t, 1) = '\0';
    return t->data;
}
