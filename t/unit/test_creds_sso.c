/* SSO: which token is read, what is asked of the portal, and when a person has to log in again. */

#include "aws/creds/ddb_creds_int.h"
#include "base/ddb_crypto.h"
#include "tap.h"
#include "world.h"
#include "aws_files.h"

#define START "https://corp.awsapps.com/start"

#define SESSION "[sso-session corp]\nsso_start_url = " START "\nsso_region = eu-west-1\n"
#define PROFILE "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Read+Only\n"
#define LEGACY  "[default]\nsso_start_url = " START "\nsso_region = us-west-2\nsso_account_id = 1\nsso_role_name = r\n"

#define TOKEN(until) "{\"startUrl\":\"x\",\"accessToken\":\"bearer.tok\",\"expiresAt\":\"" until "\"}"
#define REPLY                                                                                                          \
    "{\"roleCredentials\":{\"accessKeyId\":\"ASIAS\",\"secretAccessKey\":\"ss/+\",\"sessionToken\":\"st\","            \
    "\"expiration\":1795399323000}}"

static apr_pool_t *pool;
static world_t *w;
static ddb_creds_opts_t opts;
static ddb_credentials_t found;
static ddb_error_t err;

static const char *cache_of(const char *key)
{
    unsigned char digest[DDB_SHA1_BYTES];

    ddb_crypto_digest(DDB_SHA1, digest, key, strlen(key));
    return apr_pstrcat(pool, ".aws/sso/cache/", ddb_crypto_hex(pool, digest, sizeof(digest)), ".json", NULL);
}

static void reset(const char *config, const char *token)
{
    w = world_create(pool);
    aws_reset(pool);
    aws_remove(cache_of("corp"), pool);
    aws_remove(cache_of(START), pool);
    opts = (ddb_creds_opts_t){ .http = &w->http, .clock = &w->clock };
    aws_write(".aws/config", config, pool);
    if (token) {
        aws_write(cache_of("corp"), token, pool);
    }
}

static apr_status_t fetch(void)
{
    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return ddb_creds_sso.fetch(&opts, NULL, pool, &found, &err);
}

static void test_not_set_up(void)
{
    reset("[default]\nsso_session = corp\n" SESSION, NULL);
    NUM_IS(fetch(), APR_NOTFOUND, "a profile without account and role is not of SSO");
    IS(err.detail, "no sso_account_id", "  as is said");
    aws_remove(".aws/config", pool);
    NUM_IS(fetch(), APR_NOTFOUND, "nor is none");
}

static void test_file_name(void)
{
    IS(cache_of("corp"), ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
       "the token of a session is in the file of its digest");
}

static void test_fetch(void)
{
    reset(PROFILE SESSION, TOKEN("2026-11-23T01:02:04Z"));
    world_answer(w, 200, REPLY);
    NUM_IS(fetch(), APR_SUCCESS, "a token that is good for another second");
    IS(found.access_key_id, "ASIAS", "  gives credentials");
    IS(found.secret_access_key, "ss/+", "  with their secret");
    IS(found.session_token, "st", "  and token");
    IS(found.account_id, "123456789012", "  of the account");
    NUM_IS(found.expires, APR_INT64_C(1795399323000000), "  for a time");
    IS(w->sent[0].method, "GET", "The portal is asked");
    IS(w->sent[0].url,
       "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=Read%2bOnly"
       "&account_id=123456789012",
       "  for role and account");
    IS(apr_table_get(w->sent[0].headers, "x-amz-sso_bearer_token"), "bearer.tok", "  with the token");
    OK(!apr_table_get(w->sent[0].headers, "Authorization"), "  and no signature");
}

static void test_legacy(void)
{
    reset(LEGACY, NULL);
    aws_write(cache_of(START), TOKEN("2026-11-23T01:02:04UTC"), pool);
    world_answer(w, 200, REPLY);
    NUM_IS(fetch(), APR_SUCCESS, "all of it in the profile, as older tools write it");
    OK(strncmp(w->sent[0].url, "https://portal.sso.us-west-2.amazonaws.com/", 43) == 0, "  asks its own region");
    aws_set("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:8097", pool);
    world_answer(w, 200, REPLY);
    fetch();
    OK(strncmp(w->sent[1].url, "http://127.0.0.1:8097/federation/credentials?", 45) == 0, "  or the endpoint set");
}

static void is_refused(const char *config, const char *says, const char *name)
{
    reset(config, TOKEN("2026-11-23T01:02:04Z"));
    NUM_IS(fetch(), DDB_ECONFIG, name);
    OK(strncmp(err.detail, says, strlen(says)) == 0, "  is named");
    NUM_IS(w->n_sent, 0, "  and nobody is asked");
}

static void test_settings(void)
{
    is_refused("[default]\nsso_account_id = 1\nsso_session = corp\n" SESSION, "SSO: the profile lacks sso_role_name",
               "a missing role");
    is_refused("[default]\nsso_role_name = r\nsso_session = corp\n" SESSION, "SSO: the profile lacks sso_account_id",
               "a missing account");
    is_refused("[default]\nsso_role_name = r\nsso_account_id = 1\n", "SSO: the profile lacks sso_region",
               "a missing region");
    is_refused("[default]\nsso_role_name = r\nsso_account_id = 1\nsso_region = us-east-1\n",
               "SSO: the profile lacks sso_start_url", "a missing start URL");
    is_refused(PROFILE, "no section [sso-session corp] in /", "a missing section");
    is_refused(PROFILE "sso_region = us-east-1\n" SESSION,
               "SSO: the profile's sso_region differs from that of [sso-session corp]", "two regions");
    is_refused(PROFILE "[sso-session corp]\nsso_start_url = u\nsso_region = nowhere\n",
               "the configuration: region "
               "\"nowhere\"",
               "a region that is none");
    reset(PROFILE "sso_region = eu-west-1\n" SESSION, TOKEN("2026-11-23T01:02:04Z"));
    world_answer(w, 200, REPLY);
    NUM_IS(fetch(), APR_SUCCESS, "the same region twice is one");
}

static void asks_for_login(const char *token, const char *why, const char *name)
{
    reset(PROFILE SESSION, token);
    NUM_IS(fetch(), DDB_ENOCREDS, name);
    IS(err.detail,
       apr_psprintf(
           pool,
           "SSO: %s: run aws sso login --profile default as the user that httpd runs as, or use a role on a server",
           why),
       "  asks for a login");
    NUM_IS(w->n_sent, 0, "  and the portal for nothing");
    OK(!strstr(err.detail, "bearer"), "  and shows no token");
}

static void test_token(void)
{
    asks_for_login(NULL, "no readable token in ~/.aws/sso/cache", "no token");
    asks_for_login(TOKEN("2026-11-23T01:02:03Z"), "the token is expired", "a token that ends now");
    asks_for_login(TOKEN("soon"), "the token file lacks accessToken or expiresAt", "one that ends some time");
    asks_for_login("{\"expiresAt\":\"2026-11-23T01:02:04Z\"}", "the token file lacks accessToken or expiresAt",
                   "a file without a token");
    asks_for_login("bearer.tok", "the token file is not JSON", "a file of something else");
    asks_for_login("", "the token file is not JSON", "an empty file");
}

static void test_portal(void)
{
    reset(PROFILE SESSION, TOKEN("2026-11-23T01:02:04Z"));
    world_answer(w, 401, "{\"message\":\"Session token not found or invalid\"}");
    NUM_IS(fetch(), DDB_ENOCREDS, "a token that the portal refuses");
    OK(strstr(err.detail, "run aws sso login"), "  asks for a login");
    world_answer(w, 403, "{\"message\":\"No access\"}");
    NUM_IS(fetch(), DDB_EDENIED, "a role that is not the user's");
    IS(err.detail, "SSO: status 403 from the portal: check sso_account_id, sso_role_name and their assignments",
       "  is said to be so");
    world_answer(w, 200, "<html>");
    NUM_IS(fetch(), DDB_EBADREPLY, "a page of a proxy is no reply");
    world_answer(w, 200, "{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"s\"}}");
    NUM_IS(fetch(), DDB_EBADREPLY, "nor are credentials without a token");
    NUM_IS(w->n_sent, 4, "none of them is tried again");
}

static void test_retry(void)
{
    reset(PROFILE SESSION, TOKEN("2026-11-24T01:02:04Z"));
    world_answer(w, 503, "");
    world_fail(w, APR_TIMEUP, 1);
    world_answer(w, 200, REPLY);
    NUM_IS(fetch(), APR_SUCCESS, "a portal that is down for a moment is asked again");
    world_answer(w, 429, "");
    world_fail(w, DDB_EUNAVAILABLE, 0);
    world_answer(w, 500, "");
    world_answer(w, 200, REPLY);
    NUM_IS(fetch(), DDB_EUNAVAILABLE, "but not for ever");
    IS(err.detail, "SSO: status 500 from the portal", "with the last error");
    NUM_IS(w->n_sent, 6, "after three attempts");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    mkdir(aws_path(".aws/sso", pool), 0700);
    mkdir(aws_path(".aws/sso/cache", pool), 0700);
    test_not_set_up();
    test_file_name();
    test_fetch();
    test_legacy();
    test_settings();
    test_token();
    test_portal();
    test_retry();
    reset("", NULL);
    aws_remove(".aws/sso/cache", pool);
    aws_remove(".aws/sso", pool);
}
