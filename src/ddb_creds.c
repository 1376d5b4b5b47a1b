/* The credential provider chain: who is asked in which order, and the one snapshot of what was found. */

#include <string.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "ddb_creds_int.h"
#include "ddb_crypto.h"

#define RENEW_MIN apr_time_from_sec(2) /* between two askings because of a refusal */

struct ddb_creds_t {
    ddb_creds_opts_t o;
    ddb_credentials_t fixed;    /* what o.fixed points to, if it does */
    apr_thread_mutex_t *mutex;  /* over what follows */
    apr_pool_t *pool;           /* of found and nothing else; wiped when cleared */
    ddb_creds_chain_t chain;
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
    apr_size_t i, n = 0;

    c->chain.providers = ddb_creds_all;
    while (ddb_creds_all[n]) {
        n++;
    }
    c->chain.states = apr_pcalloc(p, n * sizeof(*c->chain.states));
    for (i = 0; rv == APR_SUCCESS && i < n; i++) {
        rv = ddb_creds_all[i]->prepare ? ddb_creds_all[i]->prepare(&c->chain.states[i], p) : APR_SUCCESS;
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

static apr_status_t ask_chain(ddb_creds_t *c, ddb_error_t *err)
{
    ddb_error_t notes = { 0 };
    apr_status_t rv;

    apr_pool_clear(c->pool);
    rv = ddb_creds_ask(&c->chain, &c->o, c->pool, &c->found, &notes);
    c->have = rv == APR_SUCCESS;
    if (!c->have) {
        apr_pool_clear(c->pool);
    }
    return rv == APR_NOTFOUND ? ddb_error_set(err, DDB_ENOCREDS, "no credentials: %s", notes.detail)
         : rv == APR_SUCCESS ? rv : ddb_error_set(err, rv, "%s", notes.detail);
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
    rv = c->have ? APR_SUCCESS : ask_chain(c, &notes);
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
