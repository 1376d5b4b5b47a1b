/* Metrics as text. The formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and OpenMetrics 1.0,
 * section "Text format". */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_metrics.h"
#include "base/ddb_utf8.h"

#define PIECE 16384 /* bytes that are passed on together */

void ddb_metrics_begin(ddb_metrics_t *m, ddb_metrics_format_e format, apr_pool_t *p)
{
    *m = (ddb_metrics_t){ .format = format };
    ddb_text_begin(&m->text, PIECE + PIECE / 2, p);
    if (format == DDB_METRICS_JSON) {
        ddb_text_add(&m->text, "{\"metrics\":[");
    }
}

static void pass_on(ddb_metrics_t *m)
{
    m->write(m->baton, m->text.data, m->text.len);
    m->text.len = 0;
}

/* ---- families ---------------------------------------------------------------------------------------------------- */

static void end_family(ddb_metrics_t *m)
{
    if (m->format == DDB_METRICS_JSON && m->family) {
        ddb_text_add(&m->text, "]}");
    }
}

static const char *type_of(const ddb_metrics_t *m)
{
    static const char *const names[] = { "gauge", "counter", "histogram", "info" };

    return names[m->family->type == DDB_METRICS_INFO && m->format == DDB_METRICS_TEXT ? DDB_METRICS_GAUGE
                                                                                      : m->family->type];
}

/* In OpenMetrics the name of a counter or info is that of its samples without the suffix. */
static apr_size_t name_length(const ddb_metrics_t *m)
{
    apr_size_t len = strlen(m->family->name);

    if (m->format != DDB_METRICS_OPENMETRICS) {
        return len;
    }
    return m->family->type == DDB_METRICS_COUNTER ? len - strlen("_total")
           : m->family->type == DDB_METRICS_INFO  ? len - strlen("_info")
                                                  : len;
}

static void describe(ddb_metrics_t *m, const char *what, const char *text)
{
    ddb_text_add(&m->text, what);
    ddb_text_add_bytes(&m->text, m->family->name, name_length(m));
    ddb_text_add(&m->text, " ");
    ddb_text_add(&m->text, text);
    ddb_text_add(&m->text, "\n");
}

static void describe_json(ddb_metrics_t *m)
{
    ddb_text_add(&m->text, m->families ? ",\n{\"name\":" : "\n{\"name\":");
    ddb_text_add_json(&m->text, m->family->name);
    ddb_text_add(&m->text, ",\"type\":");
    ddb_text_add_json(&m->text, type_of(m));
    ddb_text_add(&m->text, ",\"help\":");
    ddb_text_add_json(&m->text, m->family->help);
    ddb_text_add(&m->text, ",\"samples\":[");
}

void ddb_metrics_family(ddb_metrics_t *m, const ddb_metrics_family_t *family)
{
    end_family(m);
    m->family = family;
    m->samples = 0;
    if (m->format == DDB_METRICS_JSON) {
        describe_json(m);
    }
    else {
        describe(m, "# HELP ", family->help);
        describe(m, "# TYPE ", type_of(m));
    }
    m->families++;
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static const char *as_utf8(const char *value, apr_pool_t *p)
{
    apr_size_t len = strlen(value), at, n;
    char *copy = NULL;

    for (at = 0; at < len; at += n ? n : 1) {
        n = ddb_utf8_sequence(value + at, len - at);
        if (!n) {
            copy = copy ? copy : apr_pstrdup(p, value);
            copy[at] = '?';
        }
    }
    return copy ? copy : value;
}

/* A label's value: backslash, quote and line feed are escaped, and nothing else. */
static void add_quoted(ddb_text_t *t, const char *value)
{
    apr_size_t n;

    for (ddb_text_add(t, "\""); *value; value += n) {
        n = strcspn(value, "\\\"\n");
        ddb_text_add_bytes(t, value, n);
        if (value[n]) {
            ddb_text_add(t, value[n] == '\n' ? "\\n" : value[n] == '"' ? "\\\"" : "\\\\");
            n++;
        }
    }
    ddb_text_add(t, "\"");
}

static void add_label(ddb_text_t *t, const char *before, const char *name, const char *value)
{
    ddb_text_add(t, before);
    ddb_text_add(t, name);
    ddb_text_add(t, "=");
    add_quoted(t, as_utf8(value, t->p));
}

/* le: of a bucket; NULL: none. */
static void add_labels(ddb_metrics_t *m, const ddb_metrics_label_t *labels, const char *le)
{
    const char *before = "{";

    for (; labels->name; labels++) {
        add_label(&m->text, before, labels->name, labels->value);
        before = ",";
    }
    if (le) {
        add_label(&m->text, before, "le", le);
        before = ",";
    }
    ddb_text_add(&m->text, *before == ',' ? "}" : "");
}

static void add_json_labels(ddb_metrics_t *m, const ddb_metrics_label_t *labels)
{
    ddb_text_add(&m->text, m->samples ? ",\n{\"labels\":{" : "\n{\"labels\":{");
    for (; labels->name; labels++) {
        ddb_text_add_json(&m->text, labels->name);
        ddb_text_add(&m->text, ":");
        ddb_text_add_json(&m->text, as_utf8(labels->value, m->text.p));
        ddb_text_add(&m->text, labels[1].name ? "," : "");
    }
    ddb_text_add(&m->text, "}");
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */

static void end_sample(ddb_metrics_t *m)
{
    m->samples++;
    if (m->text.len >= PIECE) {
        pass_on(m);
    }
}

static void add_line(ddb_metrics_t *m, const char *suffix, const ddb_metrics_label_t *labels, const char *le,
                     const char *value)
{
    ddb_text_add(&m->text, m->family->name);
    ddb_text_add(&m->text, suffix);
    add_labels(m, labels, le);
    ddb_text_add(&m->text, " ");
    ddb_text_add(&m->text, value);
    ddb_text_add(&m->text, "\n");
}

static const char *decimal(const ddb_metrics_t *m, apr_uint64_t n)
{
    return apr_psprintf(m->text.p, "%" APR_UINT64_T_FMT, n);
}

void ddb_metrics_sample(ddb_metrics_t *m, const ddb_metrics_label_t *labels, const char *value)
{
    if (m->format == DDB_METRICS_JSON) {
        add_json_labels(m, labels);
        ddb_text_add(&m->text, ",\"value\":");
        ddb_text_add(&m->text, value);
        ddb_text_add(&m->text, "}");
    }
    else {
        add_line(m, "", labels, NULL, value);
    }
    end_sample(m);
}

void ddb_metrics_number(ddb_metrics_t *m, const ddb_metrics_label_t *labels, apr_uint64_t value)
{
    ddb_metrics_sample(m, labels, decimal(m, value));
}

const char *ddb_metrics_seconds(apr_uint64_t t, apr_pool_t *p)
{
    char *text = apr_psprintf(p, "%" APR_UINT64_T_FMT ".%06d", t / APR_USEC_PER_SEC, (int)(t % APR_USEC_PER_SEC));
    char *end = text + strlen(text) - 1;

    while (*end == '0' && end[-1] != '.') {
        *end-- = '\0';
    }
    return text;
}

static void add_bucket(ddb_metrics_t *m, const ddb_metrics_label_t *labels, const char *le, apr_uint64_t n)
{
    if (m->format == DDB_METRICS_JSON) {
        ddb_text_add_json(&m->text, le);
        ddb_text_add(&m->text, ":");
        ddb_text_add(&m->text, decimal(m, n));
        ddb_text_add(&m->text, *le == '+' ? "" : ",");
    }
    else {
        add_line(m, "_bucket", labels, le, decimal(m, n));
    }
}

void ddb_metrics_times(ddb_metrics_t *m, const ddb_metrics_label_t *labels, const ddb_count_times_t *times)
{
    const char *sum = ddb_metrics_seconds(times->sum, m->text.p);
    apr_uint64_t n = 0;
    int i;

    if (m->format == DDB_METRICS_JSON) {
        add_json_labels(m, labels);
        ddb_text_add(&m->text, ",\"buckets\":{");
    }
    for (i = 0; i <= DDB_COUNT_BOUNDS; i++) {
        n += times->bucket[i];
        add_bucket(m, labels,
                   i < DDB_COUNT_BOUNDS ? ddb_metrics_seconds((apr_uint64_t)ddb_count_bounds[i], m->text.p) : "+Inf",
                   n);
    }
    if (m->format == DDB_METRICS_JSON) {
        ddb_text_add(&m->text, apr_pstrcat(m->text.p, "},\"sum\":", sum, ",\"count\":", decimal(m, n), "}", NULL));
    }
    else {
        add_line(m, "_sum", labels, NULL, sum);
        add_line(m, "_count", labels, NULL, decimal(m, n));
    }
    end_sample(m);
}

void ddb_metrics_end(ddb_metrics_t *m)
{
    end_family(m);
    ddb_text_add(&m->text, m->format == DDB_METRICS_JSON          ? "\n]}\n"
                           : m->format == DDB_METRICS_OPENMETRICS ? "# EOF\n"
                                                                  : "");
    pass_on(m);
}
