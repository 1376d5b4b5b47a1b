/* Instance metadata against scripted answers: where they are asked for, tokens, and what each refusal is called. */

#include "aws_files.h"
#include "aws/ddb_imds.h"
#include "tap.h"
#include "world.h"

#define TOKEN_HEADER "X-aws-ec2-metadata-token"
#define TTL_HEADER   "X-aws-ec2-metadata-token-ttl-seconds"

static apr_pool_t *pool;
static world_t *w;
static ddb_imds_opts_t opts;
static ddb_http_response_t res;
static ddb_error_t err;

static void reset(void)
{
    aws_reset(pool);
    apr_env_delete("AWS_EC2_METADATA_DISABLED", pool);
    w = world_create(pool);
    opts = (ddb_imds_opts_t){ .http = &w->http, .clock = &w->clock };
    ddb_imds_token_create(&opts.token, pool);
}

static apr_status_t get(const char *path)
{
    memset(&res, 0, sizeof(res));
    memset(&err, 0, sizeof(err));
    return ddb_imds_get(&res, &opts, path, pool, &err);
}

static const char *header(int request, const char *name)
{
    return apr_table_get(w->sent[request].headers, name);
}

static void test_token(void)
{
    reset();
    world_answer(w, 200, "TOKEN==");
    world_answer(w, 200, "value");
    world_answer(w, 200, "other");
    NUM_IS(get("a/b"), APR_SUCCESS, "a value is asked for");
    IS(w->sent[0].method, "PUT", "a token first");
    IS(w->sent[0].url, "http://169.254.169.254/latest/api/token", "at its place");
    IS(header(0, TTL_HEADER), "21600", "for six hours");
    NUM_IS(w->sent[0].body_len, 0, "without a body");
    NUM_IS(w->sent[0].timeout, apr_time_from_sec(1), "within a second");
    IS(w->sent[1].method, "GET", "then the value");
    IS(w->sent[1].url, "http://169.254.169.254/latest/a/b", "by its path");
    IS(header(1, TOKEN_HEADER), "TOKEN==", "with the token");
    IS(header(1, TTL_HEADER), NULL, "and nothing else");
    IS(res.body, "value", "which comes back");
    w->mono += apr_time_from_sec(21539);
    NUM_IS(get("c"), APR_SUCCESS, "a later one");
    IS(w->sent[2].url, "http://169.254.169.254/latest/c", "needs no other token");
    IS(header(2, TOKEN_HEADER), "TOKEN==", "but goes with the same");
    world_answer(w, 200, "TOKEN2==");
    world_answer(w, 404, "");
    w->mono += apr_time_from_sec(1);
    NUM_IS(get("d"), APR_SUCCESS, "a minute before the token ends");
    IS(w->sent[3].method, "PUT", "another is fetched");
    IS(header(4, TOKEN_HEADER), "TOKEN2==", "and used");
    NUM_IS(res.status, 404, "a value that is not there is an answer");
    opts.token = NULL;
    world_answer(w, 200, "TOKEN3==");
    world_answer(w, 200, "value");
    NUM_IS(get("e"), APR_SUCCESS, "who keeps no token");
    IS(header(6, TOKEN_HEADER), "TOKEN3==", "has one for the call");
}

static void test_lost_token(void)
{
    reset();
    world_answer(w, 200, "ONE");
    world_answer(w, 200, "value");
    world_answer(w, 401, "");
    world_answer(w, 200, "TWO");
    world_answer(w, 200, "again");
    get("a");
    NUM_IS(get("a"), APR_SUCCESS, "a kept token that is refused");
    IS(w->sent[3].method, "PUT", "is replaced");
    IS(header(4, TOKEN_HEADER), "TWO", "by another");
    IS(res.body, "again", "which gives the value");
    world_answer(w, 401, "");
    world_answer(w, 200, "THREE");
    world_answer(w, 401, "");
    NUM_IS(get("a"), DDB_EDENIED, "if that is refused too");
    NUM_IS(w->n_sent, 8, "there is no third");
    IS(err.detail, "the instance metadata service answered a request for a value with HTTP 401", "and that is said");
    reset();
    world_answer(w, 200, "ONE");
    world_answer(w, 401, "");
    NUM_IS(get("a"), DDB_EDENIED, "a new token that is refused");
    NUM_IS(w->n_sent, 2, "is not replaced");
}

static void test_bad_tokens(void)
{
    static const char *const bad[] = { "", "a b", "a\r\nX-Other: b", "<html>\n", "caf\xc3\xa9" };
    char *longest = apr_pcalloc(pool, 1026);
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reset();
        world_answer(w, 200, bad[i]);
        NUM_IS(get("a"), DDB_EBADREPLY, "what is no token is refused");
        NUM_IS(w->n_sent, 1, "and nothing asked with it");
        OK(strstr(err.detail, "another service at its address"), "the detail guesses why");
    }
    memset(longest, 'x', 1025);
    reset();
    world_answer(w, 200, longest);
    NUM_IS(get("a"), DDB_EBADREPLY, "so is one without end");
    reset();
    world_answer(w, 200, longest + 1);
    world_answer(w, 200, "value");
    NUM_IS(get("a"), APR_SUCCESS, "1024 bytes will do");
    IS(header(1, TOKEN_HEADER), longest + 1, "whole");
}

static void test_refusals(void)
{
    static const struct {
        int status;
        apr_status_t rv;
        const char *says;
    } cases[] = {
        { 403, DDB_EDENIED, "metadata options" }, { 404, DDB_EDENIED, "only version 1" },
        { 405, DDB_EDENIED, "only version 1" },   { 400, DDB_EDENIED, "HTTP 400" },
        { 500, DDB_EUNAVAILABLE, "HTTP 500" },    { 429, DDB_EUNAVAILABLE, "HTTP 429" },
        { 302, DDB_EDENIED, "HTTP 302" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset();
        world_answer(w, cases[i].status, "hush");
        NUM_IS(get("a"), cases[i].rv, apr_psprintf(pool, "a token refused with %d is an error", cases[i].status));
        OK(strstr(err.detail, cases[i].says) && !strstr(err.detail, "hush"), "  that says what it means");
        NUM_IS(w->n_sent, 1, "  and nothing is asked without a token");
    }
}

static void test_silence(void)
{
    reset();
    world_fail(w, DDB_EUNAVAILABLE, 0);
    NUM_IS(get("a"), APR_NOTFOUND, "nobody at the address: not on EC2");
    OK(strncmp(err.detail, "no instance metadata service: scripted failure", 46) == 0, "as the detail says");
    reset();
    world_fail(w, APR_TIMEUP, 0);
    NUM_IS(get("a"), APR_NOTFOUND, "nor is a connection that never stands");
    reset();
    world_fail(w, APR_TIMEUP, 1);
    NUM_IS(get("a"), APR_TIMEUP, "a connection that stands and brings no token is another thing");
    OK(strstr(err.detail, "hop limit"), "the hop limit, as the detail says");
    NUM_IS(w->n_sent, 1, "and nothing is asked without a token");
    reset();
    world_fail(w, DDB_EUNAVAILABLE, 1);
    NUM_IS(get("a"), DDB_EUNAVAILABLE, "one that breaks is an error too");
    OK(!strstr(err.detail, "hop limit"), "without that guess");
    reset();
    world_answer(w, 200, "TOKEN");
    world_fail(w, DDB_EUNAVAILABLE, 0);
    NUM_IS(get("a"), DDB_EUNAVAILABLE, "a service that gave a token and goes away is an error");
    OK(strstr(err.detail, "no answer from the instance metadata service: scripted failure"),
       "by the words of the transport");
    reset();
    world_fail(w, APR_EACCES, 0);
    NUM_IS(get("a"), APR_EACCES, "where this machine forbids the connection nobody knows who is there");
    OK(strncmp(err.detail, "cannot reach the instance metadata service: scripted failure", 60) == 0, "which is said");
}

static void test_attempts(void)
{
    reset();
    opts.attempts = "3";
    opts.timeout = "5";
    world_fail(w, APR_TIMEUP, 1);
    world_answer(w, 503, "");
    world_answer(w, 200, "TOKEN");
    world_answer(w, 500, "");
    world_answer(w, 429, "");
    world_answer(w, 200, "value");
    NUM_IS(get("a"), APR_SUCCESS, "three attempts for the token and for the value");
    NUM_IS(w->n_sent, 6, "are as many requests");
    NUM_IS(w->sent[5].timeout, apr_time_from_sec(5), "of the timeout that is set");
    NUM_IS(w->sent[0].connect_timeout, apr_time_from_sec(5), "connection included");
    world_answer(w, 500, "");
    world_answer(w, 500, "");
    world_answer(w, 500, "");
    world_answer(w, 200, "late");
    NUM_IS(get("a"), DDB_EUNAVAILABLE, "not a fourth");
    reset();
    opts.attempts = "3";
    world_answer(w, 400, "");
    NUM_IS(get("a"), DDB_EDENIED, "a plain no is not asked again");
    NUM_IS(w->n_sent, 1, "at all");
}

static void test_version_1(void)
{
    static const int statuses[] = { 403, 404, 405 };
    int i;

    for (i = 0; i < 3; i++) {
        reset();
        opts.allow_v1 = 1;
        world_answer(w, statuses[i], "");
        world_answer(w, 200, "value");
        NUM_IS(get("a"), APR_SUCCESS, "where version 1 is allowed, a service without tokens");
        IS(header(1, TOKEN_HEADER), NULL, "is asked without one");
        world_answer(w, 200, "other");
        NUM_IS(get("b"), APR_SUCCESS, "and again");
        NUM_IS(w->n_sent, 3, "without asking for one each time");
    }
    reset();
    opts.allow_v1 = 1;
    world_fail(w, APR_TIMEUP, 1);
    world_answer(w, 200, "value");
    NUM_IS(get("a"), APR_SUCCESS, "one that is silent too");
    reset();
    opts.allow_v1 = 1;
    world_fail(w, APR_TIMEUP, 0);
    NUM_IS(get("a"), APR_NOTFOUND, "not one that is not there");
    NUM_IS(w->n_sent, 1, "nobody is asked twice");
    reset();
    opts.allow_v1 = 1;
    world_answer(w, 400, "");
    NUM_IS(get("a"), DDB_EDENIED, "nor one that calls the request wrong");
}

static void test_endpoints(void)
{
    static const char *const bad[] = { "",           "169.254.169.254", "ftp://h",      "http://",
                                       "http:///x",  "http://h/ x",     "http://h\r\n", "http://h/?q",
                                       "http://h/#f" };
    static const struct {
        const char *endpoint, *mode, *base;
    } good[] = {
        { NULL, NULL, "http://169.254.169.254" },   { NULL, "ipv4", "http://169.254.169.254" },
        { NULL, "IPv6", "http://[fd00:ec2::254]" }, { "http://h:1/", NULL, "http://h:1" },
        { "https://h", "ipv6", "https://h" },       { "http://[::1]:8/x//", "ipv4", "http://[::1]:8/x" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        reset();
        opts.endpoint = good[i].endpoint;
        opts.mode = good[i].mode;
        world_answer(w, 200, "T");
        world_answer(w, 200, "v");
        NUM_IS(get("a"), APR_SUCCESS, "an endpoint and a mode");
        IS(w->sent[1].url, apr_pstrcat(pool, good[i].base, "/latest/a", NULL), "  make the URL");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reset();
        opts.endpoint = bad[i];
        NUM_IS(get("a"), DDB_ECONFIG, apr_pstrcat(pool, "no endpoint: ", bad[i], NULL));
        OK(strstr(err.detail, "AWS_EC2_METADATA_SERVICE_ENDPOINT,") && w->n_sent == 0, "  and it says where to look");
    }
}

static void test_settings(void)
{
    static const char *const numbers[] = { "", "0", "-1", "x", "1.5", "1 ", " 1", "61", "99999999999999999999" };
    apr_size_t i;

    reset();
    opts.mode = "ipv5";
    NUM_IS(get("a"), DDB_ECONFIG, "a mode that is none");
    OK(strstr(err.detail, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "is named");
    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        reset();
        opts.timeout = numbers[i];
        NUM_IS(get("a"), DDB_ECONFIG, apr_pstrcat(pool, "no timeout: \"", numbers[i], "\"", NULL));
        OK(strstr(err.detail, "AWS_METADATA_SERVICE_TIMEOUT"), "  it is named");
        opts.timeout = NULL;
        opts.attempts = numbers[i];
        NUM_IS(get("a"), DDB_ECONFIG, "  nor is it a number of attempts");
        OK(strstr(err.detail, "AWS_METADATA_SERVICE_NUM_ATTEMPTS"), "  it is named");
    }
    aws_set("AWS_EC2_METADATA_DISABLED", "True", pool);
    reset();
    aws_set("AWS_EC2_METADATA_DISABLED", "True", pool);
    NUM_IS(get("a"), APR_NOTFOUND, "who switched it off");
    IS(err.detail, "AWS_EC2_METADATA_DISABLED", "is told so");
    NUM_IS(w->n_sent, 0, "and it is not asked");
    aws_set("AWS_EC2_METADATA_DISABLED", "false", pool);
    world_answer(w, 200, "T");
    world_answer(w, 200, "v");
    NUM_IS(get("a"), APR_SUCCESS, "any other value does not switch it off");
}

static void test_region(void)
{
    static const char *const bad[] = { "",
                                       "eu west",
                                       "eu-west-1\n",
                                       "EU",
                                       "<html>",
                                       "a/b",
                                       "a123456789012345678901234567890123456789012345678901234567890123" };
    const char *region = NULL;
    apr_size_t i;

    reset();
    world_answer(w, 200, "T");
    world_answer(w, 200, "eu-central-1");
    NUM_IS(ddb_imds_region(&region, &opts, pool, &err), APR_SUCCESS, "the region is asked for");
    IS(region, "eu-central-1", "and there");
    IS(w->sent[1].url, "http://169.254.169.254/latest/meta-data/placement/region", "at its place");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reset();
        world_answer(w, 200, "T");
        world_answer(w, 200, bad[i]);
        NUM_IS(ddb_imds_region(&region, &opts, pool, &err), DDB_EBADREPLY, "what is no region is refused");
    }
    reset();
    world_answer(w, 200, "T");
    world_answer(w, 404, "eu");
    NUM_IS(ddb_imds_region(&region, &opts, pool, &err), DDB_EBADREPLY, "so is one that is not found");
    reset();
    world_fail(w, APR_TIMEUP, 0);
    NUM_IS(ddb_imds_region(&region, &opts, pool, &err), APR_NOTFOUND, "outside EC2 there is none");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_token();
    test_lost_token();
    test_bad_tokens();
    test_refusals();
    test_silence();
    test_attempts();
    test_version_1();
    test_endpoints();
    test_settings();
    test_region();
}
