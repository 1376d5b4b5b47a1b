/* How an ID comes to its end: replaced by a login, succeeded by age, used for the first time, ended by a logout. */

#include "store/ddb_csrf.h"
#include "store/ddb_device.h"
#include "store_world.h"

#define NO_GETITEM "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no GetItem\"}"
#define OVER_SET   "SET #d=:d,#a=:a,#e=:e,#i=:i,#t=:t,#v=:v,#w=:w"

/* The ID that the store gives next, and what then stays under the old one if another request was first. */
typedef struct next_t {
    const char *sid;
    ddb_item_t row, grace;
} next_t;

static next_t next_of(fixture_t *f)
{
    next_t n;

    f->call.grace = 60;
    n.row = next_row(f, 1, &n.sid);
    n.grace = grace_row(f, &f->row, f->s.sid, n.sid);
    return n;
}

static apr_status_t succeed(fixture_t *f, ddb_session_t *current)
{
    const char *sid;

    next_row(f, 9, &sid);
    memset(current, 0, sizeof(*current));
    return ddb_store_succeed(f->st, &f->call, &f->s, sid, current);
}

static apr_status_t end(fixture_t *f)
{
    return ddb_store_end(f->st, &f->call, &f->s);
}

/* --- replace and succeed --- */

typedef apr_status_t write_fn(fixture_t *f, ddb_session_t *current);

/* The two differ in what stays, not in what may come between: draw n makes the write ID. */
static const struct {
    write_fn *call;
    int draw;
    const char *name;
} writes[] = { { replace, 1, "replace" }, { succeed, 2, "succeed" } };

/* What both leave. */
static void is_over(fixture_t *f, int draw, const char *what)
{
    IS(operations(f), "UpdateItem", SAY("%s: one UpdateItem", what));
    IS(key_of(f, 0), f->row.id, SAY("%s: of the row", what));
    IS(ddb_json_str(body(f, 0), "ConditionExpression"), "#v=:v0 AND #e>:n",
       SAY("%s: of the version that was read, if it is not over", what));
    IS(value(f, 0, "loaded_version", "N"), "7", "which is 7");
    IS(value(f, 0, "now", "N"), SAY("%" APR_INT64_T_FMT, f->now), "now");
    IS(value(f, 0, "version", "N"), "8", "and becomes 8");
    IS(value(f, 0, "write_id", "B"),
       draw == 1 ? "AQEBAQEBAQEBAQEBAQEBAQ==" : "AgICAgICAgICAgICAgICAg==", "with a write id of its own");
    IS(value(f, 0, "data", "B"), "", "nothing is left of its data");
    IS(value(f, 0, "accessed", "S"), "1970-01-01T00:00:00.000000+00:00", "it is over for every program");
    IS(value(f, 0, "idle_timeout", "N"), "1", "and not what a touch under way has read");
    OK(f->s.version == 7 && strcmp(f->s.data, "a=1") == 0, "what was read of it is as it was");
    OK(!strstr(f->w->sent[0].body, f->s.sid), "the ID is not sent to the table");
    clean(f, what);
    finish(f, what);
}

static void test_replace(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current;

    answer_ok(f);
    NUM_IS(replace(f, &current), APR_SUCCESS, "a session that nobody changed is ended for a new ID");
    IS(ddb_json_str(body(f, 0), "UpdateExpression"), OVER_SET " REMOVE #u,#z", "nor is anything left of its user");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + DDB_STORE_TOMBSTONE),
       "the row says so for a minute");
    is_over(f, 1, "replace");

    f = setup(p);
    f->row.user_marks = "marks";
    f->row.idle_timeout = 1;
    f->row.timeouts_set = 1;
    f->s = session_from(f, f->s.sid);
    answer_ok(f);
    NUM_IS(replace(f, &current), APR_SUCCESS, "with users of realms, and timeouts of an application");
    IS(ddb_json_str(body(f, 0), "UpdateExpression"), OVER_SET ",#b=:b REMOVE #u,#m,#z", "nothing is left of the users");
    IS(value(f, 0, "idle_timeout", "N"), "2", "and where a touch has read 1, it is 2");
    finish(f, "replace with marks");

    f = setup(p);
    f->s.left = 1;
    answer_ok(f);
    NUM_IS(replace(f, &current), APR_SUCCESS, "because its user left");
    IS(ddb_json_str(body(f, 0), "UpdateExpression"), OVER_SET ",#q=:q REMOVE #u,#z", "the row says that, too");
    IS(value(f, 0, "ended_by", "S"), "left", "in a word");
    finish(f, "replace after a logout");

    f = setup(p);
    f->s.row = NULL;
    NUM_IS(replace(f, &current), APR_NOTFOUND, "a session without a row has nothing to end");
    NUM_IS(current.miss, DDB_MISS_ABSENT, "for there is none");
    NUM_IS(f->w->n_sent, 0, "and costs no request, least of all an unconditional write");
    clean(f, "replace without a row");
}

static void test_replace_json(apr_pool_t *p)
{
    fixture_t *f = setup_json(p, 0);
    ddb_session_t current;

    answer_ok(f);
    NUM_IS(replace(f, &current), APR_SUCCESS, "a session that the other program wrote is ended for a new ID");
    OK(strstr(ddb_json_str(body(f, 0), "ConditionExpression"), "attribute_not_exists(#v) AND #d=:d0"),
       "if the row still is as it was read");
    IS(value(f, 0, "data", "S"), "{}", "nothing is left of its data");
    IS(value(f, 0, "accessed", "S"), "1970-01-01T00:00:00.000000+00:00", "it is over for the other program");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + 60 - 86400), "whatever it goes by");
    clean(f, "replace in JSON");
    finish(f, "replace in JSON");
}

static void test_succeed(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t row;
    ddb_session_t current, out;
    const char *next, *found = NULL;

    answer_ok(f);
    NUM_IS(succeed(f, &current), APR_SUCCESS, "an ID that nobody changed gets a successor");
    IS(ddb_json_str(body(f, 0), "UpdateExpression"), OVER_SET ",#x=:x REMOVE #u,#z", "of its users nothing is left");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now - 3600 + 43200),
       "the row says so up to the session's absolute end");
    is_over(f, 2, "succeed");
    row = next_row(f, 9, &next);
    OK(!strstr(f->w->sent[0].body, next), "the newer ID is not sent either");
    NUM_IS(ddb_successor_decrypt(&found, value(f, 0, "successor", "B"), f->s.sid, p), APR_SUCCESS,
           "but the older one opens it");
    IS(found, next, "and finds it");

    f->row = tombstone(f, &f->row, 0);
    f->row.expires = f->now - 3600 + 43200;
    f->row.successor = value(f, 0, "successor", "B");
    answer_row(f, &f->row);
    answer_row(f, &row);
    NUM_IS(load(f, f->s.sid, &out), APR_SUCCESS, "so that the older ID leads to the session");
    IS(out.sid, next, "of the newer one");
    finish(f, "succeed and load");
}

/* An ID that no session has had leads to one. */
static void test_lead(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *from, *key, *next, *found = NULL;
    ddb_item_t row = next_row(f, 9, &next), old;
    ddb_session_t out;

    ddb_sid_derive(&from, &f->rules, "of another store", p);
    ddb_sid_table_key(&key, from, &f->rules, p);
    answer_ok(f);
    NUM_IS(ddb_store_lead(f->st, &f->call, from, next, f->now + 86400), APR_SUCCESS,
           "an ID is made to lead to a session");
    IS(operations(f), "PutItem", "by one PutItem");
    IS(ddb_json_str(body(f, 0), "ConditionExpression"), "attribute_not_exists(#k)", "if it has no row");
    OK(strstr(f->w->sent[0].body, key) && !strstr(f->w->sent[0].body, from) && !strstr(f->w->sent[0].body, next),
       "of its key; neither ID is sent");
    OK(strstr(f->w->sent[0].body, SAY("\"expires\":{\"N\":\"%" APR_INT64_T_FMT "\"}", f->now + 86400)), "for a day");
    OK(strstr(f->w->sent[0].body, "\"accessed\":{\"S\":\"1970-01-01T00:00:00.000000+00:00\"}")
           && strstr(f->w->sent[0].body, "\"data\":{\"B\":\"\"}"),
       "it is no session to any program");
    found = ddb_json_str(ddb_json_child(ddb_json_child(body(f, 0), "Item"), "successor"), "B");
    old = tombstone(f, &f->row, 86400);
    old.id = key;
    old.loggable = mark_of(f, from);
    old.successor = found;
    NUM_IS(ddb_successor_decrypt(&found, found, from, p), APR_SUCCESS, "who has it opens the way");
    IS(found, next, "to the session");
    finish(f, "lead");

    answer_row(f, &old);
    answer_row(f, &row);
    NUM_IS(load(f, from, &out), APR_SUCCESS, "and loads it");
    IS(out.sid, next, "under its own ID");
    finish(f, "lead and load");

    answer_conflict(f, &old);
    NUM_IS(ddb_store_lead(f->st, &f->call, from, next, f->now + 86400), DDB_ECONFLICT, "it leads to one only");
    OK(strstr(f->err.detail, "already") && !f->err.unsettled, "which is certain");
    finish(f, "lead again");

    drawn = 0; /* the first draw is the nonce's, the second the write ID's */
    answer_lost(f);
    memset(old.write_id, 2, sizeof(old.write_id));
    answer_conflict(f, &old);
    NUM_IS(ddb_store_lead(f->st, &f->call, from, next, f->now + 86400), APR_SUCCESS,
           "where an answer is lost, the next attempt finds that it has done it");
    clean(f, "lead, answer lost");
    finish(f, "lead, answer lost");

    drawn = 0;
    answer_lost(f);
    old.write_id[0] = 0;
    answer_conflict(f, &old);
    NUM_IS(ddb_store_lead(f->st, &f->call, from, next, f->now + 86400), DDB_ECONFLICT, "or that another one has");
    finish(f, "lead, answer lost, another one first");
}

static void test_random(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < 2; i++) {
        fixture_t *f = setup(p);
        ddb_session_t current;
        ddb_store_create(&f->st, world_client(f->w, 3, p), "app_session", draw_nothing, p);
        NUM_IS(writes[i].call(f, &current), APR_EGENERAL, SAY("%s without random bytes fails", writes[i].name));
        NUM_IS(f->w->n_sent, 0, "before anything is sent");
        OK(*f->err.detail && !f->err.unsettled && !f->err.attempts, "and says so");
        OK(current.sid == NULL, "and shows no session");
    }
}

/* --- what comes between --- */

static void test_changed(apr_pool_t *p)
{
    apr_size_t i;
    int read;

    for (i = 0; i < 2; i++) {
        for (read = 0; read < 2; read++) {
            fixture_t *f = setup(p);
            ddb_item_t theirs = row_by(f, 99, 8);
            ddb_session_t current;

            answer_conflict(f, read ? NULL : &theirs);
            if (read) {
                answer_row(f, &theirs);
            }
            NUM_IS(writes[i].call(f, &current), DDB_ECONFLICT, SAY("%s: another changed it", writes[i].name));
            IS(operations(f), read ? "UpdateItem GetItem" : "UpdateItem", "with no more requests than it takes");
            OK(current.version == 8 && strcmp(current.data, "b=2") == 0 && strcmp(current.sid, f->s.sid) == 0,
               "and it is shown as it is now");
            finish(f, "changed");
        }
    }
}

/* Another request gave the session a new ID. */
static void test_moved(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < 2; i++) {
        fixture_t *f = setup(p);
        next_t n = next_of(f);
        ddb_item_t row = tombstone(f, &f->row, 60);
        ddb_session_t current;

        answer_conflict(f, &n.grace);
        answer_row(f, &n.row);
        NUM_IS(writes[i].call(f, &current), DDB_ECONFLICT, SAY("%s: it moved by age", writes[i].name));
        OK(current.sid && strcmp(current.sid, n.sid) == 0 && strcmp(current.key, n.row.id) == 0 && current.row,
           "and is shown under its newer ID");
        finish(f, "moved by age");

        f = setup(p);
        answer_conflict(f, &row);
        NUM_IS(writes[i].call(f, &current), APR_NOTFOUND, SAY("%s: a login was first", writes[i].name));
        NUM_IS(current.miss, DDB_MISS_MOVED, "that is why");
        OK(current.sid == NULL, "no session is shown");
        clean(f, "moved by a login");
        finish(f, "moved by a login");

        f = setup(p);
        n = next_of(f);
        row = tombstone(f, &n.row, 60);
        answer_conflict(f, &n.grace);
        answer_row(f, &row);
        NUM_IS(writes[i].call(f, &current), APR_NOTFOUND, SAY("%s: it moved, and a login followed", writes[i].name));
        NUM_IS(current.miss, DDB_MISS_MOVED, "that is why");
        clean(f, "moved by both");
        finish(f, "moved by both");

        f = setup(p);
        n = next_of(f);
        n.row.seen = f->now - 60;
        answer_conflict(f, &n.grace);
        answer_row(f, &n.row);
        NUM_IS(writes[i].call(f, &current), APR_NOTFOUND, SAY("%s: the newer ID is in use", writes[i].name));
        NUM_IS(current.miss, DDB_MISS_REUSED, "that is why");
        clean(f, "newer ID in use");
        finish(f, "newer ID in use");
    }
}

static void test_gone(apr_pool_t *p)
{
    apr_size_t i;
    int lost;

    for (i = 0; i < 2; i++) {
        for (lost = 0; lost < 2; lost++) {
            fixture_t *f = setup(p);
            ddb_session_t current;

            if (lost) {
                answer_lost(f);
            }
            answer_conflict(f, NULL);
            answer_ok(f);
            NUM_IS(writes[i].call(f, &current), APR_NOTFOUND, SAY("%s: another ended it", writes[i].name));
            NUM_IS(current.miss, DDB_MISS_ABSENT, "that is why");
            clean(f, "gone");
            finish(f, "gone");

            f = setup(p);
            f->row.expires = f->now;
            answer_conflict(f, &f->row);
            NUM_IS(writes[i].call(f, &current), APR_NOTFOUND, SAY("%s: it expired", writes[i].name));
            NUM_IS(current.miss, DDB_MISS_OVER, "that is why");
            OK(current.sid == NULL, "no session is shown");
            clean(f, "expired");
            finish(f, "expired");
        }
    }
}

/* --- replies that are lost --- */

/* What our own earlier attempt left. */
static ddb_item_t ours(fixture_t *f, apr_size_t i)
{
    next_t n = next_of(f);
    ddb_item_t row = i ? n.grace : tombstone(f, &f->row, 60);

    memset(row.write_id, writes[i].draw, sizeof(row.write_id));
    return row;
}

static void test_settled(apr_pool_t *p)
{
    apr_size_t i;
    int read;

    for (i = 0; i < 2; i++) {
        for (read = 0; read < 2; read++) {
            fixture_t *f = setup(p);
            ddb_item_t row = ours(f, i);
            ddb_session_t current;

            answer_lost(f);
            answer_conflict(f, read ? NULL : &row);
            if (read) {
                answer_row(f, &row);
            }
            NUM_IS(writes[i].call(f, &current), APR_SUCCESS,
                   SAY("%s whose reply was lost is known by its write id", writes[i].name));
            IS(operations(f), read ? "UpdateItem UpdateItem GetItem" : "UpdateItem UpdateItem", "in the row");
            NUM_IS(f->err.unsettled, 0, "it is settled");
            NUM_IS(f->err.attempts, 2 + read, "all attempts are counted");
            OK(current.sid == NULL, "there is no other session");
            clean(f, "settled");
            finish(f, "settled");
        }
    }
}

static void test_unsettled(apr_pool_t *p)
{
    apr_size_t i;
    int n;

    for (i = 0; i < 2; i++) {
        fixture_t *f = setup(p);
        next_t next = next_of(f);
        ddb_item_t theirs = row_by(f, 99, 8);
        ddb_session_t current;

        for (n = 0; n < 3; n++) {
            answer_lost(f);
        }
        NUM_IS(writes[i].call(f, &current), DDB_EUNAVAILABLE, SAY("%s of unknown outcome fails", writes[i].name));
        NUM_IS(f->err.unsettled, 1, "and says so");
        finish(f, "unknown outcome");

        f = setup(p);
        answer_lost(f);
        answer_conflict(f, &theirs);
        NUM_IS(writes[i].call(f, &current), DDB_ECONFLICT, "a lost one over another's write is a conflict");
        finish(f, "lost, and another's write");

        f = setup(p);
        answer_lost(f);
        answer_conflict(f, &next.grace);
        answer_row(f, &next.row);
        NUM_IS(writes[i].call(f, &current), DDB_ECONFLICT, "so is one after another's move");
        IS(current.sid, next.sid, "to its ID");
        finish(f, "lost, and another's move");

        f = setup(p);
        answer_lost(f);
        answer_conflict(f, NULL);
        world_answer(f->w, 400, NO_GETITEM);
        NUM_IS(writes[i].call(f, &current), DDB_EDENIED, "one that can't be looked at is a failure");
        NUM_IS(f->err.unsettled, 1, "of unknown outcome");
        NUM_IS(f->err.attempts, 3, "all attempts are counted");
        finish(f, "unsettled");

        f = setup(p);
        answer_conflict(f, &next.grace);
        world_answer(f->w, 400, NO_GETITEM);
        NUM_IS(writes[i].call(f, &current), DDB_EDENIED, "so is one whose successor can't be looked at");
        NUM_IS(f->err.unsettled, 0, "which did not happen");
        finish(f, "successor that can't be read");
    }
}

/* --- see --- */

static void test_see(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int i;

    answer_ok(f);
    NUM_IS(ddb_store_see(f->st, &f->call, f->s.key), APR_SUCCESS, "the first use of a newer ID is noted");
    IS(f->w->sent[0].body,
       SAY("{\"TableName\":\"app_session\",\"ReturnConsumedCapacity\":\"TOTAL\",\"Key\":{\"id\":{\"S\":\"%s\"}},"
           "\"ExpressionAttributeValues\":{\":s\":{\"N\":\"%" APR_INT64_T_FMT "\"}},"
           "\"UpdateExpression\":\"SET #s=:s\",\"ConditionExpression\":"
           "\"attribute_exists(#r) AND attribute_not_exists(#s)\","
           "\"ExpressionAttributeNames\":{\"#r\":\"issued\",\"#s\":\"seen\"},"
           "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}",
           f->row.id, f->now),
       "once, in a row that there is");
    IS(operations(f), "UpdateItem", "by one UpdateItem");
    clean(f, "see");
    finish(f, "see");

    f = setup(p);
    f->row.issued = f->now - 10;
    f->row.seen = f->now - 5;
    answer_lost(f);
    answer_conflict(f, &f->row);
    NUM_IS(ddb_store_see(f->st, &f->call, f->s.key), APR_NOTFOUND, "one that is noted already is not noted again");
    IS(operations(f), "UpdateItem UpdateItem", "and nothing else is asked for");
    clean(f, "see again");
    finish(f, "see again");

    f = setup(p);
    answer_conflict(f, NULL);
    NUM_IS(ddb_store_see(f->st, &f->call, f->s.key), APR_NOTFOUND, "a session that is gone is not revived");
    clean(f, "see of none");
    finish(f, "see of none");

    f = setup(p);
    for (i = 0; i < 3; i++) {
        world_answer(f->w, 400, THROTTLED);
    }
    NUM_IS(ddb_store_see(f->st, &f->call, f->s.key), DDB_ETHROTTLED, "a note that is throttled is a failure");
    finish(f, "throttled see");
}

/* The row of an ID that came of age. */
static void test_issued(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = f->s;

    s.issued = f->now;
    s.timeouts_set = 1;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "a session is stored under a newer ID");
    IS(value(f, 0, "issued", "N"), SAY("%" APR_INT64_T_FMT, f->now), "with the time");
    IS(value(f, 0, "timeouts_by", "S"), "application", "and who set its timeouts");
    OK(!strstr(f->w->sent[0].body, "seen") && !strstr(f->w->sent[0].body, "successor"), "nobody has used it");
    OK(s.issued == f->now && s.row->issued == f->now, "which the session knows");
    finish(f, "insert of a newer ID");

    f = setup(p);
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &f->s, NULL), APR_SUCCESS, "another session is stored");
    OK(!strstr(f->w->sent[0].body, "issued") && !strstr(f->w->sent[0].body, "timeouts_by"), "without them");
}

/* Tokens go along to a new ID if the caller wants it. */
static void test_tokens(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = f->s;
    const char *old = s.sid, *token = NULL;

    ddb_csrf_make(&token, old, NULL, ddb_crypto_random, p);
    s.keep_csrf = 1;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "a session is stored under a newer ID");
    IS(value(f, 0, "csrf_key", "B"), s.csrf_key, "with the secret of its tokens");
    NUM_IS(ddb_csrf_check(token, s.sid, s.csrf_key), APR_SUCCESS, "so that an earlier one is valid");
    s.keep_csrf = 0;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "it is stored once more");
    OK(!strstr(f->w->sent[1].body, "csrf_key") && !s.csrf_key, "without it");
    NUM_IS(ddb_csrf_check(token, s.sid, s.csrf_key), APR_NOTFOUND, "and the token is none any more");
    finish(f, "insert with tokens");
}

/* The device to which a session is bound goes along to a new ID if the caller wants it. */
static void test_device_goes_along(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = f->s;

    s.device_window = 60;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "a session is stored that may be bound");
    IS(value(f, 0, "device_secret", "B"), s.device_secret, "... with a secret");
    NUM_IS(strlen(s.device_secret), DDB_DEVICE_SECRET_LEN, "... indeed");
    NUM_IS(s.device_until, f->now + 60, "... for a minute");
    OK(!s.device_key && !strstr(f->w->sent[0].body, "device_key"), "... to no device yet");
    s.device_key = "AQID";
    s.keep_device = 1;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "it gets a new ID");
    IS(value(f, 1, "device_secret", "B"), value(f, 0, "device_secret", "B"), "... and keeps its secret");
    IS(value(f, 1, "device_key", "B"), "AQID", "... and device");
    s.keep_device = 0;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "and another one, anew");
    OK(!s.device_key && !strstr(f->w->sent[2].body, "device_key"), "... without the device");
    IS(value(f, 2, "device_secret", "B"), s.device_secret, "... with a secret of its own");
    NUM_IS(s.device_until, f->now + 60, "... for another minute");
    s.device_window = 0;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "where it is off");
    OK(!s.device_secret && !strstr(f->w->sent[3].body, "device"), "... nothing of it is stored");
    finish(f, "insert with a device");
}

/* --- end --- */

static void is_ended(fixture_t *f, const char *calls, const char *what)
{
    NUM_IS(end(f), APR_SUCCESS, what);
    IS(operations(f), calls, "by these calls");
    NUM_IS(f->err.unsettled, 0, "it is known to be over");
    clean(f, what);
    finish(f, what);
}

static void test_end(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t row;

    answer_ok(f);
    is_ended(f, "DeleteItem", "a session is ended");
    IS(f->w->sent[0].body,
       SAY("{\"TableName\":\"app_session\",\"ReturnConsumedCapacity\":\"TOTAL\",\"Key\":{\"id\":{\"S\":\"%s\"}},"
           "\"ExpressionAttributeValues\":{\":a\":{\"S\":\"1970-01-01T00:00:00.000000+00:00\"}},"
           "\"ConditionExpression\":\"attribute_not_exists(#a) OR #a<>:a\","
           "\"ExpressionAttributeNames\":{\"#a\":\"accessed\"},"
           "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}",
           f->row.id),
       "whatever its row is by now, but one that stands for a move");

    f = setup(p);
    row = tombstone(f, &f->row, 60);
    answer_conflict(f, &row);
    is_ended(f, "DeleteItem", "one that a login replaced is over, and its tombstone stays");
    NUM_IS(f->s.miss, DDB_MISS_MOVED, "which the caller is told");

    f = setup(p);
    row = tombstone(f, &f->row, 60);
    row.left = 1;
    answer_conflict(f, &row);
    is_ended(f, "DeleteItem", "and one whose user left");
    NUM_IS(f->s.miss, DDB_MISS_LEFT, "which is another reason");
    row.left = 0;

    f = setup(p);
    answer_conflict(f, NULL);
    answer_row(f, &row);
    is_ended(f, "DeleteItem GetItem", "which a read tells, too");

    f = setup(p);
    answer_conflict(f, NULL);
    answer_ok(f);
    is_ended(f, "DeleteItem GetItem", "as it does that the row is gone by now");

    f = setup_json(p, 7);
    row = tombstone(f, &f->row, 60);
    answer_conflict(f, &row);
    is_ended(f, "DeleteItem", "in JSON a tombstone stays, too");
}

static void test_end_moved(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    next_t n = next_of(f);
    const char *third;
    ddb_item_t row, last;

    answer_conflict(f, &n.grace);
    answer_row(f, &n.row);
    answer_ok(f);
    is_ended(f, "DeleteItem GetItem DeleteItem", "one that moved by age is ended where it is");
    IS(key_of(f, 2), n.row.id, "under its newer ID");

    f = setup(p);
    n = next_of(f);
    n.row.seen = f->now - 60;
    answer_conflict(f, &n.grace);
    answer_row(f, &n.row);
    answer_ok(f);
    is_ended(f, "DeleteItem GetItem DeleteItem", "however long that one is in use: the request had the session");

    f = setup(p);
    n = next_of(f);
    answer_conflict(f, &n.grace);
    answer_ok(f);
    is_ended(f, "DeleteItem GetItem", "one that moved and was ended there is over");

    f = setup(p);
    n = next_of(f);
    n.row.expires = f->now;
    answer_conflict(f, &n.grace);
    answer_row(f, &n.row);
    is_ended(f, "DeleteItem GetItem", "so is one that expired there");

    f = setup(p);
    n = next_of(f);
    row = tombstone(f, &n.row, 60);
    answer_conflict(f, &n.grace);
    answer_row(f, &row);
    is_ended(f, "DeleteItem GetItem", "and one that a login moved on from there");

    f = setup(p);
    n = next_of(f);
    last = next_row(f, 2, &third);
    row = grace_row(f, &n.row, n.sid, third);
    answer_conflict(f, &n.grace);
    answer_row(f, &n.row);
    answer_conflict(f, &row);
    answer_row(f, &last);
    answer_ok(f);
    is_ended(f, "DeleteItem GetItem DeleteItem GetItem DeleteItem", "one that moves again meanwhile is ended there");
    IS(key_of(f, 4), last.id, "under its newest ID");

    f = setup(p);
    answer_conflict(f, &n.grace);
    answer_row(f, &row);
    answer_conflict(f, &row);
    answer_row(f, &last);
    answer_ok(f);
    is_ended(f, "DeleteItem GetItem DeleteItem GetItem DeleteItem", "as is one that had moved twice");
    IS(key_of(f, 4), last.id, "under its newest ID");
}

static void test_end_failures(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    next_t n = next_of(f);
    int i;

    answer_lost(f);
    answer_ok(f);
    NUM_IS(end(f), APR_SUCCESS, "an end whose reply was lost is asked for again");
    finish(f, "end again");

    f = setup(p);
    for (i = 0; i < 3; i++) {
        answer_lost(f);
    }
    NUM_IS(end(f), DDB_EUNAVAILABLE, "an end of unknown outcome fails");
    NUM_IS(f->err.unsettled, 1, "and says so");
    finish(f, "end of unknown outcome");

    f = setup(p);
    answer_conflict(f, NULL);
    world_answer(f->w, 400, NO_GETITEM);
    NUM_IS(end(f), DDB_EDENIED, "one that met a row that can't be looked at is a failure");
    finish(f, "end at an unreadable row");

    f = setup(p);
    answer_conflict(f, &n.grace);
    world_answer(f->w, 400, NO_GETITEM);
    NUM_IS(end(f), DDB_EDENIED, "so is one whose successor can't be looked at");
    finish(f, "end with an unreadable successor");

    f = setup(p);
    answer_conflict(f, &n.grace);
    answer_row(f, &n.row);
    world_answer(f->w, 400, NO_GETITEM);
    NUM_IS(end(f), DDB_EDENIED, "or can't be deleted");
    finish(f, "end with a successor that stays");

    f = setup(p);
    answer_conflict(f, &n.grace);
    answer_row(f, &n.row);
    answer_conflict(f, &n.grace);
    for (i = 0; i < 3; i++) {
        answer_row(f, &f->row);
    }
    NUM_IS(end(f), DDB_EBADREPLY, "or is answered with another row");
    finish(f, "end with another row");
}

/* No client is given a new ID so often in one request. */
static void test_end_of_tries(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *sid = f->s.sid, *next;
    ddb_item_t of = f->row, row, grace;
    int i;

    f->call.grace = 60;
    for (i = 1; i <= 3; i++) {
        row = next_row(f, i, &next);
        grace = grace_row(f, &of, sid, next);
        answer_conflict(f, &grace);
        answer_row(f, &row);
        of = row;
        sid = next;
    }
    NUM_IS(end(f), DDB_ECONFLICT, "a session that moves with every call is not followed for ever");
    OK(strstr(f->err.detail, "new IDs"), "which is said");
    finish(f, "end that gives up");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_replace, test_replace_json, test_succeed, test_lead, test_random, test_changed, test_moved,
             test_gone, test_settled, test_unsettled, test_see, test_issued, test_tokens, test_device_goes_along,
             test_end, test_end_moved, test_end_failures, test_end_of_tries);
}
