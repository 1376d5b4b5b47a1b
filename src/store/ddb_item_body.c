/* The requests for items, written as text: attributes and their types, number formats, the condition of every write. */

#include <string.h>

#include "base/ddb_base64.h"
#include "base/ddb_text.h"
#include "base/ddb_time.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item_int.h"

#define BODY_SIZE 1024 /* bytes of most bodies, data apart */

#define OF(a)  (1U << (a)) /* in a set of attributes */
#define DEVICE (OF(ROW_DEVICE_SECRET) | OF(ROW_DEVICE_UNTIL) | OF(ROW_DEVICE_KEY))

/* A request body under construction. Attributes are written where they belong: into the Item of a PutItem, or into the
 * values of an UpdateItem, whose expressions come behind them. Expressions have placeholders for all names and values,
 * as short as possible: a body is hashed, byte by byte, for its signature. */
typedef struct body_t {
    ddb_text_t text;
    int is_put;
    int values;               /* how many there are, of the Item or for expressions */
    unsigned int set, remove; /* attributes, of an update */
} body_t;

static void begin(body_t *b, const char *table, apr_size_t data_len, apr_pool_t *p)
{
    *b = (body_t){ 0 };
    ddb_text_begin(&b->text, BODY_SIZE + DDB_BASE64_LEN(data_len), p);
    ddb_text_add(&b->text, "{\"TableName\":");
    ddb_text_add_json(&b->text, table);
    ddb_text_add(&b->text, ",\"ReturnConsumedCapacity\":\"TOTAL\"");
}

static void begin_key(body_t *b, const char *table, const char *id, apr_size_t data_len, apr_pool_t *p)
{
    begin(b, table, data_len, p);
    ddb_text_add(&b->text, ",\"Key\":{\"" DDB_ATTRIBUTE_KEY "\":{\"S\":");
    ddb_text_add_json(&b->text, id);
    ddb_text_add(&b->text, "}}");
}

/* Begin the next value, of the Item or for expressions. One of the functions below ends it. */
static void open_value(body_t *b, const char *sign, const char *name, const char *type)
{
    const char *first = b->is_put ? ",\"Item\":{\"" : ",\"ExpressionAttributeValues\":{\"";

    ddb_text_add(&b->text, b->values++ ? ",\"" : first);
    ddb_text_add(&b->text, sign);
    ddb_text_add(&b->text, name);
    ddb_text_add(&b->text, "\":{\"");
    ddb_text_add(&b->text, type);
    ddb_text_add(&b->text, "\":");
}

static void put_text(body_t *b, const char *text)
{
    ddb_text_add_json(&b->text, text);
    ddb_text_add(&b->text, "}");
}

static void put_time(body_t *b, apr_time_t t)
{
    put_text(b, ddb_time_print(t, b->text.p));
}

static void put_number(body_t *b, apr_int64_t n)
{
    ddb_text_add(&b->text, "\"");
    ddb_text_add_number(&b->text, n);
    ddb_text_add(&b->text, "\"}");
}

static void open_attribute_of_type(body_t *b, ddb_item_attribute_e a, const char *type)
{
    if (b->is_put) {
        open_value(b, "", ddb_item_attributes[a].name, type);
        return;
    }
    b->set |= OF(a);
    open_value(b, ":", ddb_item_attributes[a].placeholder, type);
}

static void open_attribute(body_t *b, ddb_item_attribute_e a)
{
    open_attribute_of_type(b, a, ddb_item_attributes[a].type);
}

static void write_text(body_t *b, ddb_item_attribute_e a, const char *text)
{
    open_attribute(b, a);
    put_text(b, text);
}

static void write_optional(body_t *b, ddb_item_attribute_e a, const char *text)
{
    if (text) {
        write_text(b, a, text);
    }
}

static void write_time(body_t *b, ddb_item_attribute_e a, apr_time_t t)
{
    open_attribute(b, a);
    put_time(b, t);
}

static void write_number(body_t *b, ddb_item_attribute_e a, apr_int64_t n)
{
    open_attribute(b, a);
    put_number(b, n);
}

static void write_bytes(body_t *b, ddb_item_attribute_e a, const void *bytes, apr_size_t len)
{
    open_attribute(b, a);
    ddb_text_add(&b->text, "\"");
    ddb_text_add_base64(&b->text, bytes, len);
    ddb_text_add(&b->text, "\"}");
}

/* A value to compare with. */
static void use_number(body_t *b, const char *placeholder, apr_int64_t n)
{
    open_value(b, "", placeholder, "N");
    put_number(b, n);
}

static void write_payload(body_t *b, const ddb_item_t *it)
{
    if (it->format == DDB_JSON) {
        open_attribute_of_type(b, ROW_DATA, "S");
        put_text(b, it->data);
    }
    else if (it->packed) {
        write_bytes(b, ROW_DATA, it->packed, it->packed_len);
        write_text(b, ROW_ENCODING, it->encoding);
    }
    else {
        write_bytes(b, ROW_DATA, it->data, it->data_len);
    }
}

/* The attributes that every write of data changes, by create or save. */
static void write_data(body_t *b, const ddb_item_t *it)
{
    write_payload(b, it);
    write_time(b, ROW_ACCESSED, it->accessed);
    write_number(b, ROW_EXPIRES, it->expires);
    write_number(b, ROW_IDLE_TIMEOUT, it->idle_timeout);
    write_number(b, ROW_ABSOLUTE_TIMEOUT, it->absolute_timeout);
    write_number(b, ROW_VERSION, it->version);
    write_bytes(b, ROW_WRITE_ID, it->write_id, sizeof(it->write_id));
    write_optional(b, ROW_USER_MARK, it->user_mark);
    write_optional(b, ROW_USER_MARKS, it->user_marks);
    if (it->timeouts_set) {
        write_text(b, ROW_TIMEOUTS_BY, DDB_ITEM_TIMEOUTS_BY);
    }
}

/* UpdateItem ignores the removal of an attribute that does not exist. more: further attributes to set. */
static void add_update(body_t *b, const char *more)
{
    const char *before = ",\"UpdateExpression\":\"SET #";
    ddb_item_attribute_e a;

    for (a = 0; a < ROW_ATTRIBUTES; a++) {
        if (b->set & OF(a)) {
            ddb_text_add(&b->text, before);
            ddb_text_add(&b->text, ddb_item_attributes[a].placeholder);
            ddb_text_add(&b->text, "=:");
            ddb_text_add(&b->text, ddb_item_attributes[a].placeholder);
            before = ",#";
        }
    }
    ddb_text_add(&b->text, more);
    before = " REMOVE #";
    for (a = 0; a < ROW_ATTRIBUTES; a++) {
        if (b->remove & OF(a)) {
            ddb_text_add(&b->text, before);
            ddb_text_add(&b->text, ddb_item_attributes[a].placeholder);
            before = ",#";
        }
    }
    ddb_text_add(&b->text, "\"");
}

/* Each once: DynamoDB rejects a placeholder that is defined and not used, and keys of a JSON object must be unique (RFC
 * 8259 section 4). */
static void add_names(body_t *b, unsigned int attributes)
{
    const char *before = ",\"ExpressionAttributeNames\":{\"#";
    ddb_item_attribute_e a;

    for (a = 0; a < ROW_ATTRIBUTES; a++) {
        if (attributes & OF(a)) {
            ddb_text_add(&b->text, before);
            ddb_text_add(&b->text, ddb_item_attributes[a].placeholder);
            ddb_text_add(&b->text, "\":\"");
            ddb_text_add(&b->text, ddb_item_attributes[a].name);
            before = "\",\"#";
        }
    }
    ddb_text_add(&b->text, "\"}");
}

/* The rest of a write: its expressions. attributes: those that the condition mentions. */
static const char *conditional(body_t *b, const char *condition, unsigned int attributes)
{
    if (b->values) {
        ddb_text_add(&b->text, "}");
    }
    if (b->set) {
        add_update(b, "");
    }
    ddb_text_add(&b->text, ",\"ConditionExpression\":\"");
    ddb_text_add(&b->text, condition);
    ddb_text_add(&b->text, "\"");
    add_names(b, attributes | b->set | b->remove);
    /* The row that failed the condition is returned at no cost: its write ID shows a writer its own attempt. */
    ddb_text_add(&b->text, ",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}");
    return ddb_text_end(&b->text);
}

static void write_device(body_t *b, const ddb_item_t *it)
{
    write_optional(b, ROW_DEVICE_SECRET, it->device_secret);
    if (it->device_until) {
        write_number(b, ROW_DEVICE_UNTIL, it->device_until);
    }
    write_optional(b, ROW_DEVICE_KEY, it->device_key);
}

/* A device changes no version: a row that gives it up, or takes another row's, has to compare it. */
static const char *save_device_over(body_t *b, const ddb_item_t *loaded)
{
    const char *condition = loaded->device_key ? "#v=:v0 AND #e>:n AND #j=:j0"
                                               : "#v=:v0 AND #e>:n AND attribute_not_exists(#j)";

    use_number(b, ":v0", loaded->version);
    if (loaded->device_key) {
        open_value(b, "", ":j0", "B");
        put_text(b, loaded->device_key);
    }
    return conditional(b, condition, OF(ROW_VERSION) | OF(ROW_EXPIRES) | OF(ROW_DEVICE_KEY));
}

/* A save that finds the row as it was loaded. */
static const char *save_over(body_t *b, const ddb_item_t *loaded)
{
    if (loaded->version) {
        use_number(b, ":v0", loaded->version);
    }
    if (loaded->format == DDB_FORM) {
        return conditional(b, loaded->version ? "#v=:v0 AND #e>:n" : "attribute_not_exists(#v) AND #e>:n",
                           OF(ROW_VERSION) | OF(ROW_EXPIRES));
    }
    /* dynamodb-session-flask does not change our version when it writes: compare what it writes. */
    open_value(b, "", ":d0", "S");
    put_text(b, loaded->data);
    use_number(b, ":i0", loaded->idle_timeout);
    use_number(b, ":t0", loaded->absolute_timeout);
    return conditional(b,
                       loaded->version ? "#v=:v0 AND #d=:d0 AND #i=:i0 AND #t=:t0 AND #e>:n"
                                       : "attribute_not_exists(#v) AND #d=:d0 AND #i=:i0 AND #t=:t0 AND #e>:n",
                       OF(ROW_VERSION) | OF(ROW_DATA) | OF(ROW_IDLE_TIMEOUT) | OF(ROW_ABSOLUTE_TIMEOUT)
                           | OF(ROW_EXPIRES));
}

const char *ddb_item_get_body(const char *table, const char *id, int consistent, apr_pool_t *p)
{
    body_t b;

    begin_key(&b, table, id, 0, p);
    ddb_text_add(&b.text, consistent ? ",\"ConsistentRead\":true}" : ",\"ConsistentRead\":false}");
    return ddb_text_end(&b.text);
}

/* The bytes that a write stores. */
static apr_size_t stored_len(const ddb_item_t *it)
{
    return it->packed ? it->packed_len : it->data_len;
}

const char *ddb_item_create_body(const char *table, const ddb_item_t *it, apr_pool_t *p)
{
    body_t b;

    begin(&b, table, stored_len(it), p);
    b.is_put = 1;
    write_text(&b, ROW_ID, it->id);
    write_time(&b, ROW_CREATED, it->created);
    write_optional(&b, ROW_LOGGABLE, it->loggable);
    if (it->issued) {
        write_number(&b, ROW_ISSUED, it->issued);
    }
    write_optional(&b, ROW_LISTED_IN, it->listed_in);
    write_optional(&b, ROW_BOUND, it->bound);
    write_optional(&b, ROW_CSRF_KEY, it->csrf_key);
    write_optional(&b, ROW_SUCCESSOR, it->successor);
    write_device(&b, it);
    if (it->left) {
        write_text(&b, ROW_ENDED_BY, DDB_ITEM_LEFT);
    }
    write_data(&b, it);
    return conditional(&b, "attribute_not_exists(#k)", OF(ROW_ID));
}

/* 1 if the row gives its device up, or takes that of another row. Rows that may be bound are in DDB_FORM. */
static int changes_device(body_t *b, const ddb_item_t *it, const ddb_item_t *loaded)
{
    int other = it->device_secret && (!loaded->device_secret || strcmp(it->device_secret, loaded->device_secret) != 0);
    int none = !it->device_secret && loaded->device_secret;

    if (other) {
        write_device(b, it);
    }
    b->remove |= none ? DEVICE : 0;
    return other || none;
}

const char *ddb_item_save_body(const char *table, const ddb_item_t *it, const ddb_item_t *loaded, apr_int64_t now,
                               apr_pool_t *p)
{
    body_t b;

    begin_key(&b, table, it->id, stored_len(it), p);
    write_data(&b, it);
    write_optional(&b, ROW_SUCCESSOR, it->successor);
    if (it->left) {
        write_text(&b, ROW_ENDED_BY, DDB_ITEM_LEFT);
    }
    if (it->bound && (!loaded->bound || strcmp(it->bound, loaded->bound) != 0)) {
        write_text(&b, ROW_BOUND, it->bound);
    }
    if (!it->bound && loaded->bound) {
        b.remove |= OF(ROW_BOUND);
    }
    if (!it->user_mark) {
        b.remove |= OF(ROW_USER_MARK);
    }
    if (!it->user_marks && loaded->user_marks) {
        b.remove |= OF(ROW_USER_MARKS);
    }
    if (!it->listed_in && loaded->listed_in) {
        b.remove |= OF(ROW_LISTED_IN);
    }
    if (!it->csrf_key && loaded->csrf_key) {
        b.remove |= OF(ROW_CSRF_KEY);
    }
    if (it->format == DDB_FORM && !it->packed) {
        b.remove |= OF(ROW_ENCODING);
    }
    use_number(&b, ":n", now);
    return changes_device(&b, it, loaded) ? save_device_over(&b, loaded) : save_over(&b, loaded);
}

const char *ddb_item_touch_body(const char *table, const ddb_item_t *it, apr_int64_t now, apr_pool_t *p)
{
    body_t b;

    begin_key(&b, table, it->id, 0, p);
    write_time(&b, ROW_ACCESSED, it->accessed);
    write_number(&b, ROW_EXPIRES, it->expires);
    use_number(&b, ":i", it->idle_timeout);
    use_number(&b, ":t", it->absolute_timeout);
    use_number(&b, ":n", now);
    /* Different timeouts in the row: another request saved new ones meanwhile, but our expiry is based on the old. */
    return conditional(&b, "attribute_exists(#k) AND #e>:n AND #e<:e AND #i=:i AND #t=:t",
                       OF(ROW_ID) | OF(ROW_EXPIRES) | OF(ROW_IDLE_TIMEOUT) | OF(ROW_ABSOLUTE_TIMEOUT));
}

const char *ddb_item_delete_body(const char *table, const char *id, apr_pool_t *p)
{
    body_t b;

    begin_key(&b, table, id, 0, p);
    ddb_text_add(&b.text, "}");
    return ddb_text_end(&b.text);
}

const char *ddb_item_end_body(const char *table, const char *id, apr_pool_t *p)
{
    body_t b;

    begin_key(&b, table, id, 0, p);
    open_value(&b, "", ":a", "S");
    put_time(&b, 0);
    return conditional(&b, "attribute_not_exists(#a) OR #a<>:a", OF(ROW_ACCESSED));
}

const char *ddb_item_seen_body(const char *table, const char *id, apr_int64_t now, apr_pool_t *p)
{
    body_t b;

    begin_key(&b, table, id, 0, p);
    write_number(&b, ROW_SEEN, now);
    return conditional(&b, "attribute_exists(#r) AND attribute_not_exists(#s)", OF(ROW_ISSUED) | OF(ROW_SEEN));
}

const char *ddb_item_device_body(const char *table, const ddb_item_t *it, apr_int64_t now, apr_pool_t *p)
{
    body_t b;

    begin_key(&b, table, it->id, 0, p);
    write_number(&b, ROW_DEVICE_UNTIL, it->device_until);
    write_text(&b, ROW_DEVICE_KEY, it->device_key);
    use_number(&b, ":n", now);
    return conditional(&b, "attribute_not_exists(#j) AND #h>:n AND #e>:n",
                       OF(ROW_DEVICE_KEY) | OF(ROW_DEVICE_UNTIL) | OF(ROW_EXPIRES));
}

const char *ddb_item_bury_body(const char *table, const ddb_item_t *it, apr_pool_t *p)
{
    const unsigned int removed = DEVICE | OF(ROW_ENCODING) | OF(ROW_USER_MARK) | OF(ROW_USER_MARKS) | OF(ROW_SUCCESSOR)
                                 | OF(ROW_LISTED_IN) | OF(ROW_CSRF_KEY) | OF(ROW_BOUND);
    body_t b;

    begin_key(&b, table, it->id, 0, p);
    write_bytes(&b, ROW_DATA, "", 0);
    write_time(&b, ROW_ACCESSED, 0);
    write_number(&b, ROW_EXPIRES, it->expires);
    write_bytes(&b, ROW_WRITE_ID, it->write_id, sizeof(it->write_id));
    write_text(&b, ROW_ENDED_BY, DDB_ITEM_LEFT);
    open_value(&b, "", ":c", "S");
    put_time(&b, it->created);
    use_number(&b, ":0", 0);
    use_number(&b, ":1", 1);
    b.remove = removed;
    ddb_text_add(&b.text, "}");
    /* What a write that is under way goes by is different in any case: a save has read the version, a touch the
     * timeouts. */
    add_update(&b, ",#v=if_not_exists(#v,:0)+:1,#i=if_not_exists(#i,:0)+:1,#t=if_not_exists(#t,:1),"
                   "#c=if_not_exists(#c,:c)");
    add_names(&b,
              b.set | b.remove | OF(ROW_VERSION) | OF(ROW_IDLE_TIMEOUT) | OF(ROW_ABSOLUTE_TIMEOUT) | OF(ROW_CREATED));
    ddb_text_add(&b.text, "}");
    return ddb_text_end(&b.text);
}
