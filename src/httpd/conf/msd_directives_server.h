#ifndef MSD_DIRECTIVES_SERVER_H
#define MSD_DIRECTIVES_SERVER_H

#include <httpd.h>
#include <http_config.h>

/*
 * Setters for the directives of a whole server, for the directive table (TAKE1). Each returns NULL, or an error message
 * with a valid value. Those for a file, a flag and a timeout set the field whose offset is in the directive table.
 */
const char *msd_directives_server_set_table(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_endpoint_url(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_region(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_profile(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_file(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_ca_file(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_proxy(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_timeout(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_max_attempts(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_warm_connections(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_flag(cmd_parms *cmd, void *dir, int on);
const char *msd_directives_server_set_breaker(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_server_set_event_log(cmd_parms *cmd, void *dir, const char *arg);

/** TAKE12: N/SECONDS and log or deny, or Off alone; sets the field whose offset is in the directive table. */
const char *msd_directives_server_set_limit(cmd_parms *cmd, void *dir, const char *rate, const char *mode);

/** TAKE12: cache is PROVIDER[:ARGUMENTS], or NULL. */
const char *msd_directives_server_set_cache(cmd_parms *cmd, void *dir, const char *seconds, const char *cache);

#endif
