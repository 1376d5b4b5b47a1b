/* How the session ID travels: strict parsing of requests, and the one Set-Cookie in responses. */

#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/conf/msd_cookie_areas.h"
#include "httpd/msd_response_head.h"
#include "httpd/msd_carrier.h"

#define IN_THE_PAST "Thu, 01 Jan 1970 00:00:00 GMT"

/** The text from s to end without leading and trailing white space. */
static ddb_bytes_t trim(const char *s, const char *end)
{
    ddb_bytes_t part;

    while (s < end && msd_response_head_is_blank(*s)) {
        s++;
    }
    while (end > s && msd_response_head_is_blank(end[-1])) {
        end--;
    }
    part.data = s;
    part.len = (apr_size_t)(end - s);
    return part;
}

static int is(ddb_bytes_t part, const char *name)
{
    return part.len == strlen(name) && memcmp(part.data, name, part.len) == 0;
}

/** The search for session cookies in one Cookie header. */
typedef struct look_t {
    const char *own;                  /* name of the area's cookie; NULL: it uses a header */
    const char *old;                  /* name of the cookie of sessions to import; NULL: none are */
    const apr_array_header_t *others; /* const char *: cookie names of the host's other areas; may be NULL */
    apr_pool_t *p;                    /* of carriers; NULL: they are not wanted */
    apr_array_header_t *carriers;     /* the session IDs found so far; NULL: none */
} look_t;

/** The name of the cookie from which conf's place imports sessions; NULL: it imports none. */
static const char *old_cookie(const msd_dir_config_t *conf)
{
    return conf->import && conf->import->store != MSD_IMPORT_NONE ? conf->import->cookie : NULL;
}

/** The name of the session cookie in a part of the header, and its value in *value; NULL: not a session cookie. */
static const char *session_name(const look_t *look, const char *s, const char *end, ddb_bytes_t *value)
{
    const char *equals = memchr(s, '=', (apr_size_t)(end - s));
    ddb_bytes_t name;
    int i;

    if (!equals) {
        /* A cookie without '=' has no name (RFC 6265bis section 5.6). */
        return NULL;
    }
    name = trim(s, equals);
    *value = trim(equals + 1, end);
    if (look->own && is(name, look->own)) {
        return look->own;
    }
    if (look->old && is(name, look->old)) {
        return look->old;
    }
    for (i = 0; look->others && i < look->others->nelts; i++) {
        if (is(name, APR_ARRAY_IDX(look->others, i, const char *))) {
            return APR_ARRAY_IDX(look->others, i, const char *);
        }
    }
    return NULL;
}

msd_carrier_t *msd_carrier_find(const apr_array_header_t *carriers, const char *name, int header)
{
    int i;

    for (i = 0; i < carriers->nelts; i++) {
        msd_carrier_t *c = &APR_ARRAY_IDX(carriers, i, msd_carrier_t);
        if (c->header == header && strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

static void found(look_t *look, const char *name, int header, ddb_bytes_t value)
{
    apr_pool_t *p = look->p;
    msd_carrier_t *c;

    look->carriers = look->carriers ? look->carriers : apr_array_make(p, 1, sizeof(msd_carrier_t));
    c = msd_carrier_find(look->carriers, name, header);
    if (!c) {
        c = apr_array_push(look->carriers);
        c->name = apr_pstrdup(p, name);
        c->header = header;
        c->sids = apr_array_make(p, 2, sizeof(const char *));
    }
    APR_ARRAY_PUSH(c->sids, const char *) = apr_pstrmemdup(p, value.data, value.len);
}

/** The comma before a session cookie within another cookie, which is where httpd joined two headers; end: no such
 * comma. Looks at each piece once, so that the cost stays linear. */
static const char *joined_at(const look_t *look, const char *s, const char *end)
{
    const char *comma = memchr(s, ',', (apr_size_t)(end - s)), *next;
    ddb_bytes_t unused;

    for (; comma; comma = next) {
        next = memchr(comma + 1, ',', (apr_size_t)(end - comma - 1));
        if (session_name(look, comma + 1, next ? next : end, &unused)) {
            return comma;
        }
    }
    return end;
}

/*
 * Cookies are split at ';' only (RFC 6265 section 4.2.1). httpd joins repeated Cookie headers with a comma; splitting
 * there too, as httpd's own parser does, would let a sibling host smuggle a cookie in as part of another cookie's
 * value. A session cookie after a comma is therefore ignored, but still hidden from backends. NULL: nothing to remove.
 */
static const char *without_sessions(apr_pool_t *p, look_t *look, const char *s)
{
    char *rest, *to;
    int removed = 0;

    rest = to = apr_palloc(p, strlen(s) + 1);
    while (*s) {
        const char *end = s + strcspn(s, ";");
        const char *next = *end ? end + 1 : end;
        ddb_bytes_t value;
        const char *name = session_name(look, s, end, &value);
        if (name) {
            removed = 1;
            if (look->p) {
                found(look, name, 0, value);
            }
        }
        else {
            const char *joined = joined_at(look, s, end);
            memcpy(to, s, (apr_size_t)(joined - s));
            to += joined - s;
            removed |= joined < end;
            memcpy(to, end, (apr_size_t)(next - end));
            to += next - end;
        }
        s = next;
    }
    while (to > rest && (msd_response_head_is_blank(to[-1]) || to[-1] == ';')) {
        to--;
    }
    *to = '\0';
    return removed ? rest + strspn(rest, " \t") : NULL;
}

static void take_cookies(request_rec *r, look_t *look)
{
    const char *s = apr_table_get(r->headers_in, "Cookie");
    const char *rest = s ? without_sessions(r->pool, look, s) : NULL;

    if (rest && *rest) {
        apr_table_setn(r->headers_in, "Cookie", rest);
    }
    else if (rest) {
        apr_table_unset(r->headers_in, "Cookie");
    }
}

static int ends_with(const char *s, const char *end)
{
    apr_size_t len = strlen(s), n = strlen(end);

    return len >= n && strcmp(s + len - n, end) == 0;
}

/*
 * Remove IDs from variables made for another request of the tree: httpd passes them on to redirected requests, with
 * REDIRECT_ before the name, and unchanged to subrequests.
 */
static void take_variables(request_rec *r, look_t *look, const char *header)
{
    const apr_array_header_t *env = apr_table_elts(r->subprocess_env);
    char *variable = header ? apr_pstrcat(r->pool, "HTTP_", header, NULL) : NULL, *c;
    int i;

    for (c = variable; c && *c; c++) {
        *c = (char)(apr_isalnum(*c) ? apr_toupper(*c) : '_');
    }
    for (i = 0; i < env->nelts; i++) {
        apr_table_entry_t *e = &APR_ARRAY_IDX(env, i, apr_table_entry_t);
        const char *rest = NULL;
        if (variable && ends_with(e->key, variable)) {
            rest = "";
        }
        else if (ends_with(e->key, "HTTP_COOKIE")) {
            rest = without_sessions(r->pool, look, e->val);
        }
        e->val = rest ? (char *)rest : e->val;
    }
}

apr_array_header_t *msd_carrier_take(request_rec *r, const msd_dir_config_t *conf, const apr_array_header_t *others,
                                     apr_pool_t *p)
{
    look_t look = {
        .own = conf->use_header ? NULL : conf->cookie_name, .old = old_cookie(conf), .others = others, .p = p
    };
    look_t unwanted = { .own = look.own, .old = look.old, .others = others };
    const char *value = conf->use_header ? apr_table_get(r->headers_in, conf->header_name) : NULL;

    take_cookies(r, &look);
    if (r->prev || r->main) {
        take_variables(r, &unwanted, conf->use_header ? conf->header_name : NULL);
    }
    if (value) {
        /* Repeated headers arrive joined by a comma, which no valid ID contains: the value is refused as malformed. */
        ddb_bytes_t sid = { .data = value, .len = strlen(value) };
        found(&look, conf->header_name, 1, sid);
        apr_table_unset(r->headers_in, conf->header_name);
    }
    return look.carriers;
}

static const char *const same_site[] = { "Strict", "Lax", "None" }; /* in the order of msd_same_site_e */

/*
 * One cookie line, with the same attributes for setting and deleting: a browser replaces a cookie only with one of the
 * same name, domain and path.
 */
static const char *cookie_line(apr_pool_t *p, const msd_dir_config_t *c, const char *value, const char *lifetime)
{
    return apr_pstrcat(p, c->cookie_name, "=", value, "; Path=", c->cookie_path, *c->cookie_domain ? "; Domain=" : "",
                       c->cookie_domain, lifetime, c->cookie_secure ? "; Secure" : "",
                       c->cookie_http_only ? "; HttpOnly" : "", "; SameSite=", same_site[c->cookie_same_site], NULL);
}

/** Drop the lines that set the cookie. 1 if there were any. */
static int drop_cookie(request_rec *r, apr_table_t *t, const char *name)
{
    const apr_array_header_t *elts = apr_table_elts(t);
    apr_array_header_t *kept;
    int dropped = 0, i;

    if (!apr_table_get(t, "Set-Cookie")) {
        return 0;
    }
    kept = apr_array_make(r->pool, 4, sizeof(const char *));
    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcasecmp(e->key, "Set-Cookie") != 0) {
            continue;
        }
        if (msd_response_head_sets(e->val, strlen(e->val), name)) {
            dropped = 1;
        }
        else {
            APR_ARRAY_PUSH(kept, const char *) = e->val;
        }
    }
    if (dropped) {
        apr_table_unset(t, "Set-Cookie");
        for (i = 0; i < kept->nelts; i++) {
            apr_table_addn(t, "Set-Cookie", APR_ARRAY_IDX(kept, i, const char *));
        }
    }
    return dropped;
}

const char *msd_carrier_clear(request_rec *r, const msd_dir_config_t *conf)
{
    if (conf->use_header) {
        int said = apr_table_get(r->err_headers_out, conf->header_name)
                   || apr_table_get(r->headers_out, conf->header_name);
        apr_table_unset(r->err_headers_out, conf->header_name);
        apr_table_unset(r->headers_out, conf->header_name);
        return said ? conf->header_name : NULL;
    }
    if (conf->device_bound) {
        const char *device = msd_carrier_device(conf, r->pool);

        drop_cookie(r, r->err_headers_out, device);
        drop_cookie(r, r->headers_out, device);
    }
    return drop_cookie(r, r->err_headers_out, conf->cookie_name) | drop_cookie(r, r->headers_out, conf->cookie_name)
               ? conf->cookie_name
               : NULL;
}

/*
 * err_headers_out is sent with every status. But when a response becomes an error on its way out, httpd may have
 * dropped this table or moved it to headers_out: so remove what was set before, and set it again.
 */
static void say(request_rec *r, const msd_dir_config_t *conf, const char *line)
{
    apr_table_addn(r->err_headers_out, conf->use_header ? conf->header_name : "Set-Cookie", line);
}

void msd_carrier_issue(request_rec *r, const msd_dir_config_t *conf, const char *sid, apr_time_t now,
                       apr_int64_t expires)
{
    const apr_int64_t latest = apr_time_sec(now) + MSD_COOKIE_SECONDS_MOST;
    const char *lifetime = "";

    if (conf->use_header) {
        say(r, conf, sid);
        return;
    }
    if (conf->cookie_persistent) {
        char date[APR_RFC822_DATE_LEN];
        apr_rfc822_date(date, apr_time_from_sec(expires < latest ? expires : latest));
        lifetime = apr_pstrcat(r->pool, "; Expires=", date, NULL);
    }
    say(r, conf, cookie_line(r->pool, conf, sid, lifetime));
}

void msd_carrier_end(request_rec *r, const msd_dir_config_t *conf)
{
    say(r, conf, conf->use_header ? "" : cookie_line(r->pool, conf, "", "; Expires=" IN_THE_PAST "; Max-Age=0"));
}

void msd_carrier_end_old(request_rec *r, const msd_dir_config_t *conf)
{
    msd_dir_config_t old = *conf;

    old.use_header = 0;
    old.cookie_name = conf->import->cookie;
    old.cookie_path = conf->import->path;
    old.cookie_domain = conf->import->domain;
    msd_carrier_end(r, &old);
}

/* ---- the cookie that proves the device --------------------------------------------------------------------------- */

const char *msd_carrier_device(const msd_dir_config_t *conf, apr_pool_t *p)
{
    return msd_cookie_areas_device(conf, p);
}

const char *msd_carrier_device_attributes(const msd_dir_config_t *conf, apr_pool_t *p)
{
    return apr_pstrcat(p, "Path=", conf->cookie_path,
                       "; Secure; HttpOnly; SameSite=", same_site[conf->cookie_same_site], NULL);
}

void msd_carrier_issue_device(request_rec *r, const msd_dir_config_t *conf, const char *value, apr_int64_t lifetime)
{
    say(r, conf,
        apr_psprintf(r->pool, "%s=%s; Max-Age=%" APR_INT64_T_FMT "; %s", msd_carrier_device(conf, r->pool), value,
                     lifetime, msd_carrier_device_attributes(conf, r->pool)));
}

void msd_carrier_end_device(request_rec *r, const msd_dir_config_t *conf)
{
    say(r, conf,
        apr_pstrcat(r->pool, msd_carrier_device(conf, r->pool), "=; Expires=" IN_THE_PAST "; Max-Age=0; ",
                    msd_carrier_device_attributes(conf, r->pool), NULL));
}
