/* Sessions of which only the table key is known: their end, whatever comes before and after it, and a look at them. */

#include "store_world.h"

#define BURIED "SET #d=:d,#a=:a,#e=:e,#i=:i,#t=:t,#v=:v,#w=:w,#q=:q REMOVE #u,#z"

static const char *const K = "0123456789abcdef0123456789abcdef";

static apr_status_t end_of(fixture_t *f, int *ended)
{
    *ended = -1;
    return ddb_store_revoke(f->st, &f->call, f->row.id, ended);
}

static const char *number(fixture_t *f, apr_int64_t n)
{
    return ddb_attribute_number(n, f->p);
}

static void set_seal(fixture_t *f, const char *first, const char *second)
{
    apr_array_header_t *keys = apr_array_make(f->p, 2, sizeof(const char *));
    ddb_seal_t *seal = NULL;

    APR_ARRAY_PUSH(keys, const char *) = first;
    if (second) {
        APR_ARRAY_PUSH(keys, const char *) = second;
    }
    ddb_seal_create(&seal, keys, f->p);
    f->call.seal = f->row.seal = seal;
}

/* --- a row --- */

static void test_live(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int ended;

    f->row.listed_in = "u:one u:two";
    answer_row(f, &f->row);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a live session ends by its table key");
    NUM_IS(ended, 1, "and counts");
    IS(operations(f), "GetItem UpdateItem", "with a read and a write");
    OK(consistent(f, 0), "the read is consistent");
    IS(key_of(f, 0), f->row.id, "of its row");
    IS(key_of(f, 1), f->row.id, "and so is the write");
    IS(ddb_json_str(body(f, 1), "ConditionExpression"), "#v=:v0 AND #e>:n", "of the version that was read");
    IS(value(f, 1, "loaded_version", "N"), "7", "which is 7");
    IS(value(f, 1, "now", "N"), "0", "whenever it expires");
    IS(ddb_json_str(body(f, 1), "UpdateExpression"),
       "SET #d=:d,#a=:a,#e=:e,#i=:i,#t=:t,#v=:v,#w=:w,#q=:q REMOVE #u,#z,#y", "a tombstone is left");
    IS(value(f, 1, "data", "B"), "", "without data");
    IS(value(f, 1, "accessed", "S"), "1970-01-01T00:00:00.000000+00:00", "over for every program");
    IS(value(f, 1, "expires", "N"), number(f, f->now + DDB_STORE_TOMBSTONE), "for a minute");
    IS(value(f, 1, "version", "N"), "8", "of the next version");
    IS(value(f, 1, "ended_by", "S"), "left", "as of a user who left");
    IS(value(f, 1, "idle_timeout", "N"), "1", "and with another timeout than a touch under way has read");
    clean(f, "live");
    finish(f, "live");

    f = setup(p);
    f->row.idle_timeout = 1;
    answer_row(f, &f->row);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "where a touch has read 1");
    IS(value(f, 1, "idle_timeout", "N"), "2", "it is 2");
    finish(f, "a second");

    f = setup(p);
    f->call.time = f->call.now + 5 * SECOND;
    answer_row(f, &f->row);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "in a request that has taken a while");
    IS(value(f, 1, "expires", "N"), number(f, f->now + 5 + DDB_STORE_TOMBSTONE), "the minute begins with the call");
    finish(f, "later");
}

/* An expired row may be one that a save under way still sees as live. */
static void test_expired(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int ended;

    f->row.accessed = f->call.now - 3 * HOUR;
    f->row.expires = f->now - 3600;
    answer_row(f, &f->row);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "an expired session ends, too");
    NUM_IS(ended, 0, "but does not count");
    IS(operations(f), "GetItem UpdateItem", "with a read and a write");
    IS(ddb_json_str(body(f, 1), "UpdateExpression"), BURIED, "a tombstone is left");
    finish(f, "expired");
}

static void test_over(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t row = tombstone(f, &f->row, 30), grace = grace_row(f, &f->row, f->s.sid, "another ID");
    int ended;

    answer_row(f, &row);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a tombstone is one already");
    NUM_IS(ended, 0, "and does not count");
    IS(operations(f), "GetItem", "so that nothing is written");
    clean(f, "tombstone");
    finish(f, "tombstone");

    f = setup(p);
    answer_row(f, &grace);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "an ID that leads to a newer one is no session");
    NUM_IS(ended, 0, "and does not count");
    IS(operations(f), "GetItem", "nor is anything written");
    finish(f, "successor");
}

static void test_unreadable(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int ended;

    f->removes = 1;
    world_answer(f->w, 200, SAY("{\"Item\":{\"id\":{\"S\":\"%s\"},\"data\":{\"N\":\"1\"}}}", f->row.id));
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a row that is no session here may be one elsewhere");
    IS(operations(f), "GetItem DeleteItem", "and is deleted");
    IS(key_of(f, 1), f->row.id, "it and no other");
    NUM_IS(ended, 0, "it does not count");
    clean(f, "unreadable");
    finish(f, "unreadable");

    f = setup(p);
    f->row.id = "another";
    answer_row(f, &f->row);
    answer_row(f, &f->row);
    answer_row(f, &f->row);
    f->row.id = f->s.key;
    NUM_IS(end_of(f, &ended), DDB_EBADREPLY, "the row of another request is neither ended");
    IS(operations(f), "GetItem GetItem GetItem", "nor deleted");
    finish(f, "another row");
}

/* --- no row --- */

static apr_status_t announced(void *baton, const ddb_store_call_t *call, const char *key)
{
    const char **kept = baton;

    *kept = apr_pstrdup(call->pool, key);
    return APR_SUCCESS;
}

static apr_status_t refused(void *baton, const ddb_store_call_t *call, const char *key)
{
    (void)key;
    call->err->unsettled = 1;
    return *(apr_status_t *)baton;
}

/* The row that the i-th request, a PutItem, leaves, as a condition's failure shows it. */
static void answer_conflict_with_put(fixture_t *f, int i)
{
    world_answer(f->w, 400, SAY(CONDITION ",\"Item\":%s}", ddb_json_print(ddb_json_child(body(f, i), "Item"), f->p)));
}

static void test_insert_after(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *key = NULL, *undisclosed = "x", *sid;
    ddb_store_announce_t announce = { announced, &key };
    ddb_session_t s = f->s, out;
    int ended;

    drawn = 10; /* the ID that the insert gets next */
    next_row(f, -190, &sid);
    ddb_sid_table_key(&f->row.id, sid, &f->rules, p);
    drawn = 50;
    world_answer(f->w, 200, "{}");
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a session that is still to come ends, too");
    NUM_IS(ended, 0, "and does not count");
    IS(operations(f), "GetItem PutItem", "by a row in its place");
    IS(ddb_json_str(body(f, 1), "ConditionExpression"), "attribute_not_exists(#k)", "if none has come meanwhile");
    IS(value(f, 1, "accessed", "S"), "1970-01-01T00:00:00.000000+00:00", "of no session");
    IS(value(f, 1, "expires", "N"), number(f, f->now + DDB_STORE_TOMBSTONE), "for a minute");
    IS(value(f, 1, "ended_by", "S"), "left", "as of a user who left");
    OK(!value(f, 1, "loggable", "S"), "and of no known ID");

    drawn = 10;
    f->call.announce = &announce;
    answer_conflict_with_put(f, 1);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_NOTFOUND, "the insert does not come about");
    IS(key, f->row.id, "of the key that was announced");
    IS(operations(f), "GetItem PutItem PutItem", "nor is another ID tried");
    OK(!undisclosed && !s.sid && !s.row, "nothing is left of it");
    clean(f, "insert");

    f->s.sid = sid;
    world_answer(f->w, 200, SAY("{\"Item\":%s}", ddb_json_print(ddb_json_child(body(f, 1), "Item"), f->p)));
    NUM_IS(load(f, sid, &out), APR_NOTFOUND, "who has the ID finds no session");
    NUM_IS(out.miss, DDB_MISS_LEFT, "because it was ended");
    clean(f, "load");
    finish(f, "no row");
}

/* What the announcement does is not the row's. */
static void test_announcement(apr_pool_t *p)
{
    apr_status_t wanted[] = { APR_NOTFOUND, DDB_EUNAVAILABLE, DDB_ETOOMANY };
    apr_size_t i;

    for (i = 0; i < 3; i++) {
        fixture_t *f = setup(p);
        ddb_store_announce_t announce = { refused, &wanted[i] };
        const char *undisclosed = "x";
        ddb_session_t s = f->s;

        f->call.announce = &announce;
        NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), wanted[i], "a failed announcement ends the insert");
        NUM_IS(f->w->n_sent, 0, "before its row is sent");
        OK(!undisclosed && !s.sid, "so that no row can be there");
    }
}

/* The insert comes between the read and the write. */
static void test_insert_between(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int ended;

    world_answer(f->w, 200, "{}");
    answer_conflict(f, &f->row);
    answer_row(f, &f->row);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a session that has come meanwhile ends");
    NUM_IS(ended, 1, "and counts");
    IS(operations(f), "GetItem PutItem GetItem UpdateItem", "by its row");
    clean(f, "between");
    finish(f, "between");
}

/* --- others' writes --- */

static void test_save_between(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t saved = row_by(f, 99, 8);
    int ended;

    answer_row(f, &f->row);
    answer_conflict(f, &saved);
    answer_row(f, &saved);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a save between read and write changes nothing");
    NUM_IS(ended, 1, "the session has ended, once");
    IS(operations(f), "GetItem UpdateItem GetItem UpdateItem", "after one more look");
    IS(value(f, 3, "loaded_version", "N"), "8", "at the row as it is");
    clean(f, "save between");
    finish(f, "save between");
}

static void test_lost(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t buried = tombstone(f, &f->row, 60);
    int ended;

    answer_row(f, &f->row);
    answer_lost(f);
    answer_conflict(f, &buried);
    answer_row(f, &buried);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "an attempt whose answer was lost is found");
    NUM_IS(ended, 1, "and counts");
    IS(operations(f), "GetItem UpdateItem UpdateItem GetItem", "by another look");
    clean(f, "lost");
    finish(f, "lost");

    f = setup(p);
    answer_row(f, &f->row);
    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(end_of(f, &ended), DDB_EUNAVAILABLE, "where all answers are lost, it has failed");
    finish(f, "all lost");
}

/* A table whose row never fits the condition. */
typedef struct stubborn_t {
    fixture_t *f;
    int reads, writes;
} stubborn_t;

static apr_status_t answer_stubbornly(void *baton, const ddb_http_request_t *req, apr_pool_t *p,
                                      ddb_http_response_t *res, ddb_error_t *err)
{
    stubborn_t *s = baton;
    fixture_t *f = s->f;
    int is_read = strstr(req->message, "GetItem") != NULL;

    (void)err;
    s->reads += is_read;
    s->writes += !is_read;
    res->status = is_read ? 200 : 400;
    res->headers = apr_table_make(p, 1);
    res->body = is_read ? SAY("{\"Item\":%s}", item_text(f, &f->row)) : CONDITION "}";
    res->body_len = strlen(res->body);
    return APR_SUCCESS;
}

static void test_never_as_read(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    stubborn_t s = { f, 0, 0 };
    int ended;

    f->w->http.perform = answer_stubbornly;
    f->w->http.baton = &s;
    NUM_IS(end_of(f, &ended), DDB_EBADREPLY, "a row that never is as it was read is not taken for ended");
    OK(s.reads == 100 && s.writes == 100, "after a hundred looks");
    OK(strstr(f->err.detail, "never"), "and the failure says so");
}

/* What other requests send later, with what they have read before. */
static void test_after(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t buried;
    ddb_session_t current;
    int ended;

    answer_row(f, &f->row);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a session has ended");
    buried = tombstone(f, &f->row, 60);
    buried.left = 1;
    IS(number(f, buried.idle_timeout), value(f, 1, "idle_timeout", "N"), "and its row is as the tests have it");

    answer_conflict(f, &buried);
    NUM_IS(save(f, &current), APR_NOTFOUND, "a save that comes later does not revive it");
    NUM_IS(current.miss, DDB_MISS_LEFT, "and is told why");
    IS(value(f, 2, "loaded_version", "N"), "7", "because of the version");
    IS(value(f, 1, "version", "N"), "8", "which is another now");

    answer_conflict(f, &buried);
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_NOTFOUND, "nor does a touch");
    OK(strstr(ddb_json_str(body(f, 3), "ConditionExpression"), "#i=:i"), "because of the timeout");
    IS(value(f, 3, "idle_timeout", "N"), "7200", "which is another now");

    answer_conflict(f, &buried);
    NUM_IS(replace(f, &current), APR_NOTFOUND, "nor does it move to another ID");
    NUM_IS(current.miss, DDB_MISS_LEFT, "because it was ended");
    finish(f, "after");
}

/* --- sealed rows --- */

static void test_sealed(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t out;
    int ended;

    set_seal(f, K, NULL);
    drawn = 20;
    ddb_item_seal(&f->row, (const unsigned char *)"twelve bytes", p);
    answer_row(f, &f->row);
    answer_ok(f);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a sealed session ends");
    NUM_IS(ended, 1, "and counts");
    IS(value(f, 1, "encoding", "S"), "sealed", "its tombstone is sealed");
    OK(value(f, 1, "data", "B") && *value(f, 1, "data", "B"), "without data, too");
    finish(f, "sealed");

    /* It opens, as of the version that it names. */
    f->row = tombstone(f, &f->row, 60);
    f->row.packed = NULL;
    f->row.seal = NULL;
    world_answer(
        f->w, 200,
        SAY("{\"Item\":{\"id\":{\"S\":\"%s\"},\"created\":{\"S\":\"2026-11-23T00:02:03.000004+00:00\"},"
            "\"loggable\":{\"S\":\"%s\"},\"accessed\":{\"S\":\"%s\"},\"expires\":{\"N\":\"%s\"},\"idle_timeout\":"
            "{\"N\":\"%s\"},\"absolute_timeout\":{\"N\":\"%s\"},\"version\":{\"N\":\"%s\"},\"write_id\":{\"B\":"
            "\"%s\"},\"data\":{\"B\":\"%s\"},\"encoding\":{\"S\":\"sealed\"},\"ended_by\":{\"S\":\"left\"}}}",
            f->row.id, f->row.loggable, value(f, 1, "accessed", "S"), value(f, 1, "expires", "N"),
            value(f, 1, "idle_timeout", "N"), value(f, 1, "absolute_timeout", "N"), value(f, 1, "version", "N"),
            value(f, 1, "write_id", "B"), value(f, 1, "data", "B")));
    NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, "who has the ID finds no session");
    NUM_IS(out.miss, DDB_MISS_LEFT, "and the reason");

    f = setup(p);
    f->removes = 1;
    answer_row(f, &f->row);
    answer_ok(f);
    set_seal(f, K, NULL);
    NUM_IS(end_of(f, &ended), APR_SUCCESS, "a clear row among sealed ones");
    IS(operations(f), "GetItem DeleteItem", "is deleted");
    finish(f, "clear");
}

/* --- a look --- */

static apr_status_t look(fixture_t *f, ddb_session_t *s)
{
    memset(s, 'x', sizeof(*s));
    return ddb_store_look(f->st, &f->call, f->row.id, s);
}

static void test_look(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t row;
    ddb_session_t s;

    answer_row(f, &f->row);
    NUM_IS(look(f, &s), APR_SUCCESS, "a live session is seen by its table key");
    IS(operations(f), "GetItem", "with one read");
    OK(consistent(f, 0), "which is consistent");
    IS(s.key, f->row.id, "its key");
    OK(s.created == f->row.created && s.accessed == f->row.accessed && s.idle_timeout == 7200
           && s.absolute_timeout == 43200,
       "its times");
    OK(!s.sid && !s.data && !s.row, "and nothing else");

    world_answer(f->w, 200, "{}");
    NUM_IS(look(f, &s), APR_NOTFOUND, "where no row is, there is none");
    NUM_IS(s.miss, DDB_MISS_ABSENT, "which is told");
    row = tombstone(f, &f->row, 60);
    answer_row(f, &row);
    NUM_IS(look(f, &s), APR_NOTFOUND, "a tombstone is none");
    NUM_IS(s.miss, DDB_MISS_OVER, "which is told apart");
    row = f->row;
    row.expires = f->now;
    answer_row(f, &row);
    NUM_IS(look(f, &s), APR_NOTFOUND, "nor is a row whose time is over");
    NUM_IS(s.miss, DDB_MISS_OVER, "which is told as well");
    row = f->row;
    row.accessed = f->call.now - 2 * HOUR;
    answer_row(f, &row);
    NUM_IS(look(f, &s), APR_NOTFOUND, "nor one whose idle timeout has passed, whatever it says");
    row = f->row;
    row.created = f->call.now - 12 * HOUR;
    answer_row(f, &row);
    NUM_IS(look(f, &s), APR_NOTFOUND, "or the absolute one");
    clean(f, "look");
    world_answer(f->w, 200, SAY("{\"Item\":{\"id\":{\"S\":\"%s\"}}}", f->row.id));
    NUM_IS(look(f, &s), DDB_EBADITEM, "what is no session is a failure");
    NUM_IS(s.miss, DDB_MISS_NONE, "and not told to be gone");
    finish(f, "look");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_live, test_expired, test_over, test_unreadable, test_insert_after, test_announcement,
             test_insert_between, test_save_between, test_lost, test_never_as_read, test_after, test_sealed, test_look);
}
