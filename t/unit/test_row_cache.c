/* The cache of rows: for how long a reply counts, whom it is for, and what the cache itself gets to see. */

#include <stdlib.h>

#include "httpd/child/msd_row_cache.h"
#undef OK /* httpd's; tap.h has one too */

#include "store_world.h"

#define KEEP apr_time_from_sec(10)
#define MANY 8

/* --- a provider with a few entries --- */

typedef struct entry_t {
    unsigned char id[64], data[40000];
    unsigned int id_len, len;
} entry_t;

static entry_t entries[MANY];
static int stored, retrieved, broken;

static entry_t *find(const unsigned char *id, unsigned int len)
{
    int i;

    for (i = 0; i < MANY && (entries[i].id_len != len || memcmp(entries[i].id, id, len) != 0); i++) {
    }
    return i < MANY ? &entries[i] : NULL;
}

static apr_status_t keep(ap_socache_instance_t *instance, server_rec *s, const unsigned char *id, unsigned int id_len,
                         apr_time_t expiry, unsigned char *data, unsigned int len, apr_pool_t *p)
{
    entry_t *e = find(id, id_len);

    (void)instance;
    (void)s;
    (void)expiry;
    (void)p;
    if (broken) {
        return APR_EGENERAL;
    }
    e = e ? e : &entries[stored++ % MANY];
    memcpy(e->id, id, id_len);
    e->id_len = id_len;
    memcpy(e->data, data, len);
    e->len = len;
    return APR_SUCCESS;
}

static apr_status_t retrieve(ap_socache_instance_t *instance, server_rec *s, const unsigned char *id,
                             unsigned int id_len, unsigned char *data, unsigned int *len, apr_pool_t *p)
{
    const entry_t *e = find(id, id_len);

    (void)instance;
    (void)s;
    (void)p;
    retrieved++;
    if (broken || !e || e->len > *len) {
        return broken ? APR_EGENERAL : APR_NOTFOUND;
    }
    memcpy(data, e->data, e->len);
    *len = e->len;
    return APR_SUCCESS;
}

static const ap_socache_provider_t provider = { .name = "test", .store = keep, .retrieve = retrieve };

/* --- one row --- */

typedef struct cached_t {
    fixture_t *f;
    msd_row_cache_opts_t o;
    msd_row_cache_t *c;
    ddb_item_t row;
    ddb_store_read_t read;
} cached_t;

static cached_t *fresh(apr_pool_t *p)
{
    cached_t *t = apr_pcalloc(p, sizeof(*t));

    memset(entries, 0, sizeof(entries));
    stored = retrieved = broken = 0;
    t->f = setup(p);
    t->o = (msd_row_cache_opts_t){
        .provider = &provider, .keep = KEEP, .clock = &t->f->w->clock, .random = ddb_crypto_random
    };
    if (msd_row_changes_create(&t->o.changes, p) != APR_SUCCESS
        || msd_row_cache_create(&t->c, &t->o, p) != APR_SUCCESS) {
        printf("Bail out! no shared memory\n");
        exit(1);
    }
    t->read = (ddb_store_read_t){ .store = t->f->st,
                                  .call = &t->f->call,
                                  .table = "app_session",
                                  .key = t->f->row.id,
                                  .sid = t->f->s.sid,
                                  .row = &t->row };
    return t;
}

/* The reply to a read that begins now. */
static void put(cached_t *t)
{
    t->read.reply.body = apr_psprintf(t->f->p, "{\"Item\":%s}", item_text(t->f, &t->f->row));
    t->read.reply.len = strlen(t->read.reply.body);
    msd_row_cache_put(t->c, &t->read, msd_row_cache_now(t->c));
}

static apr_status_t got(cached_t *t)
{
    memset(&t->row, 0, sizeof(t->row));
    return msd_row_cache_read(t->c, &t->read);
}

static void pass(const cached_t *t, apr_interval_time_t time)
{
    t->f->w->mono += time;
}

/* --- tests --- */

static void test_hit(apr_pool_t *p)
{
    cached_t *t = fresh(p);

    NUM_IS(got(t), APR_INCOMPLETE, "nothing is in an empty cache");
    put(t);
    NUM_IS(got(t), APR_SUCCESS, "a reply that was put in is there");
    IS(t->row.data, "a=1", "... with its data");
    NUM_IS(t->row.version, 7, "... and all of its row");
    NUM_IS(t->f->w->n_sent, 0, "... and the table is not asked");
    pass(t, KEEP - 1);
    NUM_IS(got(t), APR_SUCCESS, "it counts for so many seconds");
    pass(t, 1);
    NUM_IS(got(t), APR_INCOMPLETE, "... and no longer");
    put(t);
    NUM_IS(got(t), APR_SUCCESS, "another one takes its place");
    pass(t, -1);
    NUM_IS(got(t), APR_INCOMPLETE, "none counts that is of the future: of another machine's time");
}

static void test_drop(apr_pool_t *p)
{
    cached_t *t = fresh(p);
    apr_time_t began = msd_row_cache_now(t->c);

    put(t);
    msd_row_cache_drop(t->c, "another key", began + 1);
    NUM_IS(got(t), APR_SUCCESS, "another row's write changes nothing");
    msd_row_cache_drop(t->c, t->read.key, began - 1);
    NUM_IS(got(t), APR_SUCCESS, "nor does one before the read");
    msd_row_cache_drop(t->c, t->read.key, began);
    NUM_IS(got(t), APR_INCOMPLETE, "a write at the same moment does");
    put(t);
    NUM_IS(got(t), APR_INCOMPLETE, "... also for who puts it in later");
    pass(t, 1);
    put(t);
    NUM_IS(got(t), APR_SUCCESS, "a read that begins after the write counts");
    msd_row_cache_drop(t->c, t->read.key, began + 100);
    msd_row_cache_drop(t->c, t->read.key, began + 50);
    pass(t, 60);
    put(t);
    NUM_IS(got(t), APR_INCOMPLETE, "the last of several writes counts, in whatever order they are noted");
}

static void test_whom(apr_pool_t *p)
{
    cached_t *t = fresh(p);
    msd_row_cache_t *one = t->c, *other = NULL;
    const char *sid = t->read.sid;

    put(t);
    t->read.sid = "another-id";
    NUM_IS(got(t), APR_INCOMPLETE, "another ID with the same table key does not open it");
    t->read.sid = sid;
    t->c = msd_row_cache_of_table(one, "another table", p);
    NUM_IS(got(t), APR_INCOMPLETE, "another table's row is another");
    put(t);
    t->c = one;
    NUM_IS(got(t), APR_SUCCESS, "... and takes no place");
    msd_row_cache_create(&other, &t->o, p);
    t->c = other;
    NUM_IS(got(t), APR_INCOMPLETE, "another server's entries are none");
}

static void test_spoilt(apr_pool_t *p)
{
    cached_t *t = fresh(p);
    unsigned int i, len;
    int wrong = 0;

    put(t);
    len = entries[0].len;
    for (i = 0; i < len; i++) {
        entries[0].data[i] ^= 1;
        wrong += got(t) != APR_INCOMPLETE;
        entries[0].data[i] ^= 1;
        entries[0].len = i;
        wrong += got(t) != APR_INCOMPLETE;
        entries[0].len = len;
    }
    NUM_IS(wrong, 0, "no changed bit and no missing byte goes unnoticed");
    NUM_IS(got(t), APR_SUCCESS, "... and what is sound is found");
    entries[1] = entries[0];
    t->read.key = "another-key";
    put(t);
    memcpy(entries[1].data, entries[0].data, len);
    entries[1].len = len;
    NUM_IS(got(t), APR_INCOMPLETE, "one entry's value is none of another's");
    broken = 1;
    memset(&t->f->err, 0, sizeof(t->f->err));
    NUM_IS(got(t), APR_INCOMPLETE, "a cache that fails has nothing");
    put(t);
    IS(t->f->err.detail, "", "... and that is no failure of the request");
}

static int holds(const char *what)
{
    apr_size_t len = strlen(what), i;
    int n, found = 0;

    for (n = 0; n < MANY; n++) {
        for (i = 0; i + len <= sizeof(entries[n]); i++) {
            found |= memcmp((const char *)&entries[n] + i, what, len) == 0;
        }
    }
    return found;
}

static void test_secret(apr_pool_t *p)
{
    cached_t *t = fresh(p);

    t->f->row.data = "a-word-that-stands-out";
    t->f->row.data_len = strlen(t->f->row.data);
    put(t);
    NUM_IS(got(t), APR_SUCCESS, "a session is in the cache");
    OK(!holds(t->read.sid), "... which holds no ID");
    OK(!holds(t->read.key), "... no table key");
    OK(!holds("YS13b3JkLXRoYXQt"), "... no data");
    OK(!holds("Item"), "... nothing that can be read");
}

static void test_long(apr_pool_t *p)
{
    cached_t *t = fresh(p);
    char *data = apr_pcalloc(p, 30001);

    memset(data, 'x', 30000);
    t->f->row.data = data;
    t->f->row.data_len = 20000;
    put(t);
    NUM_IS(got(t), APR_SUCCESS, "a long row is cached");
    NUM_IS((long long)t->row.data_len, 20000, "... whole");
    pass(t, 1);
    t->f->row.data_len = 30000;
    msd_row_cache_drop(t->c, t->read.key, msd_row_cache_now(t->c) - 1);
    put(t);
    NUM_IS(got(t), APR_INCOMPLETE, "a longer one is left out");
    NUM_IS(stored, 1, "... and not even sent to the cache");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_hit, test_drop, test_whom, test_spoilt, test_secret, test_long);
}
