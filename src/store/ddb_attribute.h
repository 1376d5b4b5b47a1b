#ifndef DDB_ATTRIBUTE_H
#define DDB_ATTRIBUTE_H

#include "base/ddb_json.h"

/* Attribute values in requests and items, such as {"N": "12"}. Types: S (text), N (decimal digits), B (base64). */

#define DDB_ATTRIBUTE_KEY "id" /* the table key, of type S */

/** Add an attribute to an item. */
void ddb_attribute_set(ddb_json_t *item, const char *name, const char *type, const char *value);

/** The value of an attribute, owned by item; NULL if item is NULL, or the attribute is missing or of another type. */
const char *ddb_attribute_get(const ddb_json_t *item, const char *name, const char *type);

/** A number as a value of type N, in p. */
const char *ddb_attribute_number(apr_int64_t n, apr_pool_t *p);

/** Read a whole decimal number, as DynamoDB prints it, into *n. Returns 1; 0 for any other value and for NULL. At most
 * 15 digits: sums of these numbers stay far from the limits of apr_int64_t. */
int ddb_attribute_read_number(apr_int64_t *n, const char *value);

/** Add an object that holds the table key to a request; name: "Key" or "Item". */
void ddb_attribute_set_key(ddb_json_t *request, const char *name, const char *key);

/** Define a placeholder for the expressions of a request: #name for an attribute name, :name for a value. The first
 * placeholder creates the map: DynamoDB rejects empty ones. */
void ddb_attribute_use_name(ddb_json_t *request, const char *attribute, apr_pool_t *p);
void ddb_attribute_use_value(ddb_json_t *request, const char *name, const char *type, const char *value, apr_pool_t *p);

#endif
