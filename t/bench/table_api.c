/* The operations of the stand-in: rows in a hash table, each with the GetItem reply that it gives, made when the row is
 * written, so that a read costs a look-up. */
#define _GNU_SOURCE
#include "table_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table_expr.h"

#define BUCKETS (1u << 16)
#define PREFIX  "com.amazonaws.dynamodb.v20120810#"
/* In every reply, asked for or not, and the same for all: rows of benchmarks are small. */
#define CAPACITY "\"ConsumedCapacity\":{\"TableName\":\"app_session\",\"CapacityUnits\":1.0}"

typedef struct row_t row_t;
struct row_t {
    row_t *next;
    char *key; /* table name, '/', id */
    cJSON *attrs;
    char *reply; /* {"Item":...,"ConsumedCapacity":...} */
    int item;    /* length of it up to the second member */
    size_t len;
    uint32_t crc;
};

struct table_t {
    row_t **rows;
    uint32_t crc_table[256];
    table_counts_t counts;
    char *scratch; /* body of the last answer that is no row's */
};

/* What one call asks for. */
typedef struct call_t {
    table_t *t;
    cJSON *in;
    char *key;
    row_t *row; /* NULL if there is none */
    table_reply_t *reply;
} call_t;

static void crc_init(uint32_t *table)
{
    uint32_t i, c;
    int bit;

    for (i = 0; i < 256; i++) {
        for (c = i, bit = 0; bit < 8; bit++) {
            c = (c >> 1) ^ ((c & 1) ? 0xEDB88320u : 0);
        }
        table[i] = c;
    }
}

static uint32_t crc32_of(const table_t *t, const char *in, size_t len)
{
    uint32_t c = 0xFFFFFFFFu;
    size_t i;

    for (i = 0; i < len; i++) {
        c = t->crc_table[(c ^ (unsigned char)in[i]) & 0xFF] ^ (c >> 8);
    }
    return ~c;
}

table_t *table_create(void)
{
    table_t *t = calloc(1, sizeof(*t));

    if (t) {
        t->rows = calloc(BUCKETS, sizeof(*t->rows));
        if (!t->rows) {
            free(t);
            return NULL;
        }
        crc_init(t->crc_table);
    }
    return t;
}

static void row_free(row_t *row)
{
    cJSON_Delete(row->attrs);
    free(row->reply);
    free(row->key);
    free(row);
}

void table_destroy(table_t *t)
{
    unsigned i;
    row_t *row;

    for (i = 0; i < BUCKETS; i++) {
        while ((row = t->rows[i])) {
            t->rows[i] = row->next;
            row_free(row);
        }
    }
    free(t->rows);
    free(t->scratch);
    free(t);
}

void table_counts(const table_t *t, table_counts_t *out)
{
    *out = t->counts;
}

/* FNV-1a */
static row_t **bucket(table_t *t, const char *key)
{
    uint32_t h = 2166136261u;

    for (; *key; key++) {
        h = (h ^ (unsigned char)*key) * 16777619u;
    }
    return &t->rows[h % BUCKETS];
}

static row_t *find(table_t *t, const char *key)
{
    row_t *row = *bucket(t, key);

    while (row && strcmp(row->key, key) != 0) {
        row = row->next;
    }
    return row;
}

static void answer(table_t *t, table_reply_t *reply, int status, char *body)
{
    free(t->scratch);
    t->scratch = body;
    reply->status = status;
    reply->body = body;
    reply->len = strlen(body);
    reply->crc = crc32_of(t, body, reply->len);
}

static void answer_empty(call_t *c)
{
    c->reply->status = 200;
    c->reply->body = "{" CAPACITY "}";
    c->reply->len = strlen(c->reply->body);
    c->reply->crc = crc32_of(c->t, c->reply->body, c->reply->len);
}

void table_refuse(table_t *t, table_reply_t *reply, const char *type, const char *message)
{
    char *body;

    if (asprintf(&body, "{\"__type\":\"%s\",\"message\":\"%s\"}", type, message) < 0) {
        abort();
    }
    answer(t, reply, 400, body);
}

static void refuse_invalid(call_t *c, const char *message)
{
    table_refuse(c->t, c->reply, "com.amazon.coral.validate#ValidationException", message);
}

static void refuse_conflict(call_t *c)
{
    const char *want = cJSON_GetStringValue(cJSON_GetObjectItem(c->in, "ReturnValuesOnConditionCheckFailure"));
    int with_row = want && strcmp(want, "ALL_OLD") == 0 && c->row;
    char *body;

    c->t->counts.conflicts++;
    if (asprintf(&body,
                 "{\"__type\":\"" PREFIX "ConditionalCheckFailedException\",%.*s%s"
                 "\"message\":\"The conditional request failed\"}",
                 with_row ? c->row->item - 1 : 0, with_row ? c->row->reply + 1 : "", with_row ? "," : "")
        < 0) {
        abort();
    }
    answer(c->t, c->reply, 400, body);
}

/* Takes attrs. The reply is printed here and not at each read. */
static void row_set(table_t *t, row_t *row, cJSON *attrs)
{
    char *text = cJSON_PrintUnformatted(attrs);

    cJSON_Delete(row->attrs);
    free(row->reply);
    row->attrs = attrs;
    row->item = text ? asprintf(&row->reply, "{\"Item\":%s," CAPACITY "}", text) : -1;
    if (row->item < 0) {
        abort();
    }
    row->item -= (int)strlen("," CAPACITY "}");
    free(text);
    row->len = strlen(row->reply);
    row->crc = crc32_of(t, row->reply, row->len);
}

/* Store attrs, which it takes, as the row of the call, made if there is none. */
static void store(call_t *c, cJSON *attrs)
{
    row_t **head = bucket(c->t, c->key);

    if (!c->row) {
        c->row = calloc(1, sizeof(*c->row));
        if (!c->row) {
            abort();
        }
        c->row->key = c->key;
        c->key = NULL;
        c->row->next = *head;
        *head = c->row;
    }
    row_set(c->t, c->row, attrs);
}

static table_expr_t expression(const call_t *c)
{
    table_expr_t x = { cJSON_GetObjectItem(c->in, "ExpressionAttributeNames"),
                       cJSON_GetObjectItem(c->in, "ExpressionAttributeValues"), c->row ? c->row->attrs : NULL };

    return x;
}

/* 1 to go on; 0 when the condition failed or is not understood, and the reply says so. */
static int condition_holds(call_t *c)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(c->in, "ConditionExpression"));
    table_expr_t x = expression(c);
    int holds;

    if (!text) {
        return 1;
    }
    holds = table_expr_condition(&x, text);
    if (holds < 0) {
        refuse_invalid(c, "the stand-in does not understand this ConditionExpression");
    }
    else if (!holds) {
        refuse_conflict(c);
    }
    return holds > 0;
}

static void call_get(call_t *c)
{
    c->t->counts.get++;
    if (!c->row) {
        answer_empty(c);
        return;
    }
    c->reply->status = 200;
    c->reply->body = c->row->reply;
    c->reply->len = c->row->len;
    c->reply->crc = c->row->crc;
}

static void call_put(call_t *c)
{
    c->t->counts.put++;
    if (condition_holds(c)) {
        store(c, cJSON_DetachItemFromObjectCaseSensitive(c->in, "Item"));
        answer_empty(c);
    }
}

static void answer_with(call_t *c, const char *member, const cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object), *body;

    if (!text || asprintf(&body, "{\"%s\":%s," CAPACITY "}", member, text) < 0) {
        abort();
    }
    free(text);
    answer(c->t, c->reply, 200, body);
}

static int returns(const cJSON *in, const char *values)
{
    const char *want = cJSON_GetStringValue(cJSON_GetObjectItem(in, "ReturnValues"));

    return strcmp(want ? want : "NONE", values) == 0;
}

static void call_update(call_t *c)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(c->in, "UpdateExpression"));
    table_expr_t x = expression(c);
    cJSON *attrs, *updated = NULL;

    c->t->counts.update++;
    if (!condition_holds(c)) {
        return;
    }
    if (returns(c->in, "UPDATED_NEW")) {
        updated = cJSON_CreateObject();
    }
    attrs = cJSON_Duplicate(c->row ? c->row->attrs : cJSON_GetObjectItem(c->in, "Key"), 1);
    if (!text || table_expr_update(&x, text, attrs, updated)) {
        cJSON_Delete(attrs);
        refuse_invalid(c, "the stand-in does not understand this UpdateExpression");
    }
    else {
        store(c, attrs);
        if (updated) {
            answer_with(c, "Attributes", updated);
        }
        else {
            answer_empty(c);
        }
    }
    cJSON_Delete(updated);
}

/* Of one row, by its key alone. */
static void call_query(call_t *c)
{
    const char *filter = cJSON_GetStringValue(cJSON_GetObjectItem(c->in, "FilterExpression"));
    table_expr_t x = expression(c);
    int passes = c->row ? 1 : 0;
    char *body;

    c->t->counts.query++;
    if (c->row && filter) {
        passes = table_expr_condition(&x, filter);
    }
    if (passes < 0) {
        refuse_invalid(c, "the stand-in does not understand this FilterExpression");
        return;
    }
    /* The row's reply starts with {"Item": */
    if (asprintf(&body, "{\"Items\":[%.*s],\"Count\":%d,\"ScannedCount\":%d," CAPACITY "}",
                 passes ? c->row->item - 8 : 0, passes ? c->row->reply + 8 : "", passes, c->row ? 1 : 0)
        < 0) {
        abort();
    }
    answer(c->t, c->reply, 200, body);
}

static void call_delete(call_t *c)
{
    row_t **link = bucket(c->t, c->key);

    c->t->counts.remove++;
    if (!condition_holds(c)) {
        return;
    }
    while (*link && *link != c->row) {
        link = &(*link)->next;
    }
    if (*link) {
        *link = c->row->next;
        row_free(c->row);
    }
    answer_empty(c);
}

typedef struct operation_t {
    const char *name, *key_member; /* where the key is; NULL: in the KeyConditionExpression */
    void (*carry_out)(call_t *c);
} operation_t;

static const operation_t operations[] = {
    { "GetItem", "Key", call_get },       { "PutItem", "Item", call_put }, { "UpdateItem", "Key", call_update },
    { "DeleteItem", "Key", call_delete }, { "Query", NULL, call_query },
};

static const operation_t *operation_named(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operations[i].name, name) == 0) {
            return &operations[i];
        }
    }
    return NULL;
}

/* "id = :value", the only condition known here. */
static const cJSON *queried_id(const cJSON *in)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in, "KeyConditionExpression"));

    return text && strncmp(text, "id = :", 6) == 0
               ? cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItem(in, "ExpressionAttributeValues"), text + 5)
               : NULL;
}

static char *row_key(const cJSON *in, const char *member)
{
    const cJSON *id = member ? cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(in, member), "id")
                             : queried_id(in);
    const char *table = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in, "TableName"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(id, "S"));
    char *key;

    if (!table || !table[0] || !text || !text[0] || asprintf(&key, "%s/%s", table, text) < 0) {
        return NULL;
    }
    return key;
}

void table_call(table_t *t, const char *operation, const char *body, table_reply_t *reply)
{
    const operation_t *op = operation_named(operation);
    call_t c = { 0 };

    c.t = t;
    c.reply = reply;
    if (!op) {
        t->counts.other++;
        table_refuse(t, reply, "com.amazon.coral.service#UnknownOperationException", "");
        return;
    }
    c.in = cJSON_Parse(body);
    c.key = c.in ? row_key(c.in, op->key_member) : NULL;
    if (!c.in) {
        table_refuse(t, reply, "com.amazon.coral.service#SerializationException", "");
    }
    else if (!c.key || !(returns(c.in, "NONE") || (op->carry_out == call_update && returns(c.in, "UPDATED_NEW")))) {
        /* Values that are wanted and not made here: to leave them out silently would be a lie. */
        refuse_invalid(&c, "the stand-in knows tables with the key id (S), and of ReturnValues only UPDATED_NEW");
    }
    else {
        c.row = find(t, c.key);
        op->carry_out(&c);
    }
    free(c.key);
    cJSON_Delete(c.in);
}
