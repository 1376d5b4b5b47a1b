#ifndef MSD_DIRECTIVES_H
#define MSD_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

/** The directive table. An invalid value is refused at its line, with the reason and a valid value. */
extern const command_rec msd_directives[];

#endif
