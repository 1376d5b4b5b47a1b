/* ddb_json: what is taken and what is refused, down to bytes; getters, building and printing. */

#include <stdlib.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "base/ddb_json.h"
#include "tap.h"

#define TEXT(s)  (s), sizeof(s) - 1
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

typedef struct text_t {
    const char *in;
    apr_size_t len;
    const char *name;
} text_t;

/* Exactly len bytes on the heap, so that valgrind and ASan see a read past them. */
static apr_status_t parse(ddb_json_t **j, const char *in, apr_size_t len, apr_pool_t *p)
{
    char *copy = malloc(len ? len : 1);
    apr_status_t rv;

    memcpy(copy, in, len);
    *j = NULL;
    rv = ddb_json_parse(j, copy, len, p);
    free(copy);
    return rv;
}

static const text_t good[] = {
    { TEXT("{}"), "an empty object" },
    { TEXT(" \t\r\n{ \"a\" : \"b\" } \r\n"), "space around everything" },
    { TEXT("{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}"), "text of two, three and four bytes a character" },
    { TEXT("{\"a\":\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80"
           "\xf4\x8f\xbf\xbf\"}"),
      "the first and last characters of each length" },
    { TEXT("{\"a\":\"\\\\u0000\"}"), "a backslash before u0000 is text" },
    { TEXT("{\"a\":\"\\u0001\\u00e9\\ud83d\\ude00\\n\\\"\\/\"}"), "escapes" },
    { TEXT("{\"a\":[1,-2.5e3,true,false,null,[],{}]}"), "every kind of value" },
    { TEXT("{\"a\":\"{[{[\",\"b\":\"\\\"]}\"}"), "brackets and quotes within text" },
    { TEXT("{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":\"no\"}"),
      "an error of DynamoDB" },
};

static const text_t bad[] = {
    { TEXT(""), "nothing" },
    { TEXT("  "), "space alone" },
    { TEXT("{"), "an object that breaks off" },
    { TEXT("{\"a\":1,"), "one that breaks off after a comma" },
    { TEXT("{\"a\""), "one that breaks off after a name" },
    { TEXT("{\"a\":\"b"), "text that breaks off" },
    { TEXT("{\"a\":\"b\\"), "text that breaks off after a backslash" },
    { TEXT("{\"a\":\"\\u00"), "an escape that breaks off" },
    { TEXT("{\"a\":\"\\u12g4\"}"), "an escape that is no number" },
    { TEXT("{\"a\":\"\\u 12\"}"), "an escape of space and digits" },
    { TEXT("{\"a\":\"\\ud83d\\u12g4\"}"), "a surrogate pair whose second half is no number" },
    { TEXT("{\"a\":\"\\x41\"}"), "an escape that JSON does not have" },
    { TEXT("{}x"), "a byte behind the object" },
    { TEXT("{}{}"), "an object behind the object" },
    { TEXT("{}\0"), "a NUL behind the object" },
    { TEXT("{}\0garbage"), "bytes behind a NUL" },
    { TEXT("{\"a\":\"b\0c\"}"), "a NUL within text" },
    { TEXT("{\"a\0\":\"b\"}"), "a NUL within a name" },
    { TEXT("{\"a\":\"b\\u0000c\"}"), "an escaped NUL within text" },
    { TEXT("{\"a\\u0000\":\"b\"}"), "an escaped NUL within a name" },
    { TEXT("{\"a\":\"\\\\\\u0000\"}"), "an escaped NUL after an escaped backslash" },
    { TEXT("{\"a\":\"b\nc\"}"), "a line break within text" },
    { TEXT("{\x01}"), "a control character for space" },
    { TEXT("{\"a\":\"\xff\"}"), "a byte that is never UTF-8" },
    { TEXT("{\"a\":\"\x80\"}"), "a continuation byte alone" },
    { TEXT("{\"a\":\"\xc3\"}"), "a character cut short by the quote" },
    { TEXT("{\"a\":\"\xc3"), "a character cut short by the end" },
    { TEXT("{\"a\":\"\xf0\x9f\x98\"}"), "four bytes cut to three" },
    { TEXT("{\"a\":\"\xf0\x9f"), "four bytes cut to two by the end" },
    { TEXT("{\"a\":\"\xc0\xaf\"}"), "a slash in two bytes" },
    { TEXT("{\"a\":\"\xc0\x80\"}"), "a NUL in two bytes" },
    { TEXT("{\"a\":\"\xc1\xbf\"}"), "ASCII in two bytes" },
    { TEXT("{\"a\":\"\xe0\x9f\xbf\"}"), "two bytes' worth in three" },
    { TEXT("{\"a\":\"\xf0\x8f\xbf\xbf\"}"), "three bytes' worth in four" },
    { TEXT("{\"a\":\"\xed\xa0\x80\"}"), "a raw surrogate" },
    { TEXT("{\"a\":\"\xf4\x90\x80\x80\"}"), "a character past U+10FFFF" },
    { TEXT("{\"a\":\"\xf5\x80\x80\x80\"}"), "a first byte past U+10FFFF" },
    { TEXT("{\"a\":\"\xe2\x28\xa1\"}"), "a second byte that continues nothing" },
    { TEXT("{\"a\":\"\xe2\x82\x28\"}"), "a third byte that continues nothing" },
    { TEXT("{\"a\":\"\\ud83d\"}"), "half a surrogate pair, escaped" },
    { TEXT("{\"a\":\"\\ude00\\ud83d\"}"), "a surrogate pair turned round" },
    { TEXT("[]"), "an array" },
    { TEXT("\"a\""), "text alone" },
    { TEXT("null"), "null" },
    { TEXT("1"), "a number" },
    { TEXT("{'a':1}"), "single quotes" },
    { TEXT("{\"a\":1,}"), "a comma too many" },
    { TEXT("{\"a\":1]"), "a bracket of the other kind" },
    { TEXT("}"), "an end without a beginning" },
    { TEXT("{\"a\":tru}"), "half a word" },
    { TEXT("<html>busy</html>"), "a page of HTML" },
};

static void test_parse(apr_pool_t *p)
{
    ddb_json_t *j;
    int i;

    for (i = 0; i < COUNT(good); i++) {
        NUM_IS(parse(&j, good[i].in, good[i].len, p), APR_SUCCESS, apr_pstrcat(p, "taken: ", good[i].name, NULL));
        OK(j != NULL, "and gives an object");
    }
    for (i = 0; i < COUNT(bad); i++) {
        NUM_IS(parse(&j, bad[i].in, bad[i].len, p), DDB_EBADREPLY, apr_pstrcat(p, "refused: ", bad[i].name, NULL));
        OK(j == NULL, "and gives nothing");
    }
    NUM_IS(parse(&j, "{}garbage", 2, p), APR_SUCCESS, "only len bytes are looked at");
}

/* levels objects or arrays, each in the one before. */
static const char *nested(int levels, const char *open, const char *close, apr_pool_t *p)
{
    apr_array_header_t *parts = apr_array_make(p, 2 * levels + 2, sizeof(const char *));
    int i;

    APR_ARRAY_PUSH(parts, const char *) = "{\"a\":";
    for (i = 1; i < levels; i++) {
        APR_ARRAY_PUSH(parts, const char *) = open;
    }
    APR_ARRAY_PUSH(parts, const char *) = "1";
    for (i = 1; i < levels; i++) {
        APR_ARRAY_PUSH(parts, const char *) = close;
    }
    APR_ARRAY_PUSH(parts, const char *) = "}";
    return apr_array_pstrcat(p, parts, '\0');
}

static apr_status_t parse_nested(int levels, const char *open, const char *close, apr_pool_t *p)
{
    const char *in = nested(levels, open, close, p);
    ddb_json_t *j;

    return parse(&j, in, strlen(in), p);
}

static void test_depth(apr_pool_t *p)
{
    ddb_json_t *j;
    char *in = apr_palloc(p, 100000);

    NUM_IS(parse_nested(DDB_JSON_DEPTH_MAX, "{\"a\":", "}", p), APR_SUCCESS, "objects nest as deep as the limit");
    NUM_IS(parse_nested(DDB_JSON_DEPTH_MAX + 1, "{\"a\":", "}", p), DDB_EBADREPLY, "and not deeper");
    NUM_IS(parse_nested(DDB_JSON_DEPTH_MAX, "[", "]", p), APR_SUCCESS, "arrays nest as deep as the limit");
    NUM_IS(parse_nested(DDB_JSON_DEPTH_MAX + 1, "[", "]", p), DDB_EBADREPLY, "and not deeper");
    memset(in, '[', 100000);
    NUM_IS(parse(&j, in, 100000, p), DDB_EBADREPLY, "100,000 brackets are refused before anything recurses");
    in = apr_pstrcat(p,
                     "{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
                     "[],[],[],[],[],[],[],[]]}",
                     NULL);
    NUM_IS(parse(&j, in, strlen(in), p), APR_SUCCESS, "side by side is not deep");
}

static void test_get(apr_pool_t *p)
{
    static const char in[] = "{\"Item\":{\"id\":{\"S\":\"a\\u00e9\"},\"n\":{\"N\":\"1\"}},\"item\":\"small\","
                             "\"x\":null,\"num\":1,\"list\":[\"S\"],\"\":\"unnamed\",\"twice\":\"1\",\"twice\":\"2\"}";
    const ddb_json_t *item;
    ddb_json_t *j;

    parse(&j, TEXT(in), p);
    item = ddb_json_child(j, "Item");
    IS(ddb_json_str(ddb_json_child(item, "id"), "S"), "a\xc3\xa9", "a member of a member of a member");
    IS(ddb_json_str(j, "item"), "small", "names that differ in case are two");
    OK(ddb_json_child(j, "ITEM") == NULL && ddb_json_str(j, "ITEM") == NULL && !ddb_json_has(j, "ITEM"),
       "a name in another case is none");
    OK(ddb_json_str(j, "Item") == NULL, "an object is no text");
    OK(ddb_json_str(j, "num") == NULL && ddb_json_str(j, "x") == NULL, "a number and null are no text");
    OK(ddb_json_child(j, "item") == NULL && ddb_json_child(j, "list") == NULL, "text and an array are no object");
    OK(ddb_json_has(j, "x") && ddb_json_has(j, "num") && ddb_json_has(j, "list"), "has asks for no type");
    OK(!ddb_json_has(j, "nix") && ddb_json_str(j, "nix") == NULL && ddb_json_child(j, "nix") == NULL,
       "a missing member is none");
    IS(ddb_json_str(j, ""), "unnamed", "the empty name is a name");
    OK(ddb_json_str(NULL, "a") == NULL && ddb_json_child(NULL, "a") == NULL && !ddb_json_has(NULL, "a"),
       "nothing has no members");
    IS(ddb_json_str(j, "twice"), "1", "of two members of one name the first counts");
}

static void test_int(apr_pool_t *p)
{
    static const char *const none[] = { "s", "half", "large", "small", "true", "nix", "huge" };
    apr_int64_t n = 7;
    ddb_json_t *j;
    int i;

    ddb_json_parse(&j,
                   TEXT("{\"one\":1,\"ms\":1795395723004,\"neg\":-3,\"exp\":2e3,\"s\":\"1\",\"half\":1.5,"
                        "\"large\":9007199254740994,\"small\":-9007199254740994,\"true\":true,\"huge\":1e999,"
                        "\"most\":9007199254740992}"),
                   p);
    OK(ddb_json_int(j, "one", &n) && n == 1, "a whole number");
    OK(ddb_json_int(j, "ms", &n) && n == APR_INT64_C(1795395723004), "one of milliseconds");
    OK(ddb_json_int(j, "neg", &n) && n == -3, "a negative one");
    OK(ddb_json_int(j, "exp", &n) && n == 2000, "one with an exponent");
    OK(ddb_json_int(j, "most", &n) && n == APR_INT64_C(9007199254740992), "the largest that is exact");
    for (i = 0; i < COUNT(none); i++) {
        OK(!ddb_json_int(j, none[i], &n), apr_pstrcat(p, none[i], " is none", NULL));
    }
    OK(!ddb_json_int(NULL, "one", &n), "nor is anything of no object");
    NUM_IS(n, APR_INT64_C(9007199254740992), "and the value stays");
}

static void test_halves(apr_pool_t *p)
{
    static const char *const none[] = { "s", "third", "large", "neg", "true", "nix", "huge" };
    apr_int64_t n = 7;
    ddb_json_t *j;
    int i;

    ddb_json_parse(&j,
                   TEXT("{\"half\":0.5,\"one\":1.0,\"more\":12.5,\"zero\":0,\"s\":\"0.5\",\"third\":0.3333,"
                        "\"large\":9007199254740992,\"neg\":-0.5,\"true\":true,\"huge\":1e999}"),
                   p);
    OK(ddb_json_halves(j, "half", &n) && n == 1, "half a unit is one half");
    OK(ddb_json_halves(j, "one", &n) && n == 2, "a unit is two");
    OK(ddb_json_halves(j, "zero", &n) && n == 0, "nothing is none");
    OK(ddb_json_halves(j, "more", &n) && n == 25, "twelve and a half are 25");
    for (i = 0; i < COUNT(none); i++) {
        OK(!ddb_json_halves(j, none[i], &n), apr_pstrcat(p, none[i], " are no halves", NULL));
    }
    OK(!ddb_json_halves(NULL, "half", &n), "nor is anything of no object");
    NUM_IS(n, 25, "and the value stays");
}

static void test_secret(apr_pool_t *p)
{
    ddb_json_t *j = NULL;
    apr_pool_t *own;

    apr_pool_create(&own, p);
    NUM_IS(ddb_json_parse_secret(&j, TEXT("{\"a\":{\"b\":[\"s\",1,{}]},\"c\":\"\",\"d\":\"secret\"}"), own),
           APR_SUCCESS, "text with secrets is parsed like other text");
    IS(ddb_json_str(j, "d"), "secret", "and read like it");
    NUM_IS(ddb_json_parse_secret(&j, TEXT("[\"secret\"]"), own), DDB_EBADREPLY, "a list is no object there either");
    NUM_IS(ddb_json_parse_secret(&j, TEXT("{\"a\":\"secret"), own), DDB_EBADREPLY, "nor is half an object");
    apr_pool_destroy(own);
}

static void test_build(apr_pool_t *p)
{
    ddb_json_t *j = ddb_json_object(p), *key;
    char name[] = "TableName", value[] = "sess";
    const char *text;

    IS(ddb_json_print(j, p), "{}", "an empty object in print");
    ddb_json_set_str(j, name, value);
    name[0] = value[0] = '-';
    ddb_json_set_bool(j, "ConsistentRead", 2);
    ddb_json_set_bool(j, "No", 0);
    key = ddb_json_set_object(ddb_json_set_object(j, "Key"), "id");
    ddb_json_set_str(key, "S", "a");
    IS(ddb_json_print(j, p),
       "{\"TableName\":\"sess\",\"ConsistentRead\":true,\"No\":false,\"Key\":{\"id\":{\"S\":\"a\"}}}",
       "compact, in the order of building, from copies");
    OK(ddb_json_set_object(ddb_json_set_object(j, "Key"), "id") == key, "an object that is there stays");
    j = ddb_json_object(p);
    ddb_json_set_str(j, "q\"", "\\ \" / \n \t \x01 \x7f \xc3\xa9");
    text = ddb_json_print(j, p);
    IS(text, "{\"q\\\"\":\"\\\\ \\\" / \\n \\t \\u0001 \x7f \xc3\xa9\"}", "escaped where JSON asks for it");
    parse(&j, text, strlen(text), p);
    IS(ddb_json_str(j, "q\""), "\\ \" / \n \t \x01 \x7f \xc3\xa9", "and read back the same");
}

/* valgrind and ASan tell whether every tree went with its pool; here, that the text printed from one stays. */
static void test_lifetime(apr_pool_t *p)
{
    apr_pool_t *scope;
    ddb_json_t *j;
    const char *text;
    int i;

    apr_pool_create(&scope, p);
    for (i = 0; i < 100; i++) {
        parse(&j, TEXT("{\"a\":{\"b\":[1,2,{\"c\":\"d\"}]}}"), scope);
        parse(&j, TEXT("{\"a\":{\"b\":[1,2,{\"c\":\"d\""), scope);
        parse(&j, TEXT("[1,2,3]"), scope);
        ddb_json_set_object(ddb_json_object(scope), "a");
    }
    j = ddb_json_object(scope);
    ddb_json_set_str(j, "a", "b");
    text = ddb_json_print(j, p);
    apr_pool_destroy(scope);
    IS(text, "{\"a\":\"b\"}", "printed text lives in its own pool");
}

/* --- objects that are kept as text --- */

static void test_json_entries(apr_pool_t *p)
{
    apr_array_header_t *list = NULL;
    const ddb_json_member_t *m;

    NUM_IS(ddb_json_members(&list, " {\"a\\u0000\" : [1, 2] ,\"a\":1.10} ", p), APR_SUCCESS, "an object has members");
    NUM_IS(list->nelts, 2, "all of them");
    m = &APR_ARRAY_IDX(list, 0, ddb_json_member_t);
    IS(m[0].name, "\"a\\u0000\"", "a name is as it is written");
    IS(m[0].value, "[1, 2]", "a value too, without the space around it");
    IS(m[1].value, "1.10", "a number to the digit");
    NUM_IS(ddb_json_members(&list, "{}", p), APR_SUCCESS, "an empty object is one");
    NUM_IS(list->nelts, 0, "without members");
    NUM_IS(ddb_json_members(&list, "[{}]", p), DDB_EBADITEM, "an array is none");
    NUM_IS(ddb_json_members(&list, "", p), DDB_EBADITEM, "nor is nothing");
}

static void test_strings(apr_pool_t *p)
{
    IS(ddb_json_unquote("\"a\\n\\u20ac\\ud83d\\ude00\"", p), "a\n\xe2\x82\xac\xf0\x9f\x98\x80",
       "a string says its text");
    IS(ddb_json_unquote("\"\"", p), "", "or nothing");
    IS(ddb_json_unquote("\"a\\u0000b\"", p), NULL, "with a NUL it can't be told");
    IS(ddb_json_unquote("\"\\udc00\"", p), NULL, "nor with a lone surrogate");
    IS(ddb_json_unquote("\"a\"x", p), NULL, "nor with something behind it");
    IS(ddb_json_unquote("5", p), NULL, "a number is no string");
    IS(ddb_json_unquote("null", p), NULL, "nor is null");
    IS(ddb_json_quote("\"\\\x01\xc3\xa9", p), "\"\\\"\\\\\\u0001\xc3\xa9\"", "text becomes a string");
    IS(ddb_json_quote("", p), "\"\"", "empty text too");
    IS(ddb_json_quote("a\xc3", p), NULL, "text that is not UTF-8 does not");
    IS(ddb_json_quote("\xc0\x80", p), NULL, "in whatever way");
}

static void test_arrays(apr_pool_t *p)
{
    ddb_json_t *made = ddb_json_object(p), *parsed;

    OK(ddb_json_item(made, "a", 0) == NULL, "what is not there has no first object");
    ddb_json_set_str(ddb_json_add_object(made, "a"), "n", "1");
    ddb_json_set_str(ddb_json_add_object(made, "a"), "n", "2");
    IS(ddb_json_print(made, p), "{\"a\":[{\"n\":\"1\"},{\"n\":\"2\"}]}", "objects are put into an array in order");
    NUM_IS(ddb_json_parse(&parsed, "{\"a\":[{\"n\":\"1\"},2],\"b\":{}}", 26, p), APR_SUCCESS, "an array is read");
    IS(ddb_json_str(ddb_json_item(parsed, "a", 0), "n"), "1", "by place");
    OK(ddb_json_item(parsed, "a", 1) == NULL, "what is no object there is as good as nothing");
    OK(ddb_json_item(parsed, "a", 2) == NULL && ddb_json_item(parsed, "a", -1) == NULL, "as is what lies outside");
    OK(ddb_json_item(parsed, "b", 0) == NULL && ddb_json_item(NULL, "a", 0) == NULL, "and what is no array");
    made = ddb_json_object(p);
    ddb_json_add_str(made, "s", "x\"");
    ddb_json_add_str(made, "s", "y");
    IS(ddb_json_print(made, p), "{\"s\":[\"x\\\"\",\"y\"]}", "so are strings");
}

static void test_numbers_and_lines(apr_pool_t *p)
{
    ddb_json_t *made = ddb_json_object(p);

    ddb_json_set_number(made, "n", 3);
    ddb_json_set_number(made, "x", 0.625);
    IS(ddb_json_print(made, p), "{\"n\":3,\"x\":0.625}", "numbers are written as they are");
    IS(ddb_json_print_lines(made, p), "{\n\t\"n\":\t3,\n\t\"x\":\t0.625\n}", "and on lines where people read them");
}

TAP_MAIN(p)
{
    test_parse(p);
    test_depth(p);
    test_get(p);
    test_int(p);
    test_halves(p);
    test_secret(p);
    test_build(p);
    test_lifetime(p);
    test_json_entries(p);
    test_strings(p);
    test_arrays(p);
    test_numbers_and_lines(p);
}
