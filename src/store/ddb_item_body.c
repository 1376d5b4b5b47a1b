/* The requests for items: attribute names and types, number formats, the condition of every write. */

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_json.h"
#include "base/ddb_time.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item.h"

/* A request body under construction. */
typedef struct body_t {
    ddb_json_t *root;
    apr_array_header_t *set;    /* const char *: " #x = :x" of an update */
    apr_array_header_t *remove; /* const char *: " #x" */
    apr_pool_t *p;
} body_t;

static body_t body_begin(const char *table, apr_pool_t *p)
{
    body_t b = { .root = ddb_json_object(p),
                 .set = apr_array_make(p, 8, sizeof(const char *)),
                 .remove = apr_array_make(p, 2, sizeof(const char *)),
                 .p = p };

    ddb_json_set_str(b.root, "TableName", table);
    ddb_json_set_str(b.root, "ReturnConsumedCapacity", "TOTAL");
    return b;
}

static const char *base64(const body_t *b, const void *bytes, apr_size_t len)
{
    /* A session without data may have a NULL, for which APR would return NULL. */
    return len ? apr_pencode_base64_binary(b->p, bytes, (apr_ssize_t)len, APR_ENCODE_NONE, NULL) : "";
}

/* Add an attribute to `item` of a PutItem, or, if item is NULL, to the SET clause of an UpdateItem. */
static void write_attribute(body_t *b, ddb_json_t *item, const char *name, const char *type, const char *text)
{
    if (item) {
        ddb_attribute_set(item, name, type, text);
        return;
    }
    ddb_attribute_use_name(b->root, name, b->p);
    ddb_attribute_use_value(b->root, name, type, text, b->p);
    APR_ARRAY_PUSH(b->set, const char *) = apr_pstrcat(b->p, " #", name, " = :", name, NULL);
}

/* For UpdateItem, which ignores the removal of an attribute that does not exist. */
static void remove_attribute(body_t *b, const char *name)
{
    ddb_attribute_use_name(b->root, name, b->p);
    APR_ARRAY_PUSH(b->remove, const char *) = apr_pstrcat(b->p, " #", name, NULL);
}

static void put_update(body_t *b)
{
    const char *set = apr_array_pstrcat(b->p, b->set, ','), *remove = apr_array_pstrcat(b->p, b->remove, ',');

    ddb_json_set_str(b->root, "UpdateExpression",
                     apr_pstrcat(b->p, "SET", set, b->remove->nelts ? " REMOVE" : "", remove, NULL));
}

static void write_payload(body_t *b, ddb_json_t *item, const ddb_item_t *it)
{
    if (it->format == DDB_JSON) {
        write_attribute(b, item, "data", "S", it->data);
    }
    else if (it->packed) {
        write_attribute(b, item, "data", "B", base64(b, it->packed, it->packed_len));
        write_attribute(b, item, "encoding", "S", DDB_ITEM_ENCODING);
    }
    else {
        write_attribute(b, item, "data", "B", base64(b, it->data, it->data_len));
    }
}

/* The attributes that every write of data changes, by create or save. */
static void write_data(body_t *b, ddb_json_t *item, const ddb_item_t *it)
{
    write_payload(b, item, it);
    write_attribute(b, item, "accessed", "S", ddb_time_print(it->accessed, b->p));
    write_attribute(b, item, "expires", "N", ddb_attribute_number(it->expires, b->p));
    write_attribute(b, item, "idle_timeout", "N", ddb_attribute_number(it->idle_timeout, b->p));
    write_attribute(b, item, "absolute_timeout", "N", ddb_attribute_number(it->absolute_timeout, b->p));
    write_attribute(b, item, "version", "N", ddb_attribute_number(it->version, b->p));
    write_attribute(b, item, "write_id", "B", base64(b, it->write_id, sizeof(it->write_id)));
    if (it->user_mark) {
        write_attribute(b, item, "user_mark", "S", it->user_mark);
    }
    if (it->user_marks) {
        write_attribute(b, item, "user_marks", "S", it->user_marks);
    }
    if (it->timeouts_set) {
        write_attribute(b, item, "timeouts_by", "S", DDB_ITEM_TIMEOUTS_BY);
    }
}

static const char *unchanged(body_t *b, const char *attribute, const char *type, const char *text)
{
    ddb_attribute_use_name(b->root, attribute, b->p);
    ddb_attribute_use_value(b->root, apr_pstrcat(b->p, "loaded_", attribute, NULL), type, text, b->p);
    return apr_psprintf(b->p, " AND #%s = :loaded_%s", attribute, attribute);
}

/* The condition that a row is unchanged since it was read. */
static const char *as_loaded(body_t *b, const ddb_item_t *loaded)
{
    const char *condition = "#version = :loaded";

    ddb_attribute_use_name(b->root, "version", b->p);
    if (loaded->version) {
        ddb_attribute_use_value(b->root, "loaded", "N", ddb_attribute_number(loaded->version, b->p), b->p);
    }
    else {
        condition = "attribute_not_exists(#version)";
    }
    if (loaded->format == DDB_FORM) {
        return condition;
    }
    /* dynamodb-session-flask does not change our version when it writes: compare what it writes. */
    return apr_pstrcat(b->p, condition, unchanged(b, "data", "S", loaded->data),
                       unchanged(b, "idle_timeout", "N", ddb_attribute_number(loaded->idle_timeout, b->p)),
                       unchanged(b, "absolute_timeout", "N", ddb_attribute_number(loaded->absolute_timeout, b->p)),
                       NULL);
}

static const char *conditional(body_t *b, const char *condition)
{
    ddb_json_set_str(b->root, "ConditionExpression", condition);
    /* The row that failed the condition is returned at no cost: its write ID shows a writer its own attempt. */
    ddb_json_set_str(b->root, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    return ddb_json_print(b->root, b->p);
}

const char *ddb_item_get_body(const char *table, const char *id, int consistent, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    ddb_attribute_set_key(b.root, "Key", id);
    ddb_json_set_bool(b.root, "ConsistentRead", consistent);
    return ddb_json_print(b.root, p);
}

const char *ddb_item_create_body(const char *table, const ddb_item_t *it, apr_pool_t *p)
{
    body_t b = body_begin(table, p);
    ddb_json_t *item = ddb_json_set_object(b.root, "Item");

    ddb_attribute_set(item, "id", "S", it->id);
    ddb_attribute_set(item, "created", "S", ddb_time_print(it->created, p));
    if (it->loggable) {
        ddb_attribute_set(item, "loggable", "S", it->loggable);
    }
    if (it->issued) {
        ddb_attribute_set(item, "issued", "N", ddb_attribute_number(it->issued, p));
    }
    write_data(&b, item, it);
    ddb_attribute_use_name(b.root, "id", p);
    return conditional(&b, "attribute_not_exists(#id)");
}

const char *ddb_item_save_body(const char *table, const ddb_item_t *it, const ddb_item_t *loaded, apr_int64_t now,
                               apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    ddb_attribute_set_key(b.root, "Key", it->id);
    write_data(&b, NULL, it);
    if (it->successor) {
        write_attribute(&b, NULL, "successor", "B", it->successor);
    }
    if (it->left) {
        write_attribute(&b, NULL, "ended_by", "S", DDB_ITEM_LEFT);
    }
    if (!it->user_mark) {
        remove_attribute(&b, "user_mark");
    }
    if (!it->user_marks && loaded->user_marks) {
        remove_attribute(&b, "user_marks");
    }
    if (it->format == DDB_FORM && !it->packed) {
        remove_attribute(&b, "encoding");
    }
    put_update(&b);
    ddb_attribute_use_value(b.root, "now", "N", ddb_attribute_number(now, p), p);
    return conditional(&b, apr_pstrcat(p, as_loaded(&b, loaded), " AND #expires > :now", NULL));
}

const char *ddb_item_touch_body(const char *table, const ddb_item_t *it, apr_int64_t now, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    ddb_attribute_set_key(b.root, "Key", it->id);
    write_attribute(&b, NULL, "accessed", "S", ddb_time_print(it->accessed, p));
    write_attribute(&b, NULL, "expires", "N", ddb_attribute_number(it->expires, p));
    put_update(&b);
    ddb_attribute_use_name(b.root, "id", p);
    ddb_attribute_use_name(b.root, "idle_timeout", p);
    ddb_attribute_use_name(b.root, "absolute_timeout", p);
    ddb_attribute_use_value(b.root, "idle_timeout", "N", ddb_attribute_number(it->idle_timeout, p), p);
    ddb_attribute_use_value(b.root, "absolute_timeout", "N", ddb_attribute_number(it->absolute_timeout, p), p);
    ddb_attribute_use_value(b.root, "now", "N", ddb_attribute_number(now, p), p);
    /* Different timeouts in the row: another request saved new ones meanwhile, but our expiry is based on the old. */
    return conditional(&b, "attribute_exists(#id) AND #expires > :now AND #expires < :expires"
                           " AND #idle_timeout = :idle_timeout AND #absolute_timeout = :absolute_timeout");
}

const char *ddb_item_delete_body(const char *table, const char *id, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    ddb_attribute_set_key(b.root, "Key", id);
    return ddb_json_print(b.root, p);
}

const char *ddb_item_end_body(const char *table, const char *id, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    ddb_attribute_set_key(b.root, "Key", id);
    ddb_attribute_use_name(b.root, "accessed", p);
    ddb_attribute_use_value(b.root, "moved", "S", ddb_time_print(0, p), p);
    return conditional(&b, "attribute_not_exists(#accessed) OR #accessed <> :moved");
}

const char *ddb_item_seen_body(const char *table, const char *id, apr_int64_t now, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    ddb_attribute_set_key(b.root, "Key", id);
    write_attribute(&b, NULL, "seen", "N", ddb_attribute_number(now, p));
    put_update(&b);
    ddb_attribute_use_name(b.root, "issued", p);
    return conditional(&b, "attribute_exists(#issued) AND attribute_not_exists(#seen)");
}
