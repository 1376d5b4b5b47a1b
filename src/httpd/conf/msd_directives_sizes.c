/* The directives that limit how much a session holds. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_sizes.h"

/* Bytes of an item; an item without entries takes up to half of this. */
#define SIZE_LEAST   1024
#define ENTRIES_MOST 100000 /* more do not fit into an item */

/** Parse bytes, or units of 1024 with a K, from least to DynamoDB's limit. @return 0 if arg is invalid. */
static int parse_bytes(const char *arg, int least, int *out)
{
    char *end = NULL;
    apr_int64_t n = apr_strtoi64(arg, &end, 10), unit = *end == 'K' || *end == 'k' ? 1024 : 1;

    if (!apr_isdigit(arg[0]) || end[unit == 1024] || n > DDB_ITEM_SIZE_MAX || n * unit < least
        || n * unit > DDB_ITEM_SIZE_MAX) {
        return 0;
    }
    *out = (int)(n * unit);
    return 1;
}

const char *msd_directives_sizes_max_size(cmd_parms *cmd, void *dir, const char *arg)
{
    msd_config_note(cmd, dir);
    return parse_bytes(arg, SIZE_LEAST, &((msd_dir_config_t *)dir)->max_size)
               ? NULL
               : apr_psprintf(cmd->pool,
                              "%s: '%s' is not a size from 1K to 400K, the limit of DynamoDB: use bytes, or K for KiB, "
                              "such as 64K",
                              cmd->cmd->name, arg);
}

const char *msd_directives_sizes_max_entries(cmd_parms *cmd, void *dir, const char *arg)
{
    char *end = NULL;
    apr_int64_t n = apr_strtoi64(arg, &end, 10);

    msd_config_note(cmd, dir);
    if (!apr_isdigit(arg[0]) || *end || n < 1 || n > ENTRIES_MOST) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number from 1 to %d", cmd->cmd->name, arg, ENTRIES_MOST);
    }
    ((msd_dir_config_t *)dir)->max_entries = (int)n;
    return NULL;
}

const char *msd_directives_sizes_compress(cmd_parms *cmd, void *dir, const char *arg)
{
    msd_dir_config_t *c = dir;

    msd_config_note(cmd, dir);
    if (strcasecmp(arg, "Off") == 0) {
        c->compress = 0;
        return NULL;
    }
    return parse_bytes(arg, 1, &c->compress)
               ? NULL
               : apr_psprintf(cmd->pool,
                              "%s: '%s' is neither Off nor a size from 1 to 400K: use the minimum size to compress in "
                              "bytes, or K for KiB, such as 2K",
                              cmd->cmd->name, arg);
}
