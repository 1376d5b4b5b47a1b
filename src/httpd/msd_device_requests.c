/* The requests by which browsers register a key and prove that they have it, and pages that are opened from another
 * site. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>

#include "base/ddb_jws.h"
#include "httpd/child/msd_child.h"
#include "httpd/msd_carrier.h"
#include "httpd/msd_device.h"
#include "httpd/msd_device_requests.h"
#include "httpd/msd_event.h"
#include "httpd/msd_limit.h"
#include "httpd/msd_load.h"
#include "httpd/msd_log.h"
#include "httpd/msd_require_tls.h"
#include "store/ddb_device.h"

APLOG_USE_MODULE(session_dynamodb);

#define TYPE "dbsc+jwt"

/*
 * A status other than 200, 204, 403 with a challenge, and 5xx ends the binding for good, in the browser: 401 is for a
 * session that is over, 503 for everything that passes. No error page: a redirect would end it, too.
 */
static int answer(request_rec *r, int status, const char *type, const char *body)
{
    ap_discard_request_body(r);
    r->status = status;
    r->no_cache = 1;
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->err_headers_out, "Cross-Origin-Resource-Policy", "same-origin");
    if (type) {
        ap_set_content_type(r, type);
        ap_set_content_length(r, (apr_off_t)strlen(body));
        ap_rputs(body, r);
    }
    return DONE;
}

static int answer_status(request_rec *r, int status)
{
    return answer(r, status, NULL, NULL);
}

/** So that handlers, backends and logs never see a proof. */
static void hide_headers(request_rec *r)
{
    apr_table_unset(r->headers_in, "Secure-Session-Response");
    apr_table_unset(r->headers_in, "Sec-Secure-Session-Id");
    apr_table_unset(r->headers_in, "Secure-Session-Skipped");
}

/** The value of a header, a string of structured fields (RFC 9651) or without the quotes, as Chromium sends it; NULL:
 * there is none. */
static const char *take_header(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);
    apr_size_t len = value ? strlen(value) : 0;

    value = len >= 2 && value[0] == '"' && value[len - 1] == '"' ? apr_pstrmemdup(r->pool, value + 1, len - 2) : value;
    return value && *value ? value : NULL;
}

/** The proof in r, and its challenge. 0: it has no form. */
static int read_proof(ddb_jws_t *jws, const char **challenge, const char *proof, apr_pool_t *p)
{
    const char *typ;

    if (!proof || ddb_jws_read(jws, proof, p) != APR_SUCCESS) {
        return 0;
    }
    typ = ddb_json_str(jws->header, "typ");
    *challenge = ddb_json_str(jws->payload, "jti");
    return typ && strcmp(typ, TYPE) == 0 && *challenge;
}

/** The next proof, and the cookie for this one. *id: of the binding. */
static apr_status_t give_cookie(request_rec *r, const msd_session_t *s, const ddb_session_t *row, const char **id)
{
    const apr_int64_t now = apr_time_sec(s->now);
    const char *cookie = NULL, *challenge = NULL;
    apr_status_t rv = ddb_device_id(id, row->device_secret, r->pool);

    rv = rv == APR_SUCCESS ? ddb_device_cookie(&cookie, row->device_secret, now, s->conf->device_lifetime, r->pool)
                           : rv;
    rv = rv == APR_SUCCESS ? ddb_device_challenge(&challenge, row->device_secret, now, ddb_crypto_random, r->pool) : rv;
    if (rv == APR_SUCCESS) {
        msd_carrier_issue_device(r, s->conf, cookie, s->conf->device_lifetime);
        apr_table_setn(r->err_headers_out, "Secure-Session-Challenge",
                       apr_psprintf(r->pool, "\"%s\";id=\"%s\"", challenge, *id));
    }
    return rv;
}

/* ---- registration ------------------------------------------------------------------------------------------------ */

/** What the browser is to do from now on: the session instructions of the draft, section 8.8. */
static const char *instructions(const msd_session_t *s, const char *id, apr_pool_t *p)
{
    ddb_json_t *all = ddb_json_object(p), *credential;

    ddb_json_set_str(all, "session_identifier", id);
    ddb_json_set_str(all, "refresh_url", apr_pstrcat(p, s->conf->device_path, MSD_DEVICE_REFRESH, NULL));
    ddb_json_set_bool(ddb_json_set_object(all, "scope"), "include_site", 0);
    credential = ddb_json_add_object(all, "credentials");
    ddb_json_set_str(credential, "type", "cookie");
    ddb_json_set_str(credential, "name", msd_carrier_device(s->conf, p));
    ddb_json_set_str(credential, "attributes", msd_carrier_device_attributes(s->conf, p));
    return ddb_json_print(all, p);
}

/** Tell of a proof that is none, or of a second key. */
static int refuse(request_rec *r, msd_session_t *s, const char *key, int status, const char *why)
{
    msd_session_count(s, DDB_COUNT_DEVICE_REFUSED);
    if (msd_child_claim_report(s->server, apr_psprintf(s->pool, "r%s", key), s->now)) {
        msd_event_note(s, "refused", "device-key", NULL, NULL);
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "refused %s (SessionDynamoDBDeviceBound); table key of the session: %s", why, key);
    }
    return answer_status(r, status);
}

/** Bind the row to the key. @return a status of HTTP. */
static int bind_row(request_rec *r, msd_session_t *s, const ddb_store_call_t *call, ddb_store_t *store,
                    ddb_session_t *row, const char *key)
{
    apr_status_t rv = ddb_store_bind_device(store, call, row, key, apr_time_sec(s->now) + DDB_DEVICE_UNDER_WAY);
    const char *id;

    if (rv == DDB_ECONFLICT) {
        return HTTP_FORBIDDEN;
    }
    if (rv == APR_NOTFOUND) {
        return HTTP_BAD_REQUEST;
    }
    rv = rv == APR_SUCCESS ? give_cookie(r, s, row, &id) : rv;
    if (rv != APR_SUCCESS) {
        msd_log_failure(r, s, rv, MSD_FAILURE_LOG_WRITE);
        return HTTP_SERVICE_UNAVAILABLE;
    }
    return HTTP_OK;
}

/** A registration under way. */
typedef struct registration_t {
    ddb_jws_t jws;
    ddb_public_key_t key;
    const char *challenge;
    const char *row_key; /* table key of the session */
} registration_t;

static int read_registration(registration_t *reg, const char *proof, apr_pool_t *p)
{
    if (!read_proof(&reg->jws, &reg->challenge, proof, p) || ddb_jws_key(&reg->key, &reg->jws) != APR_SUCCESS) {
        return 0;
    }
    reg->row_key = ddb_device_invited(reg->challenge, p);
    return reg->row_key != NULL;
}

/** The session that the challenge names, and whether it may be bound to the key. @return a status of HTTP. */
static int find_row(request_rec *r, msd_session_t *s, const ddb_store_call_t *call, const registration_t *reg,
                    ddb_session_t *row)
{
    apr_status_t rv = ddb_store_look(msd_request_get(r)->calls.store, call, reg->row_key, row);

    if (rv == APR_NOTFOUND) {
        s->ids.miss = row->miss;
        return msd_limit_guess(r, s, reg->row_key, 1) ? HTTP_TOO_MANY_REQUESTS : HTTP_BAD_REQUEST;
    }
    if (rv != APR_SUCCESS) {
        msd_log_failure(r, s, rv, MSD_FAILURE_LOG_READ);
        return HTTP_SERVICE_UNAVAILABLE;
    }
    rv = row->device_secret
             ? ddb_device_check_invite(reg->challenge, row->device_secret, apr_time_sec(s->now), s->conf->device_window)
             : APR_NOTFOUND;
    rv = rv == APR_SUCCESS ? ddb_jws_verify(&reg->jws, &reg->key) : rv;
    return rv == APR_SUCCESS ? HTTP_OK : rv == APR_NOTFOUND ? HTTP_BAD_REQUEST : HTTP_SERVICE_UNAVAILABLE;
}

/** The session is found by the challenge: where a login began on another site, browsers send no cookie along. */
static int answer_registration(request_rec *r, msd_request_t *q, msd_session_t *s, const char *proof)
{
    registration_t reg;
    msd_calls_batch_t batch;
    ddb_session_t row = { 0 };
    const char *id = NULL;
    int status;

    if (!read_registration(&reg, proof, r->pool)) {
        return answer_status(r, HTTP_BAD_REQUEST);
    }
    if (msd_calls_check(&q->calls, &s->error) != APR_SUCCESS) {
        return answer_status(r, HTTP_SERVICE_UNAVAILABLE);
    }
    msd_calls_begin(&q->calls, s, &batch);
    status = find_row(r, s, &batch.call, &reg, &row);
    if (status == HTTP_OK) {
        status = bind_row(r, s, &batch.call, q->calls.store, &row, ddb_jws_key_print(&reg.key, r->pool));
    }
    msd_calls_end(&q->calls, &batch);
    if (status == HTTP_FORBIDDEN) {
        return refuse(r, s, reg.row_key, status,
                      "a second device for a session that is bound: somebody else was first, perhaps a thief");
    }
    if (status != HTTP_OK) {
        if (status == HTTP_BAD_REQUEST) {
            msd_session_count(s, DDB_COUNT_DEVICE_REFUSED);
        }
        return answer_status(r, status);
    }
    msd_session_count(s, DDB_COUNT_DEVICE_REGISTERED);
    msd_event_note(s, "bound", "device", NULL, NULL);
    ddb_device_id(&id, row.device_secret, r->pool);
    return answer(r, status, "application/json", instructions(s, id, r->pool));
}

/* ---- proofs ------------------------------------------------------------------------------------------------------ */

/** What the session of r's cookie means for a proof. @return a status of HTTP; HTTP_OK: s is bound. */
static int judge_session(const msd_session_t *s)
{
    if (!s || s->outcome == MSD_FAILED || s->outcome == MSD_MISCONFIGURED || s->outcome == MSD_WITHOUT_TLS) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    if (s->outcome == MSD_LOADED && s->stored.device_key) {
        return HTTP_OK;
    }
    /* A moment ago the session got another ID, whose cookie is on its way; or its key is. Or the session lives, and is
     * not for this request: beside another one, from another address, or as long as nobody can read it here. */
    return s->ids.miss == DDB_MISS_MOVED || s->ids.miss == DDB_MISS_BOUND || s->ids.ambiguous
                   || (s->ids.count && s->ids.miss == DDB_MISS_NONE && s->outcome == MSD_NEW)
                   || (s->outcome == MSD_LOADED && apr_time_sec(s->now) < s->stored.device_until)
               ? HTTP_SERVICE_UNAVAILABLE
               : HTTP_UNAUTHORIZED;
}

static int ask_for_proof(request_rec *r, const msd_session_t *s, const char *id)
{
    const char *challenge;

    if (ddb_device_challenge(&challenge, s->stored.device_secret, apr_time_sec(s->now), ddb_crypto_random, r->pool)
        != APR_SUCCESS) {
        return answer_status(r, HTTP_SERVICE_UNAVAILABLE);
    }
    apr_table_setn(r->err_headers_out, "Secure-Session-Challenge",
                   apr_psprintf(r->pool, "\"%s\";id=\"%s\"", challenge, id));
    return answer_status(r, HTTP_FORBIDDEN);
}

/** A key in the proof would be whoever's sent it: that of the row counts. */
static apr_status_t verify(const ddb_jws_t *jws, const msd_session_t *s)
{
    ddb_public_key_t key;
    apr_status_t rv = ddb_json_has(jws->header, "jwk") ? APR_NOTFOUND : ddb_jws_key_parse(&key, s->stored.device_key);

    return rv == APR_SUCCESS ? ddb_jws_verify(jws, &key) : rv;
}

static int answer_proof(request_rec *r, msd_session_t *s, const char *proof, const char *id)
{
    const char *challenge, *own = NULL;
    ddb_jws_t jws;
    int status = judge_session(s);
    apr_status_t rv;

    if (status != HTTP_OK) {
        return answer_status(r, status);
    }
    rv = ddb_device_id(&own, s->stored.device_secret, r->pool);
    if (rv != APR_SUCCESS || !id || strcmp(id, own) != 0) {
        return answer_status(r, rv == APR_SUCCESS || rv == APR_NOTFOUND ? HTTP_UNAUTHORIZED : HTTP_SERVICE_UNAVAILABLE);
    }
    if (!proof) {
        return ask_for_proof(r, s, own);
    }
    if (!read_proof(&jws, &challenge, proof, r->pool)) {
        return refuse(r, s, s->stored.key, HTTP_BAD_REQUEST, "a proof of a device that has no form");
    }
    /* A proof can be sent again for as long as its challenge counts. */
    if (ddb_device_check_challenge(challenge, s->stored.device_secret, apr_time_sec(s->now),
                                   s->conf->device_lifetime / 2)
        != APR_SUCCESS) {
        return ask_for_proof(r, s, own);
    }
    rv = verify(&jws, s);
    if (rv == APR_NOTFOUND) {
        return refuse(r, s, s->stored.key, HTTP_BAD_REQUEST,
                      "a proof by another key than that of the session's device");
    }
    rv = rv == APR_SUCCESS ? give_cookie(r, s, &s->stored, &own) : rv;
    if (rv == APR_SUCCESS) {
        msd_session_count(s, DDB_COUNT_DEVICE_REFRESHED);
    }
    return answer_status(r, rv == APR_SUCCESS ? HTTP_NO_CONTENT : HTTP_SERVICE_UNAVAILABLE);
}

/* ---- arrival from another site ----------------------------------------------------------------------------------- */

/* A browser proves nothing on a request that another site has caused. The page that it gets instead loads itself once
 * more: that request is caused by this site. */
static int answer_arrival(request_rec *r)
{
    static const char page[] =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>One moment</title>\n"
        "<meta http-equiv=\"refresh\" content=\"0\"></head>\n"
        "<body><p>One moment. If nothing happens, <a href=\"\">load this page again</a>.</p></body>\n</html>\n";

    return answer(r, HTTP_OK, "text/html; charset=utf-8", page);
}

/* ---- the room ---------------------------------------------------------------------------------------------------- */

int msd_device_requests_want_session(const request_rec *r)
{
    msd_device_ask_e ask = msd_device_ask(r);

    return (ask == MSD_DEVICE_ASK_REFRESH && r->method_number == M_POST) || ask == MSD_DEVICE_ASK_ARRIVE;
}

/** The state of a request without its own session. */
static msd_session_t *begin(request_rec *r, msd_request_t *q, int *status)
{
    msd_session_t *s = msd_request_place(r, q);
    apr_status_t rv = msd_load_begin(r, q, s);

    *status = rv == APR_SUCCESS && !msd_require_tls_bars(r) ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE;
    if (rv != APR_SUCCESS) {
        msd_log_load(r, s, rv);
    }
    return s;
}

int msd_device_requests_answer(request_rec *r)
{
    const msd_device_ask_e ask = msd_device_ask(r);
    msd_request_t *q;
    msd_session_t *s;
    const char *proof, *id;
    int status = HTTP_OK;

    if (msd_config_merged(r)->device_bound <= MSD_DEVICE_BOUND_OFF) {
        return DECLINED;
    }
    proof = take_header(r, "Secure-Session-Response");
    id = take_header(r, "Sec-Secure-Session-Id");
    if (apr_table_get(r->headers_in, "Secure-Session-Skipped") && !r->main && !r->prev) {
        /* Anybody can say so: it is counted, and changes nothing. */
        ddb_count_add(msd_config_server(r->server)->count, DDB_COUNT_DEVICE_SKIPPED, 1);
    }
    hide_headers(r);
    s = msd_request_session(r);
    if (ask == MSD_DEVICE_ASK_ARRIVE) {
        return s && s->device == MSD_DEVICE_STALE ? answer_arrival(r) : DECLINED;
    }
    if (ask == MSD_DEVICE_ASK_NOTHING) {
        return DECLINED;
    }
    if (r->method_number != M_POST) {
        apr_table_setn(r->err_headers_out, "Allow", "POST");
        return answer_status(r, HTTP_METHOD_NOT_ALLOWED);
    }
    if (ask == MSD_DEVICE_ASK_REFRESH) {
        if (s) {
            s->is_passive = 1;
        }
        return answer_proof(r, s, proof, id);
    }
    q = msd_request_get(r);
    s = begin(r, q, &status);
    return status == HTTP_OK ? answer_registration(r, q, s, proof) : answer_status(r, status);
}
