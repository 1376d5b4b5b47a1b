/* Requests without TLS where it is required. */

#include <ap_expr.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_ssl.h>

#include "httpd/msd_log.h"
#include "httpd/msd_require_tls.h"

APLOG_USE_MODULE(session_dynamodb);

static int is_over_tls(request_rec *r, const ap_expr_info_t *when)
{
    const char *failure = NULL;
    msd_request_tls_t *tls;

    if (!when) {
        return ap_ssl_conn_is_ssl(r->connection);
    }
    tls = &msd_request_get(r)->tls;
    if (tls->when != when) {
        tls->when = when;
        tls->says = ap_expr_exec(r, when, &failure) > 0;
    }
    return tls->says;
}

int msd_require_tls_is_over(request_rec *r)
{
    return is_over_tls(r, msd_config_merged(r)->tls_when);
}

/** 1 if r is of a place that requires TLS, and did not come over it. */
static int is_without(request_rec *r)
{
    const msd_dir_config_t *conf = msd_config_merged(r);

    return conf->require_tls == 1 && conf->enabled == 1 && !is_over_tls(r, conf->tls_when);
}

int msd_require_tls_bars(request_rec *r)
{
    for (; r && !is_without(r); r = r->main ? r->main : r->prev) {
    }
    return r != NULL;
}

int msd_require_tls_refuse(request_rec *r)
{
    if (!is_without(r) || msd_request_is_error_page(r)) {
        return DECLINED;
    }
    msd_log_without_tls(r);
    return HTTP_FORBIDDEN;
}
