/* What session headers change. The first line of an input names the entries that a backend may change, the second is
 * the backend's header, perhaps several that httpd joined. If there is more, the backend's answer sent httpd on to a
 * program, and that is the program's header. */

#include <mod_session.h>

#include "fuzz.h"
#include "httpd_stub.h"
#include "msd_config.h"
#include "msd_header.h"

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

/* As mod_session reads it: pairs at '&', the name before the first '=' that is not at the beginning, the value behind
 * it; a value that is missing removes; what can't be unescaped is passed over. */
static apr_array_header_t *changes_of(const char *header, apr_pool_t *p)
{
    apr_array_header_t *changes = apr_array_make(p, 8, sizeof(change_t));
    char *copy = apr_pstrdup(p, header ? header : ""), *pair, *name, *last = NULL, *rest;

    for (pair = apr_strtok(copy, "&", &last); pair; pair = apr_strtok(NULL, "&", &last)) {
        rest = NULL;
        name = apr_strtok(pair, "=", &rest);
        if (!name) {
            continue;
        }
        if (!rest || !*rest) {
            APR_ARRAY_PUSH(changes, change_t) = (change_t){ name, NULL };
        }
        else if (ap_unescape_urlencoded(name) == OK && ap_unescape_urlencoded(rest) == OK) {
            APR_ARRAY_PUSH(changes, change_t) = (change_t){ name, rest };
        }
    }
    return changes;
}

/* Two headers in one: what follows a comma and a blank has a name and '=', or is nothing. */
static const char *parted(const char *header, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, header), *s = copy;

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
    return copy;
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

/* The first of made are the changes that are accepted, all of them, in order, and no other. @return how many. */
static int are_accepted(const char *header, const apr_array_header_t *made, const apr_array_header_t *words,
                        apr_pool_t *p)
{
    apr_array_header_t *asked = changes_of(parted(header, p), p);
    int i, n = 0;

    for (i = 0; i < asked->nelts; i++) {
        const change_t *c = &APR_ARRAY_IDX(asked, i, change_t), *m = &APR_ARRAY_IDX(made, n, change_t);

        if (*c->name && is_accepted(words, c->name)) {
            HOLDS(n++ < made->nelts && same(m->name, c->name) && same(m->value, c->value));
        }
    }
    return n;
}

/* Those from n on are what a program said, whatever it is. */
static void are_all(const char *header, const apr_array_header_t *made, int n, apr_pool_t *p)
{
    apr_array_header_t *asked = changes_of(parted(header, p), p);
    int i;

    HOLDS(made->nelts - n == asked->nelts);
    for (i = 0; i < asked->nelts; i++, n++) {
        const change_t *c = &APR_ARRAY_IDX(asked, i, change_t), *m = &APR_ARRAY_IDX(made, n, change_t);
        HOLDS(same(m->name, c->name) && same(m->value, c->value));
    }
}

static request_rec *answered(const char *header, msd_dir_config_t *conf, session_dir_conf *session, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    msd_request_t *q = msd_request_get(r);

    q->loader = r;
    q->z = apr_pcalloc(p, sizeof(*q->z));
    q->outcome = MSD_LOADED;
    session->header = HEADER;
    conf->enabled = 1;
    ap_set_module_config(r->per_dir_config, &session_dynamodb_module, conf);
    ap_set_module_config(r->per_dir_config, &session_module, session);
    apr_table_set(r->headers_out, HEADER, header);
    return r;
}

static void is_taken_out(const char *header, msd_dir_config_t *conf, session_dir_conf *session, apr_pool_t *p)
{
    request_rec *r = answered(header, conf, session, p);
    apr_array_header_t *made;

    /* A program of httpd's own may say what it likes. */
    msd_header_settle(r);
    HOLDS(!apr_table_get(r->headers_out, HEADER));
    are_all(header, changes_of(apr_table_get(r->err_headers_out, HEADER), p), 0, p);

    r = answered(header, conf, session, p);
    r->proxyreq = PROXYREQ_REVERSE;
    msd_header_settle(r);
    HOLDS(!apr_table_get(r->headers_out, HEADER));
    made = changes_of(apr_table_get(r->err_headers_out, HEADER), p);
    HOLDS(are_accepted(header, made, conf->accept, p) == made->nelts);
}

static void is_kept_apart(const char *backends, const char *programs, msd_dir_config_t *conf,
                          session_dir_conf *session, apr_pool_t *p)
{
    request_rec *first = answered(backends, conf, session, p), *r = answered(programs, conf, session, p);
    apr_array_header_t *made;

    first->proxyreq = PROXYREQ_REVERSE;
    r->prev = first;
    /* Redirected requests share these tables. */
    r->headers_out = first->headers_out;
    r->err_headers_out = first->err_headers_out;
    msd_header_begin(r);
    HOLDS(!apr_table_get(r->headers_out, HEADER) && !apr_table_get(r->err_headers_out, HEADER));
    apr_table_set(r->headers_out, HEADER, programs);
    msd_header_settle(r);
    HOLDS(!apr_table_get(r->headers_out, HEADER));
    made = changes_of(apr_table_get(r->err_headers_out, HEADER), p);
    are_all(programs, made, are_accepted(backends, made, conf->accept, p), p);
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
