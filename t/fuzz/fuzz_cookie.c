/* The session ID in requests and responses. The first line of an input is the name of the cookie or, with a ':' behind
 * it, of the header; the rest is the Cookie header or that header, with line feeds and all. */

#include "ddb_sid.h"
#include "fuzz.h"
#include "httpd_stub.h"
#include "msd_transport.h"

#define BLANKS " \t"

/* What is looked at, cut where c is, blanks around it removed; *at is moved behind. NULL at the end. */
static const char *next_part(const char **at, const char *separators, apr_pool_t *p)
{
    const char *start = *at, *end;

    if (!start) {
        return NULL;
    }
    end = start + strcspn(start, separators);
    *at = *end ? end + 1 : NULL;
    start += strspn(start, BLANKS);
    while (end > start && strchr(BLANKS, end[-1])) {
        end--;
    }
    return apr_pstrmemdup(p, start, end > start ? (apr_size_t)(end - start) : 0);
}

/* The value when a part is a cookie of that name. */
static const char *value_of(const char *part, const char *name)
{
    apr_size_t len = strlen(name);

    if (strncmp(part, name, len) != 0) {
        return NULL;
    }
    part += len + strspn(part + len, BLANKS);
    return *part == '=' ? part + 1 + strspn(part + 1, BLANKS) : NULL;
}

/* The cookies that a part stands for to who splits at commas too: none of them may be ours. */
static int has_ours(const char *part, const char *name, apr_pool_t *p)
{
    const char *piece;

    while ((piece = next_part(&part, ",", p))) {
        if (value_of(piece, name)) {
            return 1;
        }
    }
    return 0;
}

/* Another way to the same: each part is ours, whole, or cut before the first comma with our name behind it. */
static void is_rest_of(const char *rest, const char *header, const char *name, apr_pool_t *p)
{
    const char *part, *left;

    while ((part = next_part(&header, ";", p))) {
        if (value_of(part, name) || !*part) {
            continue;
        }
        do {
            left = next_part(&rest, ";", p);
        } while (left && !*left);
        if (!has_ours(part, name, p)) {
            HOLDS(left && strcmp(left, part) == 0);
        }
        else if (left) {
            /* What is before the comma may be nothing: then left is the next one's. */
            apr_size_t len = strlen(left);
            HOLDS(strncmp(left, part, len) == 0 && !has_ours(left, name, p));
            HOLDS(strchr(BLANKS ",", part[len]) && part[len]);
        }
    }
}

static int count_ours(const char *header, const char *name, const char **first, apr_pool_t *p)
{
    const char *part;
    int n = 0;

    while ((part = next_part(&header, ";", p))) {
        const char *value = value_of(part, name);
        if (value) {
            *first = n++ ? *first : value;
        }
    }
    return n;
}

static void take_cookie(const char *header, const msd_dir_config_t *conf, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const char *sid, *again, *first = NULL, *rest;
    int n = count_ours(header, conf->cookie_name, &first, p);

    apr_table_set(r->headers_in, "Cookie", header);
    HOLDS(msd_transport_take(r, conf, &sid) == n);
    HOLDS(n ? strcmp(sid, first) == 0 : !sid);
    rest = apr_table_get(r->headers_in, "Cookie");
    if (rest) {
        HOLDS(*rest || !*header);
        const char *at = rest, *part;
        while ((part = next_part(&at, ";", p))) {
            HOLDS(!has_ours(part, conf->cookie_name, p));
        }
        HOLDS(msd_transport_take(r, conf, &again) == 0 && !again);
        HOLDS(strcmp(apr_table_get(r->headers_in, "Cookie"), rest) == 0);
    }
    if (!strchr(header, ',')) {
        is_rest_of(rest ? rest : "", header, conf->cookie_name, p);
    }
}

static void take_header(const char *value, const msd_dir_config_t *conf, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const char *sid;

    apr_table_set(r->headers_in, conf->header_name, value);
    apr_table_set(r->headers_in, "Cookie", "id=untouched");
    HOLDS(msd_transport_take(r, conf, &sid) == 1 && strcmp(sid, value) == 0);
    HOLDS(!apr_table_get(r->headers_in, conf->header_name));
    HOLDS(strcmp(apr_table_get(r->headers_in, "Cookie"), "id=untouched") == 0);
    HOLDS(msd_transport_take(r, conf, &sid) == 0 && !sid);
}

/* An ID that is accepted has none of the characters that could end a cookie or a header; what is issued comes back. */
static void issue(const char *sid, const msd_dir_config_t *conf, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const char *line, *back = NULL, *name = conf->use_header ? conf->header_name : "Set-Cookie";
    int i;

    HOLDS(fuzz_is_of(sid, FUZZ_BASE64URL "."));
    for (i = 0; i < 2; i++) {
        msd_transport_issue(r, conf, sid, 1795395723);
    }
    HOLDS(apr_table_elts(r->err_headers_out)->nelts == 1);
    line = apr_table_get(r->err_headers_out, name);
    HOLDS(line && fuzz_is_loggable(line));
    if (conf->use_header) {
        HOLDS(strcmp(line, sid) == 0);
        return;
    }
    apr_table_set(r->headers_in, "Cookie", line);
    HOLDS(msd_transport_take(r, conf, &back) == 1 && strcmp(back, sid) == 0);
    msd_transport_end(r, conf);
    HOLDS(apr_table_elts(r->err_headers_out)->nelts == 2);
}

/* A name as the directives take it, or the default. */
static void name_carrier(msd_dir_config_t *conf, char *line)
{
    apr_size_t len = strlen(line);

    conf->use_header = len && line[len - 1] == ':';
    if (conf->use_header) {
        line[len - 1] = '\0';
    }
    if (*line && !*ap_scan_http_token(line)) {
        conf->cookie_name = conf->header_name = line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size), *name = fuzz_line(&text);
    msd_dir_config_t *conf = msd_config_resolve(msd_config_create_dir(p, NULL), p);
    ddb_sid_rules_t rules = { 16, DDB_SHA1, NULL, 1 };
    const char *first = NULL;

    name_carrier(conf, name);
    conf->cookie_persistent = (int)(size & 1);
    if (conf->use_header) {
        take_header(text, conf, p);
        first = text;
    }
    else {
        take_cookie(text, conf, p);
        count_ours(text, conf->cookie_name, &first, p);
    }
    if (first && ddb_sid_check(first, &rules, p) == APR_SUCCESS) {
        issue(first, conf, p);
    }
    return fuzz_end();
}
