#ifndef DDB_SKEW_H
#define DDB_SKEW_H

#include <apr_pools.h>

#include "base/ddb_clock.h"
#include "base/ddb_error.h"

/**
 * How far this machine's clock is off the service's, as far as refused signatures have told. One per process: all its
 * endpoints are right, or none. Thread safe.
 */
typedef struct ddb_skew_t ddb_skew_t;

/** A smaller difference is none: the service refuses from 15 minutes on, and AWS's SDKs act from 4. */
#define DDB_SKEW_MIN apr_time_from_sec(240)

void ddb_skew_create(ddb_skew_t **ps, const ddb_clock_t *clock, apr_pool_t *p);

/** The clock that was given, with its wall time corrected. Lives as long as s. */
const ddb_clock_t *ddb_skew_clock(const ddb_skew_t *s);

/** What is added to the wall time, microseconds. */
apr_interval_time_t ddb_skew_offset(const ddb_skew_t *s);

/** 1 when the Date of answers from this URL is to be believed: TLS says who wrote it, or it is this machine itself. */
int ddb_skew_trusts(const char *url);

/** 1 when the service calls a signature wrong in a way that a wrong clock may be the cause of. */
int ddb_skew_suspected(const char *type);

/**
 * A signature made at signed_at (corrected by offset) was refused in an answer of that date.
 * @return 1 when the time is another by now, and signing anew may help.
 */
int ddb_skew_correct(ddb_skew_t *s, apr_interval_time_t offset, apr_time_t signed_at, apr_time_t date);

/** @return 1, to one caller only, when the offset is another than the last time that this said so. */
int ddb_skew_take_notice(ddb_skew_t *s, ddb_notice_t *n);

#endif
