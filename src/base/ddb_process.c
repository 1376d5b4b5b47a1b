/* Programs that are run for what they print, and command lines. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "base/ddb_clock.h"
#include "base/ddb_crypto.h"
#include "base/ddb_process.h"

#define FIRST_OF_OURS 3                     /* behind stdin, stdout, stderr */
#define END_CHECK     apr_time_from_msec(5) /* between two looks whether it has ended */
#define NOT_STARTED   127                   /* how posix_spawn and shells say it when it is too late for an error */

/* NOLINTNEXTLINE(readability-redundant-declaration): POSIX leaves the declaration to the program. */
extern char **environ;

/* --- command lines --- */

/* apr_tokenize_to_argv reads other words: it parts --a="b c" at the blank, and leaves the quotes and backslashes in. */

/** Where the word at hand is written, behind what is read already. */
typedef struct split_t {
    const char *in;
    char *out;
    int wrong;
} split_t;

static void take_escaped(split_t *s)
{
    s->in++;
    if (*s->in) {
        *s->out++ = *s->in++;
    }
    else {
        s->wrong = 1;
    }
}

static void take_quoted(split_t *s)
{
    char quote = *s->in++;

    while (*s->in && *s->in != quote && !s->wrong) {
        if (quote == '"' && *s->in == '\\' && (s->in[1] == '"' || s->in[1] == '\\' || !s->in[1])) {
            take_escaped(s);
        }
        else {
            *s->out++ = *s->in++;
        }
    }
    if (*s->in) {
        s->in++;
    }
    else {
        s->wrong = 1;
    }
}

static void take_word(split_t *s)
{
    while (*s->in && !strchr(" \t\r\n", *s->in) && !s->wrong) {
        if (*s->in == '"' || *s->in == '\'') {
            take_quoted(s);
        }
        else if (*s->in == '\\') {
            take_escaped(s);
        }
        else {
            *s->out++ = *s->in++;
        }
    }
    *s->out++ = '\0';
}

apr_status_t ddb_process_split(char ***argv, const char *line, apr_pool_t *p)
{
    apr_array_header_t *words = apr_array_make(p, 8, sizeof(char *));
    /* A word is no longer than what it is read from, and the NUL takes the place of what parts it from the next. */
    split_t s = { .in = line, .out = apr_palloc(p, strlen(line) + 1) };

    for (s.in += strspn(s.in, " \t\r\n"); *s.in && !s.wrong; s.in += strspn(s.in, " \t\r\n")) {
        APR_ARRAY_PUSH(words, char *) = s.out;
        take_word(&s);
    }
    APR_ARRAY_PUSH(words, char *) = NULL;
    *argv = (char **)words->elts;
    return s.wrong ? DDB_ECONFIG : APR_SUCCESS;
}

/* --- starting --- */

/** A program under way. */
typedef struct run_t {
    ddb_process_t *process;
    pid_t pid;
    int fd;              /* what it prints */
    apr_time_t deadline; /* monotonic */
    ddb_error_t *err;
} run_t;

/* httpd's threads block and ignore signals, and a program would inherit that. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
           || posix_spawnattr_setsigmask(attributes, &none) || posix_spawnattr_setsigdefault(attributes, &all)
           || posix_spawnattr_setpgroup(attributes, 0);
}

static int set_files(posix_spawn_file_actions_t *actions, int output)
{
    return posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
           || posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO)
           || posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
#if DDB_PROCESS_CLOSES_ALL
           || posix_spawn_file_actions_addclosefrom_np(actions, FIRST_OF_OURS)
#endif
        ;
}

/*
 * Not apr_proc_create: between fork and exec it runs the cleanups of all pools, which other threads may be changing at
 * that moment, and takes locks that they may hold. posix_spawn does there only what is safe with threads.
 */
static int start(run_t *r, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);

    if (code) {
        return code;
    }
    code = posix_spawnattr_init(&attributes);
    if (!code) {
        code = set_files(&actions, output) || set_signals(&attributes)
                   ? ENOMEM
                   : posix_spawnp(&r->pid, r->process->argv[0], &actions, &attributes, r->process->argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static int start_unless_cancelled(run_t *r, int output)
{
    int code = ECANCELED;

    if (ddb_cancel_starting(r->process->cancel)) {
        code = start(r, output);
        ddb_cancel_started(r->process->cancel, code ? 0 : (apr_uint32_t)r->pid);
    }
    return code;
}

static apr_time_t now(void)
{
    return ddb_clock_monotonic(&ddb_clock_system);
}

/* --- listening --- */

static int is_cancelled(const run_t *r)
{
    return ddb_cancel_is_set(r->process->cancel);
}

static apr_status_t no_longer(const run_t *r)
{
    if (is_cancelled(r)) {
        return ddb_error_set(r->err, APR_EINTR, "was killed: this process is stopping");
    }
    return ddb_error_set(r->err, APR_TIMEUP, "took longer than %" APR_INT64_T_FMT " s and was killed",
                         apr_time_sec(r->process->timeout));
}

/* 1 when something can be read, or the end. */
static int await_output(const run_t *r)
{
    struct pollfd fd = { .fd = r->fd, .events = POLLIN };
    apr_interval_time_t left;
    int n = 0;

    while (n <= 0 && !is_cancelled(r) && (left = r->deadline - now()) > 0) {
        /* What it started and let go of may hold the other end, where no kill reaches. */
        left = r->process->cancel && left > DDB_CANCEL_LOOK ? DDB_CANCEL_LOOK : left;
        n = poll(&fd, 1, (int)apr_time_as_msec(left) + 1);
        if (n < 0 && errno != EINTR) {
            return 0;
        }
    }
    return n > 0;
}

static apr_status_t read_output(run_t *r)
{
    ddb_process_t *process = r->process;
    ssize_t n = 1;

    while (n != 0) {
        if (!await_output(r)) {
            return no_longer(r);
        }
        /* One more than it may have, to see that there is more. */
        n = read(r->fd, process->output + process->output_len, process->max_output + 1 - process->output_len);
        if (n < 0 && errno != EINTR) {
            return ddb_error_set(r->err, DDB_EUNAVAILABLE, "could not be read");
        }
        process->output_len += n > 0 ? (apr_size_t)n : 0;
        if (process->output_len > process->max_output) {
            return ddb_error_set(r->err, DDB_ETOOLARGE, "printed more than %" APR_SIZE_T_FMT " bytes and was killed",
                                 process->max_output);
        }
    }
    process->output[process->output_len] = '\0';
    return APR_SUCCESS;
}

/* --- ending --- */

/* 1 also when other code reaped it. */
static int has_ended(const run_t *r)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid != 0 : errno != EINTR;
}

/* The end of its output is not yet its own. */
static int await_end(const run_t *r)
{
    while (!has_ended(r)) {
        if (is_cancelled(r) || now() >= r->deadline) {
            return 0;
        }
        ddb_clock_system.sleep(NULL, END_CHECK);
    }
    return 1;
}

/* When other code reaped it, its output must suffice. */
static int take_status(const run_t *r)
{
    int status = 0;

    ddb_cancel_ended(r->process->cancel);
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static apr_status_t judge(const run_t *r, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return APR_SUCCESS;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED) {
        return ddb_error_set(r->err, DDB_ECONFIG, "could not be started, or exited with status %d", NOT_STARTED);
    }
    return WIFEXITED(status) ? ddb_error_set(r->err, DDB_EUNAVAILABLE, "ended with status %d", WEXITSTATUS(status))
                             : ddb_error_set(r->err, DDB_EUNAVAILABLE, "was ended by signal %d", WTERMSIG(status));
}

static apr_status_t see_through(run_t *r)
{
    apr_status_t rv = read_output(r);
    int status;

    if (rv == APR_SUCCESS && !await_end(r)) {
        rv = no_longer(r);
    }
    if (rv != APR_SUCCESS) {
        /* The group is there as long as its leader has not been waited for. */
        kill(-r->pid, SIGKILL);
    }
    status = take_status(r);
    rv = rv == APR_SUCCESS ? judge(r, status) : rv;
    return rv != APR_SUCCESS && is_cancelled(r) ? no_longer(r) : rv;
}

static apr_status_t wipe_output(void *data)
{
    ddb_process_t *process = data;

    ddb_crypto_wipe(process->output, process->max_output + 1);
    return APR_SUCCESS;
}

apr_status_t ddb_process_run(ddb_process_t *process, apr_pool_t *p, ddb_error_t *err)
{
    run_t r = { .process = process, .err = err, .deadline = now() + process->timeout };
    ddb_process_t *owned = apr_palloc(p, sizeof(*owned));
    apr_status_t rv;
    char reason[80];
    int ends[2], code;

    process->output = apr_pcalloc(p, process->max_output + 2);
    process->output_len = 0;
    *owned = *process; /* the caller's may be gone before p */
    apr_pool_cleanup_register(p, owned, wipe_output, apr_pool_cleanup_null);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ddb_error_set(err, DDB_EUNAVAILABLE, "could not be started: no pipe");
    }
    code = start_unless_cancelled(&r, ends[1]);
    close(ends[1]);
    r.fd = ends[0];
    rv = code == ECANCELED ? no_longer(&r)
         : code            ? ddb_error_set(err, DDB_ECONFIG, "could not be started: %s",
                                           apr_strerror(APR_FROM_OS_ERROR(code), reason, sizeof(reason)))
                           : see_through(&r);
    close(ends[0]);
    return rv;
}
