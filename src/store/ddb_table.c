/* The session table: check and creation. */

#include <string.h>

#include <apr_strings.h>

#include "aws/ddb_reply.h"
#include "base/ddb_array.h"
#include "store/ddb_attribute.h"
#include "store/ddb_table.h"

#define KEY DDB_ATTRIBUTE_KEY
#define TTL "expires"

/* A table key that no session can have: it has the form of neither an ID nor a hash. */
#define NO_ROW "session-dynamodb-check"

#define FIRST_LOOK apr_time_from_msec(500) /* between looks at a table under creation; doubles up to LAST_LOOK */
#define LAST_LOOK  apr_time_from_sec(5)

/** One check of a table. */
typedef struct check_t {
    const ddb_table_t *table;
    apr_array_header_t *findings;
    const ddb_json_t *description; /* of the table; NULL: none */
    apr_pool_t *p;
    ddb_error_t *err;
} check_t;

static int is_read(const char *operation)
{
    return strncmp(operation, "Describe", 8) == 0 || strcmp(operation, "Scan") == 0
           || strcmp(operation, "GetItem") == 0;
}

/** The reply to one call. */
typedef struct parsed_t {
    ddb_json_t *json;
    apr_pool_t *p;
    ddb_error_t *err;
} parsed_t;

static apr_status_t parse(void *baton, ddb_reply_t *reply)
{
    parsed_t *parsed = baton;

    return ddb_json_parse(&parsed->json, reply->body, reply->len, parsed->p) == APR_SUCCESS
               ? APR_SUCCESS
               : ddb_error_set(parsed->err, DDB_EBADREPLY, "the reply is not JSON: is the endpoint DynamoDB?");
}

apr_status_t ddb_table_call(const ddb_table_t *t, const char *operation, const char *body, ddb_json_t **reply,
                            apr_pool_t *p, ddb_error_t *err)
{
    parsed_t parsed = { .p = p, .err = err };
    ddb_call_t c = { .operation = operation,
                     .body = body,
                     .deadline = ddb_clock_monotonic(t->clock) + t->timeout,
                     .read = is_read(operation) ? parse : NULL,
                     .baton = &parsed };
    ddb_reply_t r;
    apr_status_t rv = ddb_client_call(t->client, &c, p, &r, err);

    if (rv == APR_SUCCESS && !c.read) {
        rv = parse(&parsed, &r);
    }
    *reply = rv == APR_SUCCESS ? parsed.json : NULL;
    return rv;
}

static apr_status_t call(const ddb_table_t *t, const char *operation, const ddb_json_t *body, ddb_json_t **reply,
                         apr_pool_t *p, ddb_error_t *err)
{
    return ddb_table_call(t, operation, ddb_json_print(body, p), reply, p, err);
}

ddb_json_t *ddb_table_body(const ddb_table_t *t, apr_pool_t *p)
{
    ddb_json_t *body = ddb_json_object(p);

    ddb_json_set_str(body, "TableName", t->name);
    return body;
}

static int is_type(const ddb_error_t *err, const char *type)
{
    return strcmp(err->type, type) == 0;
}

/* Only this action is denied: bad credentials have other error types. */
int ddb_table_is_forbidden(const ddb_error_t *err)
{
    return is_type(err, "AccessDeniedException") || is_type(err, "AccessDenied");
}

/* --- check --- */

void ddb_table_found(apr_array_header_t *findings, const char *about, ddb_finding_e is, const char *text)
{
    APR_ARRAY_PUSH(findings, ddb_finding_t) = (ddb_finding_t){ .about = about, .is = is, .text = text };
}

void ddb_table_unseen(apr_array_header_t *findings, const char *about, const char *text)
{
    ddb_table_found(findings, about, DDB_DOUBT, text);
    APR_ARRAY_IDX(findings, findings->nelts - 1, ddb_finding_t).unseen = 1;
}

static void found(check_t *c, const char *about, ddb_finding_e is, const char *text)
{
    ddb_table_found(c->findings, about, is, text);
}

static void judge_key(check_t *c, const ddb_json_t *table)
{
    const ddb_json_t *first = ddb_json_item(table, "KeySchema", 0), *attribute = NULL;
    const char *name = ddb_json_str(first, "AttributeName"), *type = "";

    for (attribute = ddb_json_item(table, "AttributeDefinitions", 0); attribute; attribute = ddb_json_next(attribute)) {
        const char *defined = ddb_json_str(attribute, "AttributeName");

        if (defined && name && strcmp(defined, name) == 0) {
            type = ddb_json_str(attribute, "AttributeType");
        }
    }
    if (!name || strcmp(name, KEY) != 0 || !type || strcmp(type, "S") != 0 || ddb_json_item(table, "KeySchema", 1)) {
        found(c, "key", DDB_WRONG,
              apr_psprintf(c->p,
                           "the key of the table is %.60s%s, but must be " KEY " of type S alone: create another table",
                           name ? name : "unknown", ddb_json_item(table, "KeySchema", 1) ? " and a sort key" : ""));
        return;
    }
    found(c, "key", DDB_GOOD, "the key is " KEY " of type S");
}

/* A table serves requests during an update. */
static const struct {
    const char *status;
    ddb_finding_e is;
    const char *text; /* after the name */
} states[] = {
    { "ACTIVE", DDB_GOOD, "is there" },
    { "UPDATING", DDB_GOOD, "is there, and serves requests while it is being updated" },
    { "CREATING", DDB_WRONG, "is being created: wait until it is ACTIVE" },
    { "DELETING", DDB_WRONG, "is being deleted: create it again, or correct SessionDynamoDBTableName or the region" },
    { "INACCESSIBLE_ENCRYPTION_CREDENTIALS", DDB_WRONG,
      "cannot be decrypted: enable its KMS key and allow DynamoDB to use it; after seven days the table is archived" },
    { "ARCHIVING", DDB_WRONG,
      "is being archived, because its KMS key could not be used for seven days: create another" },
    { "ARCHIVED", DDB_WRONG,
      "is archived, because its KMS key could not be used for seven days: delete it and create it again" },
    { "REPLICATION_NOT_AUTHORIZED", DDB_WRONG,
      "is a replica that may not replicate: correct the resource policies of the accounts that share it" },
};

static void judge_status(check_t *c, const ddb_json_t *table)
{
    const char *status = ddb_json_str(table, "TableStatus");
    apr_size_t i;

    for (i = 0; status && i < DDB_ARRAY_LENGTH(states); i++) {
        if (strcmp(states[i].status, status) == 0) {
            found(c, "table", states[i].is, apr_psprintf(c->p, "the table %s %s", c->table->name, states[i].text));
            return;
        }
    }
    found(c, "table", DDB_WRONG,
          apr_psprintf(c->p, "the table %s is %.40s: wait until it is ACTIVE, or see in the AWS console why it is not",
                       c->table->name, status ? status : "of no status"));
}

static apr_status_t check_table(check_t *c)
{
    ddb_json_t *reply;
    apr_status_t rv = call(c->table, "DescribeTable", ddb_table_body(c->table, c->p), &reply, c->p, c->err);

    if (rv == APR_SUCCESS) {
        c->description = ddb_json_child(reply, "Table");
        judge_status(c, c->description);
        judge_key(c, c->description);
    }
    else if (is_type(c->err, "ResourceNotFoundException")) {
        found(c, "table", DDB_WRONG,
              apr_psprintf(c->p,
                           "there is no table %s in this region: create it (session-dynamodb create-table), or correct "
                           "SessionDynamoDBTableName or the region",
                           c->table->name));
        return APR_SUCCESS;
    }
    else if (ddb_table_is_forbidden(c->err)) {
        ddb_table_unseen(c->findings, "table",
                         "the table and its key are not checked: needs dynamodb:DescribeTable, which sessions do not");
        return APR_SUCCESS;
    }
    return rv;
}

/* A change takes up to an hour, during which no other is accepted. */
static void judge_ttl(check_t *c, const ddb_json_t *description)
{
    const char *status = ddb_json_str(description, "TimeToLiveStatus");
    const char *attribute = ddb_json_str(description, "AttributeName");
    int is_on = status && strncmp(status, "ENABL", 5) == 0;

    if (status && strcmp(status, "DISABLING") == 0) {
        found(c, "ttl", DDB_DOUBT,
              "time to live is being switched off, which takes up to an hour: then enable it for the attribute " TTL
              ", or rows of ended sessions stay");
    }
    else if (!is_on) {
        found(c, "ttl", DDB_DOUBT,
              "time to live is off: sessions still expire, but their rows stay; enable it for the attribute " TTL);
    }
    else if (!attribute || strcmp(attribute, TTL) != 0) {
        found(c, "ttl", DDB_DOUBT,
              apr_psprintf(c->p,
                           "time to live is on for the attribute %.60s, but must be on for " TTL
                           ": rows of ended sessions stay",
                           attribute ? attribute : "(none)"));
    }
    else {
        found(c, "ttl", DDB_GOOD,
              strcmp(status, "ENABLED") == 0 ? "time to live is on for the attribute " TTL
                                             : "time to live is being switched on for the attribute " TTL
                                               ", which takes up to an hour");
    }
}

static apr_status_t check_ttl(check_t *c)
{
    ddb_json_t *reply;
    apr_status_t rv = call(c->table, "DescribeTimeToLive", ddb_table_body(c->table, c->p), &reply, c->p, c->err);

    if (rv == APR_SUCCESS) {
        judge_ttl(c, ddb_json_child(reply, "TimeToLiveDescription"));
    }
    else if (ddb_table_is_forbidden(c->err)) {
        ddb_table_unseen(c->findings, "ttl",
                         "time to live is not checked: needs dynamodb:DescribeTimeToLive, which sessions do not");
        return APR_SUCCESS;
    }
    else if (is_type(c->err, "UnknownOperationException")) {
        found(c, "ttl", DDB_DOUBT, "this service does not support time to live: rows of ended sessions stay");
        return APR_SUCCESS;
    }
    return rv;
}

/* Try a call that sessions need, on a row that does not exist, with a condition that fails without a row. */
static apr_status_t check_action(check_t *c, const char *operation)
{
    ddb_json_t *body = ddb_table_body(c->table, c->p), *reply;
    int is_put = strcmp(operation, "PutItem") == 0, is_get = strcmp(operation, "GetItem") == 0;
    const char *action = apr_pstrcat(c->p, "dynamodb:", operation, NULL);
    apr_status_t rv;

    ddb_attribute_set_key(body, is_put ? "Item" : "Key", NO_ROW);
    if (!is_get) {
        ddb_json_set_str(body, "ConditionExpression", "attribute_exists(#id)");
        ddb_attribute_use_name(body, KEY, c->p);
    }
    rv = call(c->table, operation, body, &reply, c->p, c->err);
    if (rv == APR_SUCCESS || rv == DDB_ECONFLICT) {
        found(c, action, DDB_GOOD, apr_pstrcat(c->p, action, " is allowed", NULL));
        return APR_SUCCESS;
    }
    if (ddb_reply_is_of_kms(c->err)) {
        found(c, action, DDB_WRONG, apr_psprintf(c->p, "%s fails: %s", action, c->err->detail));
        return APR_SUCCESS;
    }
    if (ddb_table_is_forbidden(c->err)) {
        found(c, action, DDB_WRONG,
              apr_psprintf(c->p, "%s is not allowed: add it to the IAM policy (session-dynamodb policy prints one)",
                           action));
        return APR_SUCCESS;
    }
    /* judge_key reported a wrong key already, and with that key this request is invalid. */
    return is_type(c->err, "ValidationException") || is_type(c->err, "ResourceNotFoundException") ? APR_SUCCESS : rv;
}

apr_status_t ddb_table_check(const ddb_table_t *t, apr_array_header_t **findings, const ddb_json_t **description,
                             apr_pool_t *p, ddb_error_t *err)
{
    static const char *const operations[] = { "GetItem", "PutItem", "UpdateItem", "DeleteItem" };
    check_t c = { .table = t, .findings = apr_array_make(p, 8, sizeof(ddb_finding_t)), .p = p, .err = err };
    apr_status_t rv = check_table(&c);
    apr_size_t i;

    *findings = c.findings;
    if (description) {
        *description = c.description;
    }
    if (rv == APR_SUCCESS && !ddb_table_is_missing(c.findings)) {
        rv = check_ttl(&c);
        for (i = 0; rv == APR_SUCCESS && i < DDB_ARRAY_LENGTH(operations); i++) {
            rv = check_action(&c, operations[i]);
        }
    }
    return rv;
}

int ddb_table_is_missing(const apr_array_header_t *findings)
{
    const ddb_finding_t *first = findings->nelts ? &APR_ARRAY_IDX(findings, 0, ddb_finding_t) : NULL;

    return first && first->is == DDB_WRONG && strncmp(first->text, "there is no table", 17) == 0;
}

/* --- create --- */

static const ddb_json_t *table_to_make(const ddb_table_t *t, apr_pool_t *p)
{
    ddb_json_t *body = ddb_table_body(t, p), *part;

    part = ddb_json_add_object(body, "AttributeDefinitions");
    ddb_json_set_str(part, "AttributeName", KEY);
    ddb_json_set_str(part, "AttributeType", "S");
    part = ddb_json_add_object(body, "KeySchema");
    ddb_json_set_str(part, "AttributeName", KEY);
    ddb_json_set_str(part, "KeyType", "HASH");
    ddb_json_set_str(body, "BillingMode", "PAY_PER_REQUEST");
    return body;
}

static apr_status_t await_active(const ddb_table_t *t, apr_interval_time_t patience, apr_pool_t *p, ddb_error_t *err)
{
    apr_time_t until = ddb_clock_monotonic(t->clock) + patience;
    apr_interval_time_t wait = FIRST_LOOK;
    apr_status_t rv;

    for (;;) {
        ddb_json_t *reply;
        const char *status = NULL;

        rv = call(t, "DescribeTable", ddb_table_body(t, p), &reply, p, err);
        if (rv == APR_SUCCESS) {
            status = ddb_json_str(ddb_json_child(reply, "Table"), "TableStatus");
        }
        else if (!is_type(err, "ResourceNotFoundException")) { /* DescribeTable lags behind CreateTable */
            return rv;
        }
        if (status && strcmp(status, "ACTIVE") == 0) {
            return APR_SUCCESS;
        }
        if (ddb_clock_monotonic(t->clock) + wait > until) {
            return ddb_error_set(err, APR_TIMEUP,
                                 "the table %.100s was created, but is not active yet: wait, then check it again",
                                 t->name);
        }
        ddb_clock_sleep(t->clock, wait);
        wait = wait * 2 < LAST_LOOK ? wait * 2 : LAST_LOOK;
    }
}

static apr_status_t switch_ttl_on(const ddb_table_t *t, int *ttl, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *body = ddb_table_body(t, p), *specification, *reply;
    apr_status_t rv = call(t, "DescribeTimeToLive", body, &reply, p, err);
    const char *status = ddb_json_str(ddb_json_child(reply, "TimeToLiveDescription"), "TimeToLiveStatus");

    *ttl = 1;
    if (rv == APR_SUCCESS && status && strncmp(status, "ENABL", 5) == 0) {
        return APR_SUCCESS; /* for any attribute: another one is the owner's decision, which a check reports */
    }
    specification = ddb_json_set_object(body, "TimeToLiveSpecification");
    ddb_json_set_str(specification, "AttributeName", TTL);
    ddb_json_set_bool(specification, "Enabled", 1);
    rv = call(t, "UpdateTimeToLive", body, &reply, p, err);
    if (rv != APR_SUCCESS && is_type(err, "UnknownOperationException")) {
        *ttl = 0;
        return APR_SUCCESS;
    }
    return rv;
}

apr_status_t ddb_table_create(const ddb_table_t *t, apr_interval_time_t patience, int *had_it, int *ttl, apr_pool_t *p,
                              ddb_error_t *err)
{
    ddb_json_t *reply;
    apr_status_t rv = call(t, "CreateTable", table_to_make(t, p), &reply, p, err);

    *had_it = rv != APR_SUCCESS && is_type(err, "ResourceInUseException");
    *ttl = 0;
    if (rv == APR_SUCCESS || *had_it) {
        rv = await_active(t, patience, p, err);
    }
    return rv == APR_SUCCESS ? switch_ttl_on(t, ttl, p, err) : rv;
}
