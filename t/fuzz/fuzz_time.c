/* Timestamps of the table: the input as one, and its first eight bytes as a time to write. */

#include "base/ddb_time.h"
#include "fuzz.h"

#define MICROSECONDS APR_INT64_C(1000000)
#define YEAR_10000   (APR_INT64_C(253402300800) * MICROSECONDS)

static void comes_back(apr_time_t t, apr_pool_t *p)
{
    const char *printed = ddb_time_print(t, p);
    apr_time_t again;

    HOLDS(strlen(printed) == 32);
    HOLDS(ddb_time_parse(&again, printed) == APR_SUCCESS && again == t);
}

static void read_text(const char *text, apr_pool_t *p)
{
    const apr_time_t untouched = APR_INT64_C(-123456789);
    apr_time_t t = untouched;
    apr_status_t rv = ddb_time_parse(&t, text);
    const char *printed;

    if (rv != APR_SUCCESS) {
        HOLDS(rv == APR_EBADDATE && t == untouched);
        return;
    }
    HOLDS(t >= 0 && t < YEAR_10000);
    comes_back(t, p);
    printed = ddb_time_print(t, p);
    if (text[19] == '.') {
        HOLDS(strcmp(text, printed) == 0);
    }
    else {
        HOLDS(strncmp(text, printed, 19) == 0 && strcmp(printed + 19, ".000000+00:00") == 0);
        HOLDS(strcmp(text + 19, "+00:00") == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    apr_time_t t;

    read_text(fuzz_text(data, size), p);
    if (size >= sizeof(t)) {
        memcpy(&t, data, sizeof(t));
        comes_back((t & APR_INT64_MAX) % YEAR_10000, p);
    }
    return fuzz_end();
}
