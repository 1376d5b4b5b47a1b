/* The session header and the control header: their parts, senders and order, and the resulting changes. */

#include <apr_strings.h>

#include "httpd/msd_control.h"
#include "httpd/msd_header_accept.h"
#include "httpd/msd_header_change.h"
#include "httpd/msd_header.h"

/** A search in a table of response headers. */
typedef struct search_t {
    request_rec *speaker; /* the request whose handler ran last, and sent the headers found */
    const char *name;
    int control;               /* 1: it is the name of a control header */
    apr_array_header_t *found; /* const char * */
} search_t;

/** A value that counts, and the session that it changes. */
typedef struct heard_t {
    const char *value;
    request_rec *speaker;
    int control; /* 1: words of the control header; 0: changes of entries */
    msd_session_t *s;
} heard_t;

static const char *name_for(const request_rec *r)
{
    return msd_config_enabled(r) ? msd_session_conf(r)->header : NULL;
}

/** The name of r's control header; NULL: none. */
static const char *control_for(const request_rec *r)
{
    const char *name = msd_config_enabled(r) ? msd_config_merged(r)->control_header : NULL;

    return name && *name ? name : NULL;
}

static int is_same_name(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

/** 1 if the speaker changes its session by the header found: by its own, or that of the place that loaded s. */
static int is_heard(const search_t *search, const msd_session_t *s)
{
    return search->control
               ? is_same_name(search->name, control_for(search->speaker))
               : is_same_name(search->name, name_for(search->speaker)) || is_same_name(search->name, s->header);
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

    while (!search->control && (at = joint(at))) {
        *at++ = '&';
        *at++ = '&';
    }
    value = search->control ? msd_header_accept_control(search->speaker, name, said)
                            : msd_header_accept_filter(search->speaker, name, said);
    if (value) {
        APR_ARRAY_PUSH(search->found, const char *) = value;
    }
    return 1;
}

/** The session of the request that sent the headers; NULL where SessionDynamoDB is Off. */
static msd_session_t *session_of(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ap_session_load) *load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_rec *z = NULL;

    return load(r, &z) == APR_SUCCESS && z ? msd_request_session_of(msd_request_find(r), z) : NULL;
}

static int is_present(const request_rec *r, const char *name)
{
    int present = apr_table_get(r->err_headers_out, name) != NULL;

    for (; r && !present; r = r->prev) {
        present = apr_table_get(r->headers_out, name) != NULL;
    }
    return present;
}

/** Remove the headers of this name from the response of r and the requests before it. What the speaker said counts for
 * the session of its place. */
static void take(request_rec *r, msd_request_t *q, const char *name, int control)
{
    msd_request_header_t *h = &q->header;
    search_t search = { .speaker = h->speaker ? h->speaker : r, .name = name, .control = control };
    heard_t heard = { .speaker = search.speaker, .control = control };
    int i;

    if (!is_present(r, name)) {
        return;
    }
    search.found = apr_array_make(q->top->pool, 1, sizeof(const char *));
    apr_table_do(add_found, &search, r->err_headers_out, name, NULL);
    apr_table_unset(r->err_headers_out, name);
    for (; r; r = r->prev) {
        /* Unlike err_headers_out, each request has its own headers_out. */
        apr_table_do(add_found, &search, r->headers_out, name, NULL);
        apr_table_unset(r->headers_out, name);
    }
    heard.s = search.found->nelts ? session_of(search.speaker) : NULL;
    for (i = 0; i < search.found->nelts && heard.s && is_heard(&search, heard.s); i++) {
        heard.value = APR_ARRAY_IDX(search.found, i, const char *);
        h->said = h->said ? h->said : apr_array_make(q->top->pool, 2, sizeof(heard_t));
        APR_ARRAY_PUSH(h->said, heard_t) = heard;
    }
}

/** Remove the session headers and control headers of r, and of the requests before it, from the response. */
static void take_all(request_rec *r, msd_request_t *q)
{
    const msd_session_t *s;
    request_rec *one;

    for (s = &q->session; s; s = s->next) {
        if (s->header) {
            take(r, q, s->header, 0);
        }
    }
    for (one = r; one; one = one->prev) {
        if (name_for(one)) {
            take(r, q, name_for(one), 0);
        }
        if (control_for(one)) {
            take(r, q, control_for(one), 1);
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

/** 1 if s can still be saved. */
static int is_open(const msd_session_t *s)
{
    return msd_session_usable(s) && !s->z->written;
}

request_rec *msd_header_settle(request_rec *r)
{
    msd_request_t *q = msd_request_get(r);
    const msd_session_t *s;
    int i;

    take_all(r, q);
    for (i = 0; q->header.said && i < q->header.said->nelts; i++) {
        const heard_t *heard = &APR_ARRAY_IDX(q->header.said, i, heard_t);
        if (is_open(heard->s) && heard->control) {
            msd_control_apply(heard->speaker, heard->s, heard->value);
        }
        else if (is_open(heard->s)) {
            msd_header_change_make(heard->s->z, heard->value);
        }
    }
    q->header.said = NULL;
    /* mod_session's filter saves the sessions of the request that it starts with and of those redirected from it, but
     * not of earlier ones. Start with the first that has one. */
    for (s = &q->session; s && !(s->loader && is_open(s)); s = s->next) {
    }
    return s ? s->loader : r;
}

apr_array_header_t *msd_header_names(request_rec *r)
{
    apr_array_header_t *names = apr_array_make(r->pool, 2, sizeof(const char *));
    request_rec *one;

    for (one = r; one; one = one->prev) {
        if (name_for(one)) {
            APR_ARRAY_PUSH(names, const char *) = name_for(one);
        }
        if (control_for(one)) {
            APR_ARRAY_PUSH(names, const char *) = control_for(one);
        }
    }
    return names;
}
