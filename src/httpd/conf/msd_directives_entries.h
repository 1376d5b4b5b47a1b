#ifndef MSD_DIRECTIVES_ENTRIES_H
#define MSD_DIRECTIVES_ENTRIES_H

#include <httpd.h>
#include <http_config.h>

/*
 * Setters for the directives whose arguments are names of entries, for the directive table (TAKE_ARGV). Each returns
 * NULL, or an error message with a valid value. Several lines in one section add up; "None" alone is an empty list.
 */
const char *msd_directives_entries_forward(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *msd_directives_entries_accept(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *msd_directives_entries_protect(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *msd_directives_entries_env(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *msd_directives_entries_user(cmd_parms *cmd, void *dir, int argc, char *const argv[]);
const char *msd_directives_entries_mask(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

#endif
