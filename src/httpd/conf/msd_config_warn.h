#ifndef MSD_CONFIG_WARN_H
#define MSD_CONFIG_WARN_H

#include "httpd/conf/msd_config.h"

/**
 * Log settings that are allowed but surely unintended, each in one line with the place and the remedy, for apachectl
 * configtest and the error log at startup. Warnings: mod_session is Off; another store is named in the same place;
 * browsers do not send the cookie back; others can read the endpoint's traffic or a key file. Notices, because they may
 * be intended: programs have no access to sessions; virtual hosts accept each other's sessions. Requires a
 * configuration without errors from msd_config_check. What only a request decides (.htaccess, expressions) is not
 * checked. p is the configuration's pool.
 */
void msd_config_warn(apr_pool_t *p, server_rec *main_server);

#endif
