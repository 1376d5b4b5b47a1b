/* The state of one request tree: its IDs, and the sessions of its places. */

#include <string.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "httpd/msd_request.h"
#include "httpd/msd_carrier.h"

/* main leads up from a subrequest, prev from a redirected request. The topmost request outlives the others, so it keeps
 * the state. Follow both links: a subrequest may belong to a redirected request. */
static request_rec *topmost(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

msd_request_t *msd_request_find(request_rec *r)
{
    return ap_get_module_config(topmost(r)->request_config, &session_dynamodb_module);
}

msd_request_t *msd_request_get(request_rec *r)
{
    request_rec *top = topmost(r);
    msd_request_t *q = ap_get_module_config(top->request_config, &session_dynamodb_module);

    if (!q) {
        q = apr_pcalloc(top->pool, sizeof(*q));
        q->top = top;
        q->session.pool = top->pool;
        ap_set_module_config(top->request_config, &session_dynamodb_module, q);
    }
    return q;
}

static int is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int is_same_list(const apr_array_header_t *a, const apr_array_header_t *b)
{
    int i, count = a ? a->nelts : 0;

    if (a == b || count != (b ? b->nelts : 0)) {
        return a == b;
    }
    for (i = 0; i < count && strcmp(APR_ARRAY_IDX(a, i, const char *), APR_ARRAY_IDX(b, i, const char *)) == 0; i++) {
    }
    return i == count;
}

/** 1 if sessions of one place are those of the other: the same IDs by the same carrier open the same rows. Both records
 * have defaults, or neither. The table is the server's, and so the same in the whole tree. */
static int is_same_place(const msd_dir_config_t *a, const msd_dir_config_t *b)
{
    return a->use_header == b->use_header && is_same_text(a->cookie_name, b->cookie_name)
           && is_same_text(a->header_name, b->header_name) && is_same_list(a->sid_keys, b->sid_keys)
           && is_same_list(a->seal_keys, b->seal_keys) && a->sid_digest == b->sid_digest && a->hash_sid == b->hash_sid
           && is_same_text(a->audience, b->audience) && a->format == b->format;
}

static msd_session_t *find_place(const request_rec *r, msd_request_t *q)
{
    const msd_dir_config_t *merged = msd_config_merged(r), *conf = NULL;
    msd_session_t *s;

    for (s = &q->session; s && s->conf; s = s->next) {
        /* Most requests have the loader's settings, or the same: only others need the defaults. */
        if (s->merged && (merged == s->merged || is_same_place(merged, s->merged))) {
            return s;
        }
        conf = conf ? conf : msd_config_dir(r, r->pool);
        if (is_same_place(conf, s->conf)) {
            return s;
        }
    }
    return NULL;
}

msd_session_t *msd_request_session(request_rec *r)
{
    msd_request_t *q = msd_config_enabled(r) ? msd_request_find(r) : NULL;

    return q ? find_place(r, q) : NULL;
}

msd_session_t *msd_request_place(request_rec *r, msd_request_t *q)
{
    msd_session_t *s = find_place(r, q), *last = &q->session;

    if (s || !last->conf) {
        return s ? s : last;
    }
    for (; last->next; last = last->next) {
    }
    last->next = apr_pcalloc(q->top->pool, sizeof(*last));
    last->next->pool = q->top->pool;
    return last->next;
}

msd_session_t *msd_request_session_of(msd_request_t *q, const session_rec *z)
{
    msd_session_t *s;

    for (s = q ? &q->session : NULL; s && s->z != z; s = s->next) {
    }
    return s;
}

msd_session_t *msd_request_any_session(request_rec *r)
{
    msd_session_t *s = msd_request_session(r);
    msd_request_t *q = s ? NULL : msd_request_find(r);

    return s ? s : q && q->session.conf ? &q->session : NULL;
}

int msd_request_is_same_place(const request_rec *r, const request_rec *other)
{
    const msd_dir_config_t *a = msd_config_merged(r), *b = msd_config_merged(other);

    return a->enabled == 1 && b->enabled == 1
           && (a == b || is_same_place(a, b)
               || is_same_place(msd_config_resolve(a, r->pool), msd_config_resolve(b, r->pool)));
}

int msd_request_is_foreign_part(request_rec *r, const msd_session_t *s)
{
    request_rec *page = r->main;

    while (page && page->main) {
        page = page->main;
    }
    return page && msd_request_session(page) != s;
}

void msd_request_take(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf)
{
    apr_array_header_t *took = msd_carrier_take(r, conf, msd_config_server(r->server)->cookie_names, q->top->pool);
    int i;

    if (!q->carriers || !took) {
        q->carriers = q->carriers ? q->carriers : took;
        return;
    }
    /* All requests of a tree have the client's headers, some of them as copies. The first look takes all IDs; later
     * ones must neither lose them nor add them again. */
    for (i = 0; i < took->nelts; i++) {
        const msd_carrier_t *c = &APR_ARRAY_IDX(took, i, msd_carrier_t);
        if (!msd_carrier_find(q->carriers, c->name, c->header)) {
            APR_ARRAY_PUSH(q->carriers, msd_carrier_t) = *c;
        }
    }
}

const apr_array_header_t *msd_request_came(const msd_request_t *q, const msd_dir_config_t *conf)
{
    const char *name = conf->use_header ? conf->header_name : conf->cookie_name;
    const msd_carrier_t *c = q->carriers ? msd_carrier_find(q->carriers, name, conf->use_header) : NULL;

    return c ? c->sids : NULL;
}

const apr_array_header_t *msd_request_came_old(const msd_request_t *q, const msd_dir_config_t *conf)
{
    const msd_carrier_t *c = conf->import && conf->import->store != MSD_IMPORT_NONE && q->carriers
                                 ? msd_carrier_find(q->carriers, conf->import->cookie, 0)
                                 : NULL;

    return c ? c->sids : NULL;
}

int msd_request_is_error_page(const request_rec *r)
{
    for (; r; r = r->main ? r->main : r->prev) {
        if (r->prev && ap_is_HTTP_ERROR(r->prev->status)) {
            return 1;
        }
    }
    return 0;
}

int msd_request_names_exact(const request_rec *r)
{
    const msd_session_t *s = msd_request_session((request_rec *)r);

    return (s && s->conf ? s->conf : msd_config_merged(r))->format == DDB_JSON;
}

const char *msd_request_entry(request_rec *r, const session_rec *z, const char *name)
{
    const msd_session_t *s = msd_request_session(r);
    const apr_array_header_t *elts;
    int i;

    if (!s || z != s->z || !msd_request_names_exact(r)) {
        return apr_table_get(z->entries, name);
    }
    elts = apr_table_elts(z->entries);
    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcmp(e->key, name) == 0) {
            return e->val;
        }
    }
    return s->members ? ddb_json_entries_value(s->members, name) : NULL;
}
