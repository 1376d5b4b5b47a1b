#ifndef MSD_OTHER_STORES_H
#define MSD_OTHER_STORES_H

#include <httpd.h>

/*
 * mod_session asks one store after the other for a session. Where SessionDynamoDB is On ours is asked first and
 * answers, so that mod_session_cookie's and mod_session_dbd's directives, often left in an outer section, do nothing.
 */

/** In check_config: a warning for each directive of another store that meets SessionDynamoDB On in a section. */
void msd_other_stores_check(apr_pool_t *p, server_rec *main_server);

#endif
