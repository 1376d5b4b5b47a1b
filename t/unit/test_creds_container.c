/* Credentials of a container: where they are asked for, what is shown, and what is done about each answer. */

#include "creds_world.h"

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL     "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN    "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define FILE_OF  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define DOCUMENT                                                                                                       \
    "{\"AccessKeyId\":\"ASIAC\",\"SecretAccessKey\":\"c/secret\",\"Token\":\"c/token==\","                             \
    "\"Expiration\":\"2026-11-23T02:02:03Z\",\"RoleArn\":\"arn:aws:iam::123456789012:role/task\","                     \
    "\"AccountId\":\"123456789012\"}"
#define SERVICE "the container's credential service"

static apr_status_t fetch(void)
{
    return fetch_with(&ddb_creds_container, NULL);
}

static void begin(const char *variable, const char *value)
{
    reset();
    aws_set(variable, value, pool);
}

static void test_ecs(void)
{
    begin(RELATIVE, "/v2/credentials/aa-bb?x=1");
    world_answer(w, 200, DOCUMENT);
    NUM_IS(fetch(), APR_SUCCESS, "a task of ECS has credentials");
    IS(w->sent[0].method, "GET", "asked for with GET");
    IS(w->sent[0].url, "http://169.254.170.2/v2/credentials/aa-bb?x=1", "of the agent");
    IS(apr_table_get(w->sent[0].headers, "Accept"), "application/json", "as JSON");
    IS(apr_table_get(w->sent[0].headers, "Authorization"), NULL, "without a token");
    NUM_IS(w->sent[0].timeout, apr_time_from_sec(2), "within two seconds");
    NUM_IS(w->sent[0].max_response_bytes, 10000, "and 10,000 bytes");
    IS(found.access_key_id, "ASIAC", "the key ID");
    IS(found.secret_access_key, "c/secret", "the secret");
    IS(found.session_token, "c/token==", "the token");
    IS(found.account_id, "123456789012", "the account");
    NUM_IS(found.expires, apr_time_from_sec(1795399323), "until they expire");
    aws_set(FULL, "http://evil.example/", pool);
    world_answer(w, 200, DOCUMENT);
    NUM_IS(fetch(), APR_SUCCESS, "the relative URI goes before the full one");
    IS(w->sent[1].url, "http://169.254.170.2/v2/credentials/aa-bb?x=1", "which is not looked at");
}

static void test_none(void)
{
    reset();
    NUM_IS(fetch(), APR_NOTFOUND, "without either variable there is no container");
    IS(err.detail, "no AWS_CONTAINER_CREDENTIALS_*_URI", "as it says");
    aws_set(RELATIVE, "", pool);
    aws_set(FULL, "", pool);
    NUM_IS(fetch(), APR_NOTFOUND, "empty ones are none");
    NUM_IS(w->n_sent, 0, "and nobody is asked");
}

static void test_hosts(void)
{
    static const char *const good[] = {
        "https://anywhere.example/x",
        "HTTPS://anywhere.example:1/x?y=%20z",
        "http://127.0.0.1:51679/c",
        "http://127.1.2.3/",
        "http://[::1]:80/",
        "http://localhost:1/",
        "http://LocalHost/",
        "http://169.254.170.2/v2",
        "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1/credentials",
        "http://[FD00:EC2:0:0:0:0:0:23]/",
    };
    static const char *const bad[] = {
        "http://anywhere.example/",
        "http://169.254.169.254/",
        "http://128.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://[::2]/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://0.0.0.0/",
    };
    static const char *const none[] = {
        "x",
        "/v2/x",
        "//127.0.0.1/",
        "http://",
        "http:///x",
        "http://127.0.0.1@evil.example/",
        "http://a:b@127.0.0.1/",
        "http://evil.example\\@127.0.0.1/",
        "http://127.0.0.1#@evil.example/",
        "http://127.0.0.1/ x",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/\xc3\xa9",
        "http://@127.0.0.1/",
    };
    apr_size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        begin(FULL, good[i]);
        world_answer(w, 200, DOCUMENT);
        NUM_IS(fetch(), APR_SUCCESS, apr_pstrcat(pool, "asked: ", good[i], NULL));
        IS(w->sent[0].url, good[i], "  as it is written");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin(FULL, bad[i]);
        NUM_IS(fetch(), DDB_ECONFIG, apr_pstrcat(pool, "not asked: ", bad[i], NULL));
        OK(strstr(err.detail, "this host needs https") && w->n_sent == 0, "  for want of https");
    }
    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        begin(FULL, none[i]);
        NUM_IS(fetch(), DDB_ECONFIG, apr_psprintf(pool, "no URL: number %d", (int)i));
        OK(strstr(err.detail, "FULL_URI is not a valid URL") && w->n_sent == 0, "  and said so");
    }
    begin(FULL, "ftp://127.0.0.1/");
    NUM_IS(fetch(), DDB_ECONFIG, "another scheme is refused");
}

static void test_relative(void)
{
    static const char *const bad[] = { "v2/x", "@evil.example/x", ".evil.example/", ":80/x", "/x\r\nX: y", "/a b",
                                       "/a#b" };
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin(RELATIVE, bad[i]);
        NUM_IS(fetch(), DDB_ECONFIG, "what is no path is not put behind the agent's address");
        OK(strstr(err.detail, RELATIVE) && w->n_sent == 0, "  and named");
    }
}

static const char *sent_token(void)
{
    world_answer(w, 200, DOCUMENT);
    return fetch() == APR_SUCCESS ? apr_table_get(w->sent[w->n_sent - 1].headers, "Authorization") : err.detail;
}

static void test_tokens(void)
{
    const char *path = aws_path("token", pool);

    begin(FULL, "http://169.254.170.23/v1/credentials");
    aws_set(TOKEN, "Basic abc==", pool);
    IS(sent_token(), "Basic abc==", "a token of the variable is sent as it is");
    aws_set(FILE_OF, path, pool);
    aws_write("token", "of the file", pool);
    IS(sent_token(), "of the file", "one of a file goes before");
    aws_write("token", "rotated\n", pool);
    IS(sent_token(), "rotated", "the file is read each time, and a line break at its end is not of the token");
    aws_write("token", "dos\r\n\n", pool);
    IS(sent_token(), "dos", "nor are several");
    aws_set(TOKEN, NULL, pool);
    aws_write("token", "one\ntwo\n", pool);
    IS(sent_token(), "the file of " FILE_OF " has a line break in the token; it must contain only the token",
       "one in it is refused: it would be another header");
    aws_write("token", "\n", pool);
    IS(sent_token(), "the file of " FILE_OF " is empty; it must contain only the token", "an empty file too");
    aws_write("token", apr_pstrcat(pool, apr_psprintf(pool, "%010000d", 7), NULL), pool);
    NUM_IS(strlen(sent_token()), 10000, "10,000 bytes may be in it");
    aws_write("token", apr_psprintf(pool, "%010001d", 7), pool);
    OK(strstr(sent_token(), "over a size limit"), "not one more");
    aws_remove("token", pool);
    OK(strstr(sent_token(), "cannot read AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: No such file or directory: "),
       "a file that is missing is an error");
    aws_set(FILE_OF, NULL, pool);
    aws_set(TOKEN, "a\r\nX-Other: b", pool);
    IS(sent_token(), TOKEN " has a line break in the token; it must contain only the token",
       "so is a line break in the variable");
    OK(!strstr(err.detail, "X-Other"), "whose value is not shown");
    aws_set(TOKEN, "", pool);
    IS(sent_token(), NULL, "an empty variable is none");
}

static void test_attempts(void)
{
    begin(RELATIVE, "/c");
    world_fail(w, APR_TIMEUP, 1);
    world_answer(w, 503, "");
    world_answer(w, 200, DOCUMENT);
    NUM_IS(fetch(), APR_SUCCESS, "the third attempt succeeds");
    NUM_IS(w->n_slept, 2, "after two pauses");
    OK(w->slept[0] == apr_time_from_sec(1) && w->slept[1] == apr_time_from_sec(1), "of a second each");
    begin(RELATIVE, "/c");
    world_fail(w, DDB_EUNAVAILABLE, 0);
    world_fail(w, DDB_EUNAVAILABLE, 0);
    world_fail(w, DDB_EUNAVAILABLE, 0);
    world_answer(w, 200, DOCUMENT);
    NUM_IS(fetch(), DDB_EUNAVAILABLE, "there is no fourth");
    IS(err.detail, SERVICE " gives no answer: scripted failure", "and the last failure is told");
    begin(RELATIVE, "/c");
    world_answer(w, 200, "<html>");
    world_answer(w, 200, "{\"AccessKeyId\":\"A\"}");
    world_answer(w, 200, "{}");
    NUM_IS(fetch(), DDB_EBADREPLY, "bad answers are asked for again as well");
    OK(strstr(err.detail, "AccessKeyId is missing"), "and the last is told");
    begin(RELATIVE, "/c");
    world_answer(w, 429, "");
    world_answer(w, 200, DOCUMENT);
    NUM_IS(fetch(), APR_SUCCESS, "an agent that is asked too often is asked again");
}

static void test_refusals(void)
{
    static const int statuses[] = { 400, 401, 403, 404, 302, 204 };
    apr_size_t i;

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        begin(RELATIVE, "/secret-path");
        world_answer(w, statuses[i], "{\"code\":\"InvalidId\",\"message\":\"no /secret-path\"}");
        NUM_IS(fetch(), DDB_EDENIED, "a no is an error");
        IS(err.detail,
           apr_psprintf(pool,
                        SERVICE " returned HTTP %d InvalidId; check the AWS_CONTAINER_* "
                                "variables, and the role of the task or service account",
                        statuses[i]),
           "  that names source, status and code, and not the path, which is a secret");
        NUM_IS(w->n_sent, 1, "  it is not asked again");
    }
    begin(RELATIVE, "/c");
    world_answer(w, 404, "<html>");
    NUM_IS(fetch(), DDB_EDENIED, "a no without JSON too");
    OK(strstr(err.detail, "HTTP 404; check"), "is told by its status");
}

static void test_time(void)
{
    begin(RELATIVE, "/c");
    world_answer(w, 200, DOCUMENT);
    w->now = apr_time_from_sec(1795399323 + 5);
    NUM_IS(fetch(), DDB_EBADREPLY, "expired credentials are refused");
    IS(err.detail,
       SERVICE " returned credentials that expired 5 s ago; if they should still be valid, check this machine's "
               "clock (NTP)",
       "as it says");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_ecs();
    test_none();
    test_hosts();
    test_relative();
    test_tokens();
    test_attempts();
    test_refusals();
    test_time();
}
