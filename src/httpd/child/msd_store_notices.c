/* Log lines about changes that affect all store calls: one line per change, no matter which call caused it. */

#include <httpd.h>
#include <http_log.h>

#include "httpd/child/msd_store_notices.h"

APLOG_USE_MODULE(session_dynamodb);

void msd_store_notices_log(const server_rec *s, const msd_store_notices_t *from)
{
    ddb_notice_t n;

    while ((from->breaker && ddb_breaker_take_notice(from->breaker, &n)) || ddb_skew_take_notice(from->skew, &n)) {
        ap_log_error(APLOG_MARK, n.warning ? APLOG_WARNING : APLOG_NOTICE, 0, s, "%s", n.text);
    }
}
