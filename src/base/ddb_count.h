#ifndef DDB_COUNT_H
#define DDB_COUNT_H

#include <apr_pools.h>
#include <apr_time.h>

/*
 * Counters of one table by all child processes together: numbers in shared memory, each updated by one atomic
 * instruction, without locks. The counts of a child that dies remain. A number is spread over several cache lines,
 * which different threads use, and is their sum; no number that is read is ever lower than it was before. Counters are
 * read one by one, so related ones may differ by a call.
 */
typedef struct ddb_count_t ddb_count_t;

/** Calls that are counted. */
typedef enum ddb_count_operation_e {
    DDB_COUNT_GET,
    DDB_COUNT_PUT,
    DDB_COUNT_UPDATE,
    DDB_COUNT_DELETE,
    DDB_COUNT_OPERATIONS /* their number; any other call */
} ddb_count_operation_e;

/** How a call ended, in the words of docs/metrics.md. */
typedef enum ddb_count_outcome_e {
    DDB_OUTCOME_OK,
    DDB_OUTCOME_CONFLICT,
    DDB_OUTCOME_THROTTLED,
    DDB_OUTCOME_DENIED,
    DDB_OUTCOME_INVALID,
    DDB_OUTCOME_SERVER_ERROR,
    DDB_OUTCOME_TIMEOUT,
    DDB_OUTCOME_CONNECT,
    DDB_OUTCOME_TLS,
    DDB_OUTCOME_BROKEN,
    DDB_OUTCOME_BAD_REPLY,
    DDB_OUTCOME_TOO_LARGE,
    DDB_OUTCOME_CREDENTIALS,
    DDB_OUTCOME_REJECTED, /* by an open circuit breaker */
    DDB_OUTCOME_STOPPING,
    DDB_OUTCOME_OTHER,
    DDB_OUTCOMES /* their number */
} ddb_count_outcome_e;

#define DDB_COUNT_WRITES  3  /* kinds of writes in the background */
#define DDB_COUNT_DEVICES 5  /* kinds of what becomes of proofs of devices */
#define DDB_COUNT_EVENTS  80 /* kinds of events, at most: who counts them knows which */

typedef enum ddb_counted_e {
    DDB_COUNT_READ_HALVES, /* consumed capacity as the replies report it; half units, as an eventual read costs 0.5 */
    DDB_COUNT_WRITE_HALVES,
    DDB_COUNT_RETRY,           /* attempts beyond the first of a call */
    DDB_COUNT_THROTTLED,       /* attempts that the service throttled */
    DDB_COUNT_CONNECTED,       /* connections opened */
    DDB_COUNT_REUSED,          /* attempts on a connection that stood */
    DDB_COUNT_OPENED,          /* times that a circuit breaker opened */
    DDB_COUNT_LOADED,          /* requests with a session */
    DDB_COUNT_MERGED,          /* changes that met another request's and were merged with them */
    DDB_COUNT_REFUSED,         /* IDs that clients sent and that opened no session */
    DDB_COUNT_LIMITED_GUESSES, /* requests refused by SessionDynamoDBGuessLimit */
    DDB_COUNT_LIMITED_SESSIONS,
    DDB_COUNT_CACHED_READ,                                   /* rows that came from the cache */
    DDB_COUNT_SHARED_READ,                                   /* ... from another request's read */
    DDB_COUNT_DROPPED,                                       /* writes in the background, by kind */
    DDB_COUNT_DEVICE = DDB_COUNT_DROPPED + DDB_COUNT_WRITES, /* proofs of devices, by what became of them: */
    DDB_COUNT_DEVICE_REGISTERED = DDB_COUNT_DEVICE,          /* a session was bound */
    DDB_COUNT_DEVICE_REFRESHED,                              /* a proof was accepted */
    DDB_COUNT_DEVICE_REFUSED,                                /* a registration or a proof was not */
    DDB_COUNT_DEVICE_STALE,                                  /* a request came without one, and had no session */
    DDB_COUNT_DEVICE_SKIPPED,                                /* a browser says that it could not renew it */
    DDB_COUNT_CALL = DDB_COUNT_DEVICE + DDB_COUNT_DEVICES,   /* by operation and outcome */
    DDB_COUNT_EVENT = DDB_COUNT_CALL + (int)DDB_COUNT_OPERATIONS * (int)DDB_OUTCOMES, /* by kind */
    DDB_COUNTED = DDB_COUNT_EVENT + DDB_COUNT_EVENTS                                  /* the number of counters */
} ddb_counted_e;

/** Times whose distribution is counted: the attempts of each operation, and what a request spends with the store. */
typedef enum ddb_timed_e { DDB_TIME_ATTEMPT, DDB_TIME_REQUEST = DDB_COUNT_OPERATIONS, DDB_TIMED } ddb_timed_e;

#define DDB_COUNT_BOUNDS 12

/** The ends of the histograms' buckets, in ascending order, microseconds; each is part of its bucket. */
extern const apr_interval_time_t ddb_count_bounds[DDB_COUNT_BOUNDS];

/** A distribution: times up to each bound, but above the one before; the last are those above all. */
typedef struct ddb_count_times_t {
    apr_uint64_t bucket[DDB_COUNT_BOUNDS + 1];
    apr_uint64_t sum; /* of the times, microseconds */
} ddb_count_times_t;

/** What the memory of the counters looks like, beside their number: to be changed where counters change places. A
 * program that counts otherwise can't go on with it. */
#define DDB_COUNT_LAYOUT "2"

/** Create the counters, all 0, before fork; the children find them at the same address. They live as long as p. */
apr_status_t ddb_count_create(ddb_count_t **pc, apr_pool_t *p);

/** In a child process, after fork: its threads use other cache lines than those of the process `number`. */
void ddb_count_spread(ddb_count_t *c, apr_uint64_t number);

/** Thread and process safe, and safe in a signal handler. c NULL: nothing is counted. */
void ddb_count_add(ddb_count_t *c, ddb_counted_e what, apr_uint64_t n);

/** The same for one more call with this end; not for DDB_COUNT_OPERATIONS. */
void ddb_count_call(ddb_count_t *c, ddb_count_operation_e operation, ddb_count_outcome_e outcome);

/** The same for one more time. Less than 0 counts as 0. */
void ddb_count_time(ddb_count_t *c, ddb_timed_e what, apr_interval_time_t took);

/** 0 when c is NULL. */
apr_uint64_t ddb_count_get(const ddb_count_t *c, ddb_counted_e what);

/** The number of calls with this end. */
apr_uint64_t ddb_count_calls(const ddb_count_t *c, ddb_count_operation_e operation, ddb_count_outcome_e outcome);

/** A distribution as it is now; all 0 when c is NULL. */
void ddb_count_times(const ddb_count_t *c, ddb_timed_e what, ddb_count_times_t *times);

/** The call with this name; DDB_COUNT_OPERATIONS if it is not counted. */
ddb_count_operation_e ddb_count_operation(const char *operation);

/** The name of a call; the word for an outcome. Constants. */
const char *ddb_count_operation_name(ddb_count_operation_e operation);
const char *ddb_count_outcome_word(ddb_count_outcome_e outcome);

/** Half capacity units, printed as units such as 12.5 or 3.0, in p. */
const char *ddb_count_units(apr_uint64_t halves, apr_pool_t *p);

#endif
