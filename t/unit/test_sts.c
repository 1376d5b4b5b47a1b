/* STS: what is sent, what is read from the reply, which failures are tried again, and for how long. */

#include <apr_lib.h>

#include "aws/ddb_sts.h"
#include "sts_replies.h"
#include "tap.h"
#include "world.h"

static apr_pool_t *pool;
static world_t *w;
static ddb_sts_opts_t opts;
static ddb_sts_role_t role;
static ddb_credentials_t source = { .access_key_id = "AKIDSRC", .secret_access_key = "src", .session_token = "srctok" };
static ddb_credentials_t found;
static ddb_error_t err;

static void reset(void)
{
    w = world_create(pool);
    role = (ddb_sts_role_t){ .arn = "arn:aws:iam::123456789012:role/a+b@c",
                             .session_name = "name=1,2",
                             .source = &source };
    opts.url = "https://sts.eu-west-1.amazonaws.com";
    opts.host = "sts.eu-west-1.amazonaws.com";
    opts.region = "eu-west-1";
    opts.http = &w->http;
    opts.clock = &w->clock;
}

static apr_status_t assume(void)
{
    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return ddb_sts_assume(&found, &role, &opts, pool, &err);
}

static const char *header(const char *name)
{
    return apr_table_get(w->sent[0].headers, name);
}

/* --- the request --- */

static void test_request(void)
{
    const char *signature;

    reset();
    role.external_id = "ex/1 ä";
    role.duration_seconds = "900";
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume(), APR_SUCCESS, "a role is taken on");
    IS(w->sent[0].method, "POST", "by a POST");
    IS(w->sent[0].url, "https://sts.eu-west-1.amazonaws.com/", "to the root");
    IS(w->sent[0].body,
       "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3aaws%3aiam%3a%3a123456789012%3arole%2fa%2bb"
       "%40c&RoleSessionName=name%3d1%2c2&DurationSeconds=900&ExternalId=ex%2f1+%c3%a4",
       "of a form");
    NUM_IS(w->sent[0].body_len, strlen(w->sent[0].body), "  sent whole");
    IS(header("Content-Type"), "application/x-www-form-urlencoded; charset=utf-8", "  with its type");
    IS(header("Host"), "sts.eu-west-1.amazonaws.com", "  to the host");
    IS(header("X-Amz-Security-Token"), "srctok", "  and the source's token");
    IS(header("X-Amz-Date"), "20261123T010203Z", "  as of now");
    signature = header("Authorization");
    OK(signature
           && strncmp(signature,
                      "AWS4-HMAC-SHA256 Credential=AKIDSRC/20261123/eu-west-1/sts/aws4_request, "
                      "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=",
                      148)
                  == 0,
       "signed for STS");
    NUM_IS(w->sent[0].timeout, apr_time_from_sec(3), "an attempt has seconds");
    NUM_IS(w->sent[0].max_response_bytes, 65536, "and a reply has a limit");
}

static void test_web_identity(void)
{
    reset();
    role.source = NULL;
    role.web_identity_token = "ey.J0+/=";
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    NUM_IS(assume(), APR_SUCCESS, "a role is taken on for a web identity");
    IS(w->sent[0].body,
       "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3aaws%3aiam%3a%3a123456789012"
       "%3arole%2fa%2bb%40c&RoleSessionName=name%3d1%2c2&WebIdentityToken=ey.J0%2b%2f%3d",
       "with the token in the form");
    OK(!header("Authorization") && !header("X-Amz-Security-Token"), "and no signature");
    IS(found.access_key_id, "ASIAW", "the key ID is read");
    IS(found.session_token, "wt", "and the token");
}

/* --- the reply --- */

static void test_reply(void)
{
    reset();
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume(), APR_SUCCESS, "a reply is read");
    IS(found.access_key_id, "ASIA1", "the key ID");
    IS(found.secret_access_key, "sec/+=", "  the secret");
    IS(found.session_token, "to/k+==", "  the token");
    IS(found.account_id, "123456789012", "  the account");
    NUM_IS(found.expires, STS_EXPIRES, "  and when they end");
    reset();
    world_answer(w, 200,
                 STS_REPLY("AssumeRole",
                           "<Credentials><SessionToken>a&amp;<![CDATA[<b>]]>&#99;</SessionToken>"
                           "<Expiration>2026-11-23T02:02:03.999Z</Expiration><AccessKeyId>A</AccessKeyId><Other/>"
                           "<SecretAccessKey>s</SecretAccessKey></Credentials>"));
    NUM_IS(assume(), APR_SUCCESS, "in any order, with escapes and without a role");
    IS(found.session_token, "a&<b>c", "the token");
    IS(found.account_id, NULL, "no account");
    NUM_IS(found.expires, STS_EXPIRES, "a fraction is left out");
}

static void test_bad_replies(void)
{
    static const struct {
        const char *body, *detail;
    } cases[] = {
        { STS_REPLY("AssumeRole", ""), "STS: the reply to AssumeRole lacks AccessKeyId" },
        { STS_WEB_IDENTITY("A"), "STS: the reply to AssumeRole lacks AccessKeyId" },
        { STS_REPLY("AssumeRole", STS_CREDENTIALS("", "s", "t")), "STS: the reply to AssumeRole lacks AccessKeyId" },
        { STS_REPLY("AssumeRole", STS_CREDENTIALS("A", "", "t")),
          "STS: the reply to AssumeRole lacks SecretAccessKey" },
        { STS_REPLY("AssumeRole", STS_CREDENTIALS("A", "s", "")), "STS: the reply to AssumeRole lacks SessionToken" },
        { STS_REPLY("AssumeRole", "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                                  "<SessionToken>t</SessionToken><Expiration>soon</Expiration></Credentials>"),
          "STS: the reply to AssumeRole lacks an Expiration that is a time" },
        { "<html>", "STS: status 200, but the body is not XML: check the endpoint and any proxy in between" },
        { "", "STS: status 200, but the body is not XML: check the endpoint and any proxy in between" },
        { "{\"a\":1}", "STS: status 200, but the body is not XML: check the endpoint and any proxy in between" },
        { "<!DOCTYPE a [<!ENTITY b \"cccccccccc\">]><a>&b;</a>",
          "STS: status 200, but the body is not XML: check the endpoint and any proxy in between" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset();
        world_answer(w, 200, cases[i].body);
        NUM_IS(assume(), DDB_EBADREPLY, apr_psprintf(pool, "a reply that is none, %d", (int)i));
        IS(err.detail, cases[i].detail, "  says what is wrong");
        NUM_IS(w->n_sent, 1, "  and is not asked for again");
    }
}

static void test_deep_reply(void)
{
    char *body = apr_palloc(pool, 7 * 9000 + 1), *at = body;
    int i;

    reset();
    for (i = 0; i < 9000; i++, at += 3) {
        memcpy(at, "<a>", 3);
    }
    for (i = 0; i < 9000; i++, at += 4) {
        memcpy(at, "</a>", 4);
    }
    *at = '\0';
    world_answer(w, 200, body);
    NUM_IS(assume(), DDB_EBADREPLY, "a reply that nests deep is read and refused");
}

/* --- failures --- */

static void test_errors(void)
{
    static const struct {
        int status;
        const char *code;
        apr_status_t rv;
        const char *says;
    } cases[] = {
        { 403, "AccessDenied", DDB_EDENIED, "STS: AccessDenied: both the role's trust policy" },
        { 403, "ExpiredToken", DDB_EDENIED, "STS: ExpiredToken: the source's session token has expired" },
        { 400, "ExpiredTokenException", DDB_EDENIED, "STS: ExpiredTokenException: the token has expired" },
        { 403, "IDPRejectedClaim", DDB_EDENIED, "STS: IDPRejectedClaim: the identity provider refused" },
        { 403, "InvalidClientTokenId", DDB_EDENIED, "STS: InvalidClientTokenId: STS does not know" },
        { 400, "InvalidIdentityToken", DDB_EDENIED, "STS: InvalidIdentityToken: STS cannot verify" },
        { 403, "SignatureDoesNotMatch", DDB_EDENIED, "STS: SignatureDoesNotMatch: the source's secret" },
        { 403, "RegionDisabledException", DDB_EREFUSED, "STS: RegionDisabledException: STS is not active" },
        { 400, "ValidationError", DDB_EREFUSED, "STS: ValidationError: in its? words" },
        { 400, "Brand\xc3\xa9New", DDB_EREFUSED, "STS: Brand??New: in its? words" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset();
        world_answer(w, cases[i].status, apr_psprintf(pool, STS_ERROR("%s", "in its\n words"), cases[i].code));
        NUM_IS(assume(), cases[i].rv, apr_pstrcat(pool, cases[i].code, " has its status", NULL));
        OK(strncmp(err.detail, cases[i].says, strlen(cases[i].says)) == 0, "  and says what to do");
        NUM_IS(err.http_status, cases[i].status, "  with the status of HTTP");
        NUM_IS(w->n_sent, 1, "  and is not tried again");
    }
    reset();
    world_answer(w, 403, "<html><body>Forbidden</body></html>");
    NUM_IS(assume(), DDB_EBADREPLY, "a page of a proxy");
    IS(err.detail, "STS: status 403 without an STS error: check the endpoint and any proxy in between", "is named");
    world_answer(w, 403, "");
    NUM_IS(ddb_sts_assume(&found, &role, &opts, pool, NULL), DDB_EBADREPLY, "nobody has to want the error");
}

static void test_retry(void)
{
    static const struct {
        int status;
        const char *body;
        apr_status_t rv;
    } cases[] = {
        { 500, "", DDB_EUNAVAILABLE },
        { 503, "<html>", DDB_EUNAVAILABLE },
        { 503, STS_ERROR("ServiceUnavailable", "m"), DDB_EUNAVAILABLE },
        { 400, STS_ERROR("IDPCommunicationError", "m"), DDB_EUNAVAILABLE },
        { 400, STS_ERROR("Throttling", "Rate exceeded"), DDB_ETHROTTLED },
        { 400, STS_ERROR("ThrottlingException", "m"), DDB_ETHROTTLED },
        { 503, STS_ERROR("RequestLimitExceeded", "m"), DDB_ETHROTTLED },
        { 429, "", DDB_ETHROTTLED },
    };
    apr_size_t i;
    int j;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset();
        world_answer(w, cases[i].status, cases[i].body);
        world_answer(w, 200, STS_ASSUMED("ASIA1"));
        NUM_IS(assume(), APR_SUCCESS, apr_psprintf(pool, "failure %d is tried again", (int)i));
        NUM_IS(w->n_slept, 1, "  after a wait");
        reset();
        for (j = 0; j < 4; j++) {
            world_answer(w, cases[i].status, cases[i].body);
        }
        NUM_IS(assume(), cases[i].rv, "  and at last it is one");
        NUM_IS(w->n_sent, 3, "  after three attempts");
        OK(w->slept[1] > w->slept[0] && w->n_slept == 2, "  with longer waits");
    }
}

static void test_deadline(void)
{
    reset();
    world_fail(w, DDB_EUNAVAILABLE, 0);
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume(), APR_SUCCESS, "a connection that fails is tried again");
    reset();
    world_fail(w, APR_TIMEUP, 1);
    w->answers[0].took = apr_time_from_sec(3);
    world_fail(w, APR_TIMEUP, 1);
    w->answers[1].took = apr_time_from_msec(1900);
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume(), APR_TIMEUP, "but not for ever");
    NUM_IS(w->n_sent, 2, "a third attempt has no time left");
    NUM_IS(w->sent[1].timeout, apr_time_from_msec(1900), "the last one has what is left");
    IS(err.detail, "STS at https://sts.eu-west-1.amazonaws.com: scripted failure", "the error says where");
    reset();
    world_fail(w, DDB_ETOOLARGE, 1);
    NUM_IS(assume(), DDB_ETOOLARGE, "a reply without end is not asked for again");
    NUM_IS(w->n_sent, 1, "at all");
}

static void test_times(void)
{
    static const char *const none[] = { NULL,
                                        "",
                                        "2026-11-23",
                                        "2026-11-23T01:02:03",
                                        "2026-11-23T01:02:03 Z",
                                        " 2026-11-23T01:02:03Z",
                                        "2026-13-23T01:02:03Z",
                                        "2026-11-23T01:02:03Zz",
                                        "2026-11-23T01:02:03+01:00",
                                        "tomorrow",
                                        "1795395723" };
    static const char *const same[] = { "2026-11-23T01:02:03Z", "2026-11-23T01:02:03UTC", "2026-11-23T01:02:03+00:00",
                                        "2026-11-23T01:02:03.5Z" };
    apr_time_t t;
    apr_size_t i;

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        OK(!ddb_clock_parse(&t, none[i]), apr_pstrcat(pool, none[i] ? none[i] : "nothing", " is no time", NULL));
    }
    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        t = 0;
        OK(ddb_clock_parse(&t, same[i]) && t == APR_INT64_C(1795395723000000), same[i]);
    }
}

/* --- whose credentials --- */

static void test_caller(void)
{
    const char *arn = NULL;

    reset();
    world_answer(w, 200,
                 STS_REPLY("GetCallerIdentity", "<Arn>arn:aws:sts::123456789012:assumed-role/httpd/i-0</Arn>"
                                                "<UserId>AROA:i-0</UserId><Account>123456789012</Account>"));
    NUM_IS(ddb_sts_caller(&arn, &source, &opts, pool, &err), APR_SUCCESS, "the service knows whose keys they are");
    IS(arn, "arn:aws:sts::123456789012:assumed-role/httpd/i-0", "by their ARN");
    IS(w->sent[0].body, "Action=GetCallerIdentity&Version=2011-06-15", "which is all that it is asked for");
    OK(strstr(header("Authorization"), "Credential=AKIDSRC/"), "signed with the keys in question");
    IS(header("X-Amz-Security-Token"), "srctok", "and their token");
    reset();
    world_answer(w, 200, STS_REPLY("GetCallerIdentity", "<UserId>AROA:i-0</UserId>"));
    NUM_IS(ddb_sts_caller(&arn, &source, &opts, pool, &err), DDB_EBADREPLY, "a reply without it");
    OK(strstr(err.detail, "lacks Arn"), "is said to be one");
    reset();
    world_answer(w, 403, STS_ERROR("InvalidClientTokenId", "m"));
    NUM_IS(ddb_sts_caller(&arn, &source, &opts, pool, &err), DDB_EDENIED, "keys that it does not know are refused");
}

TAP_MAIN(p)
{
    pool = p;
    test_request();
    test_web_identity();
    test_reply();
    test_bad_replies();
    test_deep_reply();
    test_errors();
    test_retry();
    test_deadline();
    test_times();
    test_caller();
}
