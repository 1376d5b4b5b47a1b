#ifndef MSD_CONFIG_CHECK_INT_H
#define MSD_CONFIG_CHECK_INT_H

#include "httpd/conf/msd_config_check.h"

/* Shared by the files of msd_config_check. */

/** Report each SessionDynamoDBImport that cannot work. @return 1 if there is none. p: the configuration's pool. */
int msd_config_check_import(apr_pool_t *p, const server_rec *main_server);

#endif
