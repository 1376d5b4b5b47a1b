/* The list of a user's sessions: its name, what is added and taken out, how all end, and what comes between. */

#include "base/ddb_base64.h"
#include "base/ddb_text.h"
#include "store/ddb_user_sessions.h"
#include "store_world.h"

#define LIST     "u:wT4ZwTmLPAkcYkF9Avo-u09sML3S9gLYXC-CGMS3gyQ"
#define EMPTY    "{\"sessions\":[]}"
#define CAP      ",\"ConsumedCapacity\":{\"TableName\":\"app_session\",\"CapacityUnits\":1.0}"
#define ABSENT   "attribute_not_exists(#version)"
#define UNMARKED " AND attribute_not_exists(#ended)"

static const char *const K = "0123456789abcdef0123456789abcdef", *const K2 = "fedcba9876543210fedcba9876543210";

static const ddb_user_limit_t no_limit, two = { 2, 0 }, two_at_most = { 2, 1 };

/* --- lists, as the table has them --- */

/* A session of a list that began so many seconds ago, as JSON. */
static const char *entry(fixture_t *f, const char *key, const char *previous, int ago)
{
    return SAY("{\"key\":\"%s\"%s,\"created\":%" APR_INT64_T_FMT ",\"expires\":%" APR_INT64_T_FMT
               ",\"address\":\"192.0.2.0/24\",\"agent\":\"Lynx\"}",
               key, previous ? SAY(",\"previous\":\"%s\"", previous) : "", f->now - ago, f->now - ago + 43200);
}

static const char *sessions(fixture_t *f, const char *first, const char *second, const char *third)
{
    return SAY("{\"sessions\":[%s%s%s%s%s]}", first, second ? "," : "", second ? second : "", third ? "," : "",
               third ? third : "");
}

static const char *base64(fixture_t *f, const char *text, apr_size_t len)
{
    ddb_text_t t;

    ddb_text_begin(&t, DDB_BASE64_LEN(len) + 1, f->p);
    ddb_text_add_base64(&t, text, len);
    return ddb_text_end(&t);
}

/* The attributes of a list. version 0: there is only a mark. */
static const char *item(fixture_t *f, int version, apr_int64_t ended, const char *text)
{
    return SAY("{\"id\":{\"S\":\"" LIST "\"}%s%s}",
               version ? SAY(",\"version\":{\"N\":\"%d\"},\"expires\":{\"N\":\"99999999999\"},\"data\":{\"B\":\"%s\"}",
                             version, base64(f, text, strlen(text)))
                       : "",
               ended ? SAY(",\"ended\":{\"N\":\"%" APR_INT64_T_FMT "\"}", ended) : "");
}

static void answer_nothing(fixture_t *f)
{
    world_answer(f->w, 200, "{}");
}

static void answer_list(fixture_t *f, int version, apr_int64_t ended, const char *text)
{
    world_answer(f->w, 200, SAY("{\"Item\":%s" CAP "}", item(f, version, ended, text)));
}

static void answer_marked(fixture_t *f, int version, apr_int64_t ended, const char *text)
{
    world_answer(f->w, 200, SAY("{\"Attributes\":%s" CAP "}", item(f, version, ended, text)));
}

static void answer_changed(fixture_t *f)
{
    world_answer(f->w, 400, CONDITION "}");
}

/* The row of a session. */
static ddb_item_t row_of(const fixture_t *f, const char *key)
{
    ddb_item_t row = f->row;

    row.id = key;
    return row;
}

static void answer_live(fixture_t *f, const char *key)
{
    ddb_item_t row = row_of(f, key);

    answer_row(f, &row);
}

static void answer_buried(fixture_t *f, const char *key)
{
    ddb_item_t row = row_of(f, key), buried = tombstone(f, &row, 60);

    answer_row(f, &buried);
}

/* --- what was asked --- */

static const char *given(fixture_t *f, int i, const char *name, const char *type)
{
    return ddb_attribute_get(ddb_json_child(body(f, i), "ExpressionAttributeValues"), SAY(":%s", name), type);
}

/* The list that the i-th request writes, as it is sealed or not. */
static ddb_bytes_t bytes_of(fixture_t *f, int i)
{
    const char *text = given(f, i, "data", "B");
    char *bytes = apr_palloc(f->p, (text ? strlen(text) : 0) + 1);
    apr_size_t len = 0;

    if (!text || !ddb_base64_decode(bytes, &len, text, strlen(text))) {
        return (ddb_bytes_t){ "", 0 };
    }
    bytes[len] = '\0';
    return (ddb_bytes_t){ bytes, len };
}

static const char *written(fixture_t *f, int i)
{
    return bytes_of(f, i).data;
}

/* The keys of the sessions that it has, in order: "A B(A)", with the one that is replaced. */
static const char *keys_written(fixture_t *f, int i)
{
    const char *text = written(f, i), *all = "";
    const ddb_json_t *s;
    ddb_json_t *json;

    if (ddb_json_parse(&json, text, strlen(text), f->p) != APR_SUCCESS) {
        return NULL;
    }
    for (s = ddb_json_item(json, "sessions", 0); s; s = ddb_json_next(s)) {
        const char *previous = ddb_json_str(s, "previous");

        all = apr_pstrcat(f->p, all, *all ? " " : "", ddb_json_str(s, "key"), previous ? SAY("(%s)", previous) : "",
                          NULL);
    }
    return all;
}

static const char *condition(fixture_t *f, int i)
{
    return ddb_json_str(body(f, i), "ConditionExpression");
}

/* The operations, with the keys of all but the list: "GetItem GetItem:A". */
static const char *calls(fixture_t *f)
{
    const char *all = "";
    int i;

    for (i = 0; i < f->w->n_sent; i++) {
        const char *key = key_of(f, i);

        all = apr_pstrcat(f->p, all, i ? " " : "", operation(f, i), NULL);
        all = strcmp(key, LIST) == 0 ? all : apr_pstrcat(f->p, all, ":", key, NULL);
    }
    return all;
}

/* 1 if the i-th request ends a session, whatever its row is: no condition, so that nothing can be in its way. */
static int is_end(fixture_t *f, int i)
{
    const char *left = value(f, i, "ended_by", "S"), *at = value(f, i, "accessed", "S");

    return strcmp(operation(f, i), "UpdateItem") == 0 && left && strcmp(left, "left") == 0 && at
           && strncmp(at, "1970-01-01T00:00:00", 19) == 0 && strcmp(key_of(f, i), LIST) != 0;
}

/* What holds for all calls of all tests; the last thing each does. */
static void done(fixture_t *f, const char *what)
{
    int i, named = 1, guarded = 1, fresh = 1, capacity = 1;

    for (i = 0; i < f->w->n_sent; i++) {
        const char *table = ddb_json_str(body(f, i), "TableName"), *asks;
        int is_read = strcmp(operation(f, i), "GetItem") == 0;

        asks = ddb_json_str(body(f, i), "ReturnConsumedCapacity");
        named &= table && strcmp(table, "app_session") == 0;
        guarded &= is_read || condition(f, i) || is_end(f, i);
        fresh &= !is_read || consistent(f, i);
        capacity &= is_read || (asks && strcmp(asks, "TOTAL") == 0);
    }
    OK(named && capacity, SAY("%s: the table is named, the capacity asked for", what));
    OK(guarded && fresh, SAY("%s: each write of a list has a condition, each read is consistent", what));
    NUM_IS(f->w->n_sent, f->w->n_answers, SAY("%s: every answer was asked for, and no more", what));
}

static const char *number(fixture_t *f, apr_int64_t n)
{
    return ddb_attribute_number(n, f->p);
}

static apr_int64_t msec(const fixture_t *f)
{
    return apr_time_as_msec(f->call.now);
}

/* --- calls --- */

static int evicted, ended;

static ddb_user_session_t session(const fixture_t *f, const char *key, const char *previous)
{
    return (ddb_user_session_t){ .key = key,
                                 .previous = previous,
                                 .created = f->now,
                                 .expires = f->now + 43200,
                                 .address = "192.0.2.0/24",
                                 .agent = "Lynx" };
}

static apr_status_t add(fixture_t *f, const char *key, const char *previous, const ddb_user_limit_t *limit)
{
    const ddb_user_session_t s = session(f, key, previous);

    evicted = -1;
    return ddb_user_sessions_add(f->st, &f->call, LIST, &s, limit, &evicted);
}

static apr_status_t read_list(fixture_t *f, ddb_user_sessions_t *list)
{
    memset(list, 'x', sizeof(*list));
    return ddb_user_sessions_read(f->st, &f->call, LIST, list);
}

static apr_status_t take_out(fixture_t *f, const char *key)
{
    return ddb_user_sessions_remove(f->st, &f->call, LIST, key);
}

static apr_status_t end_one(fixture_t *f, const char *key)
{
    return ddb_user_sessions_end_one(f->st, &f->call, LIST, key);
}

static apr_status_t end_all(fixture_t *f, const char *keep)
{
    ended = -1;
    return ddb_user_sessions_end_all(f->st, &f->call, LIST, keep, &ended);
}

/* --- the name --- */

static const char *id_of(const char *secret, const char *audience, const char *realm, const char *user, apr_pool_t *p)
{
    const ddb_marks_user_t who = { realm, user };
    const char *id = NULL;

    return ddb_user_sessions_id(&id, secret, audience, &who, p) == APR_SUCCESS ? id : "failed";
}

/* As OpenSSL makes it:
 * printf 'session-dynamodb user\n0\n13\nbasic:Membersalice' | openssl dgst -sha256 -hmac KEY -binary | base64
 * with - and _ for + and /, and without the = */
static void test_id(apr_pool_t *p)
{
    const char *id = id_of(K, NULL, "basic:Members", "alice", p);
    apr_array_header_t *signing = apr_array_make(p, 1, sizeof(const char *));
    ddb_sid_rules_t rules = { .bytes = 0 };
    int bytes, any = 0;

    IS(id, LIST, "the name of a list");
    IS(id_of(K, "shop", "form:Shop", "bob", p), "u:n_oXy9jHkVRCD4GKwCs6L6RPNrgMwn7qsSSaadPtvxM", "with a label");
    IS(id_of(K, "", "basic:Members", "alice", p), LIST, "an empty label is none");
    OK(strcmp(id_of(K2, NULL, "basic:Members", "alice", p), id) != 0, "another key, another name");
    OK(strcmp(id_of(K, NULL, "basic:Members", "Alice", p), id) != 0, "another user");
    OK(strcmp(id_of(K, NULL, "basic:Membersa", "lice", p), id) != 0, "a realm that takes a letter of the user");
    OK(strcmp(id_of(K, NULL, "basic:Member", "salice", p), id) != 0, "and a user that takes one of the realm");
    OK(strcmp(id_of(K, "b", "asic:Members", "alice", p), id) != 0, "a label that takes one of the realm");
    OK(strcmp(id_of(K, "a", "b", "c", p), id_of(K, "ab", "", "c", p)) != 0, "or all of it");
    OK(strcmp(id_of(K, NULL, "1\n1\nb", "c", p), id_of(K, NULL, "1", "\n1\nbc", p)) != 0, "line breaks show nothing");
    OK(strcmp(id_of(K, NULL, "", "alice", p), id_of(K, NULL, "alice", "", p)) != 0, "no realm, no user");

    APR_ARRAY_PUSH(signing, const char *) = K;
    for (bytes = DDB_SID_BYTES_MIN; bytes <= DDB_SID_BYTES_MAX; bytes++) {
        rules.bytes = bytes;
        rules.keys = NULL;
        any |= ddb_sid_check(id, &rules, p) != APR_NOTFOUND;
        rules.keys = signing;
        any |= ddb_sid_check(id, &rules, p) != APR_NOTFOUND;
    }
    OK(!any, "no session ID looks like it");
}

/* --- add --- */

static void test_first(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const ddb_json_t *names;

    answer_nothing(f);
    answer_ok(f);
    NUM_IS(add(f, "A", NULL, &no_limit), APR_SUCCESS, "a first session is listed");
    NUM_IS(evicted, 0, "for which none ends");
    IS(calls(f), "GetItem UpdateItem", "with a read and a write");
    IS(ddb_json_str(body(f, 1), "UpdateExpression"),
       "SET #data = :data, #version = :version, #expires = :expires REMOVE #encoding", "of the list");
    IS(condition(f, 1), ABSENT UNMARKED, "which has to be as it was: not there");
    IS(written(f, 1), sessions(f, entry(f, "A", NULL, 0), NULL, NULL), "the session is in it");
    IS(given(f, 1, "version", "N"), "1", "in the first version");
    IS(given(f, 1, "expires", "N"), number(f, f->now + 43200), "which expires with the session");
    names = ddb_json_child(body(f, 1), "ExpressionAttributeNames");
    OK(ddb_json_has(names, "#data") && ddb_json_has(names, "#version") && ddb_json_has(names, "#expires")
           && ddb_json_has(names, "#encoding") && ddb_json_has(names, "#ended"),
       "each name has its placeholder");
    clean(f, "first");
    done(f, "first");
}

static void test_next(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *old = entry(f, "A", NULL, 100);
    ddb_user_session_t s = session(f, "C", NULL);

    answer_list(f, 4, 0, sessions(f, entry(f, "X", NULL, 43200), old, entry(f, "Y", NULL, 50000)));
    answer_ok(f);
    s.expires = f->now + 50;
    NUM_IS(ddb_user_sessions_add(f->st, &f->call, LIST, &s, &no_limit, &evicted), APR_SUCCESS,
           "another session is listed");
    IS(keys_written(f, 1), "A C", "behind those that have not expired");
    OK(strstr(written(f, 1), old), "which stay as they are");
    IS(condition(f, 1), "#version = :v0" UNMARKED, "if the list is as it was");
    IS(given(f, 1, "v0", "N"), "4", "in version 4");
    IS(given(f, 1, "version", "N"), "5", "of which it makes the next");
    IS(given(f, 1, "expires", "N"), number(f, f->now - 100 + 43200), "it expires with the last of them");
    done(f, "next");

    f = setup(p);
    answer_list(f, 4, msec(f) - 1, EMPTY);
    answer_ok(f);
    s.expires = f->now + 5;
    NUM_IS(ddb_user_sessions_add(f->st, &f->call, LIST, &s, &no_limit, &evicted), APR_SUCCESS,
           "after an earlier end of all sessions");
    IS(condition(f, 1), "#version = :v0 AND #ended = :ended", "the mark has to be as it was, too");
    IS(given(f, 1, "ended", "N"), number(f, msec(f) - 1), "to the millisecond");
    IS(given(f, 1, "expires", "N"), number(f, f->now + 60), "and stays for a minute at least");
    done(f, "after a mark");
}

/* Whatever the client sends, the text is small and plain. */
static void test_agent(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_user_session_t s = session(f, "A", NULL);
    ddb_user_sessions_t list;

    s.agent = "\"q\\\xc3\xa9\x01\x7f\xff"
              "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\xc3\xa9";
    answer_nothing(f);
    answer_ok(f);
    NUM_IS(ddb_user_sessions_add(f->st, &f->call, LIST, &s, &no_limit, &evicted), APR_SUCCESS, "a strange client");
    answer_list(f, 1, 0, written(f, 1));
    NUM_IS(read_list(f, &list), APR_SUCCESS, "does not spoil the list");
    s = APR_ARRAY_IDX(list.sessions, 0, ddb_user_session_t);
    NUM_IS(strlen(s.agent), DDB_USER_SESSIONS_AGENT - 1, "its text is cut, between two characters");
    OK(strncmp(s.agent, "\"q\\\xc3\xa9???0123", 12) == 0, "and has no controls, or bytes that are no text");
    answer_list(f, 1, 0, written(f, 1));
    answer_ok(f);
    NUM_IS(add(f, "B", NULL, &no_limit), APR_SUCCESS, "a further write");
    OK(strstr(written(f, 4), apr_pstrndup(p, written(f, 1), strlen(written(f, 1)) - 2)), "leaves it as it is");
    done(f, "agent");
}

/* DDB_USER_SESSIONS_MOST is a promise. */
static void test_largest(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_user_session_t s = session(f, "last", NULL);
    const char *agent = "";
    ddb_text_t t;
    int i;

    for (i = 0; i < DDB_USER_SESSIONS_AGENT / 2; i++) {
        agent = apr_pstrcat(p, agent, "\\\"\\\\", NULL); /* nothing takes more room */
    }
    ddb_text_begin(&t, 400000, p);
    for (i = 0; i < 2 * DDB_USER_SESSIONS_MOST - 2; i++) {
        ddb_text_add(&t, i ? "," : "{\"sessions\":[");
        ddb_text_add(&t, SAY("{\"key\":\"K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_U%04d\"", i));
        if (i % 2) {
            ddb_text_add(&t, SAY(",\"previous\":\"K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_U%04d\"", i - 1));
        }
        ddb_text_add(&t, SAY(",\"created\":%" APR_INT64_T_FMT ",\"expires\":%" APR_INT64_T_FMT, f->now, f->now + 1));
        ddb_text_add(&t, SAY(",\"address\":\"ffff:ffff:ffff:ff00::/56\",\"agent\":\"%s\"}", agent));
    }
    ddb_text_add(&t, "]}");
    answer_list(f, 1, 0, ddb_text_end(&t));
    answer_ok(f);
    NUM_IS(ddb_user_sessions_add(f->st, &f->call, LIST, &s, &no_limit, &evicted), APR_SUCCESS,
           "as many sessions as there can be, each with two IDs");
    IS(calls(f), "GetItem UpdateItem", "are added to");
    OK(bytes_of(f, 1).len > t.len && bytes_of(f, 1).len < DDB_ITEM_SIZE_MAX - 1024, "and fit into an item");
    done(f, "largest");
}

/* --- a session under its IDs --- */

static void test_chain(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "X", NULL, 9), NULL));
    answer_ok(f);
    NUM_IS(add(f, "B", "A", &no_limit), APR_SUCCESS, "a session gets a new ID");
    IS(keys_written(f, 1), "A X B(A)", "the older one, which may be in use, stays");
    answer_list(f, 2, 0, written(f, 1));
    answer_ok(f);
    NUM_IS(add(f, "C", "B", &no_limit), APR_SUCCESS, "with the next one");
    IS(keys_written(f, 3), "X B C(B)", "the one before is gone for certain");
    answer_list(f, 3, 0, written(f, 3));
    answer_ok(f);
    NUM_IS(add(f, "D", "C", &no_limit), APR_SUCCESS, "and so on");
    IS(keys_written(f, 5), "X C D(C)", "a session has two IDs at most");
    answer_list(f, 4, 0, written(f, 5));
    answer_ok(f);
    NUM_IS(add(f, "E", "unlisted", &no_limit), APR_SUCCESS, "an older ID that is not listed");
    IS(keys_written(f, 7), "X C D(C) E(unlisted)", "changes nothing else");
    done(f, "chain");
}

/* --- conflicts --- */

static void test_conflict(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_changed(f);
    answer_list(f, 2, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", NULL, 8), NULL));
    answer_ok(f);
    NUM_IS(add(f, "C", NULL, &no_limit), APR_SUCCESS, "where another write was first");
    IS(calls(f), "GetItem UpdateItem GetItem UpdateItem", "the list is read again");
    IS(keys_written(f, 3), "A B C", "and holds both");
    IS(given(f, 3, "v0", "N"), "2", "on top of the other");
    clean(f, "conflict");
    done(f, "conflict");

    f = setup(p);
    answer_nothing(f);
    answer_lost(f);
    answer_changed(f);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 0), NULL, NULL));
    answer_ok(f);
    NUM_IS(add(f, "A", NULL, &two_at_most), APR_SUCCESS, "an attempt whose answer was lost");
    IS(keys_written(f, 4), "A", "is not listed twice, nor does it count");
    done(f, "lost");

    f = setup(p);
    answer_list(f, 1, 0, EMPTY);
    answer_changed(f);
    answer_list(f, 1, msec(f) + 5, EMPTY);
    NUM_IS(add(f, "A", NULL, &no_limit), APR_NOTFOUND, "where the conflict is an end of all sessions, it is refused");
    clean(f, "ended meanwhile");
    done(f, "ended meanwhile");

    f = setup(p);
    answer_nothing(f);
    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(add(f, "A", NULL, &no_limit), DDB_EUNAVAILABLE, "a list that can't be written");
    done(f, "no answer");
    f = setup(p);
    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(add(f, "A", NULL, &no_limit), DDB_EUNAVAILABLE, "or not be read is a failure");
    done(f, "no answer to a read");
}

static void test_refused(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 0, msec(f), NULL);
    NUM_IS(add(f, "A", NULL, &no_limit), APR_NOTFOUND, "a login that began before all sessions were ended is refused");
    IS(calls(f), "GetItem", "and writes nothing");
    clean(f, "refused");
    answer_list(f, 0, msec(f) - 1, NULL);
    answer_ok(f);
    NUM_IS(add(f, "A", NULL, &no_limit), APR_SUCCESS, "one that began after it is not");
    IS(condition(f, 2), ABSENT " AND #ended = :ended", "if no other end comes between");
    done(f, "refused");
}

/* --- the limit --- */

static void test_evict(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_ok(f);
    NUM_IS(add(f, "B", NULL, &two), APR_SUCCESS, "below the limit");
    IS(calls(f), "GetItem UpdateItem", "no row is read");
    done(f, "below");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "B", NULL, 100), entry(f, "A", NULL, 200), NULL));
    answer_live(f, "B");
    answer_live(f, "A");
    answer_ok(f);
    answer_ok(f);
    NUM_IS(add(f, "C", NULL, &two), APR_SUCCESS, "at the limit");
    IS(calls(f), "GetItem GetItem:B GetItem:A UpdateItem:A UpdateItem", "the oldest login ends");
    OK(is_end(f, 3), "its row is a tombstone");
    IS(keys_written(f, 4), "B C", "and no longer listed");
    NUM_IS(evicted, 1, "one session made room");
    clean(f, "evict");
    done(f, "evict");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", "A", 200), entry(f, "X", NULL, 100)));
    answer_buried(f, "A");
    answer_live(f, "B");
    answer_live(f, "X");
    answer_ok(f);
    answer_ok(f);
    NUM_IS(add(f, "C", NULL, &two), APR_SUCCESS, "a session under two IDs");
    NUM_IS(evicted, 1, "is one");
    IS(calls(f), "GetItem GetItem:A GetItem:B GetItem:X UpdateItem:B UpdateItem",
       "that has ended under the first already, where nothing is written");
    IS(keys_written(f, 5), "X C", "and both go");
    done(f, "evict both");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 200), NULL));
    answer_live(f, "A");
    answer_live(f, "B");
    answer_ok(f);
    answer_changed(f);
    answer_list(f, 2, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 200), entry(f, "D", NULL, 1)));
    answer_buried(f, "A");
    answer_live(f, "B");
    answer_live(f, "D");
    answer_ok(f);
    answer_ok(f);
    NUM_IS(add(f, "C", NULL, &two), APR_SUCCESS, "two logins at the limit at the same time");
    NUM_IS(evicted, 2, "end two sessions");
    IS(calls(f),
       "GetItem GetItem:A GetItem:B UpdateItem:A UpdateItem GetItem GetItem:A GetItem:B GetItem:D UpdateItem:B "
       "UpdateItem",
       "each once");
    IS(keys_written(f, 10), "D C", "and are listed");
    done(f, "evict after a conflict");
}

/* The limit is for logins. A new ID of a listed session is none, but of two at the same time one is. */
static void test_further(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 100), NULL));
    answer_ok(f);
    NUM_IS(add(f, "C", "B", &two_at_most), APR_SUCCESS, "a new ID of a listed session is no further login");
    done(f, "a new ID");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 100), NULL));
    answer_live(f, "A");
    answer_live(f, "B");
    NUM_IS(add(f, "C", "M", &two_at_most), DDB_ETOOMANY, "a new ID of a session in another user's list is one");
    done(f, "another user's ID");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 100), entry(f, "C", "B", 1)));
    answer_live(f, "A");
    answer_buried(f, "B");
    answer_live(f, "C");
    NUM_IS(add(f, "D", "B", &two_at_most), DDB_ETOOMANY, "and so is a second login over one ID");
    done(f, "two logins over one ID");
}

static void test_expired_list(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200,
                 SAY("{\"Item\":{\"id\":{\"S\":\"" LIST "\"},\"version\":{\"N\":\"7\"},\"expires\":{\"N\":\"1\"},"
                     "\"encoding\":{\"S\":\"sealed\"},\"data\":{\"B\":\"AAAA\"}}" CAP "}"));
    answer_ok(f);
    NUM_IS(add(f, "A", NULL, &no_limit), APR_SUCCESS, "a list whose sessions are over needs no key of its time");
    IS(keys_written(f, 1), "A", "begins anew");
    IS(given(f, 1, "v0", "N"), "7", "as its next version");
    done(f, "an expired list");
}

static void test_deny(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 100), NULL));
    answer_live(f, "A");
    answer_live(f, "B");
    NUM_IS(add(f, "C", NULL, &two_at_most), DDB_ETOOMANY, "where a further login has to fail, it does");
    IS(calls(f), "GetItem GetItem:A GetItem:B", "once both are known to live");
    OK(strstr(f->err.detail, "SessionDynamoDBUserSessionLimit"), "with the setting that wants it");
    NUM_IS(evicted, 0, "and nobody's session ends");
    done(f, "deny");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 100), NULL));
    answer_live(f, "A");
    answer_nothing(f);
    answer_ok(f);
    NUM_IS(add(f, "C", NULL, &two_at_most), APR_SUCCESS, "a session that has ended makes room");
    IS(keys_written(f, 3), "A C", "and is no longer listed");
    done(f, "room");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 59), NULL));
    answer_live(f, "A");
    answer_nothing(f);
    NUM_IS(add(f, "C", NULL, &two_at_most), DDB_ETOOMANY, "a login of this minute, whose row is still to come, counts");
    done(f, "still to come");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 59), NULL));
    answer_live(f, "A");
    answer_buried(f, "B");
    answer_ok(f);
    NUM_IS(add(f, "C", NULL, &two_at_most), APR_SUCCESS, "one that is known to have ended does not");
    done(f, "ended this minute");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 900), entry(f, "B", "A", 900), entry(f, "X", NULL, 9)));
    answer_live(f, "A");
    answer_nothing(f);
    answer_live(f, "A");
    answer_live(f, "X");
    NUM_IS(add(f, "C", NULL, &two_at_most), DDB_ETOOMANY, "nor is a session gone whose newer ID is still to come");
    IS(calls(f), "GetItem GetItem:A GetItem:B GetItem:A GetItem:X", "while the older one is in use");
    done(f, "newer ID to come");

    f = setup(p);
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 200), entry(f, "B", NULL, 100), NULL));
    answer_live(f, "A");
    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(add(f, "C", NULL, &two_at_most), DDB_EUNAVAILABLE, "a row that can't be read is not taken for gone");
    done(f, "no answer");
}

/* A session that gets a new ID is one, however many requests give it one. */
static void test_own_ids(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_user_session_t s = session(f, "D", "A");

    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 900), entry(f, "X", NULL, 100), NULL));
    answer_ok(f);
    NUM_IS(add(f, "B", "A", &two_at_most), APR_SUCCESS, "at the limit, a session gets a new ID");
    IS(calls(f), "GetItem UpdateItem", "like below it");
    done(f, "new ID");

    f = setup(p);
    s.created = f->now - 900;
    answer_list(f, 1, 0, sessions(f, entry(f, "A", NULL, 900), entry(f, "B", "A", 900), entry(f, "X", NULL, 100)));
    answer_ok(f);
    NUM_IS(ddb_user_sessions_add(f->st, &f->call, LIST, &s, &two, &evicted), APR_SUCCESS,
           "also when another request is about to give it one");
    IS(calls(f), "GetItem UpdateItem", "neither ends the session of the other");
    IS(keys_written(f, 1), "A B(A) X D(A)", "both IDs are listed");
    answer_list(f, 2, 0, written(f, 1));
    answer_live(f, "A");
    answer_nothing(f);
    answer_live(f, "A");
    answer_live(f, "X");
    answer_live(f, "D");
    NUM_IS(add(f, "C", NULL, &(ddb_user_limit_t){ 2, 1 }), DDB_ETOOMANY, "and count once");
    IS(calls(f), "GetItem UpdateItem GetItem GetItem:A GetItem:B GetItem:A GetItem:X GetItem:D", "with their session");
    done(f, "rivals");
}

/* --- take out --- */

static void test_remove(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), entry(f, "X", NULL, 9)));
    answer_ok(f);
    NUM_IS(take_out(f, "B"), APR_SUCCESS, "a session that has ended is taken out");
    IS(calls(f), "GetItem UpdateItem", "with a read and a write");
    IS(keys_written(f, 1), "X", "and with it the ID that it replaced");
    IS(condition(f, 1), "#version = :v0" UNMARKED, "from the list as it was");
    answer_list(f, 6, 0, written(f, 1));
    NUM_IS(take_out(f, "B"), APR_NOTFOUND, "what is not there can't be");
    IS(calls(f), "GetItem UpdateItem GetItem", "and nothing is written");
    clean(f, "remove");
    done(f, "remove");

    /* Another login replaced it while it ended, and is a session of its own. */
    f = setup(p);
    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), NULL));
    answer_ok(f);
    NUM_IS(take_out(f, "A"), APR_SUCCESS, "an ID that is over");
    IS(keys_written(f, 1), "B(A)", "does not take along what replaced it");
    done(f, "remove the older");

    f = setup(p);
    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_changed(f);
    answer_list(f, 6, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", NULL, 9), NULL));
    answer_ok(f);
    NUM_IS(take_out(f, "A"), APR_SUCCESS, "after a conflict");
    IS(keys_written(f, 3), "B", "what came meanwhile stays");
    done(f, "remove after a conflict");

    f = setup(p);
    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_ok(f);
    NUM_IS(take_out(f, "A"), APR_SUCCESS, "the last one");
    IS(written(f, 1), EMPTY, "leaves an empty list");
    IS(given(f, 1, "expires", "N"), number(f, f->now + 60), "that expires soon");
    done(f, "remove the last");
}

/* --- end one --- */

static void test_end_one(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), entry(f, "X", NULL, 9)));
    NUM_IS(end_one(f, "Y"), APR_NOTFOUND, "a session that is not listed can't be ended");
    IS(calls(f), "GetItem", "nor is its row touched");
    clean(f, "not listed");
    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), entry(f, "X", NULL, 9)));
    answer_ok(f);
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_one(f, "B"), APR_SUCCESS, "one that is ends");
    IS(calls(f), "GetItem GetItem UpdateItem:A UpdateItem:B UpdateItem", "under all its IDs, whose rows are not read");
    OK(is_end(f, 2) && is_end(f, 3), "as of a user who left");
    IS(keys_written(f, 4), "X", "and is no longer listed");
    done(f, "end one");

    f = setup(p);
    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 43200), NULL, NULL));
    NUM_IS(end_one(f, "A"), APR_NOTFOUND, "nor can one that has expired");
    done(f, "end an expired one");

    /* It got a new ID after the list was read, and leads there before it is ended. */
    f = setup(p);
    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_ok(f);
    answer_changed(f);
    answer_list(f, 6, 0, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), NULL));
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_one(f, "A"), APR_SUCCESS, "a session that gets a new ID meanwhile");
    IS(calls(f), "GetItem UpdateItem:A UpdateItem GetItem UpdateItem:B UpdateItem",
       "ends under it, and under the older one not again");
    IS(written(f, 5), EMPTY, "and is no longer listed");
    done(f, "end one that moves");

    f = setup(p);
    answer_list(f, 5, 0, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(end_one(f, "A"), DDB_EUNAVAILABLE, "a session that can't be ended");
    IS(calls(f), "GetItem UpdateItem:A UpdateItem:A UpdateItem:A", "stays in the list");
    done(f, "end one without an answer");
}

/* --- end all --- */

static void test_end_all(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    apr_int64_t at;

    f->call.time = f->call.now + 3 * SECOND;
    at = apr_time_as_msec(f->call.time);
    answer_marked(f, 5, at, sessions(f, entry(f, "A", NULL, 9), entry(f, "B", NULL, 8), entry(f, "C", NULL, 7)));
    answer_ok(f);
    answer_ok(f);
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "all sessions end");
    NUM_IS(ended, 3, "each that is listed counts: nobody looks whether it lives");
    IS(calls(f), "UpdateItem UpdateItem:A UpdateItem:B UpdateItem:C UpdateItem",
       "the mark comes first; no row is read, and each gets a tombstone");
    IS(ddb_json_str(body(f, 0), "UpdateExpression"),
       "SET #ended = :ended, #expires = if_not_exists(#expires, :expires)", "the mark");
    IS(given(f, 0, "ended", "N"), number(f, at), "is the time of the call, in milliseconds");
    IS(given(f, 0, "expires", "N"), number(f, f->now + 63), "stays for a minute");
    IS(condition(f, 0), "attribute_not_exists(#ended) OR #ended <= :ended", "and never moves back");
    IS(ddb_json_str(body(f, 0), "ReturnValues"), "ALL_NEW", "what is listed then comes with the answer");
    OK(is_end(f, 1) && is_end(f, 2) && is_end(f, 3), "the user left");
    IS(written(f, 4), EMPTY, "nothing stays in the list");
    IS(condition(f, 4), "#version = :v0 AND #ended = :ended", "if it is as the mark found it");
    IS(given(f, 4, "v0", "N"), "5", "in its version");
    IS(given(f, 4, "ended", "N"), number(f, at), "with the mark");
    clean(f, "end all");
    done(f, "end all");

    f = setup(p);
    answer_marked(f, 0, msec(f), NULL);
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "a user without a list");
    NUM_IS(ended, 0, "has no session");
    IS(calls(f), "UpdateItem",
       "but gets a mark that logins under way find, and no list: nobody knows here if it is sealed");
    done(f, "end none");
}

static void test_keep(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_marked(f, 5, msec(f), sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), entry(f, "X", NULL, 9)));
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_all(f, "B"), APR_SUCCESS, "all but one end");
    NUM_IS(ended, 1, "which is another one");
    IS(calls(f), "UpdateItem UpdateItem:X UpdateItem", "the one to keep is not touched");
    IS(keys_written(f, 2), "A B(A)", "and stays in the list, under both its IDs");
    done(f, "keep");

    f = setup(p);
    answer_marked(f, 5, msec(f), sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), NULL));
    answer_ok(f);
    NUM_IS(end_all(f, "A"), APR_SUCCESS, "by its older ID");
    IS(keys_written(f, 1), "A B(A)", "it is the same one");
    done(f, "keep the older");

    f = setup(p);
    answer_marked(f, 5, msec(f), sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_all(f, "unlisted"), APR_SUCCESS, "one that is not listed keeps none");
    IS(written(f, 2), EMPTY, "of the others");
    done(f, "keep an unlisted one");

    /* Two logins with the same older ID are two sessions. */
    f = setup(p);
    answer_marked(f, 5, msec(f), sessions(f, entry(f, "B", "A", 9), entry(f, "C", "A", 9), NULL));
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_all(f, "B"), APR_SUCCESS, "a session of another login");
    IS(keys_written(f, 2), "B(A)", "ends, although both replaced the same ID");
    done(f, "keep one of two");
}

static void test_rounds(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_marked(f, 5, msec(f), sessions(f, entry(f, "A", NULL, 9), entry(f, "X", NULL, 8), NULL));
    answer_ok(f);
    answer_ok(f);
    answer_changed(f);
    answer_marked(f, 6, msec(f), sessions(f, entry(f, "A", NULL, 9), entry(f, "X", NULL, 8), entry(f, "B", "A", 9)));
    answer_ok(f);
    answer_changed(f);
    answer_marked(f, 7, msec(f), sessions(f, entry(f, "X", NULL, 8), entry(f, "B", "A", 9), entry(f, "C", "B", 9)));
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "a session that gets new IDs meanwhile ends as well");
    NUM_IS(ended, 2, "and counts once");
    IS(calls(f),
       "UpdateItem UpdateItem:A UpdateItem:X UpdateItem UpdateItem UpdateItem:B UpdateItem UpdateItem UpdateItem:C "
       "UpdateItem",
       "in further rounds, which end what is new and nothing again");
    IS(written(f, 9), EMPTY, "until the list is empty");
    clean(f, "rounds");
    done(f, "rounds");

    f = setup(p);
    answer_marked(f, 5, msec(f), sessions(f, entry(f, "A", NULL, 9), entry(f, "B", "A", 9), NULL));
    answer_ok(f);
    answer_ok(f);
    answer_changed(f);
    answer_marked(f, 6, msec(f), sessions(f, entry(f, "D", NULL, -1), NULL, NULL));
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "a login of meanwhile");
    NUM_IS(ended, 2, "is another session, while two IDs are one");
    done(f, "another login");
}

/* The rounds that always find another list, and what is listed after them. */
static void crowd(fixture_t *f, const char *listed, const char *after)
{
    int i;

    f->call.deadline = f->w->mono + 1000 * SECOND;
    for (i = 0; i < 3; i++) {
        answer_marked(f, 5 + i, msec(f), listed);
        if (i == 0 && strcmp(listed, EMPTY) != 0) {
            answer_ok(f);
        }
        answer_changed(f);
    }
    answer_list(f, 15, msec(f), after);
}

static void test_crowd(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *rounds = "UpdateItem UpdateItem UpdateItem UpdateItem UpdateItem UpdateItem GetItem";

    crowd(f, EMPTY, sessions(f, entry(f, "N", NULL, -1), NULL, NULL));
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "a crowd of logins after the mark does not keep the end from its answer");
    IS(calls(f), rounds, "after three rounds and a look");
    clean(f, "crowd");
    done(f, "crowd");

    f = setup(p);
    crowd(f, EMPTY, sessions(f, entry(f, "N", NULL, 900), NULL, NULL));
    NUM_IS(end_all(f, NULL), DDB_ECONFLICT, "but a session of before it, which always gets a new ID, has not ended");
    OK(strstr(f->err.detail, "new IDs"), "which the failure says");
    done(f, "runner");

    f = setup(p);
    crowd(f, EMPTY, sessions(f, entry(f, "N", NULL, 900), NULL, NULL));
    NUM_IS(end_all(f, "N"), APR_SUCCESS, "unless it is the one to keep");
    done(f, "runner to keep");

    /* Its row is a tombstone already: only the list could not be told. */
    f = setup(p);
    crowd(f, sessions(f, entry(f, "A", NULL, 900), NULL, NULL), sessions(f, entry(f, "A", NULL, 900), NULL, NULL));
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "nor is one alive that was ended in an earlier round and is still listed");
    NUM_IS(ended, 1, "it counts once");
    IS(calls(f), "UpdateItem UpdateItem:A UpdateItem UpdateItem UpdateItem UpdateItem UpdateItem GetItem",
       "and was ended once");
    clean(f, "ended earlier");
    done(f, "ended earlier");

    f = setup(p);
    crowd(f, sessions(f, entry(f, "A", NULL, 900), NULL, NULL),
          sessions(f, entry(f, "A", NULL, 900), entry(f, "B", "A", 900), NULL));
    NUM_IS(end_all(f, NULL), DDB_ECONFLICT, "a newer ID of it may be alive");
    done(f, "newer ID");
}

/* Another request marked the list with a later time. */
static void test_later_mark(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_changed(f);
    answer_list(f, 5, msec(f) + 7, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_ok(f);
    answer_ok(f);
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "a later mark is as good");
    IS(calls(f), "UpdateItem GetItem UpdateItem:A UpdateItem", "once the list was read");
    IS(given(f, 3, "ended", "N"), number(f, msec(f) + 7), "and stays");
    clean(f, "later mark");
    done(f, "later mark");

    f = setup(p);
    answer_changed(f);
    answer_list(f, 5, msec(f) - 7, EMPTY);
    NUM_IS(end_all(f, NULL), DDB_EBADREPLY, "an earlier one can't have been in the way");
    done(f, "earlier mark");
}

static void test_end_failures(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(end_all(f, NULL), DDB_EUNAVAILABLE, "without a mark");
    NUM_IS(ended, 0, "nothing ends");
    done(f, "no mark");

    f = setup(p);
    answer_marked(f, 5, msec(f), sessions(f, entry(f, "A", NULL, 9), entry(f, "B", NULL, 8), NULL));
    answer_ok(f);
    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(end_all(f, NULL), DDB_EUNAVAILABLE, "half way, the end of all has failed");
    NUM_IS(ended, 1, "although one has ended");
    IS(calls(f), "UpdateItem UpdateItem:A UpdateItem:B UpdateItem:B UpdateItem:B", "and all stay in the list");
    done(f, "half way");

    f = setup(p);
    answer_marked(f, 5, msec(f), sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_ok(f);
    answer_lost(f);
    answer_changed(f);
    answer_marked(f, 6, msec(f), EMPTY);
    answer_ok(f);
    NUM_IS(end_all(f, NULL), APR_SUCCESS, "where the answer to the last write is lost, another round shows it done");
    NUM_IS(ended, 1, "and counts nothing twice");
    done(f, "lost answer");

    f = setup(p);
    world_answer(f->w, 200, "{}");
    NUM_IS(end_all(f, NULL), DDB_EBADREPLY, "a server that does not say what is listed");
    done(f, "no attributes");
}

/* --- sealed lists --- */

static const ddb_seal_t *keys(fixture_t *f, const char *first, const char *second)
{
    apr_array_header_t *all = apr_array_make(f->p, 2, sizeof(const char *));
    ddb_seal_t *s = NULL;

    APR_ARRAY_PUSH(all, const char *) = first;
    if (second) {
        APR_ARRAY_PUSH(all, const char *) = second;
    }
    return ddb_seal_create(&s, all, f->p) == APR_SUCCESS ? s : NULL;
}

/* The list that the i-th request wrote, as the table has it under a key and a version. */
static void answer_written(fixture_t *f, int i, const char *id, const char *version)
{
    world_answer(f->w, 200,
                 SAY("{\"Item\":{\"id\":{\"S\":\"%s\"},\"version\":{\"N\":\"%s\"},\"encoding\":{\"S\":\"sealed\"},"
                     "\"data\":{\"B\":\"%s\"}}}",
                     id, version, given(f, i, "data", "B")));
}

static void test_sealed(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_user_sessions_t list;

    f->call.seal = keys(f, K, NULL);
    answer_list(f, 6, 0, EMPTY);
    NUM_IS(add(f, "A", NULL, &no_limit), DDB_EBADITEM, "a clear list is none where lists are sealed");
    f->call.seal = keys(f, "clear", K);
    answer_list(f, 6, 0, sessions(f, entry(f, "A", NULL, 9), NULL, NULL));
    answer_ok(f);
    NUM_IS(add(f, "B", NULL, &no_limit), APR_SUCCESS, "unless 'clear' is among the keys");
    IS(ddb_json_str(body(f, 2), "UpdateExpression"),
       "SET #data = :data, #version = :version, #expires = :expires, #encoding = :encoding", "the next write seals it");
    IS(given(f, 2, "encoding", "S"), "sealed", "and says so");
    OK(!strstr(bytes_of(f, 2).data, "sessions") && !strstr(bytes_of(f, 2).data, "Lynx"), "nothing of it can be read");

    f->call.seal = keys(f, K, K2);
    answer_written(f, 2, LIST, "7");
    NUM_IS(read_list(f, &list), APR_SUCCESS, "who has the key reads it");
    NUM_IS(list.sessions->nelts, 2, "as it was");
    answer_written(f, 2, LIST, "8");
    NUM_IS(read_list(f, &list), DDB_EBADITEM, "an older list under a newer version is none");
    answer_written(f, 2, "u:other", "7");
    NUM_IS(ddb_user_sessions_read(f->st, &f->call, "u:other", &list), DDB_EBADITEM, "nor is it another user's");
    f->rules.audience = "shop";
    answer_written(f, 2, LIST, "7");
    NUM_IS(read_list(f, &list), DDB_EBADITEM, "nor that of another label");
    f->rules.audience = NULL;
    f->call.seal = keys(f, K2, NULL);
    answer_written(f, 2, LIST, "7");
    NUM_IS(read_list(f, &list), DDB_EBADITEM, "nor without the key");
    OK(strstr(f->err.detail, "SessionDynamoDBSealKeys"), "which the failure names");
    f->call.seal = NULL;
    answer_written(f, 2, LIST, "7");
    NUM_IS(read_list(f, &list), DDB_EBADITEM, "nor without any");
    f->call.seal = keys(f, K, NULL);
    answer_marked(f, 6, msec(f), EMPTY);
    NUM_IS(end_all(f, NULL), DDB_EBADITEM, "all sessions of a list that can't be read can't be ended");
    done(f, "sealed");
}

/* --- what is no list --- */

static void test_read(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_user_sessions_t list;
    const ddb_user_session_t *s;

    answer_list(f, 5, 77, sessions(f, entry(f, "A", NULL, 43199), entry(f, "X", NULL, 43200), entry(f, "B", "A", 5)));
    NUM_IS(read_list(f, &list), APR_SUCCESS, "a list is read");
    IS(list.id, LIST, "under its name");
    OK(list.version == 5 && list.ended == 77 && list.sessions->nelts == 2, "without what has expired");
    s = &APR_ARRAY_IDX(list.sessions, 1, ddb_user_session_t);
    IS(s->key, "B", "a session");
    IS(s->previous, "A", "what it replaced");
    OK(s->created == f->now - 5 && s->expires == f->now - 5 + 43200, "its times");
    IS(s->address, "192.0.2.0/24", "where it began");
    IS(s->agent, "Lynx", "and in what");
    OK(ddb_user_sessions_same(s, s - 1) && ddb_user_sessions_same(s - 1, s), "two IDs of a session are told");
    answer_nothing(f);
    NUM_IS(read_list(f, &list), APR_SUCCESS, "a list that is not there");
    OK(list.version == 0 && list.ended == 0 && list.sessions->nelts == 0, "is empty");
    answer_list(f, 0, 88, NULL);
    NUM_IS(read_list(f, &list), APR_SUCCESS, "so is one that has only a mark");
    OK(list.version == 0 && list.ended == 88 && list.sessions->nelts == 0, "which is read");
    clean(f, "read");
    done(f, "read");
}

static void test_bad(apr_pool_t *p)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"sessions\":5}",
        "{\"sessions\":{}}",
        "{\"sessions\":[5]}",
        "{\"sessions\":[{\"key\":\"A\",\"created\":1,\"expires\":9999999999},null]}",
        "{\"sessions\":[{\"created\":1,\"expires\":9999999999}]}",
        "{\"sessions\":[{\"key\":\"\",\"created\":1,\"expires\":9999999999}]}",
        "{\"sessions\":[{\"key\":\"B\",\"previous\":\"\",\"created\":1,\"expires\":9999999999}]}",
        "{\"sessions\":[{\"key\":\"A\",\"created\":1}]}",
        "{\"sessions\":[{\"key\":\"A\",\"created\":\"1\",\"expires\":9999999999}]}",
        "{\"sessions\":[{\"key\":\"A\",\"created\":1.5,\"expires\":9999999999}]}",
        "{\"sessions\":[]} x",
    };
    static const char *const items[] = {
        "\"version\":{\"N\":\"1\"}",
        "\"version\":{\"N\":\"1\"},\"data\":{\"S\":\"{}\"}",
        "\"version\":{\"N\":\"1\"},\"data\":{\"B\":\"!\"}",
        "\"version\":{\"N\":\"0\"},\"data\":{\"B\":\"eyJzZXNzaW9ucyI6W119\"}",
        "\"version\":{\"S\":\"1\"},\"data\":{\"B\":\"eyJzZXNzaW9ucyI6W119\"}",
        "\"version\":{\"N\":\"1\"},\"data\":{\"B\":\"eyJzZXNzaW9ucyI6W119\"},\"encoding\":{\"S\":\"deflate\"}",
        "\"version\":{\"N\":\"1\"},\"data\":{\"B\":\"eyJzZXNzaW9ucyI6W119\"},\"ended\":{\"S\":\"1\"}",
        "\"ended\":{\"N\":\"-1\"}",
    };
    static const char *const replies[] = { "{\"Item\":5}", "{\"Item\":{}}", "{\"Item\":{\"id\":{\"S\":\"u:other\"}}}",
                                           "{\"Item\":{\"id\":{\"S\":\"u:", "{\"Item\":null}" };
    apr_size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fixture_t *f = setup(p);

        answer_list(f, 3, 0, texts[i]);
        NUM_IS(add(f, "C", NULL, &no_limit), DDB_EBADITEM, SAY("no list: %s", texts[i]));
        OK(*f->err.detail, "which is said");
        done(f, "no list");
    }
    for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        fixture_t *f = setup(p);

        world_answer(f->w, 200, SAY("{\"Item\":{\"id\":{\"S\":\"" LIST "\"},%s}}", items[i]));
        NUM_IS(add(f, "C", NULL, &no_limit), DDB_EBADITEM, SAY("no list's item: %s", items[i]));
        done(f, "no item");
    }
    for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        fixture_t *f = setup(p);

        world_answer(f->w, 200, replies[i]);
        world_answer(f->w, 200, replies[i]);
        answer_nothing(f);
        answer_ok(f);
        NUM_IS(add(f, "C", NULL, &no_limit), APR_SUCCESS, SAY("no reply: %s; it is asked for again", replies[i]));
        IS(calls(f), "GetItem GetItem GetItem UpdateItem", "before anything is written");
        done(f, "no reply");
    }
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_id, test_first, test_next, test_agent, test_largest, test_chain, test_conflict, test_refused,
             test_evict, test_further, test_expired_list, test_deny, test_own_ids, test_remove, test_end_one,
             test_end_all, test_keep, test_rounds, test_crowd, test_later_mark, test_end_failures, test_sealed,
             test_read, test_bad);
}
