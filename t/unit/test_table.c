/* The table in a scripted world: what a check finds, what a creation asks for, and how long it waits. */

#include <stdlib.h>

#include "base/ddb_json.h"
#include "store/ddb_table.h"
#include "tap.h"
#include "client_world.h"

#define ERROR(name) "{\"__type\":\"com.amazonaws.dynamodb.v20120810#" name "\",\"message\":\"m\"}"
#define KEYS(name, type)                                                                                               \
    "\"KeySchema\":[{\"AttributeName\":\"" name "\",\"KeyType\":\"HASH\"}],"                                           \
    "\"AttributeDefinitions\":[{\"AttributeName\":\"user\",\"AttributeType\":\"S\"},"                                  \
    "{\"AttributeName\":\"" name "\",\"AttributeType\":\"" type "\"}]"
#define TABLE(status, keys) "{\"Table\":{\"TableStatus\":\"" status "\"," keys "}}"
#define GOOD_TABLE          TABLE("ACTIVE", KEYS("id", "S"))
#define TTL(status, rest)   "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"" status "\"" rest "}}"
#define GOOD_TTL            TTL("ENABLED", ",\"AttributeName\":\"expires\"")
#define REFUSED             ERROR("ConditionalCheckFailedException")
#define FORBIDDEN           ERROR("AccessDeniedException")

typedef struct fixture_t {
    apr_pool_t *pool;
    world_t *w;
    ddb_table_t table;
    ddb_error_t err;
    apr_array_header_t *findings;
    const ddb_json_t *description;
} fixture_t;

static fixture_t *setup(apr_pool_t *p)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));

    f->pool = p;
    f->w = world_create(p);
    f->table.name = "app_session";
    f->table.clock = &f->w->clock;
    f->table.timeout = apr_time_from_sec(5);
    f->table.client = world_client(f->w, 1, p);
    return f;
}

static const char *operation(const fixture_t *f, int i)
{
    const char *target = i < f->w->n_sent ? apr_table_get(f->w->sent[i].headers, "X-Amz-Target") : NULL;

    return target ? strchr(target, '.') + 1 : "(none)";
}

static const ddb_finding_t *finding(const fixture_t *f, const char *about)
{
    static const ddb_finding_t none = { .about = "", .text = "(nothing)" };
    int i;

    for (i = 0; i < f->findings->nelts; i++) {
        const ddb_finding_t *is = &APR_ARRAY_IDX(f->findings, i, ddb_finding_t);

        if (strcmp(is->about, about) == 0) {
            return is;
        }
    }
    return &none;
}

static apr_status_t check(fixture_t *f)
{
    return ddb_table_check(&f->table, &f->findings, &f->description, f->pool, &f->err);
}

/* --- check --- */

static void test_good(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int i;

    world_answer(f->w, 200, GOOD_TABLE);
    world_answer(f->w, 200, GOOD_TTL);
    world_answer(f->w, 200, "{}");
    for (i = 0; i < 3; i++) {
        world_answer(f->w, 400, REFUSED);
    }
    NUM_IS(check(f), APR_SUCCESS, "a table as it should be");
    NUM_IS(f->findings->nelts, 7, "seven things are looked at");
    for (i = 0; i < f->findings->nelts; i++) {
        NUM_IS(APR_ARRAY_IDX(f->findings, i, ddb_finding_t).is, DDB_GOOD,
               apr_pstrcat(p, "good: ", APR_ARRAY_IDX(f->findings, i, ddb_finding_t).about, NULL));
    }
    OK(!ddb_table_is_missing(f->findings), "it is not missing");
    IS(ddb_json_str(f->description, "TableStatus"), "ACTIVE", "and its description is there for more");
    IS(f->w->sent[0].body, "{\"TableName\":\"app_session\"}", "the table is asked for by its name");
    IS(operation(f, 2), "GetItem", "a read is tried");
    for (i = 3; i < 6; i++) {
        OK(strstr(f->w->sent[i].body, "\"ConditionExpression\":\"attribute_exists(#id)\""),
           apr_pstrcat(p, operation(f, i), " is tried on a condition that no missing row meets", NULL));
        OK(strstr(f->w->sent[i].body, "session-dynamodb-check"), "on a row that is no session's");
    }
    IS(operation(f, 6), "(none)", "and that is all");
}

static void test_missing(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 400, ERROR("ResourceNotFoundException"));
    NUM_IS(check(f), APR_SUCCESS, "a missing table is an answer");
    OK(ddb_table_is_missing(f->findings), "which says so");
    NUM_IS(finding(f, "table")->is, DDB_WRONG, "and is wrong");
    OK(strstr(finding(f, "table")->text, "app_session") && strstr(finding(f, "table")->text, "create-table"),
       "with the name and the remedy");
    NUM_IS(f->w->n_sent, 1, "nothing more is asked");
}

static void test_wrong_keys(apr_pool_t *p)
{
    static const char *const tables[] = {
        TABLE("ACTIVE", KEYS("sid", "S")),
        TABLE("ACTIVE", KEYS("id", "N")),
        TABLE("ACTIVE", KEYS("id", "B")),
        TABLE("ACTIVE", "\"KeySchema\":[{\"AttributeName\":\"id\"},{\"AttributeName\":\"range\"}],"
                        "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]"),
        TABLE("ACTIVE", "\"KeySchema\":[]"),
        TABLE("ACTIVE", "\"KeySchema\":\"id\""),
        "{\"Table\":{}}",
        "{}"
    };
    apr_size_t i;
    int j;

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        fixture_t *f = setup(p);

        world_answer(f->w, 200, tables[i]);
        world_answer(f->w, 200, GOOD_TTL);
        for (j = 0; j < 4; j++) {
            world_answer(f->w, 400, ERROR("ValidationException"));
        }
        NUM_IS(check(f), APR_SUCCESS, apr_pstrcat(p, "another key: ", tables[i], NULL));
        NUM_IS(finding(f, "key")->is, DDB_WRONG, "is wrong");
        OK(strstr(finding(f, "key")->text, "must be id of type S alone"), "and it is said what it has to be");
    }
}

static void test_states(apr_pool_t *p)
{
    static const struct {
        const char *table;
        ddb_finding_e is;
        const char *text;
    } cases[] = {
        { TABLE("UPDATING", KEYS("id", "S")), DDB_GOOD, "serves requests" },
        { TABLE("CREATING", KEYS("id", "S")), DDB_WRONG, "wait until it is ACTIVE" },
        { TABLE("DELETING", KEYS("id", "S")), DDB_WRONG, "create it again" },
        { TABLE("INACCESSIBLE_ENCRYPTION_CREDENTIALS", KEYS("id", "S")), DDB_WRONG, "enable its KMS key" },
        { TABLE("ARCHIVING", KEYS("id", "S")), DDB_WRONG, "is being archived" },
        { TABLE("ARCHIVED", KEYS("id", "S")), DDB_WRONG, "delete it and create it again" },
        { TABLE("REPLICATION_NOT_AUTHORIZED", KEYS("id", "S")), DDB_WRONG, "resource policies" },
        { TABLE("OF_TOMORROW", KEYS("id", "S")), DDB_WRONG, "is OF_TOMORROW" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_t *f = setup(p);

        world_answer(f->w, 200, cases[i].table);
        world_fail(f->w, DDB_EUNAVAILABLE, 0);
        NUM_IS(check(f), DDB_EUNAVAILABLE, "a service that goes away is a failure");
        NUM_IS(finding(f, "table")->is, cases[i].is, apr_pstrcat(p, "what was found stays: ", cases[i].table, NULL));
        OK(strstr(finding(f, "table")->text, cases[i].text), finding(f, "table")->text);
    }
}

static void test_ttl(apr_pool_t *p)
{
    static const struct {
        int status;
        const char *reply, *text;
        ddb_finding_e is;
    } cases[] = {
        { 200, GOOD_TTL, "time to live is on", DDB_GOOD },
        { 200, TTL("ENABLING", ",\"AttributeName\":\"expires\""), "is being switched on", DDB_GOOD },
        { 200, TTL("DISABLED", ""), "time to live is off", DDB_DOUBT },
        { 200, TTL("DISABLING", ",\"AttributeName\":\"expires\""), "is being switched off", DDB_DOUBT },
        { 200, TTL("ENABLED", ",\"AttributeName\":\"ttl\""), "is on for the attribute ttl", DDB_DOUBT },
        { 200, "{}", "time to live is off", DDB_DOUBT },
        { 400, FORBIDDEN, "not checked: needs dynamodb:DescribeTimeToLive", DDB_DOUBT },
        { 400, ERROR("UnknownOperationException"), "does not support time to live", DDB_DOUBT },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_t *f = setup(p);

        world_answer(f->w, 200, GOOD_TABLE);
        world_answer(f->w, cases[i].status, cases[i].reply);
        world_fail(f->w, DDB_EUNAVAILABLE, 0);
        check(f);
        NUM_IS(finding(f, "ttl")->is, cases[i].is, cases[i].reply);
        OK(strstr(finding(f, "ttl")->text, cases[i].text), finding(f, "ttl")->text);
    }
}

/* The policy may be right in all; who follows the advice to change it would look for long. */
static void test_key_of_table(apr_pool_t *p)
{
    static const char denied[] = "{\"__type\":\"x#AccessDeniedException\","
                                 "\"message\":\"KMS key access denied error: m\"}";
    fixture_t *f = setup(p);

    world_answer(f->w, 200, GOOD_TABLE);
    world_answer(f->w, 200, GOOD_TTL);
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 400, denied);
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 400, REFUSED);
    NUM_IS(check(f), APR_SUCCESS, "a key that can't be used");
    NUM_IS(finding(f, "dynamodb:PutItem")->is, DDB_WRONG, "is wrong");
    OK(strstr(finding(f, "dynamodb:PutItem")->text, "KMS key access denied"), "and told in the service's words");
    OK(!strstr(finding(f, "dynamodb:PutItem")->text, "IAM policy"), "not as a permission for the table");
}

static void test_permissions(apr_pool_t *p)
{
    static const char *const actions[] = { "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
                                           "dynamodb:DeleteItem" };
    int missing, i;

    for (missing = 0; missing < 4; missing++) {
        fixture_t *f = setup(p);

        world_answer(f->w, 400, FORBIDDEN);
        world_answer(f->w, 400, FORBIDDEN);
        for (i = 0; i < 4; i++) {
            world_answer(f->w, i ? 400 : 200, i ? REFUSED : "{}");
        }
        f->w->answers[2 + missing].status = 400;
        f->w->answers[2 + missing].body = FORBIDDEN;
        NUM_IS(check(f), APR_SUCCESS, "who may not look at the table itself can be checked all the same");
        NUM_IS(finding(f, "table")->is, DDB_DOUBT, "with a doubt");
        OK(!f->description, "and nothing to describe it");
        OK(finding(f, "table")->unseen && finding(f, "ttl")->unseen, "about what was not to be seen");
        OK(!finding(f, actions[missing])->unseen, "and about nothing else");
        for (i = 0; i < 4; i++) {
            NUM_IS(finding(f, actions[i])->is, i == missing ? DDB_WRONG : DDB_GOOD, actions[i]);
        }
        OK(strstr(finding(f, actions[missing])->text, "add it to the IAM policy"), "the missing one is named");
    }
}

static void test_no_service(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 400, ERROR("InvalidSignatureException"));
    NUM_IS(check(f), DDB_EDENIED, "refused credentials are a failure of the check, not of the table");
    NUM_IS(f->findings->nelts, 0, "nothing is found");
    OK(!ddb_table_is_missing(f->findings), "and nothing is missing");
    f = setup(p);
    world_answer(f->w, 200, "<html>");
    NUM_IS(check(f), DDB_EBADREPLY, "so is a page of a proxy");
}

/* --- create --- */

static void test_create(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int had_it = -1, ttl = -1;

    world_answer(f->w, 200, "{}");
    world_answer(f->w, 400, ERROR("ResourceNotFoundException"));
    world_answer(f->w, 200, TABLE("CREATING", KEYS("id", "S")));
    world_answer(f->w, 200, GOOD_TABLE);
    world_answer(f->w, 200, TTL("DISABLED", ""));
    world_answer(f->w, 200, "{}");
    NUM_IS(ddb_table_create(&f->table, apr_time_from_sec(60), &had_it, &ttl, p, &f->err), APR_SUCCESS,
           "a table is made");
    IS(f->w->sent[0].body,
       "{\"TableName\":\"app_session\",\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
       "\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"
       "\"BillingMode\":\"PAY_PER_REQUEST\"}",
       "as the seed's documentation makes it");
    IS(f->w->sent[5].body,
       "{\"TableName\":\"app_session\",\"TimeToLiveSpecification\":{\"AttributeName\":\"expires\","
       "\"Enabled\":true}}",
       "and its rows are swept");
    NUM_IS(had_it, 0, "it was not there");
    NUM_IS(ttl, 1, "time to live is on");
    NUM_IS(f->w->n_slept, 2, "between looks it waits");
    NUM_IS(f->w->slept[1], 2 * f->w->slept[0], "longer each time");
}

static void test_create_again(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int had_it = -1, ttl = -1;

    world_answer(f->w, 400, ERROR("ResourceInUseException"));
    world_answer(f->w, 200, GOOD_TABLE);
    world_answer(f->w, 200, GOOD_TTL);
    NUM_IS(ddb_table_create(&f->table, 0, &had_it, &ttl, p, &f->err), APR_SUCCESS, "a table that is there is fine");
    NUM_IS(had_it, 1, "which is said");
    NUM_IS(f->w->n_sent, 3, "and nothing is changed");
    f = setup(p);
    world_answer(f->w, 400, ERROR("ResourceInUseException"));
    world_answer(f->w, 200, GOOD_TABLE);
    world_answer(f->w, 400, ERROR("UnknownOperationException"));
    world_answer(f->w, 400, ERROR("UnknownOperationException"));
    NUM_IS(ddb_table_create(&f->table, 0, &had_it, &ttl, p, &f->err), APR_SUCCESS, "a service without time to live");
    NUM_IS(ttl, 0, "is told from one with it");
}

static void test_create_fails(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int had_it = -1, ttl = -1, i;

    world_answer(f->w, 400, FORBIDDEN);
    NUM_IS(ddb_table_create(&f->table, 0, &had_it, &ttl, p, &f->err), DDB_EDENIED, "who may not create");
    NUM_IS(f->w->n_sent, 1, "gets no further");
    f = setup(p);
    world_answer(f->w, 200, "{}");
    for (i = 0; i < 10; i++) {
        world_answer(f->w, 200, TABLE("CREATING", KEYS("id", "S")));
    }
    NUM_IS(ddb_table_create(&f->table, apr_time_from_sec(10), &had_it, &ttl, p, &f->err), APR_TIMEUP,
           "one that takes too long");
    OK(strstr(f->err.detail, "not active yet"), "is said to");
    OK(f->w->mono <= apr_time_from_sec(1010), "within the patience given");
}

TAP_MAIN(p)
{
    test_good(p);
    test_missing(p);
    test_wrong_keys(p);
    test_states(p);
    test_ttl(p);
    test_permissions(p);
    test_key_of_table(p);
    test_no_service(p);
    test_create(p);
    test_create_again(p);
    test_create_fails(p);
}
