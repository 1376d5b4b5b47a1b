/* The line of one security event: its keys, its hashes, and what clients can't do to it. */

#include <apr_strings.h>

#include "base/ddb_json.h"
#include "store/ddb_event.h"
#include "tap.h"

#define SID "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static const ddb_bytes_t key = { .data = "the key of the events", .len = 21 };

static ddb_event_t some_event(void)
{
    return (ddb_event_t){ .time = APR_INT64_C(1795395723000042),
                          .event = "renewed",
                          .reason = "login",
                          .session = SID,
                          .previous = "another ID",
                          .client = "192.0.2.1",
                          .method = "POST",
                          .host = "www.example.org",
                          .path = "/login",
                          .agent = "Browser/1.0",
                          .user = { .realm = "form:members", .user = "alice" },
                          .status = 302,
                          .request = "Zk3q" };
}

/* The first 32 hex digits of an HMAC. */
static const char *hash(const char *in, apr_size_t len, ddb_bytes_t with, apr_pool_t *p)
{
    unsigned char mac[DDB_SHA256_BYTES];

    ddb_crypto_hmac(DDB_SHA256, mac, with, (ddb_bytes_t){ .data = in, .len = len });
    return ddb_crypto_hex(p, mac, 16);
}

static void test_line(apr_pool_t *p)
{
    const ddb_event_t e = some_event();

    IS(ddb_event_line(&e, key, p),
       apr_psprintf(p,
                    "{\"time\":\"2026-11-23T01:02:03.000042+00:00\",\"event\":\"renewed\",\"reason\":\"login\","
                    "\"session\":\"%s\",\"previous\":\"%s\",\"client\":\"192.0.2.1\",\"method\":\"POST\","
                    "\"host\":\"www.example.org\",\"path\":\"/login\",\"agent\":\"Browser/1.0\",\"user\":\"%s\","
                    "\"status\":302,\"request\":\"Zk3q\"}\n",
                    hash(SID, strlen(SID), key, p), hash("another ID", 10, key, p),
                    hash("form:members\0alice", 18, key, p)),
       "a line has all keys in their order, and HMACs of IDs and user");
}

static void test_nothing_known(apr_pool_t *p)
{
    const ddb_event_t e = { .event = "refused", .reason = "ambiguous" };

    IS(ddb_event_line(&e, key, p),
       "{\"time\":\"1970-01-01T00:00:00.000000+00:00\",\"event\":\"refused\",\"reason\":\"ambiguous\",\"session\":\"\","
       "\"previous\":\"\",\"client\":\"\",\"method\":\"\",\"host\":\"\",\"path\":\"\",\"agent\":\"\",\"user\":\"\","
       "\"status\":0,\"request\":\"\"}\n",
       "what is not known is empty, and its key is there");
}

static void test_hashes(apr_pool_t *p)
{
    ddb_event_t e = some_event();
    const char *line = ddb_event_line(&e, key, p);
    const ddb_bytes_t other = { .data = "another key", .len = 11 };

    OK(!strstr(line, SID) && !strstr(line, "alice") && !strstr(line, "members"), "no ID, user or realm is in the line");
    OK(!strstr(ddb_event_line(&e, other, p), hash(SID, strlen(SID), key, p)), "another key makes another hash");
    e.user = (ddb_marks_user_t){ .realm = "form:admin", .user = "alice" };
    OK(!strstr(ddb_event_line(&e, key, p), hash("form:members\0alice", 18, key, p)),
       "the same name in another realm is another user");
    e.user = (ddb_marks_user_t){ .user = "alice" };
    OK(strstr(ddb_event_line(&e, key, p), hash("\0alice", 6, key, p)), "a user may have no realm");
}

/* The string that the line, as JSON, has under name; NULL if the line is no JSON. */
static const char *read_back(const char *line, const char *name, apr_pool_t *p)
{
    ddb_json_t *object = NULL;

    if (strchr(line, '\n') != line + strlen(line) - 1
        || ddb_json_parse(&object, line, strlen(line), p) != APR_SUCCESS) {
        return NULL;
    }
    return ddb_json_str(object, name);
}

static void test_hostile(apr_pool_t *p)
{
    ddb_event_t e = some_event();
    const char *line;

    e.agent = "a\"},\n{\"event\":\"x\\\r\t\x7f\x1b[2J";
    line = ddb_event_line(&e, key, p);
    IS(read_back(line, "agent", p), e.agent, "quotes, line feeds and escapes stay in their string");
    e.path = "/\xff\xc3\x28\xe2\x80\xa8\xc2\x85\xf0\x9f\x98\x80";
    line = ddb_event_line(&e, key, p);
    IS(read_back(line, "path", p), "/\xef\xbf\xbd\xef\xbf\xbd\x28\xe2\x80\xa8\xc2\x85\xf0\x9f\x98\x80",
       "what is not UTF-8 is replaced, all else comes back");
    for (; *line > 0 && *line < 0x7f; line++) {
    }
    OK(!*line, "the line is ASCII: nothing takes a part of it for the end of a line");
}

static void test_length(apr_pool_t *p)
{
    ddb_event_t e = some_event();
    char *text = apr_palloc(p, 1000001), *host = apr_palloc(p, 301);
    const char *line;

    memset(text, '\xff', 1000000);
    text[1000000] = '\0';
    memset(host, 'h', 300);
    host[300] = '\0';
    e.event = "first-use";
    e.reason = "no-credentials";
    e.client = host;
    e.method = e.path = e.agent = e.request = text;
    e.host = host;
    line = ddb_event_line(&e, key, p);
    OK(strlen(line) <= DDB_EVENT_MOST, "however long a client's texts are, a line is one write into a pipe");
    OK(strlen(line) > DDB_EVENT_MOST - 200, "of which they may fill most");
    OK(read_back(line, "agent", p), "and it is JSON");
    memset(text, 'a', 255);
    memcpy(text + 255, "\xc3\xa9", 3);
    line = ddb_event_line(&e, key, p);
    NUM_IS(strlen(read_back(line, "agent", p)), 255, "a text is not cut within a character");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_line, test_nothing_known, test_hashes, test_hostile, test_length);
}
