/*
 * mod_session_dynamodb: mod_session's sessions in Amazon DynamoDB.
 *
 * This file is the story of one request, in the order of httpd's hooks: the session is loaded when it is first needed,
 * a request whose load failed is refused before a handler runs, the handler and mod_session do their work, the session
 * is saved before the first byte of the response is sent, and activity is recorded after the last. The rooms under src/
 * contain the details.
 */

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_session.h>
#include <mod_status.h>
#include <mpm_common.h>

#include "mod_session_dynamodb_int.h"
#include "base/ddb_version.h"
#include "httpd/child/msd_child.h"
#include "httpd/child/msd_event_log.h"
#include "httpd/child/msd_metrics.h"
#include "httpd/child/msd_row_cache.h"
#include "httpd/child/msd_shared_memory.h"
#include "httpd/child/msd_status.h"
#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_config_check.h"
#include "httpd/conf/msd_config_warn.h"
#include "httpd/conf/msd_directives.h"
#include "httpd/msd_csrf.h"
#include "httpd/msd_device_requests.h"
#include "httpd/msd_http_cache.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_env.h"
#include "httpd/msd_event.h"
#include "httpd/msd_filter.h"
#include "httpd/msd_forward.h"
#include "httpd/msd_header.h"
#include "httpd/msd_identity.h"
#include "httpd/msd_load.h"
#include "httpd/msd_log.h"
#include "httpd/msd_login_age.h"
#include "httpd/msd_payload.h"
#include "httpd/msd_refuse.h"
#include "httpd/msd_request.h"
#include "httpd/msd_require_tls.h"
#include "httpd/msd_save.h"
#include "httpd/msd_sessions_page.h"
#include "httpd/msd_trace_method.h"

APLOG_USE_MODULE(session_dynamodb);

static APR_OPTIONAL_FN_TYPE(ap_session_load) *session_load_fn;

/* ---- load -------------------------------------------------------------------------------------------------------- */

/* mod_session calls this two to six times per request, also for subrequests and after redirects. All calls get the same
 * answer, failures included, and the table is read once. */
static int session_dynamodb_load(request_rec *r, session_rec **z)
{
    msd_request_t *q;
    msd_session_t *s;

    if (!msd_config_enabled(r)) {
        return DECLINED;
    }
    q = msd_request_get(r);
    s = msd_request_place(r, q);
    if (s->outcome == MSD_NOT_LOADED) {
        msd_log_load(r, s, msd_load(r, q, s));
    }
    else if (!s->loader && !r->main) {
        msd_session_adopt(s, r);
    }
    if (msd_refuse_session(s) != DECLINED) {
        return APR_EGENERAL;
    }
    msd_session_keep(s);
    s->z->encoded = NULL; /* of an earlier save, perhaps in an include's pool: the entries count */
    *z = s->z;
    return OK;
}

/* Runs after all other decoders, mod_session_crypto's among them, and just before mod_session's own, to which it leaves
 * nothing: that one's cost is quadratic in the number of entries. */
static int session_dynamodb_decode(request_rec *r, session_rec *z)
{
    msd_request_t *q = z->encoded ? msd_request_find(r) : NULL;
    msd_session_t *s = q ? &q->session : NULL;
    apr_status_t rv = APR_SUCCESS;

    for (; s && rv == APR_SUCCESS; s = s->next) {
        rv = msd_payload_decode_form(s, z);
    }
    return rv == APR_SUCCESS ? DECLINED : rv;
}

/* ---- before the handler ------------------------------------------------------------------------------------------ */

/* mod_session's fixups set HTTP_SESSION too late for Require and for rewrite rules in a directory. The variables of
 * SessionDynamoDBEnv are therefore set here, anew for each request of a tree. */
static int session_dynamodb_post_perdir_config(request_rec *r)
{
    const apr_array_header_t *wanted = msd_config_merged(r)->env;
    session_rec *z = NULL;
    int status;

    if (msd_config_enabled(r)) {
        msd_env_forget(r);
    }
    if (msd_device_requests_want_session(r)) {
        session_load_fn(r, &z);
    }
    status = msd_device_requests_answer(r);
    if (status != DECLINED) {
        return status;
    }
    if (!wanted || !wanted->nelts) {
        return DECLINED;
    }
    if (msd_config_enabled(r)) {
        session_load_fn(r, &z);
    }
    msd_env_export(r, z);
    return msd_config_enabled(r) ? msd_refuse(r) : DECLINED;
}

/* mod_auth_form treats a failed load as "not logged in": it would show its form, or accept a login that can't be
 * stored. So load the session before it runs. */
static int session_dynamodb_check_authn(request_rec *r)
{
    session_rec *z = NULL;

    if (!msd_config_enabled(r)) {
        return DECLINED;
    }
    session_load_fn(r, &z);
    return msd_refuse(r);
}

/* Runs before authorization: Require must not go by variables of another user's session. */
static int session_dynamodb_authorize(request_rec *r)
{
    msd_session_t *s = r->user && msd_config_merged(r)->env ? msd_request_session(r) : NULL;

    if (s && msd_identity_is_other(r, s)) {
        msd_env_export(r, NULL);
    }
    return DECLINED;
}

/* Runs before mod_session's fixups: another user's program must not see this one's entries in HTTP_SESSION. */
static int session_dynamodb_identify(request_rec *r)
{
    session_rec *z = NULL;
    msd_session_t *s;

    if (msd_config_enabled(r) && r->user) {
        session_load_fn(r, &z);
        s = msd_request_session(r); /* NULL: mod_session is off here */
        if (s) {
            msd_identity_note(r, s);
        }
    }
    return DECLINED;
}

/* Runs after mod_session's fixups, which load the session and set HTTP_SESSION. */
static int session_dynamodb_fixups(request_rec *r)
{
    msd_request_t *q;
    msd_session_t *s = msd_request_session(r); /* NULL: off here, or mod_session is */

    if (!msd_config_enabled(r)) {
        return DECLINED;
    }
    /* A client's header of this name would become HTTP_SESSION unless mod_session sets it (CVE-2018-1283). */
    apr_table_unset(r->headers_in, "Session");
    q = msd_request_get(r);
    msd_request_take(r, q, s && s->loader == r ? s->conf : msd_config_dir(r, r->pool));
    if (!r->main) {
        q->passed_fixups = r;
    }
    if (s && s->z) {
        msd_env_limit(r);
        msd_env_describe(r, s);
        msd_csrf_export(r, s);
    }
    return msd_refuse(r);
}

/* The first of all handlers. Fixups would be too early, because mod_dir replaces r's settings there with an index's. */
static int session_dynamodb_handler(request_rec *r)
{
    session_rec *z = NULL;
    int refused = msd_refuse_unparsed(r);

    if (refused == DECLINED && msd_csrf_is_due(r)) {
        session_load_fn(r, &z);
        refused = msd_refuse(r);
    }
    if (refused != DECLINED) {
        return refused;
    }
    msd_header_begin(r);
    msd_filter_begin(r);
    if (msd_forward_due(r)) {
        session_load_fn(r, &z);
        msd_forward(r, z);
    }
    msd_http_cache_begin(r);
    msd_http_cache_mark(r);
    return DECLINED;
}

static int session_dynamodb_behind_cache(request_rec *r)
{
    msd_http_cache_unmark(r);
    return DECLINED;
}

/* Includes and redirected requests get here with a session that is loaded already. */
static int session_dynamodb_quick(request_rec *r, int lookup)
{
    (void)lookup;
    msd_http_cache_mark(r);
    return DECLINED;
}

static int session_dynamodb_behind_quick(request_rec *r, int lookup)
{
    (void)lookup;
    msd_http_cache_unmark(r);
    return DECLINED;
}

/* Runs only if every other handler has declined the request. */
static int session_dynamodb_file(request_rec *r)
{
    msd_http_cache_file(r);
    return DECLINED;
}

/* ---- after the handler ------------------------------------------------------------------------------------------- */

/* Runs before mod_session's own encoder. With SessionMaxAge the expiry follows from the row's times: in the payload it
 * would change with every request and be out of date after a touch. An expiry that came with the payload stays. Entries
 * that must not be stored are masked here too, because every payload is encoded before it is written. */
static int session_dynamodb_encode(request_rec *r, session_rec *z)
{
    msd_session_t *s = msd_request_session_of(msd_request_find(r), z);
    apr_status_t rv;

    if (!s) {
        return DECLINED;
    }
    rv = msd_payload_limit_encode(s);
    if (rv != APR_SUCCESS && s->answer.written != MSD_WRITE_FAILED) {
        /* Called again for the error page: that is not a second failure. */
        msd_log_failure(r, s, msd_session_write_failed(s, rv), MSD_FAILURE_LOG_WRITE);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (z->maxage > 0) {
        z->expiry = s->expiry;
        apr_table_unset(z->entries, MSD_ENTRIES_EXPIRY);
    }
    msd_entries_mask(z->entries, s->conf->mask);
    return DECLINED;
}

static int session_dynamodb_save(request_rec *r, session_rec *z)
{
    msd_request_t *q = msd_request_find(r);
    msd_session_t *s = msd_request_session_of(q, z);
    apr_status_t rv;

    if (!s && !msd_request_session(r)) {
        return DECLINED; /* another store's session, perhaps after a redirect out of our area */
    }
    if (!s || !msd_session_usable(s) || msd_session_is_denied(s) || msd_request_is_foreign_part(r, s)) {
        /* Not a session that we loaded, or one that can't be written: doing nothing keeps the row intact. */
        return OK;
    }
    rv = msd_save(r, q, s);
    if (rv != APR_SUCCESS) {
        msd_log_failure(r, s, rv, MSD_FAILURE_LOG_WRITE);
        return APR_EGENERAL;
    }
    msd_log_saved(r, s);
    return OK;
}

/* Runs before the access log is written, which may contain the result of the request for the session. */
static int session_dynamodb_log_transaction(request_rec *r)
{
    msd_request_t *q = msd_request_find(r);
    msd_session_t *s;
    apr_interval_time_t interval = 0;

    if (!q || !q->session.conf) {
        return DECLINED;
    }
    for (; r; r = r->next) {
        s = msd_request_any_session(r);
        if (s) {
            msd_env_describe_again(r, s);
        }
    }
    msd_log_end(q);
    msd_calls_count(&q->calls);
    for (s = &q->session; s; s = s->next) {
        if (msd_session_touch_due(s, &interval)) {
            msd_session_lives(s);
            msd_child_touch_later(s->server, &s->stored, s->now, interval);
        }
        if (msd_session_is_first_seen(s) && msd_child_see_later(s->server, &s->stored, s->now, s->pool)) {
            msd_event_note(s, "first-use", "", s->stored.sid, NULL);
        }
    }
    msd_event_write(q);
    return DECLINED;
}

/* ---- httpd ------------------------------------------------------------------------------------------------------- */

static int session_dynamodb_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    return msd_row_cache_register(pconf) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static int session_dynamodb_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    int rv = msd_config_check(pconf, s);

    (void)plog;
    (void)ptemp;
    msd_trace_method_check(s);
    /* At startup, post_config logs the warnings, when the error log is open. */
    if (rv == OK && ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        msd_config_warn(pconf, s);
    }
    return rv;
}

static int session_dynamodb_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, "mod_session_dynamodb %s", DDB_VERSION);
        msd_config_warn(pconf, s);
        msd_shared_memory_prepare(pconf, s);
        msd_status_log_at_end(pconf, s);
        return msd_event_log_open_all(pconf, s) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static void session_dynamodb_child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    msd_child_stopping(ap_server_conf, graceful);
}

static void retrieve_functions(void)
{
    session_load_fn = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    msd_filter_find();
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const mod_session[] = { "mod_session.c", NULL };
    static const char *const mod_authz_core[] = { "mod_authz_core.c", NULL };
    static const char *const mod_auth_form[] = { "mod_auth_form.c", NULL };
    static const char *const other_stores[] = { "mod_session_cookie.c", "mod_session_dbd.c", NULL };
    static const char *const mod_cache[] = { "mod_cache.c", NULL };

    ap_hook_pre_config(session_dynamodb_pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(session_dynamodb_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(session_dynamodb_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_optional_fn_retrieve(retrieve_functions, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(msd_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(session_dynamodb_child_stopping, NULL, NULL, APR_HOOK_MIDDLE);

    ap_hook_post_read_request(msd_trace_method_take, NULL, NULL, APR_HOOK_FIRST);
    /* Before other stores, in whatever order modules are loaded: the first store to answer provides the session. */
    ap_hook_session_load(session_dynamodb_load, NULL, other_stores, APR_HOOK_FIRST);
    ap_hook_post_perdir_config(session_dynamodb_post_perdir_config, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_check_authn(session_dynamodb_check_authn, NULL, mod_auth_form, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(msd_require_tls_refuse, NULL, mod_auth_form, APR_HOOK_FIRST + 1, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(session_dynamodb_authorize, NULL, mod_authz_core, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(session_dynamodb_identify, NULL, mod_session, APR_HOOK_FIRST);
    ap_hook_fixups(session_dynamodb_fixups, mod_session, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(msd_require_tls_refuse, NULL, mod_cache, APR_HOOK_REALLY_FIRST - 1);
    ap_hook_handler(session_dynamodb_handler, NULL, mod_cache, APR_HOOK_REALLY_FIRST);
    ap_hook_quick_handler(session_dynamodb_quick, NULL, mod_cache, APR_HOOK_REALLY_FIRST);
    ap_hook_quick_handler(session_dynamodb_behind_quick, mod_cache, NULL, APR_HOOK_FIRST);
    ap_hook_handler(msd_sessions_page_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(msd_metrics_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(session_dynamodb_behind_cache, mod_cache, NULL, APR_HOOK_REALLY_FIRST);
    /* Not "before core.c": that would also mean before core.c's upgrade handler, one of the first of all. */
    ap_hook_handler(session_dynamodb_file, NULL, NULL, APR_HOOK_REALLY_LAST - 1);
    ap_hook_insert_filter(msd_filter_insert, mod_session, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(msd_filter_insert, mod_session, NULL, APR_HOOK_MIDDLE);
    msd_filter_register(p);
    ap_hook_session_decode(session_dynamodb_decode, NULL, mod_session, APR_HOOK_REALLY_LAST);
    ap_hook_session_encode(session_dynamodb_encode, NULL, mod_session, APR_HOOK_REALLY_FIRST);
    ap_hook_session_save(session_dynamodb_save, NULL, other_stores, APR_HOOK_FIRST);
    /* An optional hook: mod_status may not be loaded. */
    APR_OPTIONAL_HOOK(ap, status_hook, msd_status_report, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(session_dynamodb_log_transaction, NULL, NULL, APR_HOOK_FIRST);

    msd_login_age_register(p);
    session_dynamodb_register_functions();
}

/* One line per function, which clang-format would join. */
/* clang-format off */
module AP_MODULE_DECLARE_DATA session_dynamodb_module = {
    STANDARD20_MODULE_STUFF,
    msd_config_create_dir,
    msd_config_merge_dir,
    msd_config_create_server,
    msd_config_merge_server,
    msd_directives,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
/* clang-format on */
