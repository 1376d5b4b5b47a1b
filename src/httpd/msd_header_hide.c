/* Session headers that bypass mod_session's filter and ours: in interim responses, handshakes and trailers. */

#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "httpd/msd_response_head.h"
#include "httpd/msd_header_hide.h"

#define HEADS         "SESSION_DYNAMODB_HEADS"
#define TRAILERS      "SESSION_DYNAMODB_TRAILERS"
#define LINE_MAX_KEPT (64 * 1024) /* bytes; mod_proxy's limit is 8 KiB unless ResponseFieldSize raises it */

static ap_filter_rec_t *heads_filter;

/** One per connection, in its pool. */
typedef struct heads_t {
    const msd_response_head_drop_t *drop; /* NULL: nothing to drop */
    msd_response_head_t head;
    apr_bucket_brigade *part, *line; /* the latest bytes of a line, and all of it so far */
    apr_off_t len;                   /* of line */
    apr_bucket_brigade *out;
} heads_t;

static int ends_line(const apr_bucket_brigade *bb)
{
    apr_bucket *last = APR_BRIGADE_LAST(bb);
    const char *text;
    apr_size_t len;

    return last != APR_BRIGADE_SENTINEL(bb) && !APR_BUCKET_IS_METADATA(last)
           && apr_bucket_read(last, &text, &len, APR_BLOCK_READ) == APR_SUCCESS && len && text[len - 1] == '\n';
}

/** A line is complete: send it or drop it. */
static apr_status_t judge(heads_t *h, apr_pool_t *p)
{
    char *text;
    apr_size_t len;
    apr_status_t rv = apr_brigade_pflatten(h->line, &text, &len, p);

    if (rv == APR_SUCCESS && len && !msd_response_head_keeps(&h->head, text, len, h->drop)) {
        apr_brigade_cleanup(h->line);
    }
    APR_BRIGADE_CONCAT(h->out, h->line);
    h->len = 0;
    return rv;
}

/** Keep an incomplete line in the connection's pool until the rest arrives. */
static void keep_for_later(heads_t *h, apr_pool_t *p)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(h->line); b != APR_BRIGADE_SENTINEL(h->line); b = APR_BUCKET_NEXT(b)) {
        apr_bucket_setaside(b, p);
    }
}

/** Move lines of heads from in to h->out; what remains in in is not part of a head. */
static apr_status_t sift(heads_t *h, apr_bucket_brigade *in)
{
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && !h->head.done && !APR_BRIGADE_EMPTY(in)) {
        apr_off_t len = 0;
        int whole;

        rv = apr_brigade_split_line(h->part, in, APR_BLOCK_READ, LINE_MAX_KEPT);
        if (rv == APR_SUCCESS) {
            rv = apr_brigade_length(h->part, 1, &len);
        }
        h->len += len;
        h->head.done = h->len > LINE_MAX_KEPT;
        whole = ends_line(h->part) || h->head.done || !h->len;
        APR_BRIGADE_CONCAT(h->line, h->part);
        if (rv == APR_SUCCESS && whole) {
            rv = judge(h, in->p);
        }
    }
    return rv;
}

static apr_status_t heads(ap_filter_t *f, apr_bucket_brigade *bb)
{
    heads_t *h = f->ctx;
    apr_status_t rv;

    if (!h->drop || h->head.done) {
        return ap_pass_brigade(f->next, bb);
    }
    rv = sift(h, bb);
    keep_for_later(h, f->c->pool);
    if (rv == APR_SUCCESS) {
        APR_BRIGADE_CONCAT(h->out, bb);
        rv = APR_BRIGADE_EMPTY(h->out) ? APR_SUCCESS : ap_pass_brigade(f->next, h->out);
    }
    apr_brigade_cleanup(h->out);
    return rv;
}

/** Runs for each part of the body: trailers are set while the body is read, at the latest at its end. */
static apr_status_t trailers(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const apr_array_header_t *names = f->ctx;
    int i;

    for (i = 0; i < names->nelts; i++) {
        apr_table_unset(f->r->trailers_out, APR_ARRAY_IDX(names, i, const char *));
    }
    return ap_pass_brigade(f->next, bb);
}

void msd_header_hide_register(void)
{
    heads_filter = ap_register_output_filter(HEADS, heads, NULL, AP_FTYPE_CONNECTION);
    ap_register_output_filter(TRAILERS, trailers, NULL, AP_FTYPE_CONTENT_SET);
}

static heads_t *heads_of(conn_rec *c)
{
    ap_filter_t *f;

    for (f = c->output_filters; f; f = f->next) {
        if (f->frec == heads_filter) {
            return f->ctx;
        }
    }
    return NULL;
}

static apr_status_t forget(void *data)
{
    ((heads_t *)data)->drop = NULL;
    return APR_SUCCESS;
}

void msd_header_hide_begin(request_rec *r, const msd_response_head_drop_t *drop)
{
    heads_t *h = heads_of(r->connection);

    if (!h) {
        /* Add it once per connection: each connection filter is allocated from the connection's pool. */
        h = apr_pcalloc(r->connection->pool, sizeof(*h));
        h->part = apr_brigade_create(r->connection->pool, r->connection->bucket_alloc);
        h->line = apr_brigade_create(r->connection->pool, r->connection->bucket_alloc);
        h->out = apr_brigade_create(r->connection->pool, r->connection->bucket_alloc);
        ap_add_output_filter_handle(heads_filter, h, r, r->connection);
    }
    memset(&h->head, 0, sizeof(h->head));
    h->drop = drop;
    apr_pool_cleanup_register(r->pool, h, forget, apr_pool_cleanup_null);
    ap_add_output_filter(TRAILERS, (void *)drop->headers, r, r->connection);
}

void msd_header_hide_end(request_rec *r)
{
    heads_t *h = heads_of(r->connection);

    if (h) {
        h->drop = NULL;
    }
}
