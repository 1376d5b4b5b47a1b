/* What a session looks like in DynamoDB: request bodies, rows and their faults, times, error replies. */

#include <apr_strings.h>

#include "aws/ddb_reply.h"
#include "base/ddb_json.h"
#include "base/ddb_time.h"
#include "store/ddb_item.h"
#include "tap.h"

#define BEGIN    "{\"TableName\":\"app_session\",\"ReturnConsumedCapacity\":\"TOTAL\","
#define NOW      APR_INT64_C(1795395723000004) /* 2026-11-23 01:02:03.000004 UTC */
#define NOW_TEXT "2026-11-23T01:02:03.000004+00:00"
#define SAY(...) apr_psprintf(p, __VA_ARGS__)

static ddb_item_t whole(void)
{
    ddb_item_t it = { .id = "row-key",
                      .data = "a=1",
                      .data_len = 3,
                      .created = NOW,
                      .accessed = NOW + apr_time_from_sec(60),
                      .expires = APR_INT64_C(1795402983),
                      .idle_timeout = 7200,
                      .absolute_timeout = 43200,
                      .version = 8,
                      .user_mark = "mark" };
    int i;

    for (i = 0; i < DDB_WRITE_ID_BYTES; i++) {
        it.write_id[i] = (unsigned char)i;
    }
    return it;
}

static ddb_item_t row_of_version(apr_int64_t version)
{
    ddb_item_t it = whole();

    it.version = version;
    return it;
}

static ddb_json_t *parsed(const char *text, apr_pool_t *p)
{
    ddb_json_t *json = NULL;
    OK(text && ddb_json_parse(&json, text, strlen(text), p) == APR_SUCCESS, "the body is JSON");
    return json;
}

static const char *text_of(const ddb_json_t *json, const char *name)
{
    const char *text = ddb_json_str(json, name);
    return text ? text : "";
}

/* --- bodies --- */

/* The placeholder of each attribute's name. A value has the same one, with a 0 behind it when it was loaded. */
static const struct {
    const char *placeholder, *name;
} of_names[] = { { "#k", "id" },           { "#d", "data" },         { "#a", "accessed" },
                 { "#e", "expires" },      { "#i", "idle_timeout" }, { "#t", "absolute_timeout" },
                 { "#v", "version" },      { "#w", "write_id" },     { "#u", "user_mark" },
                 { "#m", "user_marks" },   { "#z", "encoding" },     { "#r", "issued" },
                 { "#s", "seen" },         { "#x", "successor" },    { "#b", "timeouts_by" },
                 { "#q", "ended_by" },     { "#f", "csrf_key" },     { "#c", "created" },
                 { "#y", "listed_in" },    { "#o", "bound" },        { "#g", "device_secret" },
                 { "#h", "device_until" }, { "#j", "device_key" } };
static const char *const of_values[] = { ":d", ":a", ":e",  ":i",  ":t",  ":v",  ":w",  ":u", ":m", ":z",
                                         ":s", ":x", ":b",  ":q",  ":f",  ":o",  ":c",  ":g", ":h", ":j",
                                         ":0", ":1", ":d0", ":i0", ":t0", ":v0", ":j0", ":n" };

static int is_in_placeholder(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* How often the placeholder stands in the text as a whole word. */
static int uses(const char *text, const char *placeholder)
{
    const char *at;
    int count = 0;

    for (at = strstr(text, placeholder); at; at = strstr(at + 1, placeholder)) {
        count += !is_in_placeholder(at[strlen(placeholder)]);
    }
    return count;
}

static int count_of(const char *text, const char *what)
{
    int count = 0;

    for (text = strstr(text, what); text; text = strstr(text + 1, what)) {
        count++;
    }
    return count;
}

/* DynamoDB refuses a placeholder that is used and not defined, and one that is defined and not used; attributes have
 * to go by placeholders, because the names of some are words of its language. */
static void placeholders_agree(const char *body, const char *what, apr_pool_t *p)
{
    ddb_json_t *json = parsed(body, p);
    const ddb_json_t *names = ddb_json_child(json, "ExpressionAttributeNames");
    const ddb_json_t *values = ddb_json_child(json, "ExpressionAttributeValues");
    const char *text = SAY("%s %s", text_of(json, "UpdateExpression"), text_of(json, "ConditionExpression"));
    int agree = 1, plain = 0, found = 0, defined;
    apr_size_t i;

    for (i = 0; i < sizeof(of_names) / sizeof(of_names[0]); i++) {
        const char *name = text_of(names, of_names[i].placeholder);
        agree &= strcmp(name, uses(text, of_names[i].placeholder) ? of_names[i].name : "") == 0;
        plain += uses(text, SAY(" %s", of_names[i].name)) + uses(text, SAY("(%s", of_names[i].name));
        found += *name != '\0';
    }
    for (i = 0; i < sizeof(of_values) / sizeof(of_values[0]); i++) {
        agree &= !uses(text, of_values[i]) == !ddb_json_has(values, of_values[i]);
        found += ddb_json_has(values, of_values[i]);
    }
    OK(agree, SAY("%s: placeholders used and placeholders defined are the same", what));
    OK(!plain, SAY("%s: no attribute is used without one", what));
    defined = names ? count_of(ddb_json_print(names, p), "\"#") : 0;
    defined += values ? count_of(ddb_json_print(values, p), "\":{\"") : 0;
    NUM_IS(defined, found, SAY("%s: each is defined once, and no other", what));
}

static void test_get_and_delete(apr_pool_t *p)
{
    IS(ddb_item_get_body("app_session", "row-key", 1, p),
       BEGIN "\"Key\":{\"id\":{\"S\":\"row-key\"}},\"ConsistentRead\":true}",
       "a consistent read asks for all attributes of one key");
    IS(ddb_item_get_body("app_session", "row-key", 0, p),
       BEGIN "\"Key\":{\"id\":{\"S\":\"row-key\"}},\"ConsistentRead\":false}", "an eventually consistent read says so");
    IS(ddb_item_delete_body("app_session", "row-key", p), BEGIN "\"Key\":{\"id\":{\"S\":\"row-key\"}}}",
       "a delete of whatever the row is has no condition");
}

static void test_create(apr_pool_t *p)
{
    ddb_item_t it = whole();

    IS(ddb_item_create_body("app_session", &it, p),
       BEGIN "\"Item\":{\"id\":{\"S\":\"row-key\"},"
             "\"created\":{\"S\":\"2026-11-23T01:02:03.000004+00:00\"},\"data\":{\"B\":\"YT0x\"},"
             "\"accessed\":{\"S\":\"2026-11-23T01:03:03.000004+00:00\"},\"expires\":{\"N\":\"1795402983\"},"
             "\"idle_timeout\":{\"N\":\"7200\"},\"absolute_timeout\":{\"N\":\"43200\"},\"version\":{\"N\":\"8\"},"
             "\"write_id\":{\"B\":\"AAECAwQFBgcICQoLDA0ODw==\"},\"user_mark\":{\"S\":\"mark\"}},"
             "\"ConditionExpression\":\"attribute_not_exists(#k)\",\"ExpressionAttributeNames\":{\"#k\":\"id\"},"
             "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}",
       "a create writes every attribute with the seed's types, only where no such row is");
    placeholders_agree(ddb_item_create_body("t", &it, p), "create", p);
    OK(!ddb_json_has(parsed(ddb_item_create_body("t", &it, p), p), "ExpressionAttributeValues"),
       "a create has no empty set of values: DynamoDB refuses one");
    it.loggable = "0123456789abcdef0123456789abcdef";
    OK(strstr(ddb_item_create_body("t", &it, p), ",\"loggable\":{\"S\":\"0123456789abcdef0123456789abcdef\"},"),
       "a create writes the digits that logs show");
    OK(!strstr(ddb_item_save_body("t", &it, &it, 1, p), "loggable"), "they are never changed");
    it.user_mark = NULL;
    OK(!strstr(ddb_item_create_body("t", &it, p), "user_mark"), "a session of nobody has no mark of a user");
    it.data = NULL;
    it.data_len = 0;
    OK(strstr(ddb_item_create_body("t", &it, p), "\"data\":{\"B\":\"\"}"), "no data is an empty binary");
}

static void test_save(apr_pool_t *p)
{
    ddb_item_t it = whole(), loaded = row_of_version(7);
    const char *body = ddb_item_save_body("app_session", &it, &loaded, APR_INT64_C(1795395723), p);
    ddb_json_t *json = parsed(body, p);
    const ddb_json_t *values = ddb_json_child(json, "ExpressionAttributeValues");

    IS(ddb_json_str(json, "UpdateExpression"), "SET #d=:d,#a=:a,#e=:e,#i=:i,#t=:t,#v=:v,#w=:w,#u=:u REMOVE #z",
       "a save writes what changes; created and the key stay");
    IS(ddb_json_str(json, "ConditionExpression"), "#v=:v0 AND #e>:n",
       "a save asks for the version it read, of a session that is not over");
    IS(ddb_json_str(json, "ReturnValuesOnConditionCheckFailure"), "ALL_OLD", "a save asks for the row it met");
    IS(ddb_json_str(ddb_json_child(values, ":v0"), "N"), "7", "the version read is a number");
    IS(ddb_json_str(ddb_json_child(values, ":v"), "N"), "8", "the version written is the next");
    IS(ddb_json_str(ddb_json_child(values, ":n"), "N"), "1795395723", "now is in whole epoch seconds");
    IS(ddb_json_str(ddb_json_child(values, ":e"), "N"), "1795402983", "expires is in whole epoch seconds");
    IS(ddb_json_str(ddb_json_child(values, ":d"), "B"), "YT0x", "data is binary");
    IS(ddb_json_str(ddb_json_child(values, ":w"), "B"), "AAECAwQFBgcICQoLDA0ODw==", "the write id is binary");
    IS(ddb_json_str(ddb_json_child(ddb_json_child(json, "Key"), "id"), "S"), "row-key", "a save names its row");
    placeholders_agree(body, "save", p);

    it.user_mark = NULL;
    body = ddb_item_save_body("app_session", &it, &loaded, 1, p);
    OK(strstr(body, "#w=:w REMOVE #u,#z\""), "a save for nobody takes the mark of a user away");
    placeholders_agree(body, "save for nobody", p);
}

/* What IDs have that replaced others, or were replaced. */
static void test_renewal(apr_pool_t *p)
{
    ddb_item_t it = whole(), loaded = row_of_version(7);
    const char *body;
    ddb_json_t *json;

    it.issued = 1795395723;
    it.timeouts_set = 1;
    body = ddb_item_create_body("t", &it, p);
    OK(strstr(body, ",\"issued\":{\"N\":\"1795395723\"},"), "a create writes when the ID replaced another");
    OK(strstr(body, ",\"timeouts_by\":{\"S\":\"application\"}}"), "and who set the timeouts");
    it.seen = 1795395724;
    it.csrf_key = loaded.csrf_key = "AAEC";
    it.bound = loaded.bound = "user-agent=x";
    OK(strstr(ddb_item_create_body("t", &it, p), ",\"bound\":{\"S\":\"user-agent=x\"},"), "and what it is bound to");
    OK(strstr(ddb_item_create_body("t", &it, p), ",\"csrf_key\":{\"B\":\"AAEC\"},"), "and the secret of tokens");
    body = ddb_item_save_body("t", &it, &loaded, 1, p);
    OK(!strstr(body, "issued") && !strstr(body, "seen") && !strstr(body, "successor"), "a save leaves the times alone");
    OK(!strstr(body, "csrf_key") && !strstr(body, "bound"), "and the secret, and what it is bound to");
    it.bound = "user-agent=y";
    OK(strstr(ddb_item_save_body("t", &it, &loaded, 1, p), "\":o\":{\"S\":\"user-agent=y\"}"),
       "unless that has changed");
    placeholders_agree(ddb_item_save_body("t", &it, &loaded, 1, p), "save for another client", p);
    OK(strstr(body, "#u=:u,#b=:b REMOVE"), "and says who set the timeouts");
    placeholders_agree(body, "save with timeouts of an application", p);
    it.successor = "AAEC";
    it.user_mark = NULL;
    loaded.user_marks = "marks";
    body = ddb_item_save_body("t", &it, &loaded, 1, p);
    OK(strstr(body, ",#o=:o,#x=:x,#b=:b REMOVE #u,#m,#z"), "one of a way writes it");
    it.csrf_key = it.bound = NULL;
    OK(strstr(ddb_item_save_body("t", &it, &loaded, 1, p), " REMOVE #u,#m,#o,#f,#z"), "one without these removes them");
    OK(strstr(body, "\":x\":{\"B\":\"AAEC\"}"), "as binary");
    placeholders_agree(body, "save of a way", p);
    OK(!strstr(ddb_item_touch_body("t", &it, 1, p), "issued"), "a touch has nothing to do with it");

    it = whole();
    loaded = row_of_version(7);
    it.device_secret = loaded.device_secret = "AAEC";
    it.device_until = loaded.device_until = 1795395723;
    it.device_key = "AQID";
    body = ddb_item_save_body("t", &it, &loaded, 1, p);
    OK(!strstr(body, "device") && strstr(body, "\"#v=:v0 AND #e>:n\""),
       "a save leaves the device alone, whatever it is");
    placeholders_agree(body, "save of a session with a device", p);
    it.device_secret = it.device_key = NULL;
    body = ddb_item_save_body("t", &it, &loaded, 1, p);
    OK(strstr(body, ",#g,#h,#j\"") && strstr(body, "\"#v=:v0 AND #e>:n AND attribute_not_exists(#j)\""),
       "one that takes the secret away has to find no device");
    placeholders_agree(body, "save that takes the secret away", p);
    loaded.device_key = "AQID";
    body = ddb_item_save_body("t", &it, &loaded, 1, p);
    OK(strstr(body, "\"#v=:v0 AND #e>:n AND #j=:j0\"") && strstr(body, "\":j0\":{\"B\":\"AQID\"}"),
       "... or the one that was there");
    placeholders_agree(body, "save that takes the device away", p);
    it.device_secret = "AAED";
    it.device_key = "AQID";
    loaded.device_key = NULL;
    body = ddb_item_save_body("t", &it, &loaded, 1, p);
    OK(strstr(body, "#g=:g,#h=:h,#j=:j") && strstr(body, "attribute_not_exists(#j)"),
       "one with another secret writes it");
    placeholders_agree(body, "save with another secret", p);
    body = ddb_item_device_body("t", &it, 1795395700, p);
    json = parsed(body, p);
    IS(ddb_json_str(json, "UpdateExpression"), "SET #h=:h,#j=:j", "a device is written, and until when; nothing else");
    IS(ddb_json_str(json, "ConditionExpression"), "attribute_not_exists(#j) AND #h>:n AND #e>:n",
       "... if there is none, and it may come");
    placeholders_agree(body, "device", p);

    body = ddb_item_seen_body("app_session", "row-key", APR_INT64_C(1795395723), p);
    json = parsed(body, p);
    IS(ddb_json_str(json, "UpdateExpression"), "SET #s=:s", "a first use writes when, and nothing else");
    IS(ddb_json_str(json, "ConditionExpression"), "attribute_exists(#r) AND attribute_not_exists(#s)",
       "once, in a row that is there");
    IS(ddb_json_str(json, "ReturnValuesOnConditionCheckFailure"), "ALL_OLD", "it asks for the row it met");
    placeholders_agree(body, "seen", p);
    body = ddb_item_end_body("app_session", "row-key", p);
    IS(ddb_json_str(parsed(body, p), "ConditionExpression"), "attribute_not_exists(#a) OR #a<>:a",
       "an end leaves a row that stands for a move");
    IS(ddb_json_str(parsed(body, p), "ReturnValuesOnConditionCheckFailure"), "ALL_OLD", "and asks for it");
    placeholders_agree(body, "end", p);
}

static void test_json(apr_pool_t *p)
{
    ddb_item_t it = whole(), loaded = row_of_version(7);
    const char *body;
    ddb_json_t *json;
    const ddb_json_t *values;

    it.format = loaded.format = DDB_JSON;
    it.data = "{\"a\":\"\xe2\x82\xac\"}";
    loaded.data = "{\"a\": 1}";
    loaded.idle_timeout = 600;
    OK(strstr(ddb_item_create_body("t", &it, p), "\"data\":{\"S\":\"{\\\"a\\\":\\\"\xe2\x82\xac\\\"}\"}"),
       "a create of JSON writes its data as text");
    body = ddb_item_save_body("app_session", &it, &loaded, 1, p);
    json = parsed(body, p);
    values = ddb_json_child(json, "ExpressionAttributeValues");
    IS(ddb_json_str(json, "ConditionExpression"), "#v=:v0 AND #d=:d0 AND #i=:i0 AND #t=:t0 AND #e>:n",
       "a save of JSON asks for the data and the timeouts that it read, too");
    IS(ddb_json_str(ddb_json_child(values, ":d"), "S"), it.data, "it writes the new data");
    IS(ddb_json_str(ddb_json_child(values, ":d0"), "S"), loaded.data, "on condition of the old");
    IS(ddb_json_str(ddb_json_child(values, ":i"), "N"), "7200", "the new timeout");
    IS(ddb_json_str(ddb_json_child(values, ":i0"), "N"), "600", "on condition of the old");
    placeholders_agree(body, "save of JSON", p);

    loaded.version = 0;
    body = ddb_item_save_body("app_session", &it, &loaded, 1, p);
    OK(strstr(body, "\"attribute_not_exists(#v) AND #d=:d0 AND"), "a row that has no version must still have none");
    OK(!strstr(body, "\":v0\""), "which needs no value");
    placeholders_agree(body, "first save of the other program's row", p);
}

static void test_touch(apr_pool_t *p)
{
    ddb_item_t it = whole();
    const char *body = ddb_item_touch_body("app_session", &it, APR_INT64_C(1795395723), p);
    ddb_json_t *json = parsed(body, p);
    const ddb_json_t *values = ddb_json_child(json, "ExpressionAttributeValues");

    IS(ddb_json_str(json, "UpdateExpression"), "SET #a=:a,#e=:e",
       "a touch writes accessed and expires and nothing else");
    IS(ddb_json_str(json, "ConditionExpression"), "attribute_exists(#k) AND #e>:n AND #e<:e AND #i=:i AND #t=:t",
       "a touch moves only a row that exists, lives, has the same timeouts and gains by it");
    IS(ddb_json_str(ddb_json_child(values, ":a"), "S"), "2026-11-23T01:03:03.000004+00:00", "accessed is text");
    IS(ddb_json_str(ddb_json_child(values, ":i"), "N"), "7200", "idle timeout as read");
    IS(ddb_json_str(ddb_json_child(values, ":t"), "N"), "43200", "absolute timeout as read");
    IS(ddb_json_str(ddb_json_child(values, ":n"), "N"), "1795395723", "now of a touch");
    IS(ddb_json_str(json, "ReturnValuesOnConditionCheckFailure"), "ALL_OLD", "a touch asks for the row it met");
    OK(!strstr(body, "version") && !strstr(body, "write_id"), "a touch leaves version and write id alone");
    OK(!strstr(body, "data"), "a touch holds no data");
    placeholders_agree(body, "touch", p);
}

/* A tombstone over whatever is there: the table computes what has to differ from what others have read. */
static void test_bury(apr_pool_t *p)
{
    static const char *const members[] = {
        "TableName",        "ReturnConsumedCapacity",   "Key",
        "UpdateExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"
    };
    ddb_item_t it = whole();
    const char *body = ddb_item_bury_body("app_session", &it, p);
    ddb_json_t *json = parsed(body, p);
    const ddb_json_t *values = ddb_json_child(json, "ExpressionAttributeValues");
    apr_size_t i;

    IS(text_of(json, "UpdateExpression"),
       "SET #d=:d,#a=:a,#e=:e,#w=:w,#q=:q,#v=if_not_exists(#v,:0)+:1,#i=if_not_exists(#i,:0)+:1,"
       "#t=if_not_exists(#t,:1),#c=if_not_exists(#c,:c) REMOVE #u,#m,#o,#f,#x,#z,#y,#g,#h,#j",
       "a tombstone takes data, users, secrets and the way to another ID, and moves version and idle timeout on");
    OK(!ddb_json_has(json, "ConditionExpression") && !ddb_json_has(json, "ReturnValuesOnConditionCheckFailure"),
       "on no condition");
    IS(ddb_json_str(ddb_json_child(values, ":d"), "B"), "", "no data is an empty binary");
    IS(ddb_json_str(ddb_json_child(values, ":a"), "S"), "1970-01-01T00:00:00.000000+00:00", "over for every program");
    IS(ddb_json_str(ddb_json_child(values, ":e"), "N"), "1795402983", "it expires when the caller says");
    IS(ddb_json_str(ddb_json_child(values, ":w"), "B"), "AAECAwQFBgcICQoLDA0ODw==", "the write id is the caller's");
    IS(ddb_json_str(ddb_json_child(values, ":q"), "S"), "left", "the user left");
    IS(ddb_json_str(ddb_json_child(values, ":c"), "S"), NOW_TEXT, "where no row is, the caller says when it began");
    IS(ddb_json_str(ddb_json_child(values, ":0"), "N"), "0", "and it is in the first version");
    IS(ddb_json_str(ddb_json_child(values, ":1"), "N"), "1", "otherwise in the next");
    IS(ddb_json_str(ddb_json_child(ddb_json_child(json, "Key"), "id"), "S"), "row-key", "it has a key");
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        NUM_IS(count_of(body, SAY("\"%s\":", members[i])), 1, SAY("%s is there once", members[i]));
    }
    placeholders_agree(body, "bury", p);
    it.data = it.packed = "secret";
    it.data_len = it.packed_len = 6;
    it.encoding = DDB_ITEM_SEALED;
    it.successor = it.csrf_key = "AAEC";
    it.timeouts_set = 1;
    IS(ddb_item_bury_body("app_session", &it, p), body, "whatever else the caller knows");
}

/* --- rows --- */

#define ATTRIBUTES 10
static const char *const attributes[ATTRIBUTES][2] = {
    { "id", "{\"S\":\"row-key\"}" },
    { "data", "{\"B\":\"YT0x\"}" },
    { "created", "{\"S\":\"2026-11-23T01:02:03.000004+00:00\"}" },
    { "accessed", "{\"S\":\"2026-11-23T01:03:03+00:00\"}" },
    { "expires", "{\"N\":\"1795402983\"}" },
    { "idle_timeout", "{\"N\":\"7200\"}" },
    { "absolute_timeout", "{\"N\":\"43200\"}" },
    { "version", "{\"N\":\"8\"}" },
    { "write_id", "{\"B\":\"AAECAwQFBgcICQoLDA0ODw==\"}" },
    { "user_mark", "{\"S\":\"mark\"}" },
};

/* A reply with the whole row, but for one attribute: another value, or without it when value is NULL. */
static const char *reply_with(const char *name, const char *value, apr_pool_t *p)
{
    const char *text = "";
    int i;

    for (i = 0; i < ATTRIBUTES; i++) {
        const char *v = name && strcmp(name, attributes[i][0]) == 0 ? value : attributes[i][1];
        if (v) {
            text = apr_pstrcat(p, text, *text ? "," : "", "\"", attributes[i][0], "\":", v, NULL);
        }
    }
    return apr_pstrcat(p, "{\"Item\":{", text, "}}", NULL);
}

static apr_status_t parse(ddb_item_t *it, const char *text, ddb_error_t *err, apr_pool_t *p)
{
    memset(err, 0, sizeof(*err));
    memset(it, 0, sizeof(*it));
    return ddb_item_parse(it, text, strlen(text), p, err);
}

static void test_parse_whole(apr_pool_t *p)
{
    ddb_item_t it, want = whole();
    ddb_error_t err;

    NUM_IS(parse(&it, reply_with(NULL, NULL, p), &err, p), APR_SUCCESS, "a whole row is read");
    IS(it.id, "row-key", "its key");
    IS(it.data, "a=1", "its data, with a NUL behind");
    NUM_IS(it.data_len, 3, "the length of its data");
    NUM_IS(it.created, NOW, "when it was created, with microseconds");
    NUM_IS(it.accessed, APR_INT64_C(1795395783000000), "when it was accessed, as Python writes it without a fraction");
    NUM_IS(it.expires, APR_INT64_C(1795402983), "when it expires");
    NUM_IS(it.idle_timeout, 7200, "its idle timeout");
    NUM_IS(it.absolute_timeout, 43200, "its absolute timeout");
    NUM_IS(it.version, 8, "its version");
    OK(memcmp(it.write_id, want.write_id, DDB_WRITE_ID_BYTES) == 0, "its write id");
    IS(it.user_mark, "mark", "its mark of a user");
    IS(err.detail, "", "nothing to log");

    NUM_IS(parse(&it,
                 apr_pstrcat(p, "{\"__type\":\"x#ConditionalCheckFailedException\",\"message\":\"failed\",",
                             reply_with(NULL, NULL, p) + 1, NULL),
                 &err, p),
           APR_SUCCESS, "the row in an error body is read too");
    IS(it.id, "row-key", "and is the same");
    NUM_IS(parse(&it, reply_with("user_mark", NULL, p), &err, p), APR_SUCCESS, "a row without a user is whole");
    OK(it.user_mark == NULL, "and has no mark of a user");
    NUM_IS(parse(&it, reply_with("user_mark", "{\"S\":\"m\"},\"user\":{\"M\":{}},\"ttl\":{\"NULL\":true}", p), &err, p),
           APR_SUCCESS, "attributes that are not ours are passed over");
    NUM_IS(parse(&it, reply_with("user_mark", "{\"S\":\"m\"},\"loggable\":{\"S\":\"0a\"}", p), &err, p), APR_SUCCESS,
           "a row with the digits that logs show is whole");
    IS(it.loggable, "0a", "and has them");
    NUM_IS(parse(&it, reply_with("user_mark", "{\"S\":\"m\"},\"loggable\":{\"N\":\"1\"}", p), &err, p), APR_SUCCESS,
           "with strange ones it is whole as well");
    OK(it.loggable == NULL, "and has none");
    NUM_IS(parse(&it, reply_with("data", "{\"B\":\"\"}", p), &err, p), APR_SUCCESS, "empty data is data");
    OK(it.data_len == 0 && it.data && !*it.data, "of no bytes");
    NUM_IS(parse(&it, reply_with("expires", "{\"N\":\"0\"}", p), &err, p), APR_SUCCESS, "expires may be 0");
}

static void test_consumed(apr_pool_t *p)
{
    static const char capacity[] = "\"ConsumedCapacity\":{\"TableName\":\"t\",\"CapacityUnits\":%s}";
    const char *half = SAY(capacity, "0.5"), *three = SAY(capacity, "3.0"), *odd = SAY(capacity, "\"3\"");
    const char *row = reply_with(NULL, NULL, p), *text;
    ddb_item_t it;
    ddb_error_t err;

    parse(&it, row, &err, p);
    NUM_IS(it.consumed, 0, "a reply that reports no capacity consumed none that is known");
    NUM_IS(parse(&it, SAY("{%s,%s", half, row + 1), &err, p), APR_SUCCESS, "a row with half a unit is read");
    NUM_IS(it.consumed, 1, "and the half unit is known");
    NUM_IS(parse(&it, SAY("{%s}", three), &err, p), APR_NOTFOUND, "a reply without a row");
    NUM_IS(it.consumed, 6, "has consumed, too");
    NUM_IS(parse(&it, SAY("{%s,\"Item\":{}}", three), &err, p), DDB_EBADITEM, "a row that is none");
    NUM_IS(it.consumed, 6, "has consumed, too");
    it.consumed = 9;
    NUM_IS(ddb_item_parse(&it, "x", 1, p, &err), DDB_EBADREPLY, "what is no JSON");
    NUM_IS(it.consumed, 0, "has not");
    NUM_IS(parse(&it, SAY("{%s,%s", odd, row + 1), &err, p), APR_SUCCESS, "capacity that is no number hurts nobody");
    NUM_IS(it.consumed, 0, "and is not counted");

    text = SAY("{%s}", three);
    NUM_IS(ddb_reply_consumed(text, strlen(text), p), 6, "of the reply to a write the units are read");
    NUM_IS(ddb_reply_consumed("{}", 2, p), 0, "or none");
    NUM_IS(ddb_reply_consumed("", 0, p), 0, "nor of no reply");
    NUM_IS(ddb_reply_consumed("{\"ConsumedCapacity\":1}", 22, p), 0, "nor of another than expected");
}

/* What a reply may look like in JSON, beyond what the service sends. */
static void test_parse_forms(apr_pool_t *p)
{
    static const char capacity[] = "{\"ConsumedCapacity\":{\"CapacityUnits\":%s}}";
    static const struct {
        const char *units;
        apr_int64_t halves;
    } rows[] = { { "0.5", 1 },  { "12.500", 25 },
                 { "1e1", 20 }, { "-0.5", 0 },
                 { "0.25", 0 }, { "1.2", 0 },
                 { "1E-1", 0 }, { "\"1\"", 0 },
                 { "[1]", 0 },  { "1234567890123456", APR_INT64_C(2469135780246912) },
                 { "5e-1", 1 }, { "null", 0 },
                 { "0.50", 1 }, { "9007199254740993", 0 },
                 { "1.", 2 },   { "01", 2 },
                 { "1.0.", 0 }, { "0.50000000000000000000000000000000000000", 1 } };
    const char *row = reply_with(NULL, NULL, p);
    ddb_item_t it;
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = SAY(capacity, rows[i].units);
        NUM_IS(ddb_reply_consumed(text, strlen(text), p), rows[i].halves,
               SAY("%s units are so many halves", rows[i].units));
        parse(&it, text, &err, p);
        NUM_IS(it.consumed, rows[i].halves, "of a read, too");
    }
    NUM_IS(parse(&it, SAY("\xef\xbb\xbf%s", row), &err, p), APR_SUCCESS, "a row behind a byte order mark is read");
    NUM_IS(parse(&it, SAY("{\"a\":%061d,%s", 1, row + 1), &err, p), APR_SUCCESS, "and behind a long number");
    IS(it.id, "row-key", "which both have a key");
    NUM_IS(parse(&it, SAY("%.*s,\"Item\":1}", (int)strlen(row) - 1, row), &err, p), APR_SUCCESS,
           "of two items the first counts");
    NUM_IS(parse(&it, SAY("{\"Item\":1,%s", row + 1), &err, p), DDB_EBADREPLY, "also where it is none");
    NUM_IS(parse(&it, reply_with("id", "{\"S\":\"a\",\"S\":\"b\"},\"id\":{\"S\":\"c\"}", p), &err, p), APR_SUCCESS,
           "an attribute may be there twice");
    IS(it.id, "a", "and the first counts");
    NUM_IS(parse(&it, reply_with("id", "{\"S\":1,\"S\":\"b\"}", p), &err, p), DDB_EBADITEM, "also where it is none");
    NUM_IS(parse(&it, reply_with("id", "{\"N\":\"1\",\"S\":\"b\"}", p), &err, p), APR_SUCCESS, "of two types");
    IS(it.id, "b", "the right one counts");
    NUM_IS(parse(&it, "{\"\\u0049tem\":{\"\\u0069d\":{}}}", &err, p), DDB_EBADITEM, "names may be escaped");
    OK(strstr(err.detail, "attribute id of the stored session is not of type S"), "and are understood");
    NUM_IS(parse(&it, reply_with("user_mark", "{\"S\":\"\\u20ac\\\"\"}", p), &err, p), APR_SUCCESS, "so may texts");
    IS(it.user_mark, "\xe2\x82\xac\"", "and are decoded");
    NUM_IS(parse(&it, reply_with("data", "{\"B\":\"\\u0059T\\u0030x\"}", p), &err, p), APR_SUCCESS, "and bytes");
    IS(it.data, "a=1", "as well");
    NUM_IS(parse(&it, reply_with("data", "{\"B\":\"-_A=\"}", p), &err, p), APR_SUCCESS,
           "the other base64 is read, too");
    OK(it.data_len == 2 && memcmp(it.data, "\xfb\xf0", 3) == 0, "with a NUL behind");
}

static void test_parse_none(apr_pool_t *p)
{
    static const char *const no_json[] = { "", "x", "<html>busy</html>", "[]", "{\"Item\":{}", "{}{}", "null" };
    static const char *const no_item[] = { "{\"Item\":null}", "{\"Item\":\"x\"}", "{\"Item\":[]}", "{\"Item\":1}" };
    ddb_item_t it;
    ddb_error_t err;
    apr_size_t i;

    NUM_IS(parse(&it, "{}", &err, p), APR_NOTFOUND, "a reply without an item is no row");
    IS(err.detail, "", "which is an answer and nothing to log");
    NUM_IS(parse(&it, "{\"__type\":\"x#ConditionalCheckFailedException\",\"message\":\"no\"}", &err, p), APR_NOTFOUND,
           "an error body without an item is no row");
    NUM_IS(parse(&it, "{\"item\":{}}", &err, p), APR_NOTFOUND, "names are told apart by case");
    NUM_IS(parse(&it, "{\"Item\":{}}", &err, p), DDB_EBADITEM, "an item without attributes is half");
    for (i = 0; i < sizeof(no_json) / sizeof(no_json[0]); i++) {
        NUM_IS(parse(&it, no_json[i], &err, p), DDB_EBADREPLY, SAY("no JSON object: %s", no_json[i]));
        OK(*err.detail, "which is said");
    }
    for (i = 0; i < sizeof(no_item) / sizeof(no_item[0]); i++) {
        NUM_IS(parse(&it, no_item[i], &err, p), DDB_EBADREPLY, SAY("an Item that is no object: %s", no_item[i]));
    }
}

static void test_parse_half(apr_pool_t *p)
{
    static const char *const others[] = { "{\"S\":1}",
                                          "{\"N\":1}",
                                          "{\"B\":1}",
                                          "{\"NULL\":true}",
                                          "{\"BOOL\":true}",
                                          "{\"M\":{}}",
                                          "{\"L\":[]}",
                                          "{\"SS\":[\"x\"]}",
                                          "{}",
                                          "\"text\"",
                                          "5",
                                          "null",
                                          "[]" };
    ddb_item_t it;
    ddb_error_t err;
    apr_size_t j;
    int i;

    for (i = 0; i < ATTRIBUTES; i++) {
        const char *name = attributes[i][0];
        const char *other = strstr(attributes[i][1], "\"S\"") ? "{\"B\":\"YT0x\"}" : "{\"S\":\"1\"}";
        if (strcmp(name, "user_mark") != 0) {
            NUM_IS(parse(&it, reply_with(name, NULL, p), &err, p), DDB_EBADITEM, SAY("a row without %s is half", name));
            OK(strstr(err.detail, SAY("attribute %s of", name)) && strstr(err.detail, "is missing"), "which is said");
            OK(it.id == NULL && it.version == 0, "and nothing of it is handed out");
        }
        for (j = 0; j < sizeof(others) / sizeof(others[0]); j++) {
            NUM_IS(parse(&it, reply_with(name, others[j], p), &err, p), DDB_EBADITEM,
                   SAY("%s can't be %s", name, others[j]));
            OK(strstr(err.detail, SAY("attribute %s of", name)) && strstr(err.detail, "not of type"), "which is said");
        }
        NUM_IS(parse(&it, reply_with(name, other, p), &err, p), DDB_EBADITEM, SAY("%s can't be %s", name, other));
        NUM_IS(parse(&it, reply_with(name, "{\"s\":\"1\",\"n\":\"1\",\"b\":\"YT0x\"}", p), &err, p), DDB_EBADITEM,
               SAY("types of %s are told apart by case", name));
    }
}

static void test_parse_values(apr_pool_t *p)
{
    static const char *const numbers[] = { "expires", "idle_timeout", "absolute_timeout", "version" };
    static const char *const bad[] = { "",
                                       " 1",
                                       "1 ",
                                       "+1",
                                       "-1",
                                       "1.5",
                                       "1.0",
                                       "1e3",
                                       "1E3",
                                       "0x10",
                                       "007",
                                       "00",
                                       "NaN",
                                       "12345678901234567890",
                                       "1000000000000000",
                                       "9223372036854775807",
                                       "one",
                                       "1,000" };
    static const char *const no_base64[] = { "A",    "YT0x!", "YT0 x", "YT0x\\n", "=",    "====",    "YT==0x",
                                             "Y=0x", "*",     "YQ",    "YT0xYg",  "A===", "YT0xA===" };
    ddb_item_t it;
    ddb_error_t err;
    apr_size_t i, j;

    for (i = 0; i < 4; i++) {
        for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
            NUM_IS(parse(&it, reply_with(numbers[i], SAY("{\"N\":\"%s\"}", bad[j]), p), &err, p), DDB_EBADITEM,
                   SAY("%s can't be the number '%s'", numbers[i], bad[j]));
        }
        NUM_IS(parse(&it, reply_with(numbers[i], "{\"N\":\"999999999999999\"}", p), &err, p), APR_SUCCESS,
               SAY("%s may have 15 digits", numbers[i]));
        NUM_IS(parse(&it, reply_with(numbers[i], "{\"N\":\"0\"}", p), &err, p), i ? DDB_EBADITEM : APR_SUCCESS,
               SAY("0 as %s", numbers[i]));
        NUM_IS(parse(&it, reply_with(numbers[i], "{\"N\":\"1\"}", p), &err, p), APR_SUCCESS,
               SAY("1 as %s", numbers[i]));
    }
    for (j = 0; j < sizeof(no_base64) / sizeof(no_base64[0]); j++) {
        NUM_IS(parse(&it, reply_with("data", SAY("{\"B\":\"%s\"}", no_base64[j]), p), &err, p), DDB_EBADITEM,
               SAY("data can't be base64 '%s'", no_base64[j]));
        OK(strstr(err.detail, "attribute data") && !strstr(err.detail, "YT0"), "which is said without the value");
    }
    NUM_IS(parse(&it, reply_with("write_id", "{\"B\":\"\"}", p), &err, p), DDB_EBADITEM, "an empty write id is none");
    NUM_IS(parse(&it, reply_with("write_id", "{\"B\":\"AAECAwQFBgcICQoLDA0O\"}", p), &err, p), DDB_EBADITEM,
           "a write id of 15 bytes is none");
    NUM_IS(parse(&it, reply_with("write_id", "{\"B\":\"AAECAwQFBgcICQoLDA0ODxA=\"}", p), &err, p), DDB_EBADITEM,
           "a write id of 17 bytes is none");
    NUM_IS(parse(&it, reply_with("created", "{\"S\":\"2026-11-23T01:02:03+01:00\"}", p), &err, p), DDB_EBADITEM,
           "created that is not UTC is refused");
    OK(strstr(err.detail, "attribute created"), "which is said");
    NUM_IS(parse(&it, reply_with("accessed", "{\"S\":\"2026-11-23T01:02:03\"}", p), &err, p), DDB_EBADITEM,
           "accessed without an offset is refused");
    OK(strstr(err.detail, "attribute accessed"), "which is said");
}

/* The attributes that a row may have for the life of its ID. */
static void test_parse_renewal(apr_pool_t *p)
{
    static const char *const times[] = { "issued", "seen" };
    static const char *const no_times[] = { "{\"N\":\"0\"}",
                                            "{\"N\":\"-1\"}",
                                            "{\"N\":\"1.5\"}",
                                            "{\"N\":\"1e3\"}",
                                            "{\"N\":\"\"}",
                                            "{\"N\":\"1000000000000000\"}",
                                            "{\"N\":1}",
                                            "{\"S\":\"1\"}",
                                            "{\"B\":\"AAEC\"}",
                                            "{}",
                                            "null",
                                            "{\"NULL\":true}" };
    static const char *const no_ways[] = { "{\"S\":\"AAEC\"}", "{\"N\":\"1\"}", "{\"B\":1}", "{}", "null" };
    static const char *const nobodies[] = { "{\"S\":\"\"}",  "{\"S\":\"Application\"}", "{\"S\":\"applications\"}",
                                            "{\"S\":\"a\"}", "{\"B\":\"AAEC\"}",        "{\"BOOL\":true}",
                                            "null" };
    ddb_item_t it;
    ddb_error_t err;
    apr_size_t i, j;

#define WITH(more, ...) reply_with("user_mark", SAY("{\"S\":\"m\"}," more, __VA_ARGS__), p)
    NUM_IS(parse(&it, reply_with(NULL, NULL, p), &err, p), APR_SUCCESS, "a row as most are is read");
    OK(!it.issued && !it.seen && !it.successor && !it.timeouts_set && !it.csrf_key && !it.bound && !it.device_secret,
       "and has none of these");
    NUM_IS(parse(&it,
                 WITH("\"issued\":{\"N\":\"%d\"},\"seen\":{\"N\":\"1\"},\"successor\":{\"B\":\"AA?=\"},"
                      "\"timeouts_by\":{\"S\":\"application\"},\"csrf_key\":{\"B\":\"AAEC\"},\"bound\":{\"S\":\"b\"}",
                      1795395723),
                 &err, p),
           APR_SUCCESS, "a row that has all is read");
    OK(it.issued == 1795395723 && it.seen == 1 && it.timeouts_set, "with them");
    IS(it.csrf_key, "AAEC", "the secret of tokens");
    IS(it.bound, "b", "what it is bound to");
    IS(it.successor, "AA?=", "the way as a text, which another room understands or not");
    for (i = 0; i < 2; i++) {
        for (j = 0; j < sizeof(no_times) / sizeof(no_times[0]); j++) {
            NUM_IS(parse(&it, WITH("\"%s\":%s", times[i], no_times[j]), &err, p), DDB_EBADITEM,
                   SAY("%s can't be %s", times[i], no_times[j]));
            OK(strstr(err.detail, SAY("attribute %s of", times[i])), "which is said");
            OK(it.id == NULL, "and nothing of it is handed out");
        }
        NUM_IS(parse(&it, WITH("\"%s\":{\"N\":\"999999999999999\"}", times[i]), &err, p), APR_SUCCESS,
               SAY("%s may have 15 digits", times[i]));
    }
    for (j = 0; j < sizeof(no_ways) / sizeof(no_ways[0]); j++) {
        NUM_IS(parse(&it, WITH("\"successor\":%s", no_ways[j]), &err, p), APR_SUCCESS,
               SAY("a row with the way %s is whole", no_ways[j]));
        OK(!it.successor, "and has none");
    }
    for (j = 0; j < sizeof(nobodies) / sizeof(nobodies[0]); j++) {
        NUM_IS(parse(&it, WITH("\"timeouts_by\":%s", nobodies[j]), &err, p), APR_SUCCESS,
               SAY("a row with timeouts by %s is whole", nobodies[j]));
        OK(!it.timeouts_set, "and no application set them");
        NUM_IS(parse(&it, WITH("\"ended_by\":%s", nobodies[j]), &err, p), APR_SUCCESS,
               SAY("a row that is ended by %s is whole", nobodies[j]));
        OK(!it.left, "and no user left");
    }
    NUM_IS(parse(&it, WITH("\"ended_by\":{\"S\":\"left\"}%s", ""), &err, p), APR_SUCCESS, "one whose user left");
    OK(it.left, "says so");
#undef WITH
}

static const ddb_seal_t *seal_of(const char *first, const char *second, apr_pool_t *p)
{
    apr_array_header_t *keys = apr_array_make(p, 2, sizeof(const char *));
    ddb_seal_t *seal = NULL;

    APR_ARRAY_PUSH(keys, const char *) = first;
    if (second) {
        APR_ARRAY_PUSH(keys, const char *) = second;
    }
    OK(ddb_seal_create(&seal, keys, p) == APR_SUCCESS, "keys for seals");
    return seal;
}

/* A tombstone that nobody sealed has no data: where clear rows are refused, nothing else passes unopened. */
static void test_parse_buried(apr_pool_t *p)
{
    static const char row[] =
        "{\"Item\":{\"id\":{\"S\":\"row-key\"},\"data\":{\"B\":\"%s\"},\"created\":{\"S\":\"" NOW_TEXT
        "\"},\"accessed\":{\"S\":\"%s\"},\"expires\":{\"N\":\"1795395783\"},\"idle_timeout\":"
        "{\"N\":\"1\"},\"absolute_timeout\":{\"N\":\"1\"},\"version\":{\"N\":\"1\"},\"write_id\":"
        "{\"B\":\"AAECAwQFBgcICQoLDA0ODw==\"}%s}}";
    static const char over[] = "1970-01-01T00:00:00.000000+00:00", left[] = ",\"ended_by\":{\"S\":\"left\"}";
    static const char key[] = "0123456789abcdef0123456789abcdef";
    static const struct {
        const char *data, *accessed, *more, *what;
    } others[] = {
        { "YT0x", over, left, "with data" },
        { "", NOW_TEXT, left, "with a time of activity" },
        { "", "1970-01-01T00:00:00.000001+00:00", left, "with another one" },
        { "YT0x", NOW_TEXT, left, "with both" },
        { "", over, "", "that says not why it ended" },
        { "", over, ",\"ended_by\":{\"S\":\"lef\"}", "that gives another reason" },
        { "", over, ",\"ended_by\":{\"B\":\"left\"}", "that gives it in another type" },
        { "", over, ",\"ended_by\":{\"S\":\"left\"},\"encoding\":{\"S\":\"sealed\"}", "that says it is sealed" },
        { "", over, ",\"ended_by\":{\"S\":\"left\"},\"encoding\":{\"S\":\"deflate\"}", "that says it is packed" },
        { "", over, ",\"ended_by\":{\"S\":\"left\"},\"encoding\":{\"S\":\"\"}", "with an empty encoding" },
        { "", over, ",\"ended_by\":{\"S\":\"left\"},\"encoding\":{\"N\":\"1\"}", "with an encoding that is none" },
    };
    const ddb_seal_t *const seals[] = { NULL, seal_of(key, NULL, p), seal_of("clear", key, p),
                                        seal_of(key, "clear", p) };
    const char *text = SAY(row, "", over, left);
    ddb_error_t err = { 0 };
    ddb_item_t it;
    apr_size_t i;

    for (i = 0; i < 4; i++) {
        memset(&it, 0, sizeof(it));
        it.seal = seals[i];
        NUM_IS(ddb_item_parse(&it, text, strlen(text), p, &err), APR_SUCCESS, "a tombstone is read whatever the keys");
        OK(it.left && !it.accessed && it.data && !*it.data && it.data_len == 0, "as what it is");
        OK(it.version == 1 && it.idle_timeout == 1 && it.absolute_timeout == 1, "also where no row was before");
        OK(!*err.detail, "which is no failure");
    }
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        text = SAY(row, others[i].data, others[i].accessed, others[i].more);
        memset(&it, 0, sizeof(it));
        memset(&err, 0, sizeof(err));
        it.seal = seals[1];
        NUM_IS(ddb_item_parse(&it, text, strlen(text), p, &err), DDB_EBADITEM,
               SAY("a clear row %s is none where rows have to be sealed", others[i].what));
        OK(*err.detail && !it.id, "which is said, and nothing of it is handed out");
    }
}

/* The item of a create body, read back as the service would return it. */
static void round_trip(const ddb_item_t *in, const char *what, apr_pool_t *p)
{
    ddb_json_t *json = parsed(ddb_item_create_body("t", in, p), p);
    const char *item = ddb_json_print(ddb_json_child(json, "Item"), p);
    ddb_item_t out;
    ddb_error_t err;

    NUM_IS(parse(&out, apr_pstrcat(p, "{\"Item\":", item, "}", NULL), &err, p), APR_SUCCESS,
           SAY("%s is read back", what));
    OK(out.data_len == in->data_len && memcmp(out.data, in->data ? in->data : "", in->data_len) == 0,
       SAY("%s: the same data", what));
    OK(out.data && out.data[out.data_len] == '\0', SAY("%s: a NUL behind", what));
    IS(out.csrf_key, in->csrf_key, SAY("%s: the same secret of tokens", what));
    IS(out.bound, in->bound, SAY("%s: bound to the same", what));
    IS(out.device_secret, in->device_secret, SAY("%s: the same secret of its device", what));
    IS(out.device_key, in->device_key, SAY("%s: the same device", what));
    NUM_IS(out.device_until, in->device_until, SAY("%s: ... until the same time", what));
    OK(out.issued == in->issued && out.timeouts_set == in->timeouts_set, SAY("%s: the same life of its ID", what));
    OK(out.created == in->created && out.accessed == in->accessed && out.expires == in->expires
           && out.version == in->version && memcmp(out.write_id, in->write_id, DDB_WRITE_ID_BYTES) == 0,
       SAY("%s: the same times and marks", what));
}

static void test_round_trip(apr_pool_t *p)
{
    ddb_item_t it = whole();
    char *all = apr_palloc(p, 400000);
    int i;

    round_trip(&it, "a plain row", p);
    for (i = 0; i < 400000; i++) {
        all[i] = (char)(i * 7 + i / 256);
    }
    it.data = all;
    for (i = 254; i <= 258; i++) {
        it.data_len = (apr_size_t)i;
        round_trip(&it, SAY("%d bytes of every value", i), p);
    }
    it.data_len = 400000;
    round_trip(&it, "data near the service's limit", p);
    it.data_len = 0;
    round_trip(&it, "no data", p);
    it.version = APR_INT64_C(999999999999999);
    it.expires = 0;
    it.created = 0;
    it.issued = APR_INT64_C(999999999999999);
    it.timeouts_set = 1;
    it.csrf_key = "AAEC";
    it.bound = "user-agent=x";
    it.device_secret = "AAEC";
    it.device_key = "AQID";
    it.device_until = APR_INT64_C(999999999999999);
    round_trip(&it, "outer numbers", p);
}

/* --- times --- */

static void test_times(apr_pool_t *p)
{
    /* What datetime.fromtimestamp(…, timezone.utc).isoformat() gives for these; Python leaves a zero fraction out. */
    static const struct {
        apr_time_t t;
        const char *text;
    } good[] = {
        { NOW, NOW_TEXT },
        { 0, "1970-01-01T00:00:00+00:00" },
        { APR_INT64_C(1709251199999999), "2024-02-29T23:59:59.999999+00:00" },
        { APR_INT64_C(951782400000000), "2000-02-29T00:00:00+00:00" },
        { APR_INT64_C(4102444800000000), "2100-01-01T00:00:00+00:00" },
        { APR_INT64_C(253402300799999999), "9999-12-31T23:59:59.999999+00:00" },
        { APR_INT64_C(1795395723000000), "2026-11-23T01:02:03.000000+00:00" },
    };
    static const char *const bad[] = { NULL,
                                       "",
                                       "2026-11-23",
                                       "2026-11-23T01:02:03",
                                       "2026-11-23T01:02:03Z",
                                       "2026-11-23 01:02:03+00:00",
                                       "2026-11-23T01:02:03+01:00",
                                       "2026-11-23T01:02:03-00:00",
                                       "2026-11-23T01:02:03.000004+05:30",
                                       "2026-11-23T01:02:03+11:11",
                                       "2026-11-23T01:02:03.004+00:00",
                                       "2026-11-23T01:02:03.0000040+00:00",
                                       "2026-11-23T01:02:03.+00:00",
                                       "2026-13-23T01:02:03+00:00",
                                       "2026-00-23T01:02:03+00:00",
                                       "2026-11-00T01:02:03+00:00",
                                       "2026-11-31T01:02:03+00:00",
                                       "2026-02-29T01:02:03+00:00",
                                       "2100-02-29T01:02:03+00:00",
                                       "2024-02-30T01:02:03+00:00",
                                       "2026-11-23T24:00:00+00:00",
                                       "2026-11-23T01:60:03+00:00",
                                       "2026-11-23T01:02:60+00:00",
                                       "1969-12-31T23:59:59+00:00",
                                       "0001-01-01T00:00:00+00:00",
                                       "2026-11-23T01:02:03+00:00 ",
                                       " 2026-11-23T01:02:03+00:00",
                                       "2026-11-23t01:02:03+00:00",
                                       "+026-11-23T01:02:03+00:00",
                                       "2026-11-23T01:02:-3+00:00",
                                       "2026-11-23T01:02:03+00:00:00",
                                       "20261-11-23T01:02:03+00:00" };
    apr_time_t t;
    apr_size_t i;

    IS(ddb_time_print(NOW, p), NOW_TEXT, "a time is printed with microseconds and its offset");
    IS(ddb_time_print(apr_time_from_sec(1795395723), p), "2026-11-23T01:02:03.000000+00:00",
       "a whole second is printed with six zeros, which fromisoformat() takes");
    NUM_IS(strlen(ddb_time_print(0, p)), 32, "a time has 32 characters");
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        t = -1;
        NUM_IS(ddb_time_parse(&t, good[i].text), APR_SUCCESS, SAY("%s is read", good[i].text));
        NUM_IS(t, good[i].t, "as the same time");
        t = -1;
        NUM_IS(ddb_time_parse(&t, ddb_time_print(good[i].t, p)), APR_SUCCESS, "what we print is read");
        NUM_IS(t, good[i].t, "as the same time");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        t = 42;
        NUM_IS(ddb_time_parse(&t, bad[i]), APR_EBADDATE, SAY("'%s' is no time of ours", bad[i] ? bad[i] : "NULL"));
        NUM_IS(t, 42, "and the result is left alone");
    }
}

/* --- error replies --- */

static apr_status_t error_of(int status, const char *body, ddb_error_t *err, apr_pool_t *p)
{
    memset(err, 0, sizeof(*err));
    strcpy(err->type, "OldType");
    err->attempts = 2;
    err->unsettled = 1;
    return ddb_reply_parse_error(status, body, strlen(body), p, err);
}

static void test_error_names(apr_pool_t *p)
{
    static const struct {
        const char *name;
        int status;
        apr_status_t word;
    } rows[] = {
        { "ConditionalCheckFailedException", 400, DDB_ECONFLICT },
        { "ProvisionedThroughputExceededException", 400, DDB_ETHROTTLED },
        { "ThrottlingException", 400, DDB_ETHROTTLED },
        { "Throttling", 400, DDB_ETHROTTLED },
        { "RequestLimitExceeded", 400, DDB_ETHROTTLED },
        { "InternalServerError", 500, DDB_EUNAVAILABLE },
        { "TransactionInProgressException", 400, DDB_EUNAVAILABLE },
        { "TransactionConflictException", 400, DDB_EUNAVAILABLE },
        { "ReplicatedWriteConflictException", 409, DDB_EUNAVAILABLE },
        { "AccessDeniedException", 400, DDB_EDENIED },
        { "AccessDenied", 403, DDB_EDENIED },
        { "UnrecognizedClientException", 400, DDB_EDENIED },
        { "ExpiredTokenException", 400, DDB_EDENIED },
        { "InvalidSignatureException", 400, DDB_EDENIED },
        { "MissingAuthenticationTokenException", 400, DDB_EDENIED },
        { "IncompleteSignatureException", 400, DDB_EDENIED },
        { "ItemCollectionSizeLimitExceededException", 400, DDB_ETOOLARGE },
        { "ResourceNotFoundException", 400, DDB_EREFUSED },
        { "ResourceInUseException", 400, DDB_EREFUSED },
        { "LimitExceededException", 400, DDB_EREFUSED },
        { "ValidationException", 400, DDB_EREFUSED },
        { "SerializationException", 400, DDB_EREFUSED },
        { "UnknownOperationException", 400, DDB_EREFUSED },
        { "SomethingNewException", 400, DDB_EREFUSED },
        { "SomethingNewException", 403, DDB_EDENIED },
        { "SomethingNewException", 413, DDB_ETOOLARGE },
        { "SomethingNewException", 429, DDB_ETHROTTLED },
        { "SomethingNewException", 503, DDB_EUNAVAILABLE },
        { "ThrottlingException", 500, DDB_ETHROTTLED },
        { "throttlingexception", 400, DDB_EREFUSED },
    };
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *body = SAY("{\"__type\":\"com.amazonaws.dynamodb.v20120810#%s\",\"message\":\"why\"}",
                               rows[i].name);
        NUM_IS(error_of(rows[i].status, body, &err, p), rows[i].word, SAY("%s with %d", rows[i].name, rows[i].status));
        IS(err.type, rows[i].name, "its type without the prefix");
        NUM_IS(err.http_status, rows[i].status, "its HTTP status");
        OK(*err.detail, "and a sentence");
        OK(err.attempts == 2 && err.unsettled == 1, "what the reply does not tell stays");
    }
}

static void test_error_forms(apr_pool_t *p)
{
    static const struct {
        const char *type, *want;
    } types[] = {
        { "ThrottlingException", "ThrottlingException" },
        { "com.amazon.coral.service#ThrottlingException", "ThrottlingException" },
        { "com.amazon.coral.validate#a#ThrottlingException", "ThrottlingException" },
        { "ThrottlingException:http://internal.amazon.com/coral/x", "ThrottlingException" },
        { "com.x#ThrottlingException:http://internal/#y", "ThrottlingException" },
        { "", "" },
        { "#", "" },
        { ":", "" },
        { "a#", "" },
        { "x#a\\nb\\u001bc\\u00e9", "a?b?c??" },
    };
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        error_of(400, SAY("{\"__type\":\"%s\"}", types[i].type), &err, p);
        IS(err.type, types[i].want, SAY("type out of '%s'", types[i].type));
    }
    error_of(400, SAY("{\"__type\":\"%0200d\"}", 1), &err, p);
    NUM_IS(strlen(err.type), sizeof(err.type) - 1, "a type without end is cut");
    NUM_IS(error_of(400, "{\"__type\":5,\"message\":7}", &err, p), DDB_EREFUSED, "a type of another type is none");
    IS(err.type, "", "and leaves no type behind");
    NUM_IS(error_of(400, "{}", &err, p), DDB_EREFUSED, "an error without a type goes by its status");
}

static void test_error_bodies(apr_pool_t *p)
{
    static const struct {
        int status;
        apr_status_t word;
    } by_status[] = {
        { 400, DDB_EREFUSED },     { 401, DDB_EDENIED },      { 403, DDB_EDENIED },      { 404, DDB_EREFUSED },
        { 407, DDB_EREFUSED },     { 408, DDB_EUNAVAILABLE }, { 413, DDB_ETOOLARGE },    { 429, DDB_ETHROTTLED },
        { 500, DDB_EUNAVAILABLE }, { 502, DDB_EUNAVAILABLE }, { 503, DDB_EUNAVAILABLE }, { 504, DDB_EUNAVAILABLE },
        { 302, DDB_EBADREPLY },    { 204, DDB_EBADREPLY },    { 0, DDB_EBADREPLY },
    };
    static const char *const bodies[] = { "", "<html>SECRET</html>", "<UnknownOperationException/>", "SECRET\n{",
                                          "[]" };
    ddb_error_t err;
    apr_size_t i, j;

    for (i = 0; i < sizeof(by_status) / sizeof(by_status[0]); i++) {
        for (j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++) {
            NUM_IS(error_of(by_status[i].status, bodies[j], &err, p), by_status[i].word,
                   SAY("status %d with body %d", by_status[i].status, (int)j));
            OK(err.http_status == by_status[i].status && !*err.type, "the status is kept, no type is made up");
            OK(*err.detail && !strstr(err.detail, "SECRET"), "a sentence without the body");
        }
    }
}

static void test_error_messages(apr_pool_t *p)
{
    static const char *const secretive[] = { "ValidationException",
                                             "SerializationException",
                                             "InvalidSignatureException",
                                             "SignatureDoesNotMatch",
                                             "IncompleteSignatureException",
                                             "InternalServerError",
                                             "ConditionalCheckFailedException",
                                             "UnknownOperationException",
                                             "LimitExceededException",
                                             "TransactionConflictException",
                                             "ItemCollectionSizeLimitExceededException",
                                             "SomethingNewException" };
    static const char *const telling[] = { "ResourceNotFoundException",   "AccessDeniedException",
                                           "ThrottlingException",         "ProvisionedThroughputExceededException",
                                           "UnrecognizedClientException", "ExpiredTokenException" };
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(secretive) / sizeof(secretive[0]); i++) {
        error_of(400, SAY("{\"__type\":\"x#%s\",\"message\":\"the key SECRET\"}", secretive[i]), &err, p);
        OK(*err.detail && !strstr(err.detail, "SECRET"), SAY("the message of %s is left out", secretive[i]));
    }
    for (i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
        error_of(400, SAY("{\"__type\":\"x#%s\",\"message\":\"Table: app_session\"}", telling[i]), &err, p);
        IS(err.detail, "the service says: Table: app_session", SAY("the message of %s is passed on", telling[i]));
        error_of(400, SAY("{\"__type\":\"x#%s\",\"Message\":\"Table: other\"}", telling[i]), &err, p);
        IS(err.detail, "the service says: Table: other", "also under its capital name");
        error_of(400, SAY("{\"__type\":\"x#%s\"}", telling[i]), &err, p);
        OK(*err.detail, "and something is said when there is none");
    }
    error_of(400, "{\"__type\":\"x#AccessDeniedException\",\"message\":\"a\\r\\nb\\u001b[31m\\u00e9\"}", &err, p);
    IS(err.detail, "the service says: a??b?[31m??", "a message can't break a log line");
    error_of(400, SAY("{\"__type\":\"x#AccessDeniedException\",\"message\":\"%0500d\"}", 1), &err, p);
    NUM_IS(strlen(err.detail), sizeof(err.detail) - 1, "a message without end is cut");
}

/* The key that encrypts the table: its errors come under names of permissions and of invalid requests. */
static void test_error_of_kms(apr_pool_t *p)
{
    static const struct {
        const char *type, *message;
        apr_status_t word;
    } rows[] = {
        { "AccessDeniedException",
          "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: The "
          "ciphertext refers to a customer master key that does not exist",
          DDB_EDENIED },
        { "ValidationException",
          "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Invalid "
          "arn us-east-1",
          DDB_EREFUSED },
        { "KMSDisabledException", "arn:aws:kms:us-east-1:123456789012:key/1 is disabled.", DDB_EREFUSED },
        { "KMSThrottlingException", "Rate exceeded", DDB_ETHROTTLED },
    };
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *body = SAY("{\"__type\":\"x#%s\",\"message\":\"%s\"}", rows[i].type, rows[i].message);
        NUM_IS(error_of(400, body, &err, p), rows[i].word, SAY("%s of KMS", rows[i].type));
        OK(strstr(err.detail, "KMS key") && strstr(err.detail, rows[i].message), "shows what the service says");
        OK(ddb_reply_is_of_kms(&err), "and is known to be of the key");
    }
    error_of(400, "{\"__type\":\"x#ValidationException\",\"message\":\"the key SECRET and KMS \"}", &err, p);
    OK(!strstr(err.detail, "SECRET") && !ddb_reply_is_of_kms(&err), "a message that only mentions it is none of KMS");
}

static void test_error_sizes(apr_pool_t *p)
{
    static const struct {
        const char *message;
        apr_status_t word;
    } rows[] = {
        { "Item size has exceeded the maximum allowed size", DDB_ETOOLARGE },
        { "Item size to update has exceeded the maximum allowed size", DDB_ETOOLARGE },
        { "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
          DDB_EREFUSED },
        { "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;", DDB_EREFUSED },
    };
    ddb_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *body = SAY("{\"__type\":\"x#ValidationException\",\"message\":\"%s\"}", rows[i].message);
        NUM_IS(error_of(400, body, &err, p), rows[i].word, rows[i].message);
        OK(!strstr(err.detail, rows[i].message), "is said in words of ours");
        NUM_IS(strstr(err.detail, "400 KB") != NULL, rows[i].word == DDB_ETOOLARGE, "that fit");
    }
}

/* Rows that dynamodb-session-flask writes too. */
static void test_json_rows(apr_pool_t *p)
{
    static const char theirs[] =
        "{\"Item\":{\"id\":{\"S\":\"k\"},\"data\":{\"S\":\"{\\\"a\\\": 1}\"},\"created\":{\"S\":"
        "\"2026-11-23T01:02:03.000004+00:00\"},\"accessed\":{\"S\":\"2026-11-23T01:03:03+00:00\"},\"expires\":{\"N\":"
        "\"1795402983\"},\"idle_timeout\":{\"N\":\"7200\"},\"absolute_timeout\":{\"N\":\"43200\"}%s}}";
    static const struct {
        const char *more;
        apr_status_t rv;
        const char *says;
    } rows[] = {
        { ",\"version\":{\"N\":\"0\"}", DDB_EBADITEM, "a version that was never written is refused" },
        { ",\"version\":{\"S\":\"1\"}", DDB_EBADITEM, "a version of another type too" },
        { ",\"write_id\":{\"B\":\"AAEC\"}", DDB_EBADITEM, "and a write id of another length" },
        { ",\"other\":{\"S\":\"1\"}", APR_SUCCESS, "an attribute that is not ours is passed over" },
    };
    static const char left[] = "{\"Item\":{\"id\":{\"S\":\"k\"},\"accessed\":{\"S\":\"2026-11-23T01:03:03+00:00\"}}}";
    unsigned char none[DDB_WRITE_ID_BYTES] = { 0 };
    const char *text = SAY(theirs, "");
    ddb_error_t err = { 0 };
    ddb_item_t it;
    apr_size_t i;

    memset(&it, 0, sizeof(it));
    NUM_IS(ddb_item_parse(&it, text, strlen(text), p, &err), DDB_EBADITEM, "JSON is refused where form is expected");
    OK(strstr(err.detail, "attribute data") && strstr(err.detail, "another format"), "and the detail says why");
    it.format = DDB_JSON;
    NUM_IS(ddb_item_parse(&it, text, strlen(text), p, &err), APR_SUCCESS, "their row is read where it is");
    IS(it.data, "{\"a\": 1}", "with its data");
    NUM_IS(it.data_len, 8, "and its length");
    OK(it.version == 0 && !it.user_mark && memcmp(it.write_id, none, sizeof(none)) == 0, "and no mark of ours");
    NUM_IS(it.format, DDB_JSON, "and knows its format");
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = SAY(theirs, rows[i].more);
        NUM_IS(ddb_item_parse(&it, text, strlen(text), p, &err), rows[i].rv, rows[i].says);
    }
    text = reply_with(NULL, NULL, p);
    NUM_IS(ddb_item_parse(&it, text, strlen(text), p, &err), DDB_EBADITEM, "form is refused where JSON is expected");
    text = reply_with("data", "{\"S\":\"{}\"}", p);
    NUM_IS(ddb_item_parse(&it, text, strlen(text), p, &err), APR_SUCCESS, "a row that both wrote is read");
    OK(it.version == 8 && strcmp(it.user_mark, "mark") == 0 && it.write_id[1] == 1, "with our marks");
    NUM_IS(ddb_item_parse(&it, left, strlen(left), p, &err), APR_NOTFOUND, "a row without data is no session");
    it.format = DDB_FORM;
    NUM_IS(ddb_item_parse(&it, left, strlen(left), p, &err), DDB_EBADITEM, "but a fault where form is expected");
}

TAP_MAIN(p)
{
    test_get_and_delete(p);
    test_create(p);
    test_save(p);
    test_renewal(p);
    test_json(p);
    test_touch(p);
    test_bury(p);
    test_json_rows(p);
    test_parse_whole(p);
    test_consumed(p);
    test_parse_forms(p);
    test_parse_none(p);
    test_parse_half(p);
    test_parse_values(p);
    test_parse_renewal(p);
    test_parse_buried(p);
    test_round_trip(p);
    test_times(p);
    test_error_names(p);
    test_error_forms(p);
    test_error_bodies(p);
    test_error_messages(p);
    test_error_of_kms(p);
    test_error_sizes(p);
}
