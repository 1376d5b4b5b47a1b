/* The difference of this machine's clock to the service's, and the clock that is corrected by it. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "aws/ddb_skew.h"
#include "base/ddb_array.h"

struct ddb_skew_t {
    const ddb_clock_t *base;
    ddb_clock_t corrected;
    /* Unsigned for APR; the bits are those of an apr_interval_time_t. */
    volatile apr_uint64_t offset, told;
};

static apr_interval_time_t read_offset(const ddb_skew_t *s)
{
    return (apr_interval_time_t)apr_atomic_read64((volatile apr_uint64_t *)&s->offset);
}

static apr_time_t wall(void *baton)
{
    const ddb_skew_t *s = baton;

    return ddb_clock_wall(s->base) + read_offset(s);
}

static apr_time_t monotonic(void *baton)
{
    const ddb_skew_t *s = baton;

    return ddb_clock_monotonic(s->base);
}

static void pause_for(void *baton, apr_interval_time_t t)
{
    const ddb_skew_t *s = baton;

    ddb_clock_sleep(s->base, t);
}

void ddb_skew_create(ddb_skew_t **ps, const ddb_clock_t *clock, apr_pool_t *p)
{
    ddb_skew_t *s = apr_pcalloc(p, sizeof(*s));

    s->base = clock;
    s->corrected.wall = wall;
    s->corrected.monotonic = monotonic;
    s->corrected.sleep = pause_for;
    s->corrected.baton = s;
    *ps = s;
}

const ddb_clock_t *ddb_skew_clock(const ddb_skew_t *s)
{
    return &s->corrected;
}

apr_interval_time_t ddb_skew_offset(const ddb_skew_t *s)
{
    return read_offset(s);
}

static int is_loopback(const char *host)
{
    static const char *const names[] = { "localhost", "[::1]" };
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(names); i++) {
        const char *behind = host + strlen(names[i]);
        if (strncmp(host, names[i], strlen(names[i])) == 0 && (!*behind || *behind == ':')) {
            return 1;
        }
    }
    return strncmp(host, "127.", 4) == 0 && !host[strspn(host, "0123456789.:")];
}

int ddb_skew_trusts(const char *url)
{
    return strncmp(url, "https://", 8) == 0 || (strncmp(url, "http://", 7) == 0 && is_loopback(url + 7));
}

int ddb_skew_suspected(const char *type)
{
    static const char *const types[] = { "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired",
                                         "RequestTimeTooSkewed", "RequestInTheFuture" };
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(types); i++) {
        if (strcmp(type, types[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static apr_interval_time_t magnitude(apr_interval_time_t t)
{
    return t < 0 ? -t : t;
}

int ddb_skew_correct(ddb_skew_t *s, apr_interval_time_t offset, apr_time_t signed_at, apr_time_t date)
{
    apr_interval_time_t found = offset + date - signed_at;

    if (magnitude(date - signed_at) < DDB_SKEW_MIN) {
        return 0;
    }
    /* A clock that was set right meanwhile: the Date has seconds only, and is some milliseconds old. */
    if (magnitude(found) < DDB_SKEW_MIN) {
        found = 0;
    }
    /* Where another was quicker, its correction is as good. */
    apr_atomic_cas64(&s->offset, (apr_uint64_t)found, (apr_uint64_t)offset);
    return read_offset(s) != offset;
}

int ddb_skew_take_notice(ddb_skew_t *s, ddb_notice_t *n)
{
    apr_uint64_t told = apr_atomic_read64(&s->told);
    apr_interval_time_t offset = read_offset(s);

    if ((apr_uint64_t)offset == told || apr_atomic_cas64(&s->told, (apr_uint64_t)offset, told) != told) {
        return 0;
    }
    n->warning = offset != 0;
    if (offset) {
        apr_snprintf(n->text, sizeof(n->text),
                     "this machine's clock is %" APR_INT64_T_FMT
                     " s %s DynamoDB's; signatures and session timeouts now follow DynamoDB's: correct the clock (NTP)",
                     apr_time_sec(magnitude(offset)), offset > 0 ? "behind" : "ahead of");
    }
    else {
        apr_cpystrn(n->text, "this machine's clock is correct again and used as it is", sizeof(n->text));
    }
    return 1;
}
