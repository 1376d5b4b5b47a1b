/* Credentials: the providers, the chain, and the snapshot that is kept. */

#include <apr_thread_proc.h>

#include "aws/creds/ddb_creds_int.h"
#include "tap.h"
#include "world.h"
#include "aws_files.h"

#define KEYS "aws_access_key_id = AKIDFILE\naws_secret_access_key = file/secret\n"

static apr_pool_t *pool;
static ddb_creds_opts_t opts;
static ddb_credentials_t found;
static ddb_error_t err;

static void reset(void)
{
    world_t *w = world_create(pool);

    aws_reset(pool);
    memset(&opts, 0, sizeof(opts));
    aws_set("AWS_EC2_METADATA_DISABLED", "true", pool);
    opts.http = &w->http;
    opts.clock = &w->clock;
}

static void set_env(const char *id, const char *secret, const char *token)
{
    aws_set("AWS_ACCESS_KEY_ID", id, pool);
    aws_set("AWS_SECRET_ACCESS_KEY", secret, pool);
    aws_set("AWS_SESSION_TOKEN", token, pool);
}

static ddb_creds_t *create(void)
{
    ddb_creds_t *c = NULL;

    NUM_IS(ddb_creds_create(&c, &opts, pool), APR_SUCCESS, "a chain is made");
    return c;
}

static apr_status_t get(ddb_creds_t *c)
{
    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return ddb_creds_get(c, DDB_CREDS_FOREVER, pool, &found, &err);
}

static void is_found(const char *id, const char *secret, const char *token, const char *name)
{
    IS(found.access_key_id, id, name);
    IS(found.secret_access_key, secret, "  with its secret");
    IS(found.session_token, token, "  and its token");
    NUM_IS(found.expires, 0, "  for ever");
}

/* --- the providers --- */

static apr_status_t fetch(const ddb_creds_provider_t *provider)
{
    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return provider->fetch(&opts, NULL, pool, &found, &err);
}

static void test_env(void)
{
    reset();
    NUM_IS(fetch(&ddb_creds_env), APR_NOTFOUND, "no variable, no credentials of the environment");
    IS(err.detail, "no AWS_ACCESS_KEY_ID", "with the reason");
    set_env("", "s", "t");
    NUM_IS(fetch(&ddb_creds_env), APR_NOTFOUND, "an empty key ID is none");
    set_env("AKID", "s/+", NULL);
    NUM_IS(fetch(&ddb_creds_env), APR_SUCCESS, "a pair is found");
    is_found("AKID", "s/+", NULL, "the key ID");
    IS(found.account_id, NULL, "of an unknown account");
    aws_set("AWS_ACCOUNT_ID", "123456789012", pool);
    set_env("AKID", "s", "t1");
    fetch(&ddb_creds_env);
    IS(found.account_id, "123456789012", "unless AWS_ACCOUNT_ID says so");
    is_found("AKID", "s", "t1", "a pair and AWS_SESSION_TOKEN");
    aws_set("AWS_SECURITY_TOKEN", "t2", pool);
    fetch(&ddb_creds_env);
    is_found("AKID", "s", "t2", "AWS_SECURITY_TOKEN goes before");
    aws_set("AWS_SECURITY_TOKEN", "", pool);
    fetch(&ddb_creds_env);
    is_found("AKID", "s", "t1", "unless it is empty");
    opts.profile.name = "p";
    NUM_IS(fetch(&ddb_creds_env), APR_NOTFOUND, "with a profile named the environment is not asked");
    IS(err.detail, "skipped, a profile is named", "with the reason");
}

static void test_half_env(void)
{
    static const char *const secrets[] = { NULL, "" };
    apr_size_t i;

    for (i = 0; i < 2; i++) {
        reset();
        set_env("AKID", secrets[i], "t");
        NUM_IS(fetch(&ddb_creds_env), DDB_ECONFIG, "a key ID without a secret is an error");
        IS(err.detail, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; set both or neither", "and named");
    }
}

static void test_profile(void)
{
    reset();
    NUM_IS(fetch(&ddb_creds_shared_file), APR_NOTFOUND, "no files, no credentials of a profile");
    OK(strncmp(err.detail, "no profile \"default\" in /", 25) == 0, "with the reason");
    aws_write(".aws/config", "[default]\nregion = r\n", pool);
    NUM_IS(fetch(&ddb_creds_shared_file), APR_NOTFOUND, "a profile without keys has none either");
    IS(err.detail, "no aws_access_key_id", "with the reason");
    aws_write(".aws/credentials",
              "[default]\n" KEYS "[p]\n" KEYS "aws_session_token = st\n[q]\n" KEYS
              "aws_session_token = st\naws_security_token = sec\n[r]\n" KEYS "aws_session_token =\n",
              pool);
    NUM_IS(fetch(&ddb_creds_shared_file), APR_SUCCESS, "a pair is found");
    is_found("AKIDFILE", "file/secret", NULL, "the key ID");
    opts.profile.name = "p";
    fetch(&ddb_creds_shared_file);
    is_found("AKIDFILE", "file/secret", "st", "of a named profile, with aws_session_token");
    opts.profile.name = "q";
    fetch(&ddb_creds_shared_file);
    is_found("AKIDFILE", "file/secret", "sec", "aws_security_token goes before");
    opts.profile.name = "r";
    fetch(&ddb_creds_shared_file);
    is_found("AKIDFILE", "file/secret", NULL, "an empty token is none");
    opts.profile.name = "s";
    NUM_IS(fetch(&ddb_creds_shared_file), DDB_ECONFIG, "a named profile that is missing is an error");
    aws_chmod(".aws/credentials", 0644, pool);
    opts.profile.name = NULL;
    NUM_IS(fetch(&ddb_creds_shared_file), DDB_ECONFIG, "a file that others can read is an error");
}

static void test_half_profile(void)
{
    reset();
    aws_write(".aws/credentials", "[default]\naws_access_key_id = A\n", pool);
    aws_write(".aws/config", "[default]\naws_secret_access_key = s\n", pool);
    NUM_IS(fetch(&ddb_creds_shared_file), DDB_ECONFIG, "a pair in two files is no pair");
    IS(err.detail,
       "the profile has aws_access_key_id but no aws_secret_access_key in the same file; set both or neither",
       "and what is missing is named");
    NUM_IS(fetch(&ddb_creds_config_file), APR_NOTFOUND, "which is the credentials file's fault alone");
    aws_remove(".aws/credentials", pool);
    NUM_IS(fetch(&ddb_creds_shared_file), APR_NOTFOUND, "a file that is not there has no half of a pair");
    NUM_IS(fetch(&ddb_creds_config_file), DDB_ECONFIG, "a secret without a key ID is an error");
    IS(err.detail,
       "the profile has aws_secret_access_key but no aws_access_key_id in the same file; set both or neither",
       "and what is missing is named");
}

static void test_config_file(void)
{
    reset();
    aws_write(".aws/config", "[default]\n" KEYS "aws_account_id = 123456789012\n", pool);
    NUM_IS(fetch(&ddb_creds_shared_file), APR_NOTFOUND, "keys of the config file are not the credentials file's");
    NUM_IS(fetch(&ddb_creds_config_file), APR_SUCCESS, "but its own");
    is_found("AKIDFILE", "file/secret", NULL, "the key ID");
    IS(found.account_id, "123456789012", "and the account");
    aws_write(".aws/credentials", "[default]\naws_access_key_id = C\naws_secret_access_key = cs\n", pool);
    NUM_IS(fetch(&ddb_creds_config_file), APR_NOTFOUND, "unless the credentials file has some");
    NUM_IS(fetch(&ddb_creds_shared_file), APR_SUCCESS, "which are found");
    is_found("C", "cs", NULL, "the key ID");
}

/* --- the chain --- */

static void test_order(void)
{
    ddb_creds_t *c;

    reset();
    aws_write(".aws/credentials", "[default]\n" KEYS "[p]\naws_access_key_id = P\naws_secret_access_key = ps\n", pool);
    set_env("AKIDENV", "env", NULL);
    c = create();
    NUM_IS(get(c), APR_SUCCESS, "the environment and a profile have credentials");
    is_found("AKIDENV", "env", NULL, "the environment is first");
    IS(found.provider, ddb_creds_env.name, "  and is named");
    opts.profile.name = "p";
    get(create());
    is_found("P", "ps", NULL, "a profile that the configuration names goes before it");
    opts.profile.name = NULL;
    aws_set("AWS_PROFILE", "p", pool);
    get(create());
    is_found("AKIDENV", "env", NULL, "one that a variable names does not");
    set_env(NULL, NULL, NULL);
    get(create());
    is_found("P", "ps", NULL, "without variables the profile is asked");
    IS(found.provider, ddb_creds_shared_file.name, "  and named");
}

static void test_failing_provider(void)
{
    reset();
    aws_write(".aws/credentials", "[default]\n" KEYS, pool);
    set_env("AKID", NULL, NULL);
    NUM_IS(get(create()), DDB_ECONFIG, "a provider that is set up and fails ends the chain");
    IS(err.detail,
       "provider environment: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; set both or neither",
       "with its own error, and its name");
    IS(found.access_key_id, NULL, "and nothing is found");
    NUM_IS(ddb_creds_get(create(), DDB_CREDS_FOREVER, pool, &found, NULL), DDB_ECONFIG, "nobody has to want the error");
}

static void test_nobody(void)
{
    reset();
    NUM_IS(get(create()), DDB_ENOCREDS, "nobody has credentials");
    IS(err.detail,
       apr_psprintf(pool,
                    "no credentials found: environment (no AWS_ACCESS_KEY_ID), assume-role, web identity, "
                    "SSO, credentials file, credential_process, config file (no profile \"default\" in %s "
                    "or %s), container (no AWS_CONTAINER_CREDENTIALS_*_URI), instance metadata "
                    "(AWS_EC2_METADATA_DISABLED); set up one of these",
                    aws_path(".aws/credentials", pool), aws_path(".aws/config", pool)),
       "and who was asked for what is said");
}

static void test_kept(void)
{
    ddb_creds_t *c;

    reset();
    c = create();
    NUM_IS(get(c), DDB_ENOCREDS, "a chain finds nothing");
    set_env("A1", "s1", "t1");
    NUM_IS(get(c), APR_SUCCESS, "a failure is not remembered");
    is_found("A1", "s1", "t1", "what is there now is found");
    set_env("A2", "s2", "t2");
    get(c);
    is_found("A1", "s1", "t1", "what was found is kept");
    get(create());
    is_found("A2", "s2", "t2", "by each chain its own");
}

static void test_fixed(void)
{
    ddb_credentials_t fixed = { .access_key_id = "F",
                                .secret_access_key = "fs",
                                .session_token = "ft",
                                .expires = APR_INT64_C(42),
                                .account_id = "123456789012" };
    ddb_creds_t *c;

    reset();
    set_env("A", NULL, NULL);
    opts.fixed = &fixed;
    c = create();
    memset(&fixed, 0, sizeof(fixed));
    NUM_IS(get(c), APR_SUCCESS, "fixed credentials need no chain");
    IS(found.access_key_id, "F", "they are copied at the start");
    ddb_creds_renew(c, "F");
    get(c);
    IS(found.access_key_id, "F", "and stay when they are refused");
    IS(found.secret_access_key, "fs", "  with their secret");
    IS(found.session_token, "ft", "  their token");
    NUM_IS(found.expires, 42, "  their time");
    IS(found.account_id, "123456789012", "  and their account");
    OK(found.generation && found.generation == ddb_creds_generation(c), "all in one generation");
}

#define KEYS_OF(id) "[default]\naws_access_key_id = " id "\naws_secret_access_key = s\n"

static void test_renewal(void)
{
    ddb_creds_t *c;
    world_t *w;

    reset();
    w = opts.clock->baton;
    aws_write(".aws/credentials", KEYS_OF("OLD"), pool);
    c = create();
    get(c);
    IS(found.access_key_id, "OLD", "a profile's keys are found");
    aws_write(".aws/credentials", KEYS_OF("NEW"), pool);
    get(c);
    IS(found.access_key_id, "OLD", "and kept, whatever becomes of the file");
    ddb_creds_renew(c, "OTHER");
    get(c);
    IS(found.access_key_id, "OLD", "also when others are refused");
    ddb_creds_renew(c, "OLD");
    get(c);
    IS(found.access_key_id, "NEW", "until they are refused: then the chain is asked again");
    ddb_creds_renew(c, "OLD");
    aws_write(".aws/credentials", KEYS_OF("NEWER"), pool);
    get(c);
    IS(found.access_key_id, "NEW", "who was refused with the old ones does not throw away the new ones");
    ddb_creds_renew(c, "NEW");
    get(c);
    IS(found.access_key_id, "NEW", "nor is the chain asked twice within a moment");
    w->mono += apr_time_from_sec(2);
    ddb_creds_renew(c, "NEW");
    get(c);
    IS(found.access_key_id, "NEWER", "it is when that is over");
    aws_remove(".aws/credentials", pool);
    w->mono += apr_time_from_sec(2);
    ddb_creds_renew(c, "NEWER");
    NUM_IS(get(c), DDB_ENOCREDS, "refused keys that are not there any more are not used again");
    aws_write(".aws/credentials", KEYS_OF("BACK"), pool);
    get(c);
    IS(found.access_key_id, "BACK", "and new ones are found as soon as they are there");
}

static void test_characters(void)
{
    static const struct {
        const char *id, *secret, *token, *what;
    } cases[] = {
        { "A\n", "s", NULL, "access key ID" },           { "A B", "s", NULL, "access key ID" },
        { "A", "s\r\n", NULL, "secret access key" },     { "A", "s\t", NULL, "secret access key" },
        { "A", "s", "t\nX-Header: v", "session token" }, { "A", "s", "\xc3\xa9", "session token" },
        { "A", "s", "t\x7f", "session token" },
    };
    apr_size_t i;

    reset();
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_env(cases[i].id, cases[i].secret, cases[i].token);
        NUM_IS(get(create()), DDB_ECONFIG, apr_pstrcat(pool, "a character that can't be in a ", cases[i].what, NULL));
        IS(err.detail,
           apr_psprintf(pool,
                        "the %s from the environment contains a space, a line break or another invalid character; "
                        "enter it again",
                        cases[i].what),
           "  is named, the value is not");
    }
    set_env(NULL, NULL, NULL);
    aws_write(".aws/credentials", "[default]\n" KEYS "aws_session_token = a\n  b\n", pool);
    NUM_IS(get(create()), DDB_ECONFIG, "a value over two lines of a file is no token");
    set_env("!A~", "s!~", "t~!");
    NUM_IS(get(create()), APR_SUCCESS, "every visible character of ASCII is fine");
}

/* --- the copies --- */

static void test_copies(void)
{
    ddb_credentials_t first, second;
    apr_pool_t *one, *two;
    ddb_creds_t *c;

    reset();
    set_env("A", "s", "t");
    c = create();
    apr_pool_create(&one, pool);
    apr_pool_create(&two, pool);
    ddb_creds_get(c, DDB_CREDS_FOREVER, one, &first, &err);
    ddb_creds_get(c, DDB_CREDS_FOREVER, two, &second, &err);
    OK(first.secret_access_key != second.secret_access_key && first.session_token != second.session_token
           && first.access_key_id != second.access_key_id,
       "each caller has copies of its own");
    apr_pool_destroy(one);
    IS(second.secret_access_key, "s", "which live as long as its pool");
    IS(second.session_token, "t", "all of them");
    apr_pool_destroy(two);
}

#define THREADS 8

typedef struct asker_t {
    ddb_creds_t *c;
    int good;
} asker_t;

static void *APR_THREAD_FUNC ask_often(apr_thread_t *thread, void *data)
{
    ddb_credentials_t mine;
    asker_t *asker = data;
    apr_pool_t *p;
    int i;

    (void)thread;
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    for (i = 0; i < 200; i++) {
        if (ddb_creds_get(asker->c, DDB_CREDS_FOREVER, p, &mine, NULL) == APR_SUCCESS
            && strcmp(mine.access_key_id, "AKIDFILE") == 0 && strcmp(mine.secret_access_key, "file/secret") == 0) {
            asker->good++;
        }
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
    return NULL;
}

static void test_threads(void)
{
    apr_thread_t *threads[THREADS];
    asker_t askers[THREADS];
    apr_status_t rv;
    ddb_creds_t *c;
    int i, good = 0;

    reset();
    aws_write(".aws/credentials", "[default]\n" KEYS, pool);
    c = create();
    for (i = 0; i < THREADS; i++) {
        askers[i].c = c;
        askers[i].good = 0;
        if (apr_thread_create(&threads[i], NULL, ask_often, &askers[i], pool) != APR_SUCCESS) {
            printf("Bail out! no thread\n");
            exit(1);
        }
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        good += askers[i].good;
    }
    NUM_IS(good, 200 * THREADS, "threads that ask at once all get the same snapshot");
}

static void test_end(void)
{
    apr_pool_t *p;
    ddb_creds_t *c;

    reset();
    set_env("A", "s", "t");
    apr_pool_create(&p, pool);
    ddb_creds_create(&c, &opts, p);
    NUM_IS(get(c), APR_SUCCESS, "a chain that found something");
    apr_pool_destroy(p);
    is_found("A", "s", "t", "ends with its pool, what it gave stays");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_env();
    test_half_env();
    test_profile();
    test_half_profile();
    test_config_file();
    test_order();
    test_failing_provider();
    test_nobody();
    test_kept();
    test_fixed();
    test_renewal();
    test_characters();
    test_copies();
    test_threads();
    test_end();
}
