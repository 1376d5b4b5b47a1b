#ifndef MSD_DIRECTIVES_IMPORT_H
#define MSD_DIRECTIVES_IMPORT_H

#include <httpd.h>
#include <http_config.h>

/*
 * The setter of SessionDynamoDBImport: cookie NAME until=DATE [path=PATH] [domain=DOMAIN], dbd NAME with the same and
 * [select=LABEL] [delete=LABEL], or None. @return NULL, or an error message.
 */
const char *msd_directives_import_set(cmd_parms *cmd, void *dir, int argc, char *const argv[]);

#endif
