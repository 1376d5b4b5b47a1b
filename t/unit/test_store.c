/* The life of a row through a real client in a scripted world: which call is made when, what each outcome becomes. What
 * becomes of an ID that was replaced: test_moved.c; how it comes to that, and the end of a session: test_ends.c. */

#include <stdlib.h>

#include "store_world.h"

/* --- times --- */

static void test_expires(apr_pool_t *p)
{
    /* created and accessed in seconds, timeouts, end */
    static const struct {
        int created, accessed, idle, absolute, end;
        const char *what;
    } rows[] = {
        { 1000, 1000, 7200, 43200, 8200, "the idle end, when it is nearer" },
        { 1000, 42000, 7200, 43200, 44200, "the absolute end, when it is nearer" },
        { 1000, 1000, 43200, 7200, 8200, "the absolute end, when the idle timeout is the longer" },
        { 1000, 1000, 7200, 7200, 8200, "either, when both are the same" },
        { 1000, 37000, 7200, 43200, 44200, "either, when they meet later" },
        { 1000, 36999, 7200, 43200, 44199, "the idle end, a second before they meet" },
        { 1000, 37001, 7200, 43200, 44200, "the absolute end, a second after they met" },
        { 1000, 1000, 1, 1, 1001, "a second after the start, with the least timeouts" },
    };
    fixture_t *f = setup(p);
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->s.created = apr_time_from_sec(rows[i].created);
        f->s.accessed = apr_time_from_sec(rows[i].accessed);
        f->s.idle_timeout = rows[i].idle;
        f->s.absolute_timeout = rows[i].absolute;
        NUM_IS(ddb_store_expires(&f->s), rows[i].end, SAY("a session ends at %s", rows[i].what));
        f->s.created += 999999;
        f->s.accessed += 999999;
        NUM_IS(ddb_store_expires(&f->s), rows[i].end, "in whole seconds, fractions dropped");
    }
}

/* --- load --- */

static void test_load(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t out;

    f->row.idle_timeout = 10000; /* of this session, whatever is configured now */
    f->row.absolute_timeout = 20000;
    answer_row(f, &f->row);
    NUM_IS(load(f, f->s.sid, &out), APR_SUCCESS, "a stored session is loaded");
    IS(operations(f), "GetItem", "by one GetItem");
    IS(key_of(f, 0), f->row.id, "of the hash of its ID");
    OK(!strstr(f->w->sent[0].body, f->s.sid), "the ID itself is not sent to the table");
    OK(consistent(f, 0), "consistent, when the call says so");
    OK(strcmp(out.sid, f->s.sid) == 0 && strcmp(out.key, f->row.id) == 0, "it knows its ID and its key");
    OK(out.data_len == 3 && strcmp(out.data, "a=1") == 0, "it has the data");
    OK(out.created == f->row.created && out.accessed == f->row.accessed, "a load moves neither created nor accessed");
    OK(out.idle_timeout == 10000 && out.absolute_timeout == 20000, "it has the timeouts stored with it");
    NUM_IS(ddb_store_expires(&out), apr_time_sec(f->row.accessed) + 10000, "and ends by them");
    NUM_IS(out.version, 7, "it has the row's version");
    IS(out.user_mark, "mark", "it has the mark of its user");
    OK(out.user == NULL, "and nobody's name");
    clean(f, "load");
    finish(f, "load");

    f = setup(p);
    f->call.consistent = 0;
    answer_row(f, &f->row);
    NUM_IS(load(f, f->s.sid, &out), APR_SUCCESS, "a session is loaded by an eventually consistent read");
    OK(!consistent(f, 0), "when the call says so");
    finish(f, "eventual load");
}

static void test_load_none(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *sids[8];
    ddb_session_t out;
    int i;

    sids[0] = NULL;
    sids[1] = "";
    sids[2] = apr_pstrmemdup(p, f->s.sid, 42);
    sids[3] = apr_pstrcat(p, f->s.sid, "A", NULL);
    sids[4] = apr_pstrcat(p, "*", f->s.sid + 1, NULL);
    sids[5] = apr_pstrcat(p, f->s.sid, ".c2ln", NULL);
    sids[6] = apr_psprintf(p, "%03000d", 1);
    sids[7] = "\001\377\n";
    for (i = 0; i < 8; i++) {
        NUM_IS(load(f, sids[i], &out), APR_NOTFOUND, SAY("an ID of another form (%d) is no session", i));
        OK(out.sid == NULL, "nothing is handed out");
        NUM_IS(out.miss, DDB_MISS_FORM, "the form is why");
        clean(f, "refused ID");
    }
    NUM_IS(f->w->n_sent, 0, "no ID of another form costs a request");

    answer_ok(f);
    NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, "an unknown ID is no session");
    IS(operations(f), "GetItem", "after one read");
    NUM_IS(out.miss, DDB_MISS_ABSENT, "which is why");
    clean(f, "unknown ID");
    finish(f, "no session");
}

static void test_load_signed(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    apr_array_header_t *keys = apr_array_make(p, 1, sizeof(const char *));
    const char *sid = NULL;
    ddb_session_t out;

    APR_ARRAY_PUSH(keys, const char *) = "a signing key";
    f->rules.keys = keys;
    f->rules.hash = 0;
    NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, "an unsigned ID is no session where IDs are signed");
    ddb_sid_make(&sid, &f->rules, draw, p);
    NUM_IS(load(f, apr_pstrcat(p, sid[0] == 'A' ? "B" : "A", sid + 1, NULL), &out), APR_NOTFOUND,
           "an ID with another's signature neither");
    NUM_IS(f->w->n_sent, 0, "neither costs a request");
    f->row.id = sid;
    f->row.loggable = mark_of(f, sid);
    answer_row(f, &f->row);
    NUM_IS(load(f, sid, &out), APR_SUCCESS, "a signed ID is looked up");
    IS(key_of(f, 0), sid, "as it is, signature and all, where the table keys are not hashed");
    IS(out.key, sid, "which is the key");
}

/* Two rules for IDs that lead to one row: it is the session of the ID that it was made for, and no other's. */
static void test_load_crossing(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    apr_array_header_t *keys = apr_array_make(p, 1, sizeof(const char *));
    const char *sid = NULL, *key = f->row.id;
    ddb_session_t out;

    f->rules.hash = 0;
    answer_row(f, &f->row);
    NUM_IS(load(f, key, &out), APR_NOTFOUND, "a hashed table key is no ID where table keys are IDs");
    NUM_IS(out.miss, DDB_MISS_FOREIGN, "which is said");
    OK(out.sid == NULL && out.data == NULL, "and nothing is handed out");
    clean(f, "a key as an ID");
    f->w->n_sent = f->w->n_answers = 0;

    f->rules.hash = 1;
    f->rules.keys = keys;
    APR_ARRAY_PUSH(keys, const char *) = "a signing key";
    ddb_sid_make(&sid, &f->rules, draw, p);
    ddb_sid_table_key(&f->row.id, sid, &f->rules, p);
    f->row.loggable = mark_of(f, sid);
    answer_row(f, &f->row);
    NUM_IS(load(f, sid, &out), APR_SUCCESS, "a signed ID opens its row");
    f->rules.keys = NULL;
    answer_row(f, &f->row);
    NUM_IS(load(f, apr_pstrmemdup(p, sid, strcspn(sid, ".")), &out), APR_NOTFOUND, "without its signature it does not");
    NUM_IS(out.miss, DDB_MISS_FOREIGN, "which is said");

    f->rules.keys = keys;
    f->row.expires = f->now - 1;
    f->row.loggable = mark_of(f, "another");
    answer_row(f, &f->row);
    NUM_IS(load(f, sid, &out), APR_NOTFOUND, "of another's row nothing else is looked at");
    NUM_IS(out.miss, DDB_MISS_FOREIGN, "not even its end");
    f->row.loggable = apr_pstrcat(p, mark_of(f, sid), "0", NULL);
    answer_row(f, &f->row);
    NUM_IS(load(f, sid, &out), APR_NOTFOUND, "a mark that goes on is another one");
    f->row.loggable = "";
    answer_row(f, &f->row);
    NUM_IS(load(f, sid, &out), APR_NOTFOUND, "so is an empty one");
}

/* Who else writes rows says nothing of the ID, but then the key is the ID. */
static void test_load_unmarked(apr_pool_t *p)
{
    static const struct {
        int format, hash;
        apr_status_t rv;
        const char *what;
    } rows[] = {
        { DDB_FORM, 1, DDB_EBADITEM, "a row without a mark is no session" },
        { DDB_FORM, 0, DDB_EBADITEM, "nor is it where table keys are IDs" },
        { DDB_JSON, 1, DDB_EBADITEM, "nor in JSON where table keys are hashed" },
        { DDB_JSON, 0, APR_SUCCESS, "in JSON under its own ID it is one" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture_t *f = setup(p);
        const char *sid = f->s.sid;
        ddb_session_t out;

        f->rules.hash = rows[i].hash;
        f->call.format = f->row.format = (ddb_format_e)rows[i].format;
        f->row.data = rows[i].format == DDB_JSON ? "{}" : "a=1";
        f->row.data_len = strlen(f->row.data);
        f->row.id = rows[i].hash ? f->row.id : sid;
        f->row.loggable = NULL;
        answer_row(f, &f->row);
        NUM_IS(load(f, sid, &out), rows[i].rv, rows[i].what);
        OK(rows[i].rv == APR_SUCCESS || strstr(f->err.detail, "attribute loggable of the stored session is missing"),
           "and the log is told of it");
    }
}

static void test_load_expired(apr_pool_t *p)
{
    /* seconds from now: created, accessed, expires; timeouts */
    static const struct {
        int created, accessed, expires, idle, absolute;
        apr_status_t rv;
        const char *what;
    } rows[] = {
        { -3600, -60, 1, 7200, 43200, APR_SUCCESS, "expires a second ahead" },
        { -3600, -60, 0, 7200, 43200, APR_NOTFOUND, "expires right now" },
        { -3600, -60, -1, 7200, 43200, APR_NOTFOUND, "expired a second ago, not swept yet" },
        { -3600, -7199, 9999, 7200, 43200, APR_SUCCESS, "a second of idle time left" },
        { -7200, -7200, 9999, 7200, 43200, APR_NOTFOUND, "idle time used up, whatever expires says" },
        { -43199, -60, 9999, 7200, 43200, APR_SUCCESS, "a second of its absolute time left" },
        { -43200, -60, 9999, 7200, 43200, APR_NOTFOUND, "absolute time used up, whatever expires says" },
        { 5, 5, 7205, 7200, 43200, APR_SUCCESS, "a clock five seconds ahead of ours" },
        { 9999999, 9999999, 9999999, 7200, 43200, APR_SUCCESS, "times far in the future" },
        { -3600, 9999999, -1, 7200, 43200, APR_NOTFOUND, "accessed far in the future, expired" },
        { -43200, 9999999, 9999999, 7200, 43200, APR_NOTFOUND, "accessed far in the future, absolute time used up" },
        { 9999999, -7200, 9999999, 7200, 43200, APR_NOTFOUND, "created far in the future, idle time used up" },
    };
    ddb_session_t out;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture_t *f = setup(p);
        f->row.created = f->call.now + apr_time_from_sec(rows[i].created);
        f->row.accessed = f->call.now + apr_time_from_sec(rows[i].accessed);
        f->row.expires = f->now + rows[i].expires;
        f->row.idle_timeout = rows[i].idle;
        f->row.absolute_timeout = rows[i].absolute;
        answer_row(f, &f->row);
        NUM_IS(load(f, f->s.sid, &out), rows[i].rv, SAY("a row with %s", rows[i].what));
        OK((out.sid != NULL) == (rows[i].rv == APR_SUCCESS), "is handed out only if it lives");
        NUM_IS(out.miss, rows[i].rv == APR_SUCCESS ? DDB_MISS_NONE : DDB_MISS_OVER, "or why it is not");
        NUM_IS(out.over, strstr(rows[i].what, "absolute time used up") ? DDB_OVER_ABSOLUTE : DDB_OVER_IDLE,
               "and what ended it");
        OK(out.created <= f->call.now && out.accessed <= f->call.now
               && ddb_store_expires(&out) <= f->now + rows[i].idle,
           "and lives no longer than its timeouts from now");
        clean(f, rows[i].what);
        finish(f, rows[i].what);
    }
}

/* The whole row with one text in it replaced by another. */
static const char *reply_changed(fixture_t *f, const char *from, const char *to)
{
    const char *text = SAY("{\"Item\":%s}", item_text(f, &f->row)), *at = strstr(text, from);

    return at ? SAY("%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) : NULL;
}

static const char *const attributes[][2] = {
    { "id", "S" },       { "data", "B" },         { "created", "S" },          { "accessed", "S" },
    { "expires", "N" },  { "idle_timeout", "N" }, { "absolute_timeout", "N" }, { "version", "N" },
    { "write_id", "B" }, { "user_mark", "S" }
};

static void half_row(apr_pool_t *p, const char *from, const char *to, const char *what)
{
    fixture_t *f = setup(p);
    ddb_session_t out;

    world_answer(f->w, 200, reply_changed(f, from, to));
    NUM_IS(load(f, f->s.sid, &out), DDB_EBADITEM, what);
    OK(out.sid == NULL && out.data == NULL, "nothing of it is handed out");
    OK(strstr(f->err.detail, "attribute "), "and the attribute is named for the log");
    IS(f->err.operation, "GetItem", "with the operation");
    finish(f, what);
}

static void test_load_half(apr_pool_t *p)
{
    static const char *const types[] = { "S", "N", "B", "BOOL" };
    apr_size_t i, j;

    for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        const char *name = attributes[i][0], *from = apr_psprintf(p, "\"%s\":{\"%s\":", name, attributes[i][1]);
        if (strcmp(name, "user_mark") != 0) {
            half_row(p, from, apr_psprintf(p, "\"other_%s\":{\"%s\":", name, attributes[i][1]),
                     apr_psprintf(p, "a row without %s is no whole session", name));
        }
        for (j = 0; j < 4; j++) {
            if (strcmp(types[j], attributes[i][1]) != 0) {
                half_row(p, from, apr_psprintf(p, "\"%s\":{\"%s\":", name, types[j]),
                         apr_psprintf(p, "a row with %s of type %s neither", name, types[j]));
            }
        }
    }
    half_row(p, "\"data\":{\"B\":\"YT0x\"}", "\"data\":{\"B\":\"YQB4\"}", "a row with a NUL in its data neither");
    half_row(p, "+00:00\"},\"loggable\"", "+01:00\"},\"loggable\"", "a row created in another zone than UTC neither");
    half_row(p, "+00:00\"},\"expires\"", "+01:00\"},\"expires\"", "a row accessed in another zone than UTC neither");
}

static void test_load_failures(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t out;
    int i;

    for (i = 0; i < 3; i++) {
        world_answer(f->w, 400, THROTTLED);
    }
    NUM_IS(load(f, f->s.sid, &out), DDB_ETHROTTLED, "a load throttled until the attempts are used up fails");
    IS(operations(f), "GetItem GetItem GetItem", "after three attempts");
    IS(f->err.type, "ThrottlingException", "and names the error");
    finish(f, "throttled load");

    f = setup(p);
    answer_lost(f);
    answer_row(f, &f->row);
    NUM_IS(load(f, f->s.sid, &out), APR_SUCCESS, "a load whose first reply is lost goes on");
    finish(f, "lost reply");

    f = setup(p);
    world_fail(f->w, APR_TIMEUP, 1);
    f->w->answers[0].took = 3 * SECOND;
    NUM_IS(load(f, f->s.sid, &out), APR_TIMEUP, "a load past its deadline fails");
    IS(operations(f), "GetItem", "and is not tried again");
    finish(f, "load past its deadline");

    f = setup(p);
    world_answer(f->w, 400, "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"not authorized\"}");
    NUM_IS(load(f, f->s.sid, &out), DDB_EDENIED, "a load that is denied fails");
    OK(out.sid == NULL, "and hands out nothing");
    finish(f, "denied load");

    f = setup(p);
    world_answer(f->w, 400, "{\"__type\":\"x#ResourceNotFoundException\",\"message\":\"resource not found\"}");
    NUM_IS(load(f, f->s.sid, &out), DDB_EREFUSED, "a missing table is a failure, not a missing session");
    finish(f, "missing table");

    f = setup(p);
    f->row.id = "AnotherSessionsKeyxxxxxxxxxxxxxxxxxxxxxxxxx";
    for (i = 0; i < 3; i++) {
        answer_row(f, &f->row);
    }
    NUM_IS(load(f, f->s.sid, &out), DDB_EBADREPLY, "another session's row is not handed out");
    OK(out.sid == NULL && out.data == NULL, "in no part");
    finish(f, "another's row");
}

/* --- insert --- */

static apr_status_t draw_same(void *out, apr_size_t len)
{
    memset(out, 9, len);
    return APR_SUCCESS;
}

static apr_status_t draw_id_only(void *out, apr_size_t len)
{
    return len == DDB_WRITE_ID_BYTES ? APR_EGENERAL : draw(out, len);
}

/* Draw 1 is the ID of a new session, draw 2 its write id; a next try takes 3 and 4. */
static const char *key_of_draw(fixture_t *f, int n)
{
    const char *sid = NULL, *key = NULL;
    unsigned char before = drawn;

    drawn = (unsigned char)(n - 1);
    ddb_sid_make(&sid, &f->rules, draw, f->p);
    ddb_sid_table_key(&key, sid, &f->rules, f->p);
    drawn = before;
    return key;
}

static ddb_item_t inserted_row(fixture_t *f)
{
    ddb_item_t row = row_by(f, 2, 1);

    row.id = key_of_draw(f, 1);
    return row;
}

static ddb_session_t new_session(const fixture_t *f)
{
    return (ddb_session_t){
        .data = "b=2", .data_len = 3, .created = f->call.now, .idle_timeout = 600, .absolute_timeout = 6000
    };
}

static void test_insert(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f);
    const char *undisclosed = "old";

    s.user_mark = "of the session that this one replaces";
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_SUCCESS, "a new session is stored");
    IS(operations(f), "PutItem", "by one PutItem");
    IS(ddb_json_str(body(f, 0), "ConditionExpression"), "attribute_not_exists(#k)", "where no such row is");
    NUM_IS(ddb_sid_check(s.sid, &f->rules, p), APR_SUCCESS, "its ID is a good one");
    IS(s.key, key_of_draw(f, 1), "its key is that of the ID");
    IS(value(f, 0, "id", "S"), s.key, "and of the row");
    IS(value(f, 0, "data", "B"), "Yj0y", "the data is stored");
    IS(value(f, 0, "created", "S"), "2026-11-23T01:02:03.000004+00:00", "and when it was created");
    IS(value(f, 0, "accessed", "S"), "2026-11-23T01:02:03.000004+00:00", "accessed is now");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + 600), "expires by the timeouts of its creation");
    IS(value(f, 0, "idle_timeout", "N"), "600", "its idle timeout");
    IS(value(f, 0, "absolute_timeout", "N"), "6000", "its absolute timeout");
    IS(value(f, 0, "version", "N"), "1", "its version is the first");
    IS(value(f, 0, "write_id", "B"), "AgICAgICAgICAgICAgICAg==", "its write id is random");
    IS(value(f, 0, "loggable", "S"), apr_pstrmemdup(p, ddb_sid_loggable(s.sid, p), 32), "the hash that logs show, cut");
    OK(value(f, 0, "user_mark", "S") == NULL && s.user_mark == NULL, "it is nobody's when the caller names nobody");
    NUM_IS(s.version, 1, "the session knows its version");
    NUM_IS(s.accessed, f->call.now, "and its time");
    clean(f, "insert");
    finish(f, "insert");
}

#define STAFF "basic:staff"

static ddb_marks_e knows(const ddb_session_t *s, const char *realm, const char *user, apr_pool_t *p)
{
    const ddb_marks_user_t who = { .realm = realm, .user = user };
    ddb_marks_e found = DDB_MARKS_OTHER;

    return ddb_store_find_user(&found, s, &who, p) == APR_SUCCESS ? found : DDB_MARKS_OTHER;
}

/* A user of a realm is marked, and the marks go along to a new ID. */
static void test_realms(apr_pool_t *p)
{
    static const ddb_marks_user_t alice = { .realm = STAFF, .user = "alice" };
    static const ddb_marks_user_t root = { .realm = "form:admin", .user = "root" };
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f), current;
    const char *first;

    s.login = &alice;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "a session of a user in a realm is stored");
    IS(value(f, 0, "user_marks", "S"), s.user_marks, "with the user's mark");
    OK(!strstr(f->w->sent[0].body, "alice") && !strstr(f->w->sent[0].body, "staff"), "and without any name");
    NUM_IS(knows(&s, STAFF, "alice", p), DDB_MARKS_SAME, "it knows the user");
    NUM_IS(knows(&s, STAFF, "bob", p), DDB_MARKS_OTHER, "from another one");
    NUM_IS(knows(&s, "form:admin", "alice", p), DDB_MARKS_NOBODY, "in that realm alone");
    s.user = "alice";
    s.login = &root;
    answer_ok(f);
    NUM_IS(ddb_store_save(f->st, &f->call, &s, &current), APR_SUCCESS, "a user of another realm comes");
    NUM_IS(knows(&s, STAFF, "alice", p) + knows(&s, "form:admin", "root", p), 2 * DDB_MARKS_SAME, "and both are known");
    first = s.sid;
    s.login = NULL;
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "it gets a new ID");
    OK(strcmp(first, s.sid) != 0, "which is another");
    NUM_IS(knows(&s, STAFF, "alice", p) + knows(&s, "form:admin", "root", p), 2 * DDB_MARKS_SAME, "and knows both");
    NUM_IS(knows(&s, "form:admin", "alice", p), DDB_MARKS_OTHER,
           "where realms are told apart, the old mark is not asked");
    finish(f, "users of realms");
}

static void test_insert_user(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f), nobody = new_session(f);

    s.user = "alice";
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "a new session of a user is stored");
    IS(value(f, 0, "user_mark", "S"), s.user_mark, "with the mark of the user");
    OK(s.user_mark && !strstr(f->w->sent[0].body, "alice"), "and without the name");
    NUM_IS(knows(&s, STAFF, "alice", p), DDB_MARKS_SAME, "a row without realms is this user's in each");
    NUM_IS(knows(&s, STAFF, "bob", p), DDB_MARKS_NOBODY, "and tells nothing of another");
    s.user_mark = apr_pstrcat(p, s.user_mark, "A", NULL);
    NUM_IS(knows(&s, STAFF, "alice", p), DDB_MARKS_NOBODY, "a longer mark is another's");
    s.user_mark = "";
    NUM_IS(knows(&s, STAFF, "alice", p), DDB_MARKS_NOBODY, "an empty mark is nobody's");
    NUM_IS(knows(&nobody, STAFF, "alice", p), DDB_MARKS_NOBODY, "a session of nobody is not this user's");
    finish(f, "insert for a user");
}

static void test_insert_settled(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f);
    ddb_item_t row = inserted_row(f);
    const char *undisclosed = "old";

    answer_lost(f);
    answer_conflict(f, &row);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_SUCCESS,
           "an insert whose reply was lost is known by its write id");
    IS(operations(f), "PutItem PutItem", "in the row of the failed condition");
    IS(s.key, row.id, "and has the ID of its first attempt");
    NUM_IS(s.version, 1, "and the first version");
    NUM_IS(f->err.unsettled, 0, "it is settled");
    NUM_IS(f->err.attempts, 2, "by two attempts");
    clean(f, "settled insert");
    finish(f, "settled insert");

    f = setup(p);
    s = new_session(f);
    f->call.consistent = 0;
    answer_lost(f);
    answer_conflict(f, NULL);
    answer_row(f, &row);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_SUCCESS,
           "where the server gives no row, one read settles it");
    IS(operations(f), "PutItem PutItem GetItem", "after the condition failed");
    OK(consistent(f, 2), "a consistent one, whatever the call says of loads");
    IS(key_of(f, 2), row.id, "of the same key");
    NUM_IS(f->err.unsettled, 0, "it is settled");
    NUM_IS(f->err.attempts, 3, "and all attempts are counted");
    clean(f, "insert settled by a read");
    finish(f, "insert settled by a read");
}

static void no_session(fixture_t *f, const ddb_session_t *s, const char *what)
{
    OK(s->sid == NULL && s->key == NULL && s->version == 0, SAY("%s: the session has no ID", what));
    OK(*f->err.detail, SAY("%s: something is said", what));
}

static void test_insert_unsettled(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f);
    const char *undisclosed = NULL;
    int i;

    for (i = 0; i < 3; i++) {
        answer_lost(f);
    }
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), DDB_EUNAVAILABLE, "an insert of unknown outcome fails");
    NUM_IS(f->err.unsettled, 1, "and says so");
    IS(undisclosed, key_of_draw(f, 1), "and names the row that may be there");
    no_session(f, &s, "unknown outcome");
    finish(f, "unknown outcome");

    f = setup(p);
    s = new_session(f);
    undisclosed = NULL;
    answer_lost(f);
    answer_conflict(f, NULL);
    for (i = 0; i < 3; i++) {
        world_fail(f->w, DDB_EUNAVAILABLE, 0);
    }
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), DDB_EUNAVAILABLE,
           "an insert that can't be settled fails");
    NUM_IS(f->err.unsettled, 1, "the failed read does not settle it");
    IS(f->err.operation, "GetItem", "the error is the read's");
    NUM_IS(f->err.attempts, 5, "all attempts are counted");
    IS(undisclosed, key_of_draw(f, 1), "and the row that may be there is named");
    no_session(f, &s, "failed settling");
    finish(f, "failed settling");

    f = setup(p);
    s = new_session(f);
    for (i = 0; i < 3; i++) {
        answer_lost(f);
    }
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), DDB_EUNAVAILABLE, "the caller need not ask for the row");
    finish(f, "row not asked for");
}

static void test_insert_failures(apr_pool_t *p)
{
    static const struct {
        int status;
        const char *body;
        apr_status_t rv;
        int sent;
    } rows[] = {
        { 400, THROTTLED, DDB_ETHROTTLED, 3 },
        { 400, "{\"__type\":\"x#ValidationException\",\"message\":\"Item size has exceeded the maximum allowed size\"}",
          DDB_ETOOLARGE, 1 },
        { 400, "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no\"}", DDB_EDENIED, 1 },
    };
    const char *undisclosed;
    apr_size_t i;
    int n;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture_t *f = setup(p);
        ddb_session_t s = new_session(f);
        s.sid = f->s.sid; /* of the session that this one would have replaced */
        s.key = f->s.key;
        s.version = 7;
        undisclosed = "old";
        for (n = 0; n < rows[i].sent; n++) {
            world_answer(f->w, rows[i].status, rows[i].body);
        }
        NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), rows[i].rv,
               SAY("an insert answered %s", rows[i].body));
        OK(undisclosed == NULL && !f->err.unsettled, "leaves no row behind");
        no_session(f, &s, "refused insert");
        finish(f, "refused insert");
    }
}

static void test_insert_random(apr_pool_t *p)
{
    static ddb_random_fn *const randoms[] = { draw_nothing, draw_id_only };
    int i;

    for (i = 0; i < 2; i++) {
        fixture_t *f = setup(p);
        ddb_session_t s = new_session(f), current = s;
        const char *undisclosed = "old";
        ddb_store_create(&f->st, world_client(f->w, 3, p), "app_session", randoms[i], p);
        OK(ddb_store_insert(f->st, &f->call, &s, &undisclosed) != APR_SUCCESS, "an insert without random bytes fails");
        NUM_IS(f->w->n_sent, 0, "before anything is sent");
        OK(undisclosed == NULL && !f->err.unsettled, "and leaves no row behind");
        no_session(f, &s, "no random bytes");
        OK(ddb_store_save(f->st, &f->call, &f->s, &current) != APR_SUCCESS, "a save without a write id fails");
        NUM_IS(f->w->n_sent, 0, "before anything is sent");
        NUM_IS(f->s.version, 7, "and the session is as it was");
    }
}

static void test_insert_collisions(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f);
    ddb_item_t taken = inserted_row(f);
    const char *undisclosed = "old";
    int i;

    memset(taken.write_id, 77, sizeof(taken.write_id));
    answer_conflict(f, &taken);
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_SUCCESS, "an ID that is taken is passed over");
    IS(operations(f), "PutItem PutItem", "for another");
    OK(strcmp(key_of(f, 0), key_of(f, 1)) != 0, "a different one");
    OK(strcmp(value(f, 0, "write_id", "B"), value(f, 1, "write_id", "B")) != 0, "with a write id of its own");
    IS(s.key, key_of_draw(f, 3), "which is the session's");
    clean(f, "collision");
    finish(f, "collision");

    f = setup(p);
    s = new_session(f);
    answer_lost(f);
    answer_conflict(f, NULL);
    answer_ok(f);
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_SUCCESS, "so is one whose row has gone meanwhile");
    IS(operations(f), "PutItem PutItem GetItem PutItem", "after a look");
    finish(f, "collision with a row that has gone");

    f = setup(p);
    s = new_session(f);
    world_answer(f->w, 400, SAY(CONDITION ",\"Item\":{\"id\":{\"S\":\"%s\"}}}", taken.id));
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_SUCCESS, "so is one with half a row under it");
    clean(f, "collision with half a row");
    finish(f, "collision with half a row");

    f = setup(p);
    s = new_session(f);
    ddb_store_create(&f->st, world_client(f->w, 3, p), "app_session", draw_same, p);
    drawn = 8;
    taken.id = key_of_draw(f, 9);
    for (i = 0; i < 3; i++) {
        if (i == 2) {
            answer_lost(f);
        }
        answer_conflict(f, &taken);
    }
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), DDB_ECONFLICT,
           "the third taken ID in a row is a failure");
    IS(operations(f), "PutItem PutItem PutItem PutItem", "after three tries, the last of two attempts");
    OK(undisclosed == NULL && !f->err.unsettled, "none of the rows is ours");
    no_session(f, &s, "three collisions");
    finish(f, "three collisions");
}

/* --- save --- */

static void as_it_was(fixture_t *f, const char *what)
{
    OK(f->s.version == 7 && f->s.accessed == f->row.accessed && strcmp(f->s.data, "b=2") == 0,
       SAY("%s: the session is as it was", what));
}

static void test_save(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current;

    answer_ok(f);
    NUM_IS(save(f, &current), APR_SUCCESS, "a changed session is saved");
    IS(operations(f), "UpdateItem", "by one UpdateItem");
    IS(key_of(f, 0), f->row.id, "of its row");
    IS(ddb_json_str(body(f, 0), "ConditionExpression"), "#v=:v0 AND #e>:n",
       "which nobody changed since, and which lives");
    IS(value(f, 0, "loaded_version", "N"), "7", "the version that was read");
    IS(value(f, 0, "now", "N"), SAY("%" APR_INT64_T_FMT, f->now), "the time of the request");
    IS(value(f, 0, "data", "B"), "Yj0y", "the data is written");
    IS(value(f, 0, "accessed", "S"), "2026-11-23T01:02:03.000004+00:00", "accessed is now");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + 7200), "expires moves with it");
    IS(value(f, 0, "idle_timeout", "N"), "7200", "the idle timeout is written");
    IS(value(f, 0, "absolute_timeout", "N"), "43200", "the absolute timeout is written");
    IS(value(f, 0, "version", "N"), "8", "the version counts up");
    IS(value(f, 0, "write_id", "B"), "AQEBAQEBAQEBAQEBAQEBAQ==", "the write has an id of its own");
    IS(value(f, 0, "user_mark", "S"), "mark", "the mark of the user stays");
    OK(!strstr(f->w->sent[0].body, "created"), "created is not touched");
    OK(f->s.version == 8 && f->s.accessed == f->call.now, "the session knows its version and time");
    IS(f->s.user_mark, "mark", "and its mark");
    clean(f, "save");
    finish(f, "save");

    answer_ok(f);
    NUM_IS(save(f, &current), APR_SUCCESS, "it can be saved again in the same request");
    IS(value(f, 1, "loaded_version", "N"), "8", "on top of the first save");
    IS(value(f, 1, "write_id", "B"), "AgICAgICAgICAgICAgICAg==", "with another write id");
    finish(f, "second save");
}

static void test_save_times(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current;

    f->s.created = f->call.now - 43000 * SECOND;
    answer_ok(f);
    NUM_IS(save(f, &current), APR_SUCCESS, "a session near its absolute end is saved");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + 200), "and ends there");
    IS(value(f, 0, "accessed", "S"), "2026-11-23T01:02:03.000004+00:00", "although it was used now");
    finish(f, "absolute-bound save");

    f = setup(p);
    f->s.idle_timeout = 60;
    f->s.absolute_timeout = 90000;
    answer_ok(f);
    NUM_IS(save(f, &current), APR_SUCCESS, "a session with new timeouts is saved");
    IS(value(f, 0, "idle_timeout", "N"), "60", "with the new idle timeout");
    IS(value(f, 0, "absolute_timeout", "N"), "90000", "and the new absolute timeout");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + 60), "and ends by them");
    finish(f, "new timeouts");
}

static void test_save_user(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current;

    f->s.user = "alice";
    answer_ok(f);
    NUM_IS(save(f, &current), APR_SUCCESS, "a session is saved for a user");
    NUM_IS(knows(&f->s, STAFF, "alice", p), DDB_MARKS_SAME, "whose it is then");
    IS(value(f, 0, "user_mark", "S"), f->s.user_mark, "by the mark that is stored");
    OK(!strstr(f->w->sent[0].body, "alice"), "the name is not");
    finish(f, "save for a user");

    f = setup(p);
    f->s.user = "alice";
    answer_conflict(f, &f->row);
    NUM_IS(save(f, &current), DDB_ECONFLICT, "when that fails");
    IS(f->s.user_mark, "mark", "the mark is as it was");
    finish(f, "failed save for a user");

    f = setup(p);
    f->s.user_mark = NULL;
    answer_ok(f);
    NUM_IS(save(f, &current), APR_SUCCESS, "a session of nobody is saved");
    OK(value(f, 0, "user_mark", "S") == NULL && f->s.user_mark == NULL, "for nobody");
    finish(f, "save for nobody");
}

static void test_save_conflict(apr_pool_t *p)
{
    ddb_session_t current;
    int read;

    for (read = 0; read < 2; read++) {
        fixture_t *f = setup(p);
        ddb_item_t theirs = row_by(f, 99, 8);
        theirs.data = "c=3&d=4";
        theirs.data_len = 7;
        theirs.idle_timeout = 5555;
        theirs.user_mark = "other mark";
        f->s.user = "alice";
        answer_conflict(f, read ? NULL : &theirs);
        if (read) {
            f->call.consistent = 0;
            answer_row(f, &theirs);
        }
        NUM_IS(save(f, &current), DDB_ECONFLICT, read ? "a conflict is read after" : "another's write is a conflict");
        IS(operations(f), read ? "UpdateItem GetItem" : "UpdateItem", "with no more requests than it takes");
        OK(!read || consistent(f, 1), "a read that settles is consistent");
        OK(current.sid && strcmp(current.sid, f->s.sid) == 0 && strcmp(current.key, f->s.key) == 0,
           "the row as it is now has the same ID");
        IS(current.data, "c=3&d=4", "their data");
        NUM_IS(current.version, 8, "their version");
        NUM_IS(current.idle_timeout, 5555, "their timeouts");
        IS(current.user_mark, "other mark", "and their mark");
        OK(current.user == NULL, "but no name");
        NUM_IS(current.created, f->row.created, "and when it was created");
        as_it_was(f, "conflict");
        IS(f->err.operation, "UpdateItem", "the error is of the write");
        OK(*f->err.detail, "and says something");
        finish(f, "conflict");
    }
}

static void test_save_gone(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current;
    ddb_item_t theirs;

    answer_conflict(f, NULL);
    answer_ok(f);
    NUM_IS(save(f, &current), APR_NOTFOUND, "a session that was ended meanwhile stays ended");
    IS(operations(f), "UpdateItem GetItem", "nothing is written");
    OK(current.sid == NULL, "there is no row to show");
    as_it_was(f, "ended meanwhile");
    clean(f, "ended meanwhile");
    finish(f, "ended meanwhile");

    f = setup(p);
    f->row.expires = f->now;
    answer_conflict(f, &f->row);
    NUM_IS(save(f, &current), APR_NOTFOUND, "a session that expired meanwhile is not revived");
    OK(current.sid == NULL, "there is no row to show");
    clean(f, "expired meanwhile");
    finish(f, "expired meanwhile");

    f = setup(p);
    theirs = row_by(f, 99, 8);
    theirs.accessed = f->call.now - 7200 * SECOND;
    answer_conflict(f, NULL);
    answer_row(f, &theirs);
    NUM_IS(save(f, &current), APR_NOTFOUND, "nor one that another changed before it expired");
    clean(f, "changed and expired");
    finish(f, "changed and expired");
}

static void test_save_settled(apr_pool_t *p)
{
    ddb_session_t current;
    int read;

    for (read = 0; read < 2; read++) {
        fixture_t *f = setup(p);
        ddb_item_t ours = row_by(f, 1, 8);
        answer_lost(f);
        answer_conflict(f, read ? NULL : &ours);
        if (read) {
            answer_row(f, &ours);
        }
        NUM_IS(save(f, &current), APR_SUCCESS, "a save whose reply was lost is known by its write id");
        IS(operations(f), read ? "UpdateItem UpdateItem GetItem" : "UpdateItem UpdateItem", "in the row");
        OK(f->s.version == 8 && f->s.accessed == f->call.now, "the session knows its version and time");
        OK(current.sid == NULL, "there is no other row");
        NUM_IS(f->err.unsettled, 0, "it is settled");
        IS(f->err.operation, "UpdateItem", "the record is of the write");
        NUM_IS(f->err.attempts, 2 + read, "all attempts are counted");
        clean(f, "settled save");
        finish(f, "settled save");
    }
}

static void test_save_unsettled(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current;
    ddb_item_t theirs = row_by(f, 99, 9);
    int i;

    answer_lost(f);
    answer_conflict(f, &theirs);
    NUM_IS(save(f, &current), DDB_ECONFLICT, "a lost save that another wrote over is a conflict");
    NUM_IS(current.version, 9, "with their version");
    as_it_was(f, "written over");
    finish(f, "written over");

    f = setup(p);
    answer_lost(f);
    answer_conflict(f, NULL);
    answer_ok(f);
    NUM_IS(save(f, &current), APR_NOTFOUND, "a lost save of a session that was ended is no save");
    as_it_was(f, "lost and ended");
    finish(f, "lost and ended");

    f = setup(p);
    for (i = 0; i < 3; i++) {
        answer_lost(f);
    }
    NUM_IS(save(f, &current), DDB_EUNAVAILABLE, "a save of unknown outcome fails");
    NUM_IS(f->err.unsettled, 1, "and says so");
    as_it_was(f, "unknown outcome");
    finish(f, "unknown outcome of a save");

    f = setup(p);
    answer_lost(f);
    answer_conflict(f, NULL);
    world_answer(f->w, 400, "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no GetItem\"}");
    NUM_IS(save(f, &current), DDB_EDENIED, "a save that can't be settled fails with what the read failed with");
    NUM_IS(f->err.unsettled, 1, "the failed read does not settle it");
    IS(f->err.type, "AccessDeniedException", "the error is the read's");
    NUM_IS(f->err.attempts, 3, "all attempts are counted");
    as_it_was(f, "failed settling");
    finish(f, "failed settling of a save");
}

static void test_save_failures(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current;
    int i;

    for (i = 0; i < 3; i++) {
        world_answer(f->w, 400, THROTTLED);
    }
    NUM_IS(save(f, &current), DDB_ETHROTTLED, "a save throttled until the attempts are used up fails");
    NUM_IS(f->err.unsettled, 0, "and was surely not carried out");
    as_it_was(f, "throttled");
    finish(f, "throttled save");

    f = setup(p);
    world_fail(f->w, APR_TIMEUP, 1);
    f->w->answers[0].took = 3 * SECOND;
    NUM_IS(save(f, &current), APR_TIMEUP, "a save past its deadline fails");
    NUM_IS(f->err.unsettled, 1, "and may have been carried out");
    as_it_was(f, "deadline");
    finish(f, "save past its deadline");

    f = setup(p);
    answer_conflict(f, NULL);
    f->w->answers[0].took = 3 * SECOND;
    NUM_IS(save(f, &current), APR_TIMEUP, "the read that settles has the same deadline");
    as_it_was(f, "settling past the deadline");
    finish(f, "settling past the deadline");

    f = setup(p);
    world_answer(f->w, 400, SAY(CONDITION ",\"Item\":{\"id\":{\"S\":\"%s\"}}}", f->row.id));
    NUM_IS(save(f, &current), DDB_EBADITEM, "half a row is not merged with");
    OK(current.sid == NULL, "nor shown");
    as_it_was(f, "half a row");
    finish(f, "half a row");

    f = setup(p);
    world_answer(f->w, 400, SAY(CONDITION ",%s", reply_changed(f, "YT0x", "AAAA") + 1));
    NUM_IS(save(f, &current), DDB_EBADITEM, "nor a row with NULs in its data");
    finish(f, "NULs in a row");
}

/* --- touch, remove --- */

static void test_touch(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_ok(f);
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_SUCCESS, "a session in use is touched");
    IS(operations(f), "UpdateItem", "by one UpdateItem");
    IS(key_of(f, 0), f->row.id, "of its row");
    IS(ddb_json_str(body(f, 0), "UpdateExpression"), "SET #a=:a,#e=:e", "of two times");
    OK(!strstr(f->w->sent[0].body, "version") && !strstr(f->w->sent[0].body, "write_id")
           && !strstr(f->w->sent[0].body, "created") && !strstr(f->w->sent[0].body, "data"),
       "and of nothing else");
    IS(value(f, 0, "accessed", "S"), "2026-11-23T01:02:03.000004+00:00", "accessed becomes now");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + 7200), "expires moves");
    IS(value(f, 0, "now", "N"), SAY("%" APR_INT64_T_FMT, f->now), "of a row that lives now");
    IS(value(f, 0, "idle_timeout", "N"), "7200", "and still has this idle timeout");
    IS(value(f, 0, "absolute_timeout", "N"), "43200", "and this absolute timeout");
    OK(strstr(ddb_json_str(body(f, 0), "ConditionExpression"), "attribute_exists(#k)"),
       "and exists: nothing is revived");
    OK(f->s.version == 7 && f->s.accessed == f->row.accessed, "the session is as it was");
    clean(f, "touch");
    finish(f, "touch");

    f = setup(p);
    f->s.created = f->call.now - 36001 * SECOND;
    answer_ok(f);
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_SUCCESS, "a touch moves expires as far as the absolute end");
    IS(value(f, 0, "expires", "N"), SAY("%" APR_INT64_T_FMT, f->now + 43200 - 36001), "and no farther");
    finish(f, "touch up to the absolute end");
}

static void test_touch_nothing(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int i;

    answer_conflict(f, NULL);
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_NOTFOUND, "a touch of a session that has ended moves nothing");
    IS(operations(f), "UpdateItem", "and looks no further");
    clean(f, "touch of an ended session");
    finish(f, "touch of an ended session");

    f = setup(p);
    answer_lost(f);
    answer_conflict(f, &f->row);
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_NOTFOUND, "a touch that was carried out already moves nothing");
    finish(f, "touch after a lost touch");

    f = setup(p);
    f->s.created = f->call.now - 43000 * SECOND;
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_NOTFOUND, "at the absolute end a touch would move nothing");
    NUM_IS(f->w->n_sent, 0, "and costs no request");
    clean(f, "touch at the absolute end");

    f->s = session_from(f, f->s.sid);
    f->s.accessed = f->call.now;
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_NOTFOUND, "nor does one of a session used right now");
    NUM_IS(f->w->n_sent, 0, "which costs no request either");

    f = setup(p);
    for (i = 0; i < 3; i++) {
        world_answer(f->w, 400, THROTTLED);
    }
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), DDB_ETHROTTLED, "a throttled touch is a failure");
    finish(f, "throttled touch");
}

static void test_remove(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int i;

    answer_ok(f);
    f->removes = 1;
    NUM_IS(ddb_store_remove(f->st, &f->call, f->s.key), APR_SUCCESS, "a session is ended");
    IS(operations(f), "DeleteItem", "by one DeleteItem");
    IS(key_of(f, 0), f->row.id, "of its row");
    OK(!ddb_json_has(body(f, 0), "ConditionExpression"), "whatever the row is by now");
    clean(f, "remove");
    finish(f, "remove");

    f = setup(p);
    answer_lost(f);
    answer_ok(f);
    f->removes = 2;
    NUM_IS(ddb_store_remove(f->st, &f->call, f->s.key), APR_SUCCESS, "an end whose reply was lost is asked for again");
    finish(f, "remove again");

    f = setup(p);
    for (i = 0; i < 3; i++) {
        answer_lost(f);
    }
    f->removes = 3;
    NUM_IS(ddb_store_remove(f->st, &f->call, f->s.key), DDB_EUNAVAILABLE, "an end of unknown outcome fails");
    NUM_IS(f->err.unsettled, 1, "and says so");
    finish(f, "remove of unknown outcome");
}

static void test_made(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    char table[] = "one";
    ddb_store_t *st = NULL;

    NUM_IS(ddb_store_create(&st, world_client(f->w, 3, p), table, draw, p), APR_SUCCESS, "a store is made");
    table[0] = 'X';
    world_answer(f->w, 200, "{}");
    NUM_IS(ddb_store_remove(st, &f->call, "key"), APR_SUCCESS, "and a call made");
    OK(strstr(f->w->sent[0].body, "\"TableName\":\"one\""), "with a copy of the table's name");
}

/* --- size --- */

/* Data that makes the session's item that large. */
static void fill_item(fixture_t *f, ddb_session_t *s, ddb_item_t it, apr_size_t size)
{
    char *data;

    it.data_len = 0;
    s->data_len = size - ddb_item_size(&it);
    data = apr_palloc(f->p, s->data_len + 1);
    memset(data, 'x', s->data_len);
    data[s->data_len] = '\0';
    s->data = data;
}

static ddb_item_t row_to_be(const fixture_t *f, const ddb_session_t *s, const char *key)
{
    ddb_item_t it = f->row;

    it.id = key;
    it.user_mark = s->user_mark;
    it.expires = f->now + s->idle_timeout;
    it.idle_timeout = s->idle_timeout;
    it.absolute_timeout = s->absolute_timeout;
    it.version = s->version + 1;
    return it;
}

static void nothing_sent(fixture_t *f, const char *what)
{
    NUM_IS(f->w->n_sent, 0, SAY("%s: nothing is sent", what));
    OK(f->err.attempts == 0 && !f->err.unsettled && !*f->err.operation && !*f->err.type && !f->err.http_status,
       SAY("%s: and the record says so", what));
}

static void test_size_save(apr_pool_t *p)
{
    static const apr_size_t limits[] = { 0, 409600, 1024, 5000 };
    fixture_t *f;
    ddb_session_t current, before;
    apr_size_t i, most;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        f = setup(p);
        f->call.max_size = limits[i];
        most = limits[i] ? limits[i] : 409600;
        fill_item(f, &f->s, row_to_be(f, &f->s, f->s.key), most);
        answer_ok(f);
        NUM_IS(ddb_store_save(f->st, &f->call, &f->s, &current), APR_SUCCESS, SAY("%lu bytes are saved", most));
        finish(f, "save at the limit");

        f = setup(p);
        f->call.max_size = limits[i];
        fill_item(f, &f->s, row_to_be(f, &f->s, f->s.key), most + 1);
        before = f->s;
        NUM_IS(ddb_store_save(f->st, &f->call, &f->s, &current), DDB_ETOOLARGE, "a byte more is not");
        nothing_sent(f, "save over the limit");
        OK(memcmp(&before, &f->s, sizeof(before)) == 0, "the session is as it was");
        OK(strstr(f->err.detail, SAY("would have %lu bytes, more than the %lu that SessionDynamoDBMaxSize allows",
                                     (unsigned long)most + 1, (unsigned long)most)),
           "the detail names size and limit");
        OK(strlen(f->err.detail) < sizeof(f->err.detail) - 1, "and is whole");
        finish(f, "save over the limit");
    }
}

static void test_size_insert(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f);
    const char *undisclosed = "old";

    /* The digits that the store adds itself count too. */
    fill_item(f, &s, row_to_be(f, &s, f->s.key), 409600 - strlen("loggable") - DDB_ITEM_LOGGABLE_LEN);
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "a new session of 400 KB is stored");
    finish(f, "insert at the limit");

    f = setup(p);
    s = new_session(f);
    fill_item(f, &s, row_to_be(f, &s, f->s.key), 409601);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), DDB_ETOOLARGE, "one of a byte more is not");
    nothing_sent(f, "insert over the limit");
    no_session(f, &s, "insert over the limit");
    OK(undisclosed == NULL, "there is no row to take away");
    NUM_IS(drawn, 2, "no second ID is tried");
    finish(f, "insert over the limit");

    f = setup(p);
    s = new_session(f);
    s.user = "alice";
    fill_item(f, &s, row_to_be(f, &s, f->s.key), 409600);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), DDB_ETOOLARGE, "the mark of the user counts");
    finish(f, "insert with a mark");
}

static void test_size_others(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->call.max_size = 100; /* set lower after the session was stored */
    answer_ok(f);
    answer_ok(f);
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_SUCCESS, "a touch makes nothing larger and is not asked");
    NUM_IS(ddb_store_remove(f->st, &f->call, f->s.key), APR_SUCCESS, "nor is an end");
    f->removes = 1;
    finish(f, "limit set lower");
}

/* --- compressed --- */

static void test_packed(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = new_session(f), current, loaded;
    ddb_item_t theirs;

    f->call.compress = 1000;
    fill_item(f, &s, row_to_be(f, &s, f->s.key), 2 * 409600);
    answer_ok(f);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, NULL), APR_SUCCESS, "the size that counts is that of what is stored");
    IS(value(f, 0, "encoding", "S"), "deflate", "which is compressed");
    OK(strlen(value(f, 0, "data", "B")) < 2000, "and small");
    finish(f, "packed insert");

    theirs = *s.row;
    answer_row(f, &theirs);
    f->call.compress = 0;
    NUM_IS(ddb_store_load(f->st, &f->call, s.sid, &loaded), APR_SUCCESS,
           "it can be loaded where nothing is compressed");
    OK(loaded.data_len == s.data_len && strcmp(loaded.data, s.data) == 0, "and is the same");
    loaded.data = "b=2";
    loaded.data_len = 3;
    answer_ok(f);
    NUM_IS(ddb_store_save(f->st, &f->call, &loaded, &current), APR_SUCCESS, "and saved");
    IS(value(f, 2, "data", "B"), "Yj0y", "as it is");
    OK(strstr(ddb_json_str(body(f, 2), "UpdateExpression"), "REMOVE #u,#z"), "which takes the mark away");
    finish(f, "packed load");
}

static void test_packed_conflict(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current, filled = f->s;
    ddb_item_t theirs = f->row;

    f->call.compress = 10;
    fill_item(f, &filled, row_to_be(f, &f->s, f->s.key), 5000);
    theirs.data = filled.data;
    theirs.data_len = filled.data_len;
    theirs.version = 8;
    ddb_item_pack(&theirs, 10, p);
    OK(theirs.packed, "another request has stored compressed data");
    answer_conflict(f, &theirs);
    NUM_IS(save(f, &current), DDB_ECONFLICT, "a save on top of the row before is a conflict");
    OK(current.data_len == filled.data_len && strcmp(current.data, filled.data) == 0, "with the data as it is now");
    finish(f, "packed conflict");

    f = setup(p);
    f->call.compress = 10;
    f->s.data = filled.data;
    f->s.data_len = filled.data_len;
    memset(theirs.write_id, 1, sizeof(theirs.write_id));
    theirs.id = f->s.key;
    answer_lost(f);
    answer_conflict(f, &theirs);
    NUM_IS(ddb_store_save(f->st, &f->call, &f->s, &current), APR_SUCCESS,
           "our own lost write is known by its write id");
    NUM_IS(f->s.version, 8, "and is done");
    OK(strcmp(f->s.data, filled.data) == 0, "with the data that was meant");
    clean(f, "packed settled");
    finish(f, "packed settled");
}

/* --- rows that dynamodb-session-flask writes too --- */

static void test_json_save(apr_pool_t *p)
{
    fixture_t *f = setup_json(p, 0);
    ddb_session_t current;

    answer_ok(f);
    answer_ok(f);
    f->s.idle_timeout = 60;
    NUM_IS(save(f, &current), APR_SUCCESS, "a session that the other program wrote is saved");
    OK(strstr(ddb_json_str(body(f, 0), "ConditionExpression"), "attribute_not_exists(#v) AND #d=:d0"),
       "if the row still is as it left it");
    IS(value(f, 0, "loaded_data", "S"), "{\"a\":1}", "with the data that was read");
    IS(value(f, 0, "loaded_idle_timeout", "N"), "7200", "and the timeouts that were read");
    IS(value(f, 0, "idle_timeout", "N"), "60", "whatever they are now");
    IS(value(f, 0, "version", "N"), "1", "and gets our first version");
    NUM_IS(f->s.version, 1, "which the session knows");
    NUM_IS(save(f, &current), APR_SUCCESS, "it can be saved again in the same request");
    IS(value(f, 1, "loaded_version", "N"), "1", "on top of the first save");
    IS(value(f, 1, "loaded_data", "S"), "b=2", "and its data");
    IS(value(f, 1, "loaded_idle_timeout", "N"), "60", "and its timeouts");
    finish(f, "save of JSON");
}

static void test_json_conflict(apr_pool_t *p)
{
    fixture_t *f = setup_json(p, 7);
    ddb_item_t theirs = f->row;
    ddb_session_t current;

    theirs.data = "{\"a\":2}"; /* version and write id are ours still */
    answer_conflict(f, &theirs);
    NUM_IS(save(f, &current), DDB_ECONFLICT, "the other program's write is a conflict");
    OK(current.version == 7 && strcmp(current.data, "{\"a\":2}") == 0, "and is shown as it is now");
    f->s = current;
    answer_ok(f);
    NUM_IS(save(f, &current), APR_SUCCESS, "on top of it the session is saved");
    IS(value(f, 1, "loaded_data", "S"), "{\"a\":2}", "on condition that it stays the last");
    finish(f, "conflict in JSON");

    f = setup_json(p, 7);
    theirs = f->row;
    memset(theirs.write_id, 1, sizeof(theirs.write_id)); /* of the first attempt, whose answer is lost */
    theirs.version = 8;
    answer_lost(f);
    answer_conflict(f, &theirs);
    NUM_IS(save(f, &current), APR_SUCCESS, "our own lost write is known although the other program overwrote its data");
    finish(f, "settled in JSON");

    f = setup_json(p, 7);
    world_answer(f->w, 400, SAY(CONDITION ",\"Item\":{\"id\":{\"S\":\"%s\"}}}", f->row.id));
    world_answer(f->w, 200, SAY("{\"Item\":{\"id\":{\"S\":\"%s\"}}}", f->row.id));
    NUM_IS(save(f, &current), APR_NOTFOUND, "a row that a touch left of an ended session is no session");
    finish(f, "rest of a row");
}

/* --- other ways to a row, and who is told of writes --- */

typedef struct way_t {
    fixture_t *f;
    const char *body; /* of a reply; NULL: a GetItem */
    const char *keys; /* of the rows, with the IDs that open them */
    int all_consistent;
} way_t;

static apr_status_t read_by(void *baton, ddb_store_read_t *read)
{
    way_t *way = baton;

    way->keys = apr_pstrcat(way->f->p, way->keys, read->key, " ", read->sid, " ", NULL);
    way->all_consistent &= read->consistent;
    return way->body ? ddb_store_read_reply(read, way->body, strlen(way->body)) : ddb_store_read_get(read);
}

static void test_reader(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    way_t way = { .f = f, .keys = "", .all_consistent = 1 };
    const ddb_store_reader_t reader = { .read = read_by, .baton = &way };
    const char *next;
    ddb_item_t row = next_row(f, 1, &next), old = grace_row(f, &f->row, f->s.sid, next);
    ddb_session_t out, current;

    f->call.reader = &reader;
    way.body = SAY("{\"Item\":%s}", item_text(f, &f->row));
    NUM_IS(load(f, f->s.sid, &out), APR_SUCCESS, "a load reads by another way");
    IS(out.data, "a=1", "... the row that it gives");
    NUM_IS(f->w->n_sent, 0, "... without a call");
    IS(way.keys, SAY("%s %s ", f->row.id, f->s.sid), "... which knows key and ID");
    way.body = SAY("{\"Item\":%s}", item_text(f, &row));
    NUM_IS(load(f, f->s.sid, &out), DDB_EBADREPLY, "another row is refused");
    way.body = "{}";
    NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, "no row is no session");
    NUM_IS(out.miss, DDB_MISS_ABSENT, "... as if the table had none");

    way.body = NULL;
    way.keys = "";
    answer_row(f, &old);
    answer_row(f, &row);
    NUM_IS(load(f, f->s.sid, &out), APR_SUCCESS, "an ID that was replaced leads to its successor");
    IS(way.keys, SAY("%s %s %s %s ", f->row.id, f->s.sid, row.id, next), "... whose row is read that way, too");
    OK(way.all_consistent, "... consistently");

    way.keys = "";
    answer_conflict(f, NULL);
    row = row_by(f, 50, 9);
    answer_row(f, &row);
    NUM_IS(save(f, &current), DDB_ECONFLICT, "a write that meets another one");
    IS(way.keys, "", "... is settled by a read of its own");
    finish(f, "reader");
}

static const char *told;

static void tell(void *baton, const char *key)
{
    fixture_t *f = baton;

    told = SAY("%s%d:%s ", told, f->w->n_sent, strcmp(key, f->row.id) == 0 ? "it" : "other");
}

static void test_watch(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t current = { 0 }, s = f->s;

    told = "";
    ddb_store_watch(f->st, tell, f);
    answer_row(f, &f->row);
    load(f, f->s.sid, &current);
    IS(told, "", "nobody is told of a read");
    answer_ok(f);
    save(f, &current);
    IS(told, "1:it 2:it ", "who watches is told before a write is sent and after it");
    told = "";
    f->call.now += HOUR;
    answer_ok(f);
    ddb_store_touch(f->st, &f->call, &f->s);
    IS(told, "2:it 3:it ", "also of a touch");
    told = "";
    answer_ok(f);
    ddb_store_see(f->st, &f->call, f->row.id);
    IS(told, "3:it 4:it ", "... of the first use of an ID");
    told = "";
    answer_lost(f);
    answer_ok(f);
    ddb_store_end(f->st, &f->call, &s);
    IS(told, "4:it 6:it ", "... of an end, whatever its attempts");
    told = "";
    answer_ok(f);
    ddb_store_remove(f->st, &f->call, f->row.id);
    IS(told, "6:it 7:it ", "... of a removal");
    told = "";
    answer_ok(f);
    replace(f, &current);
    IS(told, "7:it 8:it ", "... of a replacement");
    told = "";
    answer_ok(f);
    ddb_store_insert(f->st, &f->call, &s, NULL);
    IS(told, "8:other 9:other ", "... of a new row");
    f->removes = 1;
    finish(f, "watch");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_made, test_expires, test_load, test_load_none, test_load_signed, test_load_crossing,
             test_load_unmarked, test_load_expired, test_load_half, test_load_failures, test_insert, test_insert_user,
             test_realms, test_insert_settled, test_insert_unsettled, test_insert_failures, test_insert_random,
             test_insert_collisions, test_save, test_save_times, test_save_user, test_save_conflict, test_save_gone,
             test_save_settled, test_save_unsettled, test_save_failures, test_touch, test_touch_nothing, test_remove,
             test_json_save, test_json_conflict, test_size_save, test_size_insert, test_size_others, test_packed,
             test_packed_conflict, test_reader, test_watch);
}
