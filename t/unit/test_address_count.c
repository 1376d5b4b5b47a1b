/* Counts for client addresses: which addresses count together, when a window ends, that no address gets another's count,
 * whoever writes at the same moment or is killed meanwhile, and what is forgotten of more than there is room for. */

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "httpd/child/msd_address_count.h"

#define CROWD_SIZE 16
#include "tap.h"
#include "crowd.h"

#define BEGAN    apr_time_from_sec(1000)
#define SECOND   apr_time_from_sec(1)
#define MOST     20
#define SECONDS  60
#define ROUNDS   500
#define CHILDREN 3
#define ROOM     8192 /* addresses */

static apr_status_t no_random(void *out, apr_size_t len)
{
    (void)out;
    (void)len;
    return APR_EGENERAL;
}

static msd_address_count_t *fresh(apr_pool_t *p)
{
    msd_address_count_t *m = NULL;

    if (msd_address_count_create(&m, 1, ddb_crypto_random, p) != APR_SUCCESS) {
        printf("Bail out! no shared memory\n");
        exit(1);
    }
    return m;
}

static msd_address_count_of_t of(const char *ip)
{
    return (msd_address_count_of_t){ .ip = ip, .most = MOST, .seconds = SECONDS };
}

static msd_address_counted_t add(const msd_address_count_t *m, const char *ip, apr_time_t now)
{
    const msd_address_count_of_t what = of(ip);

    return msd_address_count_add(m, &what, NULL, now);
}

static void test_window(apr_pool_t *p)
{
    const msd_address_count_t *m = fresh(p);
    const msd_address_count_of_t what = of("192.0.2.1");
    msd_address_counted_t c = add(m, "192.0.2.1", BEGAN);
    apr_time_t end = BEGAN + SECONDS * SECOND;

    NUM_IS(c.count, 1, "a first one");
    OK(c.added && c.left == SECONDS, "begins a window");
    c = add(m, "192.0.2.1", BEGAN + SECOND / 2);
    NUM_IS(c.count, 2, "a second one counts");
    NUM_IS(c.left, SECONDS, "and what is left is rounded up");
    NUM_IS(add(m, "192.0.2.1", BEGAN - 5000).count, 3, "also by who read the clock a little earlier");
    c = add(m, "192.0.2.1", end - 1000);
    OK(c.count == 4 && c.left == 1, "up to the last moment of the window");
    msd_address_count_take_back(m, &what, end - 1000);
    NUM_IS(add(m, "192.0.2.1", end - 1000).count, 4, "one that was taken back does not count");
    c = add(m, "192.0.2.1", end);
    OK(c.count == 1 && c.left == SECONDS, "then another one begins");
    msd_address_count_take_back(m, &what, end + SECONDS * SECOND);
    NUM_IS(add(m, "192.0.2.1", end + 1000).count, 2, "from which nothing is taken back when it is over");
    msd_address_count_take_back(m, &what, end);
    msd_address_count_take_back(m, &what, end);
    msd_address_count_take_back(m, &what, end);
    NUM_IS(add(m, "192.0.2.1", end).count, 1, "nor more than there is");
    NUM_IS(add(m, "192.0.2.2", end).count, 1, "another address has a count of its own");
}

static void test_limits(apr_pool_t *p)
{
    const msd_address_count_t *m = fresh(p);
    const msd_address_count_of_t most = { .ip = "192.0.2.1", .most = 5, .seconds = SECONDS },
                                 seconds = { .ip = "192.0.2.1", .most = MOST, .seconds = 1 },
                                 longest = { .ip = "192.0.2.1", .most = MSD_ADDRESS_COUNT_MOST, .seconds = 3600 };
    int i;

    add(m, "192.0.2.1", BEGAN);
    NUM_IS(msd_address_count_add(m, &most, NULL, BEGAN).count, 1, "another limit has a count of its own");
    NUM_IS(msd_address_count_add(m, &seconds, NULL, BEGAN).count, 1, "and so has another window");
    NUM_IS(msd_address_count_add(m, &seconds, NULL, BEGAN + SECOND).count, 1, "which ends sooner");
    for (i = 0; i < 20000; i++) {
        msd_address_count_add(m, &longest, NULL, BEGAN);
    }
    OK(msd_address_count_add(m, &longest, NULL, BEGAN + 3599 * SECOND).count > MSD_ADDRESS_COUNT_MOST,
       "the highest limit is passed, and stays so to the end of the longest window");
    NUM_IS(msd_address_count_add(m, &longest, NULL, BEGAN + 3600 * SECOND).count, 1, "then it begins anew");
}

static void test_addresses(apr_pool_t *p)
{
    static const char *const same[][2] = {
        { "192.0.2.1", "::ffff:192.0.2.1" },
        { "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff" },
        { "2001:db8:1:2::1", "2001:0DB8:0001:0002:0:0:0:9" },
        { "fe80::1%eth0", "fe80::2" },
        { "no address", "no address" },
    };
    static const char *const other[][2] = {
        { "192.0.2.1", "192.0.2.2" },
        { "192.0.2.1", "::192.0.2.1" },
        { "2001:db8:1:2::1", "2001:db8:1:3::1" },
        { "no address", "another" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        const msd_address_count_t *m = fresh(p);

        add(m, same[i][0], BEGAN);
        NUM_IS(add(m, same[i][1], BEGAN).count, 2, apr_pstrcat(p, same[i][0], " counts as ", same[i][1], NULL));
    }
    for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        const msd_address_count_t *m = fresh(p);

        add(m, other[i][0], BEGAN);
        NUM_IS(add(m, other[i][1], BEGAN).count, 1, apr_pstrcat(p, other[i][0], " not as ", other[i][1], NULL));
    }
    IS(msd_address_count_name("192.0.2.1", p), "192.0.2.1", "an address is named");
    IS(msd_address_count_name("::ffff:192.0.2.1", p), "192.0.2.1", "an IPv4 address in IPv6 form as what it is");
    IS(msd_address_count_name("2001:db8:1:2:3:4:5:6", p), "2001:db8:1:2::/64", "an IPv6 address as its network");
    IS(msd_address_count_name("socket", p), "socket", "what is no address as it is");
}

static void test_values(apr_pool_t *p)
{
    const msd_address_count_t *m = fresh(p);
    const msd_address_count_of_t what = of("192.0.2.1"), other = of("192.0.2.2");
    msd_address_counted_t c = msd_address_count_add(m, &what, "one", BEGAN);
    int i, wrong = 0;

    OK(c.added && c.count == 1, "a value counts");
    c = msd_address_count_add(m, &what, "one", BEGAN + SECOND);
    OK(!c.added && c.count == 1 && c.left == SECONDS - 1, "once");
    NUM_IS(msd_address_count_add(m, &other, "one", BEGAN).count, 1, "for each address");
    for (i = 1; i < MOST; i++) {
        msd_address_count_add(m, &what, apr_psprintf(p, "%d", i), BEGAN);
    }
    for (i = 1; i < MOST; i++) {
        wrong += msd_address_count_add(m, &what, apr_psprintf(p, "%d", i), BEGAN).added;
    }
    NUM_IS(wrong, 0, "as many values as the default limit has are known");
    NUM_IS(msd_address_count_add(m, &what, "one", BEGAN).count, MOST, "from the first one");
    c = msd_address_count_add(m, &what, "one", BEGAN + SECONDS * SECOND);
    OK(c.added && c.count == 1, "in the next window it counts again");
    NUM_IS(msd_address_count_add(m, &what, "2", BEGAN + SECONDS * SECOND).count, 2, "and so do the others");
}

static void test_wrap(apr_pool_t *p)
{
    /* Milliseconds in 38 bits: windows that begin before and end after the clock's wrap, and one a round later. */
    const apr_time_t wrap = apr_time_from_msec(APR_INT64_C(1) << 38);
    const msd_address_count_t *m = fresh(p);

    NUM_IS(add(m, "192.0.2.1", wrap - SECOND).count, 1, "a window begins in the last second");
    NUM_IS(add(m, "192.0.2.1", wrap).count, 2, "it goes on after the wrap");
    NUM_IS(add(m, "192.0.2.1", wrap + 58 * SECOND).left, 1, "to its end");
    NUM_IS(add(m, "192.0.2.1", wrap + 59 * SECOND).count, 1, "and no longer");
    NUM_IS(add(m, "192.0.2.2", wrap).count, 1, "a window begins at 0");
    NUM_IS(add(m, "192.0.2.2", wrap + SECOND).count, 2, "and goes on");
    NUM_IS(add(m, "192.0.2.2", wrap / 2 + wrap).count, 1, "half a round later it is over");
}

static void test_none(apr_pool_t *p)
{
    msd_address_count_t *m = NULL;
    const msd_address_count_of_t what = of("192.0.2.1");

    NUM_IS(msd_address_count_create(&m, 0, no_random, p), APR_EGENERAL, "without random bytes there are no counts");
    OK(m == NULL, "at all");
    NUM_IS(add(NULL, "192.0.2.1", BEGAN).count, 0, "and nothing is counted");
    msd_address_count_take_back(NULL, &what, BEGAN);
}

/** More addresses than there is room for, each once, between two counts of one that guesses. */
static void test_full(apr_pool_t *p)
{
    const msd_address_count_t *m = fresh(p);
    apr_pool_t *scratch;
    int i, j, before = 0, wrong = 0, last = 0;

    apr_pool_create(&scratch, p);
    for (i = 0; i < 5; i++) {
        before = add(m, "192.0.2.1", BEGAN).count;
    }
    for (j = 0; j < 5; j++) {
        for (i = 0; i < 2 * ROOM; i++) {
            wrong += add(m, apr_psprintf(scratch, "10.%d.%d.%d", j, i / 256, i % 256), BEGAN).count != 1;
        }
        apr_pool_clear(scratch);
        last = add(m, "192.0.2.1", BEGAN).count;
    }
    NUM_IS(before, 5, "who guesses is counted");
    NUM_IS(wrong, 0, "no other address gets the count of any");
    NUM_IS(last, 10, "and is not forgotten for a flood of others");
    for (i = 0, wrong = 0; i < 2 * ROOM; i++) {
        wrong += add(m, apr_psprintf(scratch, "172.16.%d.%d", i / 256, i % 256), BEGAN + SECONDS * SECOND).count != 1;
    }
    NUM_IS(wrong, 0, "windows that are over make room");
    apr_pool_destroy(scratch);
}

/* ---- all at once ------------------------------------------------------------------------------------------------- */

/** How often each thread was told of the one that passes the limit, in bits above the number of those within it. */
static int guess(void *shared, int number, apr_pool_t *p)
{
    int i, passed = 0, within = 0;

    (void)number;
    (void)p;
    for (i = 0; i < ROUNDS; i++) {
        msd_address_counted_t c = add(shared, "192.0.2.1", BEGAN);

        within += c.count <= MOST;
        passed += c.count == MOST + 1;
    }
    return passed << 16 | within;
}

static void test_crowd(apr_pool_t *p)
{
    msd_address_count_t *m = fresh(p);
    int told;

    add(m, "192.0.2.1", BEGAN);
    told = crowd_work(guess, m);
    NUM_IS(told & 0xffff, MOST - 1, "of sixteen threads' requests just as many are within the limit as it says");
    NUM_IS(told >> 16, 1, "and one passes it");
    NUM_IS(add(m, "192.0.2.1", BEGAN).count, CROWD_SIZE * ROUNDS + 2, "none is lost");
}

/** Guess once from many addresses, more than fit, while others do. @return how many had another's count. */
static int flood(void *shared, int number, apr_pool_t *p)
{
    int i, wrong = 0;

    for (i = 0; i < 20 * ROUNDS; i++) {
        const char *ip = apr_psprintf(p, "10.%d.%d.%d", number, i / 256, i % 256);

        /* No two windows differ by so many milliseconds that one ends. */
        wrong += add(shared, ip, BEGAN + i * 1000).count != 1;
        if (i % 64 == 63) {
            apr_pool_clear(p);
        }
    }
    return wrong;
}

/** Write until killed. */
static pid_t begin_child(const msd_address_count_t *m, int number)
{
    pid_t pid = fork();
    apr_pool_t *p = NULL;
    int i;

    if (pid == 0) {
        apr_pool_create(&p, NULL);
        for (i = 0;; i++) {
            const msd_address_count_of_t what = of(apr_psprintf(p, "172.%d.%d.%d", number, i / 256 % 256, i % 256));

            msd_address_count_add(m, &what, i % 2 ? "value" : NULL, BEGAN + i % 9000 * 1000);
            if (i % 64 == 0) {
                apr_pool_clear(p);
            }
        }
    }
    return pid;
}

static void test_children(apr_pool_t *p)
{
    msd_address_count_t *m = fresh(p);
    pid_t pids[CHILDREN];
    int i, wrong;

    fflush(stdout);
    for (i = 0; i < CHILDREN; i++) {
        pids[i] = begin_child(m, i);
    }
    wrong = crowd_work(flood, m);
    for (i = 0; i < CHILDREN; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    NUM_IS(wrong, 0, "while children count and are killed, no address gets another's count");
    for (i = 0, wrong = 0; i < ROOM; i++) {
        const char *ip = apr_psprintf(p, "192.168.%d.%d", i / 256, i % 256);

        add(m, ip, BEGAN + 10 * SECOND);
        wrong += add(m, ip, BEGAN + 10 * SECOND).count != 2;
    }
    NUM_IS(wrong, 0, "and no slot is lost by their death");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_window, test_limits, test_addresses, test_values, test_wrap, test_none, test_full, test_crowd,
             test_children);
}
