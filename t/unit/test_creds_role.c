/* Roles that a profile or the environment names: who asks for them, in which order, and what is refused. */

#include "aws/creds/ddb_creds_int.h"
#include "tap.h"
#include "world.h"
#include "aws_files.h"
#include "sts_replies.h"

#define KEYS(id)  "aws_access_key_id = " id "\naws_secret_access_key = s\n"
#define ARN(name) "role_arn = arn:aws:iam::1:role/" name "\n"
#define FORM      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3aaws%3aiam%3a%3a1%3arole%2f"

static apr_pool_t *pool;
static world_t *w;
static ddb_creds_opts_t opts;
static ddb_credentials_t found;
static ddb_error_t err;

static void reset(void)
{
    w = world_create(pool);
    aws_reset(pool);
    aws_remove("token", pool);
    aws_set("AWS_EC2_METADATA_DISABLED", "true", pool);
    opts = (ddb_creds_opts_t){ .http = &w->http, .clock = &w->clock, .region = "eu-west-1" };
}

static apr_status_t fetch(const ddb_creds_provider_t *provider)
{
    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return provider->fetch(&opts, NULL, pool, &found, &err);
}

static apr_status_t assume(const char *config)
{
    aws_write(".aws/config", config, pool);
    return fetch(&ddb_creds_assume_role);
}

/* Who signed request i. */
static const char *signer(int i)
{
    const char *header = apr_table_get(w->sent[i].headers, "Authorization");
    const char *id = header ? strstr(header, "Credential=") : NULL;

    return id ? apr_pstrmemdup(pool, id + 11, strcspn(id + 11, "/")) : "nobody";
}

static void is_refused(const char *config, const char *detail, const char *name)
{
    reset();
    NUM_IS(assume(config), DDB_ECONFIG, name);
    IS(err.detail, detail, "  and it is said why");
    NUM_IS(w->n_sent, 0, "  and nobody is asked");
}

/* --- assume-role --- */

static void test_not_set_up(void)
{
    reset();
    NUM_IS(fetch(&ddb_creds_assume_role), APR_NOTFOUND, "no profile, no role");
    OK(strncmp(err.detail, "no profile \"default\" in ", 24) == 0, "  as is said");
    NUM_IS(assume("[default]\nregion = r\nsource_profile = x\n"), APR_NOTFOUND, "a profile without role_arn has none");
    IS(err.detail, "no role_arn", "  as is said");
    NUM_IS(assume("[default]\n" ARN("r") "web_identity_token_file = /f\n"), APR_NOTFOUND,
           "one with a token file is a web identity's");
    opts.profile.name = "gone";
    NUM_IS(assume("[default]\n" ARN("r")), DDB_ECONFIG, "a named profile has to be there");
}

static void test_source_profile(void)
{
    reset();
    aws_write(".aws/credentials", "[s]\n" KEYS("AKIDSRC") "aws_session_token = st\n", pool);
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume("[default]\n" ARN("r") "source_profile = s\n"), APR_SUCCESS, "a role for another profile's keys");
    IS(found.access_key_id, "ASIA1", "  is taken on");
    IS(found.secret_access_key, "sec/+=", "  with its secret");
    IS(found.session_token, "to/k+==", "  and its token");
    NUM_IS(found.expires, STS_EXPIRES, "  for a time");
    IS(signer(0), "AKIDSRC", "  signed by the source");
    IS(apr_table_get(w->sent[0].headers, "X-Amz-Security-Token"), "st", "  with its token");
    IS(w->sent[0].url, "https://sts.eu-west-1.amazonaws.com/", "  at STS of the region");
    IS(w->sent[0].body, FORM "r&RoleSessionName=mod_session_dynamodb-1795395723", "  with a session name made up");
}

static void test_parameters(void)
{
    reset();
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    aws_set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:8099", pool);
    NUM_IS(assume("[default]\n" ARN("r") "source_profile = s\nexternal_id = e&1\nduration_seconds = 3600\n"
                                         "role_session_name = my.name\n[profile s]\n" KEYS("C")),
           APR_SUCCESS, "all that can be set is sent");
    IS(w->sent[0].body, FORM "r&RoleSessionName=my.name&DurationSeconds=3600&ExternalId=e%261", "  in the form");
    IS(w->sent[0].url, "http://127.0.0.1:8099/", "  to the endpoint that is set");
    IS(signer(0), "C", "keys of the config file sign too");
    reset();
    opts.region = NULL;
    aws_set("AWS_REGION", "us-gov-west-1", pool);
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    assume("[default]\n" ARN("r") "source_profile = s\n[profile s]\nregion = no\n" KEYS("C"));
    IS(w->sent[0].url, "https://sts.us-gov-west-1.amazonaws.com/", "without a region of ours the variable's is taken");
    reset();
    opts.region = NULL;
    NUM_IS(assume("[default]\n" ARN("r") "source_profile = s\n[profile s]\n" KEYS("C")), DDB_ECONFIG, "no region");
    OK(strstr(err.detail, "profile \"default\": no region is set:"), "  is an error");
}

static void test_chain(void)
{
    reset();
    opts.profile.name = "a";
    world_answer(w, 200, STS_ASSUMED("ASIAB"));
    world_answer(w, 200, STS_ASSUMED("ASIAA"));
    NUM_IS(assume("[profile a]\n" ARN("ra") "source_profile = b\nexternal_id = xa\n[profile b]\n" ARN(
               "rb") "source_profile = c\n[profile c]\n" KEYS("C") ARN("ignored")),
           APR_SUCCESS, "a role may be the source of a role");
    NUM_IS(w->n_sent, 2, "  each asked for");
    OK(strncmp(w->sent[0].body, FORM "rb&", strlen(FORM) + 3) == 0, "  the source's first");
    IS(signer(0), "C", "  by the keys, which go before that profile's own role");
    OK(strncmp(w->sent[1].body, FORM "ra&", strlen(FORM) + 3) == 0, "  then the one that is wanted");
    IS(signer(1), "ASIAB", "  by the first role");
    IS(found.access_key_id, "ASIAA", "  which is the answer");
    OK(!strstr(w->sent[0].body, "ExternalId") && strstr(w->sent[1].body, "ExternalId=xa"),
       "each with its own settings");
}

static void test_self(void)
{
    reset();
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume("[default]\n" ARN("r") "source_profile = default\n" KEYS("SELF")), APR_SUCCESS,
           "a profile with keys may be its own source");
    IS(signer(0), "SELF", "  by its keys");
    is_refused("[default]\n" ARN("r") "source_profile = default\n",
               "profile \"default\": its source_profile \"default\" closes a loop", "without keys it may not");
    opts.profile.name = "a";
    is_refused("[default]\n" ARN("r") "source_profile = b\n[profile b]\n" ARN(
                   "r") "source_profile = c\n[profile c]\n" ARN("r") "source_profile = b\n",
               "profile \"c\": its source_profile \"b\" closes a loop", "a circle");
    is_refused(
        "[default]\n" ARN("r") "source_profile = b\n" KEYS("K") "[profile b]\n" ARN("r") "source_profile = default\n",
        "profile \"b\": its source_profile \"default\" closes a loop", "a circle through a profile with keys");
}

static void test_refused(void)
{
    is_refused("[default]\n" ARN("r"), "profile \"default\": role_arn needs either source_profile or credential_source",
               "a role without a source");
    is_refused("[default]\n" ARN("r") "source_profile = s\ncredential_source = Environment\n",
               "profile \"default\": role_arn needs either source_profile or credential_source",
               "a role with two sources");
    is_refused("[default]\n" ARN("r") "credential_source = environment\n",
               "profile \"default\": credential_source must be Environment, EcsContainer or Ec2InstanceMetadata",
               "a source that there is not");
    is_refused(
        "[default]\n" ARN("r") "source_profile = s\nmfa_serial = arn:m\n[profile s]\n" KEYS("C"),
        "profile \"default\": mfa_serial needs a code that cannot be entered on a server: use a role without MFA",
        "a second factor");
    is_refused("[default]\n" ARN("r") "source_profile = s\n",
               apr_psprintf(pool,
                            "no profile \"s\" in %s or %s; check "
                            "the name",
                            aws_path(".aws/credentials", pool), aws_path(".aws/config", pool)),
               "a missing source");
    is_refused("[default]\n" ARN("r") "source_profile = s\n[profile s]\nregion = r\n",
               "the source_profile \"s\" has no "
               "credentials: give it a key pair or another source",
               "a source without credentials");
    is_refused("[default]\n" ARN("r") "source_profile = s\n[profile s]\naws_access_key_id = A\n",
               "source_profile \"s\": "
               "provider config file: the profile has aws_access_key_id but no aws_secret_access_key in the same file; "
               "set both or neither",
               "half a source");
    is_refused("[default]\n" ARN("r") "source_profile = b\n[profile b]\n" ARN("r"),
               "profile \"b\": role_arn needs either source_profile or credential_source", "a fault further down");
    is_refused("[default]\n" ARN("r") "source_profile = s\nrole_session_name = a b\n[profile s]\n" KEYS("C"),
               "profile \"default\": the role session name must be 2 to 64 letters, digits or any of _+=,.@-",
               "a session name with a blank");
}

static void test_durations(void)
{
    static const char *const bad[] = { "899", "43201", "1h", "-900", "900.5", "99999999999999999999" };
    static const char *const good[] = { "900", "43200" };
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_refused(apr_pstrcat(pool, "[default]\n" ARN("r") "source_profile = s\nduration_seconds = ", bad[i],
                               "\n[profile s]\n" KEYS("C"), NULL),
                   "profile \"default\": duration_seconds must be a number from 900 to 43200", bad[i]);
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        reset();
        world_answer(w, 200, STS_ASSUMED("ASIA1"));
        NUM_IS(assume(apr_pstrcat(pool, "[default]\n" ARN("r") "source_profile = s\nduration_seconds = ", good[i],
                                  "\n[profile s]\n" KEYS("C"), NULL)),
               APR_SUCCESS, good[i]);
    }
}

static void test_environment(void)
{
    const char *config = "[default]\nregion = x\n[profile p]\n" ARN("r") "credential_source = Environment\n" KEYS("NO");

    reset();
    aws_set("AWS_ACCESS_KEY_ID", "AKIDENV", pool);
    aws_set("AWS_SECRET_ACCESS_KEY", "es", pool);
    opts.profile.name = "p";
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume(config), APR_SUCCESS, "the environment as the source");
    IS(signer(0), "AKIDENV", "  signs, although the configuration names a profile");
    aws_set("AWS_ACCESS_KEY_ID", NULL, pool);
    NUM_IS(assume(config), DDB_ECONFIG, "a source that is not set up");
    IS(err.detail, "profile \"p\": its credential_source has no credentials: environment (no AWS_ACCESS_KEY_ID)",
       "  is an error");
}

static void test_container(void)
{
    reset();
    aws_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x", pool);
    world_answer(w, 200,
                 "{\"AccessKeyId\":\"ASIATASK\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                 "\"Expiration\":\"2026-11-24T01:02:03Z\"}");
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume("[default]\n" ARN("r") "credential_source = EcsContainer\n"), APR_SUCCESS,
           "the container as the source");
    IS(signer(1), "ASIATASK", "  signs with the keys of its task");
    aws_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", NULL, pool);
    NUM_IS(fetch(&ddb_creds_assume_role), DDB_ECONFIG, "outside of one there is no such source");
}

static void test_failure(void)
{
    reset();
    opts.profile.name = "a";
    world_answer(w, 403, STS_ERROR("AccessDenied", "User: arn:aws:iam::1:user/u is not authorized"));
    NUM_IS(assume("[profile a]\n" ARN("ra") "source_profile = b\n[profile b]\n" ARN(
               "rb") "source_profile = c\n[profile c]\n" KEYS("C")),
           DDB_EDENIED, "a role that is refused is an error");
    IS(err.detail,
       "assume-role, profile \"b\": STS: AccessDenied: both the role's trust policy and the caller's policy must allow "
       "it",
       "  with the profile that asks for it");
    NUM_IS(w->n_sent, 1, "  and the next is not asked for");
    IS(found.access_key_id, NULL, "  and nothing is found");
}

/* --- web identity --- */

#define WEB "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3aaws%3aiam%3a%3a1%3arole%2f"

static void write_token(const char *token)
{
    aws_write("token", token, pool);
    aws_set("AWS_WEB_IDENTITY_TOKEN_FILE", aws_path("token", pool), pool);
    aws_set("AWS_ROLE_ARN", "arn:aws:iam::1:role/env", pool);
}

static void test_web_identity(void)
{
    reset();
    NUM_IS(fetch(&ddb_creds_web_identity), APR_NOTFOUND, "no variable and no profile, no web identity");
    write_token("jwt.one");
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAX"));
    NUM_IS(fetch(&ddb_creds_web_identity), APR_SUCCESS, "a token file and a role of the environment");
    IS(found.access_key_id, "ASIAW", "  give credentials");
    IS(found.account_id, "123456789012", "  of an account");
    IS(w->sent[0].body, WEB "env&RoleSessionName=mod_session_dynamodb-1795395723&WebIdentityToken=jwt.one",
       "  for the token");
    IS(signer(0), "nobody", "  without a signature");
    write_token("jwt.two\r\n");
    NUM_IS(fetch(&ddb_creds_web_identity), APR_SUCCESS, "the file is read each time");
    OK(strstr(w->sent[1].body, "WebIdentityToken=jwt.two") && !strstr(w->sent[1].body, "%0"),
       "  and its end of line is not the token's");
}

static void test_web_identity_profile(void)
{
    const char *config = apr_psprintf(
        pool,
        "[profile p]\nweb_identity_token_file = %s\n" ARN("prof") "role_session_name = ours\n[default]\nregion = x\n",
        aws_path("other", pool));

    reset();
    aws_write(".aws/config", config, pool);
    aws_write("other", "jwt.profile", pool);
    opts.profile.name = "p";
    write_token("jwt.env");
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    NUM_IS(fetch(&ddb_creds_web_identity), APR_SUCCESS, "a profile that the configuration names");
    IS(w->sent[0].body, WEB "prof&RoleSessionName=ours&WebIdentityToken=jwt.profile", "  goes before the environment");
    opts.profile.name = NULL;
    aws_set("AWS_PROFILE", "p", pool);
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    NUM_IS(fetch(&ddb_creds_web_identity), APR_SUCCESS, "one that a variable names");
    IS(w->sent[1].body, WEB "env&RoleSessionName=ours&WebIdentityToken=jwt.env", "  goes behind it, key by key");
    aws_set("AWS_ROLE_SESSION_NAME", "theirs", pool);
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    fetch(&ddb_creds_web_identity);
    OK(strstr(w->sent[2].body, "RoleSessionName=theirs"), "  also the session name");
    aws_set("AWS_PROFILE", NULL, pool);
    aws_set("AWS_WEB_IDENTITY_TOKEN_FILE", NULL, pool);
    NUM_IS(fetch(&ddb_creds_web_identity), APR_NOTFOUND, "a role alone is none");
    IS(err.detail, "no web_identity_token_file", "  as is said");
    aws_remove("other", pool);
}

static void web_is_refused(const char *says, const char *name)
{
    NUM_IS(fetch(&ddb_creds_web_identity), DDB_ECONFIG, name);
    OK(strncmp(err.detail, says, strlen(says)) == 0, "  with the reason");
    NUM_IS(w->n_sent, 0, "  and nobody is asked");
    OK(!strstr(err.detail, "jwt"), "  nor is the token shown");
}

static void test_web_identity_refused(void)
{
    const char *path = aws_path("token", pool);
    const char *none = apr_psprintf(pool, "web identity: the file %s contains no token; ", path);
    char *text = apr_pcalloc(pool, 20002);

    reset();
    write_token("jwt");
    web_is_refused(none, "a token of three characters");
    write_token("");
    web_is_refused(none, "an empty file");
    write_token("jwt.one\njwt.two\n");
    web_is_refused(none, "a file of two lines");
    memset(text, 'x', 20001);
    write_token(text);
    web_is_refused(none, "a token that is too long");
    text[20000] = '\0';
    write_token(text);
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    NUM_IS(fetch(&ddb_creds_web_identity), APR_SUCCESS, "one of 20000 characters is not");
    reset();
    write_token("jwt.one");
    aws_remove("token", pool);
    web_is_refused(apr_psprintf(pool, "web identity: cannot read the token file %s: No such file", path),
                   "a file that is not there");
    write_token("jwt.one");
    aws_set("AWS_ROLE_ARN", NULL, pool);
    web_is_refused("web identity: a token file is set but no role: set AWS_ROLE_ARN", "a token without a role");
    write_token("jwt.one");
    aws_set("AWS_ROLE_SESSION_NAME", "x", pool);
    web_is_refused("web identity: the role session name must be 2 to 64", "a session name of one letter");
    aws_set("AWS_ROLE_SESSION_NAME", NULL, pool);
    world_answer(w, 400, STS_ERROR("InvalidIdentityToken", "No OpenIDConnect provider found in your account"));
    NUM_IS(fetch(&ddb_creds_web_identity), DDB_EDENIED, "a token that is refused");
    IS(err.detail,
       "web identity: STS: InvalidIdentityToken: STS cannot verify the token: check the IAM identity "
       "provider",
       "  is an error that says so");
}

static void test_web_identity_as_source(void)
{
    reset();
    write_token("jwt.env");
    aws_write("other", "jwt.profile", pool);
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(assume(apr_psprintf(pool,
                               "[default]\n" ARN("top") "source_profile = p\n[profile p]\nweb_identity_token_file"
                                                        " = %s\n" ARN("prof"),
                               aws_path("other", pool))),
           APR_SUCCESS, "a web identity may be the source of a role");
    OK(strstr(w->sent[0].body, "WebIdentityToken=jwt.profile"), "  that of the profile, not of the environment");
    IS(signer(1), "ASIAW", "  which signs");
    aws_remove("other", pool);
}

/* --- in the chain --- */

static void test_in_chain(void)
{
    const ddb_creds_chain_t chain = { .providers = ddb_creds_all };

    reset();
    aws_write(".aws/config", "[default]\n" ARN("r") "source_profile = s\n[profile s]\n" KEYS("C"), pool);
    aws_write(".aws/credentials", "[default]\n" KEYS("OWN"), pool);
    write_token("jwt.env");
    world_answer(w, 200, STS_ASSUMED("ASIA1"));
    NUM_IS(ddb_creds_ask(&chain, &opts, pool, &found, &err), APR_SUCCESS, "of role, web identity and keys");
    IS(found.access_key_id, "ASIA1", "the role goes first");
    aws_write(".aws/config", "[default]\n", pool);
    world_answer(w, 200, STS_WEB_IDENTITY("ASIAW"));
    ddb_creds_ask(&chain, &opts, pool, &found, &err);
    IS(found.access_key_id, "ASIAW", "then the web identity");
    world_answer(w, 403, STS_ERROR("IDPRejectedClaim", "m"));
    NUM_IS(ddb_creds_ask(&chain, &opts, pool, &found, &err), DDB_ENOCREDS, "one that fails ends the chain");
    OK(strncmp(err.detail, "web identity: STS: IDPRejectedClaim: ", 37) == 0, "with its error");
    world_answer(w, 200, STS_WEB_IDENTITY("ASIA W"));
    NUM_IS(ddb_creds_ask(&chain, &opts, pool, &found, &err), DDB_ECONFIG, "what can't be sent is refused");
    aws_set("AWS_WEB_IDENTITY_TOKEN_FILE", NULL, pool);
    ddb_creds_ask(&chain, &opts, pool, &found, &err);
    IS(found.access_key_id, "OWN", "and at last the keys");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_not_set_up();
    test_source_profile();
    test_parameters();
    test_chain();
    test_self();
    test_refused();
    test_durations();
    test_environment();
    test_container();
    test_failure();
    test_web_identity();
    test_web_identity_profile();
    test_web_identity_refused();
    test_web_identity_as_source();
    test_in_chain();
}
