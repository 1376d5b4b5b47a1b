/* Metrics as text, in each format. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/ddb_json.h"
#include "base/ddb_metrics.h"
#include "tap.h"

static const ddb_metrics_family_t calls = { "x_calls_total", DDB_METRICS_COUNTER, "Calls." };
static const ddb_metrics_family_t length = { "x_length", DDB_METRICS_GAUGE, "A length." };
static const ddb_metrics_family_t build = { "x_build_info", DDB_METRICS_INFO, "Versions." };
static const ddb_metrics_family_t took = { "x_seconds", DDB_METRICS_HISTOGRAM, "Times." };

static const ddb_metrics_label_t none[] = { { NULL, NULL } };

/** What was written, and in how many pieces. */
typedef struct written_t {
    ddb_text_t text;
    int pieces;
} written_t;

static void keep(void *baton, const char *bytes, apr_size_t len)
{
    written_t *w = baton;

    ddb_text_add_bytes(&w->text, bytes, len);
    w->pieces++;
}

static ddb_metrics_t *begin(ddb_metrics_format_e format, apr_pool_t *p)
{
    ddb_metrics_t *m = apr_palloc(p, sizeof(*m));
    written_t *w = apr_pcalloc(p, sizeof(*w));

    ddb_text_begin(&w->text, 100, p);
    ddb_metrics_begin(m, format, p);
    m->write = keep;
    m->baton = w;
    return m;
}

static const char *end(ddb_metrics_t *m)
{
    written_t *w = m->baton;

    ddb_metrics_end(m);
    return ddb_text_end(&w->text);
}

static const char *small(ddb_metrics_format_e format, apr_pool_t *p)
{
    static const ddb_metrics_label_t one[] = { { "a", "b" }, { NULL, NULL } };
    static const ddb_metrics_label_t two[] = { { "a", "b" }, { "c", "d" }, { NULL, NULL } };
    ddb_metrics_t *m = begin(format, p);

    ddb_metrics_family(m, &build);
    ddb_metrics_number(m, one, 1);
    ddb_metrics_family(m, &calls);
    ddb_metrics_number(m, one, 17);
    ddb_metrics_number(m, two, APR_UINT64_MAX);
    ddb_metrics_family(m, &length);
    ddb_metrics_sample(m, none, "-12.5");
    return end(m);
}

static void test_formats(apr_pool_t *p)
{
    IS(small(DDB_METRICS_TEXT, p),
       "# HELP x_build_info Versions.\n# TYPE x_build_info gauge\nx_build_info{a=\"b\"} 1\n"
       "# HELP x_calls_total Calls.\n# TYPE x_calls_total counter\n"
       "x_calls_total{a=\"b\"} 17\nx_calls_total{a=\"b\",c=\"d\"} 18446744073709551615\n"
       "# HELP x_length A length.\n# TYPE x_length gauge\nx_length -12.5\n",
       "Prometheus's text format");
    IS(small(DDB_METRICS_OPENMETRICS, p),
       "# HELP x_build Versions.\n# TYPE x_build info\nx_build_info{a=\"b\"} 1\n"
       "# HELP x_calls Calls.\n# TYPE x_calls counter\n"
       "x_calls_total{a=\"b\"} 17\nx_calls_total{a=\"b\",c=\"d\"} 18446744073709551615\n"
       "# HELP x_length A length.\n# TYPE x_length gauge\nx_length -12.5\n# EOF\n",
       "OpenMetrics: families without the suffix, and an end");
    IS(small(DDB_METRICS_JSON, p),
       "{\"metrics\":[\n{\"name\":\"x_build_info\",\"type\":\"info\",\"help\":\"Versions.\",\"samples\":[\n"
       "{\"labels\":{\"a\":\"b\"},\"value\":1}]},\n"
       "{\"name\":\"x_calls_total\",\"type\":\"counter\",\"help\":\"Calls.\",\"samples\":[\n"
       "{\"labels\":{\"a\":\"b\"},\"value\":17},\n{\"labels\":{\"a\":\"b\",\"c\":\"d\"},\"value\":18446744073709551615}"
       "]},\n"
       "{\"name\":\"x_length\",\"type\":\"gauge\",\"help\":\"A length.\",\"samples\":[\n"
       "{\"labels\":{},\"value\":-12.5}]}\n]}\n",
       "JSON");
    IS(end(begin(DDB_METRICS_JSON, p)), "{\"metrics\":[\n]}\n", "JSON without a family");
    IS(end(begin(DDB_METRICS_TEXT, p)), "", "text without one");
}

/* A sample with this label. */
static const char *labelled(ddb_metrics_format_e format, const char *value, apr_pool_t *p)
{
    const ddb_metrics_label_t labels[] = { { "a", value }, { NULL, NULL } };
    ddb_metrics_t *m = begin(format, p);

    ddb_metrics_family(m, &length);
    ddb_metrics_number(m, labels, 1);
    return strchr(end(m), format == DDB_METRICS_JSON ? '[' : '{');
}

static void test_labels(apr_pool_t *p)
{
    ddb_json_t *read;
    const char *json;

    IS(labelled(DDB_METRICS_TEXT, "a\\b\"c\nd", p), "{a=\"a\\\\b\\\"c\\nd\"} 1\n",
       "backslash, quote and line feed are escaped");
    IS(labelled(DDB_METRICS_TEXT, "\\n", p), "{a=\"\\\\n\"} 1\n", "a backslash before an n stays one");
    IS(labelled(DDB_METRICS_TEXT, "\\", p), "{a=\"\\\\\"} 1\n", "one at the end ends nothing");
    IS(labelled(DDB_METRICS_TEXT, "", p), "{a=\"\"} 1\n", "an empty value");
    IS(labelled(DDB_METRICS_TEXT, "a,b}{=\t ", p), "{a=\"a,b}{=\t \"} 1\n", "nothing else is");
    IS(labelled(DDB_METRICS_TEXT, "\xc3\xa9", p), "{a=\"\xc3\xa9\"} 1\n", "UTF-8 stays");
    IS(labelled(DDB_METRICS_TEXT, "\xe9x\xed\xa0\x80\xc3", p), "{a=\"?x????\"} 1\n", "what is no UTF-8 becomes ?");
    json = small(DDB_METRICS_JSON, p);
    NUM_IS(ddb_json_parse(&read, json, strlen(json), p), APR_SUCCESS, "JSON is JSON");
    OK(strstr(labelled(DDB_METRICS_JSON, "a\\b\"c\nd\x01", p), "{\"a\":\"a\\\\b\\\"c\\nd\\u0001\"}") != NULL,
       "... and has its own escapes");
}

static void test_histograms(apr_pool_t *p)
{
    static const ddb_metrics_label_t labels[] = { { "a", "b" }, { NULL, NULL } };
    ddb_count_times_t times = { .bucket = { 1, 2, [DDB_COUNT_BOUNDS] = 4 }, .sum = 12003400 };
    ddb_metrics_t *m = begin(DDB_METRICS_TEXT, p);

    ddb_metrics_family(m, &took);
    ddb_metrics_times(m, labels, &times);
    IS(end(m),
       "# HELP x_seconds Times.\n# TYPE x_seconds histogram\n"
       "x_seconds_bucket{a=\"b\",le=\"0.001\"} 1\nx_seconds_bucket{a=\"b\",le=\"0.0025\"} 3\n"
       "x_seconds_bucket{a=\"b\",le=\"0.005\"} 3\nx_seconds_bucket{a=\"b\",le=\"0.0075\"} 3\n"
       "x_seconds_bucket{a=\"b\",le=\"0.01\"} 3\nx_seconds_bucket{a=\"b\",le=\"0.025\"} 3\n"
       "x_seconds_bucket{a=\"b\",le=\"0.05\"} 3\nx_seconds_bucket{a=\"b\",le=\"0.1\"} 3\n"
       "x_seconds_bucket{a=\"b\",le=\"0.25\"} 3\nx_seconds_bucket{a=\"b\",le=\"0.5\"} 3\n"
       "x_seconds_bucket{a=\"b\",le=\"1.0\"} 3\nx_seconds_bucket{a=\"b\",le=\"2.5\"} 3\n"
       "x_seconds_bucket{a=\"b\",le=\"+Inf\"} 7\nx_seconds_sum{a=\"b\"} 12.0034\nx_seconds_count{a=\"b\"} 7\n",
       "a bucket contains those before it, and the last one is the count");
    m = begin(DDB_METRICS_JSON, p);
    ddb_metrics_family(m, &took);
    ddb_metrics_times(m, none, &times);
    OK(strstr(end(m), "{\"labels\":{},\"buckets\":{\"0.001\":1,\"0.0025\":3,\"0.005\":3,\"0.0075\":3,\"0.01\":3,"
                      "\"0.025\":3,\"0.05\":3,\"0.1\":3,\"0.25\":3,\"0.5\":3,\"1.0\":3,\"2.5\":3,\"+Inf\":7},"
                      "\"sum\":12.0034,\"count\":7}")
           != NULL,
       "the same in JSON");
    m = begin(DDB_METRICS_TEXT, p);
    ddb_metrics_family(m, &took);
    ddb_metrics_times(m, none, &times);
    OK(strstr(end(m), "x_seconds_bucket{le=\"0.001\"} 1\n") != NULL, "without a label the bound is the only one");
}

static void test_seconds(apr_pool_t *p)
{
    IS(ddb_metrics_seconds(0, p), "0.0", "no time");
    IS(ddb_metrics_seconds(1, p), "0.000001", "a microsecond");
    IS(ddb_metrics_seconds(1000000, p), "1.0", "a second");
    IS(ddb_metrics_seconds(10000000, p), "10.0", "ten: the zero before the point stays");
    IS(ddb_metrics_seconds(APR_UINT64_C(1764444000123450), p), "1764444000.12345", "a date");
}

static void test_pieces(apr_pool_t *p)
{
    ddb_metrics_t *m = begin(DDB_METRICS_TEXT, p);
    const char *text;
    int i, lines = 0;

    ddb_metrics_family(m, &length);
    for (i = 0; i < 5000; i++) {
        const ddb_metrics_label_t labels[] = { { "number", apr_itoa(p, i) }, { NULL, NULL } };
        ddb_metrics_number(m, labels, (apr_uint64_t)i);
    }
    text = end(m);
    for (; (text = strchr(text, '\n')) != NULL; text++) {
        lines++;
    }
    NUM_IS(lines, 5002, "a long answer is complete");
    OK(((written_t *)m->baton)->pieces > 5, "and passed on in pieces");
    OK(m->text.size < 30000, "of which one at a time is in memory");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_formats, test_labels, test_histograms, test_seconds, test_pieces);
}
