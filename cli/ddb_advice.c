/* What the description of a table means for sessions. Members and their values: DynamoDB API Reference,
 * "TableDescription", "ContinuousBackupsDescription". */

#include <string.h>

#include <apr_strings.h>

#include "ddb_advice.h"

#define LOW_UNITS 10 /* a second; fewer suffice for a site with a request now and then */

#define NOT_TOLD "is not checked: this service does not tell"

/** One look at a description. */
typedef struct look_t {
    apr_array_header_t *findings;
    const ddb_json_t *table;
    int whole; /* 1: the service knows the members of today, so that a missing one has its meaning */
    apr_pool_t *p;
} look_t;

static int is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static int is_told(const look_t *l, const char *member, const char *about, const char *untold)
{
    int told = l->whole || ddb_json_has(l->table, member);

    if (!told) {
        ddb_table_unseen(l->findings, about, untold);
    }
    return told;
}

/* --- replicas --- */

static const char *add_regions(const char *list, const look_t *l, const char *member, const char *status,
                               const char *what)
{
    const ddb_json_t *at;

    for (at = ddb_json_item(l->table, member, 0); at; at = ddb_json_next(at)) {
        const char *region = ddb_json_str(at, "RegionName"), *state = ddb_json_str(at, status);

        list = apr_psprintf(l->p, "%s%s%.40s%s (%.40s)", list, *list ? ", " : "", region ? region : "?", what,
                            state ? state : "?");
    }
    return list;
}

/* Conditions and consistent reads: DynamoDB Developer Guide, "How DynamoDB global tables work". */
static void judge_replicas(const look_t *l)
{
    const char *regions;

    if (!is_told(l, "Replicas", "replicas", "replicas: whether there are any " NOT_TOLD)) {
        return;
    }
    if (ddb_json_length(l->table, "Replicas") <= 0) {
        ddb_table_found(l->findings, "replicas", DDB_GOOD,
                        "the table is in one Region: conditions and consistent reads hold for all servers");
        return;
    }
    regions = add_regions("", l, "Replicas", "ReplicaStatus", "");
    if (is(ddb_json_str(l->table, "MultiRegionConsistency"), "STRONG")) {
        ddb_table_found(l->findings, "replicas", DDB_DOUBT,
                        apr_psprintf(l->p,
                                     "a global table with strong consistency (MRSC), replicas: %s: conditions and "
                                     "consistent reads hold in all Regions, but each write waits for another Region, "
                                     "and time to live is not supported: run session-dynamodb purge regularly",
                                     add_regions(regions, l, "GlobalTableWitnesses", "WitnessStatus", " as witness")));
        return;
    }
    ddb_table_found(
        l->findings, "replicas", DDB_DOUBT,
        apr_psprintf(l->p,
                     "a global table with eventual consistency (MREC), replicas: %s: conditions and "
                     "consistent reads hold within a Region, and of writes in two Regions the last one "
                     "stays, so a logout in one Region arrives late in the other, or is undone by a request "
                     "there: use a table for each Region, or send each client to one Region, or use strong "
                     "consistency (MRSC)",
                     regions));
}

/* --- capacity --- */

static void judge_on_demand(const look_t *l)
{
    const ddb_json_t *limit = ddb_json_child(l->table, "OnDemandThroughput");
    apr_int64_t reads = -1, writes = -1;

    ddb_json_int(limit, "MaxReadRequestUnits", &reads); /* -1: there is none */
    ddb_json_int(limit, "MaxWriteRequestUnits", &writes);
    if (reads < 0 && writes < 0) {
        ddb_table_found(l->findings, "capacity", DDB_GOOD, "capacity is on demand");
        return;
    }
    ddb_table_found(l->findings, "capacity",
                    (reads >= 0 && reads < LOW_UNITS) || (writes >= 0 && writes < LOW_UNITS) ? DDB_DOUBT : DDB_GOOD,
                    apr_psprintf(l->p,
                                 "capacity is on demand, limited to %" APR_INT64_T_FMT " read and %" APR_INT64_T_FMT
                                 " write units a second (-1: no limit): more is throttled, then answered 503; compare "
                                 "with session-dynamodb cost",
                                 reads, writes));
}

static void judge_capacity(const look_t *l)
{
    const ddb_json_t *units = ddb_json_child(l->table, "ProvisionedThroughput");
    apr_int64_t reads = 0, writes = 0;

    if (is(ddb_json_str(ddb_json_child(l->table, "BillingModeSummary"), "BillingMode"), "PAY_PER_REQUEST")) {
        judge_on_demand(l);
        return;
    }
    if (!ddb_json_int(units, "ReadCapacityUnits", &reads) || !ddb_json_int(units, "WriteCapacityUnits", &writes)) {
        ddb_table_unseen(l->findings, "capacity", "capacity " NOT_TOLD);
        return;
    }
    ddb_table_found(
        l->findings, "capacity", reads < LOW_UNITS || writes < LOW_UNITS ? DDB_DOUBT : DDB_GOOD,
        apr_psprintf(l->p,
                     "capacity is provisioned: %" APR_INT64_T_FMT " read and %" APR_INT64_T_FMT
                     " write units a second%s; more is throttled, then answered 503: compare with session-dynamodb "
                     "cost, use auto scaling, which is not checked here, or capacity on demand",
                     reads, writes, reads < LOW_UNITS || writes < LOW_UNITS ? ", which is little" : ""));
}

/* --- protection, encryption, class --- */

static void judge_protection(const look_t *l)
{
    if (!is_told(l, "DeletionProtectionEnabled", "deletion-protection", "deletion protection " NOT_TOLD)) {
        return;
    }
    if (ddb_json_true(l->table, "DeletionProtectionEnabled")) {
        ddb_table_found(l->findings, "deletion-protection", DDB_GOOD, "deletion protection is on");
        return;
    }
    ddb_table_found(l->findings, "deletion-protection", DDB_DOUBT,
                    "deletion protection is off, so one mistaken call ends all sessions: switch it on (aws dynamodb "
                    "update-table --deletion-protection-enabled)");
}

static void judge_encryption(const look_t *l)
{
    const ddb_json_t *sse = ddb_json_child(l->table, "SSEDescription");
    const char *status = ddb_json_str(sse, "Status"), *key = ddb_json_str(sse, "KMSMasterKeyArn");

    if (!is_told(l, "SSEDescription", "encryption", "the encryption key " NOT_TOLD)) {
        return;
    }
    if (ddb_json_has(sse, "InaccessibleEncryptionDateTime")) {
        ddb_table_found(l->findings, "encryption", DDB_WRONG,
                        apr_psprintf(l->p,
                                     "DynamoDB cannot use the KMS key %.200s: enable it and allow DynamoDB to use it; "
                                     "after seven days the table is archived",
                                     key ? key : "of the table"));
        return;
    }
    if (!status || is(status, "DISABLED")) {
        ddb_table_found(l->findings, "encryption", DDB_GOOD, "encrypted with a key that DynamoDB owns");
        return;
    }
    ddb_table_found(l->findings, "encryption", DDB_GOOD,
                    apr_psprintf(l->p, "encrypted with the KMS key %.200s%s%.40s: who disables it stops all sessions",
                                 key ? key : "of the account", is(status, "ENABLED") ? "" : ", which is ",
                                 is(status, "ENABLED") ? "" : status));
}

static void judge_class(const look_t *l)
{
    const char *class = ddb_json_str(ddb_json_child(l->table, "TableClassSummary"), "TableClass");

    if (!is_told(l, "TableClassSummary", "class", "the table class " NOT_TOLD)) {
        return;
    }
    if (!class || is(class, "STANDARD")) {
        ddb_table_found(l->findings, "class", DDB_GOOD, "the table class is Standard");
        return;
    }
    ddb_table_found(l->findings, "class", DDB_DOUBT,
                    apr_psprintf(l->p,
                                 "the table class is %.40s, with cheaper storage and dearer requests; sessions are "
                                 "small and often requested: use Standard (aws dynamodb update-table --table-class "
                                 "STANDARD)",
                                 class));
}

void ddb_advice_describe(apr_array_header_t *findings, const ddb_json_t *description, apr_pool_t *p)
{
    const look_t l = { .findings = findings,
                       .table = description,
                       .whole = ddb_json_has(description, "DeletionProtectionEnabled"),
                       .p = p };

    if (!description) {
        ddb_table_unseen(findings, "description",
                         "replicas, capacity, deletion protection, encryption and table class are not checked: needs "
                         "dynamodb:DescribeTable");
        return;
    }
    judge_replicas(&l);
    judge_capacity(&l);
    judge_protection(&l);
    judge_encryption(&l);
    judge_class(&l);
}

/* --- point-in-time recovery --- */

static void judge_recovery(apr_array_header_t *findings, const ddb_json_t *backups, apr_pool_t *p)
{
    const ddb_json_t *recovery = ddb_json_child(backups, "PointInTimeRecoveryDescription");
    const char *status = ddb_json_str(recovery, "PointInTimeRecoveryStatus");
    apr_int64_t days = 35; /* where the reply has none: the longest that there is */

    if (!is(status, "ENABLED")) {
        ddb_table_found(findings, "recovery", DDB_GOOD,
                        "point-in-time recovery is off: if the table is lost, users log in again; nothing that they "
                        "ended can come back");
        return;
    }
    ddb_json_int(recovery, "RecoveryPeriodInDays", &days);
    ddb_table_found(findings, "recovery", DDB_GOOD,
                    apr_psprintf(p,
                                 "point-in-time recovery is on: rows of ended sessions are kept for %" APR_INT64_T_FMT
                                 " days, and a restored table has sessions that ended since: set another "
                                 "SessionDynamoDBAudience with it, or empty it",
                                 days));
}

apr_status_t ddb_advice_recovery(apr_array_header_t *findings, const ddb_table_t *t, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *reply;
    apr_status_t rv = ddb_table_call(t, "DescribeContinuousBackups", ddb_json_print(ddb_table_body(t, p), p), &reply, p,
                                     err);

    if (rv == APR_SUCCESS) {
        judge_recovery(findings, ddb_json_child(reply, "ContinuousBackupsDescription"), p);
        return rv;
    }
    if (ddb_table_is_forbidden(err)) {
        ddb_table_unseen(findings, "recovery",
                         "point-in-time recovery is not checked: needs dynamodb:DescribeContinuousBackups");
        return APR_SUCCESS;
    }
    if (strcmp(err->type, "UnknownOperationException") == 0) {
        ddb_table_unseen(findings, "recovery", "point-in-time recovery " NOT_TOLD);
        return APR_SUCCESS;
    }
    return rv;
}
