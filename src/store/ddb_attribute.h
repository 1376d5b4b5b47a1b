#ifndef DDB_ATTRIBUTE_H
#define DDB_ATTRIBUTE_H

#include "base/ddb_json.h"

/* Attribute values in requests and items, such as {"N": "12"}: of type S (text), N (decimal digits) or B (base64). */

#define DDB_ATTRIBUTE_KEY "id" /* of the table, of type S */

/** Add an attribute to an item. */
void ddb_attribute_set(ddb_json_t *item, const char *name, const char *type, const char *value);

/** The value of an attribute; NULL when item is NULL, or the attribute is missing or of another type. */
const char *ddb_attribute_get(const ddb_json_t *item, const char *name, const char *type);

/** The value of type N for a number, in p. */
const char *ddb_attribute_number(apr_int64_t n, apr_pool_t *p);

/** 1 when the value (or NULL) is a whole decimal number, as DynamoDB prints it, which is then in *n. 15 digits: sums
 * of such numbers stay far from the ends of apr_int64_t. */
int ddb_attribute_read_number(apr_int64_t *n, const char *value);

/** Add an object with the table key to a request, such as Key. */
void ddb_attribute_set_key(ddb_json_t *request, const char *name, const char *key);

/** Add a placeholder for the expressions of a request: #name, or :name for a value. DynamoDB refuses empty maps of
 * placeholders: the first one makes the map. */
void ddb_attribute_use_name(ddb_json_t *request, const char *name, apr_pool_t *p);
void ddb_attribute_use_value(ddb_json_t *request, const char *name, const char *type, const char *value, apr_pool_t *p);

#endif
