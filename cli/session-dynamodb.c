/* session-dynamodb: what an operator does with the table of mod_session_dynamodb. This file is the run of the program;
 * what each command does is in the others, and how in the rooms under src/. */

#include <stdlib.h>

#include <apr_general.h>
#include <apr_signal.h>

#include "commands.h"

static exit_e call_service(const options_t *o, report_t *r, apr_pool_t *p)
{
    connection_t c = { .curl = NULL };
    const char *provider;
    exit_e status = connect_open(&c, o, r, p);

    if (status == EXIT_GOOD && o->command != CHECK) {
        status = connect_find_credentials(&c, &provider, r, p);
    }
    if (status == EXIT_GOOD) {
        status = o->command == CHECK          ? check_table(&c, o, r, p)
                 : o->command == CREATE_TABLE ? check_create(&c, o, r, p)
                 : o->command == SHOW         ? rows_show(&c, o, r, p)
                 : o->command == VERIFY       ? verify_all(&c, o, r, p)
                 : o->command == TOP          ? rows_top(&c, o, r, p)
                 : o->command == LIST         ? users_list(&c, o, r, p)
                 : o->command == END          ? (o->user ? users_end : rows_end)(&c, o, r, p)
                                              : rows_purge(&c, o, r, p);
    }
    connect_close(&c);
    return status;
}

int main(int argc, const char *const *argv)
{
    const char *problem = NULL;
    options_t o;
    report_t r;
    exit_e status;
    apr_pool_t *p;
    apr_status_t rv;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        return EXIT_NO_ANSWER;
    }
    (void)atexit(apr_terminate);
    /* Where libcurl is older than 7.87, OpenSSL writes to sockets without MSG_NOSIGNAL: a connection that broke would
     * end the program amid a sweep, and so would a reader of its output that is gone. Both are errors of a write. */
    (void)apr_signal(SIGPIPE, SIG_IGN);
    rv = options_read(&o, argc, argv, &problem, p);
    if (rv == APR_EOF) {
        return EXIT_GOOD;
    }
    report_begin(&r, o.name, o.json, o.progress, p);
    status = rv != APR_SUCCESS     ? report_usage(&r, problem)
             : o.command == POLICY ? policy_print(&o, &r, p)
             : o.command == COST   ? cost_print(&o, &r, p)
                                   : call_service(&o, &r, p);
    status = report_end(&r, status);
    apr_pool_destroy(p); /* with it the credentials are wiped */
    return (int)status;
}
