/* Error log lines about requests. */

#include <httpd.h>
#include <http_log.h>

#include "httpd/msd_entries.h"
#include "httpd/msd_log.h"

APLOG_USE_MODULE(session_dynamodb);

/** others: the result of msd_failure_log_line; NULL: the line is a warning. */
static void log_call(request_rec *r, const msd_session_t *s, apr_status_t rv, const char *what, const char *others)
{
    const msd_request_t *q = msd_request_find(r);
    const ddb_error_t *e = &s->error;
    char text[120];

    ap_log_rerror(APLOG_MARK, others ? APLOG_ERR : APLOG_WARNING, 0, r,
                  "table %s: %s: %s: %s (%s, type %s, HTTP status %d, request ID %s, %d attempts)%s",
                  q->calls.store ? msd_config_server(r->server)->table : "-", what,
                  ddb_error_text(rv, text, sizeof(text)), e->detail, e->operation[0] ? e->operation : "no call",
                  e->type[0] ? e->type : "-", e->http_status, e->request_id[0] ? e->request_id : "-", e->attempts,
                  others ? others : "");
}

void msd_log_failure(request_rec *r, const msd_session_t *s, apr_status_t rv, msd_failure_log_e what)
{
    static const char *const texts[] = { "the session could not be read", "the session could not be written",
                                         "the session could not be ended", "an old session could not be imported" };
    const char *others = "";

    /* A problem with one session's data, or with the data that a program stores, is not an outage. */
    if (rv != DDB_ETOOLARGE && rv != DDB_EBADITEM) {
        others = msd_failure_log_line(msd_config_server(r->server)->outage, what,
                                      ddb_clock_monotonic(&ddb_clock_system), r->pool);
    }
    if (others) {
        log_call(r, s, rv, texts[what], others);
    }
}

/** Log the IDs that the client sent and that were ignored. */
static void log_ids(request_rec *r, const msd_session_t *s)
{
    if (s->ids.refused && s->ids.miss == DDB_MISS_REUSED) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "refused a session ID that was replaced because of its age, although the client has used the new "
                      "one for longer than SessionDynamoDBRenewGrace: a late request, or a stolen cookie; SHA-512 of "
                      "the ID: %s",
                      s->ids.refused);
    }
    else if (s->ids.refused) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "invalid, unknown or expired session ID; SHA-512 of the ID: %s",
                      s->ids.refused);
    }
    if (s->ids.ambiguous) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "ignored the cookies named %s (%d): more than one could be the session's. Another path, domain, "
                      "application or host set one of them. Remove it, or change SessionDynamoDBCookieName, preferably "
                      "to a name that begins with __Host-, which no other host or path can set",
                      s->conf->cookie_name, s->ids.count);
    }
}

void msd_log_load(request_rec *r, const msd_session_t *s, apr_status_t rv)
{
    if (s->outcome == MSD_MISCONFIGURED) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s (in the merged configuration for %s)", s->error.detail, r->uri);
    }
    else if (s->outcome == MSD_FAILED) {
        msd_log_failure(r, s, rv, s->importing ? MSD_FAILURE_LOG_IMPORT : MSD_FAILURE_LOG_READ);
    }
    else if (rv == DDB_EBADITEM) {
        log_call(r, s, rv, "ignored a malformed session row", NULL);
    }
    if (s->outcome == MSD_LOADED && s->members && ddb_json_entries_doubtful(s->members)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "the session has entry names that differ only in case, such as '%.64s': mod_session can't tell "
                      "them apart, so they are hidden from programs, but stay stored. SessionDynamoDBEnv, "
                      "SessionDynamoDBForward and SessionDynamoDBAccept match exact names",
                      ddb_json_entries_doubtful(s->members));
    }
    log_ids(r, s);
}

void msd_log_saved(request_rec *r, const msd_session_t *s)
{
    if (s->answer.written == MSD_STORED && s->answer.merges) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "merged the changes to the session with those of concurrent requests (rounds: %d)",
                      s->answer.merges);
    }
    if (s->answer.written == MSD_TOO_LATE) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "dropped the changes to the session: it needs a new ID, but the response has begun. Change the "
                      "session before the first byte of the page is sent, not in an include further down");
    }
    if (s->answer.written == MSD_REFUSED && msd_request_find(r)->begun) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "dropped the changes to the session: another request ended it meanwhile, and the response has "
                      "begun. Change the session before the first byte of the page is sent, not in an include further "
                      "down");
    }
    else if (s->answer.written == MSD_OVER_LIMIT) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "refused to begin a session with 429 (SessionDynamoDBCreateLimit)");
    }
    else if (s->answer.written == MSD_REFUSED) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "refused the changes to the session with 503: %s",
                      s->ids.replaced
                          ? "its ID was replaced a moment ago, and the client has, or will have, the new one"
                          : "another request ended it meanwhile");
    }
}

void msd_log_limit(request_rec *r, const char *text)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "%s", text);
}

void msd_log_one_address(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                  "all clients seem to share the address of a balancer, %s, so that limits for one client count all of "
                  "them: have mod_remoteip tell them apart, with RemoteIPHeader X-Forwarded-For and "
                  "RemoteIPInternalProxy %s. Logged once per virtual host and start",
                  r->useragent_ip, r->useragent_ip);
}

void msd_log_renewed(request_rec *r, const msd_session_t *s, apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        log_call(r, s, rv, "the session keeps its ID, which is older than SessionDynamoDBRenewInterval", NULL);
    }
}

/** @return as msd_failure_log_line. */
static const char *count_refusal(request_rec *r, msd_failure_log_e kind)
{
    return msd_failure_log_line(msd_config_server(r->server)->outage, kind, ddb_clock_monotonic(&ddb_clock_system),
                                r->pool);
}

void msd_log_without_tls(request_rec *r)
{
    const char *others = count_refusal(r, MSD_FAILURE_LOG_TLS);

    if (others) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "refused a request for %s that did not come over TLS (SessionDynamoDBRequireTLS On): redirect "
                      "clients to https. Where a proxy in front of httpd terminates TLS, let SessionDynamoDBTLSWhen "
                      "tell, with a check of the proxy's address: \"%%{HTTP:X-Forwarded-Proto} == 'https' && "
                      "%%{CONN_REMOTE_ADDR} -ipmatch '10.0.0.0/8'\"%s",
                      r->uri, others);
    }
}

void msd_log_cross_site(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site"), *origin = apr_table_get(r->headers_in, "Origin");
    const char *others = count_refusal(r, MSD_FAILURE_LOG_CROSS_SITE);

    if (others) {
        ap_log_rerror(
            APLOG_MARK, APLOG_WARNING, 0, r,
            "refused %s %s in a session, because another site's page may have sent it "
            "(SessionDynamoDBFetchMetadata; Sec-Fetch-Site: %.20s, Origin: %.100s). If your own pages did, set "
            "it Off for what they send to%s",
            r->method, r->uri, site ? site : "none sent", origin ? origin : "none sent", others);
    }
}

void msd_log_without_token(request_rec *r)
{
    const char *others = count_refusal(r, MSD_FAILURE_LOG_CSRF);

    if (others) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "refused %s %s in a session, because its header X-CSRF-Token has no anti-forgery token of this "
                      "session (SessionDynamoDBCSRFEnforce On). If your own pages sent it, let them send the value of "
                      "SESSION_CSRF%s",
                      r->method, r->uri, others);
    }
}

void msd_log_unparsed(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "refused to run %s where SessionDynamoDB is On: httpd sends the output of nph-* programs to the "
                  "client unparsed, which would disclose the session header and lose its changes. Rename the program",
                  r->filename);
}

void msd_log_dropped(request_rec *r, const char *carrier)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "dropped %s, which the response to %s sets: this name carries the session ID. Use another name in "
                  "the application, or change SessionDynamoDBCookieName or SessionDynamoDBHeaderName",
                  carrier, r->uri);
}

/** 1 if changes were lost because no save followed: mod_session saves once, and not everywhere. */
static int changes_dropped(const msd_session_t *s)
{
    const msd_session_answer_t *a = &s->answer;

    return msd_session_usable(s) && (a->written == MSD_NOTHING || a->written == MSD_STORED || a->written == MSD_ENDED)
           && msd_session_dirty(s)
           && ((s->stored.sid && (a->renew || a->timeouts_changed))
               || !msd_entries_equal(s->pool, s->z->entries, s->loaded));
}

void msd_log_end(const msd_request_t *q)
{
    const msd_server_config_t *c = msd_config_server(q->top->server);
    const char *rest = msd_failure_log_rest(c->outage, ddb_clock_monotonic(&ddb_clock_system), q->top->pool);
    const msd_session_t *s;

    if (rest) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, q->top->server, "%s", rest);
    }
    for (s = &q->session; s && s->conf; s = s->next) {
        msd_log_request(q, s);
        if (changes_dropped(s)) {
            ap_log_rerror(
                APLOG_MARK, APLOG_WARNING, 0, q->top,
                "dropped the changes to the session: they came after it was saved, or mod_session does not save it "
                "here");
        }
    }
}
