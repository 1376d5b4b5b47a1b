#ifndef DDB_PARTITION_H
#define DDB_PARTITION_H

#include <apr_pools.h>

/**
 * AWS partitions: which regions there are and what their host names end with (botocore's partitions.json). Constants;
 * nothing to free.
 */
typedef struct ddb_partition_t {
    const char *name;              /* such as "aws" */
    const char *suffix;            /* of host names */
    const char *dual_stack_suffix; /* of host names that have IPv6 addresses too */
    const char *prefixes[10];      /* of its regions */
} ddb_partition_t;

/** The partition of a region. A region newer than this table belongs to the first partition, aws. Never NULL. */
const ddb_partition_t *ddb_partition_of(const char *region);

/** fips-us-east-1 and us-east-1-fips are old names for a region with FIPS: the region; *fips set to 1 for those. */
const char *ddb_partition_without_fips(const char *region, int *fips, apr_pool_t *p);

/** Regions and hosts have no upper case. A copy in p. */
char *ddb_partition_lower_case(const char *text, apr_pool_t *p);

/** NULL when region has a form that AWS uses (FIPS too) or is "local"; else a sentence that says what is wrong. */
const char *ddb_partition_check_region(const char *region, apr_pool_t *p);

/** A table's ARN (AWS General Reference, "Amazon Resource Names"): arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME. */
typedef struct ddb_table_arn_t {
    const char *region, *account_id, *name;
} ddb_table_arn_t;

/** 1 when the text begins as an ARN does, and so is not the name of a table. */
int ddb_partition_is_arn(const char *text);

/** Fill *out, in p. NULL, or a sentence that says what is wrong. */
const char *ddb_partition_parse_arn(ddb_table_arn_t *out, const char *text, apr_pool_t *p);

/** NULL when name can be a table's (DynamoDB Developer Guide, "Naming rules"); else a sentence. */
const char *ddb_partition_check_table(const char *name, apr_pool_t *p);

#endif
