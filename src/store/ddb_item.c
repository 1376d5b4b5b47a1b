/* Owns what a session looks like in DynamoDB: attribute names and types, the conditions of every write, the form of
 * numbers. Sizes: ddb_item_size.c. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "aws/ddb_reply.h"
#include "base/ddb_json.h"
#include "base/ddb_time.h"
#include "base/ddb_zlib.h"
#include "store/ddb_item.h"

/* --- request bodies --- */

/* A body while it is built. names and values are NULL until the first placeholder: DynamoDB refuses empty ones. */
typedef struct body_t {
    ddb_json_t *root, *names, *values;
    apr_array_header_t *set;    /* const char *: " #x = :x" of an update */
    apr_array_header_t *remove; /* const char *: " #x" */
    apr_pool_t *p;
} body_t;

static body_t body_begin(const char *table, apr_pool_t *p)
{
    body_t b = { ddb_json_object(p),
                 NULL,
                 NULL,
                 apr_array_make(p, 8, sizeof(const char *)),
                 apr_array_make(p, 2, sizeof(const char *)),
                 p };

    ddb_json_set_str(b.root, "TableName", table);
    ddb_json_set_str(b.root, "ReturnConsumedCapacity", "TOTAL");
    return b;
}

static void put(ddb_json_t *map, const char *name, const char *type, const char *text)
{
    ddb_json_set_str(ddb_json_set_object(map, name), type, text);
}

static void put_key(body_t *b, const char *id)
{
    put(ddb_json_set_object(b->root, "Key"), "id", "S", id);
}

static void use_name(body_t *b, const char *attribute)
{
    if (!b->names) {
        b->names = ddb_json_set_object(b->root, "ExpressionAttributeNames");
    }
    ddb_json_set_str(b->names, apr_pstrcat(b->p, "#", attribute, NULL), attribute);
}

static void use_value(body_t *b, const char *name, const char *type, const char *text)
{
    if (!b->values) {
        b->values = ddb_json_set_object(b->root, "ExpressionAttributeValues");
    }
    put(b->values, apr_pstrcat(b->p, ":", name, NULL), type, text);
}

static const char *number(const body_t *b, apr_int64_t n)
{
    return apr_psprintf(b->p, "%" APR_INT64_T_FMT, n);
}

static const char *base64(const body_t *b, const void *bytes, apr_size_t len)
{
    /* A session without data may come with a NULL, for which APR would give a NULL. */
    return len ? apr_pencode_base64_binary(b->p, bytes, (apr_ssize_t)len, APR_ENCODE_NONE, NULL) : "";
}

/* An attribute goes into `item` of a PutItem, or with item NULL into the SET clause of an UpdateItem. */
static void write_attribute(body_t *b, ddb_json_t *item, const char *name, const char *type, const char *text)
{
    if (item) {
        put(item, name, type, text);
        return;
    }
    use_name(b, name);
    use_value(b, name, type, text);
    APR_ARRAY_PUSH(b->set, const char *) = apr_pstrcat(b->p, " #", name, " = :", name, NULL);
}

/* Of an update; where nothing is, nothing is removed. */
static void remove_attribute(body_t *b, const char *name)
{
    use_name(b, name);
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

/* What a create and a save have in common: all that a write of data changes. */
static void write_data(body_t *b, ddb_json_t *item, const ddb_item_t *it)
{
    write_payload(b, item, it);
    write_attribute(b, item, "accessed", "S", ddb_time_print(it->accessed, b->p));
    write_attribute(b, item, "expires", "N", number(b, it->expires));
    write_attribute(b, item, "idle_timeout", "N", number(b, it->idle_timeout));
    write_attribute(b, item, "absolute_timeout", "N", number(b, it->absolute_timeout));
    write_attribute(b, item, "version", "N", number(b, it->version));
    write_attribute(b, item, "write_id", "B", base64(b, it->write_id, sizeof(it->write_id)));
    if (it->user_mark) {
        write_attribute(b, item, "user_mark", "S", it->user_mark);
    }
}

static const char *unchanged(body_t *b, const char *attribute, const char *type, const char *text)
{
    use_name(b, attribute);
    use_value(b, apr_pstrcat(b->p, "loaded_", attribute, NULL), type, text);
    return apr_psprintf(b->p, " AND #%s = :loaded_%s", attribute, attribute);
}

/* The condition that a row is as it was read. */
static const char *as_loaded(body_t *b, const ddb_item_t *loaded)
{
    const char *condition = "#version = :loaded";

    use_name(b, "version");
    if (loaded->version) {
        use_value(b, "loaded", "N", number(b, loaded->version));
    }
    else {
        condition = "attribute_not_exists(#version)";
    }
    if (loaded->format == DDB_FORM) {
        return condition;
    }
    /* The other program's writes leave our version in place. */
    return apr_pstrcat(b->p, condition, unchanged(b, "data", "S", loaded->data),
                       unchanged(b, "idle_timeout", "N", number(b, loaded->idle_timeout)),
                       unchanged(b, "absolute_timeout", "N", number(b, loaded->absolute_timeout)), NULL);
}

static const char *conditional(body_t *b, const char *condition)
{
    ddb_json_set_str(b->root, "ConditionExpression", condition);
    /* The row that made the condition fail comes back at no cost: by its write id a writer knows its own attempt. */
    ddb_json_set_str(b->root, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    return ddb_json_print(b->root, b->p);
}

const char *ddb_item_get_body(const char *table, const char *id, int consistent, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    put_key(&b, id);
    ddb_json_set_bool(b.root, "ConsistentRead", consistent);
    return ddb_json_print(b.root, p);
}

const char *ddb_item_create_body(const char *table, const ddb_item_t *it, apr_pool_t *p)
{
    body_t b = body_begin(table, p);
    ddb_json_t *item = ddb_json_set_object(b.root, "Item");

    put(item, "id", "S", it->id);
    put(item, "created", "S", ddb_time_print(it->created, p));
    if (it->loggable) {
        put(item, "loggable", "S", it->loggable);
    }
    write_data(&b, item, it);
    use_name(&b, "id");
    return conditional(&b, "attribute_not_exists(#id)");
}

const char *ddb_item_save_body(const char *table, const ddb_item_t *it, const ddb_item_t *loaded, apr_int64_t now,
                               apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    put_key(&b, it->id);
    write_data(&b, NULL, it);
    if (!it->user_mark) {
        remove_attribute(&b, "user_mark");
    }
    if (it->format == DDB_FORM && !it->packed) {
        remove_attribute(&b, "encoding");
    }
    put_update(&b);
    use_value(&b, "now", "N", number(&b, now));
    return conditional(&b, apr_pstrcat(p, as_loaded(&b, loaded), " AND #expires > :now", NULL));
}

const char *ddb_item_touch_body(const char *table, const ddb_item_t *it, apr_int64_t now, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    put_key(&b, it->id);
    write_attribute(&b, NULL, "accessed", "S", ddb_time_print(it->accessed, p));
    write_attribute(&b, NULL, "expires", "N", number(&b, it->expires));
    put_update(&b);
    use_name(&b, "id");
    use_name(&b, "idle_timeout");
    use_name(&b, "absolute_timeout");
    use_value(&b, "idle_timeout", "N", number(&b, it->idle_timeout));
    use_value(&b, "absolute_timeout", "N", number(&b, it->absolute_timeout));
    use_value(&b, "now", "N", number(&b, now));
    /* Other timeouts in the row: another request saved new ones meanwhile, and this end was computed from the old. */
    return conditional(&b, "attribute_exists(#id) AND #expires > :now AND #expires < :expires"
                           " AND #idle_timeout = :idle_timeout AND #absolute_timeout = :absolute_timeout");
}

const char *ddb_item_delete_body(const char *table, const char *id, apr_pool_t *p)
{
    body_t b = body_begin(table, p);

    put_key(&b, id);
    return ddb_json_print(b.root, p);
}

/* --- items --- */

/* The first fault ends the reading: what comes after it is passed over, so that the caller asks once. */
typedef struct reader_t {
    const ddb_json_t *item;
    apr_pool_t *p;
    ddb_error_t *err;
    apr_status_t rv;
} reader_t;

static void bad(reader_t *r, const char *name, const char *fault)
{
    r->rv = ddb_error_set(r->err, DDB_EBADITEM,
                          "attribute %s of the stored session %s: not written by this module,"
                          " or changed by hand",
                          name, fault);
}

static const char *read_text(reader_t *r, const char *name, const char *type)
{
    const char *text;

    if (r->rv != APR_SUCCESS) {
        return NULL;
    }
    text = ddb_json_str(ddb_json_child(r->item, name), type);
    if (!text) {
        bad(r, name,
            !ddb_json_has(r->item, name)
                ? "is missing"
                : apr_psprintf(r->p, "is not of type %s%s", type,
                               strcmp(name, "data") == 0 ? ", as it is in another format" : ""));
    }
    return text;
}

/* Whole decimal numbers only, as DynamoDB prints them. 15 digits: sums of them stay far from apr_int64_t's ends. */
static apr_int64_t read_number(reader_t *r, const char *name, apr_int64_t least)
{
    const char *text = read_text(r, name, "N");
    apr_size_t len = text ? strspn(text, "0123456789") : 0;
    apr_int64_t n;

    if (!text) {
        return 0;
    }
    if (len == 0 || len > 15 || text[len] || (text[0] == '0' && len > 1)) {
        bad(r, name, "is no whole number");
        return 0;
    }
    n = apr_atoi64(text);
    if (n < least) {
        bad(r, name, "is a number out of range");
    }
    return n;
}

static const char *read_bytes(reader_t *r, const char *name, apr_size_t *len)
{
    const char *text = read_text(r, name, "B"), *bytes;

    *len = 0;
    if (!text || !*text) {
        return "";
    }
    bytes = apr_pdecode_base64(r->p, text, APR_ENCODE_STRING, APR_ENCODE_NONE, len);
    if (!bytes || strlen(text) % 4) { /* APR takes base64 without padding too, which DynamoDB never sends */
        *len = 0;
        bad(r, name, "is no base64");
    }
    return bytes;
}

static apr_time_t read_time(reader_t *r, const char *name)
{
    const char *text = read_text(r, name, "S");
    apr_time_t t = 0;

    if (text && ddb_time_parse(&t, text) != APR_SUCCESS) {
        bad(r, name, "is no time in UTC");
    }
    return t;
}

static void read_write_id(reader_t *r, unsigned char *out)
{
    apr_size_t len;
    const char *bytes = read_bytes(r, "write_id", &len);

    if (r->rv == APR_SUCCESS && len != DDB_WRITE_ID_BYTES) {
        bad(r, "write_id", "has another length");
    }
    if (r->rv == APR_SUCCESS) {
        memcpy(out, bytes, DDB_WRITE_ID_BYTES);
    }
}

static void unpack_data(reader_t *r, ddb_item_t *it)
{
    const char *encoding = read_text(r, "encoding", "S");
    ddb_zlib_bytes_t packed = { it->data, it->data_len }, plain = { "", 0 };
    apr_status_t rv;

    if (!encoding || strcmp(encoding, DDB_ITEM_ENCODING) != 0) {
        if (encoding) {
            bad(r, "encoding", "names an unknown one");
        }
        return;
    }
    rv = ddb_zlib_decompress(&plain, packed, DDB_ITEM_DATA_MAX, r->p);
    if (rv == APR_ENOMEM) {
        r->rv = ddb_error_set(r->err, rv, "no memory to decompress a session");
    }
    else if (rv == DDB_ETOOLARGE) {
        r->rv = ddb_error_set(r->err, rv,
                              "the data of the stored session has more than 4 MiB when decompressed, which "
                              "is the limit of SessionDynamoDBCompress: end the session");
    }
    else if (rv != APR_SUCCESS) {
        bad(r, "data", "can't be decompressed");
    }
    it->data = plain.data;
    it->data_len = plain.len;
}

static void read_data(reader_t *r, ddb_item_t *it)
{
    if (it->format == DDB_JSON) {
        it->data = apr_pstrdup(r->p, read_text(r, "data", "S"));
        it->data_len = it->data ? strlen(it->data) : 0;
    }
    else {
        it->data = read_bytes(r, "data", &it->data_len);
        if (r->rv == APR_SUCCESS && ddb_json_has(r->item, "encoding")) {
            unpack_data(r, it);
        }
    }
}

/* By what we know our own writes. A row that the other program wrote first has them not. */
static void read_marks(reader_t *r, ddb_item_t *it)
{
    if (it->format == DDB_FORM || ddb_json_has(r->item, "version")) {
        it->version = read_number(r, "version", 1);
    }
    if (it->format == DDB_FORM || ddb_json_has(r->item, "write_id")) {
        read_write_id(r, it->write_id);
    }
    /* One that is strange is as good as none. */
    it->loggable = ddb_json_str(ddb_json_child(r->item, "loggable"), "S");
    it->loggable = it->loggable ? apr_pstrdup(r->p, it->loggable) : NULL;
    if (ddb_json_has(r->item, "user_mark")) {
        it->user_mark = apr_pstrdup(r->p, read_text(r, "user_mark", "S"));
    }
}

static apr_status_t read_item(ddb_item_t *it, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err)
{
    reader_t r = { item, p, err, APR_SUCCESS };
    ddb_item_t found;

    if (it->format == DDB_JSON && !ddb_json_has(item, "data")) {
        return APR_NOTFOUND;
    }
    memset(&found, 0, sizeof(found));
    found.format = it->format;
    found.consumed = it->consumed;
    found.id = apr_pstrdup(p, read_text(&r, "id", "S"));
    read_data(&r, &found);
    found.created = read_time(&r, "created");
    found.accessed = read_time(&r, "accessed");
    found.expires = read_number(&r, "expires", 0);
    found.idle_timeout = read_number(&r, "idle_timeout", 1);
    found.absolute_timeout = read_number(&r, "absolute_timeout", 1);
    read_marks(&r, &found);
    if (r.rv == APR_SUCCESS) {
        *it = found;
    }
    return r.rv;
}

apr_status_t ddb_item_parse(ddb_item_t *it, const char *in, apr_size_t len, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *reply;
    const ddb_json_t *item;

    it->consumed = 0;
    if (ddb_json_parse(&reply, in, len, p) != APR_SUCCESS) {
        return ddb_error_set(err, DDB_EBADREPLY, "the reply is no JSON: is the endpoint a DynamoDB?");
    }
    it->consumed = ddb_reply_capacity(reply);
    if (!ddb_json_has(reply, "Item")) {
        return APR_NOTFOUND;
    }
    item = ddb_json_child(reply, "Item");
    if (!item) {
        return ddb_error_set(err, DDB_EBADREPLY, "the Item of the reply is no object: is the endpoint a DynamoDB?");
    }
    return read_item(it, item, p, err);
}
