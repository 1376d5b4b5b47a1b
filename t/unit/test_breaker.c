/* The circuit breaker and the budget of retries: when a store is not asked any more, and when it is again. */

#include <stdlib.h>

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#include "aws/ddb_breaker.h"
#include "aws/ddb_retry.h"
#include "tap.h"
#include "world.h"

#define LIMIT 5
#define MS    1000

static apr_uint32_t drawn;

static apr_status_t draw(void *out, apr_size_t len)
{
    memcpy(out, &drawn, len < sizeof(drawn) ? len : sizeof(drawn));
    return APR_SUCCESS;
}

static apr_status_t draw_nothing(void *out, apr_size_t len)
{
    (void)out;
    (void)len;
    return APR_EGENERAL;
}

static world_t *w;
static ddb_breaker_t *b;
static ddb_notice_t notice;

/* Pauses are as long as can be: the most that can be drawn of a range of halves. */
static void setup(apr_pool_t *p)
{
    ddb_breaker_opts_t o = { .store = "http://store", .limit = LIMIT, .random = draw };

    w = world_create(p);
    o.clock = &w->clock;
    drawn = 0;
    memset(&notice, 0x55, sizeof(notice));
    if (ddb_breaker_create(&b, &o, p) != APR_SUCCESS) {
        printf("Bail out! no breaker\n");
        exit(1);
    }
}

static int admit(ddb_breaker_pass_t *pass)
{
    memset(pass, 0x55, sizeof(*pass));
    return ddb_breaker_admit(b, pass);
}

/* A whole call. @return 1 when it was let through. */
static int call(int answered)
{
    ddb_breaker_pass_t pass;

    if (!admit(&pass)) {
        return 0;
    }
    if (answered) {
        ddb_breaker_answered(b);
    }
    else {
        ddb_breaker_failed(b, &pass);
    }
    return 1;
}

static void fail(int times)
{
    while (times-- > 0) {
        call(0);
    }
}

/* 1 and the pass when a call is let through as a probe. */
static int probe(ddb_breaker_pass_t *pass)
{
    return admit(pass) && pass->probe;
}

/* How long from now on until a call is let through, in steps of a millisecond; what it gets stays with it. */
static int ms_to_probe(ddb_breaker_pass_t *pass)
{
    int ms = 0;

    while (!admit(pass) && ms < 10000) {
        w->mono += MS;
        ms++;
    }
    return ms;
}

static void test_opening(apr_pool_t *p)
{
    ddb_breaker_pass_t pass;
    int i;

    setup(p);
    for (i = 0; i < LIMIT; i++) {
        OK(admit(&pass), "as long as too few calls failed, the next is let through");
        NUM_IS(pass.probe, 0, "and is no probe");
        ddb_breaker_failed(b, &pass);
    }
    OK(!admit(&pass), "after the fifth in a row calls are turned away");
    OK(!call(1), "all of them");

    setup(p);
    fail(LIMIT - 1);
    call(1);
    fail(LIMIT - 1);
    OK(call(0), "an answer between them starts the count anew");
    OK(!call(0), "from which it goes to five again");
}

static void test_calls_at_once(apr_pool_t *p)
{
    ddb_breaker_pass_t passes[64], late;
    int i;

    setup(p);
    for (i = 0; i < 64; i++) {
        admit(&passes[i]);
    }
    for (i = 0; i < LIMIT - 1; i++) {
        ddb_breaker_failed(b, &passes[i]);
    }
    OK(admit(&late), "sixty-four hang, four have ended so: the next is let through");
    ddb_breaker_failed(b, &passes[i++]);
    OK(!admit(&late), "the fifth end opens it, while the others still hang");
    ddb_breaker_failed(b, &late);
    for (; i < 60; i++) {
        ddb_breaker_failed(b, &passes[i]);
    }
    NUM_IS(ms_to_probe(&late), 50, "their ends don't put off the first probe");
    ddb_breaker_answered(b);
    for (; i < 64; i++) {
        ddb_breaker_failed(b, &passes[i]);
    }
    for (i = 0; i < 64; i++) {
        ddb_breaker_failed(b, &passes[0]);
    }
    OK(call(1), "nor do those that still hang when it closes open it again");
}

static void test_probe(apr_pool_t *p)
{
    static const int longest[] = { 100, 200, 400, 500, 500, 500 };
    ddb_breaker_pass_t pass, other;
    int i;

    setup(p);
    drawn = 50 * MS;
    fail(LIMIT);
    for (i = 0; i < 6; i++) {
        drawn = longest[i < 5 ? i + 1 : 5] / 2 * MS;
        NUM_IS(ms_to_probe(&pass), longest[i], "a probe comes after a pause that grows to half a second");
        NUM_IS(pass.probe, 1, "and knows that it is one");
        OK(!admit(&other) && !admit(&other), "there is one at a time");
        w->mono += 900 * MS;
        OK(!admit(&other), "also when it takes long");
        ddb_breaker_failed(b, &pass);
        OK(!admit(&other), "when it fails, the next has to wait");
    }
    ms_to_probe(&pass);
    ddb_breaker_answered(b);
    OK(admit(&other) && !other.probe, "a probe that is answered closes it");
    for (i = 0; i < 64; i++) {
        OK(admit(&other) && !other.probe, "for everybody");
    }
    fail(LIMIT);
    drawn = 0;
    NUM_IS(ms_to_probe(&pass), 100, "when it opens again, pauses are short again");
}

static void test_jitter(apr_pool_t *p)
{
    ddb_breaker_opts_t o = { .store = "http://store", .limit = 1, .random = draw_nothing };
    ddb_breaker_pass_t pass;

    setup(p);
    fail(LIMIT);
    NUM_IS(ms_to_probe(&pass), 50, "the shortest pause is half of the longest");
    setup(p);
    drawn = 50 * MS + 1 + 25 * MS;
    fail(LIMIT);
    NUM_IS(ms_to_probe(&pass), 75, "what is drawn comes on top, within the other half");
    o.clock = &w->clock;
    ddb_breaker_create(&b, &o, p);
    fail(1);
    NUM_IS(ms_to_probe(&pass), 100, "without random numbers it is the longest");
}

static void test_hanging_probe(apr_pool_t *p)
{
    ddb_breaker_pass_t lost, second, third;

    setup(p);
    fail(LIMIT);
    ms_to_probe(&lost);
    NUM_IS(ms_to_probe(&second), 1500, "a probe that never ends is followed by another");
    NUM_IS(second.probe, 1, "which is a probe");
    ddb_breaker_failed(b, &lost);
    OK(!admit(&third), "when the first ends at last, the second is still under way");
    ddb_breaker_failed(b, &second);
    OK(ms_to_probe(&third) <= 250, "the end of the second counts");
    ddb_breaker_unused(b, &second);
    OK(!admit(&second), "once");
    ddb_breaker_answered(b);
    OK(call(1), "and the answer to whichever closes it");
    ddb_breaker_failed(b, &third);
    OK(call(1), "for good");
}

static void test_unused_probe(apr_pool_t *p)
{
    ddb_breaker_pass_t pass, other;

    setup(p);
    fail(LIMIT);
    ms_to_probe(&pass);
    ddb_breaker_unused(b, &pass);
    OK(probe(&other), "when a probe had no chance to ask, the next call is one");
    setup(p);
    admit(&pass);
    fail(LIMIT);
    ddb_breaker_unused(b, &pass);
    OK(!admit(&other), "a call that was none changes nothing");
}

static void test_answer_while_open(apr_pool_t *p)
{
    ddb_breaker_pass_t slow, pass;

    setup(p);
    admit(&slow);
    fail(LIMIT);
    OK(!admit(&pass), "it is open");
    ddb_breaker_answered(b);
    OK(call(1), "an answer to a call from before closes it: the store is there");
    setup(p);
    fail(LIMIT);
    ms_to_probe(&pass);
    ddb_breaker_answered(b);
    ddb_breaker_answered(b);
    ddb_breaker_failed(b, &pass);
    OK(call(1), "a probe that was answered, and then failed, is an answer");
}

static void test_notices(apr_pool_t *p)
{
    ddb_breaker_pass_t pass;

    setup(p);
    fail(LIMIT - 1);
    NUM_IS(ddb_breaker_take_notice(b, &notice), 0, "there is nothing to say before it opens");
    fail(1);
    NUM_IS(ddb_breaker_take_notice(b, &notice), 1, "that it opened is said");
    IS(notice.text,
       "circuit breaker open: no answer from http://store to 5 consecutive calls; sending only one probe at a time",
       "in a sentence");
    NUM_IS(notice.warning, 1, "as a warning");
    NUM_IS(ddb_breaker_take_notice(b, &notice), 0, "once");
    call(1);
    call(1);
    ms_to_probe(&pass);
    ddb_breaker_failed(b, &pass);
    NUM_IS(ddb_breaker_take_notice(b, &notice), 0, "probes that fail are not worth a word");
    w->mono += apr_time_from_sec(12);
    call(1);
    NUM_IS(ddb_breaker_take_notice(b, &notice), 1, "that it closed is said");
    IS(notice.text, "circuit breaker closed: http://store answers again after 12050 ms; 52 calls were not sent",
       "with what it cost");
    NUM_IS(notice.warning, 0, "and is no warning");
    NUM_IS(ddb_breaker_take_notice(b, &notice), 0, "once");
    fail(LIMIT);
    ms_to_probe(&pass);
    ddb_breaker_answered(b);
    NUM_IS(ddb_breaker_take_notice(b, &notice), 0, "what was over before anybody asked is past");
}

/* --- threads --- */

#define THREADS 8
#define ROUNDS  2000

static volatile apr_uint32_t probes, most_probes, notices;
static volatile apr_uint64_t threads_time;

static apr_time_t threads_monotonic(void *baton)
{
    (void)baton;
    return (apr_time_t)apr_atomic_add64(&threads_time, 20);
}

static void *APR_THREAD_FUNC ask_often(apr_thread_t *thread, void *data)
{
    ddb_breaker_t *shared = data;
    ddb_breaker_pass_t pass;
    ddb_notice_t n;
    apr_uint32_t now;
    int i;

    (void)thread;
    for (i = 0; i < ROUNDS; i++) {
        if (!ddb_breaker_admit(shared, &pass)) {
            continue;
        }
        if (pass.probe) {
            now = apr_atomic_inc32(&probes) + 1;
            if (now > apr_atomic_read32(&most_probes)) {
                apr_atomic_set32(&most_probes, now);
            }
            apr_thread_yield();
            apr_atomic_dec32(&probes);
        }
        if (i % 50 == 49) {
            ddb_breaker_answered(shared);
        }
        else {
            ddb_breaker_failed(shared, &pass);
        }
        if (ddb_breaker_take_notice(shared, &n)) {
            apr_atomic_inc32(&notices);
        }
    }
    return NULL;
}

static void test_threads(apr_pool_t *p)
{
    ddb_breaker_opts_t o = { .store = "http://store", .limit = LIMIT, .random = draw };
    apr_thread_t *threads[THREADS];
    ddb_breaker_t *shared;
    apr_status_t rv;
    int i;

    setup(p);
    w->clock.monotonic = threads_monotonic;
    o.clock = &w->clock;
    ddb_breaker_create(&shared, &o, p);
    for (i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, ask_often, shared, p) != APR_SUCCESS) {
            printf("Bail out! no thread\n");
            exit(1);
        }
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    OK(apr_atomic_read32(&most_probes) <= 1, "threads that ask at once: never two probes");
    OK(apr_atomic_read32(&notices) >= 1, "and the changes are said");
}

/* --- the budget --- */

static int takes(ddb_retry_budget_t *budget, int most)
{
    int n = 0;

    while (n < most && ddb_retry_budget_take(budget)) {
        n++;
    }
    return n;
}

static void test_budget(apr_pool_t *p)
{
    ddb_retry_budget_t *budget;
    int i;

    ddb_retry_budget_create(&budget, p);
    ddb_retry_budget_give(budget, 0);
    ddb_retry_budget_give(budget, 1);
    NUM_IS(takes(budget, 200), 100, "there is enough for a hundred retries, and no more is saved");
    for (i = 0; i < 4; i++) {
        ddb_retry_budget_give(budget, 0);
        NUM_IS(takes(budget, 1), 0, "a success without one brings a little");
    }
    ddb_retry_budget_give(budget, 0);
    NUM_IS(takes(budget, 2), 1, "five of them bring one retry");
    ddb_retry_budget_give(budget, 1);
    NUM_IS(takes(budget, 2), 1, "a success after retries brings the last one back");
    NUM_IS(takes(NULL, 1000), 1000, "without a budget there is no limit");
    ddb_retry_budget_give(NULL, 1);
}

static ddb_retry_budget_t *shared_budget;

static void *APR_THREAD_FUNC take_and_give(apr_thread_t *thread, void *data)
{
    int i;

    (void)thread;
    (void)data;
    for (i = 0; i < ROUNDS; i++) {
        if (ddb_retry_budget_take(shared_budget)) {
            ddb_retry_budget_give(shared_budget, 1);
        }
    }
    return NULL;
}

static void test_budget_of_threads(apr_pool_t *p)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;
    int i;

    ddb_retry_budget_create(&shared_budget, p);
    for (i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, take_and_give, NULL, p) != APR_SUCCESS) {
            printf("Bail out! no thread\n");
            exit(1);
        }
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    NUM_IS(takes(shared_budget, 200), 100, "what threads take and give back is all there in the end");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_opening, test_calls_at_once, test_probe, test_jitter, test_hanging_probe, test_unused_probe,
             test_answer_while_open, test_notices, test_threads, test_budget, test_budget_of_threads);
}
