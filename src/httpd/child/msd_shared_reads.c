/* Reads of rows that requests of one child share. */

#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "httpd/child/msd_shared_reads.h"

#define ROOMS 64                      /* rows in different rooms never wait for each other's lock */
#define LOOK  apr_time_from_msec(100) /* between looks at the clock while waiting: condition variables have another */
#define TIGHT apr_time_from_msec(50)  /* with less time left, a failure may be of the time */

/** What a read gave, for all that share it: no pool of a request's, as each of them may end first. */
typedef struct result_t {
    int users; /* protected by the room's mutex */
    apr_status_t rv;
    ddb_error_t err;
    apr_size_t len; /* of the body */
    char body[];
} result_t;

typedef enum state_e {
    WAITS,  /* for the read under way to end */
    SHARES, /* a read that began after it came */
    READS,
    HAS /* a result */
} state_e;

/** A request that wants a row, on the stack of its thread. */
typedef struct sharer_t {
    struct sharer_t *next;
    const ddb_store_read_t *read;
    state_e state;
    const struct sharer_t *reader; /* whose read it shares */
    result_t *result;
} sharer_t;

typedef struct room_t {
    apr_thread_mutex_t *mutex; /* protects the list and all in it */
    apr_thread_cond_t *moved;  /* a state changed */
    sharer_t *sharers;
} room_t;

struct msd_shared_reads_t {
    const ddb_clock_t *clock;
    room_t rooms[ROOMS];
};

apr_status_t msd_shared_reads_create(msd_shared_reads_t **ps, const ddb_clock_t *clock, apr_pool_t *p)
{
    msd_shared_reads_t *s = apr_pcalloc(p, sizeof(*s));
    apr_status_t rv = APR_SUCCESS;
    int i;

    s->clock = clock;
    for (i = 0; i < ROOMS && rv == APR_SUCCESS; i++) {
        rv = apr_thread_mutex_create(&s->rooms[i].mutex, APR_THREAD_MUTEX_DEFAULT, p);
        rv = rv == APR_SUCCESS ? apr_thread_cond_create(&s->rooms[i].moved, p) : rv;
    }
    if (rv == APR_SUCCESS) {
        *ps = s;
    }
    return rv;
}

static room_t *room_of(msd_shared_reads_t *s, const ddb_store_read_t *read)
{
    apr_ssize_t len = (apr_ssize_t)strlen(read->key);

    return &s->rooms[apr_hashfunc_default(read->key, &len) % ROOMS];
}

static int is_alike(const ddb_store_read_t *a, const ddb_store_read_t *b)
{
    return a->store == b->store && a->consistent == b->consistent && strcmp(a->key, b->key) == 0;
}

/* The following are called with the room's mutex locked. */

static void enter(room_t *room, sharer_t *me)
{
    me->next = room->sharers;
    room->sharers = me;
}

static void leave(room_t *room, const sharer_t *me)
{
    sharer_t **at = &room->sharers;

    while (*at != me) {
        at = &(*at)->next;
    }
    *at = me->next;
}

static int is_under_way(const room_t *room, const sharer_t *me)
{
    const sharer_t *other;

    for (other = room->sharers; other; other = other->next) {
        if (other->state == READS && is_alike(other->read, me->read)) {
            return 1;
        }
    }
    return 0;
}

/** Wait until there is a result, or this request is the one to read. */
static apr_status_t wait_turn(const msd_shared_reads_t *s, room_t *room, const sharer_t *me)
{
    while (me->state == SHARES || (me->state == WAITS && is_under_way(room, me))) {
        apr_interval_time_t left = me->read->call->deadline - ddb_clock_monotonic(s->clock);

        if (left <= 0) {
            return APR_TIMEUP;
        }
        apr_thread_cond_timedwait(room->moved, room->mutex, left < LOOK ? left : LOOK);
    }
    return APR_SUCCESS;
}

/** All that have come by now share the read that begins. */
static void begin(const room_t *room, sharer_t *me)
{
    sharer_t *other;

    me->state = READS;
    for (other = room->sharers; other; other = other->next) {
        if (other->state == WAITS && is_alike(other->read, me->read)) {
            other->state = SHARES;
            other->reader = me;
        }
    }
}

/** NULL if there is nobody to share it with, or nothing to be shared. */
static result_t *result_of(const msd_shared_reads_t *s, const sharer_t *me, apr_status_t rv, int users)
{
    const ddb_store_call_t *call = me->read->call;
    const char *body = me->read->reply.body;
    apr_size_t len = body ? me->read->reply.len : 0;
    int of_time = rv == APR_TIMEUP || rv == APR_EINTR || call->deadline - ddb_clock_monotonic(s->clock) < TIGHT;
    result_t *result = users && (body || !of_time) ? malloc(sizeof(*result) + len + 1) : NULL;

    if (result) {
        result->users = users;
        /* What is wrong with a row, each of them finds itself: their formats may differ. */
        result->rv = body ? APR_SUCCESS : rv;
        result->err = *call->err;
        if (body) {
            result->err.type[0] = result->err.detail[0] = '\0'; /* what the reader's own format made of it */
        }
        result->len = len;
        memcpy(result->body, body ? body : "", len);
        result->body[len] = '\0';
    }
    return result;
}

static void end(const msd_shared_reads_t *s, room_t *room, const sharer_t *me, apr_status_t rv)
{
    sharer_t *other, *next;
    int users = 0;
    result_t *result;

    for (other = room->sharers; other; other = other->next) {
        users += other->reader == me;
    }
    result = result_of(s, me, rv, users);
    for (other = room->sharers; other; other = next) {
        next = other->next;
        if (other->reader == me) {
            other->reader = NULL;
            other->result = result;
            other->state = result ? HAS : WAITS;
        }
    }
    apr_thread_cond_broadcast(room->moved);
}

/* Without the mutex. */

static apr_status_t take(room_t *room, result_t *result, ddb_store_read_t *read)
{
    const ddb_store_call_t *call = read->call;
    apr_status_t rv = result->rv;
    int last;
    const char *body = rv == APR_SUCCESS ? apr_pstrmemdup(call->pool, result->body, result->len) : NULL;

    *call->err = result->err;
    if (body) {
        rv = ddb_store_read_reply(read, body, result->len);
    }
    apr_thread_mutex_lock(room->mutex);
    last = --result->users == 0;
    apr_thread_mutex_unlock(room->mutex);
    if (last) {
        ddb_crypto_wipe(result->body, result->len);
        free(result);
    }
    return rv;
}

static apr_status_t give_up(const ddb_store_call_t *call)
{
    apr_cpystrn(call->err->operation, "GetItem", sizeof(call->err->operation));
    return ddb_error_set(call->err, APR_TIMEUP, "timed out while another request was reading the same session");
}

apr_status_t msd_shared_reads_get(msd_shared_reads_t *s, ddb_store_read_t *read, int *shared)
{
    room_t *room = room_of(s, read);
    sharer_t me = { .read = read, .state = WAITS };
    apr_status_t rv;

    *shared = 0;
    apr_thread_mutex_lock(room->mutex);
    enter(room, &me);
    rv = wait_turn(s, room, &me);
    if (rv == APR_SUCCESS && me.state == WAITS) {
        begin(room, &me);
        apr_thread_mutex_unlock(room->mutex);
        rv = ddb_store_read_get(read);
        apr_thread_mutex_lock(room->mutex);
        end(s, room, &me, rv);
    }
    leave(room, &me);
    apr_thread_mutex_unlock(room->mutex);
    if (me.state == HAS) {
        *shared = 1;
        return take(room, me.result, read);
    }
    return me.state == READS ? rv : give_up(read->call);
}
