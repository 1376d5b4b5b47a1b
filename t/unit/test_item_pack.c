/* Compressed data: when an item is packed, what is written then, and what is made of rows that are packed. */

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_json.h"
#include "base/ddb_zlib.h"
#include "store/ddb_item.h"
#include "tap.h"

#define SAY(...) apr_psprintf(p, __VA_ARGS__)
#define MIB      (1024 * 1024)
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const char *text_of(apr_size_t len, apr_pool_t *p)
{
    static const char pattern[] = "name=value&";
    char *text = apr_palloc(p, len + 1);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        text[i] = pattern[i % (sizeof(pattern) - 1)];
    }
    text[len] = '\0';
    return text;
}

static ddb_item_t item_with(const char *data, apr_size_t len)
{
    ddb_item_t it = { .id = "row-key",
                      .data = data,
                      .data_len = len,
                      .created = APR_INT64_C(1795395723000004),
                      .accessed = APR_INT64_C(1795395723000004),
                      .expires = APR_INT64_C(1795402923),
                      .idle_timeout = 7200,
                      .absolute_timeout = 43200,
                      .version = 8 };

    memset(it.write_id, 7, sizeof(it.write_id));
    return it;
}

static ddb_item_t packed_item(const char *data, apr_size_t len, apr_size_t threshold, apr_pool_t *p)
{
    ddb_item_t it = item_with(data, len);

    ddb_item_pack(&it, threshold, p);
    return it;
}

/* --- when --- */

static void test_threshold(apr_pool_t *p)
{
    ddb_item_t it;

    OK(packed_item(text_of(1000, p), 1000, 1000, p).packed, "data as long as the threshold is packed");
    OK(!packed_item(text_of(999, p), 999, 1000, p).packed, "shorter data is not");
    OK(packed_item(text_of(1000, p), 1000, 1, p).packed, "the threshold may be 1");
    OK(!packed_item(text_of(1000, p), 1000, 0, p).packed, "0 packs nothing");
    OK(!packed_item(NULL, 0, 1, p).packed, "nor is there anything to pack in no data");
    it = item_with(text_of(1000, p), 1000);
    it.format = DDB_JSON;
    ddb_item_pack(&it, 1, p);
    OK(!it.packed, "an object is not packed: others read it");
    it = packed_item(text_of(1000, p), 1000, 1, p);
    ddb_item_pack(&it, 0, p);
    OK(!it.packed && it.packed_len == 0, "the choice can be made anew");
}

/* The attribute that says so has its price: 8 bytes of name and 7 of value. */
static void test_smaller(apr_pool_t *p)
{
    apr_size_t len;
    int wrong = 0, packed = 0;

    for (len = 0; len < 100; len++) {
        ddb_item_t plain = item_with(text_of(len, p), len), it = packed_item(text_of(len, p), len, 1, p);
        wrong += it.packed ? ddb_item_size(&it) >= ddb_item_size(&plain) : ddb_item_size(&it) != ddb_item_size(&plain);
        packed += it.packed != NULL;
        if (it.packed) {
            wrong += ddb_item_size(&it) != ddb_item_size(&plain) - len + it.packed_len + 15;
        }
    }
    NUM_IS(wrong, 0, "only what becomes smaller is packed, and its size is that of what is stored");
    OK(packed > 50 && packed < 80, "which begins somewhere between");
    OK(!packed_item("0f8aZk3-Qx", 10, 1, p).packed, "what has no pattern stays as it is");
}

static void test_limit(apr_pool_t *p)
{
    const char *text = text_of(4 * MIB + 1, p);

    OK(packed_item(text, 4 * MIB, 1, p).packed, "4 MiB are packed");
    OK(!packed_item(text, 4 * MIB + 1, 1, p).packed, "more could not be read any more, and is not");
}

/* --- bodies --- */

static ddb_json_t *parsed(const char *text, apr_pool_t *p)
{
    ddb_json_t *json = NULL;

    OK(text && ddb_json_parse(&json, text, strlen(text), p) == APR_SUCCESS, "the body is JSON");
    return json;
}

static void test_bodies(apr_pool_t *p)
{
    ddb_item_t it = packed_item(text_of(1000, p), 1000, 1, p), loaded = item_with("a=1", 3);
    ddb_json_t *json = parsed(ddb_item_create_body("t", &it, p), p);
    const ddb_json_t *item = ddb_json_child(json, "Item"), *values;
    const char *stored = apr_pencode_base64_binary(p, (const unsigned char *)it.packed, (apr_ssize_t)it.packed_len,
                                                   APR_ENCODE_NONE, NULL);

    IS(ddb_json_str(ddb_json_child(item, "data"), "B"), stored, "a create sends what is packed");
    IS(ddb_json_str(ddb_json_child(item, "encoding"), "S"), "deflate", "and says so");

    json = parsed(ddb_item_save_body("t", &it, &loaded, 1, p), p);
    values = ddb_json_child(json, "ExpressionAttributeValues");
    IS(ddb_json_str(json, "UpdateExpression"), "SET #d=:d,#a=:a,#e=:e,#i=:i,#t=:t,#v=:v,#w=:w,#z=:z REMOVE #u",
       "a save sets it, too");
    IS(ddb_json_str(ddb_json_child(values, ":d"), "B"), stored, "with what is packed");
    IS(ddb_json_str(ddb_json_child(values, ":z"), "S"), "deflate", "and says so");
    IS(ddb_json_str(ddb_json_child(json, "ExpressionAttributeNames"), "#z"), "encoding", "by a placeholder");

    it = item_with("a=2", 3);
    it.user_mark = "mark";
    json = parsed(ddb_item_save_body("t", &it, &it, 1, p), p);
    OK(strstr(ddb_json_str(json, "UpdateExpression"), " REMOVE #z"), "a save that does not pack takes it away");
    IS(ddb_json_str(ddb_json_child(json, "ExpressionAttributeNames"), "#z"), "encoding", "by a placeholder");
    it.format = DDB_JSON;
    OK(!strstr(ddb_item_save_body("t", &it, &it, 1, p), "encoding"), "with an object it is not mentioned");
}

/* --- rows --- */

static apr_status_t parse(ddb_item_t *it, const char *text, ddb_error_t *err, apr_pool_t *p)
{
    memset(err, 0, sizeof(*err));
    memset(it, 0, sizeof(*it));
    return ddb_item_parse(it, text, strlen(text), p, err);
}

static const char *reply_of(const ddb_item_t *it, apr_pool_t *p)
{
    ddb_json_t *json = parsed(ddb_item_create_body("t", it, p), p);

    return SAY("{\"Item\":%s}", ddb_json_print(ddb_json_child(json, "Item"), p));
}

/* A row with these bytes as data, and this encoding. */
static const char *row_of(const char *data, apr_size_t len, const char *encoding, apr_pool_t *p)
{
    ddb_item_t it = item_with(data, len);
    const char *reply = reply_of(&it, p);

    return apr_pstrcat(p, apr_pstrmemdup(p, reply, strlen(reply) - 2), ",\"encoding\":", encoding, "}}", NULL);
}

static void test_round_trip(apr_pool_t *p)
{
    static const apr_size_t sizes[] = { 60, 1000, 4095, 4096, 4097, 409600, MIB, 4 * MIB };
    const char *text = text_of(4 * MIB, p);
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ddb_item_t in = packed_item(text, sizes[i], 1, p), out;
        OK(in.packed, "it is packed");
        NUM_IS(parse(&out, reply_of(&in, p), &err, p), APR_SUCCESS,
               SAY("%lu bytes come back", (unsigned long)sizes[i]));
        OK(out.data_len == sizes[i] && memcmp(out.data, text, sizes[i]) == 0, "the same");
        OK(out.data && out.data[out.data_len] == '\0', "with a NUL behind");
        OK(out.packed == NULL && out.packed_len == 0, "and are no more packed");
    }
}

static void is_refused(const char *reply, apr_status_t rv, const char *detail, const char *what, apr_pool_t *p)
{
    ddb_item_t it;
    ddb_error_t err;

    NUM_IS(parse(&it, reply, &err, p), rv, what);
    OK(strstr(err.detail, detail), SAY("which is said: %s", err.detail));
    OK(strlen(err.detail) < sizeof(err.detail) - 1, "in a whole sentence");
    OK(it.id == NULL && it.data == NULL, "and nothing of it is handed out");
}

static void is_bad(const char *reply, const char *detail, const char *what, apr_pool_t *p)
{
    is_refused(reply, DDB_EBADITEM, detail, what, p);
}

static void test_damaged(apr_pool_t *p)
{
    ddb_item_t good = packed_item(text_of(1000, p), 1000, 1, p);
    const char *damaged = "attribute data of the stored session cannot be decompressed";
    char *copy = apr_pmemdup(p, good.packed, good.packed_len);

    is_bad(row_of("a=1", 3, "{\"S\":\"deflate\"}", p), damaged, "plain data that is called compressed", p);
    is_bad(row_of("", 0, "{\"S\":\"deflate\"}", p), damaged, "no data that is called compressed", p);
    is_bad(row_of(good.packed, good.packed_len - 1, "{\"S\":\"deflate\"}", p), damaged, "compressed data cut off", p);
    copy[good.packed_len / 2] ^= 1;
    is_bad(row_of(copy, good.packed_len, "{\"S\":\"deflate\"}", p), damaged, "a flipped bit", p);
    is_bad(row_of(good.packed, good.packed_len, "{\"S\":\"gzip\"}", p),
           "attribute encoding of the stored session names an unknown one", "another encoding", p);
    is_bad(row_of(good.packed, good.packed_len, "{\"S\":\"\"}", p), "attribute encoding", "an empty one", p);
    is_bad(row_of(good.packed, good.packed_len, "{\"B\":\"ZGVmbGF0ZQ==\"}", p),
           "attribute encoding of the stored session is not of type S", "one of another type", p);
    is_bad(row_of(good.packed, good.packed_len, "{\"NULL\":true}", p), "attribute encoding", "one that is null", p);
}

static void test_bomb(apr_pool_t *p)
{
    ddb_zlib_bytes_t in = { .data = text_of(4 * MIB + 1, p), .len = 4 * MIB + 1 }, bomb;
    char *zeros = apr_pcalloc(p, 64 * MIB);

    ddb_zlib_compress(&bomb, in, p);
    is_refused(row_of(bomb.data, bomb.len, "{\"S\":\"deflate\"}", p), DDB_ETOOLARGE,
               "exceeds 4 MiB when decompressed, the limit of SessionDynamoDBCompress", "a byte over 4 MiB", p);
    in.data = zeros;
    in.len = 64 * MIB;
    ddb_zlib_compress(&bomb, in, p);
    is_refused(row_of(bomb.data, bomb.len, "{\"S\":\"deflate\"}", p), DDB_ETOOLARGE, "exceeds 4 MiB", "a bomb", p);
}

static void test_json_row(apr_pool_t *p)
{
    ddb_item_t it = item_with("{}", 2), out;
    ddb_error_t err;
    const char *reply;

    it.format = DDB_JSON;
    reply = reply_of(&it, p);
    reply = apr_pstrcat(p, apr_pstrmemdup(p, reply, strlen(reply) - 2), ",\"encoding\":{\"S\":\"deflate\"}}}", NULL);
    memset(&out, 0, sizeof(out));
    memset(&err, 0, sizeof(err));
    out.format = DDB_JSON;
    NUM_IS(ddb_item_parse(&out, reply, strlen(reply), p, &err), APR_SUCCESS, "beside an object it means nothing to us");
    IS(out.data, "{}", "which is read as it is");
}

/* --- sealed --- */

static ddb_seal_t *seal_of(const char *older, const char *newest, apr_pool_t *p)
{
    apr_array_header_t *keys = apr_array_make(p, 2, sizeof(const char *));
    ddb_seal_t *seal = NULL;

    if (older) {
        APR_ARRAY_PUSH(keys, const char *) = older;
    }
    APR_ARRAY_PUSH(keys, const char *) = newest;
    ddb_seal_create(&seal, keys, p);
    return seal;
}

#define KEY "1111111111111111111111111111111111111111"

static ddb_item_t sealed_item(apr_size_t threshold, const ddb_seal_t *seal, apr_pool_t *p)
{
    ddb_item_t it = packed_item(text_of(1000, p), 1000, threshold, p);

    it.seal = seal;
    it.audience = "shop";
    NUM_IS(ddb_item_seal(&it, (const unsigned char *)"twelve bytes", p), APR_SUCCESS,
           "an item is sealed, or needs no seal");
    return it;
}

/* As a place with these keys and that label reads it. */
static apr_status_t parse_with(ddb_item_t *out, const char *reply, const ddb_seal_t *seal, const char *audience,
                               apr_pool_t *p)
{
    ddb_error_t err = { 0 };

    *out = (ddb_item_t){ .seal = seal, .audience = audience };
    return ddb_item_parse(out, reply, strlen(reply), p, &err);
}

static void test_sealed(apr_pool_t *p)
{
    static const char *const encodings[] = { "{\"S\":\"sealed\"}", "{\"S\":\"deflate sealed\"}" };
    const ddb_seal_t *seal = seal_of(NULL, KEY, p), *changing = seal_of(KEY, "clear", p);
    const char *text = text_of(1000, p);
    apr_size_t size;
    ddb_item_t out;
    int i;

    for (i = 0; i < COUNT(encodings); i++) {
        ddb_item_t it = sealed_item((apr_size_t)i, seal, p);
        const char *reply = reply_of(&it, p);

        OK(strstr(reply, encodings[i]), SAY("the row says %s", encodings[i]));
        OK(!strstr(reply, "bmFtZT12YWx1ZS"), "and nothing can be read in it");
        size = ddb_item_size(&it);
        it.packed = it.encoding = NULL;
        NUM_IS(size, ddb_item_size(&it) - it.data_len + it.packed_len + strlen("encoding") + strlen(encodings[i]) - 8,
               "its size is that of what is stored");
        NUM_IS(parse_with(&out, reply, seal, "shop", p), APR_SUCCESS, "with the key it is read");
        OK(out.data_len == 1000 && strcmp(out.data, text) == 0, "as it was");
        NUM_IS(parse_with(&out, reply, changing, "shop", p), APR_SUCCESS, "also where new data stays clear");
        NUM_IS(parse_with(&out, reply, seal, NULL, p), DDB_EBADITEM, "not under another label");
        NUM_IS(parse_with(&out, reply, NULL, "shop", p), DDB_EBADITEM, "nor without keys");
        NUM_IS(parse_with(&out, reply, seal_of(NULL, KEY "2", p), "shop", p), DDB_EBADITEM, "nor with another key");
    }
}

static void test_clear_among_sealed(apr_pool_t *p)
{
    const ddb_seal_t *seal = seal_of(NULL, KEY, p), *changing = seal_of("clear", KEY, p);
    ddb_item_t it = sealed_item(0, seal_of(KEY, "clear", p), p), out;
    const char *reply = reply_of(&it, p);

    OK(!it.packed && !it.encoding, "where 'clear' is the newest key nothing is sealed");
    NUM_IS(parse_with(&out, reply, changing, "shop", p), APR_SUCCESS, "clear data is read where 'clear' is listed");
    NUM_IS(parse_with(&out, reply, seal, "shop", p), DDB_EBADITEM, "elsewhere it is refused");
    it = sealed_item(1, NULL, p);
    reply = reply_of(&it, p);
    NUM_IS(parse_with(&out, reply, seal, "shop", p), DDB_EBADITEM, "and so is data that is only compressed");
    NUM_IS(parse_with(&out, reply, changing, "shop", p), APR_SUCCESS, "which is clear, too");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_threshold, test_smaller, test_limit, test_bodies, test_round_trip, test_damaged, test_bomb,
             test_json_row, test_sealed, test_clear_among_sealed);
}
