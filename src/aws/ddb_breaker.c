/* The circuit breaker: when to stop calling a store that does not answer, and when to probe it. */

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "aws/ddb_breaker.h"

/* Between two probes: short, so that all is well again soon after the store is. The second half is drawn, so that
 * children which opened together do not probe together. */
#define PAUSE_FIRST apr_time_from_msec(100)
#define PAUSE_MAX   apr_time_from_msec(500)

#define PROBE_LOST (DDB_BREAKER_PROBE_MAX + apr_time_from_msec(500))

struct ddb_breaker_t {
    ddb_breaker_opts_t o;
    apr_thread_mutex_t *mutex; /* of all below; open and told may be read without */
    volatile apr_uint32_t open, told;
    int failures;         /* in a row */
    apr_uint32_t answers; /* counts them, and may wrap */
    int probing;
    apr_uint32_t probe; /* number of the last one */
    apr_time_t probe_began, next_probe, opened, closed;
    apr_interval_time_t pause;
    apr_uint32_t turned_away;
};

static void show(const ddb_breaker_t *b, ddb_breaker_state_e state)
{
    if (b->o.state) {
        apr_atomic_set32(b->o.state, state);
    }
}

apr_status_t ddb_breaker_create(ddb_breaker_t **pb, const ddb_breaker_opts_t *o, apr_pool_t *p)
{
    ddb_breaker_t *b = apr_pcalloc(p, sizeof(*b));
    apr_status_t rv = apr_thread_mutex_create(&b->mutex, APR_THREAD_MUTEX_DEFAULT, p);

    b->o = *o;
    show(b, DDB_BREAKER_CLOSED);
    *pb = rv == APR_SUCCESS ? b : NULL;
    return rv;
}

/* The time of the next probe, and the pause after that one. */
static void plan_probe(ddb_breaker_t *b)
{
    apr_interval_time_t half = b->pause / 2;
    apr_uint32_t drawn;

    if (b->o.random(&drawn, sizeof(drawn)) != APR_SUCCESS) {
        drawn = (apr_uint32_t)half;
    }
    b->next_probe = ddb_clock_monotonic(b->o.clock) + b->pause - half + drawn % (half + 1);
    b->pause = b->pause * 2 < PAUSE_MAX ? b->pause * 2 : PAUSE_MAX;
}

static int may_probe(const ddb_breaker_t *b, apr_time_t now)
{
    return b->probing ? now - b->probe_began >= PROBE_LOST : now >= b->next_probe;
}

int ddb_breaker_admit(ddb_breaker_t *b, ddb_breaker_pass_t *pass)
{
    apr_time_t now = ddb_clock_monotonic(b->o.clock);
    int admitted = 1;

    apr_thread_mutex_lock(b->mutex);
    pass->probe = 0;
    pass->number = b->answers;
    if (b->open && may_probe(b, now)) {
        b->probing = 1;
        b->probe_began = now;
        pass->probe = 1;
        pass->number = ++b->probe;
        show(b, DDB_BREAKER_HALF_OPEN);
    }
    else if (b->open) {
        b->turned_away++;
        admitted = 0;
    }
    apr_thread_mutex_unlock(b->mutex);
    return admitted;
}

void ddb_breaker_answered(ddb_breaker_t *b)
{
    apr_thread_mutex_lock(b->mutex);
    b->answers++;
    b->failures = 0;
    if (b->open) {
        b->probing = 0;
        b->closed = ddb_clock_monotonic(b->o.clock);
        apr_atomic_set32(&b->open, 0);
        show(b, DDB_BREAKER_CLOSED);
    }
    apr_thread_mutex_unlock(b->mutex);
}

static void open_it(ddb_breaker_t *b)
{
    b->opened = ddb_clock_monotonic(b->o.clock);
    b->turned_away = 0;
    b->probing = 0;
    b->pause = PAUSE_FIRST;
    plan_probe(b);
    ddb_count_add(b->o.count, DDB_COUNT_OPENED, 1);
    apr_atomic_set32(&b->open, 1);
    show(b, DDB_BREAKER_OPEN);
}

/* A probe's end counts for as long as it is the latest one, and the breaker was not closed over it. */
static int is_probe(const ddb_breaker_t *b, const ddb_breaker_pass_t *pass)
{
    return pass->probe && b->probing && pass->number == b->probe;
}

void ddb_breaker_failed(ddb_breaker_t *b, const ddb_breaker_pass_t *pass)
{
    apr_thread_mutex_lock(b->mutex);
    if (is_probe(b, pass)) {
        b->probing = 0;
        show(b, DDB_BREAKER_OPEN);
        plan_probe(b);
    }
    /* A call that began before the last answer says nothing new: calls that hung while the store was away must not open
     * it again when they end. */
    else if (!pass->probe && !b->open && pass->number == b->answers && ++b->failures >= b->o.limit) {
        open_it(b);
    }
    apr_thread_mutex_unlock(b->mutex);
}

void ddb_breaker_unused(ddb_breaker_t *b, const ddb_breaker_pass_t *pass)
{
    apr_thread_mutex_lock(b->mutex);
    if (is_probe(b, pass)) {
        b->probing = 0;
        show(b, DDB_BREAKER_OPEN);
    }
    apr_thread_mutex_unlock(b->mutex);
}

static void describe(const ddb_breaker_t *b, ddb_notice_t *n)
{
    n->warning = b->open != 0;
    if (b->open) {
        apr_snprintf(
            n->text, sizeof(n->text),
            "circuit breaker open: no answer from %.100s to %d consecutive calls; sending only one probe at a time",
            b->o.store, b->o.limit);
    }
    else {
        apr_snprintf(n->text, sizeof(n->text),
                     "circuit breaker closed: %.100s answers again after %" APR_INT64_T_FMT
                     " ms; %u calls were not sent",
                     b->o.store, apr_time_as_msec(b->closed - b->opened), b->turned_away);
    }
}

int ddb_breaker_take_notice(ddb_breaker_t *b, ddb_notice_t *n)
{
    int changed;

    /* Asked after every call: no lock for the usual answer. */
    if (apr_atomic_read32(&b->open) == apr_atomic_read32(&b->told)) {
        return 0;
    }
    apr_thread_mutex_lock(b->mutex);
    changed = b->open != b->told;
    if (changed) {
        apr_atomic_set32(&b->told, b->open);
        describe(b, n);
    }
    apr_thread_mutex_unlock(b->mutex);
    return changed;
}
