#ifndef MSD_DIRECTIVES_DEVICE_H
#define MSD_DIRECTIVES_DEVICE_H

#include <httpd.h>
#include <http_config.h>

/* The setters of SessionDynamoDBDeviceBound, DevicePath, DeviceLifetime and DeviceWindow. @return NULL, or an error
 * message. */
const char *msd_directives_device_set(cmd_parms *cmd, void *dir, const char *word);
const char *msd_directives_device_path(cmd_parms *cmd, void *dir, const char *path);
const char *msd_directives_device_lifetime(cmd_parms *cmd, void *dir, const char *time);
const char *msd_directives_device_window(cmd_parms *cmd, void *dir, const char *time);

#endif
