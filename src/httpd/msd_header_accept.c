/* The changes that programs and backends may make: mod_session's header without the entries that are protected, and for
 * a proxied backend without those that are not accepted. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/msd_form.h"
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
    const apr_array_header_t *words;     /* const char *; NULL: no names */
    const apr_array_header_t *user_keys; /* const char *: entries that name a user, which '*' does not include */
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
    accept_t a = { .words = words, .user_keys = msd_config_merged(r)->user_keys, .exact = msd_request_names_exact(r) };
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

/** 1 when names (or NULL) has this one, in any case: where names are exact, programs see none of two that differ in
 * case only. */
static int has_name(const apr_array_header_t *names, const char *name)
{
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        if (strcasecmp(APR_ARRAY_IDX(names, i, const char *), name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int accepts(const accept_t *a, const char *name)
{
    int i;

    for (i = 0; a->words && i < a->words->nelts; i++) {
        const char *word = APR_ARRAY_IDX(a->words, i, const char *);
        if ((a->exact ? strcmp(word, name) : strcasecmp(word, name)) == 0
            || (strcmp(word, "*") == 0 && !needs_naming(name) && !has_name(a->user_keys, name))) {
            return 1;
        }
    }
    return 0;
}

/** One look at a session header: whose it is, and what was refused. */
typedef struct judge_t {
    const apr_array_header_t *here, *at_load; /* protected by the speaker's settings and by the loader's; NULL: none */
    int proxied;
    accept_t accept;          /* of a backend */
    const char *not_accepted; /* the name of an entry, if any; the last one */
    const char *is_protected; /* the same */
} judge_t;

static judge_t judge_for(request_rec *r)
{
    const msd_session_t *s = msd_request_session(r);
    judge_t j = { .here = msd_config_merged(r)->protect_keys,
                  .at_load = s && s->conf ? s->conf->protect_keys : NULL,
                  .proxied = msd_header_accept_is_proxied(r) };

    if (j.proxied) {
        j.accept = accept_of(r);
    }
    return j;
}

static int allows(judge_t *j, const char *name)
{
    if (has_name(j->here, name) || has_name(j->at_load, name)) {
        j->is_protected = name;
        return 0;
    }
    if (j->proxied && !accepts(&j->accept, name)) {
        j->not_accepted = name;
        return 0;
    }
    return 1;
}

/** The allowed part of a session header; NULL: nothing. */
static const char *filter(judge_t *j, const char *header, apr_pool_t *p)
{
    char *rest = apr_pstrdup(p, header), *pair;
    apr_array_header_t *kept = apr_array_make(p, 4, sizeof(const char *));
    msd_entries_change_t change;

    while ((pair = msd_form_next(&rest))) {
        if (msd_header_change_read(&change, pair, p) && allows(j, change.name)) {
            APR_ARRAY_PUSH(kept, const char *) = pair;
        }
    }
    return kept->nelts ? apr_array_pstrcat(p, kept, '&') : NULL;
}

const char *msd_header_accept_filter(request_rec *r, const char *header, const char *said)
{
    judge_t j = judge_for(r);

    if (j.proxied || j.here || j.at_load) {
        said = filter(&j, said, r->pool);
    }
    if (j.not_accepted) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "the backend of %s may not change the entry '%.64s' by its header %s, so the change is ignored: "
                      "to allow it, name the entry in SessionDynamoDBAccept",
                      r->uri, j.not_accepted, header);
    }
    if (j.is_protected) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "the header %s of %s may not change the entry '%.64s', so the change is ignored: "
                      "SessionDynamoDBProtectKeys names it",
                      header, r->uri, j.is_protected);
    }
    return said;
}

const char *msd_header_accept_control(request_rec *r, const char *header, const char *said)
{
    if (!msd_header_accept_is_proxied(r) || has_name(msd_config_merged(r)->accept, header)) {
        return said;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "the backend of %s may not control the session by its header %s, so the header is ignored: to allow "
                  "it, name the header in SessionDynamoDBAccept",
                  r->uri, header);
    return NULL;
}
