/* What the description of a table means for sessions: replies as AWS documents them, and those of a service that knows
 * less. */

#include <stdlib.h>

#include "cli/ddb_advice.h"
#include "tap.h"
#include "client_world.h"

/* A member that every reply of today has. */
#define OF_TODAY(rest) "{\"DeletionProtectionEnabled\":false" rest "}"
#define ON_DEMAND      ",\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"}"
#define KEY            "arn:aws:kms:eu-central-1:123456789012:key/k"
#define ERROR(name)    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#" name "\",\"message\":\"m\"}"

static const ddb_finding_t *finding(const apr_array_header_t *findings, const char *about)
{
    static const ddb_finding_t none = { .about = "", .text = "(nothing)" };
    int i;

    for (i = 0; i < findings->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(findings, i, ddb_finding_t).about, about) == 0) {
            return &APR_ARRAY_IDX(findings, i, ddb_finding_t);
        }
    }
    return &none;
}

static apr_array_header_t *describe(const char *text, apr_pool_t *p)
{
    apr_array_header_t *findings = apr_array_make(p, 8, sizeof(ddb_finding_t));
    ddb_json_t *description = NULL;

    if (text && ddb_json_parse(&description, text, strlen(text), p) != APR_SUCCESS) {
        printf("Bail out! no JSON: %s\n", text);
        exit(1);
    }
    ddb_advice_describe(findings, description, p);
    return findings;
}

static void test_description(apr_pool_t *p)
{
    static const struct {
        const char *table, *about;
        ddb_finding_e is;
        const char *text;
    } cases[] = {
        { OF_TODAY(""), "replicas", DDB_GOOD, "in one Region" },
        { OF_TODAY(",\"Replicas\":[]"), "replicas", DDB_GOOD, "in one Region" },
        { OF_TODAY(",\"Replicas\":[{\"RegionName\":\"eu-west-1\",\"ReplicaStatus\":\"ACTIVE\"},"
                   "{\"RegionName\":\"us-east-1\",\"ReplicaStatus\":\"REGION_DISABLED\"}],"
                   "\"GlobalTableVersion\":\"2019.11.21\""),
          "replicas", DDB_DOUBT, "(MREC), replicas: eu-west-1 (ACTIVE), us-east-1 (REGION_DISABLED): conditions" },
        { OF_TODAY(",\"Replicas\":[{\"RegionName\":\"eu-west-1\",\"ReplicaStatus\":\"ACTIVE\"}],"
                   "\"MultiRegionConsistency\":\"EVENTUAL\""),
          "replicas", DDB_DOUBT, "logout in one Region arrives late in the other" },
        { OF_TODAY(",\"Replicas\":[{\"RegionName\":\"us-east-1\",\"ReplicaStatus\":\"ACTIVE\"}],"
                   "\"GlobalTableWitnesses\":[{\"RegionName\":\"us-west-2\",\"WitnessStatus\":\"ACTIVE\"}],"
                   "\"MultiRegionConsistency\":\"STRONG\""),
          "replicas", DDB_DOUBT,
          "(MRSC), replicas: us-east-1 (ACTIVE), us-west-2 as witness (ACTIVE): conditions and" },
        { OF_TODAY(ON_DEMAND), "capacity", DDB_GOOD, "capacity is on demand" },
        { OF_TODAY(ON_DEMAND ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1,\"MaxWriteRequestUnits\":-1}"),
          "capacity", DDB_GOOD, "capacity is on demand" },
        { OF_TODAY(ON_DEMAND ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":9000,\"MaxWriteRequestUnits\":4000}"),
          "capacity", DDB_GOOD, "limited to 9000 read and 4000 write units" },
        { OF_TODAY(ON_DEMAND ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1,\"MaxWriteRequestUnits\":1}"),
          "capacity", DDB_DOUBT, "limited to -1 read and 1 write units" },
        { OF_TODAY(",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":10,\"WriteCapacityUnits\":10}"), "capacity",
          DDB_GOOD, "provisioned: 10 read and 10 write units a second; more" },
        { OF_TODAY(",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1000,\"WriteCapacityUnits\":9}"), "capacity",
          DDB_DOUBT, "1000 read and 9 write units a second, which is little" },
        { OF_TODAY(",\"BillingModeSummary\":{\"BillingMode\":\"PROVISIONED\"},"
                   "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,\"WriteCapacityUnits\":100}"),
          "capacity", DDB_DOUBT, "which is little" },
        { "{\"DeletionProtectionEnabled\":true}", "deletion-protection", DDB_GOOD, "is on" },
        { OF_TODAY(""), "deletion-protection", DDB_DOUBT, "--deletion-protection-enabled" },
        { OF_TODAY(""), "encryption", DDB_GOOD, "a key that DynamoDB owns" },
        { OF_TODAY(",\"SSEDescription\":{\"Status\":\"DISABLED\"}"), "encryption", DDB_GOOD,
          "a key that DynamoDB owns" },
        { OF_TODAY(",\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":\"" KEY "\"}"),
          "encryption", DDB_GOOD, "the KMS key " KEY ": who" },
        { OF_TODAY(",\"SSEDescription\":{\"Status\":\"UPDATING\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":\"" KEY "\"}"),
          "encryption", DDB_GOOD, KEY ", which is UPDATING: who" },
        { OF_TODAY(",\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":\"" KEY "\","
                   "\"InaccessibleEncryptionDateTime\":1795980400.325}"),
          "encryption", DDB_WRONG, "cannot use the KMS key " KEY ": enable it" },
        { OF_TODAY(""), "class", DDB_GOOD, "Standard" },
        { OF_TODAY(",\"TableClassSummary\":{\"TableClass\":\"STANDARD\"}"), "class", DDB_GOOD, "Standard" },
        { OF_TODAY(",\"TableClassSummary\":{\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"}"), "class", DDB_DOUBT,
          "STANDARD_INFREQUENT_ACCESS, with cheaper storage and dearer requests" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ddb_finding_t *f = finding(describe(cases[i].table, p), cases[i].about);

        NUM_IS(f->is, cases[i].is, cases[i].table);
        OK(strstr(f->text, cases[i].text), f->text);
        OK(!f->unseen, "which was seen");
    }
}

static void test_no_description(apr_pool_t *p)
{
    static const char *const members[] = { "replicas", "capacity", "deletion-protection", "encryption", "class" };
    apr_array_header_t *findings = describe("{\"TableStatus\":\"ACTIVE\"}", p);
    apr_size_t i;

    NUM_IS(findings->nelts, 5, "a service that tells less than today's");
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const ddb_finding_t *f = finding(findings, members[i]);

        OK(f->unseen && strstr(f->text, "this service does not tell"), f->text);
    }
    findings = describe(NULL, p);
    NUM_IS(findings->nelts, 1, "without the permission, one finding says so");
    OK(finding(findings, "description")->unseen, "and accuses nobody");
    OK(strstr(finding(findings, "description")->text, "needs dynamodb:DescribeTable"), "and names it");
}

static void test_recovery(apr_pool_t *p)
{
    static const struct {
        int status;
        const char *reply;
        apr_status_t rv;
        int unseen;
        const char *text;
    } cases[] = {
        { 200,
          "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","
          "\"PointInTimeRecoveryDescription\":{\"PointInTimeRecoveryStatus\":\"ENABLED\",\"RecoveryPeriodInDays\":7,"
          "\"EarliestRestorableDateTime\":1795980400.325}}}",
          APR_SUCCESS, 0, "recovery is on: rows of ended sessions are kept for 7 days" },
        { 200,
          "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","
          "\"PointInTimeRecoveryDescription\":{\"PointInTimeRecoveryStatus\":\"DISABLED\"}}}",
          APR_SUCCESS, 0, "recovery is off" },
        { 400, ERROR("AccessDeniedException"), APR_SUCCESS, 1,
          "is not checked: needs dynamodb:DescribeContinuousBackups" },
        { 400, ERROR("UnknownOperationException"), APR_SUCCESS, 1, "this service does not tell" },
        { 400, ERROR("InvalidSignatureException"), DDB_EDENIED, 0, "(nothing)" },
        { 500, ERROR("InternalServerError"), DDB_EUNAVAILABLE, 0, "(nothing)" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_t *w = world_create(p);
        const ddb_table_t table = {
            .name = "app_session", .clock = &w->clock, .timeout = apr_time_from_sec(5), .client = world_client(w, 1, p)
        };
        apr_array_header_t *findings = apr_array_make(p, 1, sizeof(ddb_finding_t));
        ddb_error_t err = { 0 };

        world_answer(w, cases[i].status, cases[i].reply);
        NUM_IS(ddb_advice_recovery(findings, &table, p, &err), cases[i].rv, cases[i].reply);
        OK(strstr(finding(findings, "recovery")->text, cases[i].text), finding(findings, "recovery")->text);
        NUM_IS(finding(findings, "recovery")->unseen, cases[i].unseen, "which was seen, or not");
        NUM_IS(w->n_sent, 1, "by one call");
        IS(err.operation, "DescribeContinuousBackups", "whose name a failure gives whole");
    }
}

TAP_MAIN(p)
{
    test_description(p);
    test_no_description(p);
    test_recovery(p);
}
