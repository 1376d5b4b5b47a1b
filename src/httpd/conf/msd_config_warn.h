#ifndef MSD_CONFIG_WARN_H
#define MSD_CONFIG_WARN_H

#include "httpd/conf/msd_config.h"

/**
 * Say what is allowed and surely not meant, a line each with the place and the remedy, for apachectl configtest and the
 * error log of a start: mod_session left out; another store named in the same place; a cookie that does not come back;
 * an endpoint, or a key file, that others can read. A notice, because it may be meant: no way between sessions and
 * programs; virtual hosts that take each other's sessions. For a configuration that msd_config_check found good. What
 * only a request decides (.htaccess, expressions) is not judged. p is the configuration's pool.
 */
void msd_config_warn(apr_pool_t *p, server_rec *main_server);

#endif
