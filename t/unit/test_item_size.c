/* ddb_item_size: against sums made by hand, and against a count of what is sent, by which no attribute is forgotten. */

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_json.h"
#include "store/ddb_item.h"
#include "tap.h"

#define NOW      APR_INT64_C(1795395723000004) /* 2026-11-23 01:02:03.000004 UTC */
#define SAY(...) apr_psprintf(p, __VA_ARGS__)

/* 43 characters of key, no data: what is there whatever a session holds. */
static ddb_item_t empty_item(void)
{
    return (ddb_item_t){ .id = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
                         .created = NOW,
                         .accessed = NOW,
                         .expires = APR_INT64_C(1795402923),
                         .idle_timeout = 7200,
                         .absolute_timeout = 43200,
                         .version = 1 };
}

#define EMPTY                                                                                                          \
    (2 + 43    /* id */                                                                                                \
     + 4       /* data */                                                                                              \
     + 7 + 32  /* created */                                                                                           \
     + 8 + 32  /* accessed */                                                                                          \
     + 7 + 6   /* expires: 17 95 40 29 23 */                                                                           \
     + 12 + 2  /* idle_timeout: 72 */                                                                                  \
     + 16 + 3  /* absolute_timeout: 4 32 00 without the last pair */                                                   \
     + 7 + 2   /* version: 1 */                                                                                        \
     + 8 + 16) /* write_id */

static void test_by_hand(apr_pool_t *p)
{
    ddb_item_t it = empty_item();

    (void)p;
    NUM_IS(ddb_item_size(&it), EMPTY, "an item without data: names and values");
    it.data = "a=1";
    it.data_len = 3;
    NUM_IS(ddb_item_size(&it), EMPTY + 3, "data counts in bytes, not as base64");
    it.user_mark = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
    NUM_IS(ddb_item_size(&it), EMPTY + 3 + 9 + 43, "the mark of a user counts where there is one");
    it.loggable = "0123456789abcdef0123456789abcdef";
    NUM_IS(ddb_item_size(&it), EMPTY + 3 + 9 + 43 + 40, "so do the digits that logs show");
    it.loggable = NULL;
    it.format = DDB_JSON;
    it.data = "{\"a\":\"\xe2\x82\xac\"}";
    it.data_len = 11;
    NUM_IS(ddb_item_size(&it), EMPTY + 11 + 9 + 43, "text counts in bytes of UTF-8");
}

/* What IDs have that replaced others, or were replaced. */
static void test_renewal(apr_pool_t *p)
{
    static const struct {
        const char *base64;
        int bytes;
    } texts[] = { { "", 0 }, { "AA==", 1 }, { "AAA=", 2 }, { "AAAA", 3 }, { "AAAAAA==", 4 } };
    ddb_item_t it = empty_item();
    apr_size_t i;

    (void)p;
    it.issued = APR_INT64_C(1795402923);
    NUM_IS(ddb_item_size(&it), EMPTY + 6 + 6, "the time when an ID was given");
    it.seen = APR_INT64_C(1795402900);
    NUM_IS(ddb_item_size(&it), EMPTY + 6 + 6 + 4 + 5, "and first used");
    it.issued = it.seen = 0;
    it.timeouts_set = 1;
    NUM_IS(ddb_item_size(&it), EMPTY + 11 + 11, "the word that an application set the timeouts");
    it.timeouts_set = 0;
    it.left = 1;
    NUM_IS(ddb_item_size(&it), EMPTY + 8 + 4, "the word that the user left");
    it.left = 0;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        it.successor = texts[i].base64;
        NUM_IS(ddb_item_size(&it), EMPTY + 9 + texts[i].bytes, "a way counts in bytes, not as base64");
    }
    it.successor = NULL;
    it.csrf_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    NUM_IS(ddb_item_size(&it), EMPTY + 8 + 32, "and so does the secret of tokens");
    it.csrf_key = NULL;
    it.bound = "user-agent=x";
    NUM_IS(ddb_item_size(&it), EMPTY + 5 + 12, "what it is bound to");
    it.bound = NULL;
    it.device_secret = "AAECAwQFBgcICQoLDA0ODw==";
    it.device_until = 1795395723;
    it.device_key = "AAEC";
    NUM_IS(ddb_item_size(&it), EMPTY + 13 + 16 + 12 + 6 + 10 + 3, "a device");
    it.device_secret = it.device_key = NULL;
    it.device_until = 0;
    it.user_marks = "0123456789";
    NUM_IS(ddb_item_size(&it), EMPTY + 10 + 10, "and the marks of users");
}

static void test_numbers(apr_pool_t *p)
{
    /* A byte and one for each pair of digits: dynalite's sizes, which were measured at DynamoDB. */
    static const struct {
        apr_int64_t number;
        int size;
    } rows[] = { { 0, 1 },
                 { 1, 2 },
                 { 9, 2 },
                 { 10, 2 },
                 { 11, 2 },
                 { 99, 2 },
                 { 100, 2 },
                 { 101, 3 },
                 { 110, 3 },
                 { 120, 3 },
                 { 999, 3 },
                 { 1000, 2 },
                 { 1010, 3 },
                 { 1200, 2 },
                 { 7200, 2 },
                 { 43200, 3 },
                 { 12345, 4 },
                 { 100000, 2 },
                 { 123456, 4 },
                 { APR_INT64_C(1795402923), 6 },
                 { APR_INT64_C(1800000000), 2 },
                 { APR_INT64_C(1795402900), 5 },
                 { APR_INT64_C(999999999999999), 9 } };
    ddb_item_t it = empty_item();
    apr_size_t i, without = ddb_item_size(&it) - 2;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        it.version = rows[i].number;
        NUM_IS(ddb_item_size(&it) - without, rows[i].size, SAY("%" APR_INT64_T_FMT, rows[i].number));
    }
}

/* --- what is sent --- */

/* Digits by the text: a byte, and one for each two, in pairs from the right, without zeros behind. */
static apr_size_t digits_size(const char *text)
{
    apr_size_t len = strlen(text), pairs = (len + 1) / 2;

    if (strcmp(text, "0") == 0) {
        return 1;
    }
    for (; text[len - 1] == '0' && len > 1 && text[len - 2] == '0'; len -= 2) {
        pairs--;
    }
    return 1 + pairs;
}

static apr_size_t value_size(const char *type, const char *value)
{
    apr_size_t len = 0;

    if (*type == 'N') {
        return digits_size(value);
    }
    if (*type == 'S') {
        return strlen(value);
    }
    apr_decode_base64(NULL, value, APR_ENCODE_STRING, APR_ENCODE_NONE, &len);
    return len - 1; /* APR counts a NUL */
}

static apr_array_header_t *members_of(const char *text, apr_pool_t *p)
{
    apr_array_header_t *members = NULL;

    OK(ddb_json_members(&members, text, p) == APR_SUCCESS, "it is an object");
    return members;
}

/* Of the item that a create sends. */
static apr_size_t sent_size(const ddb_item_t *it, apr_pool_t *p)
{
    const char *body = ddb_item_create_body("t", it, p);
    ddb_json_t *json = NULL;
    apr_array_header_t *attributes, *value;
    apr_size_t size = 0;
    int i;

    ddb_json_parse(&json, body, strlen(body), p);
    attributes = members_of(ddb_json_print(ddb_json_child(json, "Item"), p), p);
    for (i = 0; i < attributes->nelts; i++) {
        ddb_json_member_t a = APR_ARRAY_IDX(attributes, i, ddb_json_member_t), v;
        value = members_of(a.value, p);
        v = APR_ARRAY_IDX(value, 0, ddb_json_member_t);
        size += strlen(ddb_json_unquote(a.name, p))
                + value_size(ddb_json_unquote(v.name, p), ddb_json_unquote(v.value, p));
    }
    NUM_IS(ddb_item_size_of(ddb_json_child(json, "Item")), size, "which counts as much when it is read again");
    return size;
}

static void test_sent(apr_pool_t *p)
{
    ddb_item_t it = empty_item();
    apr_size_t len;
    int i;

    NUM_IS(ddb_item_size(&it), sent_size(&it, p), "an item without data is as large as what is sent");
    for (len = 1; len < 20; len++) {
        it.data = apr_pstrmemdup(p, "0123456789abcdefghijk", len);
        it.data_len = len;
        NUM_IS(ddb_item_size(&it), sent_size(&it, p), SAY("so is one with %lu bytes of data", (unsigned long)len));
    }
    it.user_mark = "mark";
    for (i = 1; i < 100000000; i = i * 7 + 3) {
        it.expires = NOW / 1000000 + i;
        it.idle_timeout = i;
        it.absolute_timeout = i * APR_INT64_C(100);
        it.version = i * APR_INT64_C(10);
        NUM_IS(ddb_item_size(&it), sent_size(&it, p), SAY("and with other numbers: %d", i));
    }
    it.user_marks = "marks";
    it.loggable = "0123456789abcdef0123456789abcdef";
    it.issued = APR_INT64_C(1795402923);
    it.timeouts_set = 1;
    it.csrf_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    NUM_IS(ddb_item_size(&it), sent_size(&it, p), "and with all that a create can send");
    it.packed = apr_psprintf(p, "%0200d", 0);
    it.packed_len = 200;
    it.encoding = DDB_ITEM_ENCODING;
    NUM_IS(ddb_item_size(&it), sent_size(&it, p), "packed data counts as it is sent");
    it.packed = NULL;
    it.format = DDB_JSON;
    it.data = "{\"a\":\"\xe2\x82\xac\\\"\\u20ac\\n\",\"n\":[1,2.50,null]}";
    it.data_len = strlen(it.data);
    NUM_IS(ddb_item_size(&it), sent_size(&it, p), "an object counts as it is, not as JSON escapes it");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_by_hand, test_renewal, test_numbers, test_sent);
}
