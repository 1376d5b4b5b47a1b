#ifndef MSD_CONFIG_CHECK_H
#define MSD_CONFIG_CHECK_H

#include "httpd/conf/msd_config.h"

/**
 * What is wrong with settings that are right one by one but not together: NULL, or a sentence with the remedy, in p.
 * *cookie (may be NULL) is set to 1 when a cookie directive is to blame. Asked once per section when httpd starts, and
 * per request, because only a request knows all sections that meet in it.
 */
const char *msd_config_check_dir(const msd_dir_config_t *resolved, int *cookie, apr_pool_t *p);

/**
 * The check_config hook: everything that can be wrong with a finished configuration, so that apachectl configtest says
 * it. Fills in the defaults and the endpoint of each server.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after one line per fault in the log.
 */
int msd_config_check(apr_pool_t *p, server_rec *main_server);

#endif
