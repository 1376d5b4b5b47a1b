#ifndef MSD_DIRECTIVES_NAMES_H
#define MSD_DIRECTIVES_NAMES_H

#include <httpd.h>
#include <http_config.h>

/*
 * Setters for directives whose one argument is a name, for use in the directive table (TAKE1), with the offset of the
 * field in msd_dir_config_t as info. Each returns NULL, or the fault and its remedy.
 */
const char *msd_directives_names_cookie(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_names_header(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_names_header_or_none(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_names_path(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_names_domain(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_names_audience(cmd_parms *cmd, void *dir, const char *arg);

/** The same with several arguments (TAKE_ARGV): types of Clear-Site-Data, as the header's value. */
const char *msd_directives_names_site_data(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

/** 1 for what can be the attribute Path, or Domain, of a cookie. */
int msd_directives_names_is_path(const char *arg);
int msd_directives_names_is_domain(const char *arg);

#endif
