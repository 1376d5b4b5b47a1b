/* What a proxied backend may change in the session: mod_session's header, less the entries that are not accepted. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "msd_accept.h"

APLOG_USE_MODULE(session_dynamodb);

int msd_accept_is_proxied(const request_rec *r)
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

const char *msd_accept_filter(request_rec *r, const char *header, const char *said)
{
    const char *refused = NULL;

    if (msd_accept_is_proxied(r)) {
        said = filter(r->pool, msd_config_merged(r)->accept, said, &refused);
    }
    if (refused) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "the backend of %s may not change the entry '%.64s' by "
                      "its header %s: that is ignored. SessionDynamoDBAccept names the entries that it may change",
                      r->uri, refused, header);
    }
    return said;
}
