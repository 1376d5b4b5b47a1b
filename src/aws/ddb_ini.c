/* The INI dialect of the AWS shared files: lines to sections and values, in place. */

#include <string.h>

#include "aws/ddb_ini.h"

#define MAX_LINE_BYTES (16 * 1024) /* a session token is the longest value there is: a few KiB */

#define WHITE_SPACE " \t\v\f"

typedef struct parser_t {
    ddb_ini_t *ini;
    apr_pool_t *p;
    int line;
    apr_size_t indent;   /* of the last line that continued nothing; a deeper one continues a value */
    apr_hash_t *section; /* NULL before the first */
    char *value;         /* the value read last; NULL when no continuation line can follow */
    char *value_end;     /* its NUL */
} parser_t;

static char *strip(char *s)
{
    apr_size_t len;

    s += strspn(s, WHITE_SPACE);
    len = strlen(s);
    while (len && strchr(WHITE_SPACE, s[len - 1])) {
        len--;
    }
    s[len] = '\0';
    return s;
}

static void lower_case(char *s)
{
    for (; *s; s++) {
        if (*s >= 'A' && *s <= 'Z') {
            *s += 'a' - 'A';
        }
    }
}

/* The line itself is never shown: it may be a piece of a secret. */
static apr_status_t refuse(parser_t *s, const char *wrong)
{
    s->ini->line = s->line;
    s->ini->wrong = wrong;
    return DDB_ECONFIG;
}

/* Empty lines belong to a value only when more of it follows. */
static void end_value(parser_t *s)
{
    while (s->value && s->value_end > s->value && s->value_end[-1] == '\n') {
        *--s->value_end = '\0';
    }
    s->value = NULL;
}

static apr_status_t begin_section(parser_t *s, const char *name)
{
    end_value(s);
    s->section = apr_hash_get(s->ini->sections, name, APR_HASH_KEY_STRING);
    if (s->section) {
        return strcmp(name, DDB_INI_DEFAULTS) == 0 ? APR_SUCCESS : refuse(s, "duplicate section; merge the two");
    }
    s->section = apr_hash_make(s->p);
    apr_hash_set(s->ini->sections, name, APR_HASH_KEY_STRING, s->section);
    APR_ARRAY_PUSH(s->ini->names, const char *) = name;
    return APR_SUCCESS;
}

static apr_status_t begin_value(parser_t *s, char *text)
{
    char *sep = strpbrk(text, "=:"), *key;

    if (!sep || sep == text) {
        return refuse(s, "expected a [section], \"key = value\" or a comment");
    }
    *sep = '\0';
    key = strip(text);
    lower_case(key);
    if (apr_hash_get(s->section, key, APR_HASH_KEY_STRING)) {
        return refuse(s, "duplicate key in the section; remove one of the two");
    }
    end_value(s);
    s->value = strip(sep + 1);
    s->value_end = s->value + strlen(s->value);
    apr_hash_set(s->section, key, APR_HASH_KEY_STRING, s->value);
    return APR_SUCCESS;
}

/* In place: the line break and the indentation that text loses leave room for the line break that goes before it. */
static void continue_value(parser_t *s, const char *text)
{
    apr_size_t len = strlen(text);

    *s->value_end++ = '\n';
    memmove(s->value_end, text, len + 1);
    s->value_end += len;
}

static apr_status_t parse_line(parser_t *s, char *line)
{
    apr_size_t indent = strspn(line, WHITE_SPACE);
    char *text, *close;

    if (strlen(line) > MAX_LINE_BYTES) {
        return refuse(s, "the line is over 16 KiB");
    }
    text = strip(line);
    if (*text == '#' || *text == ';') {
        return APR_SUCCESS;
    }
    if (s->value && (!*text || indent > s->indent)) {
        continue_value(s, text);
        return APR_SUCCESS;
    }
    if (!*text) {
        return APR_SUCCESS;
    }
    s->indent = indent;
    close = *text == '[' ? strrchr(text, ']') : NULL;
    if (close && close > text + 1) {
        *close = '\0';
        return begin_section(s, text + 1);
    }
    return s->section ? begin_value(s, text) : refuse(s, "expected a [section] before the first key");
}

/* End the line here; the start of the next. */
static char *cut_line(char *line)
{
    char *end = line + strcspn(line, "\r\n");

    if (!*end) {
        return end;
    }
    if (end[0] == '\r' && end[1] == '\n') {
        *end++ = '\0';
    }
    *end = '\0';
    return end + 1;
}

apr_status_t ddb_ini_parse(ddb_ini_t *ini, char *text, apr_size_t len, apr_pool_t *p)
{
    parser_t s = { .ini = ini, .p = p };
    char *line, *next = text;
    apr_status_t rv = APR_SUCCESS;

    ini->sections = apr_hash_make(p);
    ini->names = apr_array_make(p, 8, sizeof(const char *));
    if (memchr(text, '\0', len)) {
        return refuse(&s, "not a text file: it contains NUL bytes");
    }
    while (rv == APR_SUCCESS && *next) {
        line = next;
        next = cut_line(line);
        s.line++;
        rv = parse_line(&s, line);
    }
    end_value(&s);
    return rv;
}

const char *ddb_ini_value(apr_hash_t *section, const char *key)
{
    const char *value = section ? apr_hash_get(section, key, APR_HASH_KEY_STRING) : NULL;

    return value && *value ? value : NULL;
}
