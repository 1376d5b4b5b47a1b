/* The credential provider chain: who is asked in which order, and the one snapshot of what was found. */

#include <string.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "ddb_creds_int.h"
#include "ddb_crypto.h"

#define RENEW_MIN apr_time_from_sec(2) /* between two askings because of a refusal */

/* In the order of asking. */
static const ddb_creds_provider_t *const chain[] = {
    &ddb_creds_env,
    &ddb_creds_profile,
};
#define PROVIDERS (sizeof(chain) / sizeof(chain[0]))

struct ddb_creds_t {
    ddb_creds_opts_t o;
    ddb_credentials_t fixed;    /* what o.fixed points to, if it does */
    apr_thread_mutex_t *mutex;  /* over what follows */
    apr_pool_t *pool;           /* of found and nothing else; wiped when cleared */
    void *state[PROVIDERS];     /* of each provider, in the order of the chain */
    int have;
    ddb_credentials_t found;
    apr_time_t renewed;         /* when they were last called stale, monotonic; 0: never */
};

/* Its own allocator: this pool is filled under our mutex, while others may be using p and its allocator. */
static apr_status_t create_pool(apr_pool_t **pool, apr_pool_t *p)
{
    apr_allocator_t *allocator;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_pool_create_ex(pool, p, NULL, allocator);
    if (rv == APR_SUCCESS) {
        apr_allocator_owner_set(allocator, *pool);
    } else {
        apr_allocator_destroy(allocator);
    }
    return rv;
}

static apr_status_t prepare_providers(ddb_creds_t *c, apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; rv == APR_SUCCESS && i < PROVIDERS; i++) {
        rv = chain[i]->prepare ? chain[i]->prepare(&c->state[i], p) : APR_SUCCESS;
    }
    return rv;
}

apr_status_t ddb_creds_create(ddb_creds_t **pc, const ddb_creds_opts_t *o, apr_pool_t *p)
{
    ddb_creds_t *c = apr_pcalloc(p, sizeof(*c));
    apr_status_t rv;

    *pc = NULL;
    c->o = *o;
    if (o->fixed) {
        c->fixed = *o->fixed;
        c->o.fixed = &c->fixed;
    }
    rv = apr_thread_mutex_create(&c->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = create_pool(&c->pool, p);
    }
    if (rv == APR_SUCCESS) {
        rv = prepare_providers(c, p);
    }
    *pc = rv == APR_SUCCESS ? c : NULL;
    return rv;
}

/* They become part of header lines: a line break that came with a file or variable would end one. */
static int is_visible(const char *s)
{
    for (; s && *s; s++) {
        if (*s < '!' || *s > '~') {
            return 0;
        }
    }
    return 1;
}

static apr_status_t check(const ddb_credentials_t *found, const char *provider, ddb_error_t *err)
{
    const char *what = !is_visible(found->access_key_id) ? "access key ID"
                     : !is_visible(found->secret_access_key) ? "secret access key"
                     : !is_visible(found->session_token) ? "session token" : NULL;

    return what ? ddb_error_set(err, DDB_ECONFIG, "the %s from the %s has a blank, a line break or another character "
                                "that none has; write it anew", what, provider)
                : APR_SUCCESS;
}

/* Fill c->found. The notes of those who are not set up become the answer when nobody is. */
static apr_status_t ask_chain(ddb_creds_t *c, apr_pool_t *p, ddb_error_t *err)
{
    const char *asked = "";
    apr_status_t rv = APR_NOTFOUND;
    apr_size_t i;

    for (i = 0; rv == APR_NOTFOUND && i < PROVIDERS; i++) {
        apr_pool_clear(c->pool);
        memset(&c->found, 0, sizeof(c->found));
        rv = chain[i]->fetch(&c->o, c->state[i], c->pool, &c->found, err);
        if (rv == APR_SUCCESS) {
            rv = check(&c->found, chain[i]->name, err);
            c->have = rv == APR_SUCCESS;
        } else if (rv == APR_NOTFOUND) {
            asked = apr_psprintf(p, "%s%s%s (%s)", asked, *asked ? ", " : "", chain[i]->name, err->detail);
        }
    }
    if (!c->have) {
        apr_pool_clear(c->pool);
    }
    return rv == APR_NOTFOUND ? ddb_error_set(err, DDB_ENOCREDS, "no credentials: %s", asked) : rv;
}

static void copy(ddb_credentials_t *out, const ddb_credentials_t *in, apr_pool_t *p)
{
    out->access_key_id = apr_pstrdup(p, in->access_key_id);
    out->secret_access_key = ddb_crypto_secret_dup(p, in->secret_access_key);
    out->session_token = ddb_crypto_secret_dup(p, in->session_token);
    out->expires = in->expires;
    out->account_id = apr_pstrdup(p, in->account_id);
}

apr_status_t ddb_creds_get(ddb_creds_t *c, apr_pool_t *p, ddb_credentials_t *out, ddb_error_t *err)
{
    ddb_error_t notes = { 0 };
    apr_status_t rv;

    if (c->o.fixed) {
        copy(out, c->o.fixed, p);
        return APR_SUCCESS;
    }
    rv = apr_thread_mutex_lock(c->mutex);
    if (rv != APR_SUCCESS) {
        return ddb_error_set(err, rv, "the mutex of the credentials can't be locked");
    }
    rv = c->have ? APR_SUCCESS : ask_chain(c, p, &notes);
    if (rv == APR_SUCCESS) {
        copy(out, &c->found, p);
    }
    apr_thread_mutex_unlock(c->mutex);
    return rv == APR_SUCCESS ? rv : ddb_error_set(err, rv, "%s", notes.detail);
}

void ddb_creds_renew(ddb_creds_t *c, const char *access_key_id)
{
    apr_time_t now = c->o.clock->monotonic(c->o.clock->baton);

    if (c->o.fixed || apr_thread_mutex_lock(c->mutex) != APR_SUCCESS) {
        return;
    }
    if (c->have && strcmp(c->found.access_key_id, access_key_id) == 0
        && (!c->renewed || now - c->renewed >= RENEW_MIN)) {
        c->have = 0;
        c->renewed = now;
    }
    apr_thread_mutex_unlock(c->mutex);
}
