/* What one request did with its session: the line at debug, and the notice about a cookie that browsers ignore. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_ssl.h>

#include "aws/ddb_skew.h"
#include "httpd/child/msd_once.h"
#include "httpd/msd_log.h"

APLOG_USE_MODULE(session_dynamodb);

/* ---- the line at debug ------------------------------------------------------------------------------------------- */

static const char *why_refused(const msd_session_t *s)
{
    switch (s->ids.miss) {
    case DDB_MISS_FORM:
        return "malformed ID or wrong signature";
    case DDB_MISS_ABSENT:
        return "unknown ID";
    case DDB_MISS_OVER:
        return "expired";
    case DDB_MISS_LEFT:
        return "a logout or another user replaced the ID a moment ago";
    case DDB_MISS_MOVED:
        return "a login replaced the ID a moment ago";
    case DDB_MISS_REUSED:
        return "the ID was replaced, and the new one is in use";
    case DDB_MISS_KNOWN:
        return "unknown a moment ago, table not asked again";
    case DDB_MISS_KNOWN_OVER:
        return "expired a moment ago, table not asked again";
    case DDB_MISS_BOUND:
        return "bound to another client";
    case DDB_MISS_FOREIGN:
        return "the row belongs to another ID";
    case DDB_MISS_RENEWED:
    case DDB_MISS_NONE:
        break;
    }
    return "malformed row";
}

/** The result of the load. The outcome alone is not enough: when a session ends, its outcome becomes MSD_NEW. */
static const char *found(const msd_session_t *s, apr_pool_t *p)
{
    if (s->outcome == MSD_FAILED) {
        return "could not be read";
    }
    if (s->outcome == MSD_MISCONFIGURED) {
        return "not loaded, as settings conflict";
    }
    if (s->outcome == MSD_WITHOUT_TLS) {
        return "not loaded, as the request did not come over TLS";
    }
    if (s->ids.ambiguous) {
        return "refused: more than one could be the session's";
    }
    if (s->ids.refused) {
        return apr_pstrcat(p, "refused: ", why_refused(s), NULL);
    }
    if (!s->ids.count) {
        return s->outcome == MSD_LOADED ? "imported" : "new";
    }
    return s->ids.cached ? "loaded, cached" : s->ids.shared ? "loaded, read shared" : "loaded";
}

static const char *written(const msd_session_t *s)
{
    switch (s->answer.written) {
    case MSD_STORED:
        return "stored";
    case MSD_ENDED:
        return "ended";
    case MSD_GONE:
        return "nothing to store, and another request ended the session";
    case MSD_REFUSED:
        return "not stored, as the session of this ID has ended";
    case MSD_OVER_LIMIT:
        return "not stored, as SessionDynamoDBCreateLimit is reached";
    case MSD_TOO_LATE:
        return "not stored, as the response had begun";
    case MSD_WRITE_FAILED:
        return "could not be written";
    case MSD_NOTHING:
        break;
    }
    return "not changed";
}

/** 1 if the response sent an ID; after a failure the client keeps its own. */
static int is_issued(const msd_request_t *q, const msd_session_t *s)
{
    return s->answer.issue && q->begun && !msd_session_is_denied(s) && s->outcome != MSD_FAILED;
}

static const char *issued(const msd_request_t *q, const msd_session_t *s)
{
    if (is_issued(q, s)) {
        return s->conf->use_header      ? "ID sent in a header"
               : s->conf->cookie_secure ? "ID sent in a Secure cookie"
                                        : "ID sent in a cookie without Secure";
    }
    return s->answer.end_id && q->begun && !msd_session_is_denied(s) ? "ID cleared" : "no ID sent";
}

static void log_story(const msd_request_t *q, const msd_session_t *s)
{
    request_rec *r = q->top;

    if (APLOGrdebug(r)) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                      "session: %d %s%s received: %s; %s; %d call%s in %" APR_TIME_T_FMT ".%03d ms; %s; %s",
                      s->ids.count, s->conf->use_header ? "header" : "cookie", s->ids.count == 1 ? "" : "s",
                      found(s, r->pool), written(s), q->calls.count, q->calls.count == 1 ? "" : "s",
                      q->calls.spent / 1000, (int)(q->calls.spent % 1000), issued(q, s),
                      ap_ssl_conn_is_ssl(r->connection) ? "TLS" : "no TLS");
    }
}

/* ---- a Secure cookie on an unencrypted connection ---------------------------------------------------------------- */

/** 1 if a proxy or the configuration says that the client's own connection uses TLS. */
static int is_said_to_be_https(request_rec *r)
{
    const char *proto = apr_table_get(r->headers_in, "X-Forwarded-Proto");
    const char *forwarded = apr_table_get(r->headers_in, "Forwarded"); /* RFC 7239 */

    return strcasecmp(ap_http_scheme(r), "https") == 0 || (proto && ap_strcasestr(proto, "https"))
           || (forwarded && (ap_strcasestr(forwarded, "proto=https") || ap_strcasestr(forwarded, "proto=\"https")));
}

/** 1 if the request's host is this machine, which browsers treat as secure, or is not known. */
static int is_here(const request_rec *r)
{
    return !r->hostname || strcmp(r->hostname, "::1") == 0
           || ddb_skew_trusts(apr_pstrcat(r->pool, "http://", r->hostname, NULL));
}

static void notice_plain(const msd_request_t *q, const msd_session_t *s)
{
    const msd_dir_config_t *conf = s->conf;
    request_rec *r = q->top;

    if (is_issued(q, s) && conf->cookie_secure && conf->require_tls != 1 && !conf->use_header && !is_here(r)
        && !ap_ssl_conn_is_ssl(r->connection) && !is_said_to_be_https(r)
        && msd_once_first(r->server, MSD_ONCE_PLAIN_NOTICE)) {
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                      "a Secure cookie for %s was sent over an unencrypted connection: browsers ignore it there, so "
                      "each request begins a new session. Where a proxy terminates TLS, let it send X-Forwarded-Proto: "
                      "https, or set ServerName https://...; to do without TLS, set SessionDynamoDBCookieSecure Off. "
                      "Logged once per virtual host and start",
                      r->hostname);
    }
}

void msd_log_request(const msd_request_t *q, const msd_session_t *s)
{
    log_story(q, s);
    notice_plain(q, s);
}
