/* TRACE must not echo session IDs. */

#include <httpd.h>
#include <http_core.h>
#include <http_log.h>

#include "httpd/conf/msd_config.h"
#include "httpd/msd_trace_method.h"

APLOG_USE_MODULE(session_dynamodb);

int msd_trace_method_take(request_rec *r)
{
    const apr_array_header_t *sections;
    int i;

    if (r->method_number != M_TRACE || !msd_config_server(r->server)->used) {
        return DECLINED;
    }
    /* TRACE is answered before httpd determines the section, so the name of the session cookie is unknown: drop all. */
    apr_table_unset(r->headers_in, "Cookie");
    sections = msd_config_sections(r->server->process->pconf);
    for (i = 0; sections && i < sections->nelts; i++) {
        const msd_dir_config_t *conf = APR_ARRAY_IDX(sections, i, msd_section_t).conf;

        apr_table_unset(r->headers_in, conf->header_name ? conf->header_name : MSD_HEADER_NAME);
    }
    return DECLINED;
}

void msd_trace_method_check(server_rec *main_server)
{
    server_rec *s;

    for (s = main_server; s; s = s->next) {
        const core_server_config *core = ap_get_core_module_config(s->module_config);

        if (msd_config_server(s)->used && core->trace_enable != AP_TRACE_DISABLE) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE | APLOG_STARTUP, 0, s,
                         "httpd answers TRACE by sending the request's headers back. Session IDs are removed from "
                         "them, but other headers can be confidential, too: set TraceEnable Off");
            return; /* once is enough: the remedy is one directive for all hosts */
        }
    }
}
