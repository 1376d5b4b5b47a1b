/* Text that grows, and what is written into it; base64 in both directions; UTF-8. */

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_base64.h"
#include "base/ddb_json.h"
#include "base/ddb_text.h"
#include "base/ddb_utf8.h"
#include "tap.h"

#define SAY(...) apr_psprintf(p, __VA_ARGS__)

static void test_growth(apr_pool_t *p)
{
    ddb_text_t t;
    int i, same = 1;
    const char *text;

    ddb_text_begin(&t, 0, p);
    IS(ddb_text_end(&t), "", "a text begins empty");
    for (i = 0; i < 10000; i++) {
        ddb_text_add(&t, "0123456789" + i % 10);
        ddb_text_add_bytes(&t, "abc", 2);
    }
    text = ddb_text_end(&t);
    NUM_IS(strlen(text), 10000 * 5.5 + 20000, "it has all that was added");
    NUM_IS(t.len, strlen(text), "and knows its length");
    for (i = 0; i < 10000; i++) {
        same &= strncmp(text, "0123456789" + i % 10, 10 - i % 10) == 0 && strncmp(text + 10 - i % 10, "ab", 2) == 0;
        text += 12 - i % 10;
    }
    OK(same, "in order");
}

static const char *number(apr_int64_t n, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, 1, p);
    ddb_text_add_number(&t, n);
    return ddb_text_end(&t);
}

static void test_numbers(apr_pool_t *p)
{
    IS(number(0, p), "0", "a number: none");
    IS(number(1795395723, p), "1795395723", "a time");
    IS(number(-10, p), "-10", "less than none");
    IS(number(APR_INT64_MAX, p), "9223372036854775807", "the most");
    IS(number(APR_INT64_MIN, p), "-9223372036854775808", "the least");
}

static const char *json(const char *s, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, 1, p);
    ddb_text_add_json(&t, s);
    return ddb_text_end(&t);
}

static void test_json(apr_pool_t *p)
{
    char text[] = "a-b";
    int c, same = 1;

    IS(json("", p), "\"\"", "an empty string");
    IS(json("a\"b\\c/d", p), "\"a\\\"b\\\\c/d\"", "quote and backslash are escaped, a slash is not");
    IS(json("\b\f\n\r\t\x01\x1f\x7f", p), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"", "controls are");
    IS(json("\xc3\xa9\xf0\x9f\x98\x80", p), "\"\xc3\xa9\xf0\x9f\x98\x80\"", "other characters stay");
    for (c = 1; c < 256; c++) {
        ddb_json_t *obj = ddb_json_object(p);

        text[1] = (char)c;
        ddb_json_set_str(obj, "x", text);
        same &= strcmp(SAY("{\"x\":%s}", json(text, p)), ddb_json_print(obj, p)) == 0;
    }
    OK(same, "every byte as cJSON writes it");
}

static const char *encoded(const char *bytes, apr_size_t len, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, 1, p);
    ddb_text_add_base64(&t, bytes, len);
    return ddb_text_end(&t);
}

static const char *ascii(const char *s, apr_size_t most, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, 1, p);
    ddb_text_add_json_ascii(&t, s, most);
    return ddb_text_end(&t);
}

static void test_json_ascii(apr_pool_t *p)
{
    IS(ascii("", 9, p), "\"\"", "in ASCII: nothing");
    IS(ascii("a/b c", 9, p), "\"a/b c\"", "what needs no escape");
    IS(ascii("\"\\\n\x01\x7f", 9, p), "\"\\\"\\\\\\n\\u0001\\u007f\"", "what does");
    IS(ascii("\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", 9, p), "\"\\u00e9\\u2028\\ud83d\\ude00\"",
       "characters of 2, 3 and 4 bytes");
    IS(ascii("\xf4\x8f\xbf\xbf\xc2\x80", 9, p), "\"\\udbff\\udfff\\u0080\"", "the last and the first of all");
    IS(ascii("\xff"
             "a\xed\xa0\x80\xc3",
             9, p),
       "\"\\ufffda\\ufffd\\ufffd\\ufffd\\ufffd\"", "bytes that are none");
    IS(ascii("abc", 3, p), "\"abc\"", "a text that just fits");
    IS(ascii("abcd", 3, p), "\"abc\"", "one that is cut");
    IS(ascii("ab\xe2\x80\xa8", 4, p), "\"ab\"", "not within a character");
    IS(ascii("ab\xe2\x80\xa8"
             "c",
             5, p),
       "\"ab\\u2028\"", "behind one");
    IS(ascii("a\xff", 1, p), "\"a\"", "before a bad byte");
}

static void test_base64(apr_pool_t *p)
{
    static const char *const vectors[][2] = { { "", "" },
                                              { "f", "Zg==" },
                                              { "fo", "Zm8=" },
                                              { "foo", "Zm9v" },
                                              { "foob", "Zm9vYg==" },
                                              { "fooba", "Zm9vYmE=" },
                                              { "foobar", "Zm9vYmFy" } };
    static const char *const bad[] = { "A",    "AA",    "AAA",      "AAAAA",    "AAA*",     "AA A",      "=",
                                       "====", "A===",  "AA=A",     "AAA=AAAA", "AA==AAAA", "Zh==",      "Zm9=",
                                       "-___", "AAA\n", "AAAAAAA ", "AAAA====", "AAA-AAAA", "\xc3\xa9==" };
    char bytes[768], out[768];
    apr_size_t i, len, same = 0;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const char *plain = vectors[i][0], *text = vectors[i][1];

        IS(encoded(plain, strlen(plain), p), text, SAY("RFC 4648 section 10: '%s'", plain));
        NUM_IS(DDB_BASE64_LEN(strlen(plain)), strlen(text), "the length is known before");
        OK(ddb_base64_decode(out, &len, text, strlen(text)) && len == strlen(plain) && memcmp(out, plain, len) == 0,
           "and back");
    }
    IS(encoded(NULL, 0, p), "", "nothing at all");
    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7 + i / 256);
    }
    for (i = 1; i <= sizeof(bytes); i++) {
        const char *text = apr_pencode_base64_binary(p, (unsigned char *)bytes, (apr_ssize_t)i, APR_ENCODE_NONE, NULL);

        same += strcmp(encoded(bytes, i, p), text) == 0 && ddb_base64_decode(out, &len, text, strlen(text)) && len == i
                && memcmp(out, bytes, len) == 0;
    }
    NUM_IS(same, sizeof(bytes), "bytes of all values and lengths as APR writes them, and back");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(!ddb_base64_decode(out, &len, bad[i], strlen(bad[i])), SAY("not as it is written: '%s'", bad[i]));
    }
}

static void test_utf8(apr_pool_t *p)
{
    static const struct {
        const char *text;
        apr_size_t len;
    } rows[] = { { "a", 1 },
                 { "\x7f\x80", 1 },
                 { "\xc2\x80", 2 },
                 { "\xdf\xbf", 2 },
                 { "\xe0\xa0\x80", 3 },
                 { "\xed\x9f\xbf", 3 },
                 { "\xef\xbf\xbf", 3 },
                 { "\xf0\x90\x80\x80", 4 },
                 { "\xf4\x8f\xbf\xbf", 4 },
                 { "\x80", 0 },
                 { "\xc1\xbf", 0 },
                 { "\xc2", 0 },
                 { "\xc2\xc0", 0 },
                 { "\xe0\x9f\xbf", 0 },
                 { "\xed\xa0\x80", 0 },
                 { "\xe2\x82", 0 },
                 { "\xe2\x82\x28", 0 },
                 { "\xf0\x8f\xbf\xbf", 0 },
                 { "\xf0\x9f\x98", 0 },
                 { "\xf4\x90\x80\x80", 0 },
                 { "\xf5\x80\x80\x80", 0 },
                 { "\xff", 0 } };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        NUM_IS(ddb_utf8_sequence(rows[i].text, strlen(rows[i].text)), rows[i].len,
               SAY("bytes of the character at the begin of %" APR_SIZE_T_FMT ". text", i));
    }
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_growth, test_numbers, test_json, test_json_ascii, test_base64, test_utf8);
}
