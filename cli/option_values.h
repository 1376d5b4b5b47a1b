#ifndef OPTION_VALUES_H
#define OPTION_VALUES_H

#include <apr_pools.h>

/**
 * What the values of options have to be. Each function checks a value and keeps it in *field, whose type it names; text
 * is not copied.
 * @return NULL, or a sentence that says what the value has to be.
 */
typedef const char *option_value_fn(void *field, const char *value, apr_pool_t *p);

option_value_fn option_values_flag;     /* int, 1 */
option_value_fn option_values_text;     /* const char *, not empty */
option_value_fn option_values_source;   /* apr_array_header_t *, of const char *: added to it */
option_value_fn option_values_table;    /* const char *, a name or an ARN */
option_value_fn option_values_region;   /* const char * */
option_value_fn option_values_endpoint; /* const char *, a URL */
option_value_fn option_values_proxy;    /* const char *, a URL */
option_value_fn option_values_seconds;  /* apr_interval_time_t, a tenth of a second to an hour */
option_value_fn option_values_count;    /* apr_int64_t, not negative */
option_value_fn option_values_few;      /* int, 1 to 1000 */
option_value_fn option_values_order;    /* const char *, one of three words */
option_value_fn option_values_percent;  /* double */
option_value_fn option_values_price;    /* double */
option_value_fn option_values_account;  /* const char *, 12 digits */
option_value_fn option_values_switch;   /* int, of On and Off */

#endif
