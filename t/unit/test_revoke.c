/* Sessions of which only the table key is known: their end, whatever comes before and after it, and a look at them. */

#include "store_world.h"

static const char *const K = "0123456789abcdef0123456789abcdef";

static apr_status_t end_of(fixture_t *f)
{
    f->removes++;
    return ddb_store_revoke(f->st, &f->call, f->row.id);
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

/* --- the write --- */

/* What the i-th request leaves of a row, which need not be there, as the table computes it. */
static ddb_item_t buried(fixture_t *f, int i, const ddb_item_t *row)
{
    ddb_item_t it = tombstone(f, row ? row : &f->row, 0);
    const ddb_json_t *values = ddb_json_child(body(f, i), "ExpressionAttributeValues");
    const apr_int64_t zero = apr_atoi64(ddb_json_str(ddb_json_child(values, ":0"), "N")),
                      one = apr_atoi64(ddb_json_str(ddb_json_child(values, ":1"), "N"));

    it.loggable = row ? row->loggable : NULL;
    it.created = row ? row->created : f->call.now;
    it.version = (row ? row->version : zero) + one;
    it.idle_timeout = (row ? row->idle_timeout : zero) + one;
    it.absolute_timeout = row ? row->absolute_timeout : one;
    it.expires = apr_atoi64(value(f, i, "expires", "N"));
    it.left = strcmp(value(f, i, "ended_by", "S"), "left") == 0;
    it.user_marks = it.listed_in = it.csrf_key = it.successor = NULL;
    it.seal = NULL;
    it.packed = it.encoding = NULL;
    memset(it.write_id, 1, sizeof(it.write_id));
    return it;
}

/* The row is not read: whatever it is, and where none is, the same request ends it. */
static void test_body(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    answer_ok(f);
    NUM_IS(end_of(f), APR_SUCCESS, "a session ends by its table key");
    IS(operations(f), "UpdateItem", "with one write");
    IS(f->w->sent[0].body,
       SAY("{\"TableName\":\"app_session\",\"ReturnConsumedCapacity\":\"TOTAL\",\"Key\":{\"id\":{\"S\":\"%s\"}},"
           "\"ExpressionAttributeValues\":{\":d\":{\"B\":\"\"},"
           "\":a\":{\"S\":\"1970-01-01T00:00:00.000000+00:00\"},\":e\":{\"N\":\"%" APR_INT64_T_FMT "\"},"
           "\":w\":{\"B\":\"AQEBAQEBAQEBAQEBAQEBAQ==\"},\":q\":{\"S\":\"left\"},"
           "\":c\":{\"S\":\"2026-11-23T01:02:03.000004+00:00\"},\":0\":{\"N\":\"0\"},\":1\":{\"N\":\"1\"}},"
           "\"UpdateExpression\":\"SET #d=:d,#a=:a,#e=:e,#w=:w,#q=:q,#v=if_not_exists(#v,:0)+:1,"
           "#i=if_not_exists(#i,:0)+:1,#t=if_not_exists(#t,:1),#c=if_not_exists(#c,:c) REMOVE "
           "#u,#m,#o,#f,#x,#z,#y,#g,#h,#j\","
           "\"ExpressionAttributeNames\":{\"#d\":\"data\",\"#c\":\"created\",\"#a\":\"accessed\",\"#e\":\"expires\","
           "\"#i\":\"idle_timeout\",\"#t\":\"absolute_timeout\",\"#v\":\"version\",\"#w\":\"write_id\","
           "\"#u\":\"user_mark\",\"#m\":\"user_marks\",\"#o\":\"bound\",\"#f\":\"csrf_key\",\"#x\":\"successor\","
           "\"#q\":\"ended_by\",\"#z\":\"encoding\",\"#y\":\"listed_in\",\"#g\":\"device_secret\","
           "\"#h\":\"device_until\",\"#j\":\"device_key\"}}",
           f->row.id, f->now + DDB_STORE_TOMBSTONE),
       "which leaves nothing of the session, for a minute, and another version and idle timeout than anybody has read");
    clean(f, "body");
    finish(f, "body");

    f = setup(p);
    f->call.time = f->call.now + 5 * SECOND;
    answer_ok(f);
    NUM_IS(end_of(f), APR_SUCCESS, "in a request that has taken a while");
    IS(value(f, 0, "expires", "N"), number(f, f->now + 5 + DDB_STORE_TOMBSTONE), "the minute begins with the call");
    finish(f, "later");
}

static void test_no_random(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    ddb_store_create(&f->st, world_client(f->w, 3, p), "app_session", draw_nothing, p);
    NUM_IS(ddb_store_revoke(f->st, &f->call, f->row.id), APR_EGENERAL, "without random bytes nothing ends");
    NUM_IS(f->w->n_sent, 0, "nor is anything sent");
    OK(strstr(f->err.detail, "OpenSSL"), "and the failure says why");
}

/* Who has the ID finds a tombstone, whatever was there. */
static void test_rows(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t over[4];
    ddb_session_t out;
    int i;

    over[0] = f->row;
    over[1] = f->row; /* expired: a save under way may still see it as live */
    over[1].accessed = f->call.now - 3 * HOUR;
    over[1].expires = f->now - 3600;
    over[2] = tombstone(f, &f->row, 30);
    over[3] = grace_row(f, &f->row, f->s.sid, "another ID");
    for (i = 0; i < 4; i++) {
        ddb_item_t after;

        f = setup(p);
        f->row.csrf_key = "AAEC";
        answer_ok(f);
        NUM_IS(end_of(f), APR_SUCCESS, "any row is ended");
        after = buried(f, 0, &over[i]);
        answer_row(f, &after);
        NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, "there is no session under its ID");
        NUM_IS(out.miss, DDB_MISS_LEFT, "because it was ended, also where the ID has led to another one");
        IS(operations(f), "UpdateItem GetItem", "which is all that is asked");
        clean(f, "rows");
        finish(f, "rows");
    }
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

static void test_insert_after(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *key = NULL, *undisclosed = "x", *sid;
    ddb_store_announce_t announce = { announced, &key };
    ddb_session_t s = f->s, out;
    ddb_item_t after;

    drawn = 10; /* the ID that the insert gets next */
    next_row(f, -190, &sid);
    ddb_sid_table_key(&f->row.id, sid, &f->rules, p);
    drawn = 50;
    answer_ok(f);
    NUM_IS(end_of(f), APR_SUCCESS, "a session that is still to come ends, too");
    after = buried(f, 0, NULL);
    NUM_IS(after.version, 1, "by a row in its place, whole and of the first version");
    OK(after.idle_timeout == 1 && after.absolute_timeout == 1, "with timeouts");

    drawn = 10;
    f->call.announce = &announce;
    answer_conflict(f, &after);
    NUM_IS(ddb_store_insert(f->st, &f->call, &s, &undisclosed), APR_NOTFOUND, "the insert does not come about");
    IS(key, f->row.id, "of the key that was announced");
    IS(operations(f), "UpdateItem PutItem", "nor is another ID tried");
    OK(!undisclosed && !s.sid && !s.row, "nothing is left of it");
    clean(f, "insert");

    f->s.sid = sid;
    answer_row(f, &after);
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

/* --- others' writes --- */

/* The attempt that was lost may have come about: the next one buries its tombstone. */
static void test_lost(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t twice, once;
    ddb_session_t current;

    answer_lost(f);
    answer_ok(f);
    NUM_IS(end_of(f), APR_SUCCESS, "where an answer was lost, it is asked again");
    f->removes++;
    IS(operations(f), "UpdateItem UpdateItem", "with one more write");
    IS(f->w->sent[1].body, f->w->sent[0].body, "the same");
    once = buried(f, 0, &f->row);
    twice = buried(f, 1, &once);
    NUM_IS(twice.version, 9, "which hurts nobody: the version");
    NUM_IS(twice.idle_timeout, 7202, "and the timeout move on, away from what others have read");
    clean(f, "lost");
    answer_conflict(f, &twice);
    NUM_IS(save(f, &current), APR_NOTFOUND, "a save under way finds no session");
    NUM_IS(current.miss, DDB_MISS_LEFT, "and the reason");
    finish(f, "lost");

    f = setup(p);
    answer_lost(f);
    answer_lost(f);
    answer_lost(f);
    NUM_IS(end_of(f), DDB_EUNAVAILABLE, "where all answers are lost, it has failed");
    f->removes = 3;
    finish(f, "all lost");

    f = setup(p);
    world_answer(f->w, 400, THROTTLED);
    answer_ok(f);
    NUM_IS(end_of(f), APR_SUCCESS, "a table that is busy is asked again");
    f->removes = 2;
    finish(f, "busy");
}

/* What other requests send later, with what they have read before. */
static void test_after(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t after;
    ddb_session_t current;

    answer_ok(f);
    NUM_IS(end_of(f), APR_SUCCESS, "a session has ended");
    after = buried(f, 0, &f->row);

    answer_conflict(f, &after);
    NUM_IS(save(f, &current), APR_NOTFOUND, "a save that comes later does not revive it");
    NUM_IS(current.miss, DDB_MISS_LEFT, "and is told why");
    IS(value(f, 1, "loaded_version", "N"), "7", "because of the version");
    NUM_IS(after.version, 8, "which is another now");

    answer_conflict(f, &after);
    NUM_IS(ddb_store_touch(f->st, &f->call, &f->s), APR_NOTFOUND, "nor does a touch");
    OK(strstr(ddb_json_str(body(f, 2), "ConditionExpression"), "#i=:i"), "because of the timeout");
    IS(value(f, 2, "idle_timeout", "N"), "7200", "which it has read");
    NUM_IS(after.idle_timeout, 7201, "and which is another now");

    answer_conflict(f, &after);
    NUM_IS(replace(f, &current), APR_NOTFOUND, "nor does it move to another ID");
    NUM_IS(current.miss, DDB_MISS_LEFT, "because it was ended");
    finish(f, "after");
}

/* --- sealed rows --- */

/* Nobody who ends it has to know the version, so its tombstone is not sealed. */
static void test_sealed(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t out, current;
    ddb_item_t after;

    set_seal(f, K, NULL);
    f->s = session_from(f, f->s.sid);
    answer_ok(f);
    NUM_IS(end_of(f), APR_SUCCESS, "a sealed session ends");
    OK(strstr(ddb_json_str(body(f, 0), "UpdateExpression"), "#z"), "with its encoding");
    IS(value(f, 0, "data", "B"), "", "and its data");
    after = buried(f, 0, &f->row);
    answer_row(f, &after);
    NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, "who has the ID finds no session where rows have to be sealed");
    NUM_IS(out.miss, DDB_MISS_LEFT, "and the reason");
    answer_conflict(f, &after);
    NUM_IS(save(f, &current), APR_NOTFOUND, "nor does a save");
    NUM_IS(current.miss, DDB_MISS_LEFT, "which is told as well");
    clean(f, "sealed");
    finish(f, "sealed");
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

/* --- a device --- */

static apr_status_t bind_device(fixture_t *f, const char *key)
{
    const ddb_session_t s = { .key = f->row.id };

    return ddb_store_bind_device(f->st, &f->call, &s, key, f->now + 10);
}

static void test_device(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_item_t row = f->row;
    ddb_session_t s;

    row.device_secret = "AAECAwQFBgcICQoLDA0ODw==";
    row.device_until = f->now + 60;
    answer_row(f, &row);
    NUM_IS(look(f, &s), APR_SUCCESS, "a session that may be bound to a device");
    IS(s.device_secret, row.device_secret, "its secret");
    OK(!s.device_key && s.device_until == row.device_until, "and until when");
    clean(f, "look at a device");

    answer_ok(f);
    NUM_IS(bind_device(f, "AQID"), APR_SUCCESS, "it is bound to one");
    IS(operations(f), "GetItem UpdateItem", "by one write");
    IS(value(f, 1, "device_key", "B"), "AQID", "with its key");
    IS(value(f, 1, "device_until", "N"), SAY("%" APR_INT64_T_FMT, f->now + 10), "and a new time");
    row.device_key = "AQID";
    answer_conflict(f, &row);
    NUM_IS(bind_device(f, "AQID"), APR_SUCCESS, "to the same one, which is no fault");
    answer_conflict(f, &row);
    NUM_IS(bind_device(f, "AQIE"), DDB_ECONFLICT, "not to another one");
    row.device_key = NULL;
    answer_conflict(f, &row);
    NUM_IS(bind_device(f, "AQID"), APR_NOTFOUND, "nor when its time is over");
    row = tombstone(f, &f->row, 60);
    row.device_key = "AQID";
    answer_conflict(f, &row);
    NUM_IS(bind_device(f, "AQID"), APR_NOTFOUND, "nor when it has ended");
    finish(f, "device");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_body, test_no_random, test_rows, test_insert_after, test_announcement, test_lost, test_after,
             test_sealed, test_look, test_device);
}
