/* AWS partitions and their regions, names of tables and their ARNs. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "aws/ddb_partition.h"
#include "base/ddb_array.h"

#define EXAMPLE_REGION "eu-central-1"
#define EXAMPLE_ARN    "arn:aws:dynamodb:" EXAMPLE_REGION ":123456789012:table/app_session"

#define MAX_REGION_BYTES 63 /* it is a label of a host name */
#define MAX_TABLE_BYTES  255
#define MIN_TABLE_BYTES  3
#define ACCOUNT_DIGITS   12

/* botocore's partitions.json: a region is one of the prefixes, a word and a number; the first partition is also that
 * of regions which are newer than this table. */
static const ddb_partition_t partitions[] = {
    { "aws", "amazonaws.com", "api.aws", { "us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx" } },
    { "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", { "cn" } },
    { "aws-us-gov", "amazonaws.com", "api.aws", { "us-gov" } },
    { "aws-iso", "c2s.ic.gov", "api.aws.ic.gov", { "us-iso" } },
    { "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", { "us-isob" } },
    { "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", { "eu-isoe" } },
    { "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", { "us-isof" } },
    { "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", { "eusc-de" } },
};

#define PARTITIONS DDB_ARRAY_LENGTH(partitions)

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

char *ddb_partition_lower_case(const char *text, apr_pool_t *p)
{
    char *out = apr_pstrdup(p, text), *c;

    for (c = out; *c; c++) {
        *c = apr_tolower(*c);
    }
    return out;
}

static int is_number(const char *s)
{
    return *s && s[strspn(s, DIGITS)] == '\0';
}

/* Behind the prefix: -word-number. */
static int has_prefix(const char *region, const char *prefix)
{
    apr_size_t len = strlen(prefix), word;

    if (strncmp(region, prefix, len) != 0 || region[len] != '-') {
        return 0;
    }
    region += len + 1;
    word = strspn(region, LOWER DIGITS);
    return word && region[word] == '-' && is_number(region + word + 1);
}

static const ddb_partition_t *find_partition(const char *region)
{
    apr_size_t i, j;

    for (i = 0; i < PARTITIONS; i++) {
        for (j = 0; partitions[i].prefixes[j]; j++) {
            if (has_prefix(region, partitions[i].prefixes[j])) {
                return &partitions[i];
            }
        }
    }
    return NULL;
}

const ddb_partition_t *ddb_partition_of(const char *region)
{
    const ddb_partition_t *found = find_partition(region);

    return found ? found : &partitions[0];
}

/* Two letters, one or more words of letters, a number: what a region that AWS opens tomorrow looks like. */
static int has_general_form(const char *region)
{
    const char *rest = region + strspn(region, LOWER);
    int words = 0;

    if (rest - region != 2) {
        return 0;
    }
    while (*rest == '-' && !is_number(rest + 1)) {
        apr_size_t word = strspn(rest + 1, LOWER);

        if (!word) {
            return 0;
        }
        rest += 1 + word;
        words++;
    }
    return words && *rest == '-';
}

static int is_region(const char *region)
{
    return strlen(region) <= MAX_REGION_BYTES && region[strspn(region, LOWER DIGITS "-")] == '\0'
           && (find_partition(region) || has_general_form(region));
}

/* What people write where a region belongs. */
static const char *looks_like(const char *region, apr_pool_t *p)
{
    apr_size_t len = strlen(region);
    const char *zone_of = apr_pstrmemdup(p, region, len - 1);

    if (strpbrk(region, "./:")) {
        return "looks like a host name, URL or ARN";
    }
    if (strpbrk(region, " \t\r\n")) {
        return "contains a space or a line break";
    }
    if (apr_isalpha(region[len - 1]) && is_region(zone_of)) {
        return apr_psprintf(p, "looks like an availability zone of region %s", zone_of);
    }
    return is_region(ddb_partition_lower_case(region, p)) ? "contains upper-case letters; regions have none"
                                                          : "does not look like an AWS region";
}

const char *ddb_partition_without_fips(const char *region, int *fips, apr_pool_t *p)
{
    apr_size_t len = strlen(region);

    if (strncmp(region, "fips-", 5) == 0) {
        *fips = 1;
        return region + 5;
    }
    if (len > 5 && strcmp(region + len - 5, "-fips") == 0) {
        *fips = 1;
        return apr_pstrmemdup(p, region, len - 5);
    }
    return region;
}

const char *ddb_partition_check_region(const char *region, apr_pool_t *p)
{
    int fips;

    if (!*region) {
        return "the region is empty; regions look like " EXAMPLE_REGION;
    }
    if (strcmp(region, "local") == 0 || is_region(ddb_partition_without_fips(region, &fips, p))) {
        return NULL;
    }
    return apr_psprintf(p, "region \"%.40s\" %s; regions look like " EXAMPLE_REGION, region, looks_like(region, p));
}

/* --- tables --- */

const char *ddb_partition_check_table(const char *name, apr_pool_t *p)
{
    apr_size_t len = strlen(name);

    if (len >= MIN_TABLE_BYTES && len <= MAX_TABLE_BYTES && name[strspn(name, LOWER UPPER DIGITS "_.-")] == '\0') {
        return NULL;
    }
    return apr_psprintf(p, "'%.255s' is not a table name: DynamoDB takes 3 to 255 letters, digits and any of _ . -",
                        name);
}

int ddb_partition_is_arn(const char *text)
{
    return strncmp(text, "arn:", 4) == 0;
}

/* The parts between colons: arn, partition, service, region, account, resource. 0: not as many. */
static int split_arn(char *text, char *parts[6])
{
    int n;

    for (n = 0; n < 5; n++) {
        char *colon = strchr(text, ':');

        if (!colon) {
            return 0;
        }
        *colon = '\0';
        parts[n] = text;
        text = colon + 1;
    }
    parts[n] = text;
    return 1;
}

const char *ddb_partition_parse_arn(ddb_table_arn_t *out, const char *text, apr_pool_t *p)
{
    const char *form = apr_psprintf(p, "'%.300s' is not the ARN of a table, which looks like " EXAMPLE_ARN, text),
               *wrong;
    char *parts[6];

    if (!split_arn(apr_pstrdup(p, text), parts) || strcmp(parts[0], "arn") != 0 || strcmp(parts[2], "dynamodb") != 0
        || strncmp(parts[5], "table/", 6) != 0) {
        return form;
    }
    if (strlen(parts[4]) != ACCOUNT_DIGITS || !is_number(parts[4])) {
        return apr_pstrcat(p, form, ": the account must have 12 digits", NULL);
    }
    out->region = parts[3];
    out->account_id = parts[4];
    out->name = parts[5] + 6;
    wrong = ddb_partition_check_region(out->region, p);
    if (wrong) {
        return wrong;
    }
    if (strcmp(ddb_partition_of(out->region)->name, parts[1]) != 0) {
        return apr_psprintf(p, "%s: region %s belongs to the partition %s", form, out->region,
                            ddb_partition_of(out->region)->name);
    }
    return ddb_partition_check_table(out->name, p);
}
