#ifndef MSD_CONFIG_CHECK_H
#define MSD_CONFIG_CHECK_H

#include "httpd/conf/msd_config.h"

/**
 * Check settings that are valid by themselves, but not together. Called once per section when httpd starts, and for
 * each request, because only a request shows which sections apply together.
 * @return NULL, or a sentence with the remedy, in p. *cookie (may be NULL) is set to 1 if a cookie directive is the
 *         cause.
 */
const char *msd_config_check_dir(const msd_dir_config_t *resolved, int *cookie, apr_pool_t *p);

/**
 * The check_config hook: reports all errors of a complete configuration, so that apachectl configtest shows them. Fills
 * in the defaults and the endpoint of each server.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after logging one line per error.
 */
int msd_config_check(apr_pool_t *p, server_rec *main_server);

#endif
