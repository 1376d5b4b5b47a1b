#ifndef MSD_DIRECTIVES_H
#define MSD_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

/** The directive table. Values are refused where they stand, with what is wrong and what would be right. */
extern const command_rec msd_directives[];

#endif
