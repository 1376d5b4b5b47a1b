/* HTTP caches: the responses they may store, and the requests they may answer. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "httpd/msd_http_cache.h"

#define MARKER_FILTER   "cache"    /* registered names are lower case */
#define INCLUDES_FILTER "includes" /* mod_filter puts "bytype:" before it */

static const ap_filter_rec_t *marker_filter, *includes_filter; /* NULL: httpd runs without the module */

void msd_http_cache_find(void)
{
    marker_filter = ap_get_output_filter_handle(MARKER_FILTER);
    includes_filter = ap_get_output_filter_handle(INCLUDES_FILTER);
}

/** 1 if the response may depend on a session, or on the ID that was sent. */
static int has_session(const msd_session_t *s)
{
    return s->outcome == MSD_LOADED || s->outcome == MSD_FAILED || s->outcome == MSD_LIMITED;
}

/** The request header that carries the ID. */
static const char *carrier(const msd_session_t *s)
{
    return s->conf->use_header ? s->conf->header_name : "Cookie";
}

/** 1 if the response is specific to this visitor. file: 1 if it is a file. */
static int depends(const msd_session_t *s, int file)
{
    return has_session(s) && !(file && s->conf->no_store == MSD_NO_STORE_CHANGED);
}

/*
 * A cached response varies by Cookie without the session's cookie, which was removed before the response was generated.
 * A request with a live session, whose cookie is removed too, would therefore match responses for anonymous visitors. A
 * cookie of that name without a value, or "-" in the header, makes the request differ from all with a cached response.
 */
void msd_http_cache_mark(request_rec *r)
{
    const msd_session_t *s = marker_filter ? msd_request_any_session(r) : NULL;
    msd_request_http_cache_t *c;
    const msd_dir_config_t *conf;
    const char *name, *was;

    if (!s || !has_session(s)) {
        return;
    }
    conf = s->conf;
    name = carrier(s);
    was = apr_table_get(r->headers_in, name);
    c = &msd_request_find(r)->http_cache;
    c->marked = r;
    c->name = name;
    c->unmarked = was;
    apr_table_setn(
        r->headers_in, name,
        conf->use_header ? "-" : apr_pstrcat(r->pool, was ? was : "", was ? "; " : "", conf->cookie_name, "=", NULL));
}

void msd_http_cache_unmark(request_rec *r)
{
    msd_request_t *q = marker_filter ? msd_request_find(r) : NULL;
    msd_request_http_cache_t *c = q ? &q->http_cache : NULL;

    if (!c || c->marked != r) {
        return;
    }
    c->marked = NULL;
    if (c->unmarked) {
        apr_table_setn(r->headers_in, c->name, c->unmarked);
    }
    else {
        apr_table_unset(r->headers_in, c->name);
    }
}

/* mod_cache's filter CACHE marks the place where mod_cache saves the response. Before our filters and mod_session's it
 * would miss their headers; without the mark, mod_cache saves after them. */
static void unplace(request_rec *r)
{
    ap_filter_t *f, *next;

    for (f = marker_filter ? r->output_filters : NULL; f; f = next) {
        next = f->next;
        if (f->frec == marker_filter) {
            ap_remove_output_filter(f);
        }
    }
}

void msd_http_cache_begin(request_rec *r)
{
    if (msd_request_session(r)) {
        unplace(r);
        /* mod_cache would store the response of a subrequest before our filters see it. */
        r->no_cache = r->no_cache || r->main;
    }
}

/** 1 if r's response passes through mod_include. */
static int has_includes(const request_rec *r)
{
    const ap_filter_t *f;

    for (f = includes_filter ? r->output_filters : NULL; f; f = f->next) {
        if (f->r == r && strstr(f->frec->name, INCLUDES_FILTER)) {
            return 1;
        }
    }
    return 0;
}

void msd_http_cache_file(request_rec *r)
{
    msd_request_t *q = msd_request_find(r);

    if (!q || has_includes(r)) {
        return;
    }
    q->http_cache.file = r;
    if (r->main && msd_request_session(r)) {
        r->no_cache = depends(msd_request_session(r), 1);
    }
}

static void no_store(request_rec *r)
{
    apr_table_unset(r->headers_out, "Cache-Control");
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    /* Caches that only know HTTP/1.0 would still obey mod_expires' header. */
    apr_table_unset(r->headers_out, "Expires");
    apr_table_unset(r->err_headers_out, "Expires");
    r->no_cache = 1;
}

/** In err_headers_out, so that mod_headers' own Vary does not replace it: caches obey all lines. */
static void vary(request_rec *r, const char *header)
{
    if (!ap_find_token(r->pool, apr_table_get(r->err_headers_out, "Vary"), header)) {
        apr_table_mergen(r->err_headers_out, "Vary", header);
    }
}

void msd_http_cache_part(request_rec *r, const msd_request_t *q)
{
    int file = q->http_cache.file == r;
    const msd_session_t *s = msd_request_session(r);
    request_rec *page;

    if (!s || (file && !depends(s, file))) {
        return;
    }
    for (page = r->main; page; page = page->main) {
        if (msd_request_session(page) == s) {
            continue; /* msd_http_cache_settle decides for it */
        }
        if (depends(s, file)) {
            no_store(page);
        }
        else {
            vary(page, carrier(s));
            page->no_cache = 1;
        }
    }
}

void msd_http_cache_settle(request_rec *r, const msd_request_t *q, const msd_session_t *s)
{
    int file = q->http_cache.file == r && !msd_request_is_error_page(r);

    if (s->answer.written != MSD_NOTHING || s->answer.issue || s->answer.end_id || s->answer.end_old
        || s->answer.end_device || depends(s, file)) {
        no_store(r);
    }
    else if (s->outcome == MSD_NEW && !file) {
        vary(r, carrier(s));
        if (s->conf->use_header && s->conf->import && s->conf->import->store != MSD_IMPORT_NONE) {
            vary(r, "Cookie"); /* which may bring an old session */
        }
    }
}
