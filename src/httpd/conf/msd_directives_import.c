/* The directive SessionDynamoDBImport. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_time.h"
#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_import.h"
#include "httpd/conf/msd_directives_names.h"

#define DATE_LEN 10 /* 2027-03-01 */

/** A date, which means its beginning, or a date with time and time zone. */
static int read_time(apr_time_t *t, const char *text, apr_pool_t *p)
{
    const char *zoned = strlen(text) == DATE_LEN ? apr_pstrcat(p, text, "T00:00:00Z", NULL) : text;

    return ddb_time_parse_zoned(t, zoned) == APR_SUCCESS;
}

static const char *set_until(cmd_parms *cmd, msd_import_from_t *from, const char *value)
{
    return read_time(&from->until, value, cmd->pool)
               ? NULL
               : apr_psprintf(cmd->pool,
                              "%s: until=%.40s is not a date: use one such as 2027-03-01, which ends the import when "
                              "that day begins (UTC), or 2027-03-01T18:00:00Z",
                              cmd->cmd->name, value);
}

static const char *set_path(cmd_parms *cmd, msd_import_from_t *from, const char *value)
{
    from->path = value;
    return msd_directives_names_is_path(value)
               ? NULL
               : apr_psprintf(cmd->pool, "%s: path=%.70s is not the path of a cookie: it begins with '/'",
                              cmd->cmd->name, value);
}

static const char *set_domain(cmd_parms *cmd, msd_import_from_t *from, const char *value)
{
    from->domain = value;
    return msd_directives_names_is_domain(value)
               ? NULL
               : apr_psprintf(cmd->pool, "%s: domain=%.70s is not a domain: use a host name such as example.com",
                              cmd->cmd->name, value);
}

static const char *set_label(cmd_parms *cmd, const msd_import_from_t *from, const char **label, const char *value)
{
    *label = value;
    return from->store == MSD_IMPORT_DBD && *value
               ? NULL
               : apr_psprintf(cmd->pool, "%s: select= and delete= are the labels of dbd's statements (DBDPrepareSQL)",
                              cmd->cmd->name);
}

/** One of the arguments behind the cookie's name. */
static const char *set_option(cmd_parms *cmd, msd_import_from_t *from, const char *arg)
{
    if (strncasecmp(arg, "until=", 6) == 0) {
        return set_until(cmd, from, arg + 6);
    }
    if (strncasecmp(arg, "path=", 5) == 0) {
        return set_path(cmd, from, arg + 5);
    }
    if (strncasecmp(arg, "domain=", 7) == 0) {
        return set_domain(cmd, from, arg + 7);
    }
    if (strncasecmp(arg, "select=", 7) == 0) {
        return set_label(cmd, from, &from->select_label, arg + 7);
    }
    if (strncasecmp(arg, "delete=", 7) == 0) {
        return set_label(cmd, from, &from->delete_label, arg + 7);
    }
    return apr_psprintf(cmd->pool, "%s: '%.70s' is unknown: use until=DATE, path=PATH, domain=DOMAIN%s", cmd->cmd->name,
                        arg, from->store == MSD_IMPORT_DBD ? ", select=LABEL or delete=LABEL" : "");
}

static const char *set_all(cmd_parms *cmd, msd_import_from_t *from, int argc, char *const argv[])
{
    const char *problem = NULL;
    int i;

    from->store = strcasecmp(argv[0], "cookie") == 0 ? MSD_IMPORT_COOKIE
                  : strcasecmp(argv[0], "dbd") == 0  ? MSD_IMPORT_DBD
                                                     : MSD_IMPORT_NONE;
    from->cookie = argv[1];
    if (from->store == MSD_IMPORT_NONE) {
        return apr_psprintf(cmd->pool,
                            "%s: '%.40s' is unknown: use cookie for sessions of mod_session_cookie, or dbd for those "
                            "of mod_session_dbd",
                            cmd->cmd->name, argv[0]);
    }
    if (!*from->cookie || *ap_scan_http_token(from->cookie)) {
        return apr_psprintf(cmd->pool, "%s: '%.70s' is not the name of a cookie: use that of %s", cmd->cmd->name,
                            from->cookie,
                            from->store == MSD_IMPORT_COOKIE ? "SessionCookieName" : "SessionDBDCookieName");
    }
    for (i = 2; i < argc && !problem; i++) {
        problem = set_option(cmd, from, argv[i]);
    }
    return problem || from->until
               ? problem
               : apr_psprintf(cmd->pool, "%s needs until=DATE, the day when the import ends, such as until=2027-03-01",
                              cmd->cmd->name);
}

const char *msd_directives_import_set(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    msd_dir_config_t *conf = dir;
    msd_import_from_t *from = apr_palloc(cmd->pool, sizeof(*from));

    *from = (msd_import_from_t){
        .path = "/", .domain = "", .select_label = "selectsession", .delete_label = "deletesession"
    };
    from->where = apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    msd_config_note(cmd, dir);
    if (conf->import) {
        return apr_psprintf(cmd->pool, "%s stands twice in this section: remove one of the lines", cmd->cmd->name);
    }
    conf->import = from;
    if (argc == 1 && strcasecmp(argv[0], "None") == 0) {
        return NULL;
    }
    return argc >= 2
               ? set_all(cmd, from, argc, argv)
               : apr_psprintf(cmd->pool, "%s needs cookie or dbd, the name of the old cookie, and until=DATE; or None",
                              cmd->cmd->name);
}
