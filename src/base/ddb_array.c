/* Arrays and what is in them. */

#include <string.h>

#include "base/ddb_array.h"

int ddb_array_holds(const apr_array_header_t *strings, const char *text)
{
    int i;

    for (i = 0; i < strings->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(strings, i, const char *), text) == 0) {
            return 1;
        }
    }
    return 0;
}
