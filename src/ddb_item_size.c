/* How large an item is as DynamoDB counts it: names and values in the bytes that they are, not in those of the JSON
 * that carries them. */

#include <string.h>

#include "ddb_item.h"

/* A byte, and one for each two digits, in pairs from the decimal point on and without the pairs of zeros behind. */
static apr_size_t number_size(apr_int64_t n)
{
    apr_size_t size = 1;

    while (n && n % 100 == 0) {
        n /= 100;
    }
    for (; n; n /= 100) {
        size++;
    }
    return size;
}

static apr_size_t attribute_size(const char *name, apr_size_t value)
{
    return strlen(name) + value;
}

apr_size_t ddb_item_size(const ddb_item_t *it)
{
    return attribute_size("id", strlen(it->id))
           + attribute_size("data", it->data_len)
           + attribute_size("created", DDB_ITEM_TIME_LEN)
           + attribute_size("accessed", DDB_ITEM_TIME_LEN)
           + attribute_size("expires", number_size(it->expires))
           + attribute_size("idle_timeout", number_size(it->idle_timeout))
           + attribute_size("absolute_timeout", number_size(it->absolute_timeout))
           + attribute_size("version", number_size(it->version))
           + attribute_size("write_id", sizeof(it->write_id))
           + (it->loggable ? attribute_size("loggable", strlen(it->loggable)) : 0)
           + (it->user_mark ? attribute_size("user_mark", strlen(it->user_mark)) : 0);
}
