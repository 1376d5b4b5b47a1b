#ifndef MSD_COOKIE_AREAS_H
#define MSD_COOKIE_AREAS_H

#include "httpd/conf/msd_config.h"

/*
 * The areas of a virtual host are the places where SessionDynamoDB is On. A program in one of them must not see the
 * session of another.
 */

/** The name of the cookie that proves the device (SessionDynamoDBDeviceBound), in p. c is resolved. */
const char *msd_cookie_areas_device(const msd_dir_config_t *c, apr_pool_t *p);

/** Fill in each server's cookie_names. Call when the configuration is complete. p is the configuration's pool. */
void msd_cookie_areas_find(apr_pool_t *p, server_rec *main_server);

#endif
