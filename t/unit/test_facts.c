/* Assumptions in a scripted world: replies as AWS documents them, and others, which no stand-in gives. */

#include <stdlib.h>

#include "cli/ddb_facts.h"
#include "tap.h"
#include "client_world.h"

#define ERROR(name)    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#" name "\",\"message\":\"m\"}"
#define FAILED(rest)   "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\"" rest "}"
#define ROW(v)         "{\"Item\":{\"id\":{\"S\":\"k\"},\"v\":{\"N\":\"" v "\"}}}"
#define OLD            FAILED(",\"Item\":{\"id\":{\"S\":\"k\"},\"v\":{\"N\":\"1\"}}")
#define CAPACITY       "{\"ConsumedCapacity\":{\"TableName\":\"t\",\"CapacityUnits\":1.0}}"
#define ACTIVE(status) "{\"Table\":{\"TableStatus\":\"" status "\"}}"

/** What a run found of the one assumption that it tried. */
typedef struct fixture_t {
    world_t *w;
    ddb_facts_opts_t o;
    ddb_fact_t fact;
    int n;
    ddb_facts_sum_t sum;
    ddb_error_t err;
    volatile apr_uint32_t stop;
    apr_pool_t *pool;
} fixture_t;

static void found(void *baton, const ddb_fact_t *fact)
{
    fixture_t *f = baton;

    f->fact = *fact;
    f->n++;
}

/* A world whose first answer is that to the call that finds out whether there is a service. */
static fixture_t *setup(const char *only, apr_pool_t *p)
{
    static const ddb_credentials_t credentials = { .access_key_id = "AKIDEXAMPLE", .secret_access_key = "secret" };
    fixture_t *f = apr_pcalloc(p, sizeof(*f));
    ddb_creds_opts_t creds = { .fixed = &credentials, .clock = NULL };

    f->pool = p;
    f->w = world_create(p);
    creds.http = &f->w->http;
    creds.clock = &f->w->clock;
    f->o = (ddb_facts_opts_t){
        .client = { .endpoint = { .url = "http://localhost:8000", .host = "localhost:8000", .region = "eu-central-1" },
                    .connect_timeout = apr_time_from_sec(1),
                    .max_attempts = 1,
                    .http = &f->w->http,
                    .clock = &f->w->clock,
                    .random = world_random },
        .credentials = credentials,
        .table = "app_session",
        .timeout = apr_time_from_sec(5),
        .deadline = f->w->mono + apr_time_from_sec(300),
        .only = only,
        .stop = &f->stop,
        .found = found,
        .baton = f
    };
    if (ddb_creds_create(&f->o.client.creds, &creds, p) != APR_SUCCESS) {
        printf("Bail out! no credentials\n");
        exit(1);
    }
    world_answer(f->w, 200, "{}");
    return f;
}

static const char *operation(const fixture_t *f, int i)
{
    const char *target = i < f->w->n_sent ? apr_table_get(f->w->sent[i].headers, "X-Amz-Target") : NULL;

    return target ? strchr(target, '.') + 1 : "(none)";
}

static ddb_fact_e run(fixture_t *f)
{
    NUM_IS(ddb_facts_run(&f->o, &f->sum, f->pool, &f->err), APR_SUCCESS, f->o.only);
    NUM_IS(f->n, 1, "one assumption is tried");
    IS(f->fact.id, f->o.only, "which is that");
    return f->fact.is;
}

/** Replies after the first: those of the probe, then of what is deleted. */
typedef struct case_t {
    const char *id;
    struct {
        int status;
        const char *body;
    } reply[10];
    ddb_fact_e is;
    const char *observed;
} case_t;

static const case_t cases[] = {
    { "all-old",
      { { 200, "{}" }, { 400, OLD }, { 400, OLD }, { 400, OLD }, { 200, "{}" } },
      DDB_FACT_YES,
      "PutItem with the row, UpdateItem with the row, DeleteItem with the row" },
    { "all-old",
      { { 200, "{}" }, { 400, OLD }, { 400, FAILED("") }, { 400, OLD }, { 200, "{}" } },
      DDB_FACT_NO,
      "UpdateItem without the row" },
    { "all-old",
      { { 400, ERROR("AccessDeniedException") }, { 200, "{}" } },
      DDB_FACT_UNTRIED,
      "PutItem: 400 AccessDeniedException" },
    { "capacity",
      { { 200, CAPACITY }, { 200, CAPACITY }, { 200, CAPACITY }, { 400, FAILED("") }, { 200, "{}" } },
      DDB_FACT_YES,
      "3 of 3 replies with it; the one to a failed condition without it" },
    { "capacity",
      { { 200, "{}" },
        { 200, CAPACITY },
        { 200, CAPACITY },
        { 400, FAILED(",\"ConsumedCapacity\":{\"CapacityUnits\":1}") },
        { 200, "{}" } },
      DDB_FACT_NO,
      "2 of 3 replies with it; the one to a failed condition with it" },
    { "capacity-permission",
      { { 400, ERROR("AccessDeniedException") }, { 200, "{}" }, { 200, "{}" } },
      DDB_FACT_NO,
      "asks for it: 400 AccessDeniedException, one that does not: 200" },
    { "capacity-units",
      { { 200, CAPACITY },
        { 200, CAPACITY },
        { 200, CAPACITY },
        { 200, CAPACITY },
        { 200, CAPACITY },
        { 200, CAPACITY },
        { 200, "{}" },
        { 200, "{}" } },
      DDB_FACT_NO,
      "write 1.0, read 1.0, eventual read 1.0" },
    { "conditions",
      { { 200, "{}" }, { 400, FAILED("") }, { 200, "{}" }, { 400, FAILED("") }, { 200, ROW("2") }, { 200, "{}" } },
      DDB_FACT_YES,
      "the value is 2" },
    { "conditions",
      { { 200, "{}" }, { 400, FAILED("") }, { 200, "{}" }, { 400, FAILED("") }, { 200, ROW("3") }, { 200, "{}" } },
      DDB_FACT_NO,
      "the value is 3" },
    { "conditions",
      { { 200, "{}" }, { 200, "{}" }, { 200, "{}" } },
      DDB_FACT_NO,
      "PutItem against its condition: 200" },
    { "strong-read",
      { { 200, "{}" }, { 200, ROW("1") }, { 200, "{}" }, { 200, ROW("1") }, { 200, "{}" } },
      DDB_FACT_NO,
      "after write 2, a read saw 1" },
    { "item-size",
      { { 200, "{}" }, { 200, "{}" }, { 200, "{}" } },
      DDB_FACT_NO,
      "409600 bytes are accepted, 409601 as" },
    { "item-size",
      { { 400, ERROR("ValidationException") }, { 200, "{}" } },
      DDB_FACT_NO,
      "409600 bytes are refused: 400 ValidationException" },
    { "item-size",
      { { 200, "{}" }, { 400, ERROR("ValidationException") }, { 200, "{}" } },
      DDB_FACT_YES,
      "409600 bytes are accepted, 409601 refused: 400 ValidationException" },
    { "item-size", { { 413, "" }, { 200, "{}" } }, DDB_FACT_UNTRIED, "PutItem: " },
    { "key-size",
      { { 200, "{}" }, { 400, ERROR("ValidationException") }, { 200, "{}" }, { 400, ERROR("ValidationException") } },
      DDB_FACT_YES,
      "2048 bytes are accepted, 2049 refused" },
    { "numbers",
      { { 200, "{}" }, { 200, ROW("0") }, { 200, "{}" }, { 200, ROW("7.2E3") }, { 200, "{}" } },
      DDB_FACT_NO,
      "7200 came back as 7.2E3" },
    { "empty-data",
      { { 400, ERROR("ValidationException") }, { 200, "{}" }, { 200, "{}" } },
      DDB_FACT_NO,
      "B: 400 ValidationException, S: 200" },
    { "empty-data",
      { { 200, "{}" }, { 500, ERROR("InternalServerError") }, { 200, "{}" } },
      DDB_FACT_UNTRIED,
      "PutItem: 500 InternalServerError" },
    { "utf-8",
      { { 400, ERROR("SerializationException") }, { 200, "{}" } },
      DDB_FACT_YES,
      "400 SerializationException" },
    { "reserved-words",
      { { 400, ERROR("ValidationException") }, { 400, ERROR("ValidationException") }, { 200, "{}" } },
      DDB_FACT_NO,
      "#data: 400 ValidationException, the bare word data: 400" },
    { "no-signature",
      { { 400, ERROR("MissingAuthenticationTokenException") } },
      DDB_FACT_YES,
      "400 MissingAuthenticationTokenException" },
    { "no-signature", { { 400, ERROR("OfTomorrowException") } }, DDB_FACT_NO, "400 OfTomorrowException" },
    { "wrong-signature", { { 400, ERROR("InvalidSignatureException") } }, DDB_FACT_YES, "400 InvalidSignature" },
    { "wrong-signature", { { 403, ERROR("SignatureDoesNotMatch") } }, DDB_FACT_NO, "403 SignatureDoesNotMatch" },
    { "unknown-key", { { 400, ERROR("UnrecognizedClientException") } }, DDB_FACT_YES, "400 UnrecognizedClient" },
    { "unknown-key", { { 400, ERROR("AccessDeniedException") } }, DDB_FACT_NO, "400 AccessDeniedException" },
    { "clock",
      { { 400, ERROR("RequestExpired") }, { 400, ERROR("InvalidSignatureException") } },
      DDB_FACT_YES,
      "16 minutes behind: 400 RequestExpired, ahead: 400 InvalidSignatureException" },
    { "clock",
      { { 400, ERROR("InvalidSignatureException") }, { 400, ERROR("TooEarlyException") } },
      DDB_FACT_NO,
      "ahead: 400 TooEarlyException" },
    { "missing-table", { { 400, ERROR("ResourceNotFoundException") } }, DDB_FACT_YES, "400 ResourceNotFound" },
    { "missing-table", { { 400, ERROR("AccessDeniedException") } }, DDB_FACT_UNTRIED, "for this table alone" },
    { "ttl",
      { { 200, "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\",\"AttributeName\":\"expires\"}}" } },
      DDB_FACT_YES,
      "ENABLED expires" },
    { "ttl",
      { { 200, "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\"}}" } },
      DDB_FACT_NO,
      "ENABLED without" },
    { "ttl", { { 400, ERROR("AccessDeniedException") } }, DDB_FACT_UNTRIED, "needs dynamodb:DescribeTimeToLive" },
    { "ttl", { { 400, ERROR("UnknownOperationException") } }, DDB_FACT_NO, "400 UnknownOperationException" },
    { "ttl", { { 503, ERROR("ServiceUnavailable") } }, DDB_FACT_UNTRIED, "DescribeTimeToLive: 503 ServiceUnavailable" },
    { "no-signature", { { 500, ERROR("InternalServerError") } }, DDB_FACT_UNTRIED, "GetItem: 500 InternalServerError" },
    { "http-1.1", { { 500, ERROR("InternalServerError") } }, DDB_FACT_UNTRIED, "GetItem: 500 InternalServerError" },
    { "account-endpoint", { { 0, NULL } }, DDB_FACT_UNTRIED, "none of those that accounts have" },
    { "tls", { { 0, NULL } }, DDB_FACT_UNTRIED, "has no TLS" },
    { "throttling", { { 0, NULL } }, DDB_FACT_UNTRIED, "--create" },
    { "crc32", { { 0, NULL } }, DDB_FACT_UNTRIED, "none of 1 replies has the header" },
    { "date", { { 0, NULL } }, DDB_FACT_NO, "0 of 1 replies" },
};

static void test_cases(apr_pool_t *p)
{
    apr_size_t i;
    int j;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_t *f = setup(cases[i].id, p);

        for (j = 0; cases[i].reply[j].status; j++) {
            world_answer(f->w, cases[i].reply[j].status, cases[i].reply[j].body);
        }
        NUM_IS(run(f), cases[i].is, cases[i].observed);
        OK(strstr(f->fact.observed, cases[i].observed), f->fact.observed);
        NUM_IS(f->w->n_sent, f->w->n_answers, "by so many calls");
        NUM_IS(f->sum.left, 0, "and nothing is left");
    }
}

static void test_requests(apr_pool_t *p)
{
    fixture_t *f = setup("no-signature", p);
    const char *id = "AKIAIOSFODNN7EXAMPLE", *authorization;

    world_answer(f->w, 400, ERROR("MissingAuthenticationTokenException"));
    run(f);
    OK(apr_table_get(f->w->sent[0].headers, "Authorization"), "requests are signed");
    OK(!apr_table_get(f->w->sent[1].headers, "Authorization"), "but for the one that is to be refused");
    OK(apr_table_get(f->w->sent[1].headers, "X-Amz-Target"), "which has all the rest");

    f = setup("unknown-key", p);
    world_answer(f->w, 400, ERROR("UnrecognizedClientException"))->header[0] = "x-amzn-RequestId";
    f->w->answers[1].header[1] = "RQ1\n2";
    run(f);
    authorization = apr_table_get(f->w->sent[1].headers, "Authorization");
    OK(strstr(authorization, id) && !strstr(authorization, "AKIDEXAMPLE"), "a key of nobody is the one of the guides");
    IS(f->fact.request_id, "RQ1?2", "the ID of the reply that shows it is kept, for a terminal");

    f = setup("utf-8", p);
    world_answer(f->w, 400, ERROR("SerializationException"));
    world_answer(f->w, 200, "{}");
    run(f);
    OK(strstr(f->w->sent[1].body, "\"a\xff\""), "bytes that are no text are sent as they are");
    IS(operation(f, 2), "DeleteItem", "and the row is deleted, whatever was answered");
    OK(strstr(f->w->sent[2].body, f->sum.prefix), "by its key");
}

static void test_hosts(apr_pool_t *p)
{
    fixture_t *f = setup("account-endpoint", p);

    f->o.client.endpoint.url = "https://dynamodb.eu-central-1.amazonaws.com";
    f->o.client.endpoint.host = "dynamodb.eu-central-1.amazonaws.com";
    f->o.client.endpoint.suffix = "amazonaws.com";
    NUM_IS(run(f), DDB_FACT_UNTRIED, "without an account");
    f = setup("account-endpoint", p);
    f->o.client.endpoint.url = "https://dynamodb.eu-central-1.amazonaws.com";
    f->o.client.endpoint.host = "dynamodb.eu-central-1.amazonaws.com";
    f->o.client.endpoint.suffix = "amazonaws.com";
    f->o.account_id = "123456789012";
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), DDB_FACT_YES, "with one, its host is asked");
    IS(f->w->sent[1].url, "https://123456789012.ddb.eu-central-1.amazonaws.com/", "by its name");

    f = setup("tls", p);
    f->o.client.endpoint.url = "https://dynamodb.eu-central-1.amazonaws.com";
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), DDB_FACT_YES, "an answer by TLS shows that the certificate was verified");
}

static void test_throttling(apr_pool_t *p)
{
    fixture_t *f = setup("throttling", p);

    f->o.own = 1;
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 200, ACTIVE("UPDATING"));
    world_answer(f->w, 200, ACTIVE("ACTIVE"));
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 400, ERROR("ProvisionedThroughputExceededException"));
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), DDB_FACT_YES, "a table of one unit");
    IS(f->fact.observed, "400 ProvisionedThroughputExceededException", "throttles large writes");
    OK(strstr(f->w->sent[1].body, "\"WriteCapacityUnits\":1"), "once it has no more");
    NUM_IS(f->w->n_slept, 1, "which takes a while");

    f = setup("throttling", p);
    f->o.own = 1;
    world_answer(f->w, 400, ERROR("AccessDeniedException"));
    NUM_IS(run(f), DDB_FACT_UNTRIED, "a table that may not be changed");
    IS(f->fact.observed, "UpdateTable: 400 AccessDeniedException", "is said to be one");
}

static void test_all_replies(apr_pool_t *p)
{
    fixture_t *f = setup("crc32", p);

    f->w->answers[0].header[0] = "x-amz-crc32";
    f->w->answers[0].header[1] = "2745614147"; /* of {} */
    NUM_IS(run(f), DDB_FACT_YES, "a checksum of the body");
    f = setup("date", p);
    f->w->answers[0].header[0] = "Date";
    f->w->answers[0].header[1] = "Sun, 29 Nov 2026 19:26:40 GMT";
    NUM_IS(run(f), DDB_FACT_YES, "a date of HTTP");
    f = setup("date", p);
    f->w->answers[0].header[0] = "Date";
    f->w->answers[0].header[1] = "yesterday";
    NUM_IS(run(f), DDB_FACT_NO, "another one");
}

static void test_ends(apr_pool_t *p)
{
    fixture_t *f = setup(NULL, p);

    f->w->answers[0].status = 400;
    f->w->answers[0].body = ERROR("InvalidSignatureException");
    NUM_IS(ddb_facts_run(&f->o, &f->sum, p, &f->err), DDB_EDENIED, "keys that are refused");
    IS(f->err.type, "InvalidSignatureException", "are the reason why nothing is tried");
    NUM_IS(f->n, 0, "and nothing is told");

    f = setup(NULL, p);
    f->stop = 1;
    NUM_IS(ddb_facts_run(&f->o, &f->sum, p, &f->err), APR_EINTR, "a run that was stopped");
    OK(f->n > 20 && f->fact.is == DDB_FACT_UNTRIED, "tries nothing more");
    IS(f->fact.observed, "interrupted", "and says so");

    f = setup(NULL, p);
    f->o.deadline = f->w->mono - 1;
    NUM_IS(ddb_facts_run(&f->o, &f->sum, p, &f->err), APR_SUCCESS, "a run that takes too long");
    IS(f->fact.observed, "out of time", "ends");

    f = setup("empty-data", p);
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 400, ERROR("AccessDeniedException"));
    run(f);
    NUM_IS(f->sum.left, 1, "a row that cannot be deleted is counted");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_cases, test_requests, test_hosts, test_throttling, test_all_replies, test_ends);
}
