/* Requests that another site makes a browser send. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_core.h>
#include <http_protocol.h>

#include "base/ddb_origin.h"
#include "httpd/msd_csrf.h"
#include "httpd/msd_require_tls.h"
#include "store/ddb_csrf.h"

/* ---- the token --------------------------------------------------------------------------------------------------- */

const char *msd_csrf_token(const msd_session_t *s, apr_pool_t *p, ddb_random_fn *random)
{
    const char *token = "";

    if (s->outcome != MSD_LOADED || !s->stored.sid
        || ddb_csrf_make(&token, s->stored.sid, s->stored.csrf_key, random, p) != APR_SUCCESS) {
        return "";
    }
    return token;
}

int msd_csrf_check(const msd_session_t *s, const char *token)
{
    return s->stored.sid && ddb_csrf_check(token, s->stored.sid, s->stored.csrf_key) == APR_SUCCESS;
}

void msd_csrf_export(request_rec *r, const msd_session_t *s)
{
    const char *token;

    if (msd_config_merged(r)->csrf_token != 1) {
        return;
    }
    token = msd_csrf_token(s, r->pool, ddb_crypto_random);
    if (*token) {
        apr_table_setn(r->subprocess_env, MSD_CSRF_VARIABLE, token);
    }
    else {
        apr_table_unset(r->subprocess_env, MSD_CSRF_VARIABLE);
    }
}

/* ---- where a request comes from ---------------------------------------------------------------------------------- */

/** 1 if url is of r's own origin. */
static int is_own(request_rec *r, const char *url)
{
    return ddb_origin_is_same(url, apr_table_get(r->headers_in, "Host"), msd_require_tls_is_over(r));
}

/** 1 for requests of a page of the same origin, and for those that no page made. */
static int is_trusted(const char *site)
{
    return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

int msd_csrf_is_foreign(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin"), *referer = apr_table_get(r->headers_in, "Referer");

    if (site && !is_trusted(site)) {
        return 1;
    }
    if (origin && !(site && strcmp(origin, "null") == 0)) {
        return !is_own(r, origin);
    }
    return !site && referer && !is_own(r, referer);
}

/** The same by SessionDynamoDBFetchMetadata (OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata headers"): Origin and
 * Referer count only for browsers without Fetch Metadata, or with a value of it that is not specified. */
static int is_cross_site(request_rec *r, int strict)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site"), *url;
    int is_sibling = site && strcmp(site, "same-site") == 0;

    if (site && (is_sibling || is_trusted(site) || strcmp(site, "cross-site") == 0)) {
        return !is_trusted(site) && (!is_sibling || strict);
    }
    url = apr_table_get(r->headers_in, "Origin");
    url = url ? url : apr_table_get(r->headers_in, "Referer");
    return url ? !is_own(r, url) : strict;
}

/* ---- the guard --------------------------------------------------------------------------------------------------- */

/** A handshake is a GET, and is not bound to one origin as other requests of scripts are (RFC 6455 section 10.2). */
static int is_websocket(const request_rec *r)
{
    const char *upgrade = apr_table_get(r->headers_in, "Upgrade");

    return upgrade && ap_find_token(r->pool, upgrade, "websocket");
}

static int is_safe(const request_rec *r)
{
    return r->method_number == M_GET || r->method_number == M_OPTIONS || r->method_number == M_TRACE;
}

/** 1 if a handler of this module will answer r. The handler is known only after authentication, its setting before. */
static int has_own_handler(const request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const char *handler = r->handler ? r->handler : core->handler;

    return handler && strncmp(handler, MSD_CSRF_OWN_HANDLERS, strlen(MSD_CSRF_OWN_HANDLERS)) == 0;
}

int msd_csrf_is_due(request_rec *r)
{
    const msd_dir_config_t *conf = msd_config_merged(r);
    const msd_request_t *q;

    if ((conf->fetch_metadata <= MSD_FETCH_METADATA_OFF && conf->csrf_enforce != 1) || conf->enabled != 1
        || (is_safe(r) && !is_websocket(r))) {
        return 0;
    }
    q = msd_request_find(r);
    return !q || q->csrf.request != r || q->csrf.conf != conf;
}

msd_csrf_e msd_csrf_judge(request_rec *r, const msd_session_t *s)
{
    const msd_dir_config_t *conf = msd_config_merged(r);

    if (s->outcome != MSD_LOADED || !msd_csrf_is_due(r)) {
        return MSD_CSRF_NOTHING;
    }
    msd_request_get(r)->csrf = (msd_request_csrf_t){ .request = r, .conf = conf };
    if (conf->fetch_metadata > MSD_FETCH_METADATA_OFF
        && is_cross_site(r, conf->fetch_metadata == MSD_FETCH_METADATA_STRICT)) {
        return MSD_CSRF_CROSS_SITE;
    }
    if (conf->csrf_enforce == 1 && !is_safe(r) && !has_own_handler(r)
        && !msd_csrf_check(s, apr_table_get(r->headers_in, MSD_CSRF_HEADER))) {
        return MSD_CSRF_NO_TOKEN;
    }
    return MSD_CSRF_NOTHING;
}
