/* ddb_json_pull: what is read without a tree, piece by piece, and what is left to ddb_json. */

#include <stdlib.h>

#include <apr_strings.h>

#include "base/ddb_json_pull.h"
#include "tap.h"

#define SAY(...) apr_psprintf(p, __VA_ARGS__)

/* Exactly len bytes on the heap, so that valgrind and ASan see a read past them. */
static ddb_json_pull_t pull(const char *text, apr_size_t len, apr_pool_t *p)
{
    char *copy = malloc(len ? len : 1);
    ddb_json_pull_t r;

    memcpy(copy, text, len);
    apr_pool_cleanup_register(p, copy, (apr_status_t(*)(void *))(void *)free, apr_pool_cleanup_null);
    ddb_json_pull_begin(&r, copy, len, p);
    return r;
}

static ddb_json_pull_t pull_text(const char *text, apr_pool_t *p)
{
    return pull(text, strlen(text), p);
}

static int skips(const char *text, apr_size_t len, apr_pool_t *p)
{
    ddb_json_pull_t r = pull(text, len, p);
    ddb_json_string_t name;

    for (ddb_json_pull_object(&r); ddb_json_pull_member(&r, &name);) {
        ddb_json_pull_skip(&r);
    }
    return ddb_json_pull_end(&r);
}

static const char *text_of(const ddb_json_string_t *s, apr_pool_t *p)
{
    return apr_pstrmemdup(p, s->text, s->len);
}

static void test_pieces(apr_pool_t *p)
{
    ddb_json_pull_t r = pull_text(
        " { \"a\" : \"b\" ,\"n\":-1.50e+3,\"o\":{\"x\":[1,{\"y\":[]}],\"z\":\"\"},\"e\":{} } ", p);
    ddb_json_string_t s;

    OK(!ddb_json_pull_string(&r, &s) && !ddb_json_pull_number(&r, &s), "an object is no string and no number");
    OK(ddb_json_pull_object(&r), "an object is entered");
    OK(ddb_json_pull_member(&r, &s) && ddb_json_string_is(&s, "a"), "its first member has a name");
    OK(!ddb_json_string_is(&s, "") && !ddb_json_string_is(&s, "ab") && !ddb_json_string_is(&s, "A"), "and no other");
    OK(!ddb_json_pull_object(&r) && !ddb_json_pull_number(&r, &s), "a string is no object and no number");
    OK(ddb_json_pull_string(&r, &s) && ddb_json_string_is(&s, "b"), "but can be read after that");
    OK(ddb_json_pull_member(&r, &s) && ddb_json_string_is(&s, "n"), "the next member follows");
    OK(!ddb_json_pull_object(&r) && !ddb_json_pull_string(&r, &s), "a number is no object and no string");
    OK(ddb_json_pull_number(&r, &s), "but a number");
    IS(text_of(&s, p), "-1.50e+3", "as it is written");
    OK(ddb_json_pull_member(&r, &s) && ddb_json_pull_object(&r), "a member that is an object is entered");
    OK(ddb_json_pull_member(&r, &s) && ddb_json_string_is(&s, "x"), "it has members of its own");
    ddb_json_pull_skip(&r);
    OK(ddb_json_pull_member(&r, &s) && ddb_json_string_is(&s, "z"), "one is skipped with all that is in it");
    OK(ddb_json_pull_string(&r, &s) && s.text && s.len == 0, "a string may be empty");
    OK(!ddb_json_pull_member(&r, &s), "an object ends");
    OK(!ddb_json_pull_end(&r), "which is not the end of the text");
    OK(ddb_json_pull_member(&r, &s) && ddb_json_string_is(&s, "e"), "the members around it go on");
    OK(ddb_json_pull_object(&r) && !ddb_json_pull_member(&r, &s), "an object may be empty");
    OK(!ddb_json_pull_member(&r, &s) && ddb_json_pull_end(&r), "the end is the end of all");
}

static void test_strings(apr_pool_t *p)
{
    static const struct {
        const char *written, *text, *what;
    } rows[] = {
        { "plain, and longer than eight bytes", "plain, and longer than eight bytes", "plain text" },
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", "short escapes" },
        { "a\\u0041\\u00E9\\u20ac\\uFFFF", "aA\xc3\xa9\xe2\x82\xac\xef\xbf\xbf",
          "escapes of one, two and three bytes" },
        { "\\ud83d\\ude00\\ud800\\udc00\\uDBFF\\uDFFF", "\xf0\x9f\x98\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
          "pairs of surrogates" },
        { "\\u0001\\u007f\\u0080\\u07ff\\u0800", "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", "the ends of each length" },
        { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f", "UTF-8 as it is" },
        { "1234567\\n12345678\\n", "1234567\n12345678\n", "escapes at the ends of eight bytes" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ddb_json_pull_t r = pull_text(SAY("{\"%s\":\"%s\"}", rows[i].written, rows[i].written), p);
        ddb_json_string_t name = { 0 }, value = { 0 };

        OK(ddb_json_pull_object(&r) && ddb_json_pull_member(&r, &name) && ddb_json_pull_string(&r, &value),
           SAY("%s: read", rows[i].what));
        IS(text_of(&name, p), rows[i].text, "as a name");
        IS(text_of(&value, p), rows[i].text, "and as a value");
        OK(!ddb_json_pull_member(&r, &name) && ddb_json_pull_end(&r), "to the end");
    }
}

/* Every byte at every place of the first nine, where eight are looked at at once. */
static void test_bytes(apr_pool_t *p)
{
    char text[] = "{\"a\":\"123456789\"}";
    int c, at, wrong = 0;

    for (c = 0; c < 256; c++) {
        for (at = 0; at < 9; at++) {
            ddb_json_t *j;

            text[6 + at] = (char)c;
            /* A quote ends the string, with more behind it. */
            wrong += skips(text, sizeof(text) - 1, p) != (ddb_json_parse(&j, text, sizeof(text) - 1, p) == APR_SUCCESS);
            text[6 + at] = (char)('1' + at);
        }
    }
    NUM_IS(wrong, 0, "a byte is taken in a string where ddb_json takes it");
}

static const char *nested(int levels, apr_pool_t *p)
{
    char *open = apr_pcalloc(p, (apr_size_t)levels), *close = apr_pcalloc(p, (apr_size_t)levels);

    memset(open, '[', (apr_size_t)levels - 1);
    memset(close, ']', (apr_size_t)levels - 1);
    return SAY("{\"a\":%s%s}", open, close);
}

static void test_limits(apr_pool_t *p)
{
    const char *deepest = nested(DDB_JSON_DEPTH_MAX, p), *deeper = nested(DDB_JSON_DEPTH_MAX + 1, p);
    char digits[62];

    OK(skips(deepest, strlen(deepest), p), "what is read nests as deep as DynamoDB lets it");
    OK(!skips(deeper, strlen(deeper), p), "and not deeper");
    deepest =
        "{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}";
    OK(skips(deepest, strlen(deepest), p), "side by side is not deep");
    memset(digits, '1', sizeof(digits));
    OK(skips(SAY("{\"a\":%.60s}", digits), 66, p), "a number may have 60 digits");
    OK(!skips(SAY("{\"a\":%.61s}", digits), 67, p), "one of 61 is left to ddb_json");
}

static void test_faults(apr_pool_t *p)
{
    static const char *const bad[] = { "",
                                       " ",
                                       "x",
                                       "[]",
                                       "\"a\"",
                                       "1",
                                       "null",
                                       "{",
                                       "{\"a\"",
                                       "{\"a\":",
                                       "{\"a\":1",
                                       "{\"a\":1,",
                                       "{\"a\":1,}",
                                       "{,}",
                                       "{a:1}",
                                       "{\"a\" 1}",
                                       "{\"a\":1 \"b\":2}",
                                       "{\"a\":1}}",
                                       "{}{}",
                                       "{}x",
                                       "{\"a\":[1,]}",
                                       "{\"a\":[,1]}",
                                       "{\"a\":[1 2]}",
                                       "{\"a\":[1}",
                                       "{\"a\":{\"b\":1]}",
                                       "{\"a\":tru}",
                                       "{\"a\":nul",
                                       "{\"a\":True}",
                                       "{\"a\":-}",
                                       "{\"a\":+1}",
                                       "{\"a\":01}",
                                       "{\"a\":.5}",
                                       "{\"a\":1.}",
                                       "{\"a\":1.e1}",
                                       "{\"a\":1e}",
                                       "{\"a\":1e+}",
                                       "{\"a\":0x1}",
                                       "{\"a\":NaN}",
                                       "{\"a\":\"b}",
                                       "{\"a\":\"\\",
                                       "{\"a\":\"\\x\"}",
                                       "{\"a\":\"\\u12\"}",
                                       "{\"a\":\"\\u12g4\"}",
                                       "{\"a\":\"\\u0000\"}",
                                       "{\"a\\u0000\":1}",
                                       "{\"a\":\"\\ud83d\"}",
                                       "{\"a\":\"\\ud83dx\"}",
                                       "{\"a\":\"\\ud83d\\u0041\"}",
                                       "{\"a\":\"\\ude00\\ud83d\"}",
                                       "{\"a\":\"\\ud83d\\ude0\"}",
                                       "{\"a\":\"\n\"}",
                                       "{\"a\":\"\xff\"}",
                                       "{\"a\":\"\xc3\"}",
                                       "{\"a\":\"\xe2\x82",
                                       "{\"a\":\"\xed\xa0\x80\"}",
                                       "\xef\xbb\xbf{}",
                                       "{\x01}",
                                       "{\"a\":[\"\x1f\"]}" };
    ddb_json_pull_t r;
    ddb_json_string_t s;
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(!skips(bad[i], strlen(bad[i]), p), SAY("not read: %s", bad[i]));
    }
    OK(!skips("{}\0", 3, p) && !skips("{\"a\":\"b\0c\"}", 11, p) && !skips("{\"a\":\0}", 7, p), "no NUL is read");
    r = pull_text("{\"a\":x,\"b\":\"c\"}", p);
    OK(ddb_json_pull_object(&r) && ddb_json_pull_member(&r, &s), "up to a fault");
    ddb_json_pull_skip(&r);
    OK(!ddb_json_pull_member(&r, &s) && !ddb_json_pull_string(&r, &s) && !ddb_json_pull_number(&r, &s)
           && !ddb_json_pull_object(&r) && !ddb_json_pull_end(&r),
       "after it nothing more is read");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_pieces, test_strings, test_bytes, test_limits, test_faults);
}
