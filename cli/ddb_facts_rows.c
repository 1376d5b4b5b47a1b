/* Assumptions about rows: conditions, capacity, sizes, values. */

#include <string.h>

#include <apr_strings.h>

#include "aws/ddb_reply.h"
#include "base/ddb_array.h"
#include "base/ddb_base64.h"
#include "ddb_facts_int.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item.h"

#define KEY_MAX 2048 /* bytes; DynamoDB Developer Guide, "Quotas" */
#define ROUNDS  20

void ddb_facts_request_id(ddb_facts_t *f)
{
    ddb_facts_get(f, ddb_facts_key(f, "request-id"));
    ddb_facts_judge(f, f->observer.with_id == f->observer.replies, "%d of %d replies", f->observer.with_id,
                    f->observer.replies);
}

/* --- conditions --- */

/* SET #v = :v. */
static ddb_json_t *set_body(ddb_facts_t *f, const char *key, const char *value)
{
    ddb_json_t *body = ddb_facts_update(f, key, "#v");

    ddb_attribute_use_name(body, "v", f->scratch);
    ddb_attribute_use_value(body, "v", "N", value, f->scratch);
    return body;
}

static void only_if_missing(ddb_facts_t *f, ddb_json_t *body)
{
    ddb_json_set_str(body, "ConditionExpression", "attribute_not_exists(#id)");
    ddb_json_set_str(body, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    ddb_attribute_use_name(body, "id", f->scratch);
}

/* A write of that kind whose condition fails on a row that is there. */
static ddb_json_t *failing_body(ddb_facts_t *f, const char *operation, const char *key)
{
    ddb_json_t *body = strcmp(operation, "UpdateItem") == 0
                           ? set_body(f, key, "2")
                           : ddb_facts_body(f, strcmp(operation, "PutItem") == 0 ? "Item" : "Key", key);

    only_if_missing(f, body);
    return body;
}

static const char *const writes[] = { "PutItem", "UpdateItem", "DeleteItem" };

void ddb_facts_all_old(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "all-old"), *observed = "";
    int with = 0;
    apr_size_t i;

    if (ddb_facts_put(f, key, "v", "N", "1") != APR_SUCCESS) {
        ddb_facts_failed(f);
        return;
    }
    for (i = 0; i < DDB_ARRAY_LENGTH(writes); i++) {
        const char *v;

        if (ddb_facts_call(f, writes[i], failing_body(f, writes[i], key)) != DDB_ECONFLICT) {
            ddb_facts_failed(f);
            return;
        }
        v = ddb_attribute_get(ddb_json_child(f->reply, "Item"), "v", "N");
        with += v && strcmp(v, "1") == 0;
        observed = apr_psprintf(f->scratch, "%s%s%s %s the row", observed, i ? ", " : "", writes[i],
                                v ? "with" : "without");
    }
    ddb_facts_judge(f, with == (int)DDB_ARRAY_LENGTH(writes), "%s", observed);
}

/* That condition is met by a missing row, the other by that value. Each write is repeated, when it is no longer met.
 * @return 1 when one was carried out and the other refused. */
static int succeeds_once(ddb_facts_t *f, const char *operation, const ddb_json_t *body)
{
    return ddb_facts_call(f, operation, body) == APR_SUCCESS && ddb_facts_call(f, operation, body) == DDB_ECONFLICT;
}

void ddb_facts_conditions(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "conditions"), *v;
    ddb_json_t *create = ddb_facts_body(f, "Item", key), *change = set_body(f, key, "2");

    ddb_attribute_set(ddb_json_set_object(create, "Item"), "v", "N", "1");
    only_if_missing(f, create);
    ddb_json_set_str(change, "ConditionExpression", "#v = :old");
    ddb_attribute_use_value(change, "old", "N", "1", f->scratch);
    if (!succeeds_once(f, "PutItem", create) || !succeeds_once(f, "UpdateItem", change)) {
        if (f->rv == APR_SUCCESS || f->rv == DDB_ECONFLICT) {
            ddb_facts_no(f, "%s against its condition: %s", f->err.operation, ddb_facts_outcome(f));
            return;
        }
        ddb_facts_failed(f);
        return;
    }
    if (ddb_facts_get(f, key) != APR_SUCCESS) {
        ddb_facts_failed(f);
        return;
    }
    v = ddb_attribute_get(ddb_json_child(f->reply, "Item"), "v", "N");
    ddb_facts_judge(
        f, v && strcmp(v, "2") == 0,
        "two writes whose condition held, two refused by ConditionalCheckFailedException; the value is %.20s",
        v ? v : "missing");
}

void ddb_facts_strong_read(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "strong-read");
    int i;

    for (i = 1; i <= ROUNDS; i++) {
        const char *sent = apr_itoa(f->scratch, i), *v;

        if (ddb_facts_call(f, "UpdateItem", set_body(f, key, sent)) != APR_SUCCESS
            || ddb_facts_get(f, key) != APR_SUCCESS) {
            ddb_facts_failed(f);
            return;
        }
        v = ddb_attribute_get(ddb_json_child(f->reply, "Item"), "v", "N");
        if (!v || strcmp(v, sent) != 0) {
            ddb_facts_no(f, "after write %d, a read saw %.20s", i, v ? v : "no row");
            return;
        }
    }
    ddb_facts_yes(f, "%d writes, each seen by the read after it", ROUNDS);
}

/* --- capacity --- */

static int states_capacity(const ddb_facts_t *f)
{
    return ddb_json_has(f->reply, "ConsumedCapacity");
}

void ddb_facts_capacity(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "capacity");
    int stated = 0, failed;

    if (ddb_facts_put(f, key, "v", "N", "1") == APR_SUCCESS) {
        stated = states_capacity(f);
        stated += ddb_facts_get(f, key) == APR_SUCCESS && states_capacity(f);
        stated += ddb_facts_call(f, "UpdateItem", set_body(f, key, "2")) == APR_SUCCESS && states_capacity(f);
    }
    if (f->rv != APR_SUCCESS || ddb_facts_call(f, "PutItem", failing_body(f, "PutItem", key)) != DDB_ECONFLICT) {
        ddb_facts_failed(f);
        return;
    }
    failed = states_capacity(f);
    ddb_facts_judge(f, stated == 3 && !failed, "%d of 3 replies with it; the one to a failed condition %s it", stated,
                    failed ? "with" : "without");
}

void ddb_facts_capacity_permission(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "capacity-permission");
    ddb_json_t *body = ddb_json_object(f->scratch);
    const char *with;

    ddb_facts_get(f, key);
    if (f->rv == APR_SUCCESS) {
        ddb_facts_yes(f, "GetItem that asks for it: 200");
        return;
    }
    with = ddb_facts_outcome(f);
    ddb_json_set_str(body, "TableName", f->o->table);
    ddb_attribute_set_key(body, "Key", key);
    if (ddb_facts_call(f, "GetItem", body) == APR_SUCCESS) {
        ddb_facts_no(f, "GetItem that asks for it: %s, one that does not: 200", with);
        return;
    }
    ddb_facts_failed(f);
}

/* The units of a call, in halves; -1 when it failed. */
static apr_int64_t units_of(ddb_facts_t *f, const char *operation, const ddb_json_t *body)
{
    return ddb_facts_call(f, operation, body) == APR_SUCCESS ? ddb_reply_capacity(f->reply) : -1;
}

void ddb_facts_capacity_units(ddb_facts_t *f)
{
    /* A row of 2.5 KB; in halves of a unit. */
    static const struct {
        const char *what;
        apr_int64_t halves;
    } expected[] = {
        { "write", 6 }, { "read", 2 }, { "eventual read", 1 }, { "read of no row", 2 }, { "update of a part", 6 },
        { "delete", 6 }
    };
    const char *key = ddb_facts_key(f, "capacity-units"), *observed = "";
    ddb_json_t *row = ddb_facts_body(f, "Item", key), *read = ddb_facts_body(f, "Key", key);
    ddb_json_t *none = ddb_facts_body(f, "Key", ddb_facts_key(f, "no-row"));
    apr_int64_t seen[DDB_ARRAY_LENGTH(expected)];
    apr_size_t i, right = 0;

    ddb_attribute_set(ddb_json_set_object(row, "Item"), "data", "S", apr_psprintf(f->scratch, "%02500d", 0));
    ddb_json_set_bool(read, "ConsistentRead", 1);
    ddb_json_set_bool(none, "ConsistentRead", 1);
    seen[0] = units_of(f, "PutItem", row);
    seen[1] = units_of(f, "GetItem", read);
    seen[2] = units_of(f, "GetItem", ddb_facts_body(f, "Key", key));
    seen[3] = units_of(f, "GetItem", none);
    seen[4] = units_of(f, "UpdateItem", set_body(f, key, "2"));
    seen[5] = units_of(f, "DeleteItem", ddb_facts_body(f, "Key", key));
    for (i = 0; i < DDB_ARRAY_LENGTH(expected); i++) {
        if (seen[i] < 0) {
            ddb_facts_failed(f);
            return;
        }
        right += seen[i] == expected[i].halves;
        observed = apr_psprintf(f->scratch, "%s%s%s %.1f", observed, i ? ", " : "", expected[i].what,
                                (double)seen[i] / 2);
    }
    ddb_facts_judge(f, right == DDB_ARRAY_LENGTH(expected), "row of 2.5 KB: %s", observed);
}

/* --- sizes --- */

/* A row of that size, as ddb_item_size counts. */
static apr_status_t put_large(ddb_facts_t *f, const char *key, apr_size_t size)
{
    ddb_json_t *body = ddb_facts_body(f, "Item", key), *item = ddb_json_set_object(body, "Item");
    apr_size_t rest = size - ddb_item_size_of(item) - strlen("data");
    char *text = apr_pcalloc(f->scratch, DDB_BASE64_LEN(rest) + 1);

    ddb_base64_encode(text, apr_pcalloc(f->scratch, rest), rest);
    ddb_attribute_set(item, "data", "B", text);
    return ddb_facts_call(f, "PutItem", body);
}

/* The largest that is allowed, and one byte more. */
static void judge_limit(ddb_facts_t *f, apr_status_t most, apr_status_t more, int limit)
{
    if (most == APR_SUCCESS && more == APR_SUCCESS) {
        ddb_facts_no(f, "%d bytes are accepted, %d as well", limit, limit + 1);
    }
    else if (most == APR_SUCCESS && strcmp(f->err.type, "ValidationException") == 0) {
        ddb_facts_yes(f, "%d bytes are accepted, %d refused: %s", limit, limit + 1, ddb_facts_outcome(f));
    }
    else if (strcmp(f->err.type, "ValidationException") == 0) {
        ddb_facts_no(f, "%d bytes are refused: %s", limit, ddb_facts_outcome(f));
    }
    else {
        ddb_facts_failed(f);
    }
}

void ddb_facts_item_size(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "item-size");
    apr_status_t most = put_large(f, key, DDB_ITEM_SIZE_MAX),
                 more = most == APR_SUCCESS ? put_large(f, key, DDB_ITEM_SIZE_MAX + 1) : most;

    judge_limit(f, most, more, DDB_ITEM_SIZE_MAX);
}

void ddb_facts_key_size(ddb_facts_t *f)
{
    int rest = KEY_MAX - (int)strlen(f->sum->prefix);
    const char *key = ddb_facts_key(f, apr_psprintf(f->scratch, "%0*d", rest, 0));
    apr_status_t most = ddb_facts_put(f, key, NULL, NULL, NULL), more = most;

    if (most == APR_SUCCESS) {
        more = ddb_facts_put(f, ddb_facts_key(f, apr_psprintf(f->scratch, "%0*d", rest + 1, 0)), NULL, NULL, NULL);
    }
    judge_limit(f, most, more, KEY_MAX);
}

/* --- values --- */

void ddb_facts_numbers(ddb_facts_t *f)
{
    static const char *const numbers[] = { "0", "7200", "1795980400", "999999999999999" };
    const char *key = ddb_facts_key(f, "numbers");
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(numbers); i++) {
        const char *v;

        if (ddb_facts_put(f, key, "v", "N", numbers[i]) != APR_SUCCESS || ddb_facts_get(f, key) != APR_SUCCESS) {
            ddb_facts_failed(f);
            return;
        }
        v = ddb_attribute_get(ddb_json_child(f->reply, "Item"), "v", "N");
        if (!v || strcmp(v, numbers[i]) != 0) {
            ddb_facts_no(f, "%s came back as %.40s", numbers[i], v ? v : "nothing");
            return;
        }
    }
    ddb_facts_yes(f, "%d numbers of up to 15 digits, each as it was sent", (int)DDB_ARRAY_LENGTH(numbers));
}

void ddb_facts_empty_data(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "empty-data"), *binary, *text;

    ddb_facts_put(f, key, "data", "B", "");
    binary = ddb_facts_outcome(f);
    ddb_facts_put(f, key, "data", "S", "");
    text = ddb_facts_outcome(f);
    ddb_facts_judge(f, strcmp(binary, "200") == 0 && strcmp(text, "200") == 0, "B: %s, S: %s", binary, text);
}

void ddb_facts_utf8(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "utf-8"), *stored, *hex = "";

    ddb_facts_send(f, f->client, "PutItem",
                   apr_psprintf(f->scratch,
                                "{\"TableName\":\"%s\",\"Item\":{\"id\":{\"S\":\"%s\"},\"v\":{\"S\":\"a\xff\"}}}",
                                f->o->table, key));
    if (f->rv != APR_SUCCESS) {
        ddb_facts_judge(f, f->err.http_status == 400, "%s", ddb_facts_outcome(f));
        return;
    }
    ddb_facts_get(f, key);
    stored = ddb_attribute_get(ddb_json_child(f->reply, "Item"), "v", "S");
    for (; stored && *stored; stored++) {
        hex = apr_psprintf(f->scratch, "%s %02x", hex, (unsigned char)*stored);
    }
    ddb_facts_no(f, "61 ff is stored, and read as%s", stored ? hex : " text that is not UTF-8");
}

void ddb_facts_reserved_words(ddb_facts_t *f)
{
    const char *key = ddb_facts_key(f, "reserved-words"), *with;
    ddb_json_t *body = ddb_facts_update(f, key, "#data");

    ddb_attribute_use_name(body, "data", f->scratch);
    ddb_attribute_use_value(body, "v", "S", "text", f->scratch);
    ddb_facts_call(f, "UpdateItem", body);
    with = ddb_facts_outcome(f);
    body = ddb_facts_update(f, key, "data");
    ddb_attribute_use_value(body, "v", "S", "text", f->scratch);
    ddb_facts_call(f, "UpdateItem", body);
    ddb_facts_judge(f, strcmp(with, "200") == 0, "#data: %s, the bare word data: %s", with, ddb_facts_outcome(f));
}
