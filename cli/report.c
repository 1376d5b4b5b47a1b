/* What is printed: lines or JSON on stdout, errors of people and progress on stderr, and the exit status. */

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "report.h"

void report_begin(report_t *r, const char *command, int json, int progress, apr_pool_t *p)
{
    r->json = json ? ddb_json_object(p) : NULL;
    r->progress = isatty(STDERR_FILENO) ? 2 : progress ? 1 : 0;
    r->in_progress = 0;
    r->last = 0;
    r->pool = p;
    if (r->json && command) {
        ddb_json_set_str(r->json, "command", command);
    }
}

/* So that what follows does not stand behind it. */
static void end_progress(report_t *r)
{
    if (r->in_progress) {
        (void)fputc('\n', stderr);
        r->in_progress = 0;
    }
}

void report_text(report_t *r, const char *name, const char *label, const char *value)
{
    if (r->json) {
        ddb_json_set_str(r->json, name, value);
    }
    else if (label) {
        report_line(r, "%s: %s", label, value);
    }
}

void report_number(report_t *r, const char *name, const char *label, double value)
{
    if (r->json) {
        ddb_json_set_number(r->json, name, value);
    }
    else if (label) {
        report_line(r, "%s: %.15g", label, value);
    }
}

void report_line(report_t *r, const char *format, ...)
{
    va_list args;

    if (r->json) {
        return;
    }
    end_progress(r);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void report_progress(report_t *r, int always, const char *format, ...)
{
    apr_time_t now = apr_time_now();
    va_list args;

    if (!r->progress || (!always && r->last && now - r->last < apr_time_from_sec(1))) {
        return;
    }
    r->last = now;
    va_start(args, format);
    if (r->progress == 2) {
        (void)fputs("\r\033[K", stderr);
        r->in_progress = 1;
    }
    (void)vfprintf(stderr, format, args);
    va_end(args);
    if (r->progress == 1) {
        (void)fputc('\n', stderr);
    }
    (void)fflush(stderr);
}

static exit_e status_of(apr_status_t rv)
{
    switch (rv) {
    case APR_NOTFOUND:
    case DDB_ECONFLICT:
    case DDB_EREFUSED:
    case DDB_EBADITEM:
        return EXIT_WRONG;
    case APR_EINTR:
        return EXIT_STOPPED;
    default:
        return EXIT_NO_ANSWER;
    }
}

static void set_if_any(ddb_json_t *json, const char *name, const char *value)
{
    if (*value) {
        ddb_json_set_str(json, name, value);
    }
}

exit_e report_failure(report_t *r, apr_status_t rv, const ddb_error_t *err)
{
    char buffer[120];
    const char *what = ddb_error_text(rv, buffer, sizeof(buffer));

    end_progress(r);
    if (r->json) {
        ddb_json_t *error = ddb_json_set_object(r->json, "error");

        ddb_json_set_str(error, "what", what);
        set_if_any(error, "detail", err->detail);
        set_if_any(error, "operation", err->operation);
        set_if_any(error, "type", err->type);
        set_if_any(error, "request_id", err->request_id);
    }
    else if (rv == APR_NOTFOUND || rv == APR_EINTR || !err->operation[0]) {
        (void)fprintf(stderr, "session-dynamodb: %s\n", err->detail[0] ? err->detail : what);
    }
    else {
        (void)fprintf(stderr, "session-dynamodb: %s: %s (%s, type %s, request ID %s, %d attempts)\n", what, err->detail,
                      err->operation, err->type[0] ? err->type : "-", err->request_id[0] ? err->request_id : "-",
                      err->attempts);
    }
    return status_of(rv);
}

exit_e report_usage(report_t *r, const char *problem)
{
    char *text = apr_pstrdup(r->pool, problem), *c;

    /* It may repeat what came on the command line, and JSON is to be JSON. */
    for (c = text; *c; c++) {
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    }
    end_progress(r);
    if (r->json) {
        ddb_json_set_str(ddb_json_set_object(r->json, "error"), "what", text);
    }
    else {
        (void)fprintf(stderr, "session-dynamodb: %s\n", text);
    }
    return EXIT_USAGE;
}

int report_end(report_t *r, exit_e status)
{
    end_progress(r);
    if (r->json) {
        ddb_json_set_number(r->json, "exit_status", status);
        printf("%s\n", ddb_json_print_lines(r->json, r->pool));
    }
    /* Half a report must not pass for a whole one. */
    return fflush(stdout) == 0 && !ferror(stdout) ? (int)status : EXIT_WRONG;
}
