#ifndef MSD_METRICS_H
#define MSD_METRICS_H

#include <httpd.h>

/*
 * The handler session-dynamodb-metrics: the counters and gauges of all children, as docs/metrics.md describes them. It
 * names no session and no client, loads no session and makes no call.
 */

/** 1 where SetHandler names it: for such requests no session is looked up. */
int msd_metrics_is_for(request_rec *r);

/** The handler hook. */
int msd_metrics_handler(request_rec *r);

#endif
