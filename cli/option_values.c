/* The values of options: text, numbers, names and URLs. */

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "aws/ddb_endpoint.h"
#include "aws/ddb_partition.h"
#include "option_values.h"

const char *option_values_flag(void *field, const char *value, apr_pool_t *p)
{
    (void)value;
    (void)p;
    *(int *)field = 1;
    return NULL;
}

const char *option_values_text(void *field, const char *value, apr_pool_t *p)
{
    (void)p;
    *(const char **)field = value;
    return *value ? NULL : "it is empty";
}

const char *option_values_source(void *field, const char *value, apr_pool_t *p)
{
    apr_array_header_t **sources = field;

    *sources = *sources ? *sources : apr_array_make(p, 2, sizeof(const char *));
    APR_ARRAY_PUSH(*sources, const char *) = value;
    return NULL;
}

const char *option_values_table(void *field, const char *value, apr_pool_t *p)
{
    ddb_table_arn_t arn;

    *(const char **)field = value;
    return ddb_partition_is_arn(value) ? ddb_partition_parse_arn(&arn, value, p) : ddb_partition_check_table(value, p);
}

const char *option_values_region(void *field, const char *value, apr_pool_t *p)
{
    *(const char **)field = value;
    return ddb_partition_check_region(value, p);
}

const char *option_values_endpoint(void *field, const char *value, apr_pool_t *p)
{
    *(const char **)field = value;
    return ddb_endpoint_check_url(value, p);
}

const char *option_values_proxy(void *field, const char *value, apr_pool_t *p)
{
    *(const char **)field = value;
    return !ddb_endpoint_check_url(value, p)
               ? NULL
               : "use http:// or https://, a host and optionally a port, without user or path";
}

static int is_number(const char *text, int most_dots)
{
    apr_size_t digits = strspn(text, "0123456789."), i;
    int dots = 0;

    for (i = 0; i < digits; i++) {
        dots += text[i] == '.';
    }
    return digits > 0 && digits <= 15 && !text[digits] && apr_isdigit(text[0]) && dots <= most_dots;
}

const char *option_values_seconds(void *field, const char *value, apr_pool_t *p)
{
    double seconds = is_number(value, 1) ? strtod(value, NULL) : 0;

    (void)p;
    *(apr_interval_time_t *)field = (apr_interval_time_t)(seconds * APR_USEC_PER_SEC);
    return seconds >= 0.1 && seconds <= 3600 ? NULL : "give seconds from 0.1 to 3600";
}

const char *option_values_count(void *field, const char *value, apr_pool_t *p)
{
    (void)p;
    *(apr_int64_t *)field = apr_atoi64(value);
    return is_number(value, 0) ? NULL : "give a whole number of at most 15 digits";
}

const char *option_values_few(void *field, const char *value, apr_pool_t *p)
{
    apr_int64_t n = is_number(value, 0) ? apr_atoi64(value) : 0;

    (void)p;
    *(int *)field = n >= 1 && n <= 1000 ? (int)n : 0;
    return *(int *)field ? NULL : "give a whole number from 1 to 1000";
}

const char *option_values_order(void *field, const char *value, apr_pool_t *p)
{
    (void)p;
    *(const char **)field = value;
    return strcmp(value, "size") == 0 || strcmp(value, "age") == 0 || strcmp(value, "idle") == 0
               ? NULL
               : "give size, age or idle";
}

const char *option_values_percent(void *field, const char *value, apr_pool_t *p)
{
    double percent = strtod(value, NULL);

    (void)p;
    *(double *)field = percent;
    return is_number(value, 1) && percent <= 100 ? NULL : "give a number from 0 to 100";
}

const char *option_values_price(void *field, const char *value, apr_pool_t *p)
{
    (void)p;
    *(double *)field = strtod(value, NULL);
    return is_number(value, 1) ? NULL : "give the price of a million units, such as 0.125";
}

const char *option_values_account(void *field, const char *value, apr_pool_t *p)
{
    (void)p;
    *(const char **)field = value;
    return strlen(value) == 12 && is_number(value, 0) ? NULL : "an account must have 12 digits";
}

const char *option_values_switch(void *field, const char *value, apr_pool_t *p)
{
    int is_on = strcasecmp(value, "Off") != 0;

    (void)p;
    *(int *)field = is_on;
    return strcasecmp(value, "On") == 0 || !is_on ? NULL : "give On or Off";
}
