/* A reply with a sealed row, in which somebody has changed bytes: it is read as it was, as a tombstone (who can write a
 * row can also delete it), or not at all. An input is a list of changes, three bytes each: where in the reply, low byte
 * first, and what is there then. */

#include "store/ddb_item.h"
#include "fuzz.h"

#define KEY  "1111111111111111111111111111111111111111"
#define DATA "user=alice&role=editor&cart=4711.4712.4713&csrf=0123456789abcdef0123456789abcdef"

static ddb_item_t item_of(const ddb_seal_t *seal)
{
    ddb_item_t it = { .seal = seal,
                      .audience = "shop",
                      .id = "K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols",
                      .data = DATA,
                      .data_len = sizeof(DATA) - 1,
                      .created = APR_INT64_C(1795395723000004),
                      .accessed = APR_INT64_C(1795395723000004),
                      .expires = APR_INT64_C(1795402923),
                      .idle_timeout = 7200,
                      .absolute_timeout = 43200,
                      .version = 8 };

    return it;
}

/* The item of a PutItem, as a GetItem returns it. */
static char *reply_of(const ddb_item_t *it, apr_pool_t *p)
{
    const char *body = ddb_item_create_body("t", it, p), *item = strstr(body, "\"Item\":");
    const char *end = item ? strstr(item, ",\"ConditionExpression\":") : NULL;

    HOLDS(item && end);
    return apr_psprintf(p, "{%.*s}", (int)(end - item), item);
}

static void change(char *reply, const uint8_t *data, size_t size)
{
    size_t len = strlen(reply), at;

    for (; size >= 3; data += 3, size -= 3) {
        at = (data[0] | (size_t)data[1] << 8) % len;
        reply[at] = (char)data[2];
    }
}

static void read_changed(const ddb_seal_t *seal, apr_size_t compress, const uint8_t *data, size_t size, apr_pool_t *p)
{
    ddb_item_t it = item_of(seal), found = { .seal = seal, .audience = it.audience };
    ddb_error_t err = { 0 };
    char *reply;
    size_t len;
    apr_status_t rv;

    ddb_item_pack(&it, compress, p);
    HOLDS(ddb_item_seal(&it, (const unsigned char *)"twelve bytes", p) == APR_SUCCESS);
    reply = reply_of(&it, p);
    len = strlen(reply);
    change(reply, data, size);
    rv = ddb_item_parse(&found, reply, len, p, &err);
    if (rv == APR_SUCCESS && !(found.left && !found.accessed && found.data_len == 0)) {
        HOLDS(found.data_len == sizeof(DATA) - 1 && strcmp(found.data, DATA) == 0);
        HOLDS(strcmp(found.id, it.id) == 0 && found.version == it.version);
    }
    HOLDS(rv == APR_SUCCESS || size >= 3);
    HOLDS(rv == APR_SUCCESS || rv == APR_NOTFOUND || fuzz_is_loggable(err.detail));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    apr_array_header_t *keys = apr_array_make(p, 1, sizeof(const char *));
    ddb_seal_t *seal = NULL;

    APR_ARRAY_PUSH(keys, const char *) = KEY;
    HOLDS(ddb_seal_create(&seal, keys, p) == APR_SUCCESS);
    read_changed(seal, 0, data, size, p);
    read_changed(seal, 1, data, size, p);
    return fuzz_end();
}
