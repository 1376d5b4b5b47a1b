/* What is counted: by whom, of what, and that nothing of it gets lost among processes and threads. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/ddb_count.h"
#include "store/ddb_item.h"
#include "store/ddb_store.h"
#include "tap.h"
#include "crowd.h"
#include "world.h"

#define CHILDREN        4
#define ADDS            20000
#define LIMIT           2 /* of the breaker */
#define CAPACITY(units) "\"ConsumedCapacity\":{\"TableName\":\"t\",\"CapacityUnits\":" units "}"
#define ERROR(name)     "{\"__type\":\"com.amazonaws.dynamodb.v20120810#" name "\",\"message\":\"m\"}"

static ddb_count_t *fresh(apr_pool_t *p)
{
    ddb_count_t *count = NULL;

    if (ddb_count_create(&count, p) != APR_SUCCESS) {
        printf("Bail out! no shared memory\n");
        exit(1);
    }
    return count;
}

static void test_numbers(apr_pool_t *p)
{
    ddb_count_t *count = fresh(p);
    int i, all = 0;

    for (i = 0; i < DDB_COUNTED; i++) {
        all += ddb_count_get(count, i) == 0;
    }
    NUM_IS(all, DDB_COUNTED, "all begin with 0");
    ddb_count_add(count, DDB_COUNT_RETRY, 1);
    ddb_count_add(count, DDB_COUNT_RETRY, 5);
    ddb_count_add(count, DDB_COUNT_THROTTLED, 0);
    NUM_IS(ddb_count_get(count, DDB_COUNT_RETRY), 6, "what is added is there");
    NUM_IS(ddb_count_get(count, DDB_COUNT_THROTTLED), 0, "and nowhere else");
    ddb_count_add(NULL, DDB_COUNT_RETRY, 1);
    NUM_IS(ddb_count_get(NULL, DDB_COUNT_RETRY), 0, "without counters nothing is counted, and nothing breaks");
    ddb_count_add(count, DDB_COUNT_LOADED, APR_UINT64_C(0x100000000));
    OK(ddb_count_get(count, DDB_COUNT_LOADED) == APR_UINT64_C(0x100000000), "numbers go beyond 32 bits");
    IS(ddb_count_units(0, p), "0.0", "no half is no unit");
    IS(ddb_count_units(1, p), "0.5", "a half");
    IS(ddb_count_units(24, p), "12.0", "a whole number of units");
    IS(ddb_count_units(APR_UINT64_MAX, p), "9223372036854775807.5", "the largest number");
    NUM_IS(ddb_count_operation("DeleteItem"), DDB_COUNT_DELETE, "calls are known by their names");
    NUM_IS(ddb_count_operation("Scan"), DDB_COUNT_OPERATIONS, "those of an operator are not counted");
}

/* Every kind of call, once. */
static void test_every_call(apr_pool_t *p)
{
    ddb_count_t *count = fresh(p);
    int i, j, right = 0;

    for (i = 0; i < DDB_COUNT_OPERATIONS; i++) {
        for (j = 0; j < DDB_OUTCOMES; j++) {
            ddb_count_call(count, i, j);
        }
    }
    for (i = 0; i < DDB_COUNT_OPERATIONS; i++) {
        for (j = 0; j < DDB_OUTCOMES; j++) {
            right += ddb_count_calls(count, i, j) == 1;
        }
    }
    NUM_IS(right, (int)DDB_COUNT_OPERATIONS * (int)DDB_OUTCOMES, "each call is counted by its name and its end");
    NUM_IS(ddb_count_get(count, DDB_COUNT_EVENT) + ddb_count_get(count, DDB_COUNT_DROPPED), 0, "and as nothing else");
}

/* The distribution of these times: "1 0 0 ... sum". */
static const char *distribution(const ddb_count_t *count, ddb_timed_e what, apr_pool_t *p)
{
    ddb_count_times_t times;
    const char *text = "";
    int i;

    ddb_count_times(count, what, &times);
    for (i = 0; i <= DDB_COUNT_BOUNDS; i++) {
        text = apr_psprintf(p, "%s%d ", text, (int)times.bucket[i]);
    }
    return apr_psprintf(p, "%s%" APR_UINT64_T_FMT, text, times.sum);
}

static void test_times(apr_pool_t *p)
{
    ddb_count_t *count = fresh(p);
    int i, at_bound = 0, above = 0;

    IS(distribution(count, DDB_TIME_REQUEST, p), "0 0 0 0 0 0 0 0 0 0 0 0 0 0", "no time is there before the first");
    ddb_count_time(count, DDB_TIME_REQUEST, 0);
    ddb_count_time(count, DDB_TIME_REQUEST, 1000);
    ddb_count_time(count, DDB_TIME_REQUEST, 1001);
    ddb_count_time(count, DDB_TIME_REQUEST, 2500);
    ddb_count_time(count, DDB_TIME_REQUEST, 2500000);
    ddb_count_time(count, DDB_TIME_REQUEST, 2500001);
    IS(distribution(count, DDB_TIME_REQUEST, p), "2 2 0 0 0 0 0 0 0 0 0 1 1 5004502", "a bound is part of its bucket");
    ddb_count_time(count, DDB_TIME_REQUEST, -7);
    IS(distribution(count, DDB_TIME_REQUEST, p), "3 2 0 0 0 0 0 0 0 0 0 1 1 5004502", "a clock that went back adds 0");
    for (i = 0; i < DDB_COUNT_BOUNDS; i++) {
        ddb_count_times_t times;
        ddb_count_t *fresh_one = fresh(p);

        ddb_count_time(fresh_one, DDB_TIME_ATTEMPT, ddb_count_bounds[i]);
        ddb_count_time(fresh_one, DDB_TIME_ATTEMPT, ddb_count_bounds[i] + 1);
        ddb_count_times(fresh_one, DDB_TIME_ATTEMPT, &times);
        at_bound += times.bucket[i] == 1;
        above += times.bucket[i + 1] == 1;
    }
    NUM_IS(at_bound, DDB_COUNT_BOUNDS, "so it is with every bound");
    NUM_IS(above, DDB_COUNT_BOUNDS, "and a microsecond more is of the next bucket");
    ddb_count_time(count, DDB_TIME_ATTEMPT + (int)DDB_COUNT_DELETE, 1);
    IS(distribution(count, DDB_TIME_ATTEMPT + (int)DDB_COUNT_DELETE, p), "1 0 0 0 0 0 0 0 0 0 0 0 0 1",
       "each kind of time has a distribution of its own");
    IS(distribution(count, DDB_TIME_ATTEMPT + (int)DDB_COUNT_UPDATE, p), "0 0 0 0 0 0 0 0 0 0 0 0 0 0", "... alone");
    ddb_count_time(NULL, DDB_TIME_REQUEST, 1);
    IS(distribution(NULL, DDB_TIME_REQUEST, p), "0 0 0 0 0 0 0 0 0 0 0 0 0 0", "without counters there is none");
}

static void work_in_child(ddb_count_t *count, int number)
{
    int i;

    ddb_count_spread(count, (apr_uint64_t)getpid());
    for (i = 0; i < ADDS; i++) {
        ddb_count_add(count, DDB_COUNT_MERGED, 1);
    }
    if (number == 0) {
        raise(SIGKILL);
    }
    _exit(0);
}

static void test_processes(apr_pool_t *p)
{
    ddb_count_t *count = fresh(p);
    pid_t children[CHILDREN];
    int i, status;

    fflush(stdout); /* or each child has these lines, too, and valgrind writes them when it ends */
    for (i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            work_in_child(count, i);
        }
    }
    for (i = 0; i < CHILDREN; i++) {
        waitpid(children[i], &status, 0);
    }
    NUM_IS(ddb_count_get(count, DDB_COUNT_MERGED), CHILDREN * ADDS,
           "what children counted is there when they are dead, "
           "a killed one's too");
}

static int add_many(void *shared, int number, apr_pool_t *p)
{
    int i;

    (void)number;
    (void)p;
    for (i = 0; i < ADDS; i++) {
        ddb_count_call(shared, DDB_COUNT_GET, DDB_OUTCOME_OK);
        ddb_count_add(shared, DDB_COUNT_READ_HALVES, 2);
        ddb_count_time(shared, DDB_TIME_REQUEST, 3000);
    }
    return 0;
}

static void test_crowd(apr_pool_t *p)
{
    ddb_count_t *count = fresh(p);

    crowd_work(add_many, count);
    NUM_IS(ddb_count_calls(count, DDB_COUNT_GET, DDB_OUTCOME_OK), CROWD_SIZE * ADDS,
           "no addition of a thread gets lost");
    IS(distribution(count, DDB_TIME_REQUEST, p),
       apr_psprintf(p, "0 0 %d 0 0 0 0 0 0 0 0 0 0 %d", CROWD_SIZE * ADDS, CROWD_SIZE * ADDS * 3000), "no time does");
    NUM_IS(ddb_count_get(count, DDB_COUNT_READ_HALVES), 2 * CROWD_SIZE * ADDS, "in none of the numbers");
}

/* --- calls --- */

typedef struct fixture_t {
    apr_pool_t *p;
    world_t *w;
    ddb_count_t *count;
    ddb_client_t *client;
    ddb_store_t *st;
    ddb_sid_rules_t rules;
    ddb_error_t err;
    ddb_store_call_t call;
} fixture_t;

static fixture_t *setup(apr_pool_t *p)
{
    static const ddb_credentials_t fixed = { .access_key_id = "AKIDEXAMPLE", .secret_access_key = "secret" };
    fixture_t *f = apr_pcalloc(p, sizeof(*f));
    ddb_creds_opts_t creds = { .fixed = &fixed };
    ddb_client_opts_t o = { .max_attempts = 3, .random = world_random };
    ddb_breaker_opts_t breaker = { .store = "the store", .limit = LIMIT, .random = world_random };

    f->p = p;
    f->w = world_create(p);
    f->count = fresh(p);
    creds.http = &f->w->http;
    creds.clock = breaker.clock = &f->w->clock;
    breaker.count = o.count = f->count;
    o.endpoint.url = "http://localhost:8000";
    o.endpoint.host = "localhost:8000";
    o.endpoint.region = "eu-central-1";
    o.http = &f->w->http;
    o.clock = &f->w->clock;
    if (ddb_breaker_create(&o.breaker, &breaker, p) != APR_SUCCESS || ddb_creds_create(&o.creds, &creds, p)
        || ddb_client_create(&f->client, &o, p) || ddb_store_create(&f->st, f->client, "t", world_random, p)) {
        printf("Bail out! no store\n");
        exit(1);
    }
    f->rules.bytes = 32;
    f->rules.hash = 1;
    f->call.rules = &f->rules;
    f->call.consistent = 1;
    f->call.pool = p;
    f->call.err = &f->err;
    f->call.now = f->w->now;
    return f;
}

static ddb_store_call_t *now(fixture_t *f)
{
    f->call.deadline = f->w->mono + apr_time_from_sec(2);
    return &f->call;
}

static ddb_session_t session(const fixture_t *f)
{
    ddb_session_t s = {
        .data = "a=1", .data_len = 3, .created = f->w->now, .idle_timeout = 7200, .absolute_timeout = 43200
    };
    return s;
}

static int made(const fixture_t *f, ddb_count_operation_e operation)
{
    int i, n = 0;

    for (i = 0; i < DDB_OUTCOMES; i++) {
        n += i == DDB_OUTCOME_REJECTED ? 0 : (int)ddb_count_calls(f->count, operation, i);
    }
    return n;
}

/* Calls with outcomes other than ok, in words: " 5xx 2". */
static const char *bad_ends(const fixture_t *f)
{
    const char *text = "";
    int i, j;

    for (j = DDB_OUTCOME_OK + 1; j < DDB_OUTCOMES; j++) {
        int n = 0;

        for (i = 0; i < DDB_COUNT_OPERATIONS; i++) {
            n += (int)ddb_count_calls(f->count, i, j);
        }
        text = n ? apr_psprintf(f->p, "%s %s %d", text, ddb_count_outcome_word(j), n) : text;
    }
    return text;
}

/* "calls/read/write/retries/throttled/opened, ends" */
static const char *counted(const fixture_t *f)
{
    static const ddb_counted_e rest[] = { DDB_COUNT_RETRY, DDB_COUNT_THROTTLED, DDB_COUNT_OPENED };
    const char *text = apr_psprintf(f->p, "%d%d%d%d %s %s", made(f, DDB_COUNT_GET), made(f, DDB_COUNT_PUT),
                                    made(f, DDB_COUNT_UPDATE), made(f, DDB_COUNT_DELETE),
                                    ddb_count_units(ddb_count_get(f->count, DDB_COUNT_READ_HALVES), f->p),
                                    ddb_count_units(ddb_count_get(f->count, DDB_COUNT_WRITE_HALVES), f->p));
    apr_size_t i;

    for (i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
        text = apr_psprintf(f->p, "%s %d", text, (int)ddb_count_get(f->count, rest[i]));
    }
    return apr_pstrcat(f->p, text, bad_ends(f), NULL);
}

static void test_calls(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = session(f), found, current;
    const char *undisclosed;

    world_answer(f->w, 200, "{" CAPACITY("1.0") "}");
    NUM_IS(ddb_store_insert(f->st, now(f), &s, &undisclosed), APR_SUCCESS, "a session is stored");
    IS(counted(f), "0100 0.0 1.0 0 0 0", "one PutItem of one write unit is counted");
    world_answer(f->w, 200, "{" CAPACITY("0.5") "}");
    NUM_IS(ddb_store_load(f->st, now(f), s.sid, &found), APR_NOTFOUND, "a read finds nothing");
    IS(counted(f), "1100 0.5 1.0 0 0 0", "and its half unit is counted");
    NUM_IS(ddb_store_load(f->st, now(f), "no-id", &found), APR_NOTFOUND, "an ID that can be none");
    IS(counted(f), "1100 0.5 1.0 0 0 0", "causes no call, and none is counted");
    world_answer(f->w, 200, "{" CAPACITY("3.0") "}");
    NUM_IS(ddb_store_save(f->st, now(f), &s, &current), APR_SUCCESS, "a save");
    IS(counted(f), "1110 0.5 4.0 0 0 0", "of three units");
    world_answer(f->w, 200, "{" CAPACITY("2.0") "}");
    NUM_IS(ddb_store_remove(f->st, now(f), s.key), APR_SUCCESS, "an end");
    IS(counted(f), "1111 0.5 6.0 0 0 0", "of two");
    world_answer(f->w, 200, "{}");
    NUM_IS(ddb_store_remove(f->st, now(f), s.key), APR_SUCCESS, "a reply that reports no capacity");
    IS(counted(f), "1112 0.5 6.0 0 0 0", "is a call all the same");
}

static void test_troubles(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_session_t s = session(f);
    ddb_item_t row = { .id = "key",
                       .format = DDB_FORM,
                       .data = "",
                       .created = f->w->now,
                       .accessed = f->w->now,
                       .idle_timeout = 7200,
                       .absolute_timeout = 43200,
                       .version = 1 };

    s.key = "key";
    s.row = &row;
    s.accessed = f->w->now - apr_time_from_sec(60);
    world_answer(f->w, 400, ERROR("ConditionalCheckFailedException"));
    NUM_IS(ddb_store_touch(f->st, now(f), &s), APR_NOTFOUND, "a touch whose condition fails");
    IS(counted(f), "0010 0.0 0.0 0 0 0 conflict 1", "is counted as that, and as no failure");
    world_answer(f->w, 400, ERROR("ThrottlingException"));
    world_answer(f->w, 400, ERROR("ThrottlingException"));
    world_answer(f->w, 200, "{" CAPACITY("1.0") "}");
    NUM_IS(ddb_store_remove(f->st, now(f), "key"), APR_SUCCESS, "a call that is throttled twice");
    IS(counted(f), "0011 0.0 1.0 2 2 0 conflict 1", "is one call, and two retries");
    world_answer(f->w, 400, ERROR("ResourceNotFoundException"));
    NUM_IS(ddb_store_remove(f->st, now(f), "key") == APR_SUCCESS, 0, "a call that is refused");
    IS(counted(f), "0012 0.0 1.0 2 2 0 conflict 1 invalid-request 1", "is a failed one");
}

static void test_breaker(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int i;

    for (i = 0; i < 3 * LIMIT; i++) {
        world_fail(f->w, DDB_EUNAVAILABLE, 0);
    }
    for (i = 0; i < LIMIT; i++) {
        NUM_IS(ddb_store_remove(f->st, now(f), "key") == APR_SUCCESS, 0, "a call without an answer");
    }
    IS(counted(f), "0002 0.0 0.0 4 0 1 broken 2", "has its retries, and the breaker opens once");
    NUM_IS(ddb_store_remove(f->st, now(f), "key"), DDB_EUNAVAILABLE, "the next call is turned away");
    IS(counted(f), "0002 0.0 0.0 4 0 1 broken 2 rejected 1", "which is no call");
    f->w->mono += apr_time_from_sec(1);
    world_answer(f->w, 200, "{" CAPACITY("1.0") "}");
    NUM_IS(ddb_store_remove(f->st, now(f), "key"), APR_SUCCESS, "a probe is answered");
    IS(counted(f), "0003 0.0 1.0 4 0 1 broken 2 rejected 1", "and is a call like others");
}

TAP_MAIN(p)
{
    test_numbers(p);
    test_every_call(p);
    test_times(p);
    test_processes(p);
    test_crowd(p);
    test_calls(p);
    test_troubles(p);
    test_breaker(p);
}
