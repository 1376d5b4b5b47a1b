#ifndef STORE_WORLD_H
#define STORE_WORLD_H

/* A store in a scripted world, for the tests of what it does with rows: one row in the table, what the table answers,
 * and what it was asked. */

#include <apr_strings.h>

#include "base/ddb_json.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item.h"
#include "store/ddb_store.h"
#include "store/ddb_successor.h"
#include "tap.h"
#include "client_world.h"

#define SAY(...)  apr_psprintf(f->p, __VA_ARGS__)
#define SECOND    APR_USEC_PER_SEC
#define HOUR      (3600 * APR_INT64_C(1000000))
#define THROTTLED "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ThrottlingException\",\"message\":\"Rate exceeded\"}"
#define CONDITION                                                                                                      \
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\","                                \
    "\"message\":\"The conditional request failed\""

/* One store in one world, one request's call, one row in the table and the session that was read from it. */
typedef struct fixture_t {
    apr_pool_t *p;
    world_t *w;
    ddb_store_t *st;
    ddb_sid_rules_t rules;
    ddb_error_t err;
    ddb_store_call_t call;
    apr_int64_t now; /* whole seconds of call.now */
    ddb_item_t row;
    ddb_session_t s;
    int removes; /* deletes and ends by the table key that this test means: they have no condition */
} fixture_t;

/* The n-th draw since `drawn` was set to 0 is all bytes n: a test knows each ID and each write id beforehand. */
static unsigned char drawn;

static inline apr_status_t draw(void *out, apr_size_t len)
{
    memset(out, ++drawn, len);
    return APR_SUCCESS;
}

static inline apr_status_t draw_nothing(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_EGENERAL;
}

static inline ddb_session_t session_from(const fixture_t *f, const char *sid)
{
    return (ddb_session_t){ .sid = sid,
                            .key = f->row.id,
                            .data = f->row.data,
                            .data_len = f->row.data_len,
                            .created = f->row.created,
                            .accessed = f->row.accessed,
                            .idle_timeout = f->row.idle_timeout,
                            .absolute_timeout = f->row.absolute_timeout,
                            .version = f->row.version,
                            .row = apr_pmemdup(f->p, &f->row, sizeof(f->row)),
                            .user_mark = f->row.user_mark,
                            .user_marks = f->row.user_marks,
                            .issued = f->row.issued,
                            .seen = f->row.seen,
                            .timeouts_set = f->row.timeouts_set };
}

/* What a row has of its ID. */
static inline const char *mark_of(const fixture_t *f, const char *sid)
{
    return apr_pstrmemdup(f->p, ddb_sid_loggable(sid, f->p), DDB_ITEM_LOGGABLE_LEN);
}

/* A session an hour old, used half an hour ago. */
static inline fixture_t *setup(apr_pool_t *p)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));
    const char *sid = NULL;

    f->p = p;
    f->w = world_create(p);
    f->rules.bytes = 32;
    f->rules.hash = 1;
    f->call.rules = &f->rules;
    f->call.consistent = 1;
    f->call.now = f->w->now;
    f->call.deadline = f->w->mono + 2 * SECOND;
    f->call.pool = p;
    f->call.err = &f->err;
    memset(&f->err, 'x', sizeof(f->err) - 1); /* the last request's: whatever is read of it must be written first */
    f->now = apr_time_sec(f->call.now);
    ddb_store_create(&f->st, world_client(f->w, 3, p), "app_session", draw, p);
    drawn = 200;
    ddb_sid_make(&sid, &f->rules, draw, p);
    ddb_sid_table_key(&f->row.id, sid, &f->rules, p);
    f->row.loggable = mark_of(f, sid);
    f->row.data = "a=1";
    f->row.data_len = 3;
    f->row.created = f->call.now - HOUR;
    f->row.accessed = f->call.now - HOUR / 2;
    f->row.idle_timeout = 7200;
    f->row.absolute_timeout = 43200;
    f->row.version = 7;
    f->row.user_mark = "mark";
    memset(f->row.write_id, 199, sizeof(f->row.write_id));
    f->s = session_from(f, sid);
    f->row.expires = ddb_store_expires(&f->s);
    drawn = 0;
    return f;
}

/* --- what the table answers --- */

/* A create writes neither seen nor a successor: they come later. */
static inline const char *item_text(fixture_t *f, const ddb_item_t *row)
{
    const char *body = ddb_item_create_body("t", row, f->p);
    ddb_json_t *json = NULL, *item;

    ddb_json_parse(&json, body, strlen(body), f->p);
    body = ddb_json_print(ddb_json_child(json, "Item"), f->p);
    ddb_json_parse(&item, body, strlen(body), f->p);
    if (row->seen) {
        ddb_attribute_set(item, "seen", "N", ddb_attribute_number(row->seen, f->p));
    }
    if (row->successor) {
        ddb_attribute_set(item, "successor", "B", row->successor);
    }
    return ddb_json_print(item, f->p);
}

static inline void answer_ok(fixture_t *f)
{
    world_answer(f->w, 200, "{}");
}

static inline void answer_row(fixture_t *f, const ddb_item_t *row)
{
    world_answer(f->w, 200, SAY("{\"Item\":%s}", item_text(f, row)));
}

static inline void answer_conflict(fixture_t *f, const ddb_item_t *row)
{
    world_answer(f->w, 400, row ? SAY(CONDITION ",\"Item\":%s}", item_text(f, row)) : CONDITION "}");
}

static inline void answer_lost(fixture_t *f)
{
    world_fail(f->w, DDB_EUNAVAILABLE, 1);
}

/* A row that a write of draw n left. */
static inline ddb_item_t row_by(const fixture_t *f, int n, apr_int64_t version)
{
    ddb_item_t row = f->row;

    memset(row.write_id, n, sizeof(row.write_id));
    row.version = version;
    row.data = "b=2";
    return row;
}

/* --- what was asked --- */

static inline const char *operation(fixture_t *f, int i)
{
    const char *target = i < f->w->n_sent ? apr_table_get(f->w->sent[i].headers, "X-Amz-Target") : NULL;
    return target && strchr(target, '.') ? strchr(target, '.') + 1 : "";
}

/* The operations sent, in order: "PutItem GetItem". */
static inline const char *operations(fixture_t *f)
{
    const char *all = "";
    int i;

    for (i = 0; i < f->w->n_sent; i++) {
        all = apr_pstrcat(f->p, all, *all ? " " : "", operation(f, i), NULL);
    }
    return all;
}

static inline ddb_json_t *body(fixture_t *f, int i)
{
    ddb_json_t *json = NULL;

    if (i < f->w->n_sent && f->w->sent[i].body) {
        ddb_json_parse(&json, f->w->sent[i].body, f->w->sent[i].body_len, f->p);
    }
    return json;
}

/* The placeholder of an attribute's value in a request, whose letter is that of its name; of "now", which is no
 * attribute's, :n; of "loaded_version" and the like, the same with a 0. */
static inline const char *placeholder(fixture_t *f, const ddb_json_t *json, const char *name)
{
    const ddb_json_t *names = ddb_json_child(json, "ExpressionAttributeNames");
    int loaded = strncmp(name, "loaded_", 7) == 0;
    const char *attribute = loaded ? strchr(name, '_') + 1 : name;
    char letter;

    for (letter = 'a'; letter <= 'z'; letter++) {
        const char *means = ddb_json_str(names, SAY("#%c", letter));
        if (means && strcmp(means, attribute) == 0) {
            return SAY(":%c%s", letter, loaded ? "0" : "");
        }
    }
    return strcmp(name, "now") == 0 ? ":n" : "none";
}

/* A value of the i-th request: of an attribute of a PutItem, or of a placeholder of another. */
static inline const char *value(fixture_t *f, int i, const char *name, const char *type)
{
    ddb_json_t *json = body(f, i);
    const ddb_json_t *item = ddb_json_child(json, "Item"), *v;

    v = item ? ddb_json_child(item, name)
             : ddb_json_child(ddb_json_child(json, "ExpressionAttributeValues"), placeholder(f, json, name));
    return ddb_json_str(v, type);
}

static inline const char *key_of(fixture_t *f, int i)
{
    ddb_json_t *json = body(f, i);
    const ddb_json_t *key = ddb_json_child(json, "Key");

    return ddb_json_str(ddb_json_child(key ? key : ddb_json_child(json, "Item"), "id"), "S");
}

static inline int consistent(fixture_t *f, int i)
{
    return strstr(f->w->sent[i].body, "\"ConsistentRead\":true") != NULL;
}

/* What holds for every request of every test; the last thing each test does. */
static inline void finish(fixture_t *f, const char *what)
{
    int i, unconditional = 0, asks = 1, named = 1, touches = 1;

    for (i = 0; i < f->w->n_sent; i++) {
        ddb_json_t *json = body(f, i);
        const char *set = ddb_json_str(json, "UpdateExpression");
        const char *old = ddb_json_str(json, "ReturnValuesOnConditionCheckFailure");

        named &= json && ddb_json_str(json, "TableName") && strcmp(ddb_json_str(json, "TableName"), "app_session") == 0;
        if (ddb_json_has(json, "ConditionExpression")) {
            asks &= old && strcmp(old, "ALL_OLD") == 0;
        }
        else if (strcmp(operation(f, i), "GetItem") != 0) {
            unconditional++;
            named &= strcmp(operation(f, i), "DeleteItem") == 0 || (set && strstr(set, "#v=if_not_exists(#v,:0)+:1"));
        }
        if (set && !strstr(set, "#d")) {
            touches &= !strstr(set, "#v") && !strstr(set, "#w");
        }
    }
    NUM_IS(unconditional, f->removes, SAY("%s: no write is unconditional but a remove's delete and a revoke", what));
    OK(named && asks && touches, SAY("%s: the table named, the row asked for, no touch hides a mark", what));
    OK(f->w->n_sent == f->w->n_answers, SAY("%s: every answer was asked for, and no more", what));
    OK(!strstr(f->err.detail, f->s.sid ? f->s.sid : "\n") && !strstr(f->err.detail, f->row.id),
       SAY("%s: no ID in the error", what));
}

/* A success or an answer leaves nothing that looks like a failure. */
static inline void clean(fixture_t *f, const char *what)
{
    OK(!*f->err.detail && !*f->err.type && f->err.http_status < 300, SAY("%s: err tells of no failure", what));
}

/* --- calls --- */

static inline apr_status_t load(fixture_t *f, const char *sid, ddb_session_t *out)
{
    memset(out, 0, sizeof(*out));
    return ddb_store_load(f->st, &f->call, sid, out);
}

static inline apr_status_t save(fixture_t *f, ddb_session_t *current)
{
    memset(current, 0, sizeof(*current));
    f->s.data = "b=2";
    return ddb_store_save(f->st, &f->call, &f->s, current);
}

static inline apr_status_t replace(fixture_t *f, ddb_session_t *current)
{
    memset(current, 0, sizeof(*current));
    return ddb_store_replace(f->st, &f->call, &f->s, current);
}

static inline fixture_t *setup_json(apr_pool_t *p, apr_int64_t version)
{
    fixture_t *f = setup(p);

    f->call.format = f->row.format = DDB_JSON;
    f->row.version = version;
    f->row.data = "{\"a\":1}";
    f->row.data_len = strlen(f->row.data);
    f->s = session_from(f, f->s.sid);
    return f;
}

/* --- IDs that were replaced --- */

/* A tombstone, which tells for so many more seconds what it is. */
static inline ddb_item_t tombstone(const fixture_t *f, const ddb_item_t *of, int seconds)
{
    ddb_item_t row = *of;

    row.data = of->format == DDB_JSON ? "{}" : "";
    row.data_len = strlen(row.data);
    row.accessed = 0;
    row.idle_timeout = 1;
    row.expires = f->now + seconds - (of->format == DDB_JSON ? 86400 : 0);
    row.version = of->version + 1;
    row.user_mark = NULL;
    memset(row.write_id, 99, sizeof(row.write_id));
    return row;
}

/* The n-th ID after the fixture's, and its row: it replaced an ID by age, and no client has used it yet. */
static inline ddb_item_t next_row(const fixture_t *f, int n, const char **sid)
{
    ddb_item_t row = f->row;
    unsigned char before = drawn;

    drawn = (unsigned char)(200 + n);
    ddb_sid_make(sid, &f->rules, draw, f->p);
    drawn = before;
    ddb_sid_table_key(&row.id, *sid, &f->rules, f->p);
    row.loggable = mark_of(f, *sid);
    row.data = apr_psprintf(f->p, "n=%d", n);
    row.issued = f->now - 10;
    row.version = 1;
    memset(row.write_id, 150 + n, sizeof(row.write_id));
    return row;
}

/* What the ID of a row leaves that was replaced by age. */
static inline ddb_item_t grace_row(const fixture_t *f, const ddb_item_t *of, const char *sid, const char *next)
{
    ddb_item_t row = tombstone(f, of, 0);
    unsigned char before = drawn;

    row.expires = apr_time_sec(of->created) + of->absolute_timeout;
    ddb_successor_encrypt(&row.successor, next, sid, draw, f->p);
    drawn = before;
    return row;
}

#endif
