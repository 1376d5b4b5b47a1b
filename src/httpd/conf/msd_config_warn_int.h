#ifndef MSD_CONFIG_WARN_INT_H
#define MSD_CONFIG_WARN_INT_H

#include <apr_hash.h>

#include "httpd/conf/msd_config_place.h"
#include "httpd/conf/msd_config_warn.h"

/* Between the files of msd_config_warn. */

/** The configuration as it is looked at. */
typedef struct msd_config_warn_t {
    apr_pool_t *pool;
    server_rec *main_server;
    const apr_array_header_t *places; /* msd_config_place_t of read_directives: all, or those near one of them */
    apr_hash_t *by_host;              /* <VirtualHost>, NULL for the main server: array of its places */
    int startup;                      /* APLOG_STARTUP for a terminal; 0 for the error log, with its usual prefix */
} msd_config_warn_t;

/** Log one line for all virtual hosts that accept each other's sessions. */
void msd_config_warn_hosts(const msd_config_warn_t *config);

/** Log one line if a limit denies, and clients seem to share the address of a balancer. */
void msd_config_warn_limits(const msd_config_warn_t *config);

/** Log a line for each SessionDynamoDBImport that is over, or lasts for long. */
void msd_config_warn_import(const msd_config_warn_t *config);

/** Log a line if sessions are bound to devices at this place, but browsers can't register any. */
void msd_config_warn_device(const msd_config_warn_t *config, const msd_config_place_t *at);

#endif
