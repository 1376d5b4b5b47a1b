#ifndef DDB_TIME_H
#define DDB_TIME_H

#include <apr_pools.h>
#include <apr_time.h>

/* Times as text: what tables and services write, ISO 8601. */

#define DDB_TIME_LEN 32 /* characters, as ddb_time_print has them */

/** As Python's datetime.isoformat() writes an aware UTC time with microseconds (DDB_TIME_LEN characters), in p. */
const char *ddb_time_print(apr_time_t t, apr_pool_t *p);

/** Reads what isoformat() writes, with or without microseconds. @return APR_EBADDATE for anything else. */
apr_status_t ddb_time_parse(apr_time_t *t, const char *s);

/**
 * Reads a date and time after 1970 began, with seconds and a time zone (Z, +hh:mm, +hhmm); fractions are cut.
 * @return APR_EBADDATE for anything else.
 */
apr_status_t ddb_time_parse_zoned(apr_time_t *t, const char *text);

#endif
