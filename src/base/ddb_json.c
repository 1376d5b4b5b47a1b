/* JSON over cJSON, with the checks that cJSON leaves to its caller. */

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <cjson/cJSON.h>

#include "base/ddb_json.h"
#include "base/ddb_utf8.h"

/* A ddb_json_t is never defined: it is the name under which a cJSON leaves this file. */
static const cJSON *look_into(const ddb_json_t *obj)
{
    return (const cJSON *)obj;
}

static cJSON *add_to(ddb_json_t *obj)
{
    return (cJSON *)obj;
}

/* A request that lost a member, such as its condition, must not be sent. Out of memory is the only cause, and pools end
 * the process for it too. */
static void *must(void *made)
{
    if (!made) {
        abort();
    }
    return made;
}

static apr_status_t tree_free(void *root)
{
    cJSON_Delete(root);
    return APR_SUCCESS;
}

/* As deep as the text that it was parsed from, which is limited. NOLINTNEXTLINE(misc-no-recursion) */
static void wipe_values(cJSON *tree)
{
    for (; tree; tree = tree->next) {
        wipe_values(tree->child);
        if (tree->valuestring) {
            explicit_bzero(tree->valuestring, strlen(tree->valuestring));
        }
    }
}

static apr_status_t tree_wipe(void *root)
{
    wipe_values(root);
    return tree_free(root);
}

static ddb_json_t *owned_by(apr_pool_t *p, cJSON *root)
{
    apr_pool_cleanup_register(p, root, tree_free, apr_pool_cleanup_null);
    return (ddb_json_t *)root;
}

/* Length of the escape at in, 0 for an invalid one: cJSON reads invalid digits as the character NUL,
 * and ends the text at a NUL. */
static apr_size_t escape(const unsigned char *in, apr_size_t left)
{
    if (left < 2 || in[1] != 'u') {
        return left < 2 ? 0 : 2;
    }
    if (left < 6 || !apr_isxdigit(in[2]) || !apr_isxdigit(in[3]) || !apr_isxdigit(in[4]) || !apr_isxdigit(in[5])) {
        return 0;
    }
    return memcmp(in + 2, "0000", 4) == 0 ? 0 : 6;
}

/* What is known of the text up to a place in it. */
typedef struct scan_t {
    int in_string;
    int depth;
} scan_t;

/* Step over what begins at in: its length, 0 if it must not be there. */
static apr_size_t scan_step(scan_t *s, const unsigned char *in, apr_size_t left)
{
    if (in[0] < 0x20) {
        /* cJSON takes these for space or text; a NUL would end the text early. */
        return !s->in_string && (in[0] == '\t' || in[0] == '\n' || in[0] == '\r');
    }
    if (in[0] == '"') {
        s->in_string = !s->in_string;
    }
    else if (s->in_string && in[0] == '\\') {
        return escape(in, left);
    }
    else if (!s->in_string && (in[0] == '{' || in[0] == '[')) {
        /* Before cJSON, which recurses up to a thousand deep: threads of a server have small stacks. */
        return ++s->depth <= DDB_JSON_DEPTH_MAX;
    }
    else if (!s->in_string && (in[0] == '}' || in[0] == ']')) {
        s->depth--;
    }
    return ddb_utf8_sequence((const char *)in, left);
}

/* What is nothing but itself within a string: ASCII without controls, quote and backslash. Most of a reply is. */
static const char plain[256] = { [0x20 ... 0x21] = 1, [0x23 ... 0x5b] = 1, [0x5d ... 0x7f] = 1 };

static int scan(const char *in, apr_size_t len)
{
    const unsigned char *at = (const unsigned char *)in, *end = at + len;
    scan_t s = { 0 };
    apr_size_t n = 1;

    while (at < end && n > 0) {
        n = scan_step(&s, at, (apr_size_t)(end - at));
        at += n;
        while (s.in_string && at < end && plain[*at]) {
            at++;
        }
    }
    return n > 0 && at == end;
}

/* NULL when it is no object. */
static cJSON *parse(const char *in, apr_size_t len, int is_secret)
{
    char *copy;
    cJSON *root;

    if (!scan(in, len)) {
        return NULL;
    }
    /* cJSON looks for a NUL to know that nothing follows, and before 1.7.18 reads a byte past the end of text that
     * breaks off behind a comma: it gets a copy with both. Not from the pool: an item has up to 400 KB. */
    copy = must(malloc(len + 2));
    memcpy(copy, in, len);
    copy[len] = copy[len + 1] = '\0';
    root = cJSON_ParseWithLengthOpts(copy, len + 1, NULL, 1);
    if (is_secret) {
        explicit_bzero(copy, len);
    }
    free(copy);
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        root = NULL;
    }
    return root;
}

apr_status_t ddb_json_parse(ddb_json_t **pj, const char *in, apr_size_t len, apr_pool_t *p)
{
    cJSON *root = parse(in, len, 0);

    if (!root) {
        return DDB_EBADREPLY;
    }
    *pj = owned_by(p, root);
    return APR_SUCCESS;
}

apr_status_t ddb_json_parse_secret(ddb_json_t **pj, const char *in, apr_size_t len, apr_pool_t *p)
{
    cJSON *root = parse(in, len, 1);

    if (!root) {
        return DDB_EBADREPLY;
    }
    apr_pool_cleanup_register(p, root, tree_wipe, apr_pool_cleanup_null);
    *pj = (ddb_json_t *)root;
    return APR_SUCCESS;
}

ddb_json_t *ddb_json_object(apr_pool_t *p)
{
    return owned_by(p, must(cJSON_CreateObject()));
}

const char *ddb_json_str(const ddb_json_t *obj, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(look_into(obj), name));
}

const ddb_json_t *ddb_json_child(const ddb_json_t *obj, const char *name)
{
    cJSON *child = cJSON_GetObjectItemCaseSensitive(look_into(obj), name);

    return cJSON_IsObject(child) ? (const ddb_json_t *)child : NULL;
}

const ddb_json_t *ddb_json_item(const ddb_json_t *obj, const char *name, int i)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(look_into(obj), name), *item;

    item = cJSON_IsArray(array) ? cJSON_GetArrayItem(array, i) : NULL;
    return cJSON_IsObject(item) ? (const ddb_json_t *)item : NULL;
}

int ddb_json_length(const ddb_json_t *obj, const char *name)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(look_into(obj), name);

    return cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
}

const ddb_json_t *ddb_json_next(const ddb_json_t *item)
{
    const cJSON *next = look_into(item)->next;

    return cJSON_IsObject(next) ? (const ddb_json_t *)next : NULL;
}

static int whole_number(double is, apr_int64_t *value)
{
    /* Above 2^53 a double stands for several whole numbers. */
    if (!(is >= -9007199254740992.0 && is <= 9007199254740992.0) || is != (double)(apr_int64_t)is) {
        return 0;
    }
    *value = (apr_int64_t)is;
    return 1;
}

int ddb_json_int(const ddb_json_t *obj, const char *name, apr_int64_t *value)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(look_into(obj), name);

    return cJSON_IsNumber(number) && whole_number(cJSON_GetNumberValue(number), value);
}

int ddb_json_halves(const ddb_json_t *obj, const char *name, apr_int64_t *halves)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(look_into(obj), name);
    double is = cJSON_IsNumber(number) ? cJSON_GetNumberValue(number) : -1;

    return is >= 0 && whole_number(is * 2, halves);
}

int ddb_json_true(const ddb_json_t *obj, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(look_into(obj), name));
}

int ddb_json_has(const ddb_json_t *obj, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(look_into(obj), name) != NULL;
}

void ddb_json_set_str(ddb_json_t *obj, const char *name, const char *value)
{
    must(cJSON_AddStringToObject(add_to(obj), name, value));
}

void ddb_json_set_bool(ddb_json_t *obj, const char *name, int value)
{
    must(cJSON_AddBoolToObject(add_to(obj), name, value != 0));
}

void ddb_json_set_number(ddb_json_t *obj, const char *name, double value)
{
    must(cJSON_AddNumberToObject(add_to(obj), name, value));
}

ddb_json_t *ddb_json_set_object(ddb_json_t *obj, const char *name)
{
    cJSON *object = cJSON_GetObjectItemCaseSensitive(add_to(obj), name);

    return object ? (ddb_json_t *)object : must(cJSON_AddObjectToObject(add_to(obj), name));
}

static cJSON *array_of(ddb_json_t *obj, const char *name)
{
    cJSON *array = cJSON_GetObjectItemCaseSensitive(add_to(obj), name);

    return array ? array : must(cJSON_AddArrayToObject(add_to(obj), name));
}

ddb_json_t *ddb_json_add_object(ddb_json_t *obj, const char *name)
{
    cJSON *item = must(cJSON_CreateObject());

    cJSON_AddItemToArray(array_of(obj, name), item);
    return (ddb_json_t *)item;
}

void ddb_json_add_str(ddb_json_t *obj, const char *name, const char *value)
{
    cJSON_AddItemToArray(array_of(obj, name), must(cJSON_CreateString(value)));
}

static const char *keep(char *text, apr_pool_t *p)
{
    const char *copy = apr_pstrdup(p, must(text));

    cJSON_free(text);
    return copy;
}

const char *ddb_json_print(const ddb_json_t *obj, apr_pool_t *p)
{
    return keep(cJSON_PrintUnformatted(look_into(obj)), p);
}

const char *ddb_json_print_lines(const ddb_json_t *obj, apr_pool_t *p)
{
    return keep(cJSON_Print(look_into(obj)), p);
}

const char *ddb_json_unquote(const char *written, apr_pool_t *p)
{
    cJSON *string = *written == '"' && scan(written, strlen(written)) ? cJSON_ParseWithOpts(written, NULL, 1) : NULL;
    const char *text = apr_pstrdup(p, cJSON_GetStringValue(string));

    cJSON_Delete(string);
    return text;
}
