/* The least IAM policy. */

#include <stdio.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "ddb_partition.h"
#include "commands.h"

static const char *const sessions[] = { "GetItem", "PutItem", "UpdateItem", "DeleteItem", NULL };
static const char *const creation[] = { "CreateTable", "DescribeTable", "DescribeTimeToLive", "UpdateTimeToLive",
                                        NULL };
static const char *const checking[] = { "DescribeTable", "DescribeTimeToLive", NULL };
static const char *const operation[] = { "Scan", NULL };

/* Where the table is, "*" for what nobody knows. */
static const char *resource(const options_t *o, int *open, apr_pool_t *p)
{
    ddb_endpoint_opts_t where = { .region = o->region, .profile = o->profile };
    const char *region = "*", *partition = "aws";
    ddb_endpoint_t endpoint;
    ddb_error_t err = { 0 };

    *open = 0;
    if (ddb_partition_is_arn(o->table)) {
        return o->table;
    }
    if (ddb_endpoint_resolve(&endpoint, &where, p, &err) == APR_SUCCESS) {
        region = endpoint.region;
        partition = ddb_partition_of(region)->name;
    }
    *open = *region == '*' || !o->account;
    return apr_psprintf(p, "arn:%s:dynamodb:%s:%s:table/%s", partition, region, o->account ? o->account : "*",
                        o->table);
}

/* An action that several ask for stands there once. */
static void allow(ddb_json_t *statement, const char *const *actions, apr_hash_t *seen, apr_pool_t *p)
{
    for (; *actions; actions++) {
        if (!apr_hash_get(seen, *actions, APR_HASH_KEY_STRING)) {
            apr_hash_set(seen, *actions, APR_HASH_KEY_STRING, "");
            ddb_json_add_str(statement, "Action", apr_pstrcat(p, "dynamodb:", *actions, NULL));
        }
    }
}

static void fill(ddb_json_t *policy, const options_t *o, const char *on, apr_pool_t *p)
{
    apr_hash_t *seen = apr_hash_make(p);
    ddb_json_t *statement;

    ddb_json_set_str(policy, "Version", "2012-10-17");
    statement = ddb_json_add_object(policy, "Statement");
    ddb_json_set_str(statement, "Effect", "Allow");
    allow(statement, sessions, seen, p);
    if (o->for_creation) {
        allow(statement, creation, seen, p);
    }
    if (o->for_check) {
        allow(statement, checking, seen, p);
    }
    if (o->for_operation) {
        allow(statement, operation, seen, p);
    }
    ddb_json_set_str(statement, "Resource", on);
}

exit_e policy_print(const options_t *o, report_t *r, apr_pool_t *p)
{
    static const char note[] = "region or account is not known here and stands as *: name them by --region and "
                               "--account, or the table by its ARN";
    ddb_json_t *policy = r->json ? ddb_json_set_object(r->json, "policy") : ddb_json_object(p);
    int open;

    fill(policy, o, resource(o, &open, p), p);
    report_line(r, "%s", ddb_json_print_lines(policy, p));
    if (open && r->json) {
        ddb_json_set_str(r->json, "note", note);
    }
    else if (open) {
        fprintf(stderr, "session-dynamodb: %s\n", note);
    }
    return EXIT_GOOD;
}
