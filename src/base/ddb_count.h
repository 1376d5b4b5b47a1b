#ifndef DDB_COUNT_H
#define DDB_COUNT_H

#include <apr_pools.h>

/*
 * Counters of all child processes together, since the last start or restart of the server: numbers in shared memory,
 * each updated by one atomic instruction, without locks. The counts of a child that dies remain. Counters are read one
 * by one, so related ones may differ by a call.
 */
typedef struct ddb_count_t ddb_count_t;

typedef enum ddb_counted_e {
    DDB_COUNT_READ_HALVES, /* consumed capacity as the replies report it; half units, as an eventual read costs 0.5 */
    DDB_COUNT_WRITE_HALVES,
    DDB_COUNT_GET, /* calls with any result, except rejected ones */
    DDB_COUNT_PUT,
    DDB_COUNT_UPDATE,
    DDB_COUNT_DELETE,
    DDB_COUNT_FAILED,      /* calls that failed; a failed condition is not a failure */
    DDB_COUNT_CONDITION,   /* calls that ended with a failed condition, whose capacity no reply reports */
    DDB_COUNT_RETRY,       /* attempts beyond the first of a call */
    DDB_COUNT_THROTTLED,   /* attempts that the service throttled */
    DDB_COUNT_TURNED_AWAY, /* calls rejected by an open circuit breaker */
    DDB_COUNT_OPENED,      /* times that a circuit breaker opened */
    DDB_COUNT_CREATED,     /* sessions */
    DDB_COUNT_RENEWED,
    DDB_COUNT_ENDED,       /* by a request; expired ones do not count */
    DDB_COUNT_MERGED,      /* changes that met another request's and were merged with them */
    DDB_COUNT_REFUSED,     /* unknown or expired IDs that clients sent */
    DDB_COUNT_LIMITED,     /* requests refused by SessionDynamoDBGuessLimit or SessionDynamoDBCreateLimit */
    DDB_COUNT_CACHED_READ, /* rows that came from the cache */
    DDB_COUNT_SHARED_READ, /* rows that came from another request's read */
    DDB_COUNTED            /* the number of counters */
} ddb_counted_e;

/** Create the counters, all 0, before fork; the children find them at the same address. They live as long as p. */
apr_status_t ddb_count_create(ddb_count_t **pc, apr_pool_t *p);

/** Thread and process safe, and safe in a signal handler. c NULL: nothing is counted. */
void ddb_count_add(ddb_count_t *c, ddb_counted_e what, apr_uint64_t n);

/** 0 when c is NULL. */
apr_uint64_t ddb_count_get(const ddb_count_t *c, ddb_counted_e what);

/** The counter of calls with this name; DDB_COUNTED if they are not counted. */
ddb_counted_e ddb_count_operation(const char *operation);

/** Half capacity units, printed as units such as 12.5 or 3.0, in p. */
const char *ddb_count_units(apr_uint64_t halves, apr_pool_t *p);

#endif
