/* Reads that requests share: who reads, who waits, what each of them gets, and until when. */

#include <pthread.h>
#include <stdlib.h>

#include "httpd/child/msd_shared_reads.h"
#include "store_world.h"
#include "crowd.h"

#define MOST   8
#define BEGAN  apr_time_from_sec(1000)
#define ROUNDS 200

/* --- a table whose answers come when the test lets them --- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    int begun;   /* exchanges */
    int let_go;  /* as many may end */
    int fail_to; /* those up to this one fail */
    int version; /* of the row, as each exchange finds it when it begins */
    int waiting; /* threads that have looked at the clock: they wait for others */
    apr_time_t now;
} table = { .mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };

static __thread int has_looked;

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    fixture_t mine = *(const fixture_t *)baton;
    int number, fails;

    (void)req;
    mine.p = p;
    pthread_mutex_lock(&table.mutex);
    number = ++table.begun;
    mine.row.version = table.version;
    pthread_cond_broadcast(&table.moved);
    while (table.let_go < number) {
        pthread_cond_wait(&table.moved, &table.mutex);
    }
    fails = number <= table.fail_to;
    pthread_mutex_unlock(&table.mutex);
    if (fails) {
        return ddb_error_set(err, DDB_EREFUSED, "made up");
    }
    res->status = 200;
    res->headers = apr_table_make(p, 1);
    res->body = apr_psprintf(p, "{\"Item\":%s}", item_text(&mine, &mine.row));
    res->body_len = strlen(res->body);
    return APR_SUCCESS;
}

static apr_time_t look(void *baton)
{
    apr_time_t now;

    (void)baton;
    pthread_mutex_lock(&table.mutex);
    table.waiting += !has_looked;
    has_looked = 1;
    now = table.now;
    pthread_cond_broadcast(&table.moved);
    pthread_mutex_unlock(&table.mutex);
    return now;
}

static void await(const int *counter, int n)
{
    pthread_mutex_lock(&table.mutex);
    while (*counter < n) {
        pthread_cond_wait(&table.moved, &table.mutex);
    }
    pthread_mutex_unlock(&table.mutex);
}

static void set(int *what, int n)
{
    pthread_mutex_lock(&table.mutex);
    *what = n;
    pthread_cond_broadcast(&table.moved);
    pthread_mutex_unlock(&table.mutex);
}

static void set_clock(apr_time_t now)
{
    pthread_mutex_lock(&table.mutex);
    table.now = now;
    pthread_mutex_unlock(&table.mutex);
}

/* --- requests --- */

typedef struct request_t {
    pthread_t thread;
    apr_pool_t *p;
    msd_shared_reads_t *reads;
    ddb_store_call_t call;
    ddb_error_t err;
    ddb_store_read_t read;
    ddb_item_t row;
    apr_status_t rv;
    int calls, shared;
} request_t;

typedef struct scene_t {
    fixture_t *f;
    msd_shared_reads_t *reads;
    ddb_clock_t clock;
    request_t requests[MOST];
} scene_t;

static scene_t *scene(apr_pool_t *p)
{
    scene_t *s = apr_pcalloc(p, sizeof(*s));

    table.begun = table.let_go = table.fail_to = table.waiting = 0;
    table.version = 1;
    table.now = BEGAN;
    s->f = setup(p);
    s->f->w->http = (ddb_http_transport_t){ .perform = perform, .baton = s->f };
    s->clock = (ddb_clock_t){ .monotonic = look };
    if (msd_shared_reads_create(&s->reads, &s->clock, p) != APR_SUCCESS) {
        printf("Bail out! no mutex\n");
        exit(1);
    }
    return s;
}

static void prepare(request_t *r, const scene_t *s)
{
    memset(r, 0, sizeof(*r));
    apr_pool_create(&r->p, NULL);
    r->reads = s->reads;
    r->call = s->f->call;
    r->call.pool = r->p;
    r->call.err = &r->err;
    r->call.calls = &r->calls;
    r->call.deadline = s->f->w->mono + apr_time_from_sec(2); /* the world's clock begins at BEGAN, too */
    r->read = (ddb_store_read_t){ .store = s->f->st,
                                  .call = &r->call,
                                  .table = "app_session",
                                  .key = s->f->row.id,
                                  .sid = s->f->s.sid,
                                  .consistent = 1,
                                  .row = &r->row };
}

static void *run(void *baton)
{
    request_t *r = baton;

    r->rv = msd_shared_reads_get(r->reads, &r->read, &r->shared);
    return NULL;
}

static request_t *start(scene_t *s, int i, apr_interval_time_t time)
{
    request_t *r = &s->requests[i];

    prepare(r, s);
    r->call.deadline = BEGAN + time;
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        printf("Bail out! no thread\n");
        exit(1);
    }
    return r;
}

static request_t *started(scene_t *s, int i)
{
    return start(s, i, apr_time_from_sec(2));
}

static void end_all(scene_t *s, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        pthread_join(s->requests[i].thread, NULL);
    }
}

static void clear(scene_t *s, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        apr_pool_destroy(s->requests[i].p);
    }
}

/* --- tests --- */

static void test_share(apr_pool_t *p)
{
    scene_t *s = scene(p);
    request_t *r = s->requests;
    int i, calls = 0, shared = 0, same = 1;

    started(s, 0);
    await(&table.begun, 1);
    set(&table.version, 2);
    for (i = 1; i < 4; i++) {
        started(s, i);
        await(&table.waiting, i);
    }
    NUM_IS(table.begun, 1, "while a read is under way others wait");
    set(&table.let_go, 1);
    await(&table.begun, 2);
    set(&table.version, 3);
    started(s, 4);
    await(&table.waiting, 4);
    NUM_IS(table.begun, 2, "then one of them reads, and who comes now waits again");
    set(&table.let_go, MOST);
    end_all(s, 5);
    NUM_IS(table.begun, 3, "five requests, three reads");
    NUM_IS(r[0].row.version, 1, "the first has what it read");
    for (i = 1; i < 4; i++) {
        same &= r[i].rv == APR_SUCCESS && r[i].row.version == 2 && strcmp(r[i].row.data, "a=1") == 0;
        calls += r[i].calls;
        shared += r[i].shared;
    }
    OK(same, "those who waited have what was there when they came, or later");
    NUM_IS(calls, 1, "one of them has made a call");
    NUM_IS(shared, 2, "... and two have shared it");
    NUM_IS(r[4].row.version, 3, "the last one has what was there when it came");
    NUM_IS(r[4].calls, 1, "... by a read of its own");
    clear(s, 5);
}

static void test_own_pool(apr_pool_t *p)
{
    scene_t *s = scene(p);
    request_t *reader, *other;

    started(s, 0);
    await(&table.begun, 1);
    started(s, 1);
    await(&table.waiting, 1);
    started(s, 2);
    await(&table.waiting, 2);
    set(&table.let_go, MOST);
    end_all(s, 3);
    reader = &s->requests[s->requests[1].shared ? 2 : 1];
    other = &s->requests[s->requests[1].shared ? 1 : 2];
    apr_pool_clear(reader->p);
    memset(apr_palloc(reader->p, 4000), 'x', 4000);
    IS(other->row.data, "a=1", "a row stays when the request has ended that read it");
    IS(other->row.id, s->f->row.id, "... and so does its key");
    clear(s, 3);
}

static void test_alike(apr_pool_t *p)
{
    scene_t *s = scene(p);
    ddb_store_t *store = NULL;
    int i;

    ddb_store_create(&store, world_client(s->f->w, 1, p), "app_session", draw, p);
    started(s, 0);
    await(&table.begun, 1);
    for (i = 1; i < 4; i++) {
        request_t *r = &s->requests[i];

        prepare(r, s);
        r->read.key = i == 1 ? "another-key" : r->read.key;
        r->read.consistent = i != 2;
        r->read.store = i == 3 ? store : r->read.store;
        pthread_create(&r->thread, NULL, run, r);
        await(&table.begun, i + 1);
    }
    NUM_IS(table.begun, 4, "another key, another consistency, another store: each reads at once");
    set(&table.let_go, MOST);
    end_all(s, 4);
    NUM_IS(s->requests[1].rv, DDB_EBADREPLY, "... and a row of another key is none of it");
    clear(s, 4);
}

/* Who has no time to wait for another's read tries its own call. */
static void test_keys(apr_pool_t *p)
{
    scene_t *s = scene(p);
    request_t *other = &s->requests[1];
    int i, alone = 0;

    started(s, 0);
    await(&table.begun, 1);
    for (i = 0; i < ROUNDS; i++) {
        prepare(other, s);
        other->call.deadline = BEGAN;
        other->read.key = apr_psprintf(other->p, "key %d", i);
        run(other);
        alone += other->calls;
        apr_pool_destroy(other->p);
    }
    NUM_IS(alone, ROUNDS, "no read of any other key waits");
    prepare(other, s);
    other->call.deadline = BEGAN;
    run(other);
    NUM_IS(other->calls, 0, "... as one of the same key does");
    set(&table.let_go, MOST);
    end_all(s, 1);
    clear(s, 2);
}

static void test_format(apr_pool_t *p)
{
    scene_t *s = scene(p);
    int i;

    started(s, 0);
    await(&table.begun, 1);
    for (i = 1; i < 3; i++) {
        prepare(&s->requests[i], s);
        s->requests[i].call.format = i == 1 ? DDB_FORM : DDB_JSON;
        pthread_create(&s->requests[i].thread, NULL, run, &s->requests[i]);
        await(&table.waiting, i);
    }
    set(&table.let_go, MOST);
    end_all(s, 3);
    NUM_IS(table.begun, 2, "requests of two formats share a read");
    NUM_IS(s->requests[1].rv, APR_SUCCESS, "... which one can use");
    NUM_IS(s->requests[2].rv, DDB_EBADITEM, "... and the other cannot, whichever of them read");
    clear(s, 3);
}

static void test_failure(apr_pool_t *p)
{
    scene_t *s = scene(p);
    int i, failed = 0, told = 0;

    started(s, 0);
    await(&table.begun, 1);
    for (i = 1; i < 4; i++) {
        started(s, i);
        await(&table.waiting, i);
    }
    set(&table.fail_to, 2);
    set(&table.let_go, MOST);
    end_all(s, 4);
    for (i = 1; i < 4; i++) {
        failed += s->requests[i].rv == DDB_EREFUSED;
        told += strcmp(s->requests[i].err.detail, "made up") == 0;
    }
    NUM_IS(failed, 3, "a read that fails, fails for all that share it");
    NUM_IS(told, 3, "... with its reason");
    NUM_IS(table.begun, 2, "... and is not repeated by each");
    clear(s, 4);
}

static void test_deadline(apr_pool_t *p)
{
    scene_t *s = scene(p);
    request_t *late;

    started(s, 0);
    await(&table.begun, 1);
    late = start(s, 1, apr_time_from_sec(1));
    await(&table.waiting, 1);
    start(s, 2, apr_time_from_sec(100));
    await(&table.waiting, 2);
    set_clock(BEGAN + apr_time_from_sec(1));
    pthread_join(late->thread, NULL);
    NUM_IS(late->rv, APR_TIMEUP, "who waits does so until its own deadline");
    NUM_IS(late->calls, 0, "... and makes no call after it");
    OK(strstr(late->err.detail, "timed out") == late->err.detail, "... and says so");
    IS(late->err.operation, "GetItem", "... of a GetItem");
    set(&table.let_go, MOST);
    pthread_join(s->requests[0].thread, NULL);
    pthread_join(s->requests[2].thread, NULL);
    NUM_IS(s->requests[2].rv, APR_SUCCESS, "others go on");
    clear(s, 3);
}

/* Of two that wait, one has no time left when the read fails that they share. Which of them reads is up to the machine:
 * @return 1 if that one did. */
static int one_without_time(apr_pool_t *p, int *wrong)
{
    scene_t *s = scene(p);
    request_t *hasty = &s->requests[1], *patient = &s->requests[2];
    int it_read;

    started(s, 0);
    await(&table.begun, 1);
    start(s, 1, apr_time_from_sec(2));
    await(&table.waiting, 1);
    start(s, 2, apr_time_from_sec(100));
    await(&table.waiting, 2);
    set(&table.fail_to, 2);
    set(&table.let_go, 1);
    await(&table.begun, 2);
    set_clock(BEGAN + apr_time_from_sec(2) - 10);
    set(&table.let_go, MOST);
    end_all(s, 3);
    it_read = hasty->calls == 1 && hasty->rv == DDB_EREFUSED;
    *wrong += it_read ? patient->rv != APR_SUCCESS || patient->calls != 1 : patient->rv != DDB_EREFUSED;
    clear(s, 3);
    return it_read;
}

static void test_time_of_another(apr_pool_t *p)
{
    apr_pool_t *each = NULL;
    int i, read = 0, wrong = 0;

    apr_pool_create(&each, p);
    for (i = 0; i < ROUNDS && !read; i++) {
        read = one_without_time(each, &wrong);
        apr_pool_clear(each);
    }
    OK(read, "one with little time left reads for another");
    NUM_IS(wrong, 0, "... which does not take its failure, and reads itself");
}

/* What is read is never older than what was there when the request came. */
static int read_often(void *shared, int number, apr_pool_t *p)
{
    const scene_t *s = shared;
    request_t r;
    int i, wrong = 0, least;

    (void)p;
    for (i = 0; i < ROUNDS; i++) {
        prepare(&r, s);
        r.read.consistent = (number + i) % 5 != 0;
        pthread_mutex_lock(&table.mutex);
        least = ++table.version;
        pthread_mutex_unlock(&table.mutex);
        run(&r);
        wrong += r.rv != APR_SUCCESS || r.row.version < least || r.calls + r.shared != 1;
        apr_pool_destroy(r.p);
    }
    return wrong;
}

static void test_crowd(apr_pool_t *p)
{
    scene_t *s = scene(p);

    table.let_go = 1000000;
    NUM_IS(crowd_work(read_often, s), 0, "each of many sees what was written before it came, by one call or none");
    OK(table.begun <= CROWD_SIZE * ROUNDS, "... and none reads twice");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_share, test_own_pool, test_alike, test_keys, test_format, test_failure, test_deadline,
             test_time_of_another, test_crowd);
}
