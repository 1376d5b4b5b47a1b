/* Access by the age of a login. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <ap_provider.h>
#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include <mod_auth.h>

#include "httpd/msd_identity.h"
#include "httpd/msd_login_age.h"
#include "httpd/msd_refuse.h"

APLOG_USE_MODULE(session_dynamodb);

#define NAME "session-login-age"

static const char *parse(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_int64_t *seconds = apr_palloc(cmd->pool, sizeof(*seconds));
    char *end = NULL;

    *seconds = apr_strtoi64(line, &end, 10);
    *parsed = seconds;
    if (!apr_isdigit(*line) || *end || *seconds < 1 || *seconds > MSD_SECONDS_MOST) {
        return apr_psprintf(cmd->pool, "Require " NAME ": '%s' is not a number of seconds, such as 300", line);
    }
    return NULL;
}

/** The session of r's place; NULL: there is none here. */
static msd_session_t *load(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ap_session_load) *load_fn = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_rec *z = NULL;

    if (msd_config_enabled(r) && load_fn) {
        load_fn(r, &z);
    }
    return z ? msd_request_session(r) : NULL;
}

/** 1 if a user of s logged in in this request, or no longer ago than that. */
static int is_recent(request_rec *r, msd_session_t *s, apr_int64_t seconds)
{
    if (msd_identity_is_other(r, s)) {
        return 0; /* somebody else's login */
    }
    msd_identity_judge(msd_request_get(r), s);
    if (s->answer.verified) {
        return 1;
    }
    return s->stored.sid && (s->stored.user_marks || s->stored.user_mark)
           && s->stored.created + apr_time_from_sec(seconds) > s->now && !msd_identity_is_imported(s);
}

static authz_status check(request_rec *r, const char *line, const void *parsed)
{
    const apr_int64_t *seconds = parsed;
    msd_session_t *s;

    if (ap_auth_type(r) && !r->user) {
        return AUTHZ_DENIED_NO_USER; /* asked again when it is known */
    }
    s = load(r);
    if (s && msd_session_usable(s) && is_recent(r, s, *seconds)) {
        return AUTHZ_GRANTED;
    }
    if (msd_refuse_unloaded(r) != DECLINED) {
        /* The load failed, so that nobody can tell. The fixups refuse this request with the status for that, which an
         * authorization provider can't choose. */
        return AUTHZ_GRANTED;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "access to %s denied: no login in the last %s seconds", r->uri, line);
    return AUTHZ_DENIED;
}

void msd_login_age_register(apr_pool_t *p)
{
    static const authz_provider provider = { check, parse };

    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, NAME, AUTHZ_PROVIDER_VERSION, &provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}
