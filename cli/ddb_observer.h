#ifndef DDB_OBSERVER_H
#define DDB_OBSERVER_H

#include "base/ddb_http.h"

/**
 * A transport in front of another one, that looks at what every reply has in common and a client keeps to itself. One
 * thread at a time.
 */
typedef struct ddb_observer_t {
    ddb_http_transport_t http; /* for the clients */
    const ddb_http_transport_t *real;
    apr_interval_time_t timeout; /* of an exchange, whatever a client allows: large rows take their time */
    int unsign;                  /* 1: requests go without their Authorization */
    /* the last reply */
    int status;
    char request_id[64]; /* "" without one */
    /* all replies */
    int replies;
    int with_id;           /* x-amzn-RequestId */
    int with_date;         /* a Date in one of HTTP's forms (RFC 9110, section 5.6.7) */
    int with_crc, bad_crc; /* x-amz-crc32, and one that is not that of the body as it was sent */
} ddb_observer_t;

/** real must outlive o. */
void ddb_observer_begin(ddb_observer_t *o, const ddb_http_transport_t *real, apr_interval_time_t timeout);

#endif
