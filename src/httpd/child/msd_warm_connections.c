/* Connections opened before the first request. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "base/ddb_count.h"
#include "httpd/child/msd_warm_connections.h"

APLOG_USE_MODULE(session_dynamodb);

void msd_warm_connections_open(void *baton)
{
    const msd_warm_connections_t *w = baton;
    ddb_curl_warm_t what = { .n = w->conf->warm_connections, .timeout = w->conf->connect_timeout, .cancel = w->cancel };
    apr_pool_t *p = NULL;
    int opened;

    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL) != APR_SUCCESS) {
        return;
    }
    what.url = apr_pstrcat(p, w->conf->endpoint.url, "/", NULL);
    opened = ddb_curl_warm(w->curl, &what);
    apr_pool_destroy(p);
    ddb_count_add(w->conf->count, DDB_COUNT_CONNECTED, (apr_uint64_t)opened);
    if (!ddb_cancel_is_set(w->cancel)) {
        ap_log_error(APLOG_MARK, opened < what.n ? APLOG_WARNING : APLOG_DEBUG, 0, w->server,
                     "SessionDynamoDBWarmConnections: %d of %d connections to %s are open", opened, what.n,
                     w->conf->endpoint.url);
    }
}
