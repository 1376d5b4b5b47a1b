/* The changes that a proxied backend may make: mod_session's header without the entries that are not accepted. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/msd_header_accept.h"
#include "httpd/msd_header_change.h"

APLOG_USE_MODULE(session_dynamodb);

int msd_header_accept_is_proxied(const request_rec *r)
{
    /* With a handler "proxy:...", mod_proxy sets proxyreq only when it runs. */
    return r->proxyreq != PROXYREQ_NONE || (r->handler && strncmp(r->handler, "proxy:", 6) == 0);
}

static int ends_with(const char *s, const char *end)
{
    apr_size_t len = strlen(s), n = strlen(end);

    return len >= n && strcasecmp(s + len - n, end) == 0;
}

/** 1 for the entries that hold the login and its expiry: '*' does not include them. */
static int needs_naming(const char *name)
{
    return strcasecmp(name, MSD_ENTRIES_EXPIRY) == 0 || ends_with(name, "-" MOD_SESSION_USER)
           || ends_with(name, "-" MOD_SESSION_PW) || ends_with(name, "-site");
}

/** The names that a backend may change, and how they compare. */
typedef struct accept_t {
    const apr_array_header_t *words; /* const char *; NULL: no names */
    int exact;
} accept_t;

/** 1 if the session has an entry whose name differs only in case: mod_session would change that entry instead. */
static int has_other(request_rec *r, const char *name)
{
    const msd_session_t *s = msd_request_session(r);
    const apr_array_header_t *elts = s && s->z ? apr_table_elts(s->z->entries) : NULL;
    int i;

    for (i = 0; elts && i < elts->nelts; i++) {
        const char *key = APR_ARRAY_IDX(elts, i, apr_table_entry_t).key;
        if (strcasecmp(key, name) == 0 && strcmp(key, name) != 0) {
            return 1;
        }
    }
    return 0;
}

static accept_t accept_of(request_rec *r)
{
    const apr_array_header_t *words = msd_config_merged(r)->accept;
    accept_t a = { .words = words, .exact = msd_request_names_exact(r) };
    apr_array_header_t *left;
    int i;

    if (words && a.exact) {
        a.words = left = apr_array_make(r->pool, words->nelts, sizeof(const char *));
        for (i = 0; i < words->nelts; i++) {
            const char *word = APR_ARRAY_IDX(words, i, const char *);
            if (!has_other(r, word)) {
                APR_ARRAY_PUSH(left, const char *) = word;
            }
        }
    }
    return a;
}

static int accepts(const accept_t *a, const char *name)
{
    int i;

    for (i = 0; a->words && i < a->words->nelts; i++) {
        const char *word = APR_ARRAY_IDX(a->words, i, const char *);
        if ((a->exact ? strcmp(word, name) : strcasecmp(word, name)) == 0
            || (strcmp(word, "*") == 0 && !needs_naming(name))) {
            return 1;
        }
    }
    return 0;
}

/** The accepted part of a session header; NULL: nothing. *refused is set to the name of a refused entry, if any. */
static const char *filter(request_rec *r, const char *header, const char **refused)
{
    apr_pool_t *p = r->pool;
    accept_t a = accept_of(r);
    char *copy = apr_pstrdup(p, header), *pair, *last = NULL;
    apr_array_header_t *kept = apr_array_make(p, 4, sizeof(const char *));
    msd_entries_change_t change;

    for (pair = apr_strtok(copy, "&", &last); pair; pair = apr_strtok(NULL, "&", &last)) {
        if (msd_header_change_read(&change, pair, p)) {
            if (accepts(&a, change.name)) {
                APR_ARRAY_PUSH(kept, const char *) = pair;
            }
            else {
                *refused = change.name;
            }
        }
    }
    return kept->nelts ? apr_array_pstrcat(p, kept, '&') : NULL;
}

const char *msd_header_accept_filter(request_rec *r, const char *header, const char *said)
{
    const char *refused = NULL;

    if (msd_header_accept_is_proxied(r)) {
        said = filter(r, said, &refused);
    }
    if (refused) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "the backend of %s may not change the entry '%.64s' by its header %s, so the change is ignored: "
                      "to allow it, name the entry in SessionDynamoDBAccept",
                      r->uri, refused, header);
    }
    return said;
}
