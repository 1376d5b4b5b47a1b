/* Text that grows, and JSON's escapes. */

#include <string.h>

#include "base/ddb_base64.h"
#include "base/ddb_text.h"
#include "base/ddb_utf8.h"

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

static void add_unit(ddb_text_t *t, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    char escape[] = { '\\', 'u', hex[unit >> 12], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15] };

    ddb_text_add_bytes(t, escape, sizeof(escape));
}

/* A character of len bytes of UTF-8, as one or two units of UTF-16. */
static void add_character(ddb_text_t *t, const char *s, apr_size_t len)
{
    unsigned code = (unsigned char)s[0] & (0xffU >> (len + 1));
    apr_size_t i;

    for (i = 1; i < len; i++) {
        code = code << 6 | ((unsigned char)s[i] & 0x3f);
    }
    if (code >= 0x10000) {
        add_unit(t, 0xd800 | (code - 0x10000) >> 10);
        code = 0xdc00 | (code & 0x3ff);
    }
    add_unit(t, code);
}

static void add_ascii(ddb_text_t *t, char c)
{
    if (is_special[(unsigned char)c]) {
        add_escape(t, (unsigned char)c);
    }
    else if (c == 0x7f) {
        add_unit(t, 0x7f);
    }
    else {
        ddb_text_add_bytes(t, &c, 1);
    }
}

void ddb_text_add_json_ascii(ddb_text_t *t, const char *s, apr_size_t most)
{
    apr_size_t left = strnlen(s, most + 3), taken = 0, len; /* 3: the rest of a character that begins within most */

    ddb_text_add_bytes(t, "\"", 1);
    for (; left && taken < most; s += len, left -= len, taken += len) {
        len = ddb_utf8_sequence(s, left);
        if (taken + len > most) {
            break;
        }
        if (len == 1) {
            add_ascii(t, *s);
        }
        else if (len) {
            add_character(t, s, len);
        }
        else {
            add_unit(t, 0xfffd);
            len = 1;
        }
    }
    ddb_text_add_bytes(t, "\"", 1);
}

const char *ddb_text_end(ddb_text_t *t)
{
    *room(t, 1) = '\0';
    return t->data;
}
