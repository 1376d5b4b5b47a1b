/* Region and endpoint: whose setting counts, the partitions, and what is refused. */

#include <apr_escape.h>

#include "aws/ddb_endpoint.h"
#include "aws/ddb_partition.h"
#include "tap.h"
#include "aws_files.h"
#include "world.h"

static apr_pool_t *pool;
static ddb_endpoint_opts_t opts;
static ddb_endpoint_t endpoint;
static ddb_error_t err;

static void reset(void)
{
    aws_reset(pool);
    memset(&opts, 0, sizeof(opts));
}

static apr_status_t resolve(void)
{
    memset(&endpoint, 0, sizeof(endpoint));
    memset(&err, 0, sizeof(err));
    return ddb_endpoint_resolve(&endpoint, &opts, pool, &err);
}

static const char *region_now(void)
{
    return resolve() == APR_SUCCESS ? endpoint.region : err.detail;
}

static const char *url_now(void)
{
    return resolve() == APR_SUCCESS ? endpoint.url : err.detail;
}

/* --- regions --- */

static void test_partitions(void)
{
    static const struct {
        const char *region, *host;
    } cases[] = {
        { "us-east-1", "dynamodb.us-east-1.amazonaws.com" },
        { "eu-central-2", "dynamodb.eu-central-2.amazonaws.com" },
        { "ap-southeast-10", "dynamodb.ap-southeast-10.amazonaws.com" },
        { "sa-east-1", "dynamodb.sa-east-1.amazonaws.com" },
        { "il-central-1", "dynamodb.il-central-1.amazonaws.com" },
        { "mx-central-1", "dynamodb.mx-central-1.amazonaws.com" },
        { "cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn" },
        { "cn-northwest-1", "dynamodb.cn-northwest-1.amazonaws.com.cn" },
        { "us-gov-west-1", "dynamodb.us-gov-west-1.amazonaws.com" },
        { "us-iso-east-1", "dynamodb.us-iso-east-1.c2s.ic.gov" },
        { "us-isob-east-1", "dynamodb.us-isob-east-1.sc2s.sgov.gov" },
        { "eu-isoe-west-1", "dynamodb.eu-isoe-west-1.cloud.adc-e.uk" },
        { "us-isof-south-1", "dynamodb.us-isof-south-1.csp.hci.ic.gov" },
        { "eusc-de-east-1", "dynamodb.eusc-de-east-1.amazonaws.eu" },
        { "cn-new2-1", "dynamodb.cn-new2-1.amazonaws.com.cn" },
        { "zz-nowhere-9", "dynamodb.zz-nowhere-9.amazonaws.com" },
        { "us-isox-east-1", "dynamodb.us-isox-east-1.amazonaws.com" },
    };
    apr_size_t i;

    reset();
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        opts.region = cases[i].region;
        NUM_IS(resolve(), APR_SUCCESS, apr_pstrcat(pool, "region ", cases[i].region, NULL));
        IS(endpoint.host, cases[i].host, "  has the host of its partition");
        IS(endpoint.url, apr_pstrcat(pool, "https://", cases[i].host, NULL), "  by TLS");
        IS(endpoint.region, cases[i].region, "  and signs with its name");
    }
}

static void test_local(void)
{
    reset();
    opts.region = "local";
    NUM_IS(resolve(), APR_SUCCESS, "region local");
    IS(endpoint.url, "http://localhost:8000", "is DynamoDB Local");
    IS(endpoint.host, "localhost:8000", "with its port in the host");
    IS(endpoint.region, "us-east-1", "signed as us-east-1");
    opts.url = "http://db:9000";
    resolve();
    IS(endpoint.url, "http://db:9000", "a URL goes before");
    IS(endpoint.region, "local", "and is signed as it says");
}

static void test_good_regions(void)
{
    static const char *const regions[] = { "local",          "us-east-1",      "us-gov-east-1",
                                           "eusc-de-east-1", "ab-cd-1",        "ab-cd-ef-gh-123",
                                           "us-word2-1",     "fips-us-east-1", "us-gov-west-1-fips" };
    apr_size_t i;

    for (i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        IS(ddb_partition_check_region(regions[i], pool), NULL, apr_pstrcat(pool, regions[i], " can be a region", NULL));
    }
}

#define BAD(region, what)                                                                                              \
    {                                                                                                                  \
        region, "region \"" region "\" " what "; regions look like eu-central-1"                                       \
    }

static void test_bad_regions(void)
{
    static const struct {
        const char *region, *message;
    } cases[] = {
        { "", "the region is empty; regions look like eu-central-1" },
        BAD("eu-central-1a", "looks like an availability zone of region eu-central-1"),
        BAD("us-gov-west-1b", "looks like an availability zone of region us-gov-west-1"),
        BAD("EU-Central-1", "contains upper-case letters; regions have none"),
        BAD("dynamodb.eu-west-1.amazonaws.com", "looks like a host name, URL or ARN"),
        BAD("https://h", "looks like a host name, URL or ARN"),
        BAD("eu-west-1 ", "contains a space or a line break"),
        BAD("eu-west-1\n", "contains a space or a line break"),
        BAD("fips-", "does not look like an AWS region"),
        BAD("fips-fips-us-east-1", "does not look like an AWS region"),
        BAD("x", "does not look like an AWS region"),
        BAD("-", "does not look like an AWS region"),
        BAD("Frankfurt", "does not look like an AWS region"),
        BAD("us-east", "does not look like an AWS region"),
        BAD("us-1", "does not look like an AWS region"),
        BAD("us--1", "does not look like an AWS region"),
        BAD("us-east-", "does not look like an AWS region"),
        BAD("us-east-1-", "does not look like an AWS region"),
        BAD("-us-east-1", "does not look like an AWS region"),
        BAD("us_east_1", "does not look like an AWS region"),
        BAD("usa-east-1", "does not look like an AWS region"),
        BAD("u-east-1", "does not look like an AWS region"),
        BAD("zz-word2-1", "does not look like an AWS region"),
        BAD("aws-global", "does not look like an AWS region"),
        BAD("us-west-2-lax-1", "does not look like an AWS region"),
        BAD("eusc-fr-east-1", "does not look like an AWS region"),
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        IS(ddb_partition_check_region(cases[i].region, pool), cases[i].message,
           apr_pstrcat(pool, "no region: '", apr_pescape_echo(pool, cases[i].region, 1), "'", NULL));
    }
}

static void test_region_length(void)
{
    char region[66];

    memset(region, 'a', sizeof(region));
    memcpy(region, "us-", 3);
    memcpy(region + 61, "-1", 3);
    IS(ddb_partition_check_region(region, pool), NULL, "a region of 63 characters can be one");
    memcpy(region + 61, "a-1", 4);
    IS(ddb_partition_check_region(region, pool),
       "region \"us-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" does not look like an AWS region; regions look like "
       "eu-central-1",
       "one of 64 can't, and is shown cut");
}

static void test_whose_region(void)
{
    reset();
    NUM_IS(resolve(), DDB_ECONFIG, "without a region there is no endpoint");
    IS(err.detail, "no region is set: set it in the configuration, AWS_REGION or the profile, such as eu-central-1",
       "and it is said where to set one");
    aws_write(".aws/config", "[default]\nregion = eu-west-1\n[profile p]\nregion = eu-west-2\n", pool);
    IS(region_now(), "eu-west-1", "the profile's region is the last");
    aws_set("AWS_PROFILE", "p", pool);
    IS(region_now(), "eu-west-2", "of the profile at hand");
    opts.profile.name = "default";
    IS(region_now(), "eu-west-1", "also one named in the options");
    aws_set("AWS_DEFAULT_REGION", "us-east-2", pool);
    IS(region_now(), "us-east-2", "AWS_DEFAULT_REGION goes before the profile");
    aws_set("AWS_REGION", "us-west-1", pool);
    IS(region_now(), "us-west-1", "AWS_REGION goes before AWS_DEFAULT_REGION");
    opts.region = "us-west-2";
    IS(region_now(), "us-west-2", "the option goes before all");
    opts.region = NULL;
    aws_set("AWS_REGION", "", pool);
    IS(region_now(), "us-east-2", "an empty variable is not set");
}

static void test_wrong_region(void)
{
    reset();
    aws_set("AWS_REGION", "x", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "a wrong region");
    IS(err.detail,
       "AWS_REGION: region \"x\" does not look like an AWS region; regions look like "
       "eu-central-1",
       "comes with the name of who said it");
    opts.url = "http://localhost:8000";
    NUM_IS(resolve(), DDB_ECONFIG, "it is wrong with an endpoint as well");
    aws_set("AWS_REGION", NULL, pool);
    aws_write(".aws/config", "[default]\nregion =\n  nested = map\n", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "as is a nested map of the profile");
    OK(strncmp(err.detail, "the profile: region", 19) == 0, "which is named too");
    opts.region = "y";
    resolve();
    OK(strncmp(err.detail, "the configuration: region \"y\"", 29) == 0, "and so is the option");
    NUM_IS(ddb_endpoint_resolve(&endpoint, &opts, pool, NULL), DDB_ECONFIG, "nobody has to want the error");
}

/* --- URLs --- */

static void test_good_urls(void)
{
    static const struct {
        const char *given, *url, *host;
    } cases[] = {
        { "http://localhost:8000", "http://localhost:8000", "localhost:8000" },
        { "http://localhost:8000/", "http://localhost:8000", "localhost:8000" },
        { "https://DynamoDB.EU-West-1.amazonaws.com", "https://dynamodb.eu-west-1.amazonaws.com",
          "dynamodb.eu-west-1.amazonaws.com" },
        { "HTTPS://h", "https://h", "h" },
        { "https://h:443", "https://h", "h" },
        { "http://h:80/", "http://h", "h" },
        { "https://h:80", "https://h:80", "h:80" },
        { "http://h:443", "http://h:443", "h:443" },
        { "http://h:0080", "http://h", "h" },
        { "http://h:65535", "http://h:65535", "h:65535" },
        { "http://h:1", "http://h:1", "h:1" },
        { "http://10.0.0.1:8000", "http://10.0.0.1:8000", "10.0.0.1:8000" },
        { "http://[::1]:8000", "http://[::1]:8000", "[::1]:8000" },
        { "https://[FD00:EC2::254]:443/", "https://[fd00:ec2::254]", "[fd00:ec2::254]" },
        { "http://my_db", "http://my_db", "my_db" },
        { "https://vpce-1-2.dynamodb.eu-west-1.vpce.amazonaws.com",
          "https://vpce-1-2.dynamodb.eu-west-1.vpce.amazonaws.com", "vpce-1-2.dynamodb.eu-west-1.vpce.amazonaws.com" },
    };
    apr_size_t i;

    reset();
    opts.region = "eu-west-1";
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        opts.url = cases[i].given;
        IS(ddb_endpoint_check_url(cases[i].given, pool), NULL, apr_pstrcat(pool, "URL ", cases[i].given, NULL));
        NUM_IS(resolve(), APR_SUCCESS, "  is an endpoint");
        IS(endpoint.url, cases[i].url, "  of this URL");
        IS(endpoint.host, cases[i].host, "  and this host");
        IS(endpoint.region, "eu-west-1", "  signed for the region");
    }
}

#define NO_URL                                                                                                         \
    "an endpoint URL is http:// or https://, a host and an optional port, such as "                                    \
    "https://dynamodb.eu-central-1.amazonaws.com"
#define NO_HOST                                                                                                        \
    "invalid host in the endpoint URL; write a name or an address, IPv6 in brackets: "                                 \
    "http://[::1]:8000"
#define NO_PORT "the port of the endpoint URL must be a number from 1 to 65535"
#define PATH    "an endpoint URL must not contain a path; it ends with the host or port"
#define QUERY   "an endpoint URL must not contain ? or #; it ends with the host or port"
#define USER    "an endpoint URL must not contain a user or password; set credentials elsewhere"

static void test_bad_urls(void)
{
    static const struct {
        const char *url, *message;
    } cases[] = {
        { "", NO_URL },
        { "localhost", NO_URL },
        { "localhost:8000", NO_URL },
        { "//h", NO_URL },
        { "ftp://h", NO_URL },
        { "http:/h", NO_URL },
        { "http:h", NO_URL },
        { " http://h", NO_URL },
        { "https", NO_URL },
        { "http://h:8x", NO_URL },
        { "http://h:80:80", NO_URL },
        { "http://::1", NO_URL },
        { "http://[::1", NO_URL },
        { "http://", NO_HOST },
        { "http:///", NO_HOST },
        { "http://h ", NO_HOST },
        { "http://h\r\nX", NO_HOST },
        { "http://h%41", NO_HOST },
        { "http://.h", NO_HOST },
        { "http://a..b", NO_HOST },
        { "http://h\xc3\xa9", NO_HOST },
        { "http://1", NO_HOST },
        { "http://127.1", NO_HOST },
        { "http://0x7f000001", NO_HOST },
        { "http://017.0.0.1", NO_HOST },
        { "http://1.2.3.256", NO_HOST },
        { "http://[zz]:1", NO_HOST },
        { "http://[::443:]:8", NO_HOST },
        { "http://[::1]x", NO_HOST },
        { "http://[10.0.0.1]", NO_HOST },
        { "http://[fe80::1%eth0]", NO_HOST },
        { "http://[]", NO_HOST },
        { "http://h:", NO_PORT },
        { "http://h:0", NO_PORT },
        { "http://h:65536", NO_PORT },
        { "http://h:99999", NO_PORT },
        { "http://h:000080", NO_PORT },
        { "http://h:+80", NO_PORT },
        { "http://h:-1", NO_PORT },
        { "http://h/path", PATH },
        { "http://h//", PATH },
        { "http://h/a/", PATH },
        { "http://h/?", QUERY },
        { "http://h?q=1", QUERY },
        { "http://h/#", QUERY },
        { "http://h#f", QUERY },
        { "http://user@h", USER },
        { "http://user:secret@h/path", USER },
        { "http://@h", USER },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        IS(ddb_endpoint_check_url(cases[i].url, pool), cases[i].message,
           apr_pstrcat(pool, "no endpoint: '", apr_pescape_echo(pool, cases[i].url, 1), "'", NULL));
    }
}

static void test_host_length(void)
{
    char *url = apr_pcalloc(pool, 300);

    memset(url, 'a', 7 + 253);
    memcpy(url, "http://", 7);
    IS(ddb_endpoint_check_url(url, pool), NULL, "a host of 253 characters can be one");
    url[7 + 253] = 'a';
    IS(ddb_endpoint_check_url(url, pool), NO_HOST, "a longer one can't");
}

static void test_whose_url(void)
{
    reset();
    opts.region = "eu-west-1";
    IS(url_now(), "https://dynamodb.eu-west-1.amazonaws.com", "the region gives the endpoint");
    aws_write(".aws/config", "[default]\nendpoint_url = http://profile\n", pool);
    IS(url_now(), "http://profile", "the profile's endpoint_url goes before");
    aws_set("AWS_ENDPOINT_URL", "http://all", pool);
    IS(url_now(), "http://all", "AWS_ENDPOINT_URL before the profile");
    aws_set("AWS_ENDPOINT_URL_DYNAMODB", "http://dynamodb", pool);
    IS(url_now(), "http://dynamodb", "AWS_ENDPOINT_URL_DYNAMODB before AWS_ENDPOINT_URL");
    opts.url = "http://option";
    IS(url_now(), "http://option", "and the option before all");
    aws_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True", pool);
    IS(url_now(), "http://option", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS leaves the option alone");
    opts.url = NULL;
    IS(url_now(), "https://dynamodb.eu-west-1.amazonaws.com", "and takes the others away");
    aws_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "1", pool);
    IS(url_now(), "http://dynamodb", "when it says true and not otherwise");
    aws_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", NULL, pool);
    aws_write(".aws/config", "[default]\nignore_configured_endpoint_urls = true\n", pool);
    IS(url_now(), "https://dynamodb.eu-west-1.amazonaws.com", "the profile can say it too");
    aws_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false", pool);
    IS(url_now(), "http://dynamodb", "the variable goes before the profile");
    aws_set("AWS_ENDPOINT_URL_DYNAMODB", "", pool);
    IS(url_now(), "http://all", "an empty variable is not set");
}

static void test_wrong_url(void)
{
    reset();
    opts.region = "eu-west-1";
    aws_set("AWS_ENDPOINT_URL", "http://me:secret@h", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "a wrong URL");
    IS(err.detail, "AWS_ENDPOINT_URL: " USER, "comes with the name of who said it, and not with the password");
    aws_set("AWS_ENDPOINT_URL_DYNAMODB", "h", pool);
    IS(url_now(), "AWS_ENDPOINT_URL_DYNAMODB: " NO_URL, "the variable of the service as well");
    aws_reset(pool);
    aws_write(".aws/config", "[default]\nendpoint_url = http://h/p\n", pool);
    IS(url_now(), "the profile: " PATH, "and the profile");
    opts.url = "";
    IS(url_now(), "the configuration: " NO_URL, "and the option");
}

/* --- the rest --- */

static void test_fips(void)
{
    reset();
    opts.region = "us-east-1";
    aws_set("AWS_USE_FIPS_ENDPOINT", "true", pool);
    IS(url_now(), "https://dynamodb-fips.us-east-1.amazonaws.com", "who asks for FIPS gets the host that has it");
    opts.region = "us-gov-west-1";
    IS(url_now(), "https://dynamodb.us-gov-west-1.amazonaws.com", "in us-gov it is the ordinary host");
    aws_set("AWS_USE_DUALSTACK_ENDPOINT", "true", pool);
    IS(url_now(), "https://dynamodb-fips.us-gov-west-1.api.aws", "but not with dual stack");
    aws_set("AWS_USE_FIPS_ENDPOINT", NULL, pool);
    IS(url_now(), "https://dynamodb.us-gov-west-1.api.aws", "dual stack alone");
    opts.region = "cn-north-1";
    IS(url_now(), "https://dynamodb.cn-north-1.api.amazonwebservices.com.cn", "has a suffix of each partition");
    reset();
    opts.region = "fips-us-east-2";
    IS(url_now(), "https://dynamodb-fips.us-east-2.amazonaws.com", "an old name of a region asks for FIPS too");
    IS(endpoint.region, "us-east-2", "and is signed without it");
    opts.region = "us-east-2-fips";
    IS(url_now(), "https://dynamodb-fips.us-east-2.amazonaws.com", "so does the other old name");
    reset();
    opts.region = "us-east-1";
    aws_write(".aws/config", "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = TRUE\n", pool);
    IS(url_now(), "https://dynamodb-fips.us-east-1.api.aws", "the profile can ask for both");
    aws_set("AWS_USE_FIPS_ENDPOINT", "false", pool);
    IS(url_now(), "https://dynamodb.us-east-1.api.aws", "the variable goes before the profile");
}

static void test_fips_refused(void)
{
    reset();
    opts.region = "us-east-1";
    aws_set("AWS_USE_FIPS_ENDPOINT", "true", pool);
    aws_set("AWS_ENDPOINT_URL", "https://dynamodb-fips.us-east-1.amazonaws.com", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "FIPS and a URL exclude each other");
    IS(err.detail,
       "FIPS (AWS_USE_FIPS_ENDPOINT, use_fips_endpoint) is requested, but an endpoint URL is set: remove one "
       "of the two",
       "which is said");
    aws_set("AWS_USE_FIPS_ENDPOINT", NULL, pool);
    aws_set("AWS_USE_DUALSTACK_ENDPOINT", "true", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "dual stack and a URL as well");
    OK(strncmp(err.detail, "dual stack (AWS_USE_DUALSTACK_ENDPOINT", 38) == 0, "which is said too");
    aws_set("AWS_ENDPOINT_URL", NULL, pool);
    opts.region = "local";
    NUM_IS(resolve(), DDB_ECONFIG, "DynamoDB Local has neither");
    reset();
    aws_set("AWS_REGION", "fips-fips-us-east-1", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "a region of the environment asks for FIPS once or not at all");
    OK(strncmp(err.detail, "AWS_REGION: region \"fips-fips-us-east-1\" does not", 49) == 0,
       "and is shown as it stands");
    reset();
    opts.region = "eu-central-1";
    opts.url = "https://dynamodb.eu-central-1.api.aws";
    IS(resolve() == APR_SUCCESS ? endpoint.url : err.detail, opts.url,
       "a dual-stack host as a URL is taken, though "
       "botocore refuses it: it does what it says");
}

/* --- tables by ARN --- */

#define ARN(region) "arn:aws:dynamodb:" region ":123456789012:table/app_session"

static void test_arn(void)
{
    reset();
    opts.table = ARN("eu-west-1");
    IS(region_now(), "eu-west-1", "without another setting the region is the table's");
    IS(endpoint.url, "https://dynamodb.eu-west-1.amazonaws.com", "and so is the endpoint");
    aws_set("AWS_DEFAULT_REGION", "eu-west-1", pool);
    NUM_IS(resolve(), APR_SUCCESS, "the same region may be set");
    aws_set("AWS_REGION", "eu-west-2", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "another may not");
    IS(err.detail, "the table's ARN names region eu-west-1, but AWS_REGION says eu-west-2: set the table's region",
       "and it is said who says so");
    opts.table = "app_session";
    IS(region_now(), "eu-west-2", "a name has no region");
}

static void test_bad_arns(void)
{
    static const struct {
        const char *arn, *wrong;
    } cases[] = {
        { "arn:aws:dynamodb:eu-west-1:123456789012", "is not the ARN of a table" },
        { "arn:aws:sns:eu-west-1:123456789012:table/app_session", "is not the ARN of a table" },
        { "arn:aws:dynamodb:eu-west-1:123456789012:app_session", "is not the ARN of a table" },
        { "arn:aws:dynamodb:eu-west-1:12345678901:table/app_session", "the account must have 12 digits" },
        { "arn:aws:dynamodb:eu-west-1:12345678901x:table/app_session", "the account must have 12 digits" },
        { "arn:aws:dynamodb:eu-west-1::table/app_session", "the account must have 12 digits" },
        { "arn:aws:dynamodb::123456789012:table/app_session", "the region is empty" },
        { "arn:aws:dynamodb:frankfurt:123456789012:table/app_session", "does not look like an AWS region" },
        { "arn:aws-cn:dynamodb:eu-west-1:123456789012:table/app_session",
          "region eu-west-1 belongs to the partition aws" },
        { "arn:aws:dynamodb:eu-west-1:123456789012:table/ab", "is not a table name" },
        { "arn:aws:dynamodb:eu-west-1:123456789012:table/app_session/index/i", "is not a table name" },
    };
    ddb_table_arn_t arn;
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wrong = ddb_partition_parse_arn(&arn, cases[i].arn, pool);

        OK(wrong && strstr(wrong, cases[i].wrong), apr_pstrcat(pool, cases[i].arn, ": ", cases[i].wrong, NULL));
    }
    IS(ddb_partition_parse_arn(&arn, "arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/a.b-C_1", pool), NULL,
       "a good ARN");
    IS(arn.region, "us-gov-west-1", "has a region");
    IS(arn.account_id, "123456789012", "an account");
    IS(arn.name, "a.b-C_1", "and a name");
}

/* --- the instance's region --- */

static void test_instance(void)
{
    world_t *w = world_create(pool);

    reset();
    opts.http = &w->http;
    opts.clock = &w->clock;
    world_answer(w, 200, "token");
    world_answer(w, 200, "eu-north-1");
    IS(region_now(), "eu-north-1", "where nothing else tells it, the region is the instance's");
    IS(w->sent[1].url, "http://169.254.169.254/latest/meta-data/placement/region", "which its metadata tell");
    IS(endpoint.url, "https://dynamodb.eu-north-1.amazonaws.com", "and the endpoint is there");
    aws_set("AWS_REGION", "eu-west-1", pool);
    IS(region_now(), "eu-west-1", "any other setting goes before");
    aws_set("AWS_REGION", NULL, pool);
    opts.table = ARN("eu-west-3");
    IS(region_now(), "eu-west-3", "the table's ARN too");
    NUM_IS(w->n_sent, 2, "and nobody is asked");
    opts.table = NULL;
    world_fail(w, DDB_EUNAVAILABLE, 0);
    NUM_IS(resolve(), DDB_ECONFIG, "outside EC2 nobody answers");
    OK(strncmp(err.detail, "no region is set", 16) == 0, "and no region is set");
    world_answer(w, 200, "token");
    world_answer(w, 200, "<html>");
    NUM_IS(resolve(), DDB_ECONFIG, "something else at that address is no region");
    OK(strncmp(err.detail, "no region is set", 16) == 0, "and none is set");
    OK(strstr(err.detail, "returned no region"), "of which the instance's answer is told, too");
    world_answer(w, 403, "");
    NUM_IS(resolve(), DDB_ECONFIG, "a metadata service that refuses");
    OK(strncmp(err.detail, "no region is set: set it in the configuration", 45) == 0, "leaves no region, too");
    OK(strstr(err.detail, "is disabled (HTTP 403)"), "and says why");
    aws_set("AWS_EC2_METADATA_DISABLED", "true", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "who switches the service off is not asked");
    NUM_IS(w->n_sent, 6, "at all");
}

/* --- accounts' own hosts --- */

static const char *host_for(const char *account_id)
{
    ddb_endpoint_t own;

    return resolve() == APR_SUCCESS && ddb_endpoint_of_account(&own, &endpoint, account_id, pool, &err) == APR_SUCCESS
               ? own.host
               : err.detail;
}

static void test_accounts(void)
{
    reset();
    opts.region = "eu-west-1";
    IS(host_for("111122223333"), "dynamodb.eu-west-1.amazonaws.com", "nobody is given an account's host unasked");
    aws_set("AWS_ACCOUNT_ID_ENDPOINT_MODE", "preferred", pool);
    IS(host_for("111122223333"), "111122223333.ddb.eu-west-1.amazonaws.com", "preferred: the credentials' account");
    IS(host_for(NULL), "dynamodb.eu-west-1.amazonaws.com", "or, when that is unknown, the ordinary host");
    IS(host_for("x.evil.example/"), "dynamodb.eu-west-1.amazonaws.com", "nothing but digits becomes part of a host");
    opts.table = ARN("eu-west-1");
    IS(host_for("111122223333"), "123456789012.ddb.eu-west-1.amazonaws.com", "the table's account goes before");
    aws_set("AWS_USE_DUALSTACK_ENDPOINT", "true", pool);
    IS(host_for(NULL), "123456789012.ddb.eu-west-1.api.aws", "with dual stack too");
    opts.table = NULL;
    aws_set("AWS_ACCOUNT_ID_ENDPOINT_MODE", "Required", pool);
    IS(host_for(NULL),
       "an account-based endpoint is required, but neither the table's name nor the credentials tell the account: use "
       "the table's ARN as its name",
       "required: it must be known");
    aws_set("AWS_ACCOUNT_ID_ENDPOINT_MODE", "always", pool);
    IS(host_for(NULL),
       "AWS_ACCOUNT_ID_ENDPOINT_MODE: the account ID endpoint mode \"always\" must be preferred, required or disabled",
       "another word is a mistake");
}

static void test_no_accounts(void)
{
    reset();
    opts.region = "eu-west-1";
    aws_write(".aws/config", "[default]\naccount_id_endpoint_mode = preferred\n", pool);
    IS(host_for("111122223333"), "111122223333.ddb.eu-west-1.amazonaws.com", "the profile can ask");
    aws_set("AWS_USE_FIPS_ENDPOINT", "true", pool);
    IS(host_for("111122223333"), "dynamodb-fips.eu-west-1.amazonaws.com", "FIPS has no account's host");
    aws_set("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required", pool);
    OK(strstr(host_for("111122223333"), "there is none with FIPS"), "which is an error when it is required");
    aws_set("AWS_USE_FIPS_ENDPOINT", NULL, pool);
    opts.region = "cn-north-1";
    OK(strstr(host_for("111122223333"), "there is none in this partition"), "nor have other partitions");
    aws_set("AWS_ENDPOINT_URL", "http://h", pool);
    IS(host_for("111122223333"), "h", "a URL is taken as it is");
}

static void test_profile_errors(void)
{
    reset();
    opts.region = "us-east-1";
    opts.profile.name = "none";
    NUM_IS(resolve(), DDB_ECONFIG, "a profile that is named and missing is an error");
    OK(strncmp(err.detail, "no profile \"none\" in ", 21) == 0, "and is named");
    opts.url = "http://h";
    NUM_IS(resolve(), APR_SUCCESS, "unless nothing depends on it");
    opts.region = NULL;
    NUM_IS(resolve(), DDB_ECONFIG, "as the region does");
    aws_set("AWS_REGION", "us-east-1", pool);
    NUM_IS(resolve(), APR_SUCCESS, "unless a variable has it");
}

/* --- other services --- */

static void test_other_services(void)
{
    reset();
    opts.region = "eu-west-1";
    opts.service = DDB_STS;
    IS(url_now(), "https://sts.eu-west-1.amazonaws.com", "STS of the region");
    opts.region = "cn-north-1";
    IS(url_now(), "https://sts.cn-north-1.amazonaws.com.cn", "with the suffix of its partition");
    opts.service = DDB_SSO;
    IS(url_now(), "https://portal.sso.cn-north-1.amazonaws.com.cn", "the portal of SSO");
    aws_set("AWS_ENDPOINT_URL_DYNAMODB", "http://dynamodb", pool);
    aws_set("AWS_ENDPOINT_URL_STS", "http://sts", pool);
    IS(url_now(), "https://portal.sso.cn-north-1.amazonaws.com.cn", "variables of others are not its own");
    aws_set("AWS_ENDPOINT_URL", "http://all", pool);
    IS(url_now(), "http://all", "the one for all is");
    aws_set("AWS_ENDPOINT_URL_SSO", "http://sso", pool);
    IS(url_now(), "http://sso", "its own goes before");
    opts.service = DDB_STS;
    IS(url_now(), "http://sts", "and that of STS");
    opts.region = "local";
    aws_set("AWS_ENDPOINT_URL_STS", NULL, pool);
    IS(url_now(), "http://all", "a machine of one's own may have one");
}

static void test_services_section(void)
{
    reset();
    opts.region = "eu-west-1";
    aws_write(".aws/config",
              "[default]\nservices = mine\nendpoint_url = http://profile\n"
              "[services mine]\ndynamodb =\n  endpoint_url = http://d\nsts =\n  endpoint_url = ftp://s\n",
              pool);
    IS(url_now(), "http://d", "a services section goes before the profile's endpoint_url");
    opts.service = DDB_SSO;
    IS(url_now(), "http://profile", "which is for services that are not in it");
    opts.service = DDB_STS;
    IS(url_now(), "the profile's services section: " NO_URL, "what is wrong in it is named");
    aws_set("AWS_ENDPOINT_URL", "http://all", pool);
    IS(url_now(), "http://all", "a variable goes before, also the one for all");
    aws_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", pool);
    IS(url_now(), "https://sts.eu-west-1.amazonaws.com", "all of them can be switched off");
    reset();
    opts.region = "eu-west-1";
    aws_write(".aws/config", "[default]\nservices = none\n", pool);
    NUM_IS(resolve(), DDB_ECONFIG, "a services section that is missing");
    OK(strncmp(err.detail, "no section [services none] in /", 31) == 0, "is named");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_partitions();
    test_local();
    test_good_regions();
    test_bad_regions();
    test_region_length();
    test_whose_region();
    test_wrong_region();
    test_good_urls();
    test_bad_urls();
    test_host_length();
    test_whose_url();
    test_wrong_url();
    test_fips();
    test_fips_refused();
    test_arn();
    test_bad_arns();
    test_instance();
    test_accounts();
    test_no_accounts();
    test_profile_errors();
    test_other_services();
    test_services_section();
}
