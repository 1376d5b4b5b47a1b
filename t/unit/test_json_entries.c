/* A JSON object as entries of a session and back: what is shown, what is kept, and that nothing else changes. */

#include <apr_escape.h>
#include <apr_strings.h>

#include "store/ddb_json_entries.h"
#include "tap.h"

#define ENTRIES_MAX 1000

#define SAY(...)   apr_psprintf(p, __VA_ARGS__)
#define LINE(text) apr_pescape_echo(p, (text), 0) /* a name in TAP is one line */

static ddb_json_entries_t *parsed(const char *text, apr_pool_t *p)
{
    ddb_json_entries_t *m = NULL;

    OK(ddb_json_entries_parse(&m, text, ENTRIES_MAX, p, NULL) == APR_SUCCESS,
       SAY("%s is an object", text ? LINE(text) : "nothing"));
    return m;
}

static apr_table_t *shown(const ddb_json_entries_t *m, apr_pool_t *p)
{
    apr_table_t *t = apr_table_make(p, 4);

    ddb_json_entries_show(m, t);
    return t;
}

static const char *printed(const ddb_json_entries_t *m, const apr_table_t *entries, apr_pool_t *p)
{
    const char *text = NULL;

    return ddb_json_entries_print(&text, m, entries, p, NULL) == APR_SUCCESS ? text : NULL;
}

/* The object after one entry was set, or with value NULL removed. */
static const char *after(const char *text, const char *name, const char *value, apr_pool_t *p)
{
    ddb_json_entries_t *m = parsed(text, p);
    apr_table_t *t = shown(m, p);

    if (value) {
        apr_table_set(t, name, value);
    }
    else {
        apr_table_unset(t, name);
    }
    return printed(m, t, p);
}

static void test_shown(apr_pool_t *p)
{
    static const struct {
        const char *text, *name, *value;
    } rows[] = {
        { "{\"a\": \"text\"}", "a", "text" },
        { "{\"a\": \"\"}", "a", "" },
        { "{\"\": \"x\"}", "", "x" },
        { "{\"a\": \"\\u20ac \\ud83d\\ude00 \\n\\\"\"}", "a", "\xe2\x82\xac \xf0\x9f\x98\x80 \n\"" },
        { "{\"\\u00fc\": 1}", "\xc3\xbc", "1" },
        { "{\"a\": 1.10}", "a", "1.10" },
        { "{\"a\": -0}", "a", "-0" },
        { "{\"a\" : 9007199254740993 }", "a", "9007199254740993" },
        { "{\"a\":\n\ttrue}", "a", "true" },
        { "{\"a\": null}", "a", "null" },
        { "{\"a\": NaN}", "a", "NaN" },
        { "{\"a\": -Infinity}", "a", "-Infinity" },
        { "{\"a\": [1, {\"b\": \"]}\\\"\"}, []]}", "a", "[1, {\"b\": \"]}\\\"\"}, []]" },
        { "{\"a\": {}}", "a", "{}" },
        { "{\"a\": 1, \"a\": 2}", "a", "2" },
        { "{\"User\": 1, \"user\": 2}", "user", NULL },
        { "{\"User\": 1, \"user\": 2, \"USER\": 3}", "user", NULL },
        { "{\"User\": 1, \"user\": 2, \"User\": 3}", "user", NULL },
        { "{\"expiry\": 1}", "expiry", NULL },
        { "{\"EXPIRY\": \"1\"}", "expiry", NULL },
        { "{\"a\": \"\\u0000\"}", "a", NULL },
        { "{\"a\": \"\\ud800\"}", "a", NULL },
        { "{\"a\": \"x\", \"a\": \"\\u0000\"}", "a", NULL },
        { "{\"a\\u0000\": 1}", "a", NULL },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ddb_json_entries_t *m = parsed(rows[i].text, p);
        IS(apr_table_get(shown(m, p), rows[i].name), rows[i].value, SAY("%s shows its entry", LINE(rows[i].text)));
        NUM_IS(apr_table_elts(shown(m, p))->nelts, rows[i].value ? 1 : 0, "and no other");
        NUM_IS(ddb_json_entries_hidden(m), !rows[i].value, "and knows whether more is there");
        IS(printed(m, shown(m, p), p), rows[i].text, "and comes back to the letter");
    }
    NUM_IS(apr_table_elts(shown(parsed(NULL, p), p))->nelts, 0, "nothing is an empty object");
    IS(printed(parsed("", p), apr_table_make(p, 1), p), "{}", "which is stored as one");
}

static void test_changed(apr_pool_t *p)
{
    static const struct {
        const char *text, *name, *value, *then, *says;
    } rows[] = {
        { "{}", "a", "1", "{\"a\":\"1\"}", "a new entry is a string" },
        { "{\"b\": 1.10, \"c\": [1, 2]}", "a", "1", "{\"b\":1.10,\"c\":[1, 2],\"a\":\"1\"}", "at the end" },
        { "{\"a\": 1, \"b\": 2}", "a", "3", "{\"a\":\"3\",\"b\":2}", "a changed one becomes one, in its place" },
        { "{\"a\": 1}", "a", "1", "{\"a\": 1}", "one set to what it was is not changed" },
        { "{\"a\": \"1\"}", "a", "1", "{\"a\": \"1\"}", "nor does a string become a number" },
        { "{\"a\": 1, \"b\": 2}", "a", NULL, "{\"b\":2}", "one removed is gone" },
        { "{\"a\": 1}", "b", NULL, "{\"a\": 1}", "one that is not there can't be removed" },
        { "{\"A\": 1}", "a", "2", "{\"A\":\"2\"}", "a name keeps its spelling" },
        { "{\"A\": 1, \"a\": 2}", "a", "3", "{\"A\":1,\"a\":\"3\"}", "of two spellings the exact one is changed" },
        { "{\"A\": 1, \"a\": 2}", "a", "2", "{\"A\": 1, \"a\": 2}", "one set to what it was is not changed either" },
        { "{\"A\": 1, \"a\": 2, \"A\": 4}", "A", "3", "{\"A\":1,\"a\":2,\"A\":\"3\"}", "the last of it" },
        { "{\"Ab\": 1, \"aB\": 2}", "ab", "3", "{\"Ab\":1,\"aB\":2,\"ab\":\"3\"}", "a third one is new" },
        { "{\"A\": 1, \"a\": 2}", "a", NULL, "{\"A\": 1, \"a\": 2}", "neither can be removed" },
        { "{\"A\": 1, \"a\": 2, \"b\": 3}", "b", NULL, "{\"A\":1,\"a\":2}", "and both stay" },
        { "{\"a\": 1, \"b\": 0, \"a\": 2}", "a", "3", "{\"a\":1,\"b\":0,\"a\":\"3\"}",
          "of one name the last is changed" },
        { "{\"a\": 1, \"a\": 2, \"a\": 3, \"b\": 4}", "a", NULL, "{\"b\":4}", "but all are removed" },
        { "{\"a\": 1, \"a\": 2, \"b\": 4}", "b", NULL, "{\"a\":1,\"a\":2}", "and all are kept" },
        { "{\"a\": \"\\u0000\"}", "a", "1", "{\"a\":\"1\"}", "what could not be shown can be set" },
        { "{\"a\": \"\\u0000\"}", "b", "1", "{\"a\":\"\\u0000\",\"b\":\"1\"}", "and else stays" },
        { "{\"expiry\": 5}", "b", "1", "{\"expiry\":5,\"b\":\"1\"}", "an expiry of the application's stays" },
        { "{\"expiry\": 5}", "expiry", "7", "{\"expiry\": 5}", "mod_session's is not stored" },
        { "{}", "Expiry", "7", "{}", "however it is spelt" },
        { "{\"\\ud800\": 1, \"x\": 2}", "x", NULL, "{\"\\ud800\":1}", "a name that is no text stays" },
        { "{}", "a", "\"\\\n\x01\xc3\xa9", "{\"a\":\"\\\"\\\\\\n\\u0001\xc3\xa9\"}", "what has to be escaped is" },
        { "{}", "\"", "", "{\"\\\"\":\"\"}", "in names too" },
        { "{}", "a", "\xff", NULL, "a value that is not UTF-8 is refused" },
        { "{\"a\": 1}", "a", "\xed\xa0\x80", NULL, "an encoded surrogate too" },
        { "{}", "\xc3", "1", NULL, "and such a name" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        IS(after(rows[i].text, rows[i].name, rows[i].value, p), rows[i].then, rows[i].says);
    }
}

/* Names that differ in case only are two to JSON and one to a table of entries. */
static void test_doubtful(apr_pool_t *p)
{
    ddb_json_entries_t *m = parsed("{\"ROLE\": \"admin\", \"role\": \"user\", \"a\": 1, \"Role\": \"\\u0000\"}", p);

    IS(ddb_json_entries_value(m, "role"), "user", "the exact name has its own value");
    IS(ddb_json_entries_value(m, "ROLE"), "admin", "so has the other");
    IS(ddb_json_entries_value(m, "Role"), NULL, "one that says nothing has none");
    IS(ddb_json_entries_value(m, "rOLE"), NULL, "a name that is not there has none");
    IS(ddb_json_entries_value(m, "a"), NULL, "an entry is not asked for here");
    OK(ddb_json_entries_doubtful(m) && strcasecmp(ddb_json_entries_doubtful(m), "role") == 0,
       "one of the names is told");
    m = parsed("{\"a\": 1, \"a\": 2, \"b\": 3}", p);
    IS(ddb_json_entries_doubtful(m), NULL, "the same name twice is no doubt");
    m = parsed("{\"expiry\": 1, \"Expiry\": 2}", p);
    IS(ddb_json_entries_doubtful(m), NULL, "nor is what is no entry anyway");
}

static const char *many(int count, apr_pool_t *p)
{
    apr_array_header_t *parts = apr_array_make(p, count, sizeof(const char *));
    int i;

    for (i = 0; i < count; i++) {
        APR_ARRAY_PUSH(parts, const char *) = SAY("\"%d\":%d", i, i);
    }
    return apr_pstrcat(p, "{", apr_array_pstrcat(p, parts, ','), "}", NULL);
}

static void test_limit(apr_pool_t *p)
{
    ddb_json_entries_t *m = NULL;
    ddb_error_t err = { 0 };
    apr_table_t *t;
    const char *text = NULL;

    NUM_IS(ddb_json_entries_parse(&m, many(4, p), 3, p, &err), DDB_ETOOLARGE, "one entry too many is refused");
    IS(err.detail,
       "the session has 4 entries, more than the 3 that SessionDynamoDBMaxEntries allows: store fewer, or allow more",
       "with the directive to look at");
    OK(!m, "and no object is given");
    NUM_IS(ddb_json_entries_parse(&m, "{\"a\":1,\"a\":1,\"a\":1,\"a\":1}", 3, p, &err), DDB_ETOOLARGE,
           "members of one name count, too");
    NUM_IS(ddb_json_entries_parse(&m, many(3, p), 3, p, &err), APR_SUCCESS, "as many as are allowed are read");
    t = shown(m, p);
    apr_table_set(t, "a", "1");
    memset(&err, 0, sizeof(err));
    NUM_IS(ddb_json_entries_print(&text, m, t, p, &err), DDB_ETOOLARGE, "one more is not written");
    OK(strstr(err.detail, "has 4 entries, more than the 3 that SessionDynamoDBMaxEntries allows"),
       "with the same line");
    apr_table_unset(t, "0");
    NUM_IS(ddb_json_entries_print(&text, m, t, p, &err), APR_SUCCESS, "in another's place it is");
    IS(text, "{\"1\":1,\"2\":2,\"a\":\"1\"}", "as an object");
}

static void test_refused(apr_pool_t *p)
{
    static const char *const bad[] = {
        " ",
        "[]",
        "1",
        "\"a\"",
        "null",
        "a=1",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1}x",
        "{\"a\":1}{}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":[1}",
        "{\"a\":[1,]}",
        "{\"a\":[}]",
        "{\"a\":{]}",
        "{\"a\":tru}",
        "{\"a\":nullx}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":-}",
        "{\"a\":1e}",
        "{\"a\":+1}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\",
        "{\"a\":\"",
        "{\"a\":1 \"b\":2}",
        "{\"a\":-NaN}",
        "{\"a\":'1'}",
        "{\"a\":1,\"b\"}",
    };
    ddb_json_entries_t *m = NULL;
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&err, 0, sizeof(err));
        NUM_IS(ddb_json_entries_parse(&m, bad[i], ENTRIES_MAX, p, &err), DDB_EBADITEM,
               SAY("%s is refused", LINE(bad[i])));
        OK(strstr(err.detail, "not a JSON object"), "and the detail says so");
    }
    OK(!m, "and none of them gives an object");
}

static const char *nested(int depth, apr_pool_t *p)
{
    char *text = apr_pcalloc(p, (apr_size_t)(2 * depth + 10));

    strcpy(text, "{\"a\":");
    memset(text + 5, '[', (size_t)depth);
    memset(text + 5 + depth, ']', (size_t)depth);
    text[5 + 2 * depth] = '}';
    return text;
}

static void test_deep(apr_pool_t *p)
{
    ddb_json_entries_t *m = NULL;

    NUM_IS(ddb_json_entries_parse(&m, nested(199, p), ENTRIES_MAX, p, NULL), APR_SUCCESS,
           "two hundred levels are read");
    NUM_IS(ddb_json_entries_parse(&m, nested(200, p), ENTRIES_MAX, p, NULL), DDB_EBADITEM, "one more is refused");
    NUM_IS(ddb_json_entries_parse(&m, nested(1000000, p), ENTRIES_MAX, p, NULL), DDB_EBADITEM,
           "a million too, at once");
}

TAP_MAIN(p)
{
    test_shown(p);
    test_changed(p);
    test_doubtful(p);
    test_limit(p);
    test_refused(p);
    test_deep(p);
}
