/* The cache of rows as httpd starts: its provider, its mutex, and the memory of writes. */

#include <unistd.h>

#include <httpd.h>
#include <util_mutex.h>

#include "httpd/child/msd_row_cache.h"
#include "httpd/conf/msd_config.h"

#define NAME        "session-ddb" /* at most 16 characters, ap_socache.h; memcache and redis add two */
#define MUTEX       "session-dynamodb-cache"
#define CHANGES_KEY "session_dynamodb_row_changes"

apr_status_t msd_row_cache_register(apr_pool_t *p)
{
    return ap_mutex_register(p, MUTEX, NULL, APR_LOCK_DEFAULT, 0);
}

/** The instance, to be destroyed by the process that made it. */
typedef struct instance_t {
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    server_rec *server;
    pid_t parent;
} instance_t;

static apr_status_t destroy(void *baton)
{
    const instance_t *i = baton;

    /* A child inherits this cleanup, and runs it when it exits. */
    if (getpid() == i->parent) {
        i->provider->destroy(i->instance, i->server);
    }
    return APR_SUCCESS;
}

static apr_status_t init_provider(const msd_row_cache_opts_t *o, apr_pool_t *p)
{
    struct ap_socache_hints hints = { .avg_id_len = DDB_SHA256_BYTES,
                                      .avg_obj_size = 1500,
                                      .expiry_interval = o->keep };
    instance_t *i = apr_palloc(p, sizeof(*i));
    apr_status_t rv = o->provider->init(o->instance, NAME, &hints, o->server, p);

    *i = (instance_t){ .provider = o->provider, .instance = o->instance, .server = o->server, .parent = getpid() };
    if (rv == APR_SUCCESS) {
        /* A pre-cleanup runs before p's subpools are destroyed: the instance may have one, and use it. */
        apr_pool_pre_cleanup_register(p, i, destroy);
    }
    return rv;
}

/** The known writes, of this process of httpd: its pool survives restarts. */
static apr_status_t find_changes(msd_row_changes_t **changes, apr_pool_t *process)
{
    void *found = NULL;
    apr_status_t rv = APR_SUCCESS;

    apr_pool_userdata_get(&found, CHANGES_KEY, process);
    *changes = found;
    if (!found) {
        rv = msd_row_changes_create(changes, process);
        apr_pool_userdata_setn(*changes, CHANGES_KEY, NULL, process);
    }
    return rv;
}

apr_status_t msd_row_cache_start(msd_row_cache_t **pc, server_rec *main_server, apr_pool_t *p)
{
    const msd_server_config_t *c = msd_config_server(main_server);
    msd_row_cache_opts_t o = { .provider = c->cache_provider,
                               .instance = c->cache_instance,
                               .server = main_server,
                               .keep = apr_time_from_sec(c->cache),
                               .clock = &ddb_clock_system,
                               .random = ddb_crypto_random };
    apr_status_t rv;

    *pc = NULL;
    if (!c->cache) {
        return APR_SUCCESS;
    }
    rv = find_changes(&o.changes, main_server->process->pool);
    if (rv == APR_SUCCESS && o.provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) {
        rv = ap_global_mutex_create(&o.mutex, NULL, MUTEX, NULL, main_server, p, 0);
    }
    rv = rv == APR_SUCCESS ? init_provider(&o, p) : rv;
    return rv == APR_SUCCESS ? msd_row_cache_create(pc, &o, p) : rv;
}
