/* The item that holds a list of sessions: its attributes, and the requests for it. */

#include <string.h>

#include <apr_strings.h>

#include "aws/ddb_reply.h"
#include "base/ddb_base64.h"
#include "base/ddb_text.h"
#include "base/ddb_utf8.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item.h"
#include "store/ddb_user_sessions_int.h"

#define KEY_MOST 2048 /* bytes of a table key; DynamoDB's limit */

/* --- the list as text --- */

/* The beginning of a client's text, in UTF-8 without controls. No longer than that, because the size of a list has a
 * limit; the same again for what was cut before. */
static const char *beginning_of(const char *text, apr_pool_t *p)
{
    char *cut = apr_palloc(p, DDB_USER_SESSIONS_AGENT + 1);
    apr_size_t left = strlen(text), len = 0, n;

    for (; left; text += n, left -= n, len += n) {
        n = ddb_utf8_sequence(text, left);
        if (len + (n ? n : 1) > DDB_USER_SESSIONS_AGENT) {
            break;
        }
        memcpy(cut + len, text, n);
        if (n <= 1 && (!n || *text < ' ' || *text == 0x7f)) {
            cut[len] = '?';
            n = 1;
        }
    }
    cut[len] = '\0';
    return cut;
}

static const char *print_list(const ddb_user_sessions_t *list, apr_pool_t *p)
{
    ddb_text_t t;
    int i;

    ddb_text_begin(&t, 64 + 256 * (apr_size_t)list->sessions->nelts, p);
    ddb_text_add(&t, "{\"sessions\":[");
    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t *s = &APR_ARRAY_IDX(list->sessions, i, ddb_user_session_t);

        ddb_text_add(&t, i ? ",{\"key\":" : "{\"key\":");
        ddb_text_add_json(&t, s->key);
        if (s->previous) {
            ddb_text_add(&t, ",\"previous\":");
            ddb_text_add_json(&t, s->previous);
        }
        ddb_text_add(&t, ",\"created\":");
        ddb_text_add_number(&t, s->created);
        ddb_text_add(&t, ",\"expires\":");
        ddb_text_add_number(&t, s->expires);
        ddb_text_add(&t, ",\"address\":");
        ddb_text_add_json(&t, s->address);
        ddb_text_add(&t, ",\"agent\":");
        ddb_text_add_json(&t, beginning_of(s->agent, p));
        ddb_text_add(&t, "}");
    }
    ddb_text_add(&t, "]}");
    return ddb_text_end(&t);
}

static const char *text_of(const ddb_json_t *session, const char *name)
{
    const char *text = ddb_json_str(session, name);

    return text ? text : "";
}

/* DynamoDB refuses a call for any other, and with it the end of all sessions would fail. */
static int is_key(const char *text)
{
    return text && *text && strlen(text) <= KEY_MOST;
}

/* @return 0 if text is no list. */
static int parse_list(ddb_user_sessions_t *list, const char *text, apr_size_t len, apr_pool_t *p)
{
    const ddb_json_t *session;
    ddb_json_t *parsed;

    if (ddb_json_parse(&parsed, text, len, p) != APR_SUCCESS) {
        return 0;
    }
    for (session = ddb_json_item(parsed, "sessions", 0); session; session = ddb_json_next(session)) {
        ddb_user_session_t s = { .key = ddb_json_str(session, "key"),
                                 .previous = ddb_json_str(session, "previous"),
                                 .address = text_of(session, "address"),
                                 .agent = text_of(session, "agent") };

        if (!is_key(s.key) || (s.previous && !is_key(s.previous)) || !ddb_json_int(session, "created", &s.created)
            || !ddb_json_int(session, "expires", &s.expires)) {
            return 0;
        }
        APR_ARRAY_PUSH(list->sessions, ddb_user_session_t) = s;
    }
    return list->sessions->nelts == ddb_json_length(parsed, "sessions");
}

/* --- the item --- */

static apr_status_t bad(const ddb_store_call_t *call, const char *fault)
{
    return ddb_error_set(call->err, DDB_EBADITEM,
                         "the list of a user's sessions %s: not written by this module, or changed by hand", fault);
}

/* The data of an item, as it was before it was sealed. */
static apr_status_t open_data(ddb_bytes_t *data, const ddb_store_call_t *call, const ddb_json_t *item,
                              const ddb_user_sessions_t *list)
{
    const char *text = ddb_attribute_get(item, "data", "B"), *encoding = ddb_attribute_get(item, "encoding", "S");
    const ddb_seal_row_t row = {
        .key = list->id, .audience = call->rules->audience, .encoding = encoding, .version = list->version
    };
    apr_size_t len;
    char *bytes;
    apr_status_t rv;

    bytes = text ? apr_palloc(call->pool, strlen(text) / 4 * 3 + 1) : NULL;
    if (!text || !ddb_base64_decode(bytes, &len, text, strlen(text))) {
        return bad(call, "has no data");
    }
    *data = (ddb_bytes_t){ bytes, len };
    if (!encoding) {
        return ddb_seal_takes_clear(call->seal) ? APR_SUCCESS : bad(call, "is not sealed");
    }
    rv = strcmp(encoding, DDB_ITEM_SEALED) == 0 ? ddb_seal_open(data, call->seal, *data, &row, call->pool)
                                                : APR_NOTFOUND;
    if (rv == APR_NOTFOUND) {
        return bad(call, "can't be opened with SessionDynamoDBSealKeys");
    }
    return rv == APR_SUCCESS
               ? rv
               : ddb_error_set(call->err, rv, "cannot open the list of a user's sessions: OpenSSL failed");
}

/* 0 if it is there and no number above 0, which a write under a condition would never fit. */
static int read_count(apr_int64_t *n, const ddb_json_t *item, const char *name)
{
    return !ddb_json_has(item, name) || (ddb_attribute_read_number(n, ddb_attribute_get(item, name, "N")) && *n > 0);
}

/* TTL deletes late. */
static int is_expired(const ddb_json_t *item, const ddb_store_call_t *call)
{
    apr_int64_t expires = 0;

    return ddb_attribute_read_number(&expires, ddb_attribute_get(item, "expires", "N"))
           && expires <= apr_time_sec(call->now);
}

static apr_status_t read_item(ddb_user_sessions_t *list, const ddb_store_call_t *call, const ddb_json_t *item)
{
    ddb_bytes_t data = { NULL, 0 };
    apr_status_t rv;

    if (!read_count(&list->ended, item, "ended") || !read_count(&list->version, item, "version")) {
        return bad(call, "has a version or time that is no number");
    }
    if (!list->version || is_expired(item, call)) {
        return APR_SUCCESS; /* only the mark; or sessions that are over, sealed with whatever keys were known then */
    }
    rv = open_data(&data, call, item, list);
    return rv != APR_SUCCESS || parse_list(list, data.data, data.len, call->pool) ? rv : bad(call, "is no list");
}

/* A reply intended for another request must not disclose its list. */
static apr_status_t check_item(const ddb_store_call_t *call, const char *id, const ddb_json_t *item)
{
    const char *found = ddb_attribute_get(item, DDB_ATTRIBUTE_KEY, "S");

    if (!item) {
        return ddb_error_set(call->err, DDB_EBADREPLY, "the reply has no item: is the endpoint DynamoDB?");
    }
    return found && strcmp(found, id) == 0
               ? APR_SUCCESS
               : ddb_error_set(call->err, DDB_EBADREPLY,
                               "the reply contains an item other than the one requested: check any proxy between this "
                               "server and DynamoDB");
}

/* member: of the reply, which holds the item; may_miss: 1 if there may be none. */
static apr_status_t read_reply(ddb_user_sessions_t *list, const ddb_store_call_t *call, const ddb_json_t *reply,
                               const char *member, int may_miss)
{
    const ddb_json_t *item = ddb_json_child(reply, member);
    apr_status_t rv;

    if (may_miss && !ddb_json_has(reply, member)) {
        return APR_SUCCESS;
    }
    rv = check_item(call, list->id, item);
    return rv == APR_SUCCESS ? read_item(list, call, item) : rv;
}

static apr_status_t parse_reply(ddb_json_t **parsed, const ddb_store_call_t *call, const ddb_reply_t *reply)
{
    apr_status_t rv = ddb_json_parse(parsed, reply->body, reply->len, call->pool);

    return rv == APR_SUCCESS ? rv : ddb_error_set(call->err, rv, "the reply is not JSON: is the endpoint DynamoDB?");
}

static ddb_user_sessions_t no_list(const char *id, apr_pool_t *p)
{
    return (ddb_user_sessions_t){ .id = id, .sessions = apr_array_make(p, 8, sizeof(ddb_user_session_t)) };
}

/** A read under way. */
typedef struct reading_t {
    const ddb_store_call_t *call;
    ddb_user_sessions_t *list;
    apr_status_t rv; /* of the last reply */
} reading_t;

static apr_status_t read_get(void *baton, ddb_reply_t *reply)
{
    reading_t *r = baton;
    ddb_json_t *parsed;

    *r->list = no_list(r->list->id, r->call->pool);
    r->rv = parse_reply(&parsed, r->call, reply);
    if (r->rv == APR_SUCCESS) {
        reply->consumed = ddb_reply_capacity(parsed);
        r->rv = read_reply(r->list, r->call, parsed, "Item", 1);
    }
    return r->rv;
}

apr_status_t ddb_user_sessions_get(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                   ddb_user_sessions_t *list)
{
    reading_t r = { .call = call, .list = list, .rv = APR_SUCCESS };
    ddb_call_t get = { .operation = "GetItem", .read = read_get, .baton = &r };
    ddb_reply_t reply;
    apr_status_t rv;

    *list = no_list(id, call->pool);
    get.body = ddb_item_get_body(ddb_store_table(st), id, 1, call->pool);
    rv = ddb_store_send(st, call, get, &reply);
    return rv == APR_SUCCESS ? r.rv : rv;
}

/* --- writing --- */

static ddb_json_t *begin_update(const ddb_store_t *st, const ddb_store_call_t *call, const char *id)
{
    ddb_json_t *request = ddb_json_object(call->pool);

    ddb_json_set_str(request, "TableName", ddb_store_table(st));
    ddb_json_set_str(request, "ReturnConsumedCapacity", "TOTAL");
    ddb_attribute_set_key(request, "Key", id);
    return request;
}

static void use(ddb_json_t *request, const char *name, const char *type, const char *value, apr_pool_t *p)
{
    ddb_attribute_use_name(request, name, p);
    ddb_attribute_use_value(request, name, type, value, p);
}

static const char *base64(const void *bytes, apr_size_t len, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, DDB_BASE64_LEN(len) + 1, p);
    ddb_text_add_base64(&t, bytes, len);
    return ddb_text_end(&t);
}

/* What the attribute data of the version that is written holds. */
static apr_status_t close_data(ddb_bytes_t *data, ddb_store_t *st, const ddb_store_call_t *call,
                               const ddb_user_sessions_t *list)
{
    const ddb_seal_row_t row = {
        .key = list->id, .audience = call->rules->audience, .encoding = DDB_ITEM_SEALED, .version = list->version + 1
    };
    const char *text = print_list(list, call->pool);
    unsigned char nonce[DDB_SEAL_NONCE];
    apr_status_t rv;

    *data = (ddb_bytes_t){ text, strlen(text) };
    if (!ddb_seal_is_on(call->seal)) {
        return APR_SUCCESS;
    }
    rv = ddb_store_random(st, nonce, sizeof(nonce));
    return rv == APR_SUCCESS ? ddb_seal_close(data, call->seal, *data, &row, nonce, call->pool) : rv;
}

/* A list that ends with the last of its sessions. */
static apr_int64_t end_of(const ddb_user_sessions_t *list, apr_int64_t now)
{
    apr_int64_t end = now + DDB_STORE_TOMBSTONE;
    int i;

    for (i = 0; i < list->sessions->nelts; i++) {
        const ddb_user_session_t *s = &APR_ARRAY_IDX(list->sessions, i, ddb_user_session_t);

        end = s->expires > end ? s->expires : end;
    }
    return end;
}

static void add_condition(ddb_json_t *request, const ddb_user_sessions_t *list, apr_pool_t *p)
{
    ddb_attribute_use_name(request, "ended", p);
    if (list->version) {
        ddb_attribute_use_value(request, "v0", "N", ddb_attribute_number(list->version, p), p);
    }
    if (list->ended) {
        ddb_attribute_use_value(request, "ended", "N", ddb_attribute_number(list->ended, p), p);
    }
    ddb_json_set_str(request, "ConditionExpression",
                     apr_pstrcat(p, list->version ? "#version = :v0" : "attribute_not_exists(#version)", " AND ",
                                 list->ended ? "#ended = :ended" : "attribute_not_exists(#ended)", NULL));
}

static const char *put_body(ddb_store_t *st, const ddb_store_call_t *call, const ddb_user_sessions_t *list,
                            ddb_bytes_t data)
{
    ddb_json_t *request = begin_update(st, call, list->id);
    apr_pool_t *p = call->pool;
    int sealed = ddb_seal_is_on(call->seal);

    use(request, "data", "B", base64(data.data, data.len, p), p);
    use(request, "version", "N", ddb_attribute_number(list->version + 1, p), p);
    use(request, "expires", "N", ddb_attribute_number(end_of(list, apr_time_sec(call->now)), p), p);
    ddb_attribute_use_name(request, "encoding", p);
    if (sealed) {
        ddb_attribute_use_value(request, "encoding", "S", DDB_ITEM_SEALED, p);
    }
    ddb_json_set_str(request, "UpdateExpression",
                     apr_pstrcat(p, "SET #data = :data, #version = :version, #expires = :expires",
                                 sealed ? ", #encoding = :encoding" : " REMOVE #encoding", NULL));
    add_condition(request, list, p);
    return ddb_json_print(request, p);
}

/* Without a write ID: an attempt whose reply was lost makes a conflict, after which the caller finds its own change. */
apr_status_t ddb_user_sessions_put(ddb_store_t *st, const ddb_store_call_t *call, ddb_user_sessions_t *list)
{
    ddb_call_t update = { .operation = "UpdateItem" };
    ddb_bytes_t data;
    ddb_reply_t reply;
    apr_status_t rv = close_data(&data, st, call, list);

    if (rv != APR_SUCCESS) {
        return ddb_error_set(call->err, rv, "cannot seal the list of a user's sessions: OpenSSL failed");
    }
    update.body = put_body(st, call, list, data);
    return ddb_store_send(st, call, update, &reply);
}

static const char *mark_body(ddb_store_t *st, const ddb_store_call_t *call, const char *id, apr_time_t now)
{
    ddb_json_t *request = begin_update(st, call, id);
    apr_pool_t *p = call->pool;

    use(request, "ended", "N", ddb_attribute_number(apr_time_as_msec(now), p), p);
    use(request, "expires", "N", ddb_attribute_number(apr_time_sec(now) + DDB_STORE_TOMBSTONE, p), p);
    ddb_json_set_str(request, "UpdateExpression", "SET #ended = :ended, #expires = if_not_exists(#expires, :expires)");
    /* A mark never moves back: logins between the two would begin after whoever made the later one was told that they
     * can't. */
    ddb_json_set_str(request, "ConditionExpression", "attribute_not_exists(#ended) OR #ended <= :ended");
    ddb_json_set_str(request, "ReturnValues", "ALL_NEW");
    return ddb_json_print(request, p);
}

/* There was a later mark than this one. */
static apr_status_t find_later(ddb_store_t *st, const ddb_store_call_t *call, apr_time_t now, ddb_user_sessions_t *list)
{
    apr_status_t rv = ddb_user_sessions_get(st, call, list->id, list);

    return rv != APR_SUCCESS || list->ended > apr_time_as_msec(now)
               ? rv
               : ddb_error_set(call->err, DDB_EBADREPLY,
                               "the list of a user's sessions is never as it was read: is the endpoint DynamoDB?");
}

apr_status_t ddb_user_sessions_mark(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                    ddb_user_sessions_t *list)
{
    const apr_time_t now = call->time > call->now ? call->time : call->now;
    ddb_call_t update = { .operation = "UpdateItem", .body = mark_body(st, call, id, now) };
    ddb_json_t *parsed;
    ddb_reply_t reply;
    apr_status_t rv = ddb_store_send(st, call, update, &reply);

    *list = no_list(id, call->pool);
    if (rv == DDB_ECONFLICT) {
        return find_later(st, call, now, list);
    }
    rv = rv == APR_SUCCESS ? parse_reply(&parsed, call, &reply) : rv;
    return rv == APR_SUCCESS ? read_reply(list, call, parsed, "Attributes", 0) : rv;
}
