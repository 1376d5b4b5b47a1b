#ifndef DDB_SKEW_H
#define DDB_SKEW_H

#include <apr_pools.h>

#include "base/ddb_clock.h"
#include "base/ddb_error.h"

/**
 * The offset of this machine's clock from the service's, as learned from refused signatures. One per process, because
 * all endpoints share the correct time. Thread safe.
 */
typedef struct ddb_skew_t ddb_skew_t;

/** Smaller differences are ignored: the service refuses from 15 minutes on, and AWS's SDKs act from 4. */
#define DDB_SKEW_MIN apr_time_from_sec(240)

void ddb_skew_create(ddb_skew_t **ps, const ddb_clock_t *clock, apr_pool_t *p);

/** The clock that was given, with its wall time corrected. Lives as long as s. */
const ddb_clock_t *ddb_skew_clock(const ddb_skew_t *s);

/** The correction added to the wall time, microseconds. */
apr_interval_time_t ddb_skew_offset(const ddb_skew_t *s);

/** 1 when the Date of replies from this URL can be trusted: TLS authenticates its sender, or it is this machine. */
int ddb_skew_trusts(const char *url);

/** 1 when the service refused a signature in a way that a wrong clock can cause. */
int ddb_skew_suspected(const char *type);

/**
 * A signature made at signed_at (corrected by offset) was refused in a reply with that date.
 * @return 1 when the time has been corrected since, so a new signature may be accepted.
 */
int ddb_skew_correct(ddb_skew_t *s, apr_interval_time_t offset, apr_time_t signed_at, apr_time_t date);

/** @return 1, to one caller only, when the offset has changed since the last notice. */
int ddb_skew_take_notice(ddb_skew_t *s, ddb_notice_t *n);

#endif
