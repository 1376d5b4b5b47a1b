#ifndef MSD_DIRECTIVES_BIND_H
#define MSD_DIRECTIVES_BIND_H

#include <httpd.h>
#include <http_config.h>

/*
 * The setter of SessionDynamoDBBind: KIND[/SETTINGS] ACTION, or None. The lines of a section add up. @return NULL, or
 * an error message.
 */
const char *msd_directives_bind_set(cmd_parms *cmd, void *dir, const char *kind, const char *action);

#endif
