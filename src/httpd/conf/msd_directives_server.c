/* The directives for a whole server: the check of each value. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <ap_provider.h>
#include <ap_socache.h>
#include <http_config.h>

#include "aws/ddb_partition.h"
#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_server.h"

/* Half as long as a tombstone lives (DDB_STORE_TOMBSTONE): a request with a cached row is as one that began so many
 * seconds ago, and has to find it still. */
#define CACHE_MOST 30

/* The field whose offset is in the directive's row of the table. */
#define FIELD(type, record, cmd) ((type *)((char *)(record) + (apr_size_t)(cmd)->info))

static msd_server_config_t *server_of(cmd_parms *cmd)
{
    return msd_config_server(cmd->server);
}

const char *msd_directives_server_set_flag(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    *FIELD(int, server_of(cmd), cmd) = on;
    return NULL;
}

const char *msd_directives_server_set_table(cmd_parms *cmd, void *dir, const char *arg)
{
    ddb_table_arn_t arn;
    const char *problem = ddb_partition_is_arn(arg) ? ddb_partition_parse_arn(&arn, arg, cmd->pool)
                                                    : ddb_partition_check_table(arg, cmd->pool);

    (void)dir;
    server_of(cmd)->table = arg;
    return problem ? apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem) : NULL;
}

const char *msd_directives_server_set_endpoint_url(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem = ddb_endpoint_check_url(arg, cmd->pool);

    (void)dir;
    server_of(cmd)->endpoint_url = arg;
    return problem ? apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", problem, NULL) : NULL;
}

const char *msd_directives_server_set_region(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem = ddb_partition_check_region(arg, cmd->pool);

    (void)dir;
    server_of(cmd)->region = arg;
    return problem ? apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", problem, NULL) : NULL;
}

const char *msd_directives_server_set_profile(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    server_of(cmd)->profile = arg;
    return *arg ? NULL : apr_psprintf(cmd->pool, "%s: the name is empty", cmd->cmd->name);
}

/** Set the path, absolute or relative to ServerRoot, of a file that must exist. */
const char *msd_directives_server_set_file(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);
    apr_finfo_t info;

    (void)dir;
    if (!path || apr_stat(&info, path, APR_FINFO_TYPE, cmd->temp_pool) != APR_SUCCESS || info.filetype != APR_REG) {
        return apr_psprintf(cmd->pool, "%s: there is no file %s", cmd->cmd->name, path ? path : arg);
    }
    *FIELD(const char *, server_of(cmd), cmd) = path;
    return NULL;
}

/** Only in the main server: all servers of a child share its connections, and so their CA certificates. */
const char *msd_directives_server_set_ca_file(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *misplaced = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return misplaced ? misplaced : msd_directives_server_set_file(cmd, dir, arg);
}

const char *msd_directives_server_set_proxy(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *misplaced = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    server_of(cmd)->proxy = arg;
    if (!misplaced && ddb_endpoint_check_url(arg, cmd->pool)) {
        return apr_psprintf(cmd->pool,
                            "%s: use http:// or https://, a host and optionally a port, such as http://proxy:3128, "
                            "without user or path",
                            cmd->cmd->name);
    }
    return misplaced;
}

const char *msd_directives_server_set_timeout(cmd_parms *cmd, void *dir, const char *arg)
{
    /* httpd's parent process kills a stopping child after ten seconds, so a call must take less. */
    const apr_interval_time_t least = apr_time_from_msec(100), most = apr_time_from_sec(8);
    apr_interval_time_t t = 0;

    (void)dir;
    if (!apr_isdigit(arg[0]) || ap_timeout_parameter_parse(arg, &t, "s") != APR_SUCCESS || t < least || t > most) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a time from 100ms to 8s, such as 2s or 500ms", cmd->cmd->name,
                            arg);
    }
    *FIELD(apr_interval_time_t, server_of(cmd), cmd) = t;
    return NULL;
}

const char *msd_directives_server_set_max_attempts(cmd_parms *cmd, void *dir, const char *arg)
{
    char *end = NULL;
    apr_int64_t n = apr_strtoi64(arg, &end, 10);

    (void)dir;
    if (!apr_isdigit(arg[0]) || *end || n < 1 || n > 10) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number of attempts from 1 to 10", cmd->cmd->name, arg);
    }
    server_of(cmd)->max_attempts = (int)n;
    return NULL;
}

const char *msd_directives_server_set_warm_connections(cmd_parms *cmd, void *dir, const char *arg)
{
    char *end;
    apr_int64_t n = apr_strtoi64(arg, &end, 10);

    (void)dir;
    if (end == arg || *end || n < 0 || n > 64) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number from 0 to 64", cmd->cmd->name, arg);
    }
    server_of(cmd)->warm_connections = (int)n;
    return NULL;
}

/** The provider named `name`, or the reason why there is none. */
static const char *find_provider(const ap_socache_provider_t **provider, const char *name, apr_pool_t *p)
{
    *provider = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name, AP_SOCACHE_PROVIDER_VERSION);
    if (*provider) {
        return NULL;
    }
    if (strcmp(name, AP_SOCACHE_DEFAULT_PROVIDER) == 0) {
        return "there is no cache: load mod_socache_shmcb, or name another provider";
    }
    return apr_psprintf(p, "there is no cache provider '%s': load mod_socache_%s, or name another provider", name,
                        name);
}

/** Create the cache named as PROVIDER[:ARGUMENTS]. @return NULL, or the reason why there is none. */
static const char *create_cache(msd_server_config_t *c, const char *cache, const cmd_parms *cmd)
{
    const char *arguments = strchr(cache, ':');
    const char *name = arguments ? apr_pstrmemdup(cmd->pool, cache, (apr_size_t)(arguments - cache)) : cache;
    const char *problem = find_provider(&c->cache_provider, name, cmd->pool);

    return problem ? problem
                   : c->cache_provider->create(&c->cache_instance, arguments ? arguments + 1 : NULL, cmd->temp_pool,
                                               cmd->pool);
}

/** Only in the main server: a change in one virtual host must be seen in all that share its sessions. */
const char *msd_directives_server_set_cache(cmd_parms *cmd, void *dir, const char *seconds, const char *cache)
{
    const char *problem = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    msd_server_config_t *c = server_of(cmd);
    char *end = NULL;
    apr_int64_t n = strcasecmp(seconds, "Off") == 0 ? 0 : apr_strtoi64(seconds, &end, 10);

    (void)dir;
    if (problem) {
        return problem;
    }
    if (end ? !apr_isdigit(seconds[0]) || *end || n < 1 || n > CACHE_MOST : cache != NULL) {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither a number of seconds from 1 to %d nor Off alone",
                            cmd->cmd->name, seconds, CACHE_MOST);
    }
    problem = n ? create_cache(c, cache ? cache : AP_SOCACHE_DEFAULT_PROVIDER, cmd) : NULL;
    c->cache = problem ? MSD_UNSET : (int)n;
    return problem ? apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem) : NULL;
}

const char *msd_directives_server_set_breaker(cmd_parms *cmd, void *dir, const char *arg)
{
    char *end = NULL;
    apr_int64_t n = strcasecmp(arg, "Off") == 0 ? 0 : apr_strtoi64(arg, &end, 10);

    (void)dir;
    if (end && (!apr_isdigit(arg[0]) || *end || n < 1 || n > 1000)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither a number of calls from 1 to 1000 nor Off", cmd->cmd->name,
                            arg);
    }
    server_of(cmd)->breaker = (int)n;
    return NULL;
}

/** Parse N/SECONDS. @return 0 if rate is something else. */
static int parse_rate(const char *rate, msd_limit_t *limit)
{
    char *slash = NULL, *end = NULL;
    apr_int64_t most = apr_strtoi64(rate, &slash, 10), seconds;

    if (!apr_isdigit(rate[0]) || *slash != '/' || !apr_isdigit(slash[1])) {
        return 0;
    }
    seconds = apr_strtoi64(slash + 1, &end, 10);
    if (*end || most < 1 || most > MSD_LIMIT_MOST || seconds < 1 || seconds > MSD_LIMIT_SECONDS_MOST) {
        return 0;
    }
    limit->most = (int)most;
    limit->seconds = (int)seconds;
    return 1;
}

const char *msd_directives_server_set_limit(cmd_parms *cmd, void *dir, const char *rate, const char *mode)
{
    msd_limit_t *limit = apr_pcalloc(cmd->pool, sizeof(*limit));
    int off = strcasecmp(rate, "Off") == 0;

    (void)dir;
    *FIELD(const msd_limit_t *, server_of(cmd), cmd) = limit;
    limit->denies = mode && strcasecmp(mode, "deny") == 0;
    if (off ? !mode : mode && (limit->denies || strcasecmp(mode, "log") == 0) && parse_rate(rate, limit)) {
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "%s: '%s%s%s' is neither a number from 1 to %d, a slash, a number of seconds from 1 to %d, and "
                        "log or deny, such as 20/60 log, nor Off alone",
                        cmd->cmd->name, rate, mode ? " " : "", mode ? mode : "", MSD_LIMIT_MOST,
                        MSD_LIMIT_SECONDS_MOST);
}

/** The absolute path of a log; NULL if there is no directory for it, or one of that name. */
static const char *find_log(const char *arg, const cmd_parms *cmd)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *dir = slash ? apr_pstrmemdup(cmd->temp_pool, path, (apr_size_t)(slash - path) + 1) : NULL;
    apr_finfo_t info;

    if (!dir || apr_stat(&info, dir, APR_FINFO_TYPE, cmd->temp_pool) != APR_SUCCESS || info.filetype != APR_DIR) {
        return NULL;
    }
    return apr_stat(&info, path, APR_FINFO_TYPE, cmd->temp_pool) == APR_SUCCESS && info.filetype == APR_DIR ? NULL
                                                                                                            : path;
}

const char *msd_directives_server_set_event_log(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *log = *arg == '|'                                 ? arg[strspn(arg, "| ")] ? arg : NULL
                      : strcasecmp(arg, MSD_EVENT_LOG_ERROR) == 0 ? MSD_EVENT_LOG_ERROR
                      : strcasecmp(arg, "None") == 0              ? ""
                      : *arg                                      ? find_log(arg, cmd)
                                                                  : NULL;

    (void)dir;
    server_of(cmd)->event_log = log;
    return log ? NULL
               : apr_psprintf(cmd->pool,
                              "%s: '%s' is neither a file in a directory that exists nor \"|PROGRAM\", error or None",
                              cmd->cmd->name, arg);
}
