/* What a replaced ID is to those who still come with it: a tombstone's for a minute, or the way to its successor. How
 * an ID comes to that: test_ends.c. */

#include "store_world.h"

/* An ID that was replaced by age, whose row leads to the next one. */
typedef struct way_t {
    fixture_t *f;
    const char *next; /* the ID */
    ddb_item_t row, grace;
} way_t;

static way_t way(apr_pool_t *p)
{
    way_t y = { .f = setup(p) };

    y.f->call.grace = 60;
    y.row = next_row(y.f, 1, &y.next);
    y.grace = grace_row(y.f, &y.f->row, y.f->s.sid, y.next);
    return y;
}

/* No session is handed out, for this reason. */
static void is_none(fixture_t *f, const ddb_session_t *out, ddb_miss_e why, const char *what)
{
    NUM_IS(out->miss, why, SAY("%s: that is why", what));
    OK(out->sid == NULL && out->data == NULL && out->row == NULL, SAY("%s: nothing is handed out", what));
    clean(f, what);
    finish(f, what);
}

/* --- tombstones --- */

static void test_tombstone(apr_pool_t *p)
{
    static const struct {
        int seconds; /* left */
        ddb_miss_e miss;
        ddb_over_e over;
        const char *what;
    } rows[] = {
        { 60, DDB_MISS_MOVED, DDB_OVER_IDLE, "an ID that a login replaced right now" },
        { 1, DDB_MISS_LEFT, DDB_OVER_IDLE, "one whose user left almost a minute ago" },
        { 0, DDB_MISS_OVER, DDB_OVER_MOVED, "one of a minute ago" },
        { -3600, DDB_MISS_OVER, DDB_OVER_LEFT, "one whose user left an hour ago, not swept yet" },
    };
    apr_size_t i;
    int json;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (json = 0; json < 2; json++) {
            fixture_t *f = json ? setup_json(p, 7) : setup(p);
            ddb_item_t row = tombstone(f, &f->row, rows[i].seconds);
            ddb_session_t out;

            row.left = i % 2;
            answer_row(f, &row);
            NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, SAY("%s is no session", rows[i].what));
            IS(operations(f), "GetItem", "which one read tells");
            is_none(f, &out, rows[i].miss, json ? "tombstone in JSON" : "tombstone");
            NUM_IS(out.over, rows[i].over, "later it still tells what became of it");
        }
    }
}

/* The previous version left the end of such a row a day ago, and the timeouts of the session. */
static void test_previous_version(apr_pool_t *p)
{
    int json;

    for (json = 0; json < 2; json++) {
        fixture_t *f = json ? setup_json(p, 7) : setup(p);
        ddb_item_t row = f->row;
        ddb_session_t out;

        row.accessed = 0;
        row.data = json ? "{}" : "";
        row.data_len = strlen(row.data);
        row.expires = f->now - 86400;
        answer_row(f, &row);
        NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, "a row that the previous version replaced is no session");
        is_none(f, &out, DDB_MISS_OVER, "row of the previous version");
    }
}

/* --- the way to the successor --- */

static void test_follow(apr_pool_t *p)
{
    /* seconds from now when the successor was first used, the grace */
    static const struct {
        int used, seen, grace;
        ddb_miss_e miss;
        const char *what;
    } rows[] = {
        { 0, 0, 60, DDB_MISS_NONE, "whose successor nobody has used" },
        { 0, 0, 0, DDB_MISS_NONE, "whose successor nobody has used, without a grace" },
        { 1, 0, 60, DDB_MISS_NONE, "whose successor is used as of now" },
        { 1, -59, 60, DDB_MISS_NONE, "in the last second of its grace" },
        { 1, -60, 60, DDB_MISS_REUSED, "after its grace" },
        { 1, -9999, 60, DDB_MISS_REUSED, "long after its grace" },
        { 1, -60, 61, DDB_MISS_NONE, "in a longer grace" },
        { 1, 0, 0, DDB_MISS_REUSED, "whose successor is used as of now, without a grace" },
        { 1, 5, 60, DDB_MISS_NONE, "whose successor is used where a clock is fast" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        way_t y = way(p);
        fixture_t *f = y.f;
        ddb_session_t out;
        int lives = rows[i].miss == DDB_MISS_NONE;

        f->call.consistent = 0;
        f->call.grace = rows[i].grace;
        y.row.seen = rows[i].used ? f->now + rows[i].seen : 0;
        answer_row(f, &y.grace);
        answer_row(f, &y.row);
        NUM_IS(load(f, f->s.sid, &out), lives ? APR_SUCCESS : APR_NOTFOUND, SAY("an ID %s", rows[i].what));
        IS(operations(f), "GetItem GetItem", "is judged by both rows");
        IS(key_of(f, 1), y.row.id, "of which the second is the successor's");
        OK(!consistent(f, 0) && consistent(f, 1), "read as it is now, for it may be new");
        if (!lives) {
            is_none(f, &out, rows[i].miss, rows[i].what);
            continue;
        }
        NUM_IS(out.miss, DDB_MISS_NONE, "it leads to a session");
        OK(strcmp(out.sid, y.next) == 0 && strcmp(out.key, y.row.id) == 0, "that has the newer ID");
        OK(strcmp(out.data, "n=1") == 0 && out.version == 1 && out.row, "and what its own row has");
        OK(out.issued == f->now - 10 && out.seen == y.row.seen, "and knows when it was given, and used");
        clean(f, rows[i].what);
        finish(f, rows[i].what);
    }
}

/* The successor comes by its own ID. */
static void test_successor_itself(apr_pool_t *p)
{
    way_t y = way(p);
    fixture_t *f = y.f;
    ddb_session_t out;

    y.row.seen = f->now - 9999;
    y.row.timeouts_set = 1;
    answer_row(f, &y.row);
    NUM_IS(load(f, y.next, &out), APR_SUCCESS, "a successor is a session as others are, however long it is in use");
    IS(operations(f), "GetItem", "by one read");
    OK(out.issued == f->now - 10 && out.seen == f->now - 9999 && out.timeouts_set, "with all that its row has");
    clean(f, "successor");
    finish(f, "successor");
}

/* What became of the successor. */
static void test_successor_gone(apr_pool_t *p)
{
    static const struct {
        const char *what;
        ddb_miss_e miss;
        ddb_over_e over;
    } rows[] = {
        { "ended by a logout", DDB_MISS_OVER, DDB_OVER_RENEWED },
        { "expired", DDB_MISS_OVER, DDB_OVER_IDLE },
        { "replaced by a login", DDB_MISS_MOVED, DDB_OVER_IDLE },
        { "replaced by a login, a minute ago", DDB_MISS_OVER, DDB_OVER_MOVED },
        { "replaced by age in turn", DDB_MISS_REUSED, DDB_OVER_IDLE },
        { "another ID's", DDB_MISS_OVER, DDB_OVER_RENEWED },
    };
    int i;

    for (i = 0; i < 6; i++) {
        way_t y = way(p);
        fixture_t *f = y.f;
        const char *third;
        ddb_item_t row = y.row;
        ddb_session_t out;

        switch (i) {
        case 1:
            row.expires = f->now;
            break;
        case 2:
        case 3:
            row = tombstone(f, &y.row, i == 2 ? 60 : 0);
            break;
        case 4:
            next_row(f, 2, &third);
            row = grace_row(f, &y.row, y.next, third);
            break;
        case 5:
            row.loggable = mark_of(f, "another");
            break;
        default:
            break;
        }
        answer_row(f, &y.grace);
        if (i) {
            answer_row(f, &row);
        }
        else {
            answer_ok(f);
        }
        NUM_IS(load(f, f->s.sid, &out), APR_NOTFOUND, SAY("an ID whose successor is %s", rows[i].what));
        IS(operations(f), "GetItem GetItem", "has no session, and is followed no further");
        is_none(f, &out, rows[i].miss, rows[i].what);
        NUM_IS(out.over, rows[i].over, "which an ID that is over tells");
    }
}

static void test_way_over(apr_pool_t *p)
{
    way_t y = way(p);
    ddb_session_t out;

    y.grace.expires = y.f->now;
    answer_row(y.f, &y.grace);
    NUM_IS(load(y.f, y.f->s.sid, &out), APR_NOTFOUND, "past the session's absolute end an old ID leads nowhere");
    IS(operations(y.f), "GetItem", "and the successor is not asked for");
    is_none(y.f, &out, DDB_MISS_OVER, "way that is over");

    y = way(p);
    y.grace.loggable = mark_of(y.f, "another");
    answer_row(y.f, &y.grace);
    NUM_IS(load(y.f, y.f->s.sid, &out), APR_NOTFOUND, "the way of another ID leads nowhere");
    IS(operations(y.f), "GetItem", "and the successor is not asked for");
    is_none(y.f, &out, DDB_MISS_FOREIGN, "way of another ID");
}

/* Rows can be changed by hand. */
static void test_way_damaged(apr_pool_t *p)
{
    const char *texts[6];
    apr_size_t i;
    way_t y = way(p);
    fixture_t *f = y.f;
    ddb_session_t out;

    texts[0] = "";
    texts[1] = "?";
    texts[2] = "AAAA";
    texts[3] = apr_pstrmemdup(p, y.grace.successor, 40);
    ddb_successor_encrypt(&texts[4], "no ID", f->s.sid, draw, p);
    ddb_successor_encrypt(&texts[5], y.next, y.next, draw, p); /* under another ID */
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        y = way(p);
        y.grace.successor = texts[i];
        answer_row(y.f, &y.grace);
        NUM_IS(load(y.f, y.f->s.sid, &out), APR_NOTFOUND, SAY("the way '%s' leads nowhere", texts[i]));
        IS(operations(y.f), "GetItem", "and nothing is asked for");
        is_none(y.f, &out, DDB_MISS_OVER, "damaged way");
    }

    y = way(p);
    world_answer(y.f->w, 200,
                 apr_psprintf(p, "{\"Item\":%.*s,\"successor\":{\"S\":\"%s\"}}}",
                              (int)strlen(item_text(y.f, &y.f->row)) - 1, item_text(y.f, &y.f->row),
                              y.grace.successor));
    NUM_IS(load(y.f, y.f->s.sid, &out), APR_SUCCESS, "a way of another type is none, and hurts no session");
    finish(y.f, "way of another type");
}

/* The newer ID is an ID like any that a client sends. */
static void test_way_signed(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    apr_array_header_t *keys = apr_array_make(p, 2, sizeof(const char *));
    const char *sid, *next;
    ddb_item_t row, grace;
    ddb_session_t out;
    int i;

    APR_ARRAY_PUSH(keys, const char *) = "an old key";
    f->rules.keys = keys;
    for (i = 0; i < 2; i++) {
        f->w->n_sent = f->w->n_answers = 0;
        next_row(f, 0, &sid);
        keys->nelts = 0;
        APR_ARRAY_PUSH(keys, const char *) = "a new key";
        row = next_row(f, 1, &next);
        keys->nelts = 0;
        APR_ARRAY_PUSH(keys, const char *) = "an old key";
        if (i) {
            APR_ARRAY_PUSH(keys, const char *) = "a new key";
        }
        f->row.loggable = mark_of(f, sid);
        ddb_sid_table_key(&f->row.id, sid, &f->rules, p);
        grace = grace_row(f, &f->row, sid, next);
        f->call.grace = 60;
        answer_row(f, &grace);
        if (i) {
            answer_row(f, &row);
        }
        NUM_IS(load(f, sid, &out), i ? APR_SUCCESS : APR_NOTFOUND,
               i ? "a newer ID that a newer key signed is found" : "one whose key is not known leads nowhere");
        if (i) {
            IS(out.sid, next, "and has its signature");
            finish(f, "signed way");
        }
        else {
            is_none(f, &out, DDB_MISS_OVER, "way signed by an unknown key");
        }
    }
}

static void test_follow_failures(apr_pool_t *p)
{
    way_t y = way(p);
    ddb_session_t out;
    int i, calls = 0;

    y.f->call.calls = &calls;
    answer_row(y.f, &y.grace);
    for (i = 0; i < 3; i++) {
        world_answer(y.f->w, 400, THROTTLED);
    }
    NUM_IS(load(y.f, y.f->s.sid, &out), DDB_ETHROTTLED, "a successor that can't be read is a failure");
    OK(out.sid == NULL && out.data == NULL, "and not a session of the old row");
    NUM_IS(calls, 2, "both calls are counted");
    finish(y.f, "throttled successor");

    y = way(p);
    answer_lost(y.f);
    answer_row(y.f, &y.grace);
    answer_lost(y.f);
    answer_row(y.f, &y.row);
    NUM_IS(load(y.f, y.f->s.sid, &out), APR_SUCCESS, "lost replies are asked for again, of either row");
    finish(y.f, "lost replies");

    y = way(p);
    answer_row(y.f, &y.grace);
    world_fail(y.f->w, APR_TIMEUP, 1);
    y.f->w->answers[1].took = 3 * SECOND;
    NUM_IS(load(y.f, y.f->s.sid, &out), APR_TIMEUP, "both reads have one deadline");
    finish(y.f, "successor past the deadline");

    y = way(p);
    answer_row(y.f, &y.grace);
    world_answer(y.f->w, 200, apr_psprintf(p, "{\"Item\":{\"id\":{\"S\":\"%s\"}}}", y.row.id));
    NUM_IS(load(y.f, y.f->s.sid, &out), DDB_EBADITEM, "half a row of a successor is a fault, as any is");
    finish(y.f, "half a successor");

    y = way(p);
    answer_row(y.f, &y.grace);
    for (i = 0; i < 3; i++) {
        answer_row(y.f, &y.f->row);
    }
    NUM_IS(load(y.f, y.f->s.sid, &out), DDB_EBADREPLY, "another row than the successor's is not handed out");
    OK(out.sid == NULL && out.data == NULL, "in no part");
    finish(y.f, "another row than the successor's");
}

/* --- a save meets it --- */

static void test_save_moved(apr_pool_t *p)
{
    way_t y;
    ddb_session_t current;
    int read;

    for (read = 0; read < 2; read++) {
        y = way(p);
        answer_conflict(y.f, read ? NULL : &y.grace);
        if (read) {
            answer_row(y.f, &y.grace);
        }
        answer_row(y.f, &y.row);
        answer_ok(y.f);
        NUM_IS(save(y.f, &current), DDB_ECONFLICT, "a save of a session that moved by age is a conflict");
        IS(operations(y.f), read ? "UpdateItem GetItem GetItem" : "UpdateItem GetItem", "found by reading both rows");
        OK(current.sid && strcmp(current.sid, y.next) == 0 && strcmp(current.key, y.row.id) == 0,
           "the session goes on under its newer ID");
        OK(strcmp(current.data, "n=1") == 0 && current.version == 1, "as it is there");
        OK(y.f->s.version == 7 && strcmp(y.f->s.key, y.f->row.id) == 0, "the one that was to be saved is as it was");
        y.f->s = current;
        NUM_IS(save(y.f, &current), APR_SUCCESS, "there it is saved");
        IS(key_of(y.f, 2 + read), y.row.id, "in the newer row");
        IS(value(y.f, 2 + read, "loaded_version", "N"), "1", "as it was read");
        clean(y.f, "save after a move");
        finish(y.f, "save after a move");
    }
}

static void test_save_over(apr_pool_t *p)
{
    way_t y = way(p);
    ddb_item_t row;
    ddb_session_t current;
    int json;

    for (json = 0; json < 2; json++) {
        fixture_t *f = json ? setup_json(p, 7) : setup(p);
        row = tombstone(f, &f->row, 60);
        answer_conflict(f, &row);
        NUM_IS(save(f, &current), APR_NOTFOUND, "a save of a session that a login moved is none");
        IS(operations(f), "UpdateItem", "which its row tells");
        is_none(f, &current, DDB_MISS_MOVED, "save after a login");
    }

    answer_conflict(y.f, NULL);
    answer_ok(y.f);
    NUM_IS(save(y.f, &current), APR_NOTFOUND, "one of a session that was ended is none");
    is_none(y.f, &current, DDB_MISS_ABSENT, "save after an end");

    y = way(p);
    y.f->row.expires = y.f->now;
    answer_conflict(y.f, &y.f->row);
    NUM_IS(save(y.f, &current), APR_NOTFOUND, "one of a session that expired is none");
    is_none(y.f, &current, DDB_MISS_OVER, "save after the end");

    y = way(p);
    answer_conflict(y.f, &y.grace);
    answer_ok(y.f);
    NUM_IS(save(y.f, &current), APR_NOTFOUND, "nor of one that moved and was ended there");
    is_none(y.f, &current, DDB_MISS_OVER, "save after a move and an end");

    y = way(p);
    y.row.seen = y.f->now - 60;
    answer_conflict(y.f, &y.grace);
    answer_row(y.f, &y.row);
    NUM_IS(save(y.f, &current), APR_NOTFOUND, "nor of one whose newer ID has been in use for longer than the grace");
    is_none(y.f, &current, DDB_MISS_REUSED, "save after the grace");

    y = way(p);
    answer_conflict(y.f, &y.grace);
    world_answer(y.f->w, 400, "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no GetItem\"}");
    NUM_IS(save(y.f, &current), DDB_EDENIED, "a successor that can't be read is a failure");
    OK(current.sid == NULL, "without a session");
    finish(y.f, "save with an unreadable successor");

    y = way(p);
    answer_lost(y.f);
    answer_conflict(y.f, &y.grace);
    answer_row(y.f, &y.row);
    NUM_IS(save(y.f, &current), DDB_ECONFLICT, "after a lost reply the successor tells how things are, too");
    IS(current.sid, y.next, "under its ID");
    finish(y.f, "lost save after a move");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_tombstone, test_previous_version, test_follow, test_successor_itself, test_successor_gone,
             test_way_over, test_way_damaged, test_way_signed, test_follow_failures, test_save_moved, test_save_over);
}
