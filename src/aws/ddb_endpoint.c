/* Region and endpoint: whose setting counts, the AWS partitions, and what can't be a region or an endpoint. */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include "aws/ddb_endpoint.h"
#include "aws/ddb_imds.h"
#include "aws/ddb_partition.h"

#define EXAMPLE_REGION "eu-central-1"
#define EXAMPLE_URL    "https://dynamodb." EXAMPLE_REGION ".amazonaws.com"

#define NO_REGION "no region is set: set it in the configuration, AWS_REGION or the profile, such as " EXAMPLE_REGION

#define MAX_HOST_BYTES 253

/* By ddb_service_e. */
static const struct {
    const char *variable;
    const char *key;    /* in a section of services */
    const char *prefix; /* of the host name */
} services[] = {
    { "AWS_ENDPOINT_URL_DYNAMODB", "dynamodb", "dynamodb" },
    { "AWS_ENDPOINT_URL_STS", "sts", "sts" },
    { "AWS_ENDPOINT_URL_SSO", "sso", "portal.sso" },
};

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static int is_number(const char *s)
{
    return *s && s[strspn(s, DIGITS)] == '\0';
}

/* --- URL --- */

/* 127.1, 0x7f000001 and 017.0.0.1 are addresses to libcurl, which it would write in another way than is signed. */
static int is_odd_address(const char *host)
{
    const char *dot = strrchr(host, '.'), *last = dot ? dot + 1 : host;
    struct in_addr address;

    return (is_number(last) || strncmp(last, "0x", 2) == 0) && inet_pton(AF_INET, host, &address) != 1;
}

static int is_host(const char *host, int in_brackets)
{
    struct in6_addr address;
    apr_size_t len = strlen(host);

    if (in_brackets) {
        return inet_pton(AF_INET6, host, &address) == 1;
    }
    /* The underscore is no part of a host name and yet in the service names of container set-ups. */
    return len && len <= MAX_HOST_BYTES && host[strspn(host, LOWER DIGITS "-._")] == '\0' && *host != '.'
           && !strstr(host, "..") && !is_odd_address(host);
}

static const char *check_parts(const apr_uri_t *uri)
{
    /* The URL is not shown: a password may be in it. */
    if (uri->user || uri->password) {
        return "an endpoint URL must not contain a user or password; set credentials elsewhere";
    }
    if (uri->query || uri->fragment) {
        return "an endpoint URL must not contain ? or #; it ends with the host or port";
    }
    if (uri->path && strcmp(uri->path, "/") != 0) {
        return "an endpoint URL must not contain a path; it ends with the host or port";
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
        return "an endpoint URL is http:// or https://, a host and an optional port, such as " EXAMPLE_URL;
    }
    wrong = check_parts(&uri);
    if (wrong) {
        return wrong;
    }
    host = ddb_partition_lower_case(uri.hostname, p);
    in_brackets = uri.hostinfo[0] == '[';
    if (!is_host(host, in_brackets)) {
        return "invalid host in the endpoint URL; write a name or an address, IPv6 in brackets: http://[::1]:8000";
    }
    port = find_port(&uri, tls, p);
    if (!port) {
        return "the port of the endpoint URL must be a number from 1 to 65535";
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

/* A value and its source, for the message when it is wrong. */
typedef struct setting_t {
    const char *value;
    const char *source;
} setting_t;

/* The first of two variables and the profile that has something. */
static setting_t find_setting(const char *first, const char *second, const ddb_profile_t *profile, const char *key)
{
    setting_t s = { .value = ddb_profile_env(first), .source = first };

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
    setting_t s = { .value = o->region, .source = "the configuration" };

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

/** What the environment or the profile wants of the host. */
typedef struct wishes_t {
    int fips, dual_stack;
    ddb_account_mode_e account_mode;
} wishes_t;

static apr_status_t find_account_mode(ddb_account_mode_e *mode, const ddb_profile_t *profile, ddb_error_t *err)
{
    static const char *const names[] = { "disabled", "preferred", "required" };
    setting_t s = find_setting("AWS_ACCOUNT_ID_ENDPOINT_MODE", "AWS_ACCOUNT_ID_ENDPOINT_MODE", profile,
                               "account_id_endpoint_mode");
    int i;

    *mode = DDB_ACCOUNT_DISABLED;
    for (i = 0; s.value && i < 3; i++) {
        if (strcasecmp(s.value, names[i]) == 0) {
            *mode = (ddb_account_mode_e)i;
            return APR_SUCCESS;
        }
    }
    return !s.value
               ? APR_SUCCESS
               : ddb_error_set(err, DDB_ECONFIG,
                               "%s: the account ID endpoint mode \"%.20s\" must be preferred, required or disabled",
                               s.source, s.value);
}

static apr_status_t refuse_wishes(const wishes_t *w, const char *where, ddb_error_t *err)
{
    /* A request for FIPS must not silently get another endpoint. */
    return w->fips || w->dual_stack
               ? ddb_error_set(err, DDB_ECONFIG, "%s is requested, but %s: remove one of the two",
                               w->fips ? "FIPS (AWS_USE_FIPS_ENDPOINT, use_fips_endpoint)"
                                       : "dual stack (AWS_USE_DUALSTACK_ENDPOINT, use_dualstack_endpoint)",
                               where)
               : APR_SUCCESS;
}

static apr_status_t use_region(ddb_endpoint_t *out, ddb_service_e service, const wishes_t *w, apr_pool_t *p,
                               ddb_error_t *err)
{
    const ddb_partition_t *partition = ddb_partition_of(out->region);
    const char *suffix = w->dual_stack ? partition->dual_stack_suffix : partition->suffix;
    int has_accounts = service == DDB_DYNAMODB && strcmp(partition->name, "aws") == 0 && !w->fips;

    if (service == DDB_DYNAMODB && strcmp(out->region, "local") == 0) {
        /* DynamoDB Local's own name and port; it takes any region. */
        out->host = "localhost:8000";
        out->url = "http://localhost:8000";
        out->region = "us-east-1";
        return refuse_wishes(w, "the region is local", err);
    }
    /* In us-gov the ordinary host is FIPS already, and has no other name. */
    out->host = apr_pstrcat(p, services[service].prefix,
                            w->fips && (w->dual_stack || strcmp(partition->name, "aws-us-gov") != 0) ? "-fips." : ".",
                            out->region, ".", suffix, NULL);
    out->url = apr_pstrcat(p, "https://", out->host, NULL);
    out->suffix = has_accounts ? suffix : NULL;
    if (service == DDB_DYNAMODB && w->account_mode == DDB_ACCOUNT_REQUIRED && !has_accounts) {
        return ddb_error_set(err, DDB_ECONFIG,
                             "an account-based endpoint is required, but there is none %s: set the account ID endpoint "
                             "mode to preferred or disabled",
                             w->fips ? "with FIPS" : "in this partition");
    }
    return APR_SUCCESS;
}

static apr_status_t use_url(ddb_endpoint_t *out, const setting_t *url, const wishes_t *w, apr_pool_t *p,
                            ddb_error_t *err)
{
    const char *wrong = parse_url(url->value, out, p);

    return wrong ? ddb_error_set(err, DDB_ECONFIG, "%s: %s", url->source, wrong)
                 : refuse_wishes(w, "an endpoint URL is set", err);
}

/* The table's region is the last to be asked; but nowhere else is the table. */
static apr_status_t use_table(ddb_endpoint_t *out, const ddb_endpoint_opts_t *o, setting_t *region, apr_pool_t *p,
                              ddb_error_t *err)
{
    ddb_table_arn_t arn;
    const char *wrong;

    if (!o->table || !ddb_partition_is_arn(o->table)) {
        return APR_SUCCESS;
    }
    wrong = ddb_partition_parse_arn(&arn, o->table, p);
    if (wrong) {
        return ddb_error_set(err, DDB_ECONFIG, "%s", wrong);
    }
    out->account_id = arn.account_id;
    if (!region->value) {
        region->value = arn.region;
        region->source = "the table's ARN";
    }
    return strcmp(region->value, arn.region) == 0
               ? APR_SUCCESS
               : ddb_error_set(err, DDB_ECONFIG,
                               "the table's ARN names region %s, but %s says %.40s: set the table's region", arn.region,
                               region->source, region->value);
}

static const char *imds_setting(const char *variable, const ddb_profile_t *profile, const char *key)
{
    return find_setting(variable, variable, profile, key).value;
}

/* The instance comes last: outside EC2 it takes a second to find out that there is no answer. */
static apr_status_t ask_instance(setting_t *region, const ddb_endpoint_opts_t *o, const ddb_profile_t *profile,
                                 apr_pool_t *p, ddb_error_t *err)
{
    ddb_imds_opts_t imds = { .http = o->http, .clock = o->clock };
    ddb_error_t why = { 0 };
    apr_status_t rv;

    if (region->value || !o->http) {
        return APR_SUCCESS;
    }
    imds.endpoint = imds_setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", profile, "ec2_metadata_service_endpoint");
    imds.mode = imds_setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", profile, "ec2_metadata_service_endpoint_mode");
    imds.timeout = imds_setting("AWS_METADATA_SERVICE_TIMEOUT", profile, "metadata_service_timeout");
    imds.attempts = imds_setting("AWS_METADATA_SERVICE_NUM_ATTEMPTS", profile, "metadata_service_num_attempts");
    rv = ddb_imds_region(&region->value, &imds, p, &why);
    region->source = "the instance metadata service";
    return rv == APR_SUCCESS || rv == APR_NOTFOUND
               ? APR_SUCCESS
               : ddb_error_set(err, DDB_ECONFIG, NO_REGION "; instance metadata did not help: %.280s", why.detail);
}

static apr_status_t find_wishes(wishes_t *w, const ddb_profile_t *profile, ddb_error_t *err)
{
    w->fips = is_on("AWS_USE_FIPS_ENDPOINT", profile, "use_fips_endpoint");
    w->dual_stack = is_on("AWS_USE_DUALSTACK_ENDPOINT", profile, "use_dualstack_endpoint");
    return find_account_mode(&w->account_mode, profile, err);
}

static apr_status_t use_setting(ddb_endpoint_t *out, setting_t *region, wishes_t *w, apr_pool_t *p, ddb_error_t *err)
{
    const char *wrong;

    if (!region->value) {
        return ddb_error_set(err, DDB_ECONFIG, NO_REGION);
    }
    /* As it stands: what is left of fips-fips-us-east-1 would pass. */
    wrong = ddb_partition_check_region(region->value, p);
    if (wrong) {
        return ddb_error_set(err, DDB_ECONFIG, "%s: %s", region->source, wrong);
    }
    region->value = ddb_partition_without_fips(region->value, &w->fips, p);
    out->region = apr_pstrdup(p, region->value);
    out->account_mode = w->account_mode;
    return APR_SUCCESS;
}

static apr_status_t resolve(ddb_endpoint_t *out, const ddb_endpoint_opts_t *o, const ddb_profile_t *profile,
                            apr_pool_t *p, ddb_error_t *err)
{
    setting_t region = find_region(o, profile), url;
    wishes_t w;
    apr_status_t rv = find_wishes(&w, profile, err);

    memset(out, 0, sizeof(*out));
    if (rv == APR_SUCCESS) {
        rv = use_table(out, o, &region, p, err);
    }
    if (rv == APR_SUCCESS) {
        rv = ask_instance(&region, o, profile, p, err);
    }
    if (rv == APR_SUCCESS) {
        rv = use_setting(out, &region, &w, p, err);
    }
    if (rv == APR_SUCCESS) {
        rv = find_url(&url, o, profile, p, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return url.value ? use_url(out, &url, &w, p, err) : use_region(out, o->service, &w, p, err);
}

apr_status_t ddb_endpoint_of_account(ddb_endpoint_t *out, const ddb_endpoint_t *e, const char *account_id,
                                     apr_pool_t *p, ddb_error_t *err)
{
    const char *id = e->account_id ? e->account_id : account_id;

    *out = *e;
    if (e->account_mode == DDB_ACCOUNT_DISABLED || !e->suffix) {
        return APR_SUCCESS;
    }
    if (!id || !is_number(id)) {
        return e->account_mode == DDB_ACCOUNT_PREFERRED
                   ? APR_SUCCESS
                   : ddb_error_set(err, DDB_ECONFIG,
                                   "an account-based endpoint is required, but neither the table's name nor the "
                                   "credentials tell the account: use the table's ARN as its name");
    }
    out->host = apr_pstrcat(p, id, ".ddb.", e->region, ".", e->suffix, NULL);
    out->url = apr_pstrcat(p, "https://", out->host, NULL);
    return APR_SUCCESS;
}

apr_status_t ddb_endpoint_resolve(ddb_endpoint_t *out, const ddb_endpoint_opts_t *o, apr_pool_t *p, ddb_error_t *err)
{
    ddb_profile_t *profile = NULL;
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, p);

    if (rv != APR_SUCCESS) {
        return ddb_error_set(err, rv, "out of memory for the endpoint");
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
