/* Reading JSON piece by piece. */

#include <string.h>

#include "base/ddb_json_pull.h"
#include "base/ddb_utf8.h"

#define NUMBER_MAX 60 /* characters: cJSON reads no number of more than 63 */

void ddb_json_pull_begin(ddb_json_pull_t *r, const char *in, apr_size_t len, apr_pool_t *p)
{
    *r = (ddb_json_pull_t){ .at = in, .end = in + len, .p = p, .is_first = 1 };
}

static int fail(ddb_json_pull_t *r)
{
    r->failed = 1;
    r->at = r->end;
    return 0;
}

static char next_after_space(ddb_json_pull_t *r)
{
    for (; r->at < r->end && (unsigned char)*r->at <= ' '; r->at++) {
        if (*r->at != ' ' && *r->at != '\n' && *r->at != '\r' && *r->at != '\t') {
            break;
        }
    }
    return r->at < r->end ? *r->at : '\0';
}

/* The character that comes next, after space; NUL at the end and after a failure. */
static char next(ddb_json_pull_t *r)
{
    return r->at < r->end && (unsigned char)*r->at > ' ' ? *r->at : next_after_space(r);
}

/* --- strings --- */

/* The UTF-16 code unit of an escape's four hexadecimal digits; -1 if they are none. */
static int code_unit(const char *digits)
{
    int i, unit = 0;

    for (i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)digits[i], letter = c | 0x20;

        if (c >= '0' && c <= '9') {
            unit = unit * 16 + (c - '0');
        }
        else if (letter >= 'a' && letter <= 'f') {
            unit = unit * 16 + (letter - 'a' + 10);
        }
        else {
            return -1;
        }
    }
    return unit;
}

/* Length of the escape at in, which stands for *character; 0 for an invalid one, a lone surrogate and the character
 * NUL, by which cJSON would cut the string. */
static apr_size_t escape(const char *in, apr_size_t left, unsigned int *character)
{
    static const char letters[] = "\"\\/bfnrt", names[] = "\"\\/\b\f\n\r\t";
    const char *letter = left > 1 && in[1] ? strchr(letters, in[1]) : NULL;
    int unit, low;

    if (letter) {
        *character = (unsigned char)names[letter - letters];
        return 2;
    }
    unit = left >= 6 && in[1] == 'u' ? code_unit(in + 2) : -1;
    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff)) {
        return 0;
    }
    *character = (unsigned int)unit;
    if (unit < 0xd800 || unit > 0xdbff) {
        return 6;
    }
    low = left >= 12 && in[6] == '\\' && in[7] == 'u' ? code_unit(in + 8) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    *character = 0x10000U + ((unsigned int)(unit - 0xd800) << 10) + (unsigned int)(low - 0xdc00);
    return 12;
}

/* Write a character as UTF-8: no longer than its escape. @return what follows it. */
static char *put_character(char *out, unsigned int c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    }
    else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
    }
    else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
    }
    else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
    }
    if (c >= 0x800) {
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80) {
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* What is nothing but itself within a string: ASCII without controls, quote and backslash. Most of a reply is. */
static const char is_plain[256] = { [0x20 ... 0x21] = 1, [0x23 ... 0x5b] = 1, [0x5d ... 0x7f] = 1 };

#define EACH(byte) (~(apr_uint64_t)0 / 255 * (byte)) /* eight of it */

/* 0 if all eight bytes are plain. A byte's high bit is set if it is not: it was, or the byte is less than a space, or
 * less than 1 where the bits of a quote or a backslash have been taken away; by a borrow also above such a byte. */
static apr_uint64_t special_of(apr_uint64_t eight)
{
    return (eight | (eight - EACH(' ')) | ((eight ^ EACH('"')) - EACH(1)) | ((eight ^ EACH('\\')) - EACH(1)))
           & EACH(0x80);
}

static const char *skip_plain(const char *at, const char *end)
{
    apr_uint64_t eight, special;

    for (; end - at >= 8; at += 8) {
        memcpy(&eight, at, 8);
        special = special_of(eight);
        if (special) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return at + __builtin_ctzll(special) / 8; /* the first of them has no borrow below it */
#else
            break;
#endif
        }
    }
    while (at < end && is_plain[(unsigned char)*at]) {
        at++;
    }
    return at;
}

/* Go to the closing quote. Escapes on the way are counted. */
static int find_quote(ddb_json_pull_t *r, apr_size_t *escapes)
{
    apr_size_t n = 1;
    unsigned int character;

    *escapes = 0;
    for (; n; r->at += n) {
        r->at = skip_plain(r->at, r->end);
        if (r->at < r->end && *r->at == '"') {
            return 1;
        }
        if (r->at == r->end || (unsigned char)*r->at < 0x20) {
            break;
        }
        if (*r->at == '\\') {
            ++*escapes;
            n = escape(r->at, (apr_size_t)(r->end - r->at), &character);
        }
        else {
            n = ddb_utf8_sequence(r->at, (apr_size_t)(r->end - r->at));
        }
    }
    return fail(r);
}

static void decode(ddb_json_string_t *s, apr_pool_t *p)
{
    const char *in = s->text, *end = in + s->len;
    char *text = apr_palloc(p, s->len), *out = text;
    unsigned int character = 0;

    while (in < end) {
        if (*in == '\\') {
            in += escape(in, (apr_size_t)(end - in), &character);
            out = put_character(out, character);
        }
        else {
            *out++ = *in++;
        }
    }
    s->text = text;
    s->len = (apr_size_t)(out - text);
}

/* Behind an opening quote. */
static int read_string(ddb_json_pull_t *r, ddb_json_string_t *s)
{
    apr_size_t escapes;

    s->text = r->at;
    if (!find_quote(r, &escapes)) {
        return 0;
    }
    s->len = (apr_size_t)(r->at++ - s->text);
    if (escapes) {
        decode(s, r->p);
    }
    return 1;
}

int ddb_json_string_is(const ddb_json_string_t *s, const char *text)
{
    return strlen(text) == s->len && memcmp(s->text, text, s->len) == 0;
}

/* --- values --- */

static int enter(ddb_json_pull_t *r, char open)
{
    if (next(r) != open) {
        return 0;
    }
    if (r->depth == DDB_JSON_DEPTH_MAX) {
        return fail(r);
    }
    r->at++;
    r->depth++;
    r->is_first = 1;
    return 1;
}

/* Step over the comma before the next member or element; 0 at the end of the object or array, which is left. */
static int go_on(ddb_json_pull_t *r, char close)
{
    char c = next(r);

    if (c == close) {
        r->at++;
        r->depth--;
        r->is_first = 0;
        return 0;
    }
    if (!r->is_first) {
        if (c != ',') {
            return fail(r);
        }
        r->at++;
    }
    r->is_first = 0;
    return 1;
}

int ddb_json_pull_object(ddb_json_pull_t *r)
{
    return enter(r, '{');
}

int ddb_json_pull_member(ddb_json_pull_t *r, ddb_json_string_t *name)
{
    if (!go_on(r, '}')) {
        return 0;
    }
    if (next(r) != '"') {
        return fail(r);
    }
    r->at++;
    if (!read_string(r, name)) {
        return 0;
    }
    if (next(r) != ':') {
        return fail(r);
    }
    r->at++;
    return 1;
}

int ddb_json_pull_string(ddb_json_pull_t *r, ddb_json_string_t *value)
{
    if (next(r) != '"') {
        return 0;
    }
    r->at++;
    return read_string(r, value);
}

/* 1 if there was at least one. */
static int skip_digits(ddb_json_pull_t *r)
{
    const char *from = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        r->at++;
    }
    return r->at > from;
}

static int skip_one_of(ddb_json_pull_t *r, char a, char b)
{
    int there = r->at < r->end && (*r->at == a || *r->at == b);

    r->at += there;
    return there;
}

int ddb_json_pull_number(ddb_json_pull_t *r, ddb_json_string_t *value)
{
    char c = next(r);
    int good;

    if (c != '-' && (c < '0' || c > '9')) {
        return 0;
    }
    value->text = r->at;
    skip_one_of(r, '-', '-');
    good = skip_one_of(r, '0', '0') || skip_digits(r);
    if (good && skip_one_of(r, '.', '.')) {
        good = skip_digits(r);
    }
    if (good && skip_one_of(r, 'e', 'E')) {
        skip_one_of(r, '+', '-');
        good = skip_digits(r);
    }
    value->len = (apr_size_t)(r->at - value->text);
    return good && value->len <= NUMBER_MAX ? 1 : fail(r);
}

static void skip_word(ddb_json_pull_t *r, const char *word)
{
    apr_size_t len = strlen(word);

    if ((apr_size_t)(r->end - r->at) >= len && memcmp(r->at, word, len) == 0) {
        r->at += len;
    }
    else {
        fail(r);
    }
}

/* enter() limits the depth. NOLINTNEXTLINE(misc-no-recursion) */
void ddb_json_pull_skip(ddb_json_pull_t *r)
{
    ddb_json_string_t s;
    apr_size_t escapes;

    switch (next(r)) {
    case '{':
        for (enter(r, '{'); ddb_json_pull_member(r, &s);) {
            ddb_json_pull_skip(r);
        }
        break;
    case '[':
        for (enter(r, '['); go_on(r, ']');) {
            ddb_json_pull_skip(r);
        }
        break;
    case '"':
        r->at++;
        r->at += find_quote(r, &escapes);
        break;
    case 't':
        skip_word(r, "true");
        break;
    case 'f':
        skip_word(r, "false");
        break;
    case 'n':
        skip_word(r, "null");
        break;
    default:
        if (!ddb_json_pull_number(r, &s)) {
            fail(r);
        }
    }
}

int ddb_json_pull_end(ddb_json_pull_t *r)
{
    return next(r) == '\0' && r->at == r->end && r->depth == 0 && !r->is_first && !r->failed;
}
