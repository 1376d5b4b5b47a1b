/* Credentials that a program of the profile prints. */

#include "creds_world.h"

#define WHOLE                                                                                                          \
    "{\"Version\":1,\"AccessKeyId\":\"ASIAP\",\"SecretAccessKey\":\"p/secret\","                                       \
    "\"SessionToken\":\"p/token\",\"Expiration\":\"2026-11-23T02:02:03Z\",\"AccountId\":\"123456789012\"}"

/* The profile's program prints text and ends with status. */
static void script(const char *text, int status)
{
    const char *program = aws_path("program", pool);

    reset();
    aws_write("program", apr_psprintf(pool, "#!/bin/sh\necho hush >&2\ncat <<'END'\n%s\nEND\nexit %d\n", text, status),
              pool);
    chmod(program, 0700);
    aws_write(".aws/config", apr_psprintf(pool, "[default]\ncredential_process = '%s' \"a b\"\n", program), pool);
}

static void set_command(const char *command)
{
    reset();
    aws_write(".aws/config", apr_psprintf(pool, "[default]\ncredential_process = %s\n", command), pool);
}

static apr_status_t fetch(void)
{
    return fetch_with(&ddb_creds_process, NULL);
}

static void test_good(void)
{
    script(WHOLE, 0);
    NUM_IS(fetch(), APR_SUCCESS, "a program prints credentials");
    IS(found.access_key_id, "ASIAP", "the key ID");
    IS(found.secret_access_key, "p/secret", "the secret");
    IS(found.session_token, "p/token", "the token");
    IS(found.account_id, "123456789012", "the account");
    NUM_IS(found.expires, apr_time_from_sec(1795399323), "until they expire");
    script("{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}", 0);
    NUM_IS(fetch(), APR_SUCCESS, "a pair alone will do");
    NUM_IS(found.expires, 0, "for ever");
    IS(found.session_token, NULL, "without a token");
    set_command("printf %s '{\"Version\":1,\"AccessKeyId\":\"A\",' \"\\\"SecretAccessKey\\\":\\\"a;$HOME b\\\"}\"");
    NUM_IS(fetch(), APR_SUCCESS, "arguments in quotes");
    IS(found.secret_access_key, "a;$HOME b", "are not seen by a shell");
}

static void test_none(void)
{
    reset();
    NUM_IS(fetch(), APR_NOTFOUND, "without files there is none");
    aws_write(".aws/config", "[default]\nregion = r\n", pool);
    NUM_IS(fetch(), APR_NOTFOUND, "nor in a profile without one");
    IS(err.detail, "no credential_process", "as it says");
}

static void test_faults(void)
{
    static const struct {
        const char *text;
        int status;
        apr_status_t rv;
        const char *says;
    } cases[] = {
        { WHOLE, 3, DDB_EUNAVAILABLE, "the profile's credential_process ended with status 3; run it by hand" },
        { "", 0, DDB_EBADREPLY, "printed something other than one JSON object; run it by hand" },
        { "secret/hush", 0, DDB_EBADREPLY, "printed something other" },
        { WHOLE WHOLE, 0, DDB_EBADREPLY, "printed something other" },
        { "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\"}", 0, DDB_EBADREPLY, "\"Version\": 1" },
        { "{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\"}", 0, DDB_EBADREPLY, "\"Version\": 1" },
        { "{\"Version\":\"1\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\"}", 0, DDB_EBADREPLY,
          "\"Version\": 1" },
        { "{\"Version\":1,\"AccessKeyId\":\"A\"}", 0, DDB_EBADREPLY, "SecretAccessKey is missing" },
        { "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\",\"Expiration\":\"soon\"}", 0,
          DDB_EBADREPLY, "Expiration is not a time" },
        { "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\",\"Expiration\":\"2026-11-23T01:02:03Z\"}",
          0, DDB_EBADREPLY, "expired 0 s ago" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        script(cases[i].text, cases[i].status);
        NUM_IS(fetch(), cases[i].rv, apr_pstrcat(pool, "an error: ", cases[i].says, NULL));
        OK(strstr(err.detail, cases[i].says) && !strstr(err.detail, "hush"), "  that says so, and nothing it printed");
    }
}

static void test_commands(void)
{
    set_command("'/bin/echo");
    NUM_IS(fetch(), DDB_ECONFIG, "a quote that does not end");
    OK(strstr(err.detail, "quote"), "is named");
    set_command("''");
    NUM_IS(fetch(), DDB_ECONFIG, "a program without a name can't be started");
    set_command("/nonexistent/program");
    NUM_IS(fetch(), DDB_ECONFIG, "nor can one that is not there");
    OK(strstr(err.detail, "could not be started"), "as it says");
    set_command("sleep 60");
    opts.process_timeout = apr_time_from_msec(100);
    NUM_IS(fetch(), APR_TIMEUP, "one that takes too long");
    OK(strstr(err.detail, "was killed; run it by hand as the user that httpd runs as"), "is killed");
    set_command("yes");
    NUM_IS(fetch(), DDB_ETOOLARGE, "one that prints without end too");
}

static void test_end(void)
{
    aws_remove("program", pool);
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_good();
    test_none();
    test_faults();
    test_commands();
    test_end();
}
