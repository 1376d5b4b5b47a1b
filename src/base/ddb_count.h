#ifndef DDB_COUNT_H
#define DDB_COUNT_H

#include <apr_pools.h>

/*
 * What is counted of all child processes together, since the server was started or restarted last: numbers in shared
 * memory, each added to by one atomic instruction, without locks. A child that dies leaves what it has counted. Numbers
 * are read one by one: those that belong together may be a call apart.
 */
typedef struct ddb_count_t ddb_count_t;

typedef enum ddb_counted_e {
    DDB_COUNT_READ_HALVES, /* consumed capacity as the replies report it; half units, as an eventual read costs 0.5 */
    DDB_COUNT_WRITE_HALVES,
    DDB_COUNT_GET, /* calls, whatever came of them, but for those turned away */
    DDB_COUNT_PUT,
    DDB_COUNT_UPDATE,
    DDB_COUNT_DELETE,
    DDB_COUNT_FAILED,      /* calls that failed; a failed condition is not a failure */
    DDB_COUNT_CONDITION,   /* calls that ended with a failed condition, whose capacity no reply reports */
    DDB_COUNT_RETRY,       /* attempts beyond the first of a call */
    DDB_COUNT_THROTTLED,   /* attempts that were answered so */
    DDB_COUNT_TURNED_AWAY, /* calls that an open breaker let not through */
    DDB_COUNT_OPENED,      /* breakers, each time that one opened */
    DDB_COUNT_CREATED,     /* sessions */
    DDB_COUNT_RENEWED,
    DDB_COUNT_ENDED,   /* by a request; not those whose time was over */
    DDB_COUNT_MERGED,  /* changes that met another request's and were merged with them */
    DDB_COUNT_REFUSED, /* IDs that came and were no session's */
    DDB_COUNTED        /* how many there are */
} ddb_counted_e;

/** Make them, all 0, before fork; the children find them at the same address. They go with p. */
apr_status_t ddb_count_create(ddb_count_t **pc, apr_pool_t *p);

/** Thread and process safe, and safe in a signal handler. c NULL: nothing is counted. */
void ddb_count_add(ddb_count_t *c, ddb_counted_e what, apr_uint64_t n);

/** 0 when c is NULL. */
apr_uint64_t ddb_count_get(const ddb_count_t *c, ddb_counted_e what);

/** The kind of a call that has this name; DDB_COUNTED for one that is not counted. */
ddb_counted_e ddb_count_operation(const char *operation);

/** Half units in units, such as 12.5 or 3.0, in p. */
const char *ddb_count_units(apr_uint64_t halves, apr_pool_t *p);

#endif
