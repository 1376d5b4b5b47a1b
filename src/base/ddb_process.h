#ifndef DDB_PROCESS_H
#define DDB_PROCESS_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_cancel.h"
#include "base/ddb_error.h"

/**
 * 1 where the C library can close all but the three standard descriptors for a program (glibc 2.34). Elsewhere it
 * inherits those that are not close-on-exec; APR's and ddb_curl's are.
 */
#ifdef __GLIBC_PREREQ
#define DDB_PROCESS_CLOSES_ALL __GLIBC_PREREQ(2, 34)
#else
#define DDB_PROCESS_CLOSES_ALL 0
#endif

/** A program that is run to its end for its output. */
typedef struct ddb_process_t {
    char *const *argv;           /* the program, looked for in PATH, its arguments, NULL */
    apr_interval_time_t timeout; /* then it is killed, with its child processes */
    apr_size_t max_output;       /* bytes; a program that prints more is killed */
    ddb_cancel_t *cancel;        /* kills it, too; NULL: never set */
    char *output;                /* result: output_len bytes and a NUL, in p and wiped with it */
    apr_size_t output_len;
} ddb_process_t;

/**
 * Run it without a shell: nothing to read, its messages dropped, in a process group of its own, with no descriptor of
 * ours (see DDB_PROCESS_CLOSES_ALL) and no signal blocked or ignored. Waits by the machine's clock. Thread safe;
 * leaves no zombie.
 * @return APR_SUCCESS when it ended with status 0; APR_TIMEUP; APR_EINTR when cancelled; DDB_ETOOLARGE; DDB_ECONFIG
 *         when it can't be started; DDB_EUNAVAILABLE when it failed. The detail says which, in words that follow the
 *         program's name.
 */
apr_status_t ddb_process_run(ddb_process_t *process, apr_pool_t *p, ddb_error_t *err);

/**
 * Split a command line into words as Python's shlex.split() does, in p: blanks part them, '...' is literal, "..." is
 * but for \\ and \", a backslash elsewhere makes the next character literal. Nothing is expanded.
 * @return DDB_ECONFIG for a quote that does not end and a backslash with nothing behind it.
 */
apr_status_t ddb_process_split(char ***argv, const char *line, apr_pool_t *p);

#endif
