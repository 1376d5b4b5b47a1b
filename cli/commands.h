#ifndef COMMANDS_H
#define COMMANDS_H

#include "connect.h"

/* The commands: each reports what it finds and returns what the program ends with. */

exit_e check_table(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);
exit_e check_create(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);

exit_e rows_show(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);
exit_e rows_end(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);
exit_e rows_top(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);
exit_e rows_purge(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);

exit_e verify_all(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);

exit_e users_list(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);
exit_e users_end(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);

/* These make no calls. */
exit_e policy_print(const options_t *o, report_t *r, apr_pool_t *p);
exit_e cost_print(const options_t *given, report_t *r, apr_pool_t *p);

#endif
