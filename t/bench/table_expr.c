/* Condition and update expressions of the DynamoDB API, as far as a session table needs them: judged while they are
 * read, with no tree in between. */
#define _GNU_SOURCE
#include "table_expr.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 256

typedef struct reader_t {
    const table_expr_t *x;
    const char *at;
    char word[WORD_MAX]; /* the token in hand; "" at the end */
    int bad;             /* something that is not understood was met */
    cJSON *attrs;        /* what an update changes */
    cJSON *updated;      /* or NULL */
} reader_t;

static int is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '#'
           || c == ':';
}

static size_t token_length(const char *s)
{
    size_t n = 0;

    while (is_word_char(s[n])) {
        n++;
    }
    if (n == 0 && s[0]) {
        n = ((s[0] == '<' && (s[1] == '>' || s[1] == '=')) || (s[0] == '>' && s[1] == '=')) ? 2 : 1;
    }
    return n;
}

static void next(reader_t *r)
{
    size_t n;

    r->at += strspn(r->at, " \t\r\n");
    n = token_length(r->at);
    if (n >= WORD_MAX) {
        r->bad = 1;
        n = 0;
    }
    memcpy(r->word, r->at, n);
    r->word[n] = '\0';
    r->at += n;
}

static void start(reader_t *r, const table_expr_t *x, const char *text)
{
    r->x = x;
    r->at = text;
    r->bad = 0;
    r->attrs = r->updated = NULL;
    next(r);
}

/* Take the token in hand if it is this one. Keywords are read without regard to case, as DynamoDB does. */
static int accept(reader_t *r, const char *word)
{
    if (strcasecmp(r->word, word) != 0) {
        return 0;
    }
    next(r);
    return 1;
}

static void expect(reader_t *r, const char *word)
{
    if (!accept(r, word)) {
        r->bad = 1;
    }
}

/* The attribute name that the token in hand stands for; NULL if it is none. Takes the token. */
static const char *attribute_name(reader_t *r, char *copy)
{
    const char *name = copy;

    memcpy(copy, r->word, WORD_MAX);
    if (copy[0] == '#') {
        name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->x->names, copy));
    }
    if (!name || !name[0] || name[0] == ':' || !is_word_char(name[0])) {
        r->bad = 1;
        name = NULL;
    }
    next(r);
    return name;
}

/* A typed value such as {"N":"1"}; NULL for an attribute that the row does not have. */
static const cJSON *operand(reader_t *r)
{
    char copy[WORD_MAX];
    const char *name;
    const cJSON *value;

    if (r->word[0] == ':') {
        value = cJSON_GetObjectItemCaseSensitive(r->x->values, r->word);
        r->bad |= !value;
        next(r);
        return value;
    }
    name = attribute_name(r, copy);
    return name ? cJSON_GetObjectItemCaseSensitive(r->x->item, name) : NULL;
}

static int ordering(reader_t *r, const cJSON *a, const cJSON *b)
{
    const char *left = cJSON_GetStringValue(a), *right = cJSON_GetStringValue(b);
    long double x, y;

    if (!left || !right) {
        r->bad = 1;
        return 0;
    }
    if (strcmp(a->string, "N") != 0) {
        return strcmp(left, right);
    }
    x = strtold(left, NULL);
    y = strtold(right, NULL);
    return (x > y) - (x < y);
}

static int compare(reader_t *r, const char *op, const cJSON *a, const cJSON *b)
{
    int order, same_type = a && b && a->child && b->child && strcmp(a->child->string, b->child->string) == 0;

    if (!same_type) {
        return strcmp(op, "<>") == 0;
    }
    order = ordering(r, a->child, b->child);
    /* The order of base64 texts is not the order of their bytes; equality is the same. */
    if (strcmp(a->child->string, "B") == 0 && strcmp(op, "=") != 0 && strcmp(op, "<>") != 0) {
        r->bad = 1;
    }
    switch (op[0]) {
    case '=':
        return order == 0;
    case '<':
        return op[1] == '>' ? order != 0 : op[1] == '=' ? order <= 0 : order < 0;
    default:
        return op[1] == '=' ? order >= 0 : order > 0;
    }
}

static int comparison(reader_t *r)
{
    const cJSON *a = operand(r);
    char op[3] = "";

    if (!strchr("=<>", r->word[0]) || !r->word[0]) {
        r->bad = 1;
        return 0;
    }
    memcpy(op, r->word, 2);
    next(r);
    return compare(r, op, a, operand(r));
}

static int exists(reader_t *r)
{
    char copy[WORD_MAX];
    const char *name;
    int found;

    expect(r, "(");
    name = attribute_name(r, copy);
    found = name && cJSON_GetObjectItemCaseSensitive(r->x->item, name) != NULL;
    expect(r, ")");
    return found;
}

static int any_of(reader_t *r);

static int primary(reader_t *r)
{
    int holds;

    if (r->bad) {
        return 0;
    }
    if (accept(r, "NOT")) {
        return !primary(r);
    }
    if (accept(r, "attribute_exists")) {
        return exists(r);
    }
    if (accept(r, "attribute_not_exists")) {
        return !exists(r);
    }
    if (!accept(r, "(")) {
        return comparison(r);
    }
    holds = any_of(r);
    expect(r, ")");
    return holds;
}

/* Both sides are always read, whatever the first says: the reader must come to the end. */
static int all_of(reader_t *r)
{
    int holds = primary(r);

    while (!r->bad && accept(r, "AND")) {
        holds &= primary(r);
    }
    return holds;
}

static int any_of(reader_t *r)
{
    int holds = all_of(r);

    while (!r->bad && accept(r, "OR")) {
        holds |= all_of(r);
    }
    return holds;
}

int table_expr_condition(const table_expr_t *x, const char *text)
{
    reader_t r;
    int holds;

    start(&r, x, text);
    holds = any_of(&r);
    return r.bad || r.word[0] ? -1 : holds;
}

static void set_one(reader_t *r)
{
    char copy[WORD_MAX];
    const char *name = attribute_name(r, copy);
    const cJSON *value;

    expect(r, "=");
    value = operand(r);
    if (!name || !value || strcmp(name, "id") == 0) {
        r->bad = 1;
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(r->attrs, name);
    cJSON_AddItemToObject(r->attrs, name, cJSON_Duplicate(value, 1));
    if (r->updated) {
        cJSON_AddItemToObject(r->updated, name, cJSON_Duplicate(value, 1));
    }
}

static void remove_one(reader_t *r)
{
    char copy[WORD_MAX];
    const char *name = attribute_name(r, copy);

    if (!name || strcmp(name, "id") == 0) {
        r->bad = 1;
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(r->attrs, name);
}

static void clause(reader_t *r, void (*one)(reader_t *r))
{
    do {
        one(r);
    } while (!r->bad && accept(r, ","));
}

int table_expr_update(const table_expr_t *x, const char *text, cJSON *attrs, cJSON *updated)
{
    reader_t r;

    start(&r, x, text);
    r.attrs = attrs;
    r.updated = updated;
    while (!r.bad && r.word[0]) {
        if (accept(&r, "SET")) {
            clause(&r, set_one);
        }
        else if (accept(&r, "REMOVE")) {
            clause(&r, remove_one);
        }
        else {
            r.bad = 1;
        }
    }
    return r.bad ? -1 : 0;
}
