/* The log lines of what changed for all store calls: each change is one line, whoever's call brought it about. */

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
