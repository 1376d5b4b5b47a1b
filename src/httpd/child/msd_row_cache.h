#ifndef MSD_ROW_CACHE_H
#define MSD_ROW_CACHE_H

#include <httpd.h>
#include <ap_socache.h>

#include "base/ddb_clock.h"
#include "base/ddb_crypto.h"
#include "httpd/child/msd_row_changes.h"
#include "store/ddb_store.h"

/*
 * SessionDynamoDBCache: the replies to reads of rows, kept for some seconds in a cache of httpd's (socache), which all
 * child processes share. Whoever reads the cache, a file or a memcached perhaps, finds in it neither IDs nor keys of
 * the table nor data: an entry's name is a keyed hash, and the reply is sealed under the session ID.
 *
 * A reply counts from the moment when its read began, for so many seconds, and only until this server writes the row:
 * msd_row_changes knows, so that a reply put in late is out of date at once, and none has to be removed. Other servers'
 * writes count after those seconds at the latest.
 */
typedef struct msd_row_cache_t msd_row_cache_t;

typedef struct msd_row_cache_opts_t {
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;  /* made and initialised */
    struct apr_global_mutex_t *mutex; /* held for each use of the provider; NULL: it needs none */
    server_rec *server;               /* for the provider */
    msd_row_changes_t *changes;       /* must outlive the cache */
    apr_interval_time_t keep;         /* microseconds */
    const ddb_clock_t *clock;
    ddb_random_fn *random; /* for a secret, new with each start, and for sealing */
} msd_row_cache_opts_t;

/** In the parent process, before fork. o is copied. Freed with p, after the secret is wiped. */
apr_status_t msd_row_cache_create(msd_row_cache_t **pc, const msd_row_cache_opts_t *o, apr_pool_t *p);

/** Register the mutex with httpd, for the directive Mutex; in pre_config. */
apr_status_t msd_row_cache_register(apr_pool_t *p);

/** The cache that the settings of main_server ask for; *pc is NULL if they ask for none. In the parent process, before
 * fork; freed with p. Known writes outlive a restart, after which children of the last start go on for a while. */
apr_status_t msd_row_cache_start(msd_row_cache_t **pc, server_rec *main_server, apr_pool_t *p);

/** Use the mutex in this child process. */
apr_status_t msd_row_cache_child(msd_row_cache_t *c, apr_pool_t *pchild);

/** The same cache for the rows of one table. table identifies it among all tables, and is copied. */
msd_row_cache_t *msd_row_cache_of_table(const msd_row_cache_t *c, const char *table, apr_pool_t *p);

/*
 * The following are thread-safe and process-safe.
 */

/** Now, on the clock of the cache. */
apr_time_t msd_row_cache_now(const msd_row_cache_t *c);

/**
 * Read a row from the cache: as ddb_store_read_reply. @return APR_INCOMPLETE if the cache does not have it; the read is
 * then as before.
 */
apr_status_t msd_row_cache_read(const msd_row_cache_t *c, ddb_store_read_t *read);

/** Put in the reply of a consistent read that began at `began`, as msd_row_cache_now told. A long reply is left out. */
void msd_row_cache_put(const msd_row_cache_t *c, const ddb_store_read_t *read, apr_time_t began);

/** What was read of this row until `now` counts no longer. */
void msd_row_cache_drop(const msd_row_cache_t *c, const char *key, apr_time_t now);

#endif
