/* JSON that is kept as text: the members of an object, each as it is written. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/ddb_array.h"
#include "base/ddb_json.h"
#include "base/ddb_text.h"
#include "base/ddb_utf8.h"

/* Every step takes a place in the text and gives the place behind what it read, or NULL. The NUL at the end of the text
 * fits nowhere, so none goes past it. */

static const char *space(const char *s)
{
    return s + strspn(s, " \t\n\r");
}

static const char *character(const char *s, char c)
{
    return s && *s == c ? s + 1 : NULL;
}

static const char *word(const char *s, const char *w)
{
    apr_size_t len = strlen(w);

    return strncmp(s, w, len) == 0 ? s + len : NULL;
}

static const char *digits(const char *s)
{
    const char *end = s ? s + strspn(s, "0123456789") : NULL;

    return end == s ? NULL : end;
}

/* RFC 8259 section 6. */
static const char *number(const char *s)
{
    s += *s == '-';
    s = *s == '0' ? s + 1 : digits(s);
    if (s && *s == '.') {
        s = digits(s + 1);
    }
    if (s && (*s == 'e' || *s == 'E')) {
        s = digits(s + 1 + (s[1] == '+' || s[1] == '-'));
    }
    return s;
}

static const char *escape(const char *s)
{
    if (s[1] != 'u') {
        return s[1] && strchr("\"\\/bfnrt", s[1]) ? s + 2 : NULL;
    }
    return apr_isxdigit(s[2]) && apr_isxdigit(s[3]) && apr_isxdigit(s[4]) && apr_isxdigit(s[5]) ? s + 6 : NULL;
}

static const char *string(const char *s)
{
    s = character(s, '"');
    while (s && *s != '"') {
        s = (unsigned char)*s < 0x20 ? NULL : *s == '\\' ? escape(s) : s + 1;
    }
    return s ? s + 1 : NULL;
}

static const char *scalar(const char *s)
{
    /* The last three are Python's own. */
    static const char *const words[] = { "true", "false", "null", "NaN", "Infinity", "-Infinity" };
    const char *end = NULL;
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(words) && !end; i++) {
        end = word(s, words[i]);
    }
    return end ? end : number(s);
}

static const char *container(const char *s, int depth, apr_array_header_t *members);

/* The three of a value call each other; container limits the depth. NOLINTBEGIN(misc-no-recursion) */
static const char *value(const char *s, int depth)
{
    if (*s == '{' || *s == '[') {
        return container(s, depth + 1, NULL);
    }
    return *s == '"' ? string(s) : scalar(s);
}

static const char *member(const char *s, int depth, apr_array_header_t *members)
{
    const char *name = s, *name_end = string(s), *start;

    s = name_end ? character(space(name_end), ':') : NULL;
    if (!s) {
        return NULL;
    }
    start = space(s);
    s = value(start, depth);
    if (s && members) {
        ddb_json_member_t *m = apr_array_push(members);
        m->name = apr_pstrmemdup(members->pool, name, (apr_size_t)(name_end - name));
        m->value = apr_pstrmemdup(members->pool, start, (apr_size_t)(s - start));
    }
    return s;
}

/* An object or array; members of an object are added to `members` unless that is NULL. */
static const char *container(const char *s, int depth, apr_array_header_t *members)
{
    const int object = *s == '{';
    const char end = object ? '}' : ']';

    if (depth > DDB_JSON_TEXT_DEPTH_MAX) {
        return NULL;
    }
    s = space(s + 1);
    if (*s == end) {
        return s + 1;
    }
    for (;;) {
        s = object ? member(s, depth, members) : value(s, depth);
        s = s ? space(s) : NULL;
        if (!s || *s != ',') {
            return character(s, end);
        }
        s = space(s + 1);
    }
}
/* NOLINTEND(misc-no-recursion) */

apr_status_t ddb_json_members(apr_array_header_t **members, const char *text, apr_pool_t *p)
{
    const char *s = space(text);

    *members = apr_array_make(p, 16, sizeof(ddb_json_member_t));
    s = *s == '{' ? container(s, 1, *members) : NULL;
    return s && !*space(s) ? APR_SUCCESS : DDB_EBADITEM;
}

const char *ddb_json_quote(const char *text, apr_pool_t *p)
{
    const char *c = text;
    apr_size_t left = strlen(text), n = 1;
    ddb_text_t written;

    ddb_text_begin(&written, left + 3, p);
    for (; left && n; c += n, left -= n) {
        n = ddb_utf8_sequence(c, left);
    }
    if (!n) {
        return NULL;
    }
    ddb_text_add_json(&written, text);
    return ddb_text_end(&written);
}
