/* From a reply to the attributes of its item: quickly, and by cJSON for what the quick way does not take. */

#include <string.h>

#include "aws/ddb_reply.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item_int.h"

const ddb_item_attribute_t ddb_item_attributes[ROW_ATTRIBUTES] = {
    [ROW_ID] = { DDB_ATTRIBUTE_KEY, "S", "k" },
    [ROW_DATA] = { "data", "B", "d" },
    [ROW_CREATED] = { "created", "S", "c" },
    [ROW_ACCESSED] = { "accessed", "S", "a" },
    [ROW_EXPIRES] = { "expires", "N", "e" },
    [ROW_IDLE_TIMEOUT] = { "idle_timeout", "N", "i" },
    [ROW_ABSOLUTE_TIMEOUT] = { "absolute_timeout", "N", "t" },
    [ROW_VERSION] = { "version", "N", "v" },
    [ROW_WRITE_ID] = { "write_id", "B", "w" },
    [ROW_LOGGABLE] = { "loggable", "S", "l" },
    [ROW_USER_MARK] = { "user_mark", "S", "u" },
    [ROW_USER_MARKS] = { "user_marks", "S", "m" },
    [ROW_BOUND] = { "bound", "S", "o" },
    [ROW_CSRF_KEY] = { "csrf_key", "B", "f" },
    [ROW_ISSUED] = { "issued", "N", "r" },
    [ROW_SEEN] = { "seen", "N", "s" },
    [ROW_SUCCESSOR] = { "successor", "B", "x" },
    [ROW_ENDED_BY] = { "ended_by", "S", "q" },
    [ROW_TIMEOUTS_BY] = { "timeouts_by", "S", "b" },
    [ROW_ENCODING] = { "encoding", "S", "z" },
    [ROW_LISTED_IN] = { "listed_in", "S", "y" },
    [ROW_DEVICE_SECRET] = { "device_secret", "B", "g" },
    [ROW_DEVICE_UNTIL] = { "device_until", "N", "h" },
    [ROW_DEVICE_KEY] = { "device_key", "B", "j" },
};

const char *ddb_item_type(ddb_item_attribute_e a, ddb_format_e format)
{
    return a == ROW_DATA && format == DDB_JSON ? "S" : ddb_item_attributes[a].type;
}

/* ROW_ATTRIBUTES for one that is not ours. */
static int attribute_of(const ddb_json_string_t *name)
{
    int a;

    for (a = 0; a < ROW_ATTRIBUTES; a++) {
        /* Most are told apart by the first character. */
        if (name->len && *name->text == *ddb_item_attributes[a].name
            && ddb_json_string_is(name, ddb_item_attributes[a].name)) {
            break;
        }
    }
    return a;
}

/* The member of an attribute's value that has the name of the type; the first, as everywhere, if there are several. */
static void pull_value(ddb_json_pull_t *r, ddb_json_string_t *value, const char *type)
{
    ddb_json_string_t name;
    int found = 0;

    *value = (ddb_json_string_t){ 0 };
    if (!ddb_json_pull_object(r)) {
        ddb_json_pull_skip(r);
        return;
    }
    while (ddb_json_pull_member(r, &name)) {
        if (!found && ddb_json_string_is(&name, type)) {
            found = 1;
            if (ddb_json_pull_string(r, value)) {
                continue;
            }
        }
        ddb_json_pull_skip(r);
    }
}

static void pull_item(ddb_json_pull_t *r, ddb_item_reply_t *reply, ddb_format_e format)
{
    ddb_json_string_t name, value;

    reply->is_object = ddb_json_pull_object(r);
    if (!reply->is_object) {
        ddb_json_pull_skip(r);
        return;
    }
    while (ddb_json_pull_member(r, &name)) {
        int a = attribute_of(&name);

        if (a == ROW_ATTRIBUTES || reply->attributes[a].is_there) {
            ddb_json_pull_skip(r);
            continue;
        }
        pull_value(r, &value, ddb_item_type(a, format));
        reply->attributes[a].is_there = 1;
        reply->attributes[a].text = value.text;
        reply->attributes[a].len = value.len;
    }
}

int ddb_item_reply_pull(ddb_item_reply_t *reply, ddb_format_e format, const char *in, apr_size_t len, apr_pool_t *p)
{
    ddb_json_pull_t r;
    ddb_json_string_t name;
    int has_capacity = 0, known = 1;

    memset(reply, 0, sizeof(*reply));
    ddb_json_pull_begin(&r, in, len, p);
    for (ddb_json_pull_object(&r); ddb_json_pull_member(&r, &name);) {
        if (!reply->has_item && ddb_json_string_is(&name, "Item")) {
            reply->has_item = 1;
            pull_item(&r, reply, format);
        }
        else if (!has_capacity && ddb_json_string_is(&name, "ConsumedCapacity")) {
            has_capacity = 1;
            known = ddb_reply_pull_capacity(&r, &reply->consumed);
        }
        else {
            ddb_json_pull_skip(&r);
        }
    }
    return known && ddb_json_pull_end(&r);
}

int ddb_item_reply_parse(ddb_item_reply_t *reply, ddb_format_e format, const char *in, apr_size_t len, apr_pool_t *p)
{
    ddb_json_t *parsed;
    const ddb_json_t *item;
    int a;

    memset(reply, 0, sizeof(*reply));
    if (ddb_json_parse(&parsed, in, len, p) != APR_SUCCESS) {
        return 0;
    }
    item = ddb_json_child(parsed, "Item");
    reply->consumed = ddb_reply_capacity(parsed);
    reply->has_item = ddb_json_has(parsed, "Item");
    reply->is_object = item != NULL;
    for (a = 0; a < ROW_ATTRIBUTES; a++) {
        const char *name = ddb_item_attributes[a].name;

        reply->attributes[a].is_there = ddb_json_has(item, name);
        reply->attributes[a].text = ddb_attribute_get(item, name, ddb_item_type(a, format));
        reply->attributes[a].len = reply->attributes[a].text ? strlen(reply->attributes[a].text) : 0;
    }
    return 1;
}
