#ifndef MSD_DIRECTIVES_KEYS_H
#define MSD_DIRECTIVES_KEYS_H

#include <httpd.h>
#include <http_config.h>

/*
 * Setters for directives whose arguments are sources of keys, for use in the directive table (TAKE_ARGV). Each returns
 * NULL, or the fault and its remedy, which never contain a key.
 */

/** Any keys; info: the offset of the field in msd_dir_config_t, an apr_array_header_t of const char *. */
const char *msd_directives_keys_set(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/** Keys that seal, among them DDB_SEAL_CLEAR. */
const char *msd_directives_keys_set_seal(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/** Keys of the lists of users' sessions. */
const char *msd_directives_keys_set_user(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/** Keys of the hashes in events; of the server, not of dir. */
const char *msd_directives_keys_set_event(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

#endif
