/* JSON that is pulled, against cJSON's reading of it: what is pulled, cJSON reads too, and as the same; and so are the
 * attributes of an item, the capacity, and base64 by APR's reading. */

#include <apr_encode.h>
#include <cjson/cJSON.h>

#include "aws/ddb_reply.h"
#include "base/ddb_base64.h"
#include "base/ddb_json_pull.h"
#include "base/ddb_text.h"
#include "store/ddb_item_int.h"
#include "fuzz.h"

static int pulls(const char *text, size_t size, apr_pool_t *p)
{
    ddb_json_pull_t r;
    ddb_json_string_t name;

    ddb_json_pull_begin(&r, text, size, p);
    for (ddb_json_pull_object(&r); ddb_json_pull_member(&r, &name);) {
        ddb_json_pull_skip(&r);
    }
    return ddb_json_pull_end(&r);
}

static void is_same_text(const ddb_json_string_t *s, const char *text)
{
    HOLDS(s->len == strlen(text) && memcmp(s->text, text, s->len) == 0);
}

/* Written as JSON, a text is read as itself. */
static void comes_back(const ddb_json_string_t *s, apr_pool_t *p)
{
    ddb_text_t written;
    ddb_json_pull_t r;
    ddb_json_string_t name, value;
    const char *text = apr_pstrmemdup(p, s->text, s->len), *object;

    ddb_text_begin(&written, 1, p);
    ddb_text_add(&written, "{\"a\":");
    ddb_text_add_json(&written, text);
    ddb_text_add(&written, "}");
    object = ddb_text_end(&written);
    ddb_json_pull_begin(&r, object, strlen(object), p);
    HOLDS(ddb_json_pull_object(&r) && ddb_json_pull_member(&r, &name) && ddb_json_pull_string(&r, &value));
    is_same_text(&value, text);
    HOLDS(!ddb_json_pull_member(&r, &name) && ddb_json_pull_end(&r));
}

static void decodes(const ddb_json_string_t *s, apr_pool_t *p)
{
    char *bytes = apr_palloc(p, s->len / 4 * 3 + 1), *again = apr_palloc(p, s->len + 1);
    apr_size_t len, theirs_len;
    const char *theirs;

    if (!ddb_base64_decode(bytes, &len, s->text, s->len)) {
        return;
    }
    HOLDS(len <= s->len / 4 * 3 && DDB_BASE64_LEN(len) == s->len);
    ddb_base64_encode(again, bytes, len);
    HOLDS(memcmp(again, s->text, s->len) == 0);
    if (len) {
        theirs = apr_pdecode_base64(p, s->text, (apr_ssize_t)s->len, APR_ENCODE_NONE, &theirs_len);
        HOLDS(theirs && theirs_len == len && memcmp(theirs, bytes, len) == 0);
    }
}

static void is_same_number(const ddb_json_string_t *s, double is, apr_pool_t *p)
{
    char *end, *text = apr_pstrmemdup(p, s->text, s->len);

    HOLDS(strtod(text, &end) == is && !*end);
}

static void is_same(ddb_json_pull_t *r, const cJSON *json, apr_pool_t *p)
{
    ddb_json_string_t s;
    const cJSON *child;

    if (cJSON_IsObject(json)) {
        HOLDS(!ddb_json_pull_string(r, &s) && !ddb_json_pull_number(r, &s) && ddb_json_pull_object(r));
        for (child = json->child; child; child = child->next) {
            HOLDS(ddb_json_pull_member(r, &s));
            is_same_text(&s, child->string);
            is_same(r, child, p);
        }
        HOLDS(!ddb_json_pull_member(r, &s));
    }
    else if (cJSON_IsString(json)) {
        HOLDS(!ddb_json_pull_object(r) && !ddb_json_pull_number(r, &s) && ddb_json_pull_string(r, &s));
        is_same_text(&s, json->valuestring);
        comes_back(&s, p);
        decodes(&s, p);
    }
    else if (cJSON_IsNumber(json)) {
        HOLDS(!ddb_json_pull_object(r) && !ddb_json_pull_string(r, &s) && ddb_json_pull_number(r, &s));
        is_same_number(&s, json->valuedouble, p);
    }
    else {
        ddb_json_pull_skip(r);
    }
}

/* 1 when both read the text. */
static int is_read_the_same(const char *text, size_t size, apr_pool_t *p)
{
    ddb_json_t *json;
    ddb_json_pull_t r;
    const char *printed;

    if (ddb_json_parse(&json, text, size, p) != APR_SUCCESS) {
        HOLDS(!pulls(text, size, p));
        return 0;
    }
    printed = ddb_json_print(json, p);
    HOLDS(pulls(printed, strlen(printed), p));
    if (!pulls(text, size, p)) {
        return 0;
    }
    ddb_json_pull_begin(&r, text, size, p);
    is_same(&r, (const cJSON *)json, p);
    HOLDS(ddb_json_pull_end(&r));
    HOLDS(ddb_reply_consumed(text, size, p) == ddb_reply_capacity(json));
    return 1;
}

static void has_same_attributes(ddb_format_e format, const char *text, size_t size, int is_pulled, apr_pool_t *p)
{
    ddb_item_reply_t a, b;
    int i;

    if (!ddb_item_reply_pull(&a, format, text, size, p)) {
        return;
    }
    HOLDS(is_pulled && ddb_item_reply_parse(&b, format, text, size, p));
    HOLDS(a.consumed == b.consumed && a.has_item == b.has_item && a.is_object == b.is_object);
    for (i = 0; i < ROW_ATTRIBUTES; i++) {
        HOLDS(a.attributes[i].is_there == b.attributes[i].is_there && a.attributes[i].len == b.attributes[i].len);
        HOLDS(!a.attributes[i].text == !b.attributes[i].text);
        HOLDS(!a.attributes[i].text || memcmp(a.attributes[i].text, b.attributes[i].text, b.attributes[i].len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    /* No NUL behind it: what is read is of that length. */
    const char *text = apr_pmemdup(p, size ? (const void *)data : "", size);
    int is_pulled = is_read_the_same(text, size, p);

    has_same_attributes(DDB_FORM, text, size, is_pulled, p);
    has_same_attributes(DDB_JSON, text, size, is_pulled, p);
    return fuzz_end();
}
