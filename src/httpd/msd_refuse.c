/* Requests that are refused because of their session. */

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/msd_csrf.h"
#include "httpd/msd_event.h"
#include "httpd/msd_log.h"
#include "httpd/msd_refuse.h"

int msd_refuse_session(const msd_session_t *s)
{
    if (s->outcome == MSD_MISCONFIGURED) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return s->outcome == MSD_FAILED && s->conf->on_error == MSD_DENY ? HTTP_SERVICE_UNAVAILABLE : DECLINED;
}

/** 1 if r is a lookup subrequest (MultiViews trying a variant, say) for a request that will reach our fixups itself. */
static int is_look_ahead(const request_rec *r, const msd_request_t *q)
{
    const request_rec *top = r;

    while (top->main) {
        top = top->main;
    }
    return top != r && top != q->passed_fixups && msd_config_enabled(top);
}

/** What another site may have sent. */
static int refuse_forgery(request_rec *r, msd_session_t *s)
{
    msd_csrf_e why = msd_csrf_judge(r, s);

    if (why == MSD_CSRF_NOTHING) {
        return DECLINED;
    }
    if (why == MSD_CSRF_CROSS_SITE) {
        msd_event_note(s, "refused", "cross-site", s->stored.sid, NULL);
        msd_log_cross_site(r);
    }
    else {
        msd_event_note(s, "refused", "csrf", s->stored.sid, NULL);
        msd_log_without_token(r);
    }
    return HTTP_FORBIDDEN;
}

/** What came of a load, where it is a reason. */
static int refuse_load(request_rec *r, const msd_session_t *s)
{
    if (s->outcome != MSD_LIMITED) {
        return msd_refuse_session(s);
    }
    msd_refuse_until(r, s);
    return HTTP_TOO_MANY_REQUESTS;
}

/** The session for which r may be refused; NULL: r goes on. */
static msd_session_t *session_of(request_rec *r)
{
    msd_session_t *s = msd_request_session(r);

    /* MultiViews would skip a refused variant, and the response would be 404 instead of 503. */
    return s && !msd_request_is_error_page(r) && !is_look_ahead(r, msd_request_find(r)) ? s : NULL;
}

int msd_refuse_unloaded(request_rec *r)
{
    const msd_session_t *s = session_of(r);

    return s && s->outcome > MSD_LOADED ? refuse_load(r, s) : DECLINED;
}

int msd_refuse(request_rec *r)
{
    int status = msd_refuse_unloaded(r);
    msd_session_t *s = status == DECLINED ? session_of(r) : NULL;

    return s ? refuse_forgery(r, s) : status;
}

int msd_refuse_write(const msd_session_t *s)
{
    if (!msd_session_is_denied(s)) {
        return 0;
    }
    return s->answer.written == MSD_OVER_LIMIT ? HTTP_TOO_MANY_REQUESTS
           : s->answer.failure == DDB_ETOOMANY ? HTTP_FORBIDDEN
                                               : HTTP_SERVICE_UNAVAILABLE;
}

void msd_refuse_until(request_rec *r, const msd_session_t *s)
{
    apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, s->answer.wait));
}

static int is_unparsed(const request_rec *r)
{
    const char *slash = r->filename ? strrchr(r->filename, '/') : NULL;

    return slash && strncmp(slash, "/nph-", 5) == 0 && msd_config_enabled(r) && r->handler
           && (strcmp(r->handler, "cgi-script") == 0 || strcmp(r->handler, CGI_MAGIC_TYPE) == 0);
}

int msd_refuse_unparsed(request_rec *r)
{
    if (!is_unparsed(r)) {
        return DECLINED;
    }
    msd_log_unparsed(r);
    return HTTP_FORBIDDEN;
}
