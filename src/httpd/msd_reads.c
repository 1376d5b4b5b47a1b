/* Reading rows for a load: the cache, other requests, the table. */

#include "httpd/child/msd_child.h"
#include "httpd/child/msd_row_cache.h"
#include "httpd/child/msd_shared_reads.h"
#include "httpd/conf/msd_config.h"
#include "httpd/msd_reads.h"

static void count(const msd_reads_t *reads, ddb_counted_e what)
{
    ddb_count_add(msd_config_server(reads->server)->count, what, 1);
}

static apr_status_t read_table(msd_reads_t *reads, ddb_store_read_t *read)
{
    msd_shared_reads_t *together = msd_child_shared_reads(reads->server);
    int shared = 0;
    apr_status_t rv;

    if (!together) {
        return ddb_store_read_get(read);
    }
    rv = msd_shared_reads_get(together, read, &shared);
    if (shared) {
        reads->shared++;
        count(reads, DDB_COUNT_SHARED_READ);
    }
    return rv;
}

/** 1 for the row of a session that lives, as far as the row tells. */
static int is_alive(const ddb_store_read_t *read)
{
    return read->row->accessed && read->row->expires > apr_time_sec(read->call->now);
}

static apr_status_t read_row(void *baton, ddb_store_read_t *read)
{
    msd_reads_t *reads = baton;
    const msd_row_cache_t *cache = msd_config_server(reads->server)->row_cache;
    apr_status_t rv = cache && !reads->fresh ? msd_row_cache_read(cache, read) : APR_INCOMPLETE;
    apr_time_t began;

    if (rv != APR_INCOMPLETE) {
        reads->cached++;
        count(reads, DDB_COUNT_CACHED_READ);
        return rv;
    }
    began = cache ? msd_row_cache_now(cache) : 0;
    rv = read_table(reads, read);
    if (cache && rv == APR_SUCCESS && is_alive(read)) {
        msd_row_cache_put(cache, read, began);
    }
    else if (cache && (rv == APR_SUCCESS || rv == APR_NOTFOUND)) {
        /* Reads that found it alive may have begun after this one, and may be put in later. */
        msd_row_cache_drop(cache, read->key, msd_row_cache_now(cache));
    }
    return rv;
}

void msd_reads_begin(msd_reads_t *reads, const server_rec *s, ddb_store_call_t *call)
{
    const msd_server_config_t *c = msd_config_server(s);

    if (!c->row_cache && !c->share_reads) {
        return;
    }
    reads->server = s;
    reads->reader = (ddb_store_reader_t){ .read = read_row, .baton = reads };
    call->reader = &reads->reader;
    /* What an eventually consistent read misses would be missing for as long as it is kept. */
    call->consistent |= c->row_cache != NULL;
}

int msd_reads_again(msd_reads_t *reads)
{
    int again = reads->cached > 0;

    reads->fresh = 1;
    reads->cached = 0;
    return again;
}
