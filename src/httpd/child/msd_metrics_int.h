#ifndef MSD_METRICS_INT_H
#define MSD_METRICS_INT_H

#include <httpd.h>

#include "base/ddb_metrics.h"
#include "httpd/child/msd_counts.h"
#include "httpd/child/msd_gauges.h"

/* Between the files of msd_metrics. */

#define MSD_METRICS_LABELS 8 /* at most, with the end */

/** One answer. */
typedef struct msd_metrics_page_t {
    request_rec *r;
    ddb_metrics_t m;
    const msd_counts_t *counts;
    const msd_gauges_t *gauges;
    const apr_array_header_t *places; /* int: of children that run */
    const msd_counts_table_t *table;  /* whose samples are written; NULL: they are of the whole server */
    ddb_metrics_label_t labels[MSD_METRICS_LABELS];
    int fixed; /* how many of these name the table */
} msd_metrics_page_t;

/** Write all families. */
void msd_metrics_write(msd_metrics_page_t *page);

#endif
