#ifndef MSD_COOKIE_AREAS_H
#define MSD_COOKIE_AREAS_H

#include "httpd/conf/msd_config.h"

/*
 * What the areas of a virtual host, the places where SessionDynamoDB is On, have in common: a program in one of them is
 * not to see the session of another.
 */

/** Once the configuration is complete: fill in each server's cookie_names. p is the configuration's pool. */
void msd_cookie_areas_find(apr_pool_t *p, server_rec *main_server);

#endif
