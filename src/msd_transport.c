/* The way of the session ID: strict parsing of what comes, and the one Set-Cookie that goes. */

#include <apr_strings.h>

#include "msd_transport.h"

#define IN_THE_PAST "Thu, 01 Jan 1970 00:00:00 GMT"

static int blank(char c)
{
    return c == ' ' || c == '\t';
}

/** When the text from s to end is a cookie of that name: its value, blanks around it removed, in p. Else NULL. */
static const char *cookie_value(apr_pool_t *p, const char *s, const char *end, const char *name)
{
    apr_size_t len = strlen(name);

    while (s < end && blank(*s)) {
        s++;
    }
    if ((apr_size_t)(end - s) < len || strncmp(s, name, len) != 0) {
        return NULL;
    }
    for (s += len; s < end && blank(*s); s++) {
    }
    if (s == end || *s != '=') {
        /* A cookie without '=' has no name (RFC 6265bis section 5.6); a longer name is another cookie. */
        return NULL;
    }
    for (s++; s < end && blank(*s); s++) {
    }
    while (end > s && blank(end[-1])) {
        end--;
    }
    return apr_pstrmemdup(p, s, (apr_size_t)(end - s));
}

/** The comma before our name within another cookie, which is where httpd joined two headers; end when there is none. */
static const char *joined_at(apr_pool_t *p, const char *s, const char *end, const char *name)
{
    const char *comma = s;

    while ((comma = memchr(comma, ',', (apr_size_t)(end - comma)))) {
        if (cookie_value(p, ++comma, end, name)) {
            return comma - 1;
        }
    }
    return end;
}

/*
 * Cookies are split at ';' only (RFC 6265 section 4.2.1). httpd joins repeated Cookie headers with a comma; splitting
 * there too, as httpd's own parser does, would let a sibling host smuggle a cookie in as part of another one's value.
 * What is found behind a comma is no session, and no backend's affair either.
 */
static int take_cookie(request_rec *r, const char *name, const char **sid)
{
    const char *s = apr_table_get(r->headers_in, "Cookie");
    char *rest, *to;
    int found = 0, removed = 0;

    if (!s || !strstr(s, name)) {
        return 0;
    }
    rest = to = apr_palloc(r->pool, strlen(s) + 1);
    while (*s) {
        const char *end = s + strcspn(s, ";");
        const char *next = *end ? end + 1 : end;
        const char *value = cookie_value(r->pool, s, end, name);
        if (value) {
            *sid = found++ ? *sid : value;
        }
        else {
            const char *joined = joined_at(r->pool, s, end, name);
            memcpy(to, s, (apr_size_t)(joined - s));
            to += joined - s;
            removed |= joined < end;
            memcpy(to, end, (apr_size_t)(next - end));
            to += next - end;
        }
        s = next;
    }
    while (to > rest && (blank(to[-1]) || to[-1] == ';')) {
        to--;
    }
    *to = '\0';
    rest += strspn(rest, " \t");
    if ((found || removed) && *rest) {
        apr_table_setn(r->headers_in, "Cookie", rest);
    }
    else if (found || removed) {
        apr_table_unset(r->headers_in, "Cookie");
    }
    return found;
}

int msd_transport_take(request_rec *r, const msd_dir_config_t *conf, const char **sid)
{
    const char *value;

    *sid = NULL;
    if (!conf->use_header) {
        return take_cookie(r, conf->cookie_name, sid);
    }
    value = apr_table_get(r->headers_in, conf->header_name);
    if (!value) {
        return 0;
    }
    /* A repeated header arrives joined with a comma, which no ID has in it: refused by its form. */
    *sid = apr_pstrdup(r->pool, value);
    apr_table_unset(r->headers_in, conf->header_name);
    return 1;
}

/*
 * One cookie line, the same attributes for setting and for ending: a browser only lets a cookie be replaced by one of
 * the same name, domain and path.
 */
static const char *cookie_line(apr_pool_t *p, const msd_dir_config_t *c, const char *value, const char *lifetime)
{
    static const char *const same_site[] = { "Strict", "Lax", "None" };

    return apr_pstrcat(p, c->cookie_name, "=", value, "; Path=", c->cookie_path,
                       *c->cookie_domain ? "; Domain=" : "", c->cookie_domain, lifetime,
                       c->cookie_secure ? "; Secure" : "", c->cookie_http_only ? "; HttpOnly" : "",
                       "; SameSite=", same_site[c->cookie_same_site], NULL);
}

static int has_line(const apr_table_t *t, const char *name, const char *line)
{
    const apr_array_header_t *elts = apr_table_elts(t);
    int i;

    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcasecmp(e->key, name) == 0 && strcmp(e->val, line) == 0) {
            return 1;
        }
    }
    return 0;
}

/*
 * err_headers_out is sent with every status. A response that becomes an error on its way out has lost it, or has it in
 * headers_out by then: asked again, we add the line only where it is missing.
 */
static void add_once(request_rec *r, const char *name, const char *line)
{
    if (!has_line(r->err_headers_out, name, line) && !has_line(r->headers_out, name, line)) {
        apr_table_addn(r->err_headers_out, name, line);
    }
}

void msd_transport_issue(request_rec *r, const msd_dir_config_t *conf, const char *sid, apr_int64_t expires)
{
    const char *lifetime = "";

    if (conf->use_header) {
        add_once(r, conf->header_name, sid);
        return;
    }
    if (conf->cookie_persistent) {
        char date[APR_RFC822_DATE_LEN];
        apr_rfc822_date(date, apr_time_from_sec(expires));
        lifetime = apr_pstrcat(r->pool, "; Expires=", date, NULL);
    }
    add_once(r, "Set-Cookie", cookie_line(r->pool, conf, sid, lifetime));
}

void msd_transport_end(request_rec *r, const msd_dir_config_t *conf)
{
    if (conf->use_header) {
        add_once(r, conf->header_name, "");
    }
    else {
        add_once(r, "Set-Cookie", cookie_line(r->pool, conf, "", "; Expires=" IN_THE_PAST "; Max-Age=0"));
    }
}
