/* ddb_process: command lines, and programs that are run for what they print: real ones of the machine, none of which
 * runs longer than it is let. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/ddb_process.h"
#include "tap.h"

static apr_pool_t *pool;
static ddb_process_t process;
static ddb_error_t err;

/* --- command lines --- */

/* Words with a bar behind each. */
static const char *split(const char *line)
{
    const char *all = "";
    char **argv;

    if (ddb_process_split(&argv, line, pool) != APR_SUCCESS) {
        return "wrong";
    }
    for (; *argv; argv++) {
        all = apr_pstrcat(pool, all, *argv, "|", NULL);
    }
    return all;
}

static void test_split(void)
{
    static const char *const lines[][2] = {
        { "", "" },
        { " \t\r\n", "" },
        { "a", "a|" },
        { "  a  b\tc\nd ", "a|b|c|d|" },
        { "'a b' c", "a b|c|" },
        { "\"a b\" c", "a b|c|" },
        { "--x=\"a b\"'c d'e", "--x=a bc de|" },
        { "''", "|" },
        { "a \"\" b", "a||b|" },
        { "a\\ b c", "a b|c|" },
        { "'a\\'", "a\\|" },
        { "\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d|" },
        { "\\'a\\'", "'a'|" },
        { "'a\"b' \"c'd\"", "a\"b|c'd|" },
        { "a\\\nb", "a\nb|" },
        { "# a", "#|a|" },
        { "$HOME ~ * `x`", "$HOME|~|*|`x`|" },
        { "a;b|c>d", "a;b|c>d|" },
        { "'", "wrong" },
        { "\"", "wrong" },
        { "a 'b", "wrong" },
        { "a \"b", "wrong" },
        { "a\\", "wrong" },
        { "\"a\\", "wrong" },
        { "'a'b\"c", "wrong" },
        { "\"\\\"", "wrong" },
        { "\xc3\xa9 x", "\xc3\xa9|x|" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        IS(split(lines[i][0]), lines[i][1], apr_pstrcat(pool, "words: ", lines[i][1], NULL));
    }
}

/* --- running --- */

static apr_status_t run(const char *first, const char *second, const char *third)
{
    char *argv[] = { (char *)first, (char *)second, (char *)third, NULL };

    memset(&err, 0, sizeof(err));
    process.argv = argv;
    process.timeout = process.timeout ? process.timeout : apr_time_from_sec(20);
    process.max_output = process.max_output ? process.max_output : 1000;
    return ddb_process_run(&process, pool, &err);
}

static apr_status_t run_shell(const char *script)
{
    return run("sh", "-c", script);
}

static void reset(void)
{
    memset(&process, 0, sizeof(process));
}

static void test_output(void)
{
    reset();
    NUM_IS(run("echo", "a  b;c $HOME", NULL), APR_SUCCESS, "a program of PATH is run");
    IS(process.output, "a  b;c $HOME\n", "with its arguments as they are, and what it prints is there");
    NUM_IS(process.output_len, 13, "with its length");
    NUM_IS(run("/bin/sh", "-c", "printf 'a\\0b'; echo hush >&2"), APR_SUCCESS, "one by its path");
    NUM_IS(process.output_len, 3, "prints a NUL, and its messages go nowhere");
    NUM_IS(run("true", NULL, NULL), APR_SUCCESS, "one that prints nothing");
    IS(process.output, "", "gives an empty text");
    NUM_IS(run("cat", NULL, NULL), APR_SUCCESS, "one that reads finds nothing to read");
    NUM_IS(run_shell("printf '%1000s' x"), APR_SUCCESS, "as much as it may print");
    NUM_IS(process.output_len, 1000, "is read");
    NUM_IS(run_shell("sleep 0.05; printf a; sleep 0.05; printf b"), APR_SUCCESS, "one that takes its time");
    IS(process.output, "ab", "is read to its end");
}

static void test_failures(void)
{
    reset();
    NUM_IS(run("/nonexistent/program", NULL, NULL), DDB_ECONFIG, "a program that is not there");
    OK(strncmp(err.detail, "could not be started", 20) == 0, "is named so");
    NUM_IS(run_shell("echo out; exit 3"), DDB_EUNAVAILABLE, "one that ends with another status than 0");
    IS(err.detail, "ended with status 3", "is told by its status");
    NUM_IS(run_shell("nonexistent-program"), DDB_ECONFIG, "a shell that finds no program is no better");
    NUM_IS(run_shell("kill -9 $$"), DDB_EUNAVAILABLE, "one that a signal ends");
    IS(err.detail, "was ended by signal 9", "by the signal");
    NUM_IS(run_shell("printf '%1001s' hush; sleep 30"), DDB_ETOOLARGE, "one that prints too much is not waited for");
    IS(err.detail, "printed more than 1000 bytes and was killed", "and told by that");
    errno = 0;
    OK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "none of them is left as a zombie");
}

/* As long as any process of the group is there. */
static int is_alive(pid_t group)
{
    int tries = 200;

    while (kill(-group, 0) == 0 && --tries > 0) {
        usleep(10000); /* the kernel, or init, takes killed grandchildren away on their own time */
    }
    return tries == 0;
}

static pid_t read_pid(const char *path)
{
    char line[20] = "";
    FILE *f = fopen(path, "r");

    if (!f || !fgets(line, sizeof(line), f)) {
        line[0] = '\0';
    }
    if (f) {
        fclose(f);
    }
    return (pid_t)atoi(line);
}

static void test_timeout(void)
{
    char dir[] = "/tmp/test_process.XXXXXX";
    const char *path;
    apr_time_t start = apr_time_now();
    pid_t group;

    if (!mkdtemp(dir)) {
        printf("Bail out! no directory\n");
        exit(1);
    }
    path = apr_pstrcat(pool, dir, "/pid", NULL);
    reset();
    process.timeout = apr_time_from_msec(300);
    NUM_IS(run_shell(apr_psprintf(pool, "echo $$ >%s; sleep 60 & sleep 61", path)), APR_TIMEUP,
           "one that takes too long");
    OK(strstr(err.detail, "was killed"), "is killed");
    OK(apr_time_now() - start < apr_time_from_sec(10), "in time");
    group = read_pid(path);
    OK(group > 1 && !is_alive(group), "with those it started");
    NUM_IS(run_shell("exec >/dev/null; sleep 60"), APR_TIMEUP,
           "one that closes its output and goes on is killed as well");
    NUM_IS(run_shell("trap '' TERM INT HUP; sleep 60"), APR_TIMEUP, "one that wants no signal too");
    errno = 0;
    OK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "and there is no zombie");
    unlink(path);
    rmdir(dir);
}

static void *cancel_soon(void *baton)
{
    usleep(100000);
    ddb_cancel_set(baton);
    return NULL;
}

/* @return how long it took. */
static apr_time_t run_and_cancel(const char *script, const char *name)
{
    apr_pool_t *p;
    pthread_t thread;
    apr_time_t start = apr_time_now();

    apr_pool_create(&p, pool);
    reset();
    process.timeout = apr_time_from_sec(50);
    process.cancel = ddb_cancel_create(p);
    pthread_create(&thread, NULL, cancel_soon, process.cancel);
    NUM_IS(run_shell(script), APR_EINTR, name);
    IS(err.detail, "was killed: this process is stopping", "and it is said so");
    pthread_join(thread, NULL);
    NUM_IS(run_shell("true"), APR_EINTR, "after that none is started");
    apr_pool_destroy(p);
    return apr_time_now() - start;
}

static void test_cancel(void)
{
    char dir[] = "/tmp/test_process.XXXXXX";
    const char *path = mkdtemp(dir) ? apr_pstrcat(pool, dir, "/pid", NULL) : "/nonexistent";
    apr_time_t most = apr_time_from_sec(20);
    pid_t group;

    OK(run_and_cancel(apr_psprintf(pool, "echo $$ >%s; sleep 60 & sleep 61", path), "a program is cancelled") < most,
       "at once");
    group = read_pid(path);
    OK(group > 1 && !is_alive(group), "with those it started");
    OK(run_and_cancel("exec >/dev/null; sleep 60", "one that has closed its output") < most, "at once");
    OK(run_and_cancel(apr_psprintf(pool, "setsid sleep 60 & echo $! >%s; exec sleep 60", path),
                      "one whose output somebody else holds open")
           < most,
       "at once");
    kill(read_pid(path), SIGKILL);
    process.cancel = ddb_cancel_create(pool);
    NUM_IS(run_shell("echo a"), APR_SUCCESS, "one that is not cancelled ends as any other");
    IS(process.output, "a\n", "with what it prints");
    NUM_IS(run_shell("exit 3"), DDB_EUNAVAILABLE, "or fails as any other");
    ddb_cancel_set(process.cancel);
    errno = 0;
    OK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "and there is no zombie");
    unlink(path);
    rmdir(dir);
}

static int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (d && readdir(d)) {
        n++;
    }
    if (d) {
        closedir(d);
    }
    return n;
}

static void test_inheritance(void)
{
    int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 300), before = open_descriptors();
    sigset_t all, old;

    reset();
#if DDB_PROCESS_CLOSES_ALL
    /* ls itself has one more, for the directory. */
    NUM_IS(run("ls", "/proc/self/fd", NULL), APR_SUCCESS, "a program that lists its descriptors");
    IS(process.output, "0\n1\n2\n3\n", "has the three alone, though ours are not close-on-exec");
#endif
    NUM_IS(run_shell("readlink /proc/self/fd/0 /proc/self/fd/2"), APR_SUCCESS, "of these");
    IS(process.output, "/dev/null\n/dev/null\n", "two lead nowhere");
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    signal(SIGPIPE, SIG_IGN);
    NUM_IS(run("grep", "SigBlk", "/proc/self/status"), APR_SUCCESS, "where a thread blocks signals");
    IS(process.output, "SigBlk:\t0000000000000000\n", "a program it runs does not");
    NUM_IS(run("grep", "SigIgn", "/proc/self/status"), APR_SUCCESS, "where a thread ignores signals");
    OK(!(strtoull(process.output + 8, NULL, 16) & 0x7fffffff), "a program it runs does not");
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close(fd);
    close(high);
    NUM_IS(open_descriptors(), before - 2, "no descriptor is left open");
}

static void *run_often(void *baton)
{
    int i, *good = baton;
    apr_pool_t *p;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    for (i = 0; i < 10; i++) {
        char *argv[] = { (char *)"echo", apr_psprintf(p, "%d", i), NULL };
        ddb_process_t mine = { .argv = argv, .timeout = apr_time_from_sec(20), .max_output = 10 };
        if (ddb_process_run(&mine, p, NULL) == APR_SUCCESS && atoi(mine.output) == i && mine.output_len == 2) {
            (*good)++;
        }
    }
    apr_pool_destroy(p);
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[4];
    int i, good[4] = { 0 };

    for (i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, run_often, &good[i]);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    NUM_IS(good[0] + good[1] + good[2] + good[3], 40, "threads run programs at once, each gets its own output");
}

TAP_MAIN(p)
{
    pool = p;
    test_split();
    test_output();
    test_failures();
    test_timeout();
    test_cancel();
    test_inheritance();
    test_threads();
}
