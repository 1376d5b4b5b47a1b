/* The least IAM policy. */

#include <stdio.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "aws/ddb_partition.h"
#include "commands.h"

static const char *const sessions[] = { "GetItem", "PutItem", "UpdateItem", "DeleteItem", NULL };
static const char *const creation[] = { "CreateTable", "DescribeTable", "DescribeTimeToLive", "UpdateTimeToLive",
                                        NULL };
static const char *const checking[] = { "DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups", NULL };
static const char *const operation[] = { "Scan", "GetItem", "UpdateItem", "DeleteItem", NULL };

/* Region and account of the table; "*" where unknown. */
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

static ddb_json_t *add_statement(ddb_json_t *policy, const char *sid)
{
    ddb_json_t *statement = ddb_json_add_object(policy, "Statement");

    ddb_json_set_str(statement, "Sid", sid);
    ddb_json_set_str(statement, "Effect", "Allow");
    return statement;
}

/* A server that can scan the table can give away every session in it, so what operators need is not for httpd. */
static void fill(ddb_json_t *policy, const options_t *o, const char *on, apr_pool_t *p)
{
    apr_hash_t *seen = apr_hash_make(p);
    ddb_json_t *statement;

    ddb_json_set_str(policy, "Version", "2012-10-17");
    statement = add_statement(policy, "Httpd");
    allow(statement, sessions, seen, p);
    if (o->for_creation) {
        allow(statement, creation, seen, p);
    }
    if (o->for_check) {
        allow(statement, checking, seen, p);
    }
    ddb_json_set_str(statement, "Resource", on);
    if (o->for_operation) {
        statement = add_statement(policy, "Operators");
        allow(statement, operation, apr_hash_make(p), p);
        ddb_json_set_str(statement, "Resource", on);
    }
}

static void say_notes(const options_t *o, int open, report_t *r, apr_pool_t *p)
{
    const char *where =
        open ? "the ARN has * for what is unknown: give both --region and --account, or name the table by its ARN"
             : NULL;
    const char *who = o->for_operation
                          ? "two statements for two roles: do not give httpd the Operators statement; it needs no Scan"
                          : NULL;

    if (r->json && (where || who)) {
        ddb_json_set_str(r->json, "note", where && who ? apr_pstrcat(p, where, "; ", who, NULL) : where ? where : who);
    }
    if (!r->json && where) {
        (void)fprintf(stderr, "session-dynamodb: %s\n", where);
    }
    if (!r->json && who) {
        (void)fprintf(stderr, "session-dynamodb: %s\n", who);
    }
}

exit_e policy_print(const options_t *o, report_t *r, apr_pool_t *p)
{
    ddb_json_t *policy = r->json ? ddb_json_set_object(r->json, "policy") : ddb_json_object(p);
    int open;

    fill(policy, o, resource(o, &open, p), p);
    report_line(r, "%s", ddb_json_print_lines(policy, p));
    say_notes(o, open, r, p);
    return EXIT_GOOD;
}
