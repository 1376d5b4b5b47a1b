/* The page of a user's sessions: what it is asked for. */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/child/msd_counts.h"
#include "httpd/msd_csrf.h"
#include "httpd/msd_event.h"
#include "httpd/msd_identity.h"
#include "httpd/msd_log.h"
#include "httpd/msd_save.h"
#include "httpd/msd_sessions_page.h"
#include "httpd/msd_sessions_page_int.h"

APLOG_USE_MODULE(session_dynamodb);

#define FIELDS_MOST 8    /* of the form; it has two */
#define BODY_MOST   2048 /* bytes of the form */

/** One request for the page. */
typedef struct page_t {
    request_rec *r;
    msd_request_t *q;
    msd_session_t *s;
    apr_array_header_t *lists; /* const char *, keys */
} page_t;

static int unavailable(const page_t *page, apr_status_t rv, msd_failure_log_e what)
{
    msd_log_failure(page->r, page->s, rv, what);
    return HTTP_SERVICE_UNAVAILABLE;
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

/** This one first, then by the last use. */
static int compare_rows(const void *a, const void *b)
{
    const msd_sessions_page_row_t *x = a, *y = b;

    if (x->is_own != y->is_own) {
        return y->is_own - x->is_own;
    }
    return x->accessed < y->accessed ? 1 : x->accessed > y->accessed ? -1 : 0;
}

static int is_shown(const apr_array_header_t *rows, const char *key)
{
    int i;

    for (i = 0; i < rows->nelts && strcmp(APR_ARRAY_IDX(rows, i, msd_sessions_page_row_t).session.key, key) != 0; i++) {
    }
    return i < rows->nelts;
}

/** Those of a list that are alive; a user may be in several lists, under several keys. */
static apr_status_t add_list(const page_t *page, const ddb_store_call_t *call, const char *id, apr_array_header_t *rows)
{
    ddb_user_sessions_t list;
    ddb_session_t found;
    apr_status_t rv = ddb_user_sessions_read(page->q->calls.store, call, id, &list);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < list.sessions->nelts; i++) {
        const ddb_user_session_t *s = &APR_ARRAY_IDX(list.sessions, i, ddb_user_session_t);

        if (is_shown(rows, s->key)) {
            continue;
        }
        rv = ddb_store_look(page->q->calls.store, call, s->key, &found);
        if (rv == APR_SUCCESS) {
            APR_ARRAY_PUSH(rows, msd_sessions_page_row_t) = (msd_sessions_page_row_t){
                .session = *s,
                .accessed = found.accessed,
                .is_own = strcmp(s->key, page->s->stored.key) == 0,
                .is_bound = found.device_key != NULL
            };
        }
        rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    return rv;
}

/** This session is on the page even if it began before sessions were listed. */
static void add_own(const page_t *page, apr_array_header_t *rows)
{
    const ddb_session_t *own = &page->s->stored;

    if (!is_shown(rows, own->key)) {
        APR_ARRAY_PUSH(rows, msd_sessions_page_row_t) = (msd_sessions_page_row_t){
            .session = { .key = own->key, .created = apr_time_sec(own->created), .address = "", .agent = "" },
            .accessed = own->accessed,
            .is_own = 1,
            .is_bound = own->device_key != NULL
        };
    }
}

static int show(const page_t *page)
{
    apr_array_header_t *rows = apr_array_make(page->r->pool, 8, sizeof(msd_sessions_page_row_t));
    msd_calls_batch_t batch;
    apr_status_t rv = APR_SUCCESS;
    int i;

    msd_calls_begin(&page->q->calls, page->s, &batch);
    for (i = 0; i < page->lists->nelts && rv == APR_SUCCESS; i++) {
        rv = add_list(page, &batch.call, APR_ARRAY_IDX(page->lists, i, const char *), rows);
    }
    msd_calls_end(&page->q->calls, &batch);
    if (rv != APR_SUCCESS) {
        return unavailable(page, rv, MSD_FAILURE_LOG_READ);
    }
    add_own(page, rows);
    qsort(rows->elts, (size_t)rows->nelts, sizeof(msd_sessions_page_row_t), compare_rows);
    msd_sessions_page_show(page->r, rows, msd_csrf_token(page->s, page->r->pool, ddb_crypto_random));
    return OK;
}

/* ---- end --------------------------------------------------------------------------------------------------------- */

/** One that the page has shown; it may have ended since. */
static apr_status_t end_listed(const page_t *page, const char *key)
{
    msd_calls_batch_t batch;
    apr_status_t rv = APR_SUCCESS, of_list;
    int i;

    msd_calls_begin(&page->q->calls, page->s, &batch);
    for (i = 0; i < page->lists->nelts && rv == APR_SUCCESS; i++) {
        of_list = ddb_user_sessions_end_one(page->q->calls.store, &batch.call,
                                            APR_ARRAY_IDX(page->lists, i, const char *), key);
        if (of_list == APR_SUCCESS) {
            msd_event_note(page->s, "revoked", "one", page->s->stored.sid, NULL);
            msd_counts_add_event(page->s->server, "revoked", "one", 1);
        }
        rv = of_list == APR_NOTFOUND ? rv : of_list;
    }
    msd_calls_end(&page->q->calls, &batch);
    return rv;
}

/** Back to the page, as the client knows it: a reload must not repeat the form. */
static int see_page(const page_t *page)
{
    const request_rec *first = page->r;
    const char *path, *end, *last;

    while (first->prev) {
        first = first->prev;
    }
    path = first->unparsed_uri;
    end = last = path + strcspn(path, "?#");

    while (last > path && last[-1] != '/') {
        last--;
    }
    apr_table_setn(
        page->r->headers_out, "Location",
        apr_pstrcat(page->r->pool, "./", apr_pstrmemdup(page->r->pool, last, (apr_size_t)(end - last)), NULL));
    return HTTP_SEE_OTHER;
}

static int end(const page_t *page, const char *button)
{
    int own = strcmp(button, page->s->stored.key) == 0, all = strcmp(button, BUTTON_ALL) == 0;
    apr_status_t rv = APR_SUCCESS;

    if (all || strcmp(button, BUTTON_OTHERS) == 0) {
        rv = msd_user_sessions_revoke(page->q, page->s, all ? MSD_REVOKE_ALL : MSD_REVOKE_OTHERS);
    }
    else if (!own) {
        rv = end_listed(page, button);
    }
    if (rv == APR_SUCCESS && (own || all)) {
        rv = msd_save_end(page->r, page->q, page->s);
    }
    if (rv != APR_SUCCESS) {
        return unavailable(page, rv, MSD_FAILURE_LOG_WRITE);
    }
    if (!own && !all) {
        return see_page(page);
    }
    msd_sessions_page_say(page->r, all ? "You are signed out everywhere." : "You are signed out.");
    return OK;
}

/** The fields of the form; NULL for those that are missing. @return OK or a status. */
static int read_form(request_rec *r, const char **token, const char **button)
{
    apr_array_header_t *pairs = NULL;
    int rv = ap_parse_form_data(r, NULL, &pairs, FIELDS_MOST, BODY_MOST);
    ap_form_pair_t *pair;

    *token = *button = NULL;
    while (rv == OK && pairs && (pair = apr_array_pop(pairs))) {
        apr_off_t len = 0;
        apr_size_t size = BODY_MOST;
        char *value = apr_pcalloc(r->pool, BODY_MOST + 1);

        apr_brigade_length(pair->value, 1, &len);
        apr_brigade_flatten(pair->value, value, &size);
        if (strcmp(pair->name, MSD_CSRF_FIELD) == 0) {
            *token = value;
        }
        else if (strcmp(pair->name, BUTTON) == 0) {
            *button = value;
        }
    }
    return rv;
}

static int take_form(const page_t *page)
{
    const char *token, *button;
    int rv = msd_csrf_is_foreign(page->r) ? HTTP_FORBIDDEN : read_form(page->r, &token, &button);

    if (rv == OK && (!token || !msd_csrf_check(page->s, token))) {
        rv = HTTP_FORBIDDEN;
    }
    if (rv == HTTP_FORBIDDEN) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, page->r,
                      "refused to end sessions on %s: the request is not of the page itself", page->r->uri);
        msd_event_note(page->s, "refused", "csrf", page->s->stored.sid, NULL);
    }
    return rv != OK ? rv : button ? end(page, button) : HTTP_BAD_REQUEST;
}

/* ---- the handler ------------------------------------------------------------------------------------------------- */

static int serve(page_t *page)
{
    apr_status_t rv;

    msd_identity_judge(page->q, page->s);
    rv = msd_user_sessions_lists(&page->lists, page->s);
    if (rv != APR_SUCCESS) {
        return unavailable(page, rv, MSD_FAILURE_LOG_READ);
    }
    if (page->r->method_number == M_POST && page->s->answer.verified) {
        return see_page(page); /* a login's form, which the page's address was answered with */
    }
    if (!page->s->stored.sid || !page->lists->nelts) {
        page->r->status = HTTP_FORBIDDEN;
        msd_sessions_page_say(page->r, "You are not signed in.");
        return OK;
    }
    return page->r->method_number == M_POST ? take_form(page) : show(page);
}

int msd_sessions_page_handler(request_rec *r)
{
    page_t page = { .r = r };

    if (!r->handler || strcmp(r->handler, MSD_SESSIONS_PAGE_HANDLER) != 0) {
        return DECLINED;
    }
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_POST, M_OPTIONS, -1);
    if (r->method_number != M_GET && r->method_number != M_POST) {
        return r->method_number == M_OPTIONS ? DECLINED : HTTP_METHOD_NOT_ALLOWED;
    }
    page.q = msd_request_find(r);
    page.s = msd_request_session(r);
    if (!page.s || !page.s->conf->user_sessions) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "the page %s has no sessions to show: set Session On, SessionDynamoDB On and "
                      "SessionDynamoDBUserSessions On there",
                      r->uri);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return msd_session_usable(page.s) ? serve(&page) : HTTP_SERVICE_UNAVAILABLE;
}
