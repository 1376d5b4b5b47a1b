/* The output filters before and after mod_session's own. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "httpd/msd_device.h"
#include "httpd/msd_header_accept.h"
#include "httpd/msd_http_cache.h"
#include "httpd/msd_filter.h"
#include "httpd/msd_header.h"
#include "httpd/msd_identity.h"
#include "httpd/msd_header_hide.h"
#include "httpd/msd_log.h"
#include "httpd/msd_refuse.h"
#include "httpd/msd_request.h"
#include "httpd/msd_save.h"
#include "httpd/msd_session.h"
#include "httpd/msd_carrier.h"

#define BEFORE             "SESSION_DYNAMODB_BEFORE"
#define BEHIND             "SESSION_DYNAMODB_BEHIND"
#define MOD_SESSION_FILTER "mod_session_out" /* registered names are lower case */
#define RETRY_AFTER        "2" /* seconds; by then the circuit breaker has usually probed a failed store again */

static ap_filter_rec_t *before_filter, *behind_filter, *mod_session_filter;

/* By itself mod_session's filter starts with the request that answers. If a redirect or an error page has left the
 * session's area, it would then save nothing. */
static void begin_with(ap_filter_t *f, request_rec *r)
{
    for (; f; f = f->next) {
        if (f->frec == mod_session_filter) {
            f->r = r;
        }
    }
}

/** 1 if the brigade has no content. mod_include sends an empty brigade before an include at the start of a page; passed
 * on, it would start the response before the include could change the session. */
static int brings_nothing(const apr_bucket_brigade *bb)
{
    const apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_METADATA(b) || b->length != 0) {
            return 0;
        }
    }
    return 1;
}

static apr_status_t before(ap_filter_t *f, apr_bucket_brigade *bb)
{
    msd_request_t *q = msd_request_find(f->r);
    msd_session_t *s;

    if (!f->r->main && brings_nothing(bb)) {
        apr_brigade_cleanup(bb);
        return APR_SUCCESS;
    }
    if (!f->r->main) {
        msd_header_hide_end(f->r);
        for (s = q ? &q->session : NULL; s; s = s->next) {
            msd_identity_judge(q, s);
        }
        begin_with(f->next, msd_header_settle(f->r));
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

/** If a touch will move the session's expiry, send the ID again: a persistent cookie contains the expiry. */
static void follow_touch(msd_session_t *s)
{
    apr_interval_time_t interval;

    if (!s->answer.issue && s->conf->cookie_persistent && msd_session_touch_due(s, &interval)) {
        s->answer.issue = s->stored.sid;
    }
}

/**
 * Delete the cookie of a session that has expired. Only when a page is opened (Fetch Metadata, "Sec-Fetch-Mode"): of
 * the requests of a page, one may have begun a new session, whose cookie another one's late response would delete.
 */
static void end_expired(const msd_request_t *q, msd_session_t *s)
{
    const char *mode = s->conf->expire_cookie ? apr_table_get(q->top->headers_in, "Sec-Fetch-Mode") : NULL;

    /* The row of an ID that was replaced is over, too, when it is a minute old: that client has a newer ID. */
    if (mode && strcmp(mode, "navigate") == 0 && s->outcome == MSD_NEW && s->ids.count == 1
        && (s->ids.miss == DDB_MISS_OVER || s->ids.miss == DDB_MISS_KNOWN_OVER) && s->ids.over != DDB_OVER_MOVED
        && s->ids.over != DDB_OVER_LEFT && s->ids.over != DDB_OVER_RENEWED && s->answer.written == MSD_NOTHING
        && !s->answer.issue) {
        s->answer.end_id = 1;
    }
}

/**
 * Remove the ID's carrier from responses of programs and backends, which could otherwise give visitors an ID of their
 * choice. After a redirect this applies to all its places, because the response may have headers of each.
 */
static void clear_carriers(request_rec *r, const msd_request_t *q)
{
    const msd_session_t *s = msd_request_session(r); /* its place has the same carrier */
    const msd_dir_config_t *own = msd_config_enabled(r) && !(s && s->loader) ? msd_config_dir(r, r->pool) : NULL;
    const char *dropped = own ? msd_carrier_clear(r, own) : NULL;

    for (s = q ? &q->session : NULL; s; s = s->next) {
        const char *of_place = s->loader ? msd_carrier_clear(r, s->conf) : NULL;
        dropped = dropped ? dropped : of_place;
    }
    if (dropped && !(q && q->begun)) {
        msd_log_dropped(r, dropped);
    }
}

/** 1 if a retry may succeed. While AWS rejects the keys, or with a session that is too large, it cannot. */
static int waiting_helps(apr_status_t failure)
{
    return ddb_error_is_passing(failure) || failure == DDB_ECONFLICT;
}

/** 1 if the request ended the session, its user left it, or it has expired and its cookie is deleted (end_expired). */
static int is_goodbye(const msd_session_t *s)
{
    return s->answer.written == MSD_ENDED || (s->answer.left && s->answer.written == MSD_STORED)
           || (s->answer.end_id && s->answer.written == MSD_NOTHING);
}

static void set_headers(request_rec *r, const msd_session_t *s)
{
    if (msd_session_is_denied(s) && ap_is_HTTP_ERROR(r->status)) {
        /* The session of an error page could not be saved; the status is still that of the first error. */
        r->status = msd_refuse_write(s);
        r->status_line = NULL;
    }
    if (msd_session_is_denied(s) || s->outcome == MSD_FAILED) {
        if (s->answer.written == MSD_OVER_LIMIT) {
            msd_refuse_until(r, s);
        }
        else if (r->status == HTTP_SERVICE_UNAVAILABLE && waiting_helps(s->answer.failure)) {
            apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER);
        }
        if (s->answer.issue && s->answer.issue_on_error) {
            msd_carrier_issue(r, s->conf, s->answer.issue, s->now, msd_session_next_end(s));
        }
        return; /* else the client keeps its ID, and the cookie of an old session */
    }
    if (s->answer.end_old) {
        msd_carrier_end_old(r, s->conf);
    }
    if (*s->conf->clear_site_data && is_goodbye(s)) {
        apr_table_setn(r->err_headers_out, "Clear-Site-Data", s->conf->clear_site_data);
    }
    if (s->answer.issue) {
        msd_carrier_issue(r, s->conf, s->answer.issue, s->now, msd_session_next_end(s));
        msd_device_invite(r, s);
    }
    else if (s->answer.end_id) {
        msd_carrier_end(r, s->conf);
    }
    if (s->answer.end_device
        || (s->answer.end_id && !s->answer.issue && s->conf->device_bound != MSD_DEVICE_BOUND_OFF)) {
        msd_carrier_end_device(r, s->conf);
    }
}

/**
 * The write failed, so send an error instead of the response. Handlers keep running, and their further output must not
 * follow the error. This filter stays in place to drop output from filters above it (mod_include). A second one drops
 * output that starts at the top (ap_rputs), because sending the error has replaced the request's filters.
 */
static apr_status_t answer_error(ap_filter_t *f, apr_bucket_brigade *bb, int status)
{
    request_rec *r = f->r;
    apr_bucket *error = ap_bucket_error_create(status, NULL, r->pool, bb->bucket_alloc);
    apr_status_t rv;

    f->ctx = r;
    apr_brigade_cleanup(bb);
    APR_BRIGADE_INSERT_TAIL(bb, error);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    rv = ap_pass_brigade(f->next, bb);
    ap_add_output_filter_handle(behind_filter, r, r, r->connection);
    return rv;
}

/** Apply the results of the saves to the response. @return the status of the error that must replace the response,
 * because one failed; 0: none did. */
static int settle(request_rec *r, msd_request_t *q)
{
    msd_session_t *s;
    int failed = 0, status;

    for (s = &q->session; s; s = s->next) {
        if (!q->begun && s->loader && msd_session_unsaved(s)) {
            /* mod_session's encoders failed, so our save hook was not called. mod_session has logged the failure. */
            s->answer.written = MSD_WRITE_FAILED;
        }
        if (!q->begun && s->loader && msd_session_renewal_due(s)) {
            msd_log_renewed(r, s, msd_save_renew_aged(r, q, s));
        }
        follow_touch(s);
        end_expired(q, s);
        msd_http_cache_settle(r, q, s);
        status = msd_refuse_write(s);
        failed = failed ? failed : status;
    }
    if (failed && !q->answered) {
        q->answered = 1;
        return failed;
    }
    /* All before the first is set: places may have the same cookie name, with different paths. */
    for (s = &q->session; s; s = s->next) {
        if (s->answer.issue || s->answer.end_id || s->answer.end_device) {
            msd_carrier_clear(r, s->conf);
        }
    }
    for (s = &q->session; s; s = s->next) {
        set_headers(r, s);
    }
    q->begun = 1;
    return 0;
}

/** mod_session saves once, but each part of a page may change the session. */
static void allow_next_saves(const msd_request_t *q)
{
    const msd_session_t *s;

    for (s = &q->session; s; s = s->next) {
        if (s->answer.written == MSD_STORED && s->z->written) {
            s->z->written = 0;
            s->z->dirty = 0;
        }
    }
}

/** f->ctx is set after an error was sent instead of the response: all further output is dropped. */
static apr_status_t behind(ap_filter_t *f, apr_bucket_brigade *bb)
{
    msd_request_t *q = msd_request_find(f->r);
    int loaded = q && q->session.conf, status;

    if (f->ctx) {
        apr_brigade_cleanup(bb);
        return AP_FILTER_ERROR;
    }
    if (loaded) {
        allow_next_saves(q);
    }
    if (!f->r->main) {
        clear_carriers(f->r, q);
        status = loaded ? settle(f->r, q) : 0;
        if (status) {
            return answer_error(f, bb, status);
        }
    }
    else if (loaded) {
        msd_http_cache_part(f->r, q);
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

void msd_filter_register(apr_pool_t *p)
{
    (void)p;
    before_filter = ap_register_output_filter(BEFORE, before, NULL, AP_FTYPE_CONTENT_SET - 1);
    behind_filter = ap_register_output_filter(BEHIND, behind, NULL, AP_FTYPE_CONTENT_SET);
    msd_header_hide_register();
}

void msd_filter_find(void)
{
    mod_session_filter = ap_get_output_filter_handle(MOD_SESSION_FILTER);
    msd_http_cache_find();
}

void msd_filter_begin(request_rec *r)
{
    const msd_dir_config_t *conf;
    apr_array_header_t *names;
    msd_response_head_drop_t *drop;

    if (r->main || !msd_header_accept_is_proxied(r)) {
        return;
    }
    drop = apr_pcalloc(r->pool, sizeof(*drop));
    drop->headers = names = msd_header_names(r);
    if (msd_config_enabled(r)) {
        conf = msd_config_dir(r, r->pool);
        if (conf->use_header) {
            APR_ARRAY_PUSH(names, const char *) = conf->header_name;
        }
        else {
            drop->cookie = conf->cookie_name;
        }
    }
    if (names->nelts || drop->cookie) {
        msd_header_hide_begin(r, drop);
    }
}

void msd_filter_insert(request_rec *r)
{
    /* A redirect may have left the session's area, but the session must still be saved. */
    if (msd_config_enabled(r) || msd_request_find(r)) {
        ap_add_output_filter_handle(before_filter, NULL, r, r->connection);
        ap_add_output_filter_handle(behind_filter, NULL, r, r->connection);
    }
}
