/* What session headers change. The first line of an input names the entries that a backend may change, the second is
 * the backend's header, perhaps several that httpd joined. If there is more, the backend's answer sent httpd on to a
 * program, and that is the program's header. */

#include <mod_session.h>

#include "fuzz.h"
#include "httpd_stub.h"
#include "httpd/conf/msd_config.h"
#include "httpd/msd_header.h"

#define HEADER "Session"

static apr_array_header_t *words_of(char *line, apr_pool_t *p)
{
    apr_array_header_t *words = apr_array_make(p, 4, sizeof(const char *));
    char *last = NULL, *word = apr_strtok(line, " ", &last);

    for (; word; word = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    return words;
}

/* An entry that mod_session sets (value) or removes (NULL) when it reads the header. */
typedef struct change_t {
    const char *name, *value;
} change_t;

/* Two headers in one: what follows a comma and a blank has a name and '=', or is nothing. */
static void part(char *s)
{
    for (; *s; s++) {
        if (s[0] == ',' && s[1] == ' ') {
            const char *c = s + 2;

            while (*c && *c != '=' && *c != '&' && *c != ',' && *c != ' ') {
                c++;
            }
            if (c == s + 2 ? !*c || *c == ',' : *c == '=') {
                s[0] = s[1] = '&';
            }
        }
    }
}

/* As mod_session reads it, but that names of what is removed are unescaped too: pairs at '&', the name before the first
 * '=' that is not at the beginning, the value behind it; a value that is missing removes; what can't be unescaped is
 * passed over. */
static apr_array_header_t *changes_of(const char *header, apr_pool_t *p)
{
    apr_array_header_t *changes = apr_array_make(p, 8, sizeof(change_t));
    char *copy = apr_pstrdup(p, header ? header : ""), *pair, *name, *last = NULL, *rest;

    part(copy);
    for (pair = apr_strtok(copy, "&", &last); pair; pair = apr_strtok(NULL, "&", &last)) {
        rest = NULL;
        name = apr_strtok(pair, "=", &rest);
        if (!name) {
            continue;
        }
        rest = rest && *rest ? rest : NULL;
        if (ap_unescape_urlencoded(name) == OK && (!rest || ap_unescape_urlencoded(rest) == OK)) {
            APR_ARRAY_PUSH(changes, change_t) = (change_t){ name, rest };
        }
    }
    return changes;
}

static int ends_with(const char *name, const char *end)
{
    return strlen(name) >= strlen(end) && strcasecmp(name + strlen(name) - strlen(end), end) == 0;
}

/* In other words than the module's: "*" is everything but who is logged in and until when. */
static int is_accepted(const apr_array_header_t *words, const char *name)
{
    int i;

    for (i = 0; i < words->nelts; i++) {
        const char *word = APR_ARRAY_IDX(words, i, const char *);
        if (strcasecmp(word, name) == 0) {
            return 1;
        }
        if (strcmp(word, "*") == 0 && strcasecmp(name, "expiry") != 0 && !ends_with(name, "-user")
            && !ends_with(name, "-pw") && !ends_with(name, "-site")) {
            return 1;
        }
    }
    return 0;
}

static int same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A session to begin with: it has an entry of every name that is said. */
static apr_table_t *before(const char *first, const char *second, apr_pool_t *p)
{
    const char *said[] = { first, second };
    apr_table_t *entries = apr_table_make(p, 8);
    int i, j;

    for (i = 0; i < 2; i++) {
        const apr_array_header_t *changes = changes_of(said[i], p);
        for (j = 0; j < changes->nelts; j++) {
            apr_table_set(entries, APR_ARRAY_IDX(changes, j, change_t).name, "as it was");
        }
    }
    return entries;
}

/* words NULL: all of it is accepted. */
static void change(apr_table_t *entries, const char *header, const apr_array_header_t *words, apr_pool_t *p)
{
    apr_array_header_t *asked = changes_of(header, p);
    int i;

    for (i = 0; i < asked->nelts; i++) {
        const change_t *c = &APR_ARRAY_IDX(asked, i, change_t);

        if (words && !is_accepted(words, c->name)) {
            continue;
        }
        if (!c->value) {
            apr_table_unset(entries, c->name);
        }
        else if (strcmp(c->name, "expiry") != 0) {
            apr_table_set(entries, c->name, c->value);
        }
    }
}

static int is_in(void *other, const char *name, const char *value)
{
    HOLDS(same(apr_table_get(other, name), value));
    return 1;
}

/* The session of r is changed to these entries, and no header of it is left. */
static void becomes(request_rec *r, apr_table_t *entries)
{
    session_rec *z = msd_request_session(r)->z;

    msd_header_settle(r);
    HOLDS(!apr_table_get(r->headers_out, HEADER) && !apr_table_get(r->err_headers_out, HEADER));
    HOLDS(apr_table_elts(z->entries)->nelts == apr_table_elts(entries)->nelts);
    apr_table_do(is_in, z->entries, entries, NULL);
}

static request_rec *answered(const char *header, msd_dir_config_t *conf, session_dir_conf *session, apr_pool_t *p)
{
    request_rec *r = stub_request(p);

    session->header = HEADER;
    conf->enabled = 1;
    ap_set_module_config(r->per_dir_config, &session_dynamodb_module, conf);
    ap_set_module_config(r->per_dir_config, &session_module, session);
    apr_table_set(r->headers_out, HEADER, header);
    return r;
}

static void has_session(request_rec *r, apr_table_t *entries, const msd_dir_config_t *conf)
{
    msd_request_t *q = msd_request_get(r);

    q->session.loader = r;
    q->session.conf = (msd_dir_config_t *)conf;
    q->session.merged = conf;
    q->session.outcome = MSD_LOADED;
    q->session.z = apr_pcalloc(r->pool, sizeof(*q->session.z));
    q->session.z->pool = r->pool;
    q->session.z->entries = entries;
}

static void is_taken_out(const char *header, msd_dir_config_t *conf, session_dir_conf *session, apr_pool_t *p)
{
    request_rec *r = answered(header, conf, session, p);
    apr_table_t *expected = before(header, NULL, p);

    /* A program of httpd's own may say what it likes. */
    has_session(r, before(header, NULL, p), conf);
    change(expected, header, NULL, p);
    becomes(r, expected);

    r = answered(header, conf, session, p);
    r->proxyreq = PROXYREQ_REVERSE;
    has_session(r, before(header, NULL, p), conf);
    expected = before(header, NULL, p);
    change(expected, header, conf->accept, p);
    becomes(r, expected);
}

static void is_kept_apart(const char *backends, const char *programs, msd_dir_config_t *conf, session_dir_conf *session,
                          apr_pool_t *p)
{
    request_rec *first = answered(backends, conf, session, p), *r = answered(programs, conf, session, p);
    apr_table_t *expected = before(backends, programs, p);

    first->proxyreq = PROXYREQ_REVERSE;
    r->prev = first;
    /* Redirected requests share these tables. */
    r->headers_out = first->headers_out;
    r->err_headers_out = first->err_headers_out;
    has_session(r, before(backends, programs, p), conf);
    msd_header_begin(r);
    HOLDS(!apr_table_get(r->headers_out, HEADER) && !apr_table_get(r->err_headers_out, HEADER));
    apr_table_set(r->headers_out, HEADER, programs);
    change(expected, backends, conf->accept, p);
    change(expected, programs, NULL, p);
    becomes(r, expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size), *line = fuzz_line(&text), *header = fuzz_line(&text);
    msd_dir_config_t *conf = msd_config_create_dir(p, NULL);
    session_dir_conf session = { 0 };

    conf->accept = words_of(line, p);
    is_taken_out(header, conf, &session, p);
    if (*text) {
        is_kept_apart(header, text, conf, &session, p);
    }
    return fuzz_end();
}
