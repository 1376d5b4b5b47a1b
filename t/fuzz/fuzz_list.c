/* What the table answers for the list of a user's sessions: the reply as it comes, and the list in an item. */

#include "base/ddb_text.h"
#include "client_world.h"
#include "store/ddb_attribute.h"
#include "store/ddb_user_sessions_int.h"
#include "fuzz.h"

#define LIST "u:wT4ZwTmLPAkcYkF9Avo-u09sML3S9gLYXC-CGMS3gyQ"

/* Every sentence there is: what an item holds gets into none of them. */
static const char *const sentences[] = {
    "the list of a user's sessions has no data: not written by this module, or changed by hand",
    "the list of a user's sessions is no list: not written by this module, or changed by hand",
    "the list of a user's sessions has a version or time that is no number: not written by this module, or changed by "
    "hand",
    "the list of a user's sessions can't be opened with SessionDynamoDBSealKeys: not written by this module, or "
    "changed "
    "by hand",
    "the reply is not JSON: is the endpoint DynamoDB?",
    "the reply has no item: is the endpoint DynamoDB?",
    "the reply contains an item other than the one requested: check any proxy between this server and DynamoDB",
    "status 200, but the body is not a JSON object: check the endpoint and any proxy in between",
};

/* A store, and the request of a server. */
typedef struct table_t {
    world_t *world;
    ddb_store_t *store;
    ddb_sid_rules_t rules;
    ddb_error_t err;
    ddb_store_call_t call;
} table_t;

static void set_up(table_t *t, apr_pool_t *p)
{
    memset(t, 0, sizeof(*t));
    t->world = world_create(p);
    HOLDS(ddb_store_create(&t->store, world_client(t->world, 1, p), "app_session", world_random, p) == APR_SUCCESS);
    t->call = (ddb_store_call_t){ .rules = &t->rules,
                                  .now = t->world->now,
                                  .deadline = t->world->mono + apr_time_from_sec(2),
                                  .pool = p,
                                  .err = &t->err };
}

static apr_status_t get(table_t *t, const char *reply, ddb_user_sessions_t *list)
{
    world_answer(t->world, 200, reply);
    return ddb_user_sessions_get(t->store, &t->call, LIST, list);
}

static void is_a_known_sentence(const char *detail)
{
    size_t i;

    for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]) && strcmp(detail, sentences[i]) != 0; i++) {
    }
    HOLDS(i < sizeof(sentences) / sizeof(sentences[0]));
}

static void is_in_range(const ddb_user_sessions_t *list)
{
    int i;

    HOLDS(strcmp(list->id, LIST) == 0 && list->version >= 0 && list->ended >= 0);
    HOLDS(list->version || !list->sessions->nelts);
    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t *s = &APR_ARRAY_IDX(list->sessions, i, ddb_user_session_t);

        HOLDS(s->key && *s->key && (!s->previous || *s->previous) && s->address && s->agent);
    }
}

static int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* cut: 1 if the one may have longer texts of clients than are stored. */
static void is_same(const ddb_user_sessions_t *a, const ddb_user_sessions_t *b, int cut)
{
    int i;

    HOLDS(a->sessions->nelts == b->sessions->nelts);
    for (i = 0; i < a->sessions->nelts; i++) {
        const ddb_user_session_t *x = &APR_ARRAY_IDX(a->sessions, i, ddb_user_session_t);
        const ddb_user_session_t *y = &APR_ARRAY_IDX(b->sessions, i, ddb_user_session_t);

        HOLDS(same_text(x->key, y->key) && same_text(x->previous, y->previous) && same_text(x->address, y->address));
        HOLDS(x->created == y->created && x->expires == y->expires);
        HOLDS(strlen(y->agent) <= DDB_USER_SESSIONS_AGENT && (cut || same_text(x->agent, y->agent)));
    }
}

/* Write a list, and read what was written. */
static void write_and_read(table_t *t, ddb_user_sessions_t *list, ddb_user_sessions_t *again)
{
    apr_pool_t *p = t->call.pool;
    const ddb_http_request_t *sent = &t->world->sent[t->world->n_sent];
    const ddb_json_t *values;
    ddb_json_t *body;

    world_answer(t->world, 200, "{}");
    HOLDS(ddb_user_sessions_put(t->store, &t->call, list) == APR_SUCCESS);
    HOLDS(ddb_json_parse(&body, sent->body, sent->body_len, p) == APR_SUCCESS);
    values = ddb_json_child(body, "ExpressionAttributeValues");
    HOLDS(get(t,
              apr_psprintf(
                  p, "{\"Item\":{\"id\":{\"S\":\"" LIST "\"},\"version\":{\"N\":\"%s\"},\"data\":{\"B\":\"%s\"}}}",
                  ddb_attribute_get(values, ":version", "N"), ddb_attribute_get(values, ":data", "B")),
              again)
          == APR_SUCCESS);
    HOLDS(again->version == list->version + 1);
}

static void read_reply(const char *reply, apr_pool_t *p)
{
    table_t t;
    ddb_user_sessions_t list, again, third;
    apr_status_t rv;

    set_up(&t, p);
    rv = get(&t, reply, &list);
    if (rv != APR_SUCCESS) {
        HOLDS(rv == DDB_EBADITEM || rv == DDB_EBADREPLY);
        is_a_known_sentence(t.err.detail);
        return;
    }
    HOLDS(!t.err.detail[0]);
    is_in_range(&list);
    if (list.version < 999999999999999) { /* no item has more digits */
        write_and_read(&t, &list, &again);
        is_same(&list, &again, 1);
    }
    if (list.version < 999999999999998) {
        write_and_read(&t, &again, &third);
        is_same(&again, &third, 0);
    }
}

static const char *base64(const uint8_t *data, size_t size, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, 4 * size / 3 + 8, p);
    ddb_text_add_base64(&t, data, size);
    return ddb_text_end(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();

    read_reply(fuzz_text(data, size), p);
    read_reply(apr_psprintf(p,
                            "{\"Item\":{\"id\":{\"S\":\"" LIST "\"},\"version\":{\"N\":\"7\"},\"ended\":{\"N\":"
                            "\"1795395723000\"},\"data\":{\"B\":\"%s\"}}}",
                            base64(data, size, p)),
               p);
    return fuzz_end();
}
