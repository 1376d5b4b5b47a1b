#ifndef REPORT_H
#define REPORT_H

#include <apr_pools.h>

#include "base/ddb_error.h"
#include "base/ddb_json.h"

/* The output of the program: lines for people, or one JSON object. Progress goes to stderr in both cases. */

typedef enum exit_e {
    EXIT_GOOD,
    EXIT_WRONG, /* something is wrong, or was not found */
    EXIT_USAGE,
    EXIT_NO_ANSWER,    /* the service could not be reached, or refused the caller */
    EXIT_STOPPED = 130 /* as shells have it for SIGINT */
} exit_e;

typedef struct report_t {
    ddb_json_t *json; /* what is printed at the end; NULL: lines */
    int progress;     /* 1: say it line by line; 2: on a terminal, in one line */
    int in_progress;  /* the terminal's line is begun */
    apr_time_t last;  /* when progress was said */
    apr_pool_t *pool;
} report_t;

/** command: NULL without a command. progress: wanted even if stderr is not a terminal. */
void report_begin(report_t *r, const char *command, int json, int progress, apr_pool_t *p);

/** One fact: "label: value", or the member name. label NULL: only in JSON. */
void report_text(report_t *r, const char *name, const char *label, const char *value);
void report_number(report_t *r, const char *name, const char *label, double value);

/** A line for people; JSON has it in another form. */
void report_line(report_t *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Progress; at most once a second, except for the first and the last. */
void report_progress(report_t *r, int always, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Report a failure. @return the exit status for it. */
exit_e report_failure(report_t *r, apr_status_t rv, const ddb_error_t *err);
exit_e report_usage(report_t *r, const char *problem);

/** Print the rest. @return status. */
int report_end(report_t *r, exit_e status);

#endif
