/* Rows in a cache of httpd's: names, seals, and for how long a reply counts. */

#include <string.h>

#include <apr_global_mutex.h>
#include <apr_strings.h>

#include "httpd/child/msd_row_cache.h"

#define MOST  (32 * 1024) /* bytes of a value */
#define LABEL "session-dynamodb cache"

struct msd_row_cache_t {
    msd_row_cache_opts_t o;
    unsigned char *secret; /* DDB_SHA256_BYTES */
    const char *table;
};

/** An entry's name, to which its value is bound. */
typedef struct name_t {
    apr_time_t began; /* of the read: the first part of the value, not of the name */
    unsigned char id[DDB_SHA256_BYTES];
} name_t;

static apr_status_t wipe(void *secret)
{
    ddb_crypto_wipe(secret, DDB_SHA256_BYTES);
    return APR_SUCCESS;
}

apr_status_t msd_row_cache_create(msd_row_cache_t **pc, const msd_row_cache_opts_t *o, apr_pool_t *p)
{
    msd_row_cache_t *c = apr_pcalloc(p, sizeof(*c));
    apr_status_t rv;

    c->o = *o;
    c->table = "";
    c->secret = apr_pcalloc(p, DDB_SHA256_BYTES);
    apr_pool_cleanup_register(p, c->secret, wipe, apr_pool_cleanup_null);
    rv = o->random(c->secret, DDB_SHA256_BYTES);
    if (rv == APR_SUCCESS) {
        *pc = c;
    }
    return rv;
}

apr_status_t msd_row_cache_child(msd_row_cache_t *c, apr_pool_t *pchild)
{
    return c->o.mutex ? apr_global_mutex_child_init(&c->o.mutex, apr_global_mutex_lockfile(c->o.mutex), pchild)
                      : APR_SUCCESS;
}

msd_row_cache_t *msd_row_cache_of_table(const msd_row_cache_t *c, const char *table, apr_pool_t *p)
{
    msd_row_cache_t *copy = apr_pmemdup(p, c, sizeof(*c));

    copy->table = apr_pstrdup(p, table);
    return copy;
}

apr_time_t msd_row_cache_now(const msd_row_cache_t *c)
{
    return ddb_clock_monotonic(c->o.clock);
}

void msd_row_cache_drop(const msd_row_cache_t *c, const char *key, apr_time_t now)
{
    msd_row_changes_note(c->o.changes, key, now);
}

static apr_status_t name_of(name_t *name, const msd_row_cache_t *c, const ddb_store_read_t *read)
{
    /* Table keys contain no line breaks, so the separator is unambiguous. */
    const char *text = apr_pstrcat(read->call->pool, read->key, "\n", c->table, NULL);

    return ddb_crypto_hmac(DDB_SHA256, name->id, (ddb_bytes_t){ c->secret, DDB_SHA256_BYTES },
                           (ddb_bytes_t){ text, strlen(text) });
}

/** The key that seals what the ID opens. */
static apr_status_t seal_key(unsigned char key[DDB_SEAL_KEY], const char *sid)
{
    return ddb_crypto_hmac(DDB_SHA256, key, (ddb_bytes_t){ sid, strlen(sid) }, (ddb_bytes_t){ LABEL, strlen(LABEL) });
}

static apr_status_t lock(const msd_row_cache_t *c)
{
    return c->o.mutex ? apr_global_mutex_lock(c->o.mutex) : APR_SUCCESS;
}

static void unlock(const msd_row_cache_t *c)
{
    if (c->o.mutex) {
        apr_global_mutex_unlock(c->o.mutex);
    }
}

static apr_status_t retrieve(const msd_row_cache_t *c, const name_t *name, unsigned char *value, unsigned int *len,
                             apr_pool_t *p)
{
    apr_status_t rv = lock(c);

    if (rv == APR_SUCCESS) {
        rv = c->o.provider->retrieve(c->o.instance, c->o.server, name->id, sizeof(name->id), value, len, p);
        unlock(c);
    }
    return rv;
}

static int counts(const msd_row_cache_t *c, const char *key, apr_time_t began)
{
    apr_time_t now = msd_row_cache_now(c);

    /* A row that was written in the same microsecond may have been read before. */
    return began > msd_row_changes_last(c->o.changes, key) && began <= now && now - began < c->o.keep;
}

/** Open a value. @return APR_INCOMPLETE if it is of no use. */
static apr_status_t open_value(const msd_row_cache_t *c, ddb_store_read_t *read, name_t *name, ddb_bytes_t value)
{
    const ddb_bytes_t sealed = { (const char *)value.data + sizeof(name->began), value.len - sizeof(name->began) };
    apr_size_t len = sealed.len - DDB_SEAL_MORE;
    unsigned char key[DDB_SEAL_KEY], *body;
    apr_status_t rv;

    if (value.len < sizeof(name->began) + DDB_SEAL_MORE) {
        return APR_INCOMPLETE;
    }
    memcpy(&name->began, value.data, sizeof(name->began));
    if (!counts(c, read->key, name->began)) {
        return APR_INCOMPLETE;
    }
    body = apr_palloc(read->call->pool, len + 1);
    rv = seal_key(key, read->sid);
    rv = rv == APR_SUCCESS ? ddb_crypto_unseal(body, key, sealed, (ddb_bytes_t){ name, sizeof(*name) }) : rv;
    ddb_crypto_wipe(key, sizeof(key));
    if (rv != APR_SUCCESS) {
        return APR_INCOMPLETE;
    }
    body[len] = '\0';
    return ddb_store_read_reply(read, (const char *)body, len);
}

apr_status_t msd_row_cache_read(const msd_row_cache_t *c, ddb_store_read_t *read)
{
    name_t name = { .began = 0 };
    unsigned int len = MOST;
    apr_pool_t *scratch = NULL; /* the room for the longest value is not the request's */
    apr_status_t rv = apr_pool_create(&scratch, read->call->pool);

    if (rv == APR_SUCCESS) {
        unsigned char *value = apr_palloc(scratch, MOST);
        rv = name_of(&name, c, read);
        rv = rv == APR_SUCCESS ? retrieve(c, &name, value, &len, scratch) : rv;
        rv = rv == APR_SUCCESS ? open_value(c, read, &name, (ddb_bytes_t){ value, len }) : APR_INCOMPLETE;
        apr_pool_destroy(scratch);
    }
    return rv;
}

/** Seal a reply into a value, in p. */
static apr_status_t close_value(ddb_bytes_t *value, const msd_row_cache_t *c, const ddb_store_read_t *read,
                                const name_t *name, apr_pool_t *p)
{
    const ddb_bytes_t body = { read->reply.body, read->reply.len };
    unsigned char *out = apr_palloc(p, value->len), key[DDB_SEAL_KEY];
    apr_status_t rv = seal_key(key, read->sid);

    memcpy(out, &name->began, sizeof(name->began));
    rv = rv == APR_SUCCESS
             ? ddb_crypto_seal(out + sizeof(name->began), key, body, (ddb_bytes_t){ name, sizeof(*name) }, c->o.random)
             : rv;
    ddb_crypto_wipe(key, sizeof(key));
    value->data = out;
    return rv;
}

static void store(const msd_row_cache_t *c, const name_t *name, ddb_bytes_t value, apr_pool_t *p)
{
    /* A full cache, or none that answers, costs reads. */
    if (lock(c) == APR_SUCCESS) {
        /* Some providers count whole seconds, rounded down. How long the value counts, it tells itself. */
        c->o.provider->store(c->o.instance, c->o.server, name->id, sizeof(name->id),
                             apr_time_now() + c->o.keep + apr_time_from_sec(1), (unsigned char *)value.data,
                             (unsigned int)value.len, p);
        unlock(c);
    }
}

void msd_row_cache_put(const msd_row_cache_t *c, const ddb_store_read_t *read, apr_time_t began)
{
    name_t name = { .began = began };
    ddb_bytes_t value = { .len = sizeof(name.began) + read->reply.len + DDB_SEAL_MORE };
    apr_pool_t *scratch = NULL;

    if (!read->reply.body || value.len > MOST || !counts(c, read->key, began)
        || apr_pool_create(&scratch, read->call->pool) != APR_SUCCESS) {
        return;
    }
    if (name_of(&name, c, read) == APR_SUCCESS && close_value(&value, c, read, &name, scratch) == APR_SUCCESS) {
        store(c, &name, value, scratch);
    }
    apr_pool_destroy(scratch);
}
