/* Region and endpoint: whose setting counts, the AWS partitions, and what can't be a region or an endpoint. */

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include "ddb_endpoint.h"

#define EXAMPLE_REGION "eu-central-1"
#define EXAMPLE_URL "https://dynamodb." EXAMPLE_REGION ".amazonaws.com"

#define MAX_REGION_BYTES 63 /* it is a label of a host name */
#define MAX_HOST_BYTES 253

/* botocore's partitions.json: a region is one of the prefixes, a word and a number; the first partition is also that
 * of regions which are newer than this table. */
static const struct {
    const char *name;
    const char *suffix;
    const char *prefixes[10];
} partitions[] = {
    { "aws", "amazonaws.com", { "us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx" } },
    { "aws-cn", "amazonaws.com.cn", { "cn" } },
    { "aws-us-gov", "amazonaws.com", { "us-gov" } },
    { "aws-iso", "c2s.ic.gov", { "us-iso" } },
    { "aws-iso-b", "sc2s.sgov.gov", { "us-isob" } },
    { "aws-iso-e", "cloud.adc-e.uk", { "eu-isoe" } },
    { "aws-iso-f", "csp.hci.ic.gov", { "us-isof" } },
    { "aws-eusc", "amazonaws.eu", { "eusc-de" } },
};

#define PARTITIONS (sizeof(partitions) / sizeof(partitions[0]))

/* By ddb_service_e. */
static const struct {
    const char *variable;
    const char *key;    /* in a section of services */
    const char *prefix; /* of the host name */
} services[] = {
    { "AWS_ENDPOINT_URL_DYNAMODB", "dynamodb", "dynamodb." },
    { "AWS_ENDPOINT_URL_STS", "sts", "sts." },
    { "AWS_ENDPOINT_URL_SSO", "sso", "portal.sso." },
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static char *lower_case(const char *s, apr_pool_t *p)
{
    char *out = apr_pstrdup(p, s), *c;

    for (c = out; *c; c++) {
        *c = apr_tolower(*c);
    }
    return out;
}

/* --- region --- */

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

/* The index of the region's partition, PARTITIONS when none knows it. */
static apr_size_t find_partition(const char *region)
{
    apr_size_t i, j;

    for (i = 0; i < PARTITIONS; i++) {
        for (j = 0; partitions[i].prefixes[j]; j++) {
            if (has_prefix(region, partitions[i].prefixes[j])) {
                return i;
            }
        }
    }
    return PARTITIONS;
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
        && (find_partition(region) < PARTITIONS || has_general_form(region));
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
        return "has a blank or a line break in it";
    }
    if (strncmp(region, "fips-", 5) == 0 || (len > 5 && strcmp(region + len - 5, "-fips") == 0)) {
        return "asks for FIPS, for which the endpoint URL has to be set";
    }
    if (apr_isalpha(region[len - 1]) && is_region(zone_of)) {
        return apr_psprintf(p, "looks like an availability zone of region %s", zone_of);
    }
    return is_region(lower_case(region, p)) ? "has upper case letters, which regions have not"
                                            : "is not of a form that AWS regions have";
}

const char *ddb_endpoint_check_region(const char *region, apr_pool_t *p)
{
    if (!*region) {
        return "the region is empty; one is named like " EXAMPLE_REGION;
    }
    if (strcmp(region, "local") == 0 || is_region(region)) {
        return NULL;
    }
    return apr_psprintf(p, "region \"%.40s\" %s; a region is named like " EXAMPLE_REGION, region,
                        looks_like(region, p));
}

/* --- URL --- */

static int is_host(const char *host, int in_brackets, apr_pool_t *p)
{
    apr_ipsubnet_t *address;
    apr_size_t len = strlen(host);

    if (in_brackets) {
        return strchr(host, ':') && !strchr(host, '/') && apr_ipsubnet_create(&address, host, NULL, p) == APR_SUCCESS;
    }
    /* The underscore is no part of a host name and yet in the service names of container set-ups. */
    return len && len <= MAX_HOST_BYTES && host[strspn(host, LOWER DIGITS "-._")] == '\0' && *host != '.'
        && !strstr(host, "..");
}

static const char *check_parts(const apr_uri_t *uri)
{
    /* The URL is not shown: a password may be in it. */
    if (uri->user || uri->password) {
        return "an endpoint URL has no user or password in it; credentials are set elsewhere";
    }
    if (uri->query || uri->fragment) {
        return "an endpoint URL has no ? or # in it, it ends with the host or port";
    }
    if (uri->path && strcmp(uri->path, "/") != 0) {
        return "an endpoint URL has no path, it ends with the host or port";
    }
    return NULL;
}

/* NULL for what is no port; "" for the scheme's own, with or without its number. */
static const char *find_port(const apr_uri_t *uri, int tls, apr_pool_t *p)
{
    const char *port = uri->port_str;
    long number;

    if (!port) {
        return "";
    }
    if (!is_number(port) || strlen(port) > 5) {
        return NULL;
    }
    number = strtol(port, NULL, 10);
    if (number < 1 || number > 65535) {
        return NULL;
    }
    return number == (tls ? 443 : 80) ? "" : apr_psprintf(p, ":%ld", number);
}

/* Fill url and host of out, or say what is wrong. */
static const char *parse_url(const char *url, ddb_endpoint_t *out, apr_pool_t *p)
{
    const char *wrong, *host, *port;
    int tls = strncasecmp(url, "https://", 8) == 0, in_brackets;
    apr_uri_t uri;

    if ((!tls && strncasecmp(url, "http://", 7) != 0) || apr_uri_parse(p, url, &uri) != APR_SUCCESS || !uri.hostname) {
        return "an endpoint URL is http:// or https://, a host and perhaps a port, such as " EXAMPLE_URL;
    }
    wrong = check_parts(&uri);
    if (wrong) {
        return wrong;
    }
    host = lower_case(uri.hostname, p);
    in_brackets = uri.hostinfo[0] == '[';
    if (!is_host(host, in_brackets, p)) {
        return "the host of the endpoint URL can't be one; write a name or an address, of IPv6 in brackets: "
               "http://[::1]:8000";
    }
    port = find_port(&uri, tls, p);
    if (!port) {
        return "the port of the endpoint URL is no number from 1 to 65535";
    }
    out->host = apr_psprintf(p, in_brackets ? "[%s]%s" : "%s%s", host, port);
    out->url = apr_psprintf(p, "%s://%s", tls ? "https" : "http", out->host);
    return NULL;
}

const char *ddb_endpoint_check_url(const char *url, apr_pool_t *p)
{
    ddb_endpoint_t ignored;

    return parse_url(url, &ignored, p);
}

/* --- whose setting counts --- */

/* A value and who said so, for the message when it is wrong. */
typedef struct setting_t {
    const char *value;
    const char *source;
} setting_t;

/* The first of two variables and the profile that has something. */
static setting_t find_setting(const char *first, const char *second, const ddb_profile_t *profile, const char *key)
{
    setting_t s = { ddb_profile_env(first), first };

    if (!s.value) {
        s.value = ddb_profile_env(second);
        s.source = second;
    }
    if (!s.value) {
        s.value = ddb_profile_get(profile, key);
        s.source = "the profile";
    }
    return s;
}

/* A switch as botocore reads it: anything but "true" is off. */
static int is_on(const char *variable, const ddb_profile_t *profile, const char *key)
{
    setting_t s = find_setting(variable, variable, profile, key);

    return s.value && strcasecmp(s.value, "true") == 0;
}

static setting_t find_region(const ddb_endpoint_opts_t *o, const ddb_profile_t *profile)
{
    setting_t s = { o->region, "the configuration" };

    return s.value ? s : find_setting("AWS_REGION", "AWS_DEFAULT_REGION", profile, "region");
}

/* endpoint_url of the section of services that the profile names. */
static apr_status_t find_services_url(setting_t *s, const ddb_endpoint_opts_t *o, const ddb_profile_t *profile,
                                      apr_pool_t *p, ddb_error_t *err)
{
    ddb_profile_opts_t section = o->profile;
    ddb_profile_t *found;
    apr_status_t rv;

    section.name = ddb_profile_get(profile, "services");
    if (!section.name) {
        return APR_SUCCESS;
    }
    rv = ddb_profile_read_section(&found, &section, "services", p, err);
    if (rv == APR_SUCCESS) {
        s->value = ddb_profile_get_nested(found, services[o->service].key, "endpoint_url", p);
        s->source = "the profile's services section";
    }
    return rv;
}

static apr_status_t find_url(setting_t *s, const ddb_endpoint_opts_t *o, const ddb_profile_t *profile, apr_pool_t *p,
                             ddb_error_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    s->value = o->url;
    s->source = "the configuration";
    if (s->value || is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", profile, "ignore_configured_endpoint_urls")) {
        return APR_SUCCESS;
    }
    *s = find_setting(services[o->service].variable, "AWS_ENDPOINT_URL", NULL, "");
    if (!s->value) {
        rv = find_services_url(s, o, profile, p, err);
    }
    if (!s->value) {
        s->value = ddb_profile_get(profile, "endpoint_url");
        s->source = "the profile";
    }
    return rv;
}

static apr_status_t use_region(ddb_endpoint_t *out, ddb_service_e service, const ddb_profile_t *profile,
                               apr_pool_t *p, ddb_error_t *err)
{
    apr_size_t i;

    if (service == DDB_DYNAMODB && strcmp(out->region, "local") == 0) {
        /* DynamoDB Local's own name and port; it takes any region. */
        out->host = "localhost:8000";
        out->url = "http://localhost:8000";
        out->region = "us-east-1";
        return APR_SUCCESS;
    }
    if (is_on("AWS_USE_FIPS_ENDPOINT", profile, "use_fips_endpoint")) {
        /* Who asks for FIPS must not get something else without a word. */
        return ddb_error_set(err, DDB_ECONFIG, "AWS_USE_FIPS_ENDPOINT or use_fips_endpoint is set; FIPS endpoints are "
                             "not worked out yet, set the endpoint URL to one");
    }
    i = find_partition(out->region);
    out->host = apr_pstrcat(p, services[service].prefix, out->region, ".", partitions[i < PARTITIONS ? i : 0].suffix,
                            NULL);
    out->url = apr_pstrcat(p, "https://", out->host, NULL);
    return APR_SUCCESS;
}

static apr_status_t resolve(ddb_endpoint_t *out, const ddb_endpoint_opts_t *o, const ddb_profile_t *profile,
                            apr_pool_t *p, ddb_error_t *err)
{
    setting_t region = find_region(o, profile), url;
    const char *wrong;
    apr_status_t rv;

    if (!region.value) {
        return ddb_error_set(err, DDB_ECONFIG, "no region is set; set one in the configuration, AWS_REGION or the "
                             "profile, such as " EXAMPLE_REGION);
    }
    wrong = ddb_endpoint_check_region(region.value, p);
    if (wrong) {
        return ddb_error_set(err, DDB_ECONFIG, "%s: %s", region.source, wrong);
    }
    out->region = apr_pstrdup(p, region.value);
    rv = find_url(&url, o, profile, p, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!url.value) {
        return use_region(out, o->service, profile, p, err);
    }
    wrong = parse_url(url.value, out, p);
    return wrong ? ddb_error_set(err, DDB_ECONFIG, "%s: %s", url.source, wrong) : APR_SUCCESS;
}

apr_status_t ddb_endpoint_resolve(ddb_endpoint_t *out, const ddb_endpoint_opts_t *o, apr_pool_t *p,
                                  ddb_error_t *err)
{
    ddb_profile_t *profile = NULL;
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, p);

    if (rv != APR_SUCCESS) {
        return ddb_error_set(err, rv, "no memory for the endpoint");
    }
    /* A profile that nothing depends on can't be in the way. */
    if (!o->url || !find_region(o, NULL).value) {
        rv = ddb_profile_read(&profile, &o->profile, scratch, err);
    }
    if (rv == APR_SUCCESS || rv == APR_NOTFOUND) {
        rv = resolve(out, o, profile, p, err);
    }
    /* It may hold a secret key, which is wiped now. */
    apr_pool_destroy(scratch);
    return rv;
}
