/* What a proxied backend may change in the session: mod_session's header, less the entries that are not accepted. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "msd_accept.h"

APLOG_USE_MODULE(session_dynamodb);

#define SETTLED "session-dynamodb-settled"

static int is_proxied(const request_rec *r)
{
    /* A handler "proxy:..." becomes a proxied request when it runs. */
    return r->proxyreq != PROXYREQ_NONE || (r->handler && strncmp(r->handler, "proxy:", 6) == 0);
}

static int ends_with(const char *s, const char *end)
{
    apr_size_t len = strlen(s), n = strlen(end);

    return len >= n && strcasecmp(s + len - n, end) == 0;
}

/** Who is logged in, and until when: no '*' means these. */
static int needs_naming(const char *name)
{
    return strcasecmp(name, "expiry") == 0 || ends_with(name, "-" MOD_SESSION_USER)
           || ends_with(name, "-" MOD_SESSION_PW) || ends_with(name, "-site");
}

static int accepts(const apr_array_header_t *accept, const char *name)
{
    int i;

    for (i = 0; accept && i < accept->nelts; i++) {
        const char *word = APR_ARRAY_IDX(accept, i, const char *);
        if (strcasecmp(word, name) == 0 || (strcmp(word, "*") == 0 && !needs_naming(name))) {
            return 1;
        }
    }
    return 0;
}

/** The name of the entry that mod_session takes name=value for; NULL: it takes it for none. It unescapes the name of
 * an entry that is set, and not of one that is removed. */
static const char *entry_name(apr_pool_t *p, const char *pair)
{
    const char *start = pair + strspn(pair, "=");
    const char *end = start + strcspn(start, "=");
    char *name = apr_pstrmemdup(p, start, (apr_size_t)(end - start));

    if (*end && end[1] && ap_unescape_urlencoded(name) != OK) {
        return NULL;
    }
    return *name ? name : NULL;
}

/** What of a session header is accepted; NULL: nothing. *refused: the name of one that is not, NULL for none. */
static const char *filter(apr_pool_t *p, const apr_array_header_t *accept, const char *header, const char **refused)
{
    char *copy = apr_pstrdup(p, header), *pair, *last = NULL;
    apr_array_header_t *kept = apr_array_make(p, 4, sizeof(const char *));

    for (pair = apr_strtok(copy, "&", &last); pair; pair = apr_strtok(NULL, "&", &last)) {
        const char *name = entry_name(p, pair);
        if (name && accepts(accept, name)) {
            APR_ARRAY_PUSH(kept, const char *) = pair;
        }
        else if (name) {
            *refused = name;
        }
    }
    return kept->nelts ? apr_array_pstrcat(p, kept, '&') : NULL;
}

/** Take a header out of the response; where mod_session would look first, first. */
static const char *take(request_rec *r, const char *header)
{
    const char *value = apr_table_get(r->err_headers_out, header);

    value = value ? value : apr_table_get(r->headers_out, header);
    apr_table_unset(r->err_headers_out, header);
    apr_table_unset(r->headers_out, header);
    return value;
}

/** The note that keeps what was said in a header earlier in the tree, and was accepted. */
static const char *kept_note(request_rec *r, const char *header)
{
    return apr_pstrcat(r->pool, "session-dynamodb-kept-", header, NULL);
}

static void settle_header(request_rec *r, const char *header)
{
    const char *said = take(r, header), *refused = NULL;
    const char *kept = apr_table_get(r->notes, kept_note(r, header));

    if (said && is_proxied(r)) {
        said = filter(r->pool, msd_config_merged(r)->accept, said, &refused);
    }
    if (refused) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "the backend of %s may not change the entry '%.64s' by "
                      "its header %s: that is ignored. SessionDynamoDBAccept names the entries that it may change",
                      r->uri, refused, header);
    }
    if (said && kept) {
        said = apr_pstrcat(r->pool, kept, "&", said, NULL);
    }
    if (said || kept) {
        apr_table_set(r->err_headers_out, header, said ? said : kept);
    }
}

/** Do it for each header that changes the session in r: r's own, and that of the request that loaded. */
static void each_header(request_rec *r, void (*act)(request_rec *r, const char *header))
{
    const msd_request_t *q = msd_request_find(r);
    const char *own = msd_config_enabled(r) ? msd_request_session_conf(r)->header : NULL;
    const char *of_loader = q && q->loader ? msd_request_session_conf(q->loader)->header : NULL;

    if (own) {
        act(r, own);
    }
    if (of_loader && (!own || strcasecmp(own, of_loader) != 0)) {
        act(r, of_loader);
    }
}

/** 1 when r answers through a backend, or follows one that did: programs' and backends' headers may meet in it. */
static int is_mixed(const request_rec *r)
{
    return is_proxied(r) || (r->prev && is_proxied(r->prev));
}

void msd_accept_settle(request_rec *r)
{
    if (r->prev) {
        /* First: they share a table, and what a backend left in it must not pass for what a program said later. */
        msd_accept_settle(r->prev);
    }
    if (is_mixed(r) && !apr_table_get(r->notes, SETTLED)) {
        apr_table_setn(r->notes, SETTLED, "1");
        each_header(r, settle_header);
    }
}

/** Redirected requests share a table of response headers, and httpd would join what two of them say there. */
static void keep(request_rec *r, const char *header)
{
    const char *said = apr_table_get(r->err_headers_out, header);

    if (said) {
        apr_table_set(r->notes, kept_note(r, header), said);
        apr_table_unset(r->err_headers_out, header);
    }
}

void msd_accept_begin(request_rec *r)
{
    if (r->prev && is_mixed(r)) {
        msd_accept_settle(r->prev);
        each_header(r, keep);
    }
}
