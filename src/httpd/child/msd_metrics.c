/* The handler of metrics: who may ask how, and in which format. What it says: msd_metrics_families.c. */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <ap_expr.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_script.h>

#include "base/ddb_array.h"
#include "httpd/child/msd_metrics.h"
#include "httpd/child/msd_metrics_int.h"
#include "httpd/conf/msd_config.h"

APLOG_USE_MODULE(session_dynamodb);

#define HANDLER "session-dynamodb-metrics"

/** What the formats are called: by the query, by Accept, and in the response. */
static const struct {
    const char *word, *accept, *type;
} formats[] = {
    [DDB_METRICS_TEXT] = { "text", "text/plain", "text/plain; version=0.0.4; charset=utf-8" },
    [DDB_METRICS_OPENMETRICS] = { "openmetrics", "application/openmetrics-text",
                                  "application/openmetrics-text; version=1.0.0; charset=utf-8" },
    [DDB_METRICS_JSON] = { "json", "application/json", "application/json" },
};

#define FORMATS ((int)DDB_ARRAY_LENGTH(formats))

int msd_metrics_is_for(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    const char *err = NULL, *handler = core->expr_handler ? ap_expr_str_exec(r, core->expr_handler, &err) : NULL;

    return handler && !err && strcmp(handler, HANDLER) == 0;
}

/** The weight of an element of Accept (RFC 9110, section 12.5.1), and its media type without parameters in *type. */
static double weigh(char *element, char **type)
{
    char *state = NULL, *parameter, *q = NULL;

    *type = apr_strtok(element, "; \t", &state);
    while (*type && (parameter = apr_strtok(NULL, "; \t", &state)) != NULL) {
        q = strncasecmp(parameter, "q=", 2) == 0 ? parameter + 2 : q;
    }
    return q ? strtod(q, NULL) : 1;
}

/** The format that Accept wants most; of equals the first one there. */
static ddb_metrics_format_e negotiate(const request_rec *r)
{
    char *list = apr_pstrdup(r->pool, apr_table_get(r->headers_in, "Accept")), *state, *element, *type;
    ddb_metrics_format_e format = DDB_METRICS_TEXT;
    double most = 0;
    int i;

    element = list ? apr_strtok(list, ",", &state) : NULL;
    for (; element; element = apr_strtok(NULL, ",", &state)) {
        double weight = weigh(element, &type);

        for (i = 0; i < FORMATS; i++) {
            if (type && weight > most && strcasecmp(type, formats[i].accept) == 0) {
                format = (ddb_metrics_format_e)i;
                most = weight;
            }
        }
    }
    return format;
}

static ddb_metrics_format_e choose(request_rec *r)
{
    apr_table_t *query = NULL;
    const char *word;
    int i;

    ap_args_to_table(r, &query);
    word = query ? apr_table_get(query, "format") : NULL;
    for (i = 0; word && i < FORMATS; i++) {
        if (strcmp(word, formats[i].word) == 0) {
            return (ddb_metrics_format_e)i;
        }
    }
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    return negotiate(r);
}

/* What a client that has gone does not read is not a failure of ours. */
static void write_out(void *baton, const char *bytes, apr_size_t len)
{
    (void)ap_rwrite(bytes, (int)len, baton);
}

static int answer(request_rec *r)
{
    const msd_server_config_t *c = msd_config_server(r->server);
    msd_metrics_page_t page = { .r = r, .counts = c->counts, .gauges = c->gauges };
    ddb_metrics_format_e format;

    if (!page.counts) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    format = choose(r);
    ap_set_content_type(r, formats[format].type);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    if (r->header_only) {
        return OK;
    }
    page.places = msd_gauges_places(page.gauges, r->pool);
    ddb_metrics_begin(&page.m, format, r->pool);
    page.m.write = write_out;
    page.m.baton = r;
    msd_metrics_write(&page);
    ddb_metrics_end(&page.m);
    return OK;
}

int msd_metrics_handler(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, HANDLER) != 0) {
        return DECLINED;
    }
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_OPTIONS, -1);
    if (r->method_number != M_GET) {
        return r->method_number == M_OPTIONS ? DECLINED : HTTP_METHOD_NOT_ALLOWED;
    }
    return answer(r);
}
