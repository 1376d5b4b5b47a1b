/* ddb_client in a scripted world: what is signed and sent, how often and when, and what each reply is called. */

#include <stdlib.h>

#include "aws/ddb_client.h"
#include "tap.h"
#include "world.h"
#include "aws_files.h"
#include "sts_replies.h"

#define COUNT(a)    ((int)(sizeof(a) / sizeof((a)[0])))
#define GET_BODY    "{\"TableName\":\"sess\",\"Key\":{\"id\":{\"S\":\"a\"}}}"
#define ERROR(name) "{\"__type\":\"com.amazonaws.dynamodb.v20120810#" name "\",\"message\":\"m\"}"

/* What the jitter draws, in order; then 0. */
static apr_uint32_t draws[WORLD_MAX];
static int n_draws, drawn;

static apr_status_t scripted_random(void *out, apr_size_t len)
{
    apr_uint32_t value = drawn < n_draws ? draws[drawn] : 0;

    drawn++;
    memset(out, 0, len);
    memcpy(out, &value, len < sizeof(value) ? len : sizeof(value));
    return APR_SUCCESS;
}

static apr_status_t broken_random(void *out, apr_size_t len)
{
    (void)out;
    (void)len;
    return APR_EGENERAL;
}

static void script_draws(const apr_uint32_t *values, int n)
{
    if (n > 0) {
        memcpy(draws, values, n * sizeof(*values));
    }
    n_draws = n;
    drawn = 0;
}

typedef struct fixture_t {
    apr_pool_t *pool;
    world_t *w;
    ddb_credentials_t credentials;
    ddb_creds_opts_t creds;
    ddb_client_opts_t o;
    ddb_client_t *client;
    ddb_call_t call;
    ddb_reply_t reply;
    ddb_error_t err;
} fixture_t;

/* Three attempts in two seconds, as the module's defaults are. */
static fixture_t *setup(apr_pool_t *p)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));

    script_draws(NULL, 0);
    f->pool = p;
    f->w = world_create(p);
    f->credentials.access_key_id = "AKIDEXAMPLE";
    f->credentials.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    f->creds.fixed = &f->credentials;
    f->creds.http = &f->w->http;
    f->creds.clock = &f->w->clock;
    f->o.endpoint.url = "https://dynamodb.us-east-1.amazonaws.com";
    f->o.endpoint.host = "dynamodb.us-east-1.amazonaws.com";
    f->o.endpoint.region = "us-east-1";
    f->o.connect_timeout = apr_time_from_msec(700);
    f->o.max_attempts = 3;
    f->o.http = &f->w->http;
    f->o.clock = &f->w->clock;
    f->o.random = scripted_random;
    f->call.operation = "GetItem";
    f->call.body = GET_BODY;
    f->call.deadline = f->w->mono + apr_time_from_sec(2);
    return f;
}

static apr_status_t call(fixture_t *f)
{
    memset(&f->err, 0x55, sizeof(f->err)); /* the call resets it */
    memset(&f->reply, 0x55, sizeof(f->reply));
    return ddb_client_call(f->client, &f->call, f->pool, &f->reply, &f->err);
}

/* A call by a new client. */
static apr_status_t run(fixture_t *f)
{
    if (ddb_creds_create(&f->o.creds, &f->creds, f->pool) != APR_SUCCESS
        || ddb_client_create(&f->client, &f->o, f->pool) != APR_SUCCESS) {
        return APR_EINIT;
    }
    return call(f);
}

/* Another by the same one, two seconds from now at the latest. */
static apr_status_t run_again(fixture_t *f)
{
    f->call.deadline = f->w->mono + apr_time_from_sec(2);
    return call(f);
}

static const char *sent_header(const fixture_t *f, int i, const char *name)
{
    const apr_table_t *headers = f->w->sent[i].headers;
    const char *value = headers ? apr_table_get(headers, name) : NULL;

    return value ? value : "(none)";
}

static void test_request(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const ddb_http_request_t *sent = &f->w->sent[0];

    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "a call is answered");
    IS(sent->method, "POST", "it was a POST");
    IS(sent->url, "https://dynamodb.us-east-1.amazonaws.com/", "to the endpoint");
    IS(sent->body, GET_BODY, "of the body given");
    IS(sent_header(f, 0, "Content-Type"), "application/x-amz-json-1.0", "as JSON 1.0");
    IS(sent_header(f, 0, "X-Amz-Target"), "DynamoDB_20120810.GetItem", "for the operation");
    IS(sent_header(f, 0, "Host"), "dynamodb.us-east-1.amazonaws.com", "with the Host that is signed");
    IS(sent_header(f, 0, "Accept-Encoding"), "identity", "for a body that is not packed");
    OK(strncmp(sent_header(f, 0, "User-Agent"), "mod_session_dynamodb/", 21) == 0, "with our name");
    NUM_IS(sent->connect_timeout, apr_time_from_msec(700), "the time to connect is the one set");
    NUM_IS(sent->timeout, apr_time_from_sec(1), "an attempt has one second, not the whole deadline");
    NUM_IS(sent->max_response_bytes, 1024 * 1024, "a reply may have 1 MiB");
    NUM_IS(sent->fresh_connection, 0, "over whatever connection is there");
}

/* Signatures made by botocore 1.43.67 for the same keys, time and bodies. */
static void test_signature(apr_pool_t *p)
{
    static const struct {
        const char *host, *operation, *body, *token, *signature;
    } cases[] = {
        { "dynamodb.us-east-1.amazonaws.com", "GetItem", GET_BODY, NULL,
          "1506939fbc9e5183a6d9c4383dfaf321eca31d031bdb63f16171bbede88ede8e" },
        { "dynamodb.us-east-1.amazonaws.com", "GetItem", GET_BODY,
          "TOK/EN+==", "dcda2a0eb312f683bfe06eb80cee4389f5d1c18d6320a2ca9f5fe12e0a7d8a7e" },
        { "127.0.0.1:8000", "ListTables", "{}", NULL,
          "d342c0e49fcbd4eb70579a8d6e48560e9a88939d854e6e3941cdaf762f63ac79" },
    };
    int i;

    for (i = 0; i < COUNT(cases); i++) {
        fixture_t *f = setup(p);
        f->o.endpoint.host = cases[i].host;
        f->call.operation = cases[i].operation;
        f->call.body = cases[i].body;
        f->credentials.session_token = cases[i].token;
        world_answer(f->w, 200, "{}");
        run(f);
        OK(strstr(sent_header(f, 0, "Authorization"), cases[i].signature),
           apr_psprintf(p, "botocore signs %s to %s%s the same", cases[i].operation, cases[i].host,
                        cases[i].token ? " with a token" : ""));
        IS(sent_header(f, 0, "X-Amz-Security-Token"), cases[i].token ? cases[i].token : "(none)",
           "the token is sent where there is one");
    }
}

/* What an attempt left behind is given out again here. */
static void overwrite_free_memory(apr_pool_t *p)
{
    apr_pool_t *sub;
    int i;

    apr_pool_create(&sub, p);
    for (i = 0; i < 100; i++) {
        memset(apr_palloc(sub, 1000), 'x', 1000);
    }
    apr_pool_destroy(sub);
}

static void test_account(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *plain;

    f->credentials.account_id = "111122223333";
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "credentials that tell their account");
    IS(f->w->sent[0].url, "https://dynamodb.us-east-1.amazonaws.com/", "do not change where a request goes");
    plain = sent_header(f, 0, "Authorization");
    f->o.endpoint.suffix = "amazonaws.com";
    f->o.endpoint.account_mode = DDB_ACCOUNT_PREFERRED;
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "unless that is asked for");
    IS(f->w->sent[1].url, "https://111122223333.ddb.us-east-1.amazonaws.com/",
       "then it goes to the account's own host");
    IS(sent_header(f, 1, "Host"), "111122223333.ddb.us-east-1.amazonaws.com", "by that name");
    OK(strcmp(sent_header(f, 1, "Authorization"), plain) != 0, "which is signed");
    f->credentials.account_id = NULL;
    f->o.endpoint.account_mode = DDB_ACCOUNT_REQUIRED;
    NUM_IS(run(f), DDB_ECONFIG, "an account that is required and unknown");
    NUM_IS(f->w->n_sent, 2, "is asked nowhere");
}

static void test_success(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    world_answer_t *a = world_answer(f->w, 200, "{\"Item\":{}}");

    a->header[0] = "X-AMZN-REQUESTID";
    a->header[1] = "ABC123";
    NUM_IS(run(f), APR_SUCCESS, "an answer comes");
    IS(f->reply.body, "{\"Item\":{}}", "with its body");
    NUM_IS(f->reply.len, 11, "of its length");
    IS(f->err.operation, "GetItem", "the record has the operation");
    IS(f->err.request_id, "ABC123", "the id of the request");
    NUM_IS(f->err.http_status, 200, "the status");
    NUM_IS(f->err.attempts, 1, "one attempt");
    NUM_IS(f->err.unsettled, 0, "nothing unsettled");
    IS(f->err.type, "", "no error type");
    IS(f->err.detail, "", "and no detail: what was in it before is gone");
    NUM_IS(f->w->n_slept, 0, "nothing was waited for");
    overwrite_free_memory(p);
    IS(f->reply.body, "{\"Item\":{}}", "the body stays as long as the caller's pool");
}

static void test_record_is_printable(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    world_answer_t *a = world_answer(f->w, 200, "{}");

    f->call.operation = "AnOperationWithAnUncommonlyLongName";
    a->header[0] = "x-amzn-RequestId";
    a->header[1] = "a\nb\x1b[2Jc 0123456789012345678901234567890123456789012345678901234567890123456789";
    run(f);
    OK(strncmp(f->err.request_id, "a?b?[2Jc?0123", 13) == 0, "a request id can't break a line of the log");
    NUM_IS(strlen(f->err.request_id), sizeof(f->err.request_id) - 1, "and is cut to its place");
    IS(f->err.operation, "AnOperationWithAnUncommonlyLong", "so is the operation");
}

static void test_conflict(apr_pool_t *p)
{
    static const char body[] = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\","
                               "\"message\":\"The conditional request failed\",\"Item\":{\"id\":{\"S\":\"a\"}}}";
    fixture_t *f = setup(p);

    world_answer(f->w, 400, body);
    NUM_IS(run(f), DDB_ECONFLICT, "a failed condition is an answer");
    IS(f->reply.body, body, "that comes with its body");
    NUM_IS(f->reply.len, sizeof(body) - 1, "of its length");
    NUM_IS(f->err.attempts, 1, "it is not asked again");
    NUM_IS(f->err.unsettled, 0, "and leaves nothing open");

    f = setup(p);
    world_answer(f->w, 500, ERROR("InternalServerError"));
    world_answer(f->w, 400, body);
    NUM_IS(run(f), DDB_ECONFLICT, "a failed condition after a 500");
    IS(f->reply.body, body, "has its body too");
    NUM_IS(f->err.attempts, 2, "was the second attempt");
    NUM_IS(f->err.unsettled, 1, "and may be due to the first, which may have been carried out");

    f = setup(p);
    world_answer(f->w, 400, ERROR("ValidationException"));
    run(f);
    OK(f->reply.body == NULL && f->reply.len == 0, "other errors have no body for the caller");
}

/* The table of DynamoDB's errors. A call that is retried makes all its attempts. */
static void test_error_classes(apr_pool_t *p)
{
    static const struct {
        int status;
        const char *name;
        apr_status_t word;
        int attempts, unsettled;
    } cases[] = {
        { 400, "ProvisionedThroughputExceededException", DDB_ETHROTTLED, 3, 0 },
        { 400, "ThrottlingException", DDB_ETHROTTLED, 3, 0 },
        { 400, "RequestLimitExceeded", DDB_ETHROTTLED, 3, 0 },
        { 400, "Throttling", DDB_ETHROTTLED, 3, 0 },
        { 500, "InternalServerError", DDB_EUNAVAILABLE, 3, 1 },
        { 503, "ServiceUnavailable", DDB_EUNAVAILABLE, 3, 1 },
        { 503, "ThrottlingException", DDB_ETHROTTLED, 3, 1 },
        { 400, "TransactionInProgressException", DDB_EUNAVAILABLE, 3, 0 },
        { 400, "TransactionConflictException", DDB_EUNAVAILABLE, 3, 0 },
        { 400, "ReplicatedWriteConflictException", DDB_EUNAVAILABLE, 3, 0 },
        { 400, "ConditionalCheckFailedException", DDB_ECONFLICT, 1, 0 },
        { 400, "ExpiredTokenException", DDB_EDENIED, 1, 0 },
        { 400, "UnrecognizedClientException", DDB_EDENIED, 1, 0 },
        { 400, "InvalidSignatureException", DDB_EDENIED, 1, 0 },
        { 400, "IncompleteSignatureException", DDB_EDENIED, 1, 0 },
        { 400, "MissingAuthenticationTokenException", DDB_EDENIED, 1, 0 },
        { 400, "AccessDeniedException", DDB_EDENIED, 1, 0 },
        { 400, "ResourceNotFoundException", DDB_EREFUSED, 1, 0 },
        { 400, "ResourceInUseException", DDB_EREFUSED, 1, 0 },
        { 400, "LimitExceededException", DDB_EREFUSED, 1, 0 },
        { 400, "ValidationException", DDB_EREFUSED, 1, 0 },
        { 400, "SerializationException", DDB_EREFUSED, 1, 0 },
        { 400, "UnknownOperationException", DDB_EREFUSED, 1, 0 },
        { 400, "ItemCollectionSizeLimitExceededException", DDB_ETOOLARGE, 1, 0 },
    };
    int i, n;

    for (i = 0; i < COUNT(cases); i++) {
        fixture_t *f = setup(p);
        for (n = 0; n < 3; n++) {
            world_answer(f->w, cases[i].status, apr_psprintf(p, ERROR("%s"), cases[i].name));
        }
        NUM_IS(run(f), cases[i].word, apr_psprintf(p, "%d %s has its word", cases[i].status, cases[i].name));
        NUM_IS(f->w->n_sent, cases[i].attempts, cases[i].attempts > 1 ? "and is tried again" : "and is final");
        NUM_IS(f->err.attempts, f->w->n_sent, "the record counts the attempts");
        NUM_IS(f->err.unsettled, cases[i].unsettled, "and says whether one may have been carried out");
        IS(f->err.type, cases[i].name, "and what the service called it");
        NUM_IS(f->err.http_status, cases[i].status, "and its status");
    }
}

/* The reply to a read: with "sense" in it, or none. */
static apr_status_t make_sense(void *baton, ddb_reply_t *reply)
{
    fixture_t *f = baton;

    return strstr(reply->body, "sense") ? APR_NOTFOUND : ddb_error_set(&f->err, DDB_EBADREPLY, "no sense");
}

static void test_reads(apr_pool_t *p)
{
    static const struct {
        int status;
        const char *body, *detail;
    } cases[] = {
        { 200, "<html>Please log in</html>", "not a JSON object" },
        { 200, "", "not a JSON object" },
        { 200, "{\"Item\":", "no sense" },
        { 200, "{}", "no sense" },
        { 302, "", "not a DynamoDB error" },
    };
    fixture_t *f;
    int i, n;

    for (i = 0; i < COUNT(cases); i++) {
        f = setup(p);
        f->call.read = make_sense;
        f->call.baton = f;
        world_answer(f->w, cases[i].status, cases[i].body);
        world_answer(f->w, 200, "{\"sense\":1}");
        NUM_IS(run(f), APR_SUCCESS, apr_psprintf(p, "a read whose reply is '%s' is tried again", cases[i].body));
        NUM_IS(f->w->n_sent, 2, "until one makes sense");
        IS(f->reply.body, "{\"sense\":1}", "which the caller gets, whatever else it is to him");
        f = setup(p);
        f->call.read = make_sense;
        f->call.baton = f;
        for (n = 0; n < 3; n++) {
            world_answer(f->w, cases[i].status, cases[i].body);
        }
        NUM_IS(run(f), DDB_EBADREPLY, "when none does that is said in the end");
        NUM_IS(f->w->n_sent, 3, "after all attempts");
        OK(strstr(f->err.detail, cases[i].detail) && !f->reply.body, "with the reason and no body");
        f = setup(p);
        world_answer(f->w, cases[i].status, cases[i].body);
        NUM_IS(run(f), i == 2 || i == 3 ? APR_SUCCESS : DDB_EBADREPLY, "a write");
        NUM_IS(f->w->n_sent, 1, "is not sent again for its reply");
    }
}

static void test_bodies_that_are_no_json(apr_pool_t *p)
{
    static const struct {
        int status;
        const char *body;
        apr_status_t word;
        int attempts, unsettled;
    } cases[] = {
        { 502, "<html>Bad Gateway</html>", DDB_EUNAVAILABLE, 3, 1 },
        { 504, "", DDB_EUNAVAILABLE, 3, 1 },
        { 429, "", DDB_ETHROTTLED, 3, 0 },
        { 403, "<Error/>", DDB_EDENIED, 1, 0 },
        { 404, "<UnknownOperationException/>", DDB_EREFUSED, 1, 0 },
        { 413, "", DDB_ETOOLARGE, 1, 0 },
        { 302, "", DDB_EBADREPLY, 1, 1 },
        { 204, "", DDB_EBADREPLY, 1, 1 },
        { 200, "<html>Please log in</html>", DDB_EBADREPLY, 1, 1 },
        { 200, "", DDB_EBADREPLY, 1, 1 },
        { 200, "[]", DDB_EBADREPLY, 1, 1 },
    };
    int i, n;

    for (i = 0; i < COUNT(cases); i++) {
        fixture_t *f = setup(p);
        for (n = 0; n < 3; n++) {
            world_answer(f->w, cases[i].status, cases[i].body);
        }
        NUM_IS(run(f), cases[i].word, apr_psprintf(p, "%d with '%s' has its word", cases[i].status, cases[i].body));
        NUM_IS(f->w->n_sent, cases[i].attempts, cases[i].attempts > 1 ? "and is tried again" : "and is final");
        NUM_IS(f->err.unsettled, cases[i].unsettled, "what may have been carried out is said");
        OK(f->err.detail[0] && f->reply.body == NULL, "there is a detail and no body");
    }
}

static void test_retry(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    world_answer_t *a;

    world_answer(f->w, 500, ERROR("InternalServerError"))->took = apr_time_from_msec(300);
    world_answer(f->w, 400, ERROR("ThrottlingException"))->took = apr_time_from_sec(1);
    a = world_answer(f->w, 200, "{}");
    a->header[0] = "x-amzn-RequestId";
    a->header[1] = "third";
    f->call.deadline += apr_time_from_sec(1);
    NUM_IS(run(f), APR_SUCCESS, "the third attempt is answered");
    NUM_IS(f->err.attempts, 3, "and counted");
    NUM_IS(f->err.unsettled, 1, "the first may have been carried out");
    IS(f->err.type, "", "the last reply is no error any more");
    IS(f->err.detail, "", "and has no detail");
    IS(f->err.request_id, "third", "the request id is of the last reply");
    NUM_IS(f->err.http_status, 200, "so is the status");
    IS(sent_header(f, 0, "X-Amz-Date"), "20261123T010203Z", "the first attempt was signed at its time");
    IS(sent_header(f, 2, "X-Amz-Date"), "20261123T010204Z", "the third at its own");
    OK(strcmp(sent_header(f, 0, "Authorization"), sent_header(f, 2, "Authorization")) != 0, "and anew");
    IS(f->w->sent[2].body, GET_BODY, "with the same body");
    NUM_IS(f->w->sent[1].fresh_connection + f->w->sent[2].fresh_connection, 0,
           "a connection that brought an error is good for the next attempt");

    f = setup(p);
    f->o.max_attempts = 1;
    world_answer(f->w, 500, ERROR("InternalServerError"));
    NUM_IS(run(f), DDB_EUNAVAILABLE, "with one attempt allowed, one failure is the end");
    NUM_IS(f->w->n_sent, 1, "nothing is sent again");
    NUM_IS(f->w->n_slept, 0, "and nothing waited for");
}

/* Waits before the attempts 2, 3 … when `draws` are drawn for them. */
static void check_waits(apr_pool_t *p, const char *error, const apr_uint32_t *drawing, const apr_int64_t *waits, int n)
{
    fixture_t *f = setup(p);
    int i;

    f->o.max_attempts = n + 1;
    f->call.deadline += apr_time_from_sec(60);
    for (i = 0; i < n; i++) {
        world_answer(f->w, 400, error);
    }
    world_answer(f->w, 200, "{}");
    script_draws(drawing, n);
    NUM_IS(run(f), APR_SUCCESS, "the last attempt succeeds");
    NUM_IS(f->w->n_slept, n, "a wait before each new attempt");
    for (i = 0; i < n; i++) {
        NUM_IS(f->w->slept[i], waits[i], apr_psprintf(p, "wait %d is as drawn", i + 1));
    }
}

static void test_backoff(apr_pool_t *p)
{
    /* Drawn are numbers from 0 to the bound; with the bound itself the wait is longest, one more starts from 0. */
    static const apr_uint32_t top[] = { 25000, 50000, 100000, 200000, 400000, 400000, 400000 };
    static const apr_int64_t longest[] = { 25000, 50000, 100000, 200000, 400000, 400000, 400000 };
    static const apr_uint32_t over[] = { 25002, 50002, 100002, 200002, 400002, 400002, 0xffffffffu };
    static const apr_int64_t shortest[] = { 1, 1, 1, 1, 1, 1, 0xffffffffu % 400001 };
    static const apr_uint32_t throttled[] = { 100000, 200000, 400000, 400000, 400002 };
    static const apr_int64_t throttled_waits[] = { 100000, 200000, 400000, 400000, 1 };
    fixture_t *f = setup(p);

    check_waits(p, ERROR("TransactionConflictException"), top, longest, COUNT(top));
    check_waits(p, ERROR("TransactionConflictException"), over, shortest, COUNT(over));
    check_waits(p, ERROR("ThrottlingException"), throttled, throttled_waits, COUNT(throttled));

    f->o.random = broken_random;
    world_answer(f->w, 500, ERROR("InternalServerError"));
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "without random numbers the call goes on");
    NUM_IS(f->w->slept[0], 25000, "after the longest wait");
}

static void test_dead_connection(apr_pool_t *p)
{
    static const apr_uint32_t some[] = { 7000, 7000, 7000 };
    fixture_t *f = setup(p);

    script_draws(some, 3);
    world_fail(f->w, DDB_EUNAVAILABLE, 1);
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "a connection that died under the first attempt is no failure of the call");
    NUM_IS(f->w->n_slept, 0, "the second attempt does not wait");
    NUM_IS(f->w->sent[1].fresh_connection, 1, "and takes no connection that may be dead too");
    NUM_IS(f->err.unsettled, 1, "the first may have been carried out");

    f = setup(p);
    script_draws(some, 3);
    world_fail(f->w, DDB_EUNAVAILABLE, 1);
    world_fail(f->w, DDB_EUNAVAILABLE, 1);
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "when a fresh connection dies as well");
    NUM_IS(f->w->n_slept, 1, "the third attempt waits");
    NUM_IS(f->w->slept[0], 7000, "as drawn");
    NUM_IS(f->w->sent[2].fresh_connection, 1, "for another fresh one");

    f = setup(p);
    script_draws(some, 3);
    world_fail(f->w, DDB_EUNAVAILABLE, 0);
    world_fail(f->w, DDB_EUNAVAILABLE, 0);
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "when no connection comes about");
    NUM_IS(f->w->n_slept, 2, "each attempt waits");
    NUM_IS(f->w->sent[1].fresh_connection, 0, "there is no need to ask for a fresh one");
    NUM_IS(f->err.unsettled, 0, "nothing was sent that could have been carried out");

    f = setup(p);
    world_fail(f->w, DDB_EUNAVAILABLE, 1);
    world_fail(f->w, DDB_EUNAVAILABLE, 0);
    world_fail(f->w, DDB_EUNAVAILABLE, 0);
    NUM_IS(run(f), DDB_EUNAVAILABLE, "all attempts fail");
    NUM_IS(f->err.attempts, 3, "three were made");
    NUM_IS(f->err.unsettled, 1, "the first of them stays open");
    NUM_IS(f->err.http_status, 0, "no reply, no status");
    IS(f->err.detail, "scripted failure", "the detail is of the last one");
}

static void test_final_transport_failures(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_fail(f->w, DDB_ETOOLARGE, 1);
    NUM_IS(run(f), DDB_ETOOLARGE, "a reply over the limit is not asked for again");
    NUM_IS(f->w->n_sent, 1, "the same would come");
    NUM_IS(f->err.unsettled, 1, "what was asked for was done");

    f = setup(p);
    world_fail(f->w, APR_EACCES, 0);
    NUM_IS(run(f), APR_EACCES, "nor is a connection tried again that this machine forbids");
    NUM_IS(f->w->n_sent, 1, "it stays forbidden");
}

static void fail_by_timeout(fixture_t *f, int n)
{
    while (n-- > 0) {
        world_fail(f->w, APR_TIMEUP, 1);
        f->w->answers[f->w->n_answers - 1].took = apr_time_from_sec(1);
    }
}

static void test_deadline(apr_pool_t *p)
{
    static const apr_uint32_t longest[] = { 25000, 50000 };
    fixture_t *f = setup(p);

    script_draws(longest, 2);
    fail_by_timeout(f, 2);
    NUM_IS(run(f), APR_TIMEUP, "two attempts without an answer use up two seconds");
    NUM_IS(f->w->n_sent, 2, "there is no third");
    NUM_IS(f->w->n_slept, 1, "nor a wait for it");
    NUM_IS(f->w->sent[0].timeout, 1000000, "the first attempt had a second");
    NUM_IS(f->w->sent[1].timeout, 975000, "the second what was left after it and the wait");
    NUM_IS(f->w->sent[1].fresh_connection, 1, "over a fresh connection: the other may lead nowhere");
    NUM_IS(f->err.unsettled, 1, "both may have been carried out");
    NUM_IS(f->err.attempts, 2, "two are counted");
    OK(strstr(f->err.detail, "timed out; last attempt: ") && strstr(f->err.detail, "scripted failure"),
       "the detail says that time is up, and what the last attempt said");

    f = setup(p);
    f->o.max_attempts = 1;
    fail_by_timeout(f, 1);
    NUM_IS(run(f), DDB_EUNAVAILABLE, "an attempt that had no answer in its time is not the deadline");

    f = setup(p);
    f->o.max_attempts = 1;
    f->call.deadline = f->w->mono + apr_time_from_msec(900);
    fail_by_timeout(f, 1);
    NUM_IS(run(f), APR_TIMEUP, "unless it is");
    NUM_IS(f->w->sent[0].timeout, 900000, "its time was what was left");
}

static void test_too_little_time(apr_pool_t *p)
{
    static const apr_uint32_t longest[] = { 25000, 50000 };
    fixture_t *f = setup(p);

    f->call.deadline = f->w->mono + apr_time_from_msec(50) - 1;
    NUM_IS(run(f), APR_TIMEUP, "with less than 50 ms left");
    NUM_IS(f->w->n_sent, 0, "nothing is sent");
    NUM_IS(f->err.attempts, 0, "nor counted");
    IS(f->err.operation, "GetItem", "the record says what for");
    OK(f->err.detail[0], "and why");

    f = setup(p);
    f->call.deadline = f->w->mono - 1;
    NUM_IS(run(f), APR_TIMEUP, "nor is it after the deadline");
    NUM_IS(f->w->n_sent, 0, "when nothing is sent");

    f = setup(p);
    f->call.deadline = f->w->mono + apr_time_from_msec(50);
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "50 ms are enough");
    NUM_IS(f->w->sent[0].timeout, 50000, "for an attempt of that time");

    f = setup(p);
    script_draws(longest, 2);
    f->call.deadline = f->w->mono + apr_time_from_msec(160);
    world_answer(f->w, 500, ERROR("InternalServerError"))->took = apr_time_from_msec(100);
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "a wait leaves time for the attempt after it");
    NUM_IS(f->w->slept[0], 10000, "it is cut short for that");
    NUM_IS(f->w->sent[1].timeout, 50000, "to the shortest attempt");

    f = setup(p);
    f->call.deadline = f->w->mono + apr_time_from_msec(149);
    world_answer(f->w, 400, ERROR("ThrottlingException"))->took = apr_time_from_msec(100);
    NUM_IS(run(f), APR_TIMEUP, "when no time is left for another attempt");
    NUM_IS(f->w->n_slept, 0, "there is no wait either");
    IS(f->err.type, "ThrottlingException", "the record keeps the last reply");
}

/* CRC-32 by Python's zlib: {"Item":{}} 49613676, {} 2745614147. */
static void test_checksum(apr_pool_t *p)
{
    static const char *const bad[] = { "2745614148", "", "2745614147x", "-1549353149", "x", "99999999999999999999" };
    fixture_t *f = setup(p);
    world_answer_t *a = world_answer(f->w, 200, "{}");
    int i;

    a->header[0] = "X-Amz-CRC32";
    a->header[1] = "2745614147";
    NUM_IS(run(f), APR_SUCCESS, "a reply whose checksum is right is taken");
    NUM_IS(f->err.attempts, 1, "at once");
    f = setup(p);
    a = world_answer(
        f->w, 200, "{\"Item\":{\"\xc3\xa9\":{\"S\":\"\xe2\x82\xac \xf0\x9f\x98\x80 and more than one step of it\"}}}");
    a->header[0] = "x-amz-crc32";
    a->header[1] = "140899145";
    NUM_IS(run(f), APR_SUCCESS, "of any bytes");
    NUM_IS(f->err.attempts, 1, "at once as well");
    for (i = 0; i < COUNT(bad); i++) {
        f = setup(p);
        a = world_answer(f->w, 200, "{}");
        a->header[0] = "x-amz-crc32";
        a->header[1] = bad[i];
        a = world_answer(f->w, 200, "{\"Item\":{}}");
        a->header[0] = "x-amz-crc32";
        a->header[1] = "49613676";
        NUM_IS(run(f), APR_SUCCESS, apr_psprintf(p, "one with '%s' for a checksum is asked for again", bad[i]));
        NUM_IS(f->err.attempts, 2, "once");
        IS(f->reply.body, "{\"Item\":{}}", "for a right one");
        NUM_IS(f->err.unsettled, 1, "the first was carried out, or not");
    }
    f = setup(p);
    for (i = 0; i < 3; i++) {
        a = world_answer(f->w, 400, ERROR("ConditionalCheckFailedException"));
        a->header[0] = "x-amz-crc32";
        a->header[1] = "1";
    }
    NUM_IS(run(f), DDB_EUNAVAILABLE, "an error reply that is damaged is no answer");
    NUM_IS(f->err.unsettled, 1, "and settles nothing");
    OK(strstr(f->err.detail, "x-amz-crc32"), "the detail says why");
    OK(f->reply.body == NULL, "its body is not given out");
}

static void test_skew(apr_pool_t *p)
{
    /* Our clock says 01:02:03. */
    static const struct {
        const char *date, *error, *said;
    } cases[] = {
        { "Mon, 23 Nov 2026 01:22:03 GMT", ERROR("InvalidSignatureException"), "1199 s behind" },
        { "Mon, 23 Nov 2026 00:42:03 GMT", ERROR("InvalidSignatureException"), "1200 s ahead of" },
        { "Mon, 23 Nov 2026 01:04:03 GMT", ERROR("InvalidSignatureException"), NULL },
        { "Mon, 23 Nov 2026 01:22:03 GMT", ERROR("AccessDeniedException"), NULL },
        { "yesterday", ERROR("InvalidSignatureException"), NULL },
        { NULL, ERROR("InvalidSignatureException"), NULL },
    };
    int i;

    for (i = 0; i < COUNT(cases); i++) {
        fixture_t *f = setup(p);
        world_answer_t *a = world_answer(f->w, 400, cases[i].error);
        a->header[0] = cases[i].date ? "Date" : NULL;
        a->header[1] = cases[i].date;
        NUM_IS(run(f), DDB_EDENIED, "a refused signature is refused");
        if (cases[i].said) {
            OK(strstr(f->err.detail, cases[i].said), "a clock that is wrong by minutes is named as the cause");
        }
        else {
            OK(!strstr(f->err.detail, "NTP"), "the clock is not blamed without reason");
        }
        NUM_IS(f->err.attempts, 1, "it is not tried again");
    }
}

static void test_no_credentials(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_PROFILE");
    unsetenv("AWS_DEFAULT_PROFILE");
    f->creds.fixed = NULL;
    f->creds.profile.credentials_file = "/nonexistent/credentials";
    f->creds.profile.config_file = "/nonexistent/config";
    OK(run(f) != APR_SUCCESS, "without credentials a call fails");
    NUM_IS(f->w->n_sent, 0, "nothing is sent");
    NUM_IS(f->err.attempts, 0, "nor counted");
    NUM_IS(f->w->n_slept, 0, "nor waited for");
    NUM_IS(f->err.unsettled, 0, "nor open");
    OK(f->err.detail[0], "the detail is the provider chain's");
    IS(f->err.operation, "GetItem", "the operation is told");
}

/* Times are moved by jumps of the wall clock only in what is signed. */
static void jump_and_sleep(void *baton, apr_interval_time_t t)
{
    world_t *w = baton;

    world_sleep(w, t);
    w->now -= apr_time_from_sec(3600);
}

static void test_wall_clock_jump(apr_pool_t *p)
{
    static const apr_uint32_t some[] = { 1000, 1000 };
    fixture_t *f = setup(p);

    f->w->clock.sleep = jump_and_sleep;
    script_draws(some, 2);
    world_answer(f->w, 500, ERROR("InternalServerError"));
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "the wall clock jumps back an hour between two attempts");
    IS(sent_header(f, 1, "X-Amz-Date"), "20261123T000203Z", "the second is signed with what it shows then");
    NUM_IS(f->w->sent[1].timeout, 1000000, "the deadline does not move with it");
}

/* --- the breaker --- */

#define LIMIT 3

static fixture_t *setup_breaker(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_breaker_opts_t o = { .store = f->o.endpoint.url,
                             .limit = LIMIT,
                             .clock = &f->w->clock,
                             .random = scripted_random,
                             .count = f->o.count };

    ddb_breaker_create(&f->o.breaker, &o, p);
    f->o.max_attempts = 1;
    return f;
}

static void test_breaker(apr_pool_t *p)
{
    fixture_t *f = setup_breaker(p);
    ddb_notice_t n;
    int i;

    for (i = 0; i < LIMIT; i++) {
        fail_by_timeout(f, 1);
        NUM_IS(i ? run_again(f) : run(f), DDB_EUNAVAILABLE, "a call gets no answer");
    }
    NUM_IS(run_again(f), DDB_EUNAVAILABLE, "after some of them in a row the next fails");
    NUM_IS(f->w->n_sent, LIMIT, "without asking");
    NUM_IS(f->err.attempts, 0, "which counts no attempt");
    NUM_IS(f->err.unsettled, 0, "and leaves nothing open");
    IS(f->err.operation, "GetItem", "the record says what for");
    OK(strstr(f->err.detail, "circuit breaker open"), "and why");
    OK(ddb_breaker_take_notice(f->o.breaker, &n) && strstr(n.text, f->o.endpoint.url), "the change can be logged");
    OK(!ddb_breaker_take_notice(f->o.breaker, &n), "once");

    f->o.max_attempts = 3;
    ddb_client_create(&f->client, &f->o, p);
    f->w->mono += apr_time_from_msec(100);
    fail_by_timeout(f, 1);
    NUM_IS(run_again(f), DDB_EUNAVAILABLE, "a little later one call asks again, in vain");
    NUM_IS(f->err.attempts, 1, "in one attempt, although it had more");
    NUM_IS(f->w->sent[LIMIT].timeout, 1000000, "of no more than a second");
    NUM_IS(f->w->sent[LIMIT].fresh_connection, 1, "over a connection that can't be as dead as those before");
    NUM_IS(f->err.unsettled, 1, "which may have been carried out");
    NUM_IS(run_again(f), DDB_EUNAVAILABLE, "the next is turned away again");
    NUM_IS(f->err.attempts, 0, "at once");

    f->w->mono += apr_time_from_msec(500);
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "when one is answered");
    NUM_IS(run_again(f), APR_SUCCESS, "so is the next");
    NUM_IS(f->w->sent[LIMIT + 2].fresh_connection, 0, "over any connection");
    OK(ddb_breaker_take_notice(f->o.breaker, &n) && strstr(n.text, "answers again"), "the change can be logged");
}

static void test_probe_that_goes_on(apr_pool_t *p)
{
    fixture_t *f = setup_breaker(p);

    fail_by_timeout(f, LIMIT);
    run(f);
    run_again(f);
    run_again(f);
    f->o.max_attempts = 3;
    ddb_client_create(&f->client, &f->o, p);
    f->w->mono += apr_time_from_msec(100);
    world_answer(f->w, 400, ERROR("ThrottlingException"));
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "a probe that is throttled has its answer, and goes on as any call");
    NUM_IS(f->err.attempts, 2, "with further attempts");

    f->call.deadline = f->w->mono;
    NUM_IS(call(f), APR_TIMEUP, "a call without time");
    NUM_IS(call(f), APR_TIMEUP, "or several of them");
    NUM_IS(call(f), APR_TIMEUP, "that ask nothing");
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "say nothing about the store");
}

/* What counts as no answer, and what as one: a call each, of which there are more than it takes to open. */
static void test_what_opens(apr_pool_t *p)
{
    static const struct {
        apr_status_t rv;
        int status;
        const char *body;
        const char *crc;
        int opens;
    } cases[] = {
        { DDB_EUNAVAILABLE, 0, NULL, NULL, 1 },
        { APR_TIMEUP, 0, NULL, NULL, 1 },
        { DDB_ETOOLARGE, 0, NULL, NULL, 1 },
        { 0, 500, ERROR("InternalServerError"), NULL, 1 },
        { 0, 503, "<html>", NULL, 1 },
        { 0, 200, "<html>", NULL, 1 },
        { 0, 302, "", NULL, 1 },
        { 0, 200, "{}", "1", 1 },
        { 0, 400, ERROR("ThrottlingException"), NULL, 0 },
        { 0, 503, ERROR("ThrottlingException"), NULL, 0 },
        { 0, 400, ERROR("ConditionalCheckFailedException"), NULL, 0 },
        { 0, 400, ERROR("AccessDeniedException"), NULL, 0 },
        { 0, 400, ERROR("ResourceNotFoundException"), NULL, 0 },
        { 0, 400, ERROR("TransactionConflictException"), NULL, 0 },
        { 0, 413, "", NULL, 0 },
        { 0, 200, "{}", NULL, 0 },
    };
    int i, n;

    for (i = 0; i < COUNT(cases); i++) {
        fixture_t *f = setup_breaker(p);
        for (n = 0; n < LIMIT + 2; n++) {
            world_answer_t *a = world_answer(f->w, cases[i].status, cases[i].body);
            a->rv = cases[i].rv;
            a->unsettled = 1;
            a->header[0] = cases[i].crc ? "x-amz-crc32" : NULL;
            a->header[1] = cases[i].crc;
        }
        run(f);
        for (n = 1; n < LIMIT + 2; n++) {
            run_again(f);
        }
        NUM_IS(f->w->n_sent, cases[i].opens ? LIMIT : LIMIT + 2,
               apr_psprintf(p, "%d, %d '%s': %s", cases[i].rv, cases[i].status, cases[i].body ? cases[i].body : "",
                            cases[i].opens ? "no answer" : "an answer"));
    }
}

static void test_retries_are_one_call(apr_pool_t *p)
{
    fixture_t *f = setup_breaker(p);
    int i;

    f->o.max_attempts = 3;
    for (i = 0; i < 3; i++) {
        world_fail(f->w, DDB_EUNAVAILABLE, 1);
        world_fail(f->w, DDB_EUNAVAILABLE, 1);
        world_answer(f->w, 200, "{}");
        NUM_IS(i ? run_again(f) : run(f), APR_SUCCESS, "attempts that fail are no failed call");
    }
    for (i = 0; i < 6; i++) {
        world_fail(f->w, DDB_EUNAVAILABLE, 1);
    }
    run_again(f);
    run_again(f);
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "nor do six of them in two calls make three failed calls");
}

/* --- the budget --- */

static void test_budget(apr_pool_t *p)
{
    static const apr_uint32_t some[] = { 7000, 7000, 7000 };
    fixture_t *f = setup(p);
    int i;

    script_draws(some, 3);
    ddb_retry_budget_create(&f->o.budget, p);
    for (i = 0; i < 99; i++) {
        ddb_retry_budget_take(f->o.budget);
    }
    for (i = 0; i < 3; i++) {
        world_answer(f->w, 500, ERROR("InternalServerError"));
    }
    NUM_IS(run(f), DDB_EUNAVAILABLE, "when enough is left for one retry, a call that fails");
    NUM_IS(f->err.attempts, 2, "is tried once more, and no third time");
    OK(strstr(f->err.detail, "the retry budget is used up"), "which the detail says");
    IS(f->err.type, "InternalServerError", "beside what the service said");
    NUM_IS(f->w->n_slept, 1, "nothing is waited for then");
    NUM_IS(run_again(f), DDB_EUNAVAILABLE, "the next call");
    NUM_IS(f->err.attempts, 1, "is not tried again at all");

    ddb_retry_budget_give(f->o.budget, 1);
    world_answer(f->w, 400, ERROR("ThrottlingException"));
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "a retry that succeeds");
    NUM_IS(ddb_retry_budget_take(f->o.budget), 1, "costs nothing in the end");

    ddb_retry_budget_give(f->o.budget, 1);
    fail_by_timeout(f, 1);
    f->call.deadline = f->w->mono + apr_time_from_msec(900);
    NUM_IS(call(f), APR_TIMEUP, "a call that has no time for another attempt");
    NUM_IS(ddb_retry_budget_take(f->o.budget), 1, "pays for none");

    for (i = 0; i < 5; i++) {
        world_answer(f->w, 400, ERROR("ConditionalCheckFailedException"));
        run_again(f);
    }
    NUM_IS(ddb_retry_budget_take(f->o.budget), 1, "a failed condition is a success as well");
    for (i = 0; i < 5; i++) {
        world_answer(f->w, 400, ERROR("AccessDeniedException"));
        run_again(f);
    }
    NUM_IS(ddb_retry_budget_take(f->o.budget), 0, "a refusal is not");
}

/* --- the clock --- */

#define SIGNATURE ERROR("InvalidSignatureException")

static fixture_t *setup_clock(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    ddb_skew_create(&f->o.skew, &f->w->clock, p);
    f->o.clock = ddb_skew_clock(f->o.skew);
    return f;
}

static void answer_at(fixture_t *f, int status, const char *body, const char *date)
{
    world_answer_t *a = world_answer(f->w, status, body);

    a->header[0] = "Date";
    a->header[1] = date;
}

static void test_clock_is_corrected(apr_pool_t *p)
{
    fixture_t *f = setup_clock(p);
    ddb_notice_t n;

    f->o.max_attempts = 1;
    answer_at(f, 400, SIGNATURE, "Mon, 23 Nov 2026 01:22:03 GMT");
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "a signature refused for a wrong clock is made anew");
    NUM_IS(f->err.attempts, 2, "in an attempt that is counted and not charged");
    NUM_IS(f->w->n_slept, 0, "at once");
    IS(sent_header(f, 1, "X-Amz-Date"), "20261123T012203Z", "with the service's time");
    IS(f->err.type, "", "there is no error in the end");
    OK(ddb_skew_take_notice(f->o.skew, &n) && strstr(n.text, "1199 s behind"), "the change can be logged");
    OK(!ddb_skew_take_notice(f->o.skew, &n), "once");
    NUM_IS(apr_time_sec(ddb_clock_wall(f->o.clock)), apr_time_sec(f->w->now) + 1200, "the clock tells the time so");
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "the next call");
    NUM_IS(f->err.attempts, 1, "is right at once");
    answer_at(f, 200, "{}", "Mon, 23 Nov 2026 05:22:03 GMT");
    run_again(f);
    NUM_IS(apr_time_sec(ddb_clock_wall(f->o.clock)), apr_time_sec(f->w->now) + 1200,
           "other answers' dates are not asked");

    f->w->now += apr_time_from_sec(1200);
    answer_at(f, 403, ERROR("RequestTimeTooSkewed"), "Mon, 23 Nov 2026 01:22:03 GMT");
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "when the machine's clock is set right, it is refused and corrected back");
    NUM_IS(ddb_clock_wall(f->o.clock), f->w->now, "to what it shows");
}

static void test_clock_that_is_not_the_cause(apr_pool_t *p)
{
    fixture_t *f = setup_clock(p);

    answer_at(f, 400, SIGNATURE, "Mon, 23 Nov 2026 01:05:03 GMT");
    NUM_IS(run(f), DDB_EDENIED, "a signature refused by a service whose clock agrees is refused");
    NUM_IS(f->err.attempts, 1, "and not made anew");
    answer_at(f, 400, SIGNATURE, "Mon, 23 Nov 2026 01:22:03 GMT");
    answer_at(f, 400, SIGNATURE, "Mon, 23 Nov 2026 01:22:03 GMT");
    NUM_IS(run_again(f), DDB_EDENIED, "one that is refused after the correction as well is refused");
    NUM_IS(f->err.attempts, 2, "after that one attempt more");
    OK(!strstr(f->err.detail, "NTP"), "and the clock is not blamed for it");
    answer_at(f, 400, SIGNATURE, "Mon, 23 Nov 2026 02:22:03 GMT");
    answer_at(f, 400, SIGNATURE, "Mon, 23 Nov 2026 03:22:03 GMT");
    NUM_IS(run_again(f), DDB_EDENIED, "a service whose dates jump");
    NUM_IS(f->err.attempts, 2, "is not followed for ever");
    OK(strstr(f->err.detail, "NTP"), "what its date says is told");

    f = setup_clock(p);
    f->o.endpoint.url = "http://dynamodb.internal";
    answer_at(f, 400, SIGNATURE, "Mon, 23 Nov 2026 01:22:03 GMT");
    NUM_IS(run(f), DDB_EDENIED, "a Date that anybody on the way could have written");
    NUM_IS(f->err.attempts, 1, "changes nothing");
    NUM_IS(ddb_clock_wall(f->o.clock), f->w->now, "not the time either");
    OK(strstr(f->err.detail, "1199 s behind"), "it is only told");

    f = setup_clock(p);
    answer_at(f, 400, ERROR("AccessDeniedException"), "Mon, 23 Nov 2026 01:22:03 GMT");
    run(f);
    NUM_IS(ddb_clock_wall(f->o.clock), f->w->now, "nor does any other refusal change it");
}

/* --- credentials that are replaced --- */

#define KEYS_OF(id) "[default]\naws_access_key_id = " id "\naws_secret_access_key = s\n"

static fixture_t *setup_profile(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    aws_reset(p);
    aws_write(".aws/credentials", KEYS_OF("OLD"), p);
    f->creds.fixed = NULL;
    world_answer(f->w, 200, "{}");
    run(f);
    return f;
}

static int signed_by(const fixture_t *f, int i, const char *id)
{
    return strstr(sent_header(f, i, "Authorization"), apr_pstrcat(f->pool, "Credential=", id, "/", NULL)) != NULL;
}

static void test_credentials_are_renewed(apr_pool_t *p)
{
    static const char *const types[] = { "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException",
                                         "RequestExpired" };
    fixture_t *f;
    int i;

    for (i = 0; i < COUNT(types); i++) {
        f = setup_profile(p);
        OK(signed_by(f, 0, "OLD"), "credentials of a profile are used");
        aws_write(".aws/credentials", KEYS_OF("NEW"), p);
        world_answer(f->w, 400, apr_psprintf(p, ERROR("%s"), types[i]));
        world_answer(f->w, 200, "{}");
        NUM_IS(run_again(f), APR_SUCCESS, apr_psprintf(p, "%s: they are refused, and others used", types[i]));
        OK(signed_by(f, 1, "OLD") && signed_by(f, 2, "NEW"), "which the profile has by now");
        NUM_IS(f->err.attempts, 2, "in an attempt that is counted");
        NUM_IS(f->w->n_slept, 0, "at once");
    }
    f = setup_profile(p);
    aws_write(".aws/credentials", KEYS_OF("NEW"), p);
    f->o.max_attempts = 1;
    ddb_client_create(&f->client, &f->o, p);
    world_answer(f->w, 400, ERROR("ExpiredTokenException"));
    world_answer(f->w, 400, ERROR("ExpiredTokenException"));
    NUM_IS(run_again(f), DDB_EDENIED, "when the others are refused as well, that is the answer");
    NUM_IS(f->err.attempts, 2, "after one attempt more");
}

static void test_credentials_that_stay(apr_pool_t *p)
{
    fixture_t *f = setup_profile(p);

    world_answer(f->w, 400, ERROR("ExpiredTokenException"));
    NUM_IS(run_again(f), DDB_EDENIED, "credentials that are refused and still the same");
    NUM_IS(f->err.attempts, 1, "are not tried again");
    OK(strstr(f->err.detail, "the keys came from credential provider credentials file: correct them there"),
       "and where they came from is said");
    aws_write(".aws/credentials", KEYS_OF("NEW"), p);
    world_answer(f->w, 400, ERROR("AccessDeniedException"));
    NUM_IS(run_again(f), DDB_EDENIED, "those that lack a permission");
    NUM_IS(f->err.attempts, 1, "are good, and kept");
    OK(!strstr(f->err.detail, "provider"), "whatever provider they are from");

    f = setup_profile(p);
    aws_remove(".aws/credentials", p);
    world_answer(f->w, 400, ERROR("ExpiredTokenException"));
    NUM_IS(run_again(f), DDB_EDENIED, "when there are none any more, the refusal is the answer");
    OK(strstr(f->err.detail, "new credentials could not be obtained: no credentials found"),
       "with what became of asking");
    NUM_IS(f->err.attempts, 1, "and nothing is sent without any");
}

/* Keys that STS gives, in an answer that takes its time. */
static fixture_t *setup_slow(apr_pool_t *p, apr_interval_time_t took)
{
    fixture_t *f = setup_breaker(p);

    aws_reset(p);
    aws_write("token", "jwt.token", p);
    aws_set("AWS_WEB_IDENTITY_TOKEN_FILE", aws_path("token", p), p);
    aws_set("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", p);
    f->creds.fixed = NULL;
    f->creds.region = "eu-west-1";
    world_answer(
        f->w, 200,
        STS_REPLY("AssumeRoleWithWebIdentity",
                  "<Credentials><AccessKeyId>SLOW</AccessKeyId>"
                  "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z"
                  "</Expiration></Credentials>"))
        ->took = took;
    return f;
}

static void test_credentials_in_time(apr_pool_t *p)
{
    fixture_t *f = setup_slow(p, apr_time_from_msec(1900));

    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "credentials that come in time");
    NUM_IS(f->w->sent[1].timeout, apr_time_from_msec(100), "leave the rest of it to the attempt");
}

static void test_credentials_too_late(apr_pool_t *p)
{
    static const int took[] = { 1951, 1999, 2000, 5000 };
    fixture_t *f;
    int i, n;

    for (i = 0; i < COUNT(took); i++) {
        f = setup_slow(p, apr_time_from_msec(took[i]));
        NUM_IS(run(f), APR_TIMEUP, apr_psprintf(p, "credentials that come after %d ms", took[i]));
        NUM_IS(f->w->n_sent, 1, "are too late: the table is asked nothing");
        NUM_IS(f->err.attempts, 0, "and no attempt is counted");
        OK(strstr(f->err.detail, "credential provider web identity"), "whom it waited for is told");
        for (n = 0; n < LIMIT; n++) {
            f->call.deadline = f->w->mono + apr_time_from_msec(49);
            call(f);
        }
        world_answer(f->w, 200, "{}");
        NUM_IS(run_again(f), APR_SUCCESS, "the breaker has not counted what was not sent");
    }
}

/* The refusal of old keys is an answer, also when the new ones come too late. */
static void test_renewal_too_late(apr_pool_t *p)
{
    fixture_t *f = setup_slow(p, 0);
    ddb_breaker_pass_t pass;
    apr_interval_time_t next;

    f->creds.has_refresher = 1; /* that is this test: nobody asks meanwhile */
    ddb_creds_create(&f->o.creds, &f->creds, p);
    ddb_client_create(&f->client, &f->o, p);
    ddb_creds_ask_soon(f->o.creds);
    NUM_IS(ddb_creds_refresh(f->o.creds, &next, &f->err), APR_SUCCESS, "there are credentials");
    fail_by_timeout(f, LIMIT - 1);
    run_again(f);
    run_again(f);
    world_answer(f->w, 400, ERROR("ExpiredTokenException"))->took = apr_time_from_sec(2);
    NUM_IS(run_again(f), DDB_EDENIED, "they are refused, and others do not come in time");
    OK(strstr(f->err.detail, "no credentials yet"), "which is told");
    NUM_IS(f->err.attempts, 1, "of what was sent");
    OK(ddb_breaker_admit(f->o.breaker, &pass) && !pass.probe, "and the breaker knows that it was answered");
}

static void test_cancelled(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->call.cancel = ddb_cancel_create(p);
    fail_by_timeout(f, 1);
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "a call that could be cancelled");
    NUM_IS(f->err.attempts, 2, "is tried again as any other");
    ddb_cancel_set(f->call.cancel);
    NUM_IS(run_again(f), APR_EINTR, "one that is cancelled");
    NUM_IS(f->w->n_sent, 2, "sends nothing");
}

/* --- what is kept from call to call --- */

/* 1 if the n-th request has the signature that these credentials give at that time. */
static int is_signed(const fixture_t *f, int n, const ddb_credentials_t *credentials, apr_time_t now)
{
    const ddb_http_request_t *sent = &f->w->sent[n];
    apr_table_t *headers = apr_table_make(f->pool, 2), *out = apr_table_make(f->pool, 3);
    ddb_sigv4_request_t req = { .method = "POST",
                                .host = sent_header(f, n, "Host"),
                                .path = "/",
                                .query = "",
                                .headers = headers,
                                .body = sent->body,
                                .body_len = sent->body_len,
                                .region = f->o.endpoint.region,
                                .service = "dynamodb" };
    ddb_sigv4_signer_t signer = { .credentials = credentials, .now = now };
    const char *token = credentials->session_token ? credentials->session_token : "(none)";

    apr_table_setn(headers, "Content-Type", sent_header(f, n, "Content-Type"));
    apr_table_setn(headers, "X-Amz-Target", sent_header(f, n, "X-Amz-Target"));
    return ddb_sigv4_sign(out, &req, &signer, f->pool) == APR_SUCCESS
           && strcmp(apr_table_get(out, "Authorization"), sent_header(f, n, "Authorization")) == 0
           && strcmp(apr_table_get(out, "X-Amz-Date"), sent_header(f, n, "X-Amz-Date")) == 0
           && strcmp(token, sent_header(f, n, "X-Amz-Security-Token")) == 0;
}

static void test_calls_in_turn(apr_pool_t *p)
{
    static const char *const operations[] = { "GetItem", "UpdateItem", "PutItem", "DeleteItem" };
    fixture_t *f = setup(p);
    int i, wrong = 0;

    f->credentials.session_token = memset(apr_pcalloc(p, 9001), 'T', 9000);
    for (i = 0; i < 40; i++) {
        f->call.operation = operations[i % COUNT(operations)];
        f->call.body = apr_psprintf(p, "{\"n\":\"%.*s\"}", i * 7, f->credentials.session_token);
        world_answer(f->w, 200, "{}");
        f->w->now += i % 3 * apr_time_from_msec(700);
        wrong += (i ? run_again(f) : run(f)) != APR_SUCCESS || !is_signed(f, i, &f->credentials, f->w->now)
                 || strcmp(f->w->sent[i].body, f->call.body) != 0
                 || !strstr(sent_header(f, i, "X-Amz-Target"), f->call.operation);
    }
    NUM_IS(wrong, 0, "call after call is signed for itself, with a long token");
}

static void test_midnight(apr_pool_t *p)
{
    static const apr_uint32_t some[] = { 20000, 20000 };
    fixture_t *f = setup(p);
    apr_time_t midnight = APR_INT64_C(1795478400000000); /* 2026-11-24 00:00:00 UTC */

    script_draws(some, 2);
    f->w->now = midnight - 10000;
    world_answer(f->w, 500, ERROR("InternalServerError"));
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "midnight passes between two attempts of a write");
    NUM_IS(f->err.unsettled, 1, "of which the first may have been carried out");
    OK(is_signed(f, 0, &f->credentials, midnight - 10000), "the first is signed for the day that ends");
    IS(sent_header(f, 1, "X-Amz-Date"), "20261124T000000Z", "the second in the first second of the next");
    OK(strstr(sent_header(f, 1, "Authorization"), "/20261124/") && is_signed(f, 1, &f->credentials, f->w->now),
       "and for that day");
    f->w->now = midnight - 1;
    world_answer(f->w, 200, "{}");
    run_again(f);
    OK(is_signed(f, 2, &f->credentials, midnight - 1), "a clock that is set back is followed");
}

static void test_clock_of_another_day(apr_pool_t *p)
{
    fixture_t *f = setup_clock(p);

    answer_at(f, 400, SIGNATURE, "Sun, 22 Nov 2026 23:02:03 GMT");
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "the service's clock shows another day");
    OK(is_signed(f, 0, &f->credentials, f->w->now), "what it refused was signed with ours");
    OK(is_signed(f, 1, &f->credentials, f->w->now - 2 * apr_time_from_sec(3600)), "what it took with its own");
    IS(sent_header(f, 1, "X-Amz-Date"), "20261122T230203Z", "of its day");
}

#define PROFILE(id)                                                                                                    \
    "[default]\naws_access_key_id = " id "\naws_secret_access_key = secret-" id "\naws_session_token = token-" id      \
    "\naws_account_id = 11112222" id "\n"
#define KEYS(id)                                                                                                       \
    {                                                                                                                  \
        .access_key_id = id, .secret_access_key = "secret-" id, .session_token = "token-" id                           \
    }

static void test_rotation(apr_pool_t *p)
{
    static const ddb_credentials_t keys[] = { KEYS("0001"), KEYS("0002"), KEYS("0003") };
    static const char *const profiles[] = { PROFILE("0001"), PROFILE("0002"), PROFILE("0003") };
    fixture_t *f = setup(p);
    apr_interval_time_t next;
    ddb_error_t err = { 0 };
    int i;

    aws_reset(p);
    f->creds.fixed = NULL;
    f->creds.has_refresher = 1;
    f->o.endpoint.suffix = "amazonaws.com";
    f->o.endpoint.account_mode = DDB_ACCOUNT_PREFERRED;
    ddb_creds_create(&f->o.creds, &f->creds, p);
    ddb_client_create(&f->client, &f->o, p);
    ddb_creds_ask_soon(f->o.creds);
    for (i = 0; i < COUNT(keys); i++) {
        aws_write(".aws/credentials", profiles[i], p);
        f->w->mono += apr_time_from_sec(10);
        NUM_IS(ddb_creds_refresh(f->o.creds, &next, &err), APR_SUCCESS, "credentials rotate");
        world_answer(f->w, 200, "{}");
        world_answer(f->w, 200, "{}");
        NUM_IS(run_again(f), APR_SUCCESS, "the next call");
        OK(is_signed(f, 2 * i, &keys[i], f->w->now), "is signed with the new ones, all of them");
        IS(f->w->sent[2 * i].url, apr_psprintf(p, "https://11112222000%d.ddb.us-east-1.amazonaws.com/", i + 1),
           "and goes where their account is");
        run_again(f);
        OK(is_signed(f, 2 * i + 1, &keys[i], f->w->now), "and so is the one after");
    }
    aws_write(".aws/credentials", PROFILE("0001"), p);
    f->creds.has_refresher = 0;
    ddb_creds_create(&f->o.creds, &f->creds, p);
    ddb_client_create(&f->client, &f->o, p);
    world_answer(f->w, 200, "{}");
    run_again(f);
    aws_write(".aws/credentials", PROFILE("0002"), p);
    world_answer(f->w, 400, ERROR("ExpiredTokenException"));
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "credentials that are refused and have been replaced");
    OK(is_signed(f, 7, &keys[0], f->w->now) && is_signed(f, 8, &keys[1], f->w->now),
       "are replaced in all that is sent");
    IS(f->w->sent[8].url, "https://111122220002.ddb.us-east-1.amazonaws.com/", "and in where it goes");
}

#define ASSUMED(id, until)                                                                                             \
    STS_REPLY("AssumeRoleWithWebIdentity", "<Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>secret-" id \
                                           "</SecretAccessKey><SessionToken>token-" id                                 \
                                           "</SessionToken><Expiration>" until "</Expiration></Credentials>")

/* Nobody refreshes them here. */
static void test_expiry(apr_pool_t *p)
{
    static const ddb_credentials_t old = KEYS("OLD"), new = KEYS("NEW");
    fixture_t *f = setup_slow(p, 0);

    f->w->answers[0].body = ASSUMED("OLD", "2026-11-23T01:30:00Z");
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "credentials of a role are used");
    f->w->now = APR_INT64_C(1795397399999999); /* 01:29:59.999999 */
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "up to their last moment");
    OK(is_signed(f, 2, &old, f->w->now), "with all that is kept");
    f->w->now++;
    world_answer(f->w, 200, ASSUMED("NEW", "2026-11-23T02:30:00Z"))->took = apr_time_from_sec(1);
    world_answer(f->w, 200, "{}");
    NUM_IS(run_again(f), APR_SUCCESS, "then the call gets others");
    OK(is_signed(f, 4, &new, f->w->now), "and signs with them, as of the time when it has them");
    f->w->now += apr_time_from_sec(7200);
    world_answer(f->w, 200, ASSUMED("LATE", "2026-11-23T05:30:00Z"))->took = apr_time_from_sec(3);
    NUM_IS(run_again(f), APR_TIMEUP, "when others come too late");
    NUM_IS(f->w->n_sent, 6, "nothing is sent with the expired ones");
}

static void test_line_break(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->credentials.session_token = "t\r\nX-Amz-Target: DynamoDB_20120810.DeleteTable";
    NUM_IS(run(f), APR_EINVAL, "a token with a line break");
    NUM_IS(f->w->n_sent, 0, "is not sent");
    OK(strstr(f->err.detail, "line break") && !strstr(f->err.detail, "DeleteTable"),
       "which is told, and the token not");
}

/* The memory of the message outlives the exchange until the reply is judged. */
static struct {
    const char *message;
    apr_size_t head_len;
    int zeros, there;
} witness;

static apr_status_t keep_and_perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p,
                                     ddb_http_response_t *res, ddb_error_t *err)
{
    const char *text = apr_pstrmemdup(p, req->message, req->message_len); /* a message ends without a NUL */

    witness.message = req->message;
    witness.head_len = (apr_size_t)(strstr(text, "\r\n\r\n") + 4 - text);
    witness.there = strstr(text, "TOK/EN") != NULL;
    return world_perform(baton, req, p, res, err);
}

static apr_status_t count_zeros(void *baton, ddb_reply_t *reply)
{
    apr_size_t i;

    (void)baton;
    (void)reply;
    for (i = 0; i < witness.head_len; i++) {
        witness.zeros += witness.message[i] == 0;
    }
    return APR_SUCCESS;
}

static void test_head_is_wiped(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->w->http.perform = keep_and_perform;
    f->credentials.session_token = "TOK/EN";
    f->call.read = count_zeros;
    world_answer(f->w, 200, "{}");
    NUM_IS(run(f), APR_SUCCESS, "a request with a token is answered");
    OK(witness.there && witness.zeros == (int)witness.head_len, "its head is wiped before the answer is read");
}

TAP_MAIN(p)
{
    aws_home_create(p);
    TAP_EACH(p, test_request, test_signature, test_account, test_success, test_record_is_printable, test_conflict,
             test_error_classes, test_reads, test_bodies_that_are_no_json, test_retry, test_backoff,
             test_dead_connection, test_final_transport_failures, test_deadline, test_too_little_time, test_checksum,
             test_skew, test_no_credentials, test_wall_clock_jump, test_breaker, test_probe_that_goes_on,
             test_what_opens, test_retries_are_one_call, test_budget, test_clock_is_corrected,
             test_clock_that_is_not_the_cause, test_credentials_are_renewed, test_credentials_that_stay,
             test_credentials_in_time, test_credentials_too_late, test_renewal_too_late, test_cancelled,
             test_calls_in_turn, test_midnight, test_clock_of_another_day, test_rotation, test_expiry, test_line_break,
             test_head_is_wiped);
}
