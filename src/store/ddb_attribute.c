/* Attribute values, and placeholders for them in expressions. */

#include <string.h>

#include <apr_strings.h>

#include "store/ddb_attribute.h"

void ddb_attribute_set(ddb_json_t *item, const char *name, const char *type, const char *value)
{
    ddb_json_set_str(ddb_json_set_object(item, name), type, value);
}

const char *ddb_attribute_get(const ddb_json_t *item, const char *name, const char *type)
{
    return ddb_json_str(ddb_json_child(item, name), type);
}

const char *ddb_attribute_number(apr_int64_t n, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT, n);
}

int ddb_attribute_read_number(apr_int64_t *n, const char *value)
{
    const char *digit = value ? value : "";
    apr_int64_t number = 0;
    int good;

    for (; *digit >= '0' && *digit <= '9' && digit - value < 15; digit++) {
        number = number * 10 + (*digit - '0');
    }
    good = value && digit != value && !*digit && (*value != '0' || digit - value == 1);
    if (good) {
        *n = number;
    }
    return good;
}

void ddb_attribute_set_key(ddb_json_t *request, const char *name, const char *key)
{
    ddb_attribute_set(ddb_json_set_object(request, name), DDB_ATTRIBUTE_KEY, "S", key);
}

void ddb_attribute_use_name(ddb_json_t *request, const char *attribute, apr_pool_t *p)
{
    ddb_json_t *names = ddb_json_set_object(request, "ExpressionAttributeNames");
    const char *placeholder = apr_pstrcat(p, "#", attribute, NULL);

    /* An update and its condition may use the same name, but the keys of a JSON object must be unique (RFC 8259 section
     * 4: otherwise the behaviour of receivers is unpredictable). */
    if (!ddb_json_has(names, placeholder)) {
        ddb_json_set_str(names, placeholder, attribute);
    }
}

void ddb_attribute_use_value(ddb_json_t *request, const char *name, const char *type, const char *value, apr_pool_t *p)
{
    ddb_attribute_set(ddb_json_set_object(request, "ExpressionAttributeValues"), apr_pstrcat(p, ":", name, NULL), type,
                      value);
}
