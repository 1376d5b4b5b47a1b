/* Which failures are logged: one a second of each kind, of all processes together, and the others are counted. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "httpd/child/msd_failure_log.h"
#include "tap.h"
#include "crowd.h"

#define BEGAN    apr_time_from_sec(1000)
#define SECOND   apr_time_from_sec(1)
#define CHILDREN 4
#define FAILURES 500

static msd_failure_log_t *fresh(apr_pool_t *p)
{
    msd_failure_log_t *o = NULL;

    if (msd_failure_log_create(&o, p) != APR_SUCCESS) {
        printf("Bail out! no shared memory\n");
        exit(1);
    }
    return o;
}

/** A failure to read: what the line says at its end; "-" for none. */
static const char *fails(msd_failure_log_t *o, apr_time_t now, apr_pool_t *p)
{
    const char *line = msd_failure_log_line(o, MSD_FAILURE_LOG_READ, now, p);

    return line ? line : "-";
}

static void test_a_second(apr_pool_t *p)
{
    msd_failure_log_t *o = fresh(p);

    IS(fails(o, BEGAN, p), "", "the first failure is logged");
    IS(fails(o, BEGAN, p), "-", "one at the same moment is not");
    IS(fails(o, BEGAN + SECOND - 1, p), "-", "nor another one within the second");
    IS(fails(o, BEGAN + SECOND, p), "; 2 more since the last line of this kind", "then one is, and tells of them");
    IS(fails(o, BEGAN + SECOND - 5, p), "-", "who read the clock a little earlier is within its second");
    IS(fails(o, BEGAN + 5 * SECOND, p), "; 1 more since the last line of this kind", "however late the next comes");
    IS(fails(o, BEGAN + 9 * SECOND, p), "", "with none between them nothing is told");
}

static void test_kinds(apr_pool_t *p)
{
    msd_failure_log_t *o = fresh(p);

    IS(fails(o, BEGAN, p), "", "a read that fails is logged");
    IS(msd_failure_log_line(o, MSD_FAILURE_LOG_WRITE, BEGAN, p), "", "and so is a write");
    OK(!msd_failure_log_line(o, MSD_FAILURE_LOG_WRITE, BEGAN, p), "once");
    IS(fails(o, BEGAN + SECOND, p), "", "the line of a read does not count writes");
}

static void test_rest(apr_pool_t *p)
{
    msd_failure_log_t *o = fresh(p);

    OK(!msd_failure_log_rest(o, BEGAN, p), "without failures there is no rest");
    fails(o, BEGAN, p);
    OK(!msd_failure_log_rest(o, BEGAN + 9 * SECOND, p), "nor with one that was logged");
    fails(o, BEGAN + 9 * SECOND, p);
    fails(o, BEGAN + 9 * SECOND, p);
    msd_failure_log_line(o, MSD_FAILURE_LOG_QUEUE, BEGAN + 8 * SECOND, p);
    msd_failure_log_line(o, MSD_FAILURE_LOG_QUEUE, BEGAN + 8 * SECOND, p);
    OK(!msd_failure_log_rest(o, BEGAN + 10 * SECOND - 1, p), "while a line may come that tells it, it waits");
    IS(msd_failure_log_rest(o, BEGAN + 11 * SECOND, p),
       "2 more failures or refusals, not logged because of the limit of one line a second", "then it is told");
    OK(!msd_failure_log_rest(o, BEGAN + 20 * SECOND, p), "once");
    fails(o, BEGAN + 30 * SECOND, p);
    fails(o, BEGAN + 30 * SECOND, p);
    OK(msd_failure_log_rest(o, APR_INT64_MAX, p), "at the end it does not wait");
}

static void test_none(apr_pool_t *p)
{
    IS(fails(NULL, BEGAN, p), "", "without shared memory each failure is logged");
    IS(fails(NULL, BEGAN, p), "", "as it comes");
    OK(!msd_failure_log_rest(NULL, BEGAN, p), "and none is left");
}

/** @return how many are logged of FAILURES at the same moment. */
static int fail(void *shared, int number, apr_pool_t *p)
{
    int i, logged = 0;

    (void)number;
    for (i = 0; i < FAILURES; i++) {
        logged += msd_failure_log_line(shared, MSD_FAILURE_LOG_READ, BEGAN, p) ? 1 : 0;
    }
    return logged;
}

static void test_together(apr_pool_t *p)
{
    msd_failure_log_t *o = fresh(p);
    int i, status, logged;

    fflush(stdout);
    for (i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            _exit(fail(o, i, p));
        }
    }
    logged = crowd_work(fail, o);
    for (i = 0; i < CHILDREN; i++) {
        wait(&status);
        logged += WEXITSTATUS(status);
    }
    NUM_IS(logged, 1, "of the failures of all processes and threads at one moment one is logged");
    IS(fails(o, BEGAN + SECOND, p),
       apr_psprintf(p, "; %d more since the last line of this kind", (CHILDREN + CROWD_SIZE) * FAILURES - 1),
       "and none is lost");
}

TAP_MAIN(p)
{
    test_a_second(p);
    test_kinds(p);
    test_rest(p);
    test_none(p);
    test_together(p);
}
