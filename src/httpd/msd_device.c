/* Sessions that are bound to a device: the judgement of a request, and the invitation to register a key. The requests
 * by which browsers do that: msd_device_requests.c. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/child/msd_child.h"
#include "httpd/msd_carrier.h"
#include "httpd/msd_device.h"
#include "httpd/msd_event.h"
#include "store/ddb_device.h"

APLOG_USE_MODULE(session_dynamodb);

static int says(const request_rec *r, const char *header, const char *value)
{
    const char *said = apr_table_get(r->headers_in, header);

    return said && strcmp(said, value) == 0;
}

/** What a request for this path is, with these settings. */
static msd_device_ask_e ask_by_path(const char *path, const msd_dir_config_t *conf)
{
    const char *folder = conf->device_path ? conf->device_path : MSD_DEVICE_PATH;
    apr_size_t len = strlen(folder);

    if (strncmp(path, folder, len) != 0) {
        return MSD_DEVICE_ASK_NOTHING;
    }
    return strcmp(path + len, MSD_DEVICE_REGISTER) == 0  ? MSD_DEVICE_ASK_REGISTER
           : strcmp(path + len, MSD_DEVICE_REFRESH) == 0 ? MSD_DEVICE_ASK_REFRESH
                                                         : MSD_DEVICE_ASK_NOTHING;
}

msd_device_ask_e msd_device_ask(const request_rec *r)
{
    const msd_dir_config_t *conf = msd_config_merged(r);
    msd_device_ask_e ask;

    if (conf->device_bound <= MSD_DEVICE_BOUND_OFF || conf->enabled != 1 || r->main || r->prev) {
        return MSD_DEVICE_ASK_NOTHING;
    }
    ask = ask_by_path(r->uri, conf);
    /* With SameSite=Strict, the session's cookie does not come either. */
    return ask == MSD_DEVICE_ASK_NOTHING && conf->cookie_same_site > MSD_STRICT && r->method_number == M_GET
                   && says(r, "Sec-Fetch-Mode", "navigate") && says(r, "Sec-Fetch-Site", "cross-site")
               ? MSD_DEVICE_ASK_ARRIVE
               : ask;
}

/* ---- a session is judged ----------------------------------------------------------------------------------------- */

/** The cookies of the device that the client has sent; NULL: none. */
static const apr_array_header_t *came(const msd_request_t *q, const msd_session_t *s)
{
    const char *name = msd_carrier_device(s->conf, s->pool);
    const msd_carrier_t *c = q->carriers ? msd_carrier_find(q->carriers, name, 0) : NULL;

    return c ? c->sids : NULL;
}

/** 1 if the client has sent one cookie of the device, and it counts. */
static int has_proof(const msd_request_t *q, const msd_session_t *s)
{
    const apr_array_header_t *cookies = came(q, s);

    return cookies && cookies->nelts == 1
           && ddb_device_check_cookie(APR_ARRAY_IDX(cookies, 0, const char *), s->stored.device_secret,
                                      apr_time_sec(s->now))
                  == APR_SUCCESS;
}

static msd_device_e judge(const msd_request_t *q, const msd_session_t *s)
{
    const int waits = apr_time_sec(s->now) < s->stored.device_until;

    if (!s->stored.device_key) {
        return waits || s->conf->device_bound == MSD_DEVICE_BOUND_ON ? MSD_DEVICE_UNBOUND : MSD_DEVICE_STALE;
    }
    return waits || has_proof(q, s) ? MSD_DEVICE_BOUND : MSD_DEVICE_STALE;
}

static void report(request_rec *r, msd_session_t *s)
{
    /* A browser sends many requests at once, and a thief more. */
    if (msd_child_claim_report(s->server, apr_psprintf(s->pool, "d%s", s->stored.key), s->now)) {
        msd_event_note(s, "refused", "device", s->stored.sid, NULL);
        ap_log_rerror(
            APLOG_MARK, APLOG_INFO, 0, r,
            "a session came without proof of its device (SessionDynamoDBDeviceBound), and is not given to this "
            "client: its cookie was copied, or the browser could not renew the proof. SHA-512 of the ID: %s",
            msd_session_loggable_id(s));
    }
}

void msd_device_judge(request_rec *r, const msd_request_t *q, msd_session_t *s)
{
    /* A refresh needs no proof, as it brings one. Only the request itself: an error page may have its path, too. */
    if (s->conf->device_bound == MSD_DEVICE_BOUND_OFF || s->outcome != MSD_LOADED
        || msd_device_ask(r) == MSD_DEVICE_ASK_REFRESH) {
        return;
    }
    s->device = judge(q, s);
    if (s->device == MSD_DEVICE_STALE) {
        /* Such as that of a session that was begun at the same time: as long as it is there, browsers renew none. */
        s->answer.end_device = came(q, s) != NULL;
        msd_session_count(s, DDB_COUNT_DEVICE_STALE);
        report(r, s);
        msd_session_withdraw(s);
    }
}

/* ---- a new ID ---------------------------------------------------------------------------------------------------- */

/** The time in which the row may be bound, in seconds. */
static apr_int64_t window_of(const msd_session_t *s, const ddb_session_t *row)
{
    const apr_int64_t left = s->stored.device_until - apr_time_sec(s->now);

    if (s->conf->device_bound == MSD_DEVICE_BOUND_OFF) {
        return 0;
    }
    /* With each new ID the time would begin again, and never end. */
    return s->conf->device_bound == MSD_DEVICE_BOUND_REQUIRE && row->keep_device && left > 0
                   && left < s->conf->device_window
               ? left
               : s->conf->device_window;
}

void msd_device_begin(const msd_session_t *s, ddb_session_t *row)
{
    /* Whoever logs in may have got the session from somebody else, with that one's device. */
    row->keep_device = s->answer.identity == MSD_SAME_USER && !msd_session_begins_empty(s);
    row->device_window = window_of(s, row);
}

void msd_device_invite(request_rec *r, const msd_session_t *s)
{
    const ddb_session_t *row = &s->stored;
    const char *challenge;

    if (s->answer.invite && row->device_secret && !row->device_key
        && ddb_device_invite(&challenge, row->device_secret, row->key, apr_time_sec(s->now), r->pool) == APR_SUCCESS) {
        apr_table_setn(r->err_headers_out, "Secure-Session-Registration",
                       apr_pstrcat(r->pool, "(ES256 RS256);path=\"", s->conf->device_path,
                                   MSD_DEVICE_REGISTER "\";challenge=\"", challenge, "\"", NULL));
    }
}
