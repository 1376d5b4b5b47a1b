/* The session ID in requests and responses. The first line of an input is the name of the cookie or, with a ':' behind
 * it, of the header; the rest is the Cookie header or that header, with line feeds and all. */

#include "store/ddb_sid.h"
#include "fuzz.h"
#include "httpd_stub.h"
#include "httpd/msd_carrier.h"

#define BLANKS " \t"
#define OTHER  "sess" /* the cookie of another area of the host */

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

/* The same for the cookie of either area. */
static const char *value_of_any(const char *part, const char *name)
{
    const char *value = value_of(part, name);

    return value ? value : value_of(part, OTHER);
}

/* The cookies that a part stands for to who splits at commas too: none of them may be ours. */
static int has_ours(const char *part, const char *name, apr_pool_t *p)
{
    const char *piece;

    while ((piece = next_part(&part, ",", p))) {
        if (value_of_any(piece, name)) {
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
        if (value_of_any(part, name) || !*part) {
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

/* What is taken from r: the names of the other area's cookie are given if others is set. */
static apr_array_header_t *take(request_rec *r, const msd_dir_config_t *conf, int others)
{
    apr_array_header_t *names = apr_array_make(r->pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(names, const char *) = OTHER;
    return msd_carrier_take(r, conf, others ? names : NULL, r->pool);
}

static const apr_array_header_t *sids_of(const apr_array_header_t *carriers, const char *name)
{
    int i;

    for (i = 0; carriers && i < carriers->nelts; i++) {
        const msd_carrier_t *c = &APR_ARRAY_IDX(carriers, i, msd_carrier_t);
        HOLDS(c->sids->nelts > 0);
        if (strcmp(c->name, name) == 0) {
            return c->sids;
        }
    }
    return NULL;
}

static void take_cookie(const char *header, const msd_dir_config_t *conf, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const char *names[] = { conf->cookie_name, OTHER }, *first = NULL, *rest;
    const apr_array_header_t *carriers, *sids;
    int i;

    apr_table_set(r->headers_in, "Cookie", header);
    carriers = take(r, conf, 1);
    for (i = 0; i < 2; i++) {
        int n = count_ours(header, names[i], &first, p);
        sids = sids_of(carriers, names[i]);
        HOLDS(n ? sids && sids->nelts == n && strcmp(APR_ARRAY_IDX(sids, 0, const char *), first) == 0 : !sids);
    }
    rest = apr_table_get(r->headers_in, "Cookie");
    if (rest) {
        HOLDS(*rest || !*header);
        const char *at = rest, *part;
        while ((part = next_part(&at, ";", p))) {
            HOLDS(!has_ours(part, conf->cookie_name, p));
        }
        HOLDS(!take(r, conf, 1));
        HOLDS(strcmp(apr_table_get(r->headers_in, "Cookie"), rest) == 0);
    }
    if (!strchr(header, ',')) {
        is_rest_of(rest ? rest : "", header, conf->cookie_name, p);
    }
}

static void take_header(const char *value, const msd_dir_config_t *conf, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const apr_array_header_t *carriers;

    apr_table_set(r->headers_in, conf->header_name, value);
    apr_table_set(r->headers_in, "Cookie", "id=untouched");
    carriers = take(r, conf, 0);
    HOLDS(carriers && carriers->nelts == 1 && APR_ARRAY_IDX(carriers, 0, msd_carrier_t).header);
    HOLDS(strcmp(APR_ARRAY_IDX(sids_of(carriers, conf->header_name), 0, const char *), value) == 0);
    HOLDS(!apr_table_get(r->headers_in, conf->header_name));
    HOLDS(strcmp(apr_table_get(r->headers_in, "Cookie"), "id=untouched") == 0);
    HOLDS(!take(r, conf, 0));
}

/* An ID that is accepted has none of the characters that could end a cookie or a header; what is issued comes back. */
static void issue(const char *sid, const msd_dir_config_t *conf, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const char *line, *name = conf->use_header ? conf->header_name : "Set-Cookie";
    const apr_array_header_t *back;
    int i;

    HOLDS(fuzz_is_of(sid, FUZZ_BASE64URL "."));
    for (i = 0; i < 2; i++) {
        msd_carrier_clear(r, conf); /* as for each response */
        msd_carrier_issue(r, conf, sid, apr_time_from_sec(1795395723), 1795395724);
    }
    HOLDS(apr_table_elts(r->err_headers_out)->nelts == 1);
    line = apr_table_get(r->err_headers_out, name);
    HOLDS(line && fuzz_is_loggable(line));
    if (conf->use_header) {
        HOLDS(strcmp(line, sid) == 0);
        return;
    }
    apr_table_set(r->headers_in, "Cookie", line);
    back = sids_of(take(r, conf, 0), conf->cookie_name);
    HOLDS(back && back->nelts == 1 && strcmp(APR_ARRAY_IDX(back, 0, const char *), sid) == 0);
    msd_carrier_clear(r, conf);
    msd_carrier_end(r, conf);
    HOLDS(apr_table_elts(r->err_headers_out)->nelts == 1);
}

/* What somebody else says in our carrier does not go out, and all else does. */
static void clear(const char *text, const msd_dir_config_t *conf, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const char *at = text, *part = next_part(&at, ";", p);
    int ours;

    apr_table_addn(r->err_headers_out, "Set-Cookie", "another=1");
    apr_table_addn(r->headers_out, "Set-Cookie", text);
    ours = value_of(part + strspn(part, BLANKS "="), conf->cookie_name) != NULL;
    HOLDS(!msd_carrier_clear(r, conf) == !ours || strcmp(conf->cookie_name, "another") == 0);
    HOLDS((apr_table_get(r->headers_out, "Set-Cookie") == NULL) == ours);
    HOLDS(apr_table_get(r->err_headers_out, "Set-Cookie") || strcmp(conf->cookie_name, "another") == 0);
    HOLDS(!msd_carrier_clear(r, conf));
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
    ddb_sid_rules_t rules = { .bytes = 16, .digest = DDB_SHA1, .hash = 1 };
    const char *first = NULL;

    name_carrier(conf, name);
    conf->cookie_persistent = (int)(size & 1);
    if (conf->use_header) {
        take_header(text, conf, p);
        first = text;
    }
    else {
        take_cookie(text, conf, p);
        clear(text, conf, p);
        count_ours(text, conf->cookie_name, &first, p);
    }
    if (first && ddb_sid_check(first, &rules, p) == APR_SUCCESS) {
        issue(first, conf, p);
    }
    return fuzz_end();
}
