#ifndef DDB_METRICS_H
#define DDB_METRICS_H

#include "base/ddb_count.h"
#include "base/ddb_text.h"

/*
 * Metrics as text: Prometheus's exposition format 0.0.4, OpenMetrics 1.0, or JSON. Families are written one after
 * another, each with all its samples, as both formats want it.
 */

typedef enum ddb_metrics_format_e { DDB_METRICS_TEXT, DDB_METRICS_OPENMETRICS, DDB_METRICS_JSON } ddb_metrics_format_e;

typedef enum ddb_metrics_type_e {
    DDB_METRICS_GAUGE,
    DDB_METRICS_COUNTER, /* its name ends in _total */
    DDB_METRICS_HISTOGRAM,
    DDB_METRICS_INFO /* its name ends in _info; a gauge of 1 where there is no such type */
} ddb_metrics_type_e;

/** Metrics of one name. Texts of ours: nothing in them needs an escape. */
typedef struct ddb_metrics_family_t {
    const char *name;
    ddb_metrics_type_e type;
    const char *help;
} ddb_metrics_family_t;

/** Any text is a value; what is not UTF-8 becomes '?'. */
typedef struct ddb_metrics_label_t {
    const char *name, *value;
} ddb_metrics_label_t;

/** Takes the next bytes. */
typedef void ddb_metrics_write_fn(void *baton, const char *bytes, apr_size_t len);

typedef struct ddb_metrics_t {
    ddb_metrics_format_e format;
    ddb_metrics_write_fn *write;
    void *baton;
    ddb_text_t text; /* not passed on yet */
    const ddb_metrics_family_t *family;
    int families, samples; /* begun; of the last family */
} ddb_metrics_t;

/** Memory is in p. `write` is set after this, with its baton. */
void ddb_metrics_begin(ddb_metrics_t *m, ddb_metrics_format_e format, apr_pool_t *p);

/** Begin the next family, which stays valid until the one after. */
void ddb_metrics_family(ddb_metrics_t *m, const ddb_metrics_family_t *family);

/** A sample of the family. labels end with a name of NULL; value is a decimal number. */
void ddb_metrics_sample(ddb_metrics_t *m, const ddb_metrics_label_t *labels, const char *value);
void ddb_metrics_number(ddb_metrics_t *m, const ddb_metrics_label_t *labels, apr_uint64_t value);

/** A sample of a histogram, in seconds: buckets that contain those before them, the sum, and as count their last. */
void ddb_metrics_times(ddb_metrics_t *m, const ddb_metrics_label_t *labels, const ddb_count_times_t *times);

/** The end, and all that is still to be written. */
void ddb_metrics_end(ddb_metrics_t *m);

/** Microseconds as seconds, such as 0.0025 or 1.0: one place after the point at least, and no zeros behind that. */
const char *ddb_metrics_seconds(apr_uint64_t t, apr_pool_t *p);

#endif
