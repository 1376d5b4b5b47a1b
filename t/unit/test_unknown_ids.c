/* What is remembered of table keys that are no session's: for how long, of which table, and that no key is ever taken
 * for a missing one, whoever writes at the same moment or is killed meanwhile. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "httpd/child/msd_unknown_ids.h"
#include "tap.h"
#include "crowd.h"

#define BEGAN    apr_time_from_sec(1000)
#define ROUNDS   4000
#define CHILDREN 3

static apr_status_t no_random(void *out, apr_size_t len)
{
    (void)out;
    (void)len;
    return APR_EGENERAL;
}

static msd_unknown_ids_t *fresh(apr_pool_t *p)
{
    msd_unknown_ids_t *m = NULL;

    if (msd_unknown_ids_create(&m, ddb_crypto_random, p) != APR_SUCCESS) {
        printf("Bail out! no shared memory\n");
        exit(1);
    }
    return m;
}

static void test_a_minute(apr_pool_t *p)
{
    msd_unknown_ids_t *m = fresh(p);
    apr_time_t last = BEGAN + apr_time_from_sec(60) - 1;

    OK(!msd_unknown_ids_holds(m, "key", BEGAN, p), "nothing is known of a key");
    OK(!msd_unknown_ids_holds(m, "", 0, p), "nor of an empty one at the beginning of time");
    msd_unknown_ids_add(m, "key", MSD_UNKNOWN_IDS_ABSENT, BEGAN, p);
    OK(msd_unknown_ids_holds(m, "key", BEGAN, p), "what was missed is remembered");
    OK(msd_unknown_ids_holds(m, "key", BEGAN - 5, p), "also by who read the clock a little earlier");
    OK(!msd_unknown_ids_holds(m, "key2", BEGAN, p), "another key is not");
    OK(!msd_unknown_ids_holds(m, "ke", BEGAN, p), "nor the beginning of it");
    OK(msd_unknown_ids_holds(m, "key", last, p), "for a minute");
    OK(!msd_unknown_ids_holds(m, "key", last + 1, p), "and no longer");
    NUM_IS(msd_unknown_ids_holds(m, "key", BEGAN, p), MSD_UNKNOWN_IDS_ABSENT, "as one without a row");
    msd_unknown_ids_add(m, "over", MSD_UNKNOWN_IDS_OVER, BEGAN, p);
    NUM_IS(msd_unknown_ids_holds(m, "over", last - 1, p), MSD_UNKNOWN_IDS_OVER, "or as one whose session is over");
    OK(!msd_unknown_ids_holds(m, "over", last + 4, p), "for as long, by some microseconds");
    msd_unknown_ids_add(m, "over", MSD_UNKNOWN_IDS_ABSENT, last + 5, p);
    NUM_IS(msd_unknown_ids_holds(m, "over", last + 5, p), MSD_UNKNOWN_IDS_ABSENT, "until its row is gone, too");
    msd_unknown_ids_add(m, "past", MSD_UNKNOWN_IDS_EXPIRED, BEGAN, p);
    NUM_IS(msd_unknown_ids_holds(m, "past", last - 1, p), MSD_UNKNOWN_IDS_EXPIRED, "or by its timeouts");
    msd_unknown_ids_add(m, "key", MSD_UNKNOWN_IDS_ABSENT, last + 1, p);
    OK(msd_unknown_ids_holds(m, "key", last + apr_time_from_sec(59), p),
       "missed again, it is remembered for another one");
}

static void test_forget(apr_pool_t *p)
{
    msd_unknown_ids_t *m = fresh(p);

    msd_unknown_ids_forget(m, "key", BEGAN, p);
    msd_unknown_ids_add(m, "key", MSD_UNKNOWN_IDS_ABSENT, BEGAN, p);
    msd_unknown_ids_forget(m, "other", BEGAN, p);
    OK(msd_unknown_ids_holds(m, "key", BEGAN, p), "another key's session changes nothing");
    msd_unknown_ids_forget(m, "key", BEGAN, p);
    OK(!msd_unknown_ids_holds(m, "key", BEGAN, p), "a session under the key is the end of it");
    msd_unknown_ids_add(m, "key", MSD_UNKNOWN_IDS_ABSENT, BEGAN, p);
    OK(msd_unknown_ids_holds(m, "key", BEGAN, p), "until it is missed again");
}

static void test_tables(apr_pool_t *p)
{
    msd_unknown_ids_t *m = fresh(p);
    msd_unknown_ids_t *a = msd_unknown_ids_of_table(m, "a", p), *b = msd_unknown_ids_of_table(m, "b", p);

    msd_unknown_ids_add(a, "key", MSD_UNKNOWN_IDS_ABSENT, BEGAN, p);
    OK(msd_unknown_ids_holds(msd_unknown_ids_of_table(m, "a", p), "key", BEGAN, p), "each server of a table knows it");
    OK(!msd_unknown_ids_holds(b, "key", BEGAN, p), "none of another table");
    OK(!msd_unknown_ids_holds(msd_unknown_ids_of_table(m, "ya", p), "ke", BEGAN, p), "however key and table join");
    msd_unknown_ids_forget(b, "key", BEGAN, p);
    OK(msd_unknown_ids_holds(a, "key", BEGAN, p), "nor does another table's session end it");
}

static void test_none(apr_pool_t *p)
{
    msd_unknown_ids_t *m = NULL;

    NUM_IS(msd_unknown_ids_create(&m, no_random, p), APR_EGENERAL, "without random bytes there is no memory");
    OK(m == NULL, "at all");
    msd_unknown_ids_add(NULL, "key", MSD_UNKNOWN_IDS_ABSENT, BEGAN, p);
    msd_unknown_ids_forget(NULL, "key", BEGAN, p);
    OK(!msd_unknown_ids_holds(NULL, "key", BEGAN, p), "and nothing is remembered");
}

static void test_bounded(apr_pool_t *p)
{
    msd_unknown_ids_t *m = fresh(p);
    int i, known = 0, wrong = 0;

    for (i = 0; i < 30000; i++) {
        msd_unknown_ids_add(m, apr_psprintf(p, "key-%d", i), MSD_UNKNOWN_IDS_ABSENT, BEGAN, p);
    }
    OK(msd_unknown_ids_holds(m, "key-29999", BEGAN, p), "the last of many is remembered");
    for (i = 0; i < 30000; i++) {
        known += msd_unknown_ids_holds(m, apr_psprintf(p, "key-%d", i), BEGAN, p);
        wrong += msd_unknown_ids_holds(m, apr_psprintf(p, "live-%d", i), BEGAN, p);
    }
    OK(known > 6000 && known <= 8192, "of the others as many as there is room for");
    NUM_IS(wrong, 0, "no other key is taken for one of them");
}

/** All write and read at once; half of the keys are sessions', which nobody ever missed. */
static int meet(void *shared, int number, apr_pool_t *p)
{
    int i, wrong = 0;

    for (i = 0; i < ROUNDS; i++) {
        const char *key = apr_psprintf(p, "%d", i % 64);

        msd_unknown_ids_add(shared, key, MSD_UNKNOWN_IDS_ABSENT, BEGAN + i + number, p);
        wrong += msd_unknown_ids_holds(shared, apr_pstrcat(p, "live-", key, NULL), BEGAN + i, p);
        if (i % 64 == 63) {
            apr_pool_clear(p);
        }
    }
    return wrong;
}

/** Write until killed. */
static pid_t begin_child(msd_unknown_ids_t *m)
{
    pid_t pid = fork();
    apr_pool_t *p = NULL;
    int i;

    if (pid == 0) {
        apr_pool_create(&p, NULL);
        for (i = 0;; i++) {
            msd_unknown_ids_add(m, apr_psprintf(p, "%d", i % 20000), MSD_UNKNOWN_IDS_ABSENT, BEGAN + i, p);
            if (i % 64 == 0) {
                apr_pool_clear(p);
            }
        }
    }
    return pid;
}

static void test_children(apr_pool_t *p)
{
    msd_unknown_ids_t *m = fresh(p);
    pid_t pids[CHILDREN];
    int i, known = 0, wrong;

    fflush(stdout);
    for (i = 0; i < CHILDREN; i++) {
        pids[i] = begin_child(m);
    }
    wrong = crowd_work(meet, m);
    for (i = 0; i < CHILDREN; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    NUM_IS(wrong, 0, "no session is taken for missing while all write");
    for (i = 0; i < 20000; i++) {
        known += msd_unknown_ids_holds(m, apr_psprintf(p, "%d", i), BEGAN, p);
    }
    OK(known > 0, "what children missed is known to others when they are dead");
    for (i = 0, known = 0; i < 20000; i++) {
        const char *key = apr_psprintf(p, "after-%d", i);
        msd_unknown_ids_add(m, key, MSD_UNKNOWN_IDS_ABSENT, BEGAN, p);
        known += msd_unknown_ids_holds(m, key, BEGAN, p);
    }
    NUM_IS(known, 20000, "and no slot is lost by their death");
}

TAP_MAIN(p)
{
    test_a_minute(p);
    test_forget(p);
    test_tables(p);
    test_none(p);
    test_bounded(p);
    test_children(p);
}
