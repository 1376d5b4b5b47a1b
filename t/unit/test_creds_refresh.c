/* Credentials that end: who asks for others, when, and what requests see meanwhile. */

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#include "aws/creds/ddb_creds_int.h"
#include "tap.h"
#include "world.h"
#include "aws_files.h"
#include "sts_replies.h"

#define MINUTE apr_time_from_sec(60)
#define HOUR   (60 * MINUTE)

static apr_pool_t *pool;
static world_t *w;
static ddb_creds_opts_t opts;
static ddb_credentials_t found;
static ddb_error_t err;
static ddb_creds_t *creds;
static apr_interval_time_t next;
static unsigned char random_byte;

static apr_status_t random_same(void *out, apr_size_t len)
{
    memset(out, random_byte, len);
    return APR_SUCCESS;
}

static void reset(void)
{
    w = world_create(pool);
    aws_reset(pool);
    opts = (ddb_creds_opts_t){ .http = &w->http, .clock = &w->clock, .random = random_same, .region = "eu-west-1" };
    random_byte = 0;
    aws_set("AWS_EC2_METADATA_DISABLED", "true", pool);
    ddb_creds_create(&creds, &opts, pool);
}

static void pass(apr_interval_time_t t)
{
    w->now += t;
    w->mono += t;
}

static apr_status_t get(void)
{
    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return ddb_creds_get(creds, DDB_CREDS_FOREVER, pool, &found, &err);
}

static apr_status_t refresh(void)
{
    memset(&err, 0, sizeof(err));
    return ddb_creds_refresh(creds, &next, &err);
}

/* The next answer: keys that live for some time from now. */
static void answer(const char *id, apr_interval_time_t life)
{
    apr_time_exp_t x;

    apr_time_exp_gmt(&x, w->now + life);
    world_answer(
        w, 200,
        apr_psprintf(
            pool,
            STS_REPLY(
                "AssumeRoleWithWebIdentity",
                "<Credentials><AccessKeyId>%s"
                "</AccessKeyId><SecretAccessKey>secret-%s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>"
                "%04d-%02d-%02dT%02d:%02d:%02dZ</Expiration></Credentials>"),
            id, id, x.tm_year + 1900, x.tm_mon + 1, x.tm_mday, x.tm_hour, x.tm_min, x.tm_sec));
}

static void use_web_identity(void)
{
    aws_write("token", "jwt.token", pool);
    aws_set("AWS_WEB_IDENTITY_TOKEN_FILE", aws_path("token", pool), pool);
    aws_set("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", pool);
}

static void is_kept(const char *id, const char *name)
{
    int sent = w->n_sent;

    NUM_IS(get(), APR_SUCCESS, name);
    IS(found.access_key_id, id, "  the key ID");
    IS(found.secret_access_key, apr_pstrcat(pool, "secret-", id, NULL), "  with its secret");
    NUM_IS(w->n_sent, sent, "  without asking anybody");
}

/* --- generations --- */

static apr_uint32_t generation_of_found(void)
{
    return get() == APR_SUCCESS ? found.generation : 0;
}

static void test_generations(void)
{
    apr_uint32_t first, second;

    reset();
    use_web_identity();
    NUM_IS(ddb_creds_generation(creds), 0, "without credentials there is no generation");
    NUM_IS(w->n_sent, 0, "and nobody is asked for one");
    answer("A1", HOUR);
    ddb_creds_ask_soon(creds);
    refresh();
    first = ddb_creds_generation(creds);
    OK(first != 0 && generation_of_found() == first, "credentials have one, and bring it along");
    OK(generation_of_found() == first && ddb_creds_generation(creds) == first, "it stays as long as they do");

    pass(50 * MINUTE);
    world_answer(w, 403, STS_ERROR("AccessDenied", "m"));
    OK(refresh() != APR_SUCCESS && ddb_creds_generation(creds) == first, "also when others can't be had");
    pass(MINUTE);
    answer("A2", HOUR);
    NUM_IS(refresh(), APR_SUCCESS, "new ones");
    second = ddb_creds_generation(creds);
    OK(second != 0 && second != first && generation_of_found() == second, "have another");

    pass(HOUR - apr_time_from_sec(1));
    NUM_IS(ddb_creds_generation(creds), second, "up to their last moment");
    pass(apr_time_from_sec(1));
    NUM_IS(ddb_creds_generation(creds), 0, "and none when they have expired");
    answer("A3", HOUR);
    OK(generation_of_found() != second && found.generation, "a request that asks for others gets theirs");

    ddb_creds_renew(creds, "A3");
    NUM_IS(ddb_creds_generation(creds), 0, "credentials that were refused have none any more");
    answer("A3", HOUR);
    OK(generation_of_found() != 0 && ddb_creds_generation(creds) == found.generation,
       "even the same, when they are found again, are a new generation");
}

/* --- keys that end --- */

static void test_before(void)
{
    reset();
    use_web_identity();
    NUM_IS(refresh(), APR_SUCCESS, "nobody has wanted any yet");
    pass(24 * HOUR);
    NUM_IS(refresh(), APR_SUCCESS, "for a long time");
    NUM_IS(w->n_sent, 0, "so nobody is asked");
    ddb_creds_ask_soon(creds);
    answer("A1", HOUR);
    NUM_IS(refresh(), APR_SUCCESS, "where they will be, the providers are asked before");
    NUM_IS(w->n_sent, 1, "at once");
    is_kept("A1", "and the first request has them");
    NUM_IS(refresh(), APR_SUCCESS, "which need nothing yet");
    pass(45 * MINUTE - apr_time_from_sec(2));
    NUM_IS(refresh(), APR_SUCCESS, "nor shortly before the last quarter of an hour");
    NUM_IS(w->n_sent, 1, "nobody is asked");
    OK(next > 0 && next <= apr_time_from_sec(2), "but it is looked again then");
}

static void test_none_at_first(void)
{
    int i, failures = 0;

    reset();
    use_web_identity();
    for (i = 0; i < 40; i++) {
        world_answer(w, 403, STS_ERROR("AccessDenied", "m"));
    }
    ddb_creds_ask_soon(creds);
    NUM_IS(refresh(), DDB_ENOCREDS, "when there are none at the start");
    OK(strstr(err.detail, "AccessDenied"), "it is told why");
    NUM_IS(refresh(), APR_SUCCESS, "once");
    for (i = 0; i < 60; i++) {
        pass(apr_time_from_sec(1));
        failures += refresh() != APR_SUCCESS;
    }
    OK(failures >= 4 && failures <= 12, "and they are asked for again each few seconds");
    NUM_IS(w->n_sent - 1, failures, "with one failure for each time");
}

static void test_due(void)
{
    reset();
    use_web_identity();
    answer("A1", HOUR);
    get();
    pass(45 * MINUTE);
    answer("A2", HOUR);
    NUM_IS(refresh(), APR_SUCCESS, "a quarter of an hour before the end");
    NUM_IS(w->n_sent, 2, "others are asked for");
    is_kept("A2", "and requests have them");
    pass(44 * MINUTE);
    NUM_IS(refresh(), APR_SUCCESS, "from then on");
    NUM_IS(w->n_sent, 2, "it takes as long again");
}

static void test_jitter(void)
{
    reset();
    use_web_identity();
    random_byte = 0xff;
    answer("A1", HOUR);
    get();
    pass(50 * MINUTE - apr_time_from_sec(2));
    refresh();
    NUM_IS(w->n_sent, 1, "another child asks up to five minutes later");
    pass(apr_time_from_sec(2));
    answer("A2", HOUR);
    refresh();
    NUM_IS(w->n_sent, 2, "and not more");
}

static void test_short_life(void)
{
    reset();
    use_web_identity();
    answer("A1", 15 * MINUTE);
    get();
    refresh();
    NUM_IS(w->n_sent, 1, "keys for a quarter of an hour are not asked for all the time");
    pass(apr_time_from_sec(450));
    answer("A2", 15 * MINUTE);
    refresh();
    NUM_IS(w->n_sent, 2, "but from the middle of their life");
}

static void test_failure(void)
{
    int i, failures = 0;

    reset();
    use_web_identity();
    answer("A1", HOUR);
    get();
    pass(45 * MINUTE);
    world_answer(w, 403, STS_ERROR("AccessDenied", "m"));
    NUM_IS(refresh(), DDB_ENOCREDS, "asking fails");
    OK(strstr(err.detail, "AccessDenied"), "and why is told");
    is_kept("A1", "what is kept stays in use");
    NUM_IS(refresh(), APR_SUCCESS, "the failure is told once");
    OK(next >= apr_time_from_sec(5) || next > 0, "and it is not asked again at once");
    NUM_IS(w->n_sent, 2, "at all");
    for (i = 0; i < 40; i++) {
        world_answer(w, 403, STS_ERROR("AccessDenied", "m"));
    }
    for (i = 0; i < 4 * 60; i++) {
        pass(apr_time_from_sec(1));
        failures += refresh() != APR_SUCCESS;
    }
    OK(failures >= 3 && failures <= 8, "but again and again, once or twice a minute");
    NUM_IS(w->n_sent - 2, failures, "with one failure for each time");
    pass(2 * MINUTE);
    refresh();
    for (i = 0; i < 60; i++) {
        pass(apr_time_from_sec(1));
        failures += refresh() != APR_SUCCESS;
    }
    OK(failures >= 3 + 4 && failures <= 8 + 12, "more often near the end");
    pass(8 * MINUTE - apr_time_from_sec(5));
    is_kept("A1", "and what is kept is used to the last second");
}

static void test_end(void)
{
    reset();
    use_web_identity();
    answer("A1", HOUR);
    get();
    pass(HOUR);
    world_answer(w, 403, STS_ERROR("AccessDenied", "m"));
    NUM_IS(get(), DDB_ENOCREDS, "after the end they are not used any more");
    answer("A2", HOUR);
    NUM_IS(get(), APR_SUCCESS, "and a request asks");
    IS(found.access_key_id, "A2", "for others");
    answer("A3", 0);
    pass(HOUR);
    NUM_IS(get(), DDB_ENOCREDS, "new ones that have ended are none");
    OK(strstr(err.detail, "web identity returned credentials that expired"), "and it is said so");
}

static void test_renew(void)
{
    reset();
    use_web_identity();
    answer("A1", HOUR);
    get();
    ddb_creds_renew(creds, "A1");
    NUM_IS(refresh(), APR_SUCCESS, "keys that were refused");
    answer("A2", HOUR);
    NUM_IS(get(), APR_SUCCESS, "are asked for by the next request");
    IS(found.access_key_id, "A2", "which has others");
    is_kept("A2", "and they are kept");
}

/* --- keys of files --- */

static void write_keys(const char *id)
{
    aws_write(".aws/credentials",
              apr_psprintf(pool,
                           "[default]\naws_access_key_id = %s\naws_secret_access_key = "
                           "secret-%s\n",
                           id, id),
              pool);
}

static void test_files(void)
{
    reset();
    write_keys("F1");
    is_kept("F1", "keys of a file");
    pass(24 * HOUR);
    NUM_IS(refresh(), APR_SUCCESS, "do not end");
    is_kept("F1", "and stay");
    NUM_IS(next, apr_time_from_sec(5), "but the file is looked at again");
    write_keys("F2-longer");
    NUM_IS(refresh(), APR_SUCCESS, "after a change");
    is_kept("F1", "they stay for some seconds");
    pass(apr_time_from_sec(5));
    NUM_IS(refresh(), APR_SUCCESS, "and then");
    is_kept("F2-longer", "the new ones are used");
}

static void test_broken_file(void)
{
    reset();
    write_keys("F1");
    get();
    aws_chmod(".aws/credentials", 0644, pool);
    pass(apr_time_from_sec(5));
    NUM_IS(refresh(), APR_SUCCESS, "another mode is no change");
    aws_write(".aws/credentials", "[default]\naws_access_key_id = half\n", pool);
    pass(apr_time_from_sec(5));
    NUM_IS(refresh(), DDB_ECONFIG, "a file that is half written");
    is_kept("F1", "is not used");
    pass(apr_time_from_sec(5));
    NUM_IS(refresh(), APR_SUCCESS, "and not read again as long as it stays so");
    write_keys("F2-longer");
    pass(apr_time_from_sec(5));
    NUM_IS(refresh(), APR_SUCCESS, "when it is whole");
    is_kept("F2-longer", "it is");
    aws_remove(".aws/credentials", pool);
    pass(apr_time_from_sec(5));
    NUM_IS(refresh(), DDB_ENOCREDS, "one that is gone");
    is_kept("F2-longer", "takes nothing away");
    pass(2 * MINUTE);
    NUM_IS(refresh(), DDB_ENOCREDS, "but is missed again after a while");
}

static void test_fixed(void)
{
    ddb_credentials_t fixed = { .access_key_id = "F", .secret_access_key = "secret-F" };

    reset();
    opts.fixed = &fixed;
    ddb_creds_create(&creds, &opts, pool);
    NUM_IS(refresh(), APR_SUCCESS, "fixed credentials need nothing");
    is_kept("F", "and stay");
}

/* --- many at once --- */

#define THREADS 6

static struct {
    ddb_creds_t *creds;
    apr_uint32_t serial, done, wrong, failed, asked;
    apr_uint32_t seconds; /* of the clock */
    int broken;
} rush;

static apr_time_t rush_now(void *baton)
{
    (void)baton;
    return APR_INT64_C(1795395723000000) + apr_time_from_sec(apr_atomic_read32(&rush.seconds));
}

static void rush_sleep(void *baton, apr_interval_time_t t)
{
    (void)baton;
    (void)t;
}

static apr_status_t rush_perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                                 ddb_error_t *why)
{
    apr_uint32_t serial = apr_atomic_inc32(&rush.serial);
    apr_time_exp_t x;

    (void)baton;
    (void)req;
    apr_atomic_inc32(&rush.asked);
    if (rush.broken) {
        apr_sleep(apr_time_from_msec(50));
        return ddb_error_set(why, DDB_EREFUSED, "broken");
    }
    apr_time_exp_gmt(&x, rush_now(NULL) + apr_time_from_sec(60));
    res->status = 200;
    res->headers = apr_table_make(p, 1);
    res->body = apr_psprintf(
        p,
        STS_REPLY(
            "AssumeRoleWithWebIdentity",
            "<Credentials><AccessKeyId>K%u</AccessKeyId>"
            "<SecretAccessKey>S%u</SecretAccessKey><SessionToken>T%u</SessionToken><Expiration>%04d-%02d-%02dT%02d:"
            "%02d:%02dZ</Expiration></Credentials>"),
        serial, serial, serial, x.tm_year + 1900, x.tm_mon + 1, x.tm_mday, x.tm_hour, x.tm_min, x.tm_sec);
    res->body_len = strlen(res->body);
    return APR_SUCCESS;
}

static const ddb_http_transport_t rush_http = { .perform = rush_perform };
static const ddb_clock_t rush_clock = { .wall = rush_now, .monotonic = rush_now, .sleep = rush_sleep };

static void *APR_THREAD_FUNC request_often(apr_thread_t *thread, void *data)
{
    ddb_credentials_t mine;
    ddb_error_t why;
    apr_pool_t *p;
    int i;

    (void)thread;
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    for (i = 0; data ? i < 1 : apr_atomic_read32(&rush.asked) < 100; i++) {
        if (ddb_creds_get(rush.creds, DDB_CREDS_FOREVER, p, &mine, &why) != APR_SUCCESS) {
            /* The clock of this rush may run for a minute while a thread that reads an answer is not at its turn. */
            if (rush.broken || !strstr(why.detail, "expired")) {
                apr_atomic_inc32(&rush.failed);
            }
        }
        else if (strcmp(mine.access_key_id + 1, mine.secret_access_key + 1) != 0
                 || strcmp(mine.access_key_id + 1, mine.session_token + 1) != 0) {
            apr_atomic_inc32(&rush.wrong);
        }
        apr_pool_clear(p);
    }
    apr_atomic_inc32(&rush.done);
    apr_pool_destroy(p);
    return NULL;
}

static void run_threads(void *data, int turn)
{
    apr_thread_t *threads[THREADS];
    apr_interval_time_t wait;
    apr_status_t rv;
    int i;

    for (i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, request_often, data, pool) != APR_SUCCESS) {
            printf("Bail out! no thread\n");
            exit(1);
        }
    }
    while (turn && apr_atomic_read32(&rush.done) < THREADS) {
        apr_atomic_inc32(&rush.seconds);
        ddb_creds_refresh(rush.creds, &wait, NULL);
        apr_thread_yield();
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
}

static void start_rush(int broken)
{
    reset();
    use_web_identity();
    memset(&rush, 0, sizeof(rush));
    rush.broken = broken;
    opts.http = &rush_http;
    opts.clock = &rush_clock;
    ddb_creds_create(&rush.creds, &opts, pool);
}

static void test_rotation_under_load(void)
{
    start_rush(0);
    run_threads(NULL, 1);
    NUM_IS(rush.failed, 0, "no request is without keys");
    NUM_IS(rush.wrong, 0, "nor has the parts of two");
    OK(rush.asked >= 1, "while they are replaced");
    printf("# %u sets of keys\n", (unsigned)rush.asked);
}

static void test_common_failure(void)
{
    start_rush(1);
    run_threads(&rush, 0);
    NUM_IS(rush.failed, THREADS, "all requests that wait together fail together");
    OK(rush.asked < THREADS, "and not one after the other");
}

/* --- who asks, and who waits --- */

/* A provider that answers when it is let. */
static struct {
    apr_uint32_t asked, let;
    ddb_creds_t *creds;
    ddb_cancel_t *cancel;
    apr_status_t refreshed;
    apr_interval_time_t patience; /* of those who wait */
    apr_uint32_t waiting, good, late, ended, failed, named;
} gate;

static apr_status_t gate_perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                                 ddb_error_t *why)
{
    (void)baton;
    (void)req;
    apr_atomic_inc32(&gate.asked);
    while (!apr_atomic_read32(&gate.let)) {
        if (ddb_cancel_is_set(gate.cancel)) {
            return ddb_error_set(why, APR_EINTR, "cancelled");
        }
        apr_sleep(1000);
    }
    if (apr_atomic_read32(&gate.let) == 2) {
        return ddb_error_set(why, DDB_EREFUSED, "broken");
    }
    res->status = 200;
    res->headers = apr_table_make(p, 1);
    res->body = apr_pstrdup(p,
                            STS_REPLY("AssumeRoleWithWebIdentity",
                                      "<Credentials><AccessKeyId>K</AccessKeyId>"
                                      "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>"
                                      "2100-01-01T00:00:00Z</Expiration></Credentials>"));
    res->body_len = strlen(res->body);
    return APR_SUCCESS;
}

static const ddb_http_transport_t gate_http = { .perform = gate_perform };

static void start_gate(int has_refresher, apr_interval_time_t patience)
{
    reset();
    use_web_identity();
    memset(&gate, 0, sizeof(gate));
    gate.cancel = ddb_cancel_create(pool);
    gate.patience = patience;
    opts.http = &gate_http;
    opts.clock = ddb_cancel_clock(gate.cancel, &ddb_clock_system, pool);
    opts.has_refresher = has_refresher;
    opts.cancel = gate.cancel;
    ddb_creds_create(&gate.creds, &opts, pool);
    ddb_creds_ask_soon(gate.creds);
}

static void *APR_THREAD_FUNC refresh_till_the_end(apr_thread_t *thread, void *data)
{
    apr_interval_time_t wait;

    (void)thread;
    (void)data;
    while (!ddb_cancel_is_set(gate.cancel)) {
        apr_status_t rv = ddb_creds_refresh(gate.creds, &wait, NULL);

        gate.refreshed = rv != APR_SUCCESS ? rv : gate.refreshed;
        ddb_creds_wait(gate.creds, wait);
    }
    return NULL;
}

static void *APR_THREAD_FUNC request_once(apr_thread_t *thread, void *data)
{
    ddb_credentials_t mine;
    ddb_error_t why = { 0 };
    apr_pool_t *p;
    apr_status_t rv;

    (void)thread;
    (void)data;
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    apr_atomic_inc32(&gate.waiting);
    rv = ddb_creds_get(gate.creds, ddb_clock_monotonic(&ddb_clock_system) + gate.patience, p, &mine, &why);
    apr_atomic_inc32(rv == APR_SUCCESS  ? &gate.good
                     : rv == APR_TIMEUP ? &gate.late
                     : rv == APR_EINTR  ? &gate.ended
                                        : &gate.failed);
    if (strstr(why.detail, "credential provider web identity")) {
        apr_atomic_inc32(&gate.named);
    }
    apr_pool_destroy(p);
    return NULL;
}

static apr_thread_t *start_thread(apr_thread_start_t work)
{
    apr_thread_t *thread;

    if (apr_thread_create(&thread, NULL, work, NULL, pool) != APR_SUCCESS) {
        printf("Bail out! no thread\n");
        exit(1);
    }
    return thread;
}

static void await(apr_uint32_t *counter, apr_uint32_t n)
{
    int i;

    for (i = 0; i < 20000 && apr_atomic_read32(counter) < n; i++) {
        apr_sleep(1000);
    }
}

/* Requests that begin while the provider is asked; they are there when this returns. */
static void start_requests(apr_thread_t **threads)
{
    int i;

    await(&gate.asked, 1);
    for (i = 0; i < THREADS; i++) {
        threads[i] = start_thread(request_once);
    }
    await(&gate.waiting, THREADS);
    apr_sleep(apr_time_from_msec(20)); /* for the few instructions to the wait; one that is late waits less */
}

static void join(apr_thread_t **threads, int n)
{
    apr_status_t rv;

    while (n-- > 0) {
        apr_thread_join(&rv, threads[n]);
    }
}

static void stop_refresher(apr_thread_t *refresher)
{
    ddb_cancel_set(gate.cancel);
    ddb_creds_wake(gate.creds);
    join(&refresher, 1);
}

static void test_waiting(void)
{
    apr_thread_t *refresher, *threads[THREADS];

    start_gate(1, apr_time_from_msec(50));
    refresher = start_thread(refresh_till_the_end);
    start_requests(threads);
    join(threads, THREADS);
    NUM_IS(gate.late, THREADS, "requests wait for a provider till their deadline and no longer");
    NUM_IS(gate.named, THREADS, "and are told whose answer they waited for");
    gate.patience = apr_time_from_sec(60);
    gate.waiting = 0;
    start_requests(threads);
    apr_atomic_set32(&gate.let, 1);
    join(threads, THREADS);
    NUM_IS(gate.good, THREADS, "those that still wait when it answers have credentials");
    NUM_IS(gate.asked, 1, "it was asked once, and not by them");
    stop_refresher(refresher);
    NUM_IS(gate.refreshed, APR_SUCCESS, "and nothing failed");
}

static void test_waiting_for_a_failure(void)
{
    apr_thread_t *refresher, *threads[THREADS];

    start_gate(1, apr_time_from_sec(60));
    refresher = start_thread(refresh_till_the_end);
    start_requests(threads);
    apr_atomic_set32(&gate.let, 2);
    join(threads, THREADS);
    NUM_IS(gate.failed, THREADS, "a failure is the answer for all who wait");
    NUM_IS(gate.refreshed, APR_SUCCESS, "so the one who asked has nothing to tell");
    gate.waiting = 0;
    start_requests(threads);
    join(threads, THREADS);
    NUM_IS(gate.failed, 2 * THREADS, "the next requests");
    OK(gate.asked >= 2, "have it asked again, although the time for that has not come");
    apr_atomic_set32(&gate.let, 1);
    start_requests(threads);
    join(threads, THREADS);
    NUM_IS(gate.good, THREADS, "and have credentials as soon as it has");
    stop_refresher(refresher);
}

static void test_cancel(void)
{
    apr_thread_t *refresher, *threads[THREADS];
    apr_uint32_t asked;

    start_gate(1, apr_time_from_sec(60));
    refresher = start_thread(refresh_till_the_end);
    start_requests(threads);
    ddb_cancel_set(gate.cancel);
    join(threads, THREADS);
    join(&refresher, 1);
    NUM_IS(gate.ended, THREADS, "the end of the process is told to who waits");
    NUM_IS(gate.refreshed, APR_SUCCESS, "and is no failure of who asks");
    asked = gate.asked;
    request_once(NULL, NULL);
    NUM_IS(gate.ended, THREADS + 1, "and to who comes later");
    NUM_IS(gate.asked, asked, "without asking");
}

/* As in the operator's program. */
static void test_no_refresher(void)
{
    apr_thread_t *first, *threads[THREADS];

    start_gate(0, apr_time_from_msec(50));
    first = start_thread(request_once);
    start_requests(threads);
    join(threads, THREADS);
    NUM_IS(gate.late, THREADS, "without a refresher others do not wait longer either");
    NUM_IS(gate.asked, 1, "for the one who asks");
    apr_atomic_set32(&gate.let, 1);
    join(&first, 1);
    NUM_IS(gate.good, 1, "which takes what time it takes");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_generations();
    test_before();
    test_none_at_first();
    test_due();
    test_jitter();
    test_short_life();
    test_failure();
    test_end();
    test_renew();
    test_files();
    test_broken_file();
    test_fixed();
    test_rotation_under_load();
    test_common_failure();
    test_waiting();
    test_waiting_for_a_failure();
    test_cancel();
    test_no_refresher();
}
