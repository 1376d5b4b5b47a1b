/* Credentials as services and programs give them out: the members, the times, and what is wrong with others. */

#include <apr_strings.h>

#include "aws/creds/ddb_creds_reply.h"
#include "base/ddb_time.h"
#include "tap.h"

static const ddb_creds_shape_t all = { .source = "the tester",
                                       .access_key_id = "Id",
                                       .secret_access_key = "Secret",
                                       .session_token = "Token",
                                       .expires = "Until",
                                       .account_id = "Account",
                                       .token_needed = 1,
                                       .expires_needed = 1 };
static const ddb_creds_shape_t few = { .source = "the tester",
                                       .access_key_id = "Id",
                                       .secret_access_key = "Secret",
                                       .session_token = "Token",
                                       .expires = "Until" };

static ddb_credentials_t found;
static ddb_error_t err;

static apr_status_t read_reply(const ddb_creds_shape_t *shape, const char *text, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, text);
    ddb_json_t *obj = NULL;
    apr_status_t rv = ddb_creds_reply_parse(&obj, copy, strlen(copy), p);

    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return rv == APR_SUCCESS ? ddb_creds_reply_read(&found, obj, shape, p, &err) : rv;
}

static void test_json_entries(apr_pool_t *p)
{
    NUM_IS(read_reply(&all,
                      "{\"Id\":\"A\",\"Secret\":\"s/+\",\"Token\":\"t==\",\"Until\":\"2026-11-23T01:02:03Z\","
                      "\"Account\":\"123456789012\",\"Other\":[1]}",
                      p),
           APR_SUCCESS, "a whole reply is read");
    IS(found.access_key_id, "A", "  the key ID");
    IS(found.secret_access_key, "s/+", "  the secret");
    IS(found.session_token, "t==", "  the token");
    IS(found.account_id, "123456789012", "  the account");
    NUM_IS(found.expires, APR_INT64_C(1795395723000000), "  the time of expiry");
    NUM_IS(read_reply(&few, "{\"Id\":\"A\",\"Secret\":\"s\",\"Account\":\"1\"}", p), APR_SUCCESS,
           "token and time may be missing where the source needs none");
    IS(found.session_token, NULL, "  then there is no token");
    NUM_IS(found.expires, 0, "  nor an end");
    IS(found.account_id, NULL, "  a member that this source has not is not read");
    NUM_IS(read_reply(&few, "{\"Id\":\"A\",\"Secret\":\"s\",\"Token\":null,\"Until\":null}", p), APR_SUCCESS,
           "null is as good as missing");
    NUM_IS(read_reply(&few, "{\"Id\":\"A\",\"Secret\":\"s\",\"Token\":\"\",\"Until\":\"\"}", p), APR_SUCCESS,
           "empty text too");
    IS(found.session_token, NULL, "  an empty token would be sent and refused");
    NUM_IS(read_reply(&few, "{\"Id\":\"A\",\"Secret\":\"s\",\"Until\":1795395723004}", p), APR_SUCCESS,
           "a time may be a number of milliseconds");
    NUM_IS(found.expires, APR_INT64_C(1795395723004000), "  which is read so");
}

static void test_faults(apr_pool_t *p)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        { "{\"Secret\":\"hush\",\"Token\":\"t\",\"Until\":\"2026-11-23T01:02:03Z\"}", "Id is missing" },
        { "{\"id\":\"A\",\"Secret\":\"hush\",\"Token\":\"t\",\"Until\":\"2026-11-23T01:02:03Z\"}", "Id is missing" },
        { "{\"Id\":7,\"Secret\":\"hush\",\"Token\":\"t\",\"Until\":\"2026-11-23T01:02:03Z\"}", "Id is no text" },
        { "{\"Id\":\"\",\"Secret\":\"hush\",\"Token\":\"t\",\"Until\":\"2026-11-23T01:02:03Z\"}", "Id is empty" },
        { "{\"Id\":\"A\",\"Token\":\"hush\",\"Until\":\"2026-11-23T01:02:03Z\"}", "Secret is missing" },
        { "{\"Id\":\"A\",\"Secret\":\"hush\",\"Until\":\"2026-11-23T01:02:03Z\"}", "Token is missing" },
        { "{\"Id\":\"A\",\"Secret\":\"hush\",\"Token\":\"t\"}", "Until is missing or no time" },
        { "{\"Id\":\"A\",\"Secret\":\"hush\",\"Token\":\"t\",\"Until\":true}", "Until is missing or no time" },
        { "{\"Id\":\"A\",\"Secret\":\"hush\",\"Token\":\"t\",\"Until\":-5}", "Until is missing or no time" },
        { "{\"Id\":\"A\",\"Secret\":\"hush\",\"Token\":\"t\",\"Until\":\"tomorrow\"}",
          "Until is not a time with a time zone" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        NUM_IS(read_reply(&all, cases[i].text, p), DDB_EBADREPLY, apr_pstrcat(p, "refused: ", cases[i].fault, NULL));
        IS(err.detail, apr_pstrcat(p, "invalid credentials from the tester: ", cases[i].fault, NULL),
           "  and said so, without a value");
    }
    NUM_IS(read_reply(&few, "{\"Id\":\"A\",\"Secret\":\"s\",\"Until\":\"2026-11-23 01:02:03\"}", p), DDB_EBADREPLY,
           "a time that is no time is refused also where none is needed");
    NUM_IS(read_reply(&few, "{\"Id\":\"A\",\"Secret\":\"s\",\"Until\":\"1970-01-01T00:00:00Z\"}", p), DDB_EBADREPLY,
           "so is the time that would stand for never");
    NUM_IS(read_reply(&few, "{\"Id\":\"A\",\"Secret\":\"s\",\"Until\":0}", p), DDB_EBADREPLY, "as a number too");
}

static void test_text(apr_pool_t *p)
{
    char good[] = "{\"Secret\":\"hush\"}", bad[] = "hush <html>";
    ddb_json_t *obj;
    apr_size_t i, left = 0;

    NUM_IS(ddb_creds_reply_parse(&obj, good, strlen(good), p), APR_SUCCESS, "text becomes an object");
    for (i = 0; i + 1 < sizeof(good); i++) {
        left += good[i] != '\0';
    }
    NUM_IS(left, 0, "and is overwritten");
    IS(ddb_json_str(obj, "Secret"), "hush", "the object is not");
    NUM_IS(ddb_creds_reply_parse(&obj, bad, strlen(bad), p), DDB_EBADREPLY, "other text does not");
    NUM_IS(bad[0], '\0', "and is overwritten too");
}

static void test_times(apr_pool_t *p)
{
    static const char *const same[] = {
        "2026-11-23T01:02:03Z",      "2026-11-23T01:02:03.9Z",    "2026-11-23T01:02:03.999999999Z",
        "2026-11-23T01:02:03+00:00", "2026-11-23T01:02:03-00:00", "2026-11-23T01:02:03+0000",
        "2026-11-23T03:02:03+02:00", "2026-11-22T19:32:03-0530",  "2026-11-23T01:02:03.25+00:00",
        "2026-11-24T01:01:03+23:59",
    };
    static const char *const none[] = {
        "",
        "2026-11-23",
        "2026-11-23T01:02:03",
        "2026-11-23T01:02:03.Z",
        "2026-11-23T01:02:03z",
        "2026-11-23 01:02:03Z",
        "2026-11-23T01:02:03ZZ",
        "2026-11-23T01:02:03+",
        "2026-11-23T01:02:03+1",
        "2026-11-23T01:02:03+24:00",
        "2026-11-23T01:02:03+00:60",
        "2026-11-23T01:02:03+0:000",
        "2026-11-23T01:02:03+000",
        "2026-11-23T01:02:03+00:0",
        "2026-11-23T01:02:03+00:00:00",
        "2026-11-23T01:02:03 0000",
        "2026-02-30T01:02:03Z",
        "2026-13-01T01:02:03Z",
        "2026-11-23T25:02:03Z",
        "20261123T010203Z",
        "20261123T010203Z0000",
        "2026-1-23T01:02:03Z0",
        "aaaaaaaaaaaaaaaaaaaZ",
        "1764-11-23T01:02:03Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
    };
    apr_time_t t;
    apr_size_t i;

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        t = 0;
        ddb_time_parse_zoned(&t, same[i]);
        NUM_IS(t, APR_INT64_C(1795395723000000), apr_pstrcat(p, same[i], " is that time", NULL));
    }
    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        t = 5;
        NUM_IS(ddb_time_parse_zoned(&t, none[i]), APR_EBADDATE, apr_pstrcat(p, "\"", none[i], "\" is no time", NULL));
        NUM_IS(t, 5, "  and none is set");
    }
}

static void test_check_time(void)
{
    ddb_credentials_t c = { .access_key_id = "A", .secret_access_key = "s", .expires = apr_time_from_sec(100) };

    NUM_IS(ddb_creds_reply_check_time(&c, apr_time_from_sec(99), "it", &err), APR_SUCCESS,
           "before their end they are good");
    NUM_IS(ddb_creds_reply_check_time(&c, apr_time_from_sec(107), "it", &err), DDB_EBADREPLY, "after it they are not");
    OK(strstr(err.detail, "it returned credentials that expired 7 s ago") && strstr(err.detail, "clock"),
       "and the clock is named");
    c.expires = 0;
    NUM_IS(ddb_creds_reply_check_time(&c, apr_time_from_sec(107), "it", &err), APR_SUCCESS,
           "without an end they are good");
}

static void test_printable(apr_pool_t *p)
{
    IS(ddb_creds_reply_printable(NULL, p), "", "nothing said is an empty text");
    IS(ddb_creds_reply_printable("a b\r\n\x1b[1m\xc3\xa9", p), "a b???[1m??", "what could harm a log is gone");
    NUM_IS(strlen(ddb_creds_reply_printable("0123456789012345678901234567890123456789012345678901234567890", p)), 60,
           "and it has an end");
}

TAP_MAIN(p)
{
    test_json_entries(p);
    test_faults(p);
    test_text(p);
    test_times(p);
    test_check_time();
    test_printable(p);
}
