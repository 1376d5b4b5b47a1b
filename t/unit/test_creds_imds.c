/* Credentials of an EC2 instance's role: two requests, what can be wrong with their answers, and outages. */

#include "creds_world.h"

#define DOCUMENT(expires)                                                                                              \
    "{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-23T00:00:00Z\",\"Type\":\"AWS-HMAC\","                            \
    "\"AccessKeyId\":\"ASIAROLE\",\"SecretAccessKey\":\"role/secret\",\"Token\":\"role/token==\","                     \
    "\"Expiration\":\"" expires "\"}"
#define LATE "2026-11-23T07:00:00Z" /* the world's clock begins at 01:02:03 */

static apr_status_t fetch(void)
{
    return fetch_with(&ddb_creds_imds, NULL);
}

/* A service whose next answers are a token, this list of roles, and this document. */
static void script(const char *role, const char *document)
{
    reset();
    world_answer(w, 200, "TOKEN");
    world_answer(w, 200, role);
    world_answer(w, 200, document);
}

static void test_role(void)
{
    script("my-role", DOCUMENT(LATE));
    NUM_IS(fetch(), APR_SUCCESS, "the role of the instance has credentials");
    IS(w->sent[1].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "the role is asked for");
    IS(w->sent[2].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role", "then its keys");
    IS(apr_table_get(w->sent[2].headers, "X-aws-ec2-metadata-token"), "TOKEN", "with the same token");
    NUM_IS(w->n_sent, 3, "in three requests");
    IS(found.access_key_id, "ASIAROLE", "the key ID");
    IS(found.secret_access_key, "role/secret", "the secret");
    IS(found.session_token, "role/token==", "the token");
    NUM_IS(found.expires, apr_time_from_sec(1795417200), "until they expire");
    script("my-role\n", DOCUMENT(LATE));
    NUM_IS(fetch(), APR_SUCCESS, "a line break behind the role");
    OK(strstr(w->sent[2].url, "/my-role") && !strchr(w->sent[2].url, '\n'), "is not of its name");
}

static void test_state(void)
{
    void *state = NULL;

    script("r", DOCUMENT(LATE));
    world_answer(w, 200, "r");
    world_answer(w, 200, DOCUMENT(LATE));
    NUM_IS(ddb_creds_imds.prepare(&state, pool), APR_SUCCESS, "a chain keeps the token");
    NUM_IS(fetch_with(&ddb_creds_imds, state), APR_SUCCESS, "of the first fetch");
    NUM_IS(fetch_with(&ddb_creds_imds, state), APR_SUCCESS, "for the next");
    NUM_IS(w->n_sent, 5, "which needs two requests");
}

static void test_no_role(void)
{
    static const char *const bad[] = { "a/b",
                                       "../x",
                                       "a b",
                                       "a?b",
                                       "<html>",
                                       "caf\xc3\xa9",
                                       "a1234567890123456789012345678901234567890123456789012345678901234" };
    apr_size_t i;

    reset();
    world_answer(w, 200, "TOKEN");
    world_answer(w, 404, "<html>");
    NUM_IS(fetch(), APR_NOTFOUND, "an instance without a role has no credentials");
    IS(err.detail, "this EC2 instance has no role; attach one (an instance profile)", "as it says");
    script("", "");
    NUM_IS(fetch(), APR_NOTFOUND, "an empty list is none either");
    reset();
    world_answer(w, 200, "TOKEN");
    world_answer(w, 200, "r");
    world_answer(w, 404, "");
    NUM_IS(fetch(), APR_NOTFOUND, "nor a role that was taken away meanwhile");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        script(bad[i], DOCUMENT(LATE));
        NUM_IS(fetch(), DDB_EBADREPLY, "a name that can't be a role's is refused");
        NUM_IS(w->n_sent, 2, "and not asked for");
    }
}

static void test_documents(void)
{
    script("r", "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the role\\nr.\"}");
    NUM_IS(fetch(), DDB_EDENIED, "a role that EC2 may not take");
    IS(err.detail,
       "the instance metadata service returned no keys for role r: AssumeRoleUnauthorizedAccess EC2 cannot "
       "assume the role?r.",
       "is told in the service's words, made printable");
    script("r", "<html>hush");
    NUM_IS(fetch(), DDB_EBADREPLY, "something else than JSON");
    IS(err.detail, "the instance metadata service returned something other than JSON for role r", "is told");
    script("r", "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"" LATE "\"}");
    NUM_IS(fetch(), DDB_EBADREPLY, "a document without a token");
    OK(strstr(err.detail, "Token is missing"), "is told by that");
    script("r", "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}");
    NUM_IS(fetch(), DDB_EBADREPLY, "one that says not how long it holds, too");
    reset();
    world_answer(w, 200, "TOKEN");
    world_answer(w, 200, "r");
    world_answer(w, 500, "");
    NUM_IS(fetch(), DDB_EUNAVAILABLE, "one that does not come is an error");
}

static void test_absence(void)
{
    reset();
    world_fail(w, DDB_EUNAVAILABLE, 0);
    NUM_IS(fetch(), APR_NOTFOUND, "outside EC2 it is passed over");
    reset();
    world_fail(w, APR_TIMEUP, 1);
    NUM_IS(fetch(), APR_TIMEUP, "a service that takes connections and gives no token is an error");
    reset();
    aws_set("AWS_EC2_METADATA_DISABLED", "true", pool);
    NUM_IS(fetch(), APR_NOTFOUND, "who switched it off has none");
}

/* Until when they are used, in seconds from now. */
static long long used_for(const char *document)
{
    script("r", document);
    NUM_IS(fetch(), APR_SUCCESS, "keys are served");
    return apr_time_sec(found.expires - w->now);
}

static apr_status_t most(void *out, apr_size_t len)
{
    memset(out, 0, len);
    ((unsigned char *)out)[0] = 480 & 255; /* the end of the range, in an apr_uint32_t of either byte order below 481 */
    ((unsigned char *)out)[1] = 480 >> 8;
    return APR_SUCCESS;
}

static void test_failure_log(void)
{
    const ddb_creds_provider_t *provider = &ddb_creds_imds;

    NUM_IS(used_for(DOCUMENT("2026-11-23T01:19:04Z")), 1020, "keys with over 17 minutes left are used as long");
    NUM_IS(used_for(DOCUMENT("2026-11-23T01:19:03Z")), 1020, "those with less are taken to last 17 minutes from now");
    NUM_IS(used_for(DOCUMENT("2026-11-23T01:02:00Z")), 1020, "expired ones too: the service can't renew them");
    NUM_IS(used_for(DOCUMENT("2026-11-22T01:02:00Z")), 1020, "since whenever");
    script("r", DOCUMENT("2026-11-23T01:02:00Z"));
    opts.random = most;
    NUM_IS(provider->fetch(&opts, NULL, pool, &found, &err), APR_SUCCESS, "chance makes it");
    NUM_IS(apr_time_sec(found.expires - w->now), 1500, "up to 25 minutes");
    script("r", DOCUMENT("2026-11-23T01:02:00Z"));
    opts.random = NULL;
    NUM_IS(fetch(), APR_SUCCESS, "real chance");
    OK(found.expires - w->now >= apr_time_from_sec(1020) && found.expires - w->now <= apr_time_from_sec(1500),
       "something between");
}

static void test_settings(void)
{
    script("r", DOCUMENT(LATE));
    aws_write(".aws/config",
              "[default]\nec2_metadata_service_endpoint = http://profile:1\n"
              "metadata_service_timeout = 7\nmetadata_service_num_attempts = 2\n",
              pool);
    NUM_IS(fetch(), APR_SUCCESS, "a profile has settings");
    OK(strncmp(w->sent[0].url, "http://profile:1/latest/", 24) == 0, "the endpoint");
    NUM_IS(w->sent[0].timeout, apr_time_from_sec(7), "the timeout");
    script("r", DOCUMENT(LATE));
    aws_write(".aws/config",
              "[default]\nec2_metadata_service_endpoint = http://profile:1\n"
              "metadata_service_timeout = 7\n",
              pool);
    aws_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://variable:2/", pool);
    aws_set("AWS_METADATA_SERVICE_TIMEOUT", "3", pool);
    NUM_IS(fetch(), APR_SUCCESS, "so have variables");
    OK(strncmp(w->sent[0].url, "http://variable:2/latest/", 25) == 0, "which go before: the endpoint");
    NUM_IS(w->sent[0].timeout, apr_time_from_sec(3), "the timeout");
    script("r", DOCUMENT(LATE));
    aws_set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6", pool);
    NUM_IS(fetch(), APR_SUCCESS, "a mode");
    OK(strncmp(w->sent[0].url, "http://[fd00:ec2::254]/latest/", 30) == 0, "is an endpoint");
    script("r", DOCUMENT(LATE));
    aws_set("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many", pool);
    NUM_IS(fetch(), DDB_ECONFIG, "what is no number of attempts is an error");
    script("r", DOCUMENT(LATE));
    opts.imds_v1 = 1;
    w->answers[0].status = 404;
    NUM_IS(fetch(), APR_SUCCESS, "version 1 has to be allowed");
    script("r", DOCUMENT(LATE));
    w->answers[0].status = 404;
    NUM_IS(fetch(), DDB_EDENIED, "else it is not asked");
    script("r", DOCUMENT(LATE));
    aws_set("AWS_PROFILE", "nix", pool);
    NUM_IS(fetch(), DDB_ECONFIG, "a named profile that is missing is an error here as well");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_role();
    test_state();
    test_no_role();
    test_documents();
    test_absence();
    test_failure_log();
    test_settings();
}
