/* The session header: its parts, their senders and order, and the resulting changes. */

#include <apr_strings.h>

#include "httpd/msd_header_accept.h"
#include "httpd/msd_header_change.h"
#include "httpd/msd_header.h"

/** A search in a table of response headers. */
typedef struct search_t {
    request_rec *speaker; /* the request whose handler ran last, and sent the headers found */
    const char *name;
    apr_array_header_t *found; /* const char * */
} search_t;

static const char *name_for(const request_rec *r)
{
    return msd_config_enabled(r) ? msd_session_conf(r)->header : NULL;
}

/** The next place where httpd joined two lines; NULL: no further one. */
static char *joint(char *s)
{
    while ((s = strstr(s, ", "))) {
        const char *next = s + 2;
        apr_size_t len = strcspn(next, "=&, ");

        if (!*next || *next == ',' || (len && next[len] == '=')) {
            return s;
        }
        s += 2;
    }
    return NULL;
}

static int add_found(void *baton, const char *name, const char *value)
{
    search_t *search = baton;
    char *said = apr_pstrdup(search->found->pool, value), *at = said;

    while ((at = joint(at))) {
        *at++ = '&';
        *at++ = '&';
    }
    value = msd_header_accept_filter(search->speaker, name, said);
    if (value) {
        APR_ARRAY_PUSH(search->found, const char *) = value;
    }
    return 1;
}

static void take(request_rec *r, const char *name, request_rec *speaker, apr_array_header_t *found)
{
    search_t search = { .speaker = speaker, .name = name, .found = found };

    apr_table_do(add_found, &search, r->err_headers_out, name, NULL);
    apr_table_unset(r->err_headers_out, name);
    for (; r; r = r->prev) {
        /* Unlike err_headers_out, each request has its own headers_out. */
        apr_table_do(add_found, &search, r->headers_out, name, NULL);
        apr_table_unset(r->headers_out, name);
    }
}

/** 1 if r's settings, which may be another area's, give it the session of the tree. */
static int shares_session(request_rec *r, const msd_session_t *s)
{
    APR_OPTIONAL_FN_TYPE(ap_session_load) *load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_rec *z = NULL;

    return s->z && load(r, &z) == APR_SUCCESS && z == s->z;
}

/** Remove the session headers of r, and of the requests before it, from the response. Those that count go into said. */
static void take_all(request_rec *r, msd_request_t *q)
{
    msd_request_header_t *h = &q->header;
    request_rec *speaker = h->speaker ? h->speaker : r;
    const char *of_loader = q->session.loader ? name_for(q->session.loader) : NULL;
    apr_array_header_t *unheard = apr_array_make(r->pool, 1, sizeof(const char *));
    request_rec *one;

    h->said = h->said ? h->said : apr_array_make(q->top->pool, 2, sizeof(const char *));
    if (of_loader) {
        take(r, of_loader, speaker, h->said);
    }
    for (one = r; one; one = one->prev) {
        const char *name = name_for(one);
        if (name && (!of_loader || strcasecmp(name, of_loader) != 0)) {
            take(r, name, speaker, shares_session(one, &q->session) ? h->said : unheard);
        }
    }
}

void msd_header_begin(request_rec *r)
{
    msd_request_t *q = msd_config_enabled(r) ? msd_request_get(r) : msd_request_find(r);

    if (!q || r->main) {
        return; /* subrequests have their own tables, which mod_session does not read */
    }
    if (r->prev) {
        q->header.speaker = q->header.speaker ? q->header.speaker : r->prev;
        take_all(r, q);
    }
    q->header.speaker = r;
}

request_rec *msd_header_settle(request_rec *r)
{
    msd_request_t *q = msd_request_get(r);
    const msd_session_t *s = &q->session;
    int i;

    take_all(r, q);
    if (!s->loader || !msd_session_usable(s) || s->z->written) {
        apr_array_clear(q->header.said);
        return r;
    }
    for (i = 0; i < q->header.said->nelts; i++) {
        msd_header_change_make(s->z, APR_ARRAY_IDX(q->header.said, i, const char *));
    }
    apr_array_clear(q->header.said);
    /* mod_session's filter saves the sessions of the request that it starts with and of those redirected from it, but
     * not of earlier ones. Start with the loader, whose settings apply to the whole tree. */
    return s->loader->main ? r : s->loader;
}

apr_array_header_t *msd_header_names(request_rec *r)
{
    apr_array_header_t *names = apr_array_make(r->pool, 2, sizeof(const char *));
    request_rec *one;

    for (one = r; one; one = one->prev) {
        if (name_for(one)) {
            APR_ARRAY_PUSH(names, const char *) = name_for(one);
        }
    }
    return names;
}
