/* SessionDynamoDBDeviceBound, DevicePath, DeviceLifetime and DeviceWindow. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>

#include "base/ddb_array.h"
#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_device.h"

#define LIFETIME_LEAST 300 /* browsers sign six times in nine minutes for all hosts of a site */
#define LIFETIME_MOST  3600
#define WINDOW_LEAST   10
#define WINDOW_MOST    600

/* "httpd -D SESSION_DYNAMODB_SHORT_LIFETIMES": for tests with a browser whose limit is switched off. */
#define SHORT_LIFETIMES "SESSION_DYNAMODB_SHORT_LIFETIMES"

const char *msd_directives_device_set(cmd_parms *cmd, void *dir, const char *word)
{
    /* In the order of msd_device_bound_e. */
    static const char *const words[] = { "Off", "On", "Require" };
    apr_size_t i;

    msd_config_note(cmd, dir);
    for (i = 0; i < DDB_ARRAY_LENGTH(words); i++) {
        if (strcasecmp(word, words[i]) == 0) {
            ((msd_dir_config_t *)dir)->device_bound = (int)i;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool, "%s: '%s' is unknown: use Off, On or Require", cmd->cmd->name, word);
}

const char *msd_directives_device_path(cmd_parms *cmd, void *dir, const char *path)
{
    apr_size_t len = strlen(path);
    const char *c;

    msd_config_note(cmd, dir);
    for (c = path; apr_isalnum(*c) || (*c && strchr("/-._~", *c)); c++) {
    }
    if (*c || path[0] != '/' || len < 2 || path[len - 1] != '/' || strstr(path, "//")
        || strstr(path, "/.") == path + len - 2 || strstr(path, "/../") || strstr(path, "/./")) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a folder of this site: use letters, digits and any of - . _ ~ between two "
                            "slashes, such as /.device-session/",
                            cmd->cmd->name, path);
    }
    ((msd_dir_config_t *)dir)->device_path = path;
    return NULL;
}

static int read_seconds(const char *text, apr_int64_t *out)
{
    apr_interval_time_t t = 0;

    *out = apr_isdigit(text[0]) && ap_timeout_parameter_parse(text, &t, "s") == APR_SUCCESS && t % APR_USEC_PER_SEC == 0
               ? t / APR_USEC_PER_SEC
               : -1;
    return *out >= 0;
}

const char *msd_directives_device_lifetime(cmd_parms *cmd, void *dir, const char *time)
{
    apr_int64_t seconds, least = ap_exists_config_define(SHORT_LIFETIMES) ? 2 : LIFETIME_LEAST;

    msd_config_note(cmd, dir);
    if (!read_seconds(time, &seconds) || seconds < least || seconds > LIFETIME_MOST) {
        return apr_psprintf(
            cmd->pool,
            "%s: '%s' is not a valid time: use whole seconds from %d to %d. Browsers renew the proof six "
            "times in nine minutes at most, for all hosts of a site together",
            cmd->cmd->name, time, LIFETIME_LEAST, LIFETIME_MOST);
    }
    ((msd_dir_config_t *)dir)->device_lifetime = seconds;
    return NULL;
}

const char *msd_directives_device_window(cmd_parms *cmd, void *dir, const char *time)
{
    apr_int64_t seconds, least = ap_exists_config_define(SHORT_LIFETIMES) ? 2 : WINDOW_LEAST;

    msd_config_note(cmd, dir);
    if (!read_seconds(time, &seconds) || seconds < least || seconds > WINDOW_MOST) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a valid time: use whole seconds from %d to %d", cmd->cmd->name,
                            time, WINDOW_LEAST, WINDOW_MOST);
    }
    ((msd_dir_config_t *)dir)->device_window = seconds;
    return NULL;
}
