/* What the table answers: DynamoDB's JSON, and the stored item in it, read as each of the two formats. */

#include "aws/ddb_reply.h"
#include "base/ddb_json.h"
#include "store/ddb_item.h"
#include "fuzz.h"

#define KEY "1111111111111111111111111111111111111111"

/* Every sentence there is: what a row holds gets into none of them. */
static void is_a_known_sentence(const char *detail)
{
    static const char *const attributes[] = { "id",       "data",         "created",          "accessed",
                                              "expires",  "idle_timeout", "absolute_timeout", "version",
                                              "write_id", "user_mark",    "encoding",         "issued",
                                              "seen" };
    static const char *const faults[] = { "is missing",
                                          "is not of type S",
                                          "is not of type N",
                                          "is not of type B",
                                          "is not of type S (it is in another format)",
                                          "is not of type B (it is in another format)",
                                          "is not a whole number",
                                          "is a number out of range",
                                          "is not base64",
                                          "is not a time in UTC",
                                          "has another length",
                                          "names an unknown one",
                                          "cannot be decompressed" };
    char sentence[sizeof(((ddb_error_t *)0)->detail)];
    apr_size_t i, j;
    int known = strcmp(detail, "the reply is not JSON: is the endpoint DynamoDB?") == 0
                || strcmp(detail, "the data of the stored session exceeds 4 MiB when decompressed, the limit "
                                  "of SessionDynamoDBCompress: end the session")
                       == 0
                || strcmp(detail, "the Item of the reply is not an object: is the endpoint DynamoDB?") == 0;

    for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]) && !known; i++) {
        for (j = 0; j < sizeof(faults) / sizeof(faults[0]) && !known; j++) {
            snprintf(sentence, sizeof(sentence),
                     "attribute %s of the stored session %s: not written by this module, "
                     "or changed by hand",
                     attributes[i], faults[j]);
            known = strcmp(detail, sentence) == 0;
        }
    }
    HOLDS(known);
}

static void is_in_range(const ddb_item_t *it)
{
    const apr_int64_t most = APR_INT64_C(999999999999999);

    HOLDS(it->data && it->data[it->data_len] == '\0' && it->data_len <= DDB_ITEM_DATA_MAX);
    HOLDS(!it->packed);
    HOLDS(it->created >= 0 && it->accessed >= 0);
    HOLDS(it->expires >= 0 && it->expires <= most);
    HOLDS(it->idle_timeout >= 1 && it->idle_timeout <= most);
    HOLDS(it->absolute_timeout >= 1 && it->absolute_timeout <= most);
    HOLDS(it->issued >= 0 && it->issued <= most && it->seen >= 0 && it->seen <= most);
    HOLDS(it->timeouts_set == 0 || it->timeouts_set == 1);
    HOLDS(it->version >= (it->format == DDB_FORM ? 1 : 0) && it->version <= most);
}

static int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void is_same(const ddb_item_t *a, const ddb_item_t *b)
{
    HOLDS(same_text(a->id, b->id) && same_text(a->user_mark, b->user_mark));
    HOLDS(a->data_len == b->data_len && memcmp(a->data, b->data, a->data_len) == 0);
    HOLDS(a->created == b->created && a->accessed == b->accessed && a->expires == b->expires);
    HOLDS(a->idle_timeout == b->idle_timeout && a->absolute_timeout == b->absolute_timeout);
    HOLDS(same_text(a->loggable, b->loggable) && same_text(a->user_marks, b->user_marks));
    HOLDS(same_text(a->csrf_key, b->csrf_key) && same_text(a->bound, b->bound));
    HOLDS(a->issued == b->issued && a->timeouts_set == b->timeouts_set);
    HOLDS(a->version == b->version && memcmp(a->write_id, b->write_id, DDB_WRITE_ID_BYTES) == 0);
}

static void is_json(const char *body, apr_pool_t *p)
{
    ddb_json_t *parsed;

    HOLDS(body && ddb_json_parse(&parsed, body, strlen(body), p) == APR_SUCCESS);
}

/* What was read can be written, and is the same when it is read again: a PutItem holds it as "Item" too. */
static void comes_back_as(const ddb_item_t *it, apr_pool_t *p)
{
    ddb_item_t again = { .format = it->format };
    const char *body = ddb_item_create_body("table", it, p);

    is_json(body, p);
    HOLDS(ddb_item_parse(&again, body, strlen(body), p, NULL) == APR_SUCCESS);
    is_same(it, &again);
}

static void comes_back(const ddb_item_t *read, apr_pool_t *p)
{
    ddb_item_t it = *read;
    apr_size_t size;

    it.version = it.version ? it.version : 1; /* a write counts */
    comes_back_as(&it, p);
    size = ddb_item_size(&it);
    ddb_item_pack(&it, 1, p);
    HOLDS(ddb_item_size(&it) <= size && (!it.packed || it.format == DDB_FORM));
    comes_back_as(&it, p);
    is_json(ddb_item_save_body("table", &it, read, 0, p), p);
    is_json(ddb_item_touch_body("table", read, 0, p), p);
    is_json(ddb_item_delete_body("table", read->id, p), p);
    is_json(ddb_item_end_body("table", read->id, p), p);
    is_json(ddb_item_bury_body("table", read, p), p);
    is_json(ddb_item_seen_body("table", read->id, read->seen, p), p);
    is_json(ddb_item_get_body("table", read->id, 1, p), p);
}

/* DynamoDB writes bytes with padding; what is without it was not written by it. */
static void is_padded(const char *text, size_t size, apr_pool_t *p)
{
    static const char *const names[] = { "data", "write_id" };
    ddb_json_t *reply;
    int i;

    HOLDS(ddb_json_parse(&reply, text, size, p) == APR_SUCCESS);
    for (i = 0; i < 2; i++) {
        const char *bytes = ddb_json_str(ddb_json_child(ddb_json_child(reply, "Item"), names[i]), "B");
        HOLDS(!bytes || strlen(bytes) % 4 == 0);
    }
}

static void read_as(ddb_format_e format, const char *text, size_t size, apr_pool_t *p)
{
    ddb_error_t err = { 0 };
    ddb_item_t it, before;
    apr_status_t rv;

    memset(&it, 0x55, sizeof(it));
    it.format = format;
    it.seal = NULL;
    it.audience = NULL;
    before = it;
    rv = ddb_item_parse(&it, text, size, p, &err);
    HOLDS(it.consumed >= 0 && ddb_reply_consumed(text, size, p) == it.consumed);
    before.consumed = it.consumed; /* set whatever becomes of the rest */
    if (rv == APR_SUCCESS) {
        is_in_range(&it);
        HOLDS(it.format == format && !err.detail[0]);
        is_padded(text, size, p);
        comes_back(&it, p);
        return;
    }
    HOLDS(rv == APR_NOTFOUND || rv == DDB_EBADITEM || rv == DDB_ETOOLARGE || rv == DDB_EBADREPLY);
    before.consumed = it.consumed; /* set whatever is returned */
    HOLDS(memcmp(&it, &before, sizeof(it)) == 0);
    if (rv == APR_NOTFOUND) {
        HOLDS(!err.detail[0]);
    }
    else {
        is_a_known_sentence(err.detail);
    }
}

/* Where rows have to be sealed, what nobody sealed is no session: a tombstone at most. */
static void read_unsealed(const char *text, size_t size, apr_pool_t *p)
{
    apr_array_header_t *keys = apr_array_make(p, 1, sizeof(const char *));
    ddb_seal_t *seal = NULL;
    ddb_error_t err = { 0 };
    ddb_item_t it = { .format = DDB_FORM };

    APR_ARRAY_PUSH(keys, const char *) = KEY;
    HOLDS(ddb_seal_create(&seal, keys, p) == APR_SUCCESS);
    it.seal = seal;
    if (ddb_item_parse(&it, text, size, p, &err) == APR_SUCCESS) {
        HOLDS(it.left && !it.accessed && it.data_len == 0 && !it.encoding);
    }
}

/* What parses prints, and what was printed says the same. */
static void print_again(const char *text, size_t size, apr_pool_t *p)
{
    ddb_json_t *json, *again;
    const char *printed;

    if (ddb_json_parse(&json, text, size, p) == APR_SUCCESS) {
        HOLDS(!memchr(text, '\0', size));
        printed = ddb_json_print(json, p);
        HOLDS(ddb_json_parse(&again, printed, strlen(printed), p) == APR_SUCCESS);
        HOLDS(strcmp(ddb_json_print(again, p), printed) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    /* No NUL behind it: what is read is of that length. */
    const char *text = apr_pmemdup(p, size ? (const void *)data : "", size);

    print_again(text, size, p);
    read_as(DDB_FORM, text, size, p);
    read_as(DDB_JSON, text, size, p);
    read_unsealed(text, size, p);
    return fuzz_end();
}
