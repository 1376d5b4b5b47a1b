#ifndef MSD_DIRECTIVES_SIZES_H
#define MSD_DIRECTIVES_SIZES_H

#include <httpd.h>
#include <http_config.h>

/* The setters of the directives that limit how much a session holds. Each returns NULL, or an error message. */
const char *msd_directives_sizes_max_size(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_sizes_max_entries(cmd_parms *cmd, void *dir, const char *arg);
const char *msd_directives_sizes_compress(cmd_parms *cmd, void *dir, const char *arg);

#endif
