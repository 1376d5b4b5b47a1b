/* The directives whose value is a name, or several: of cookies, headers, domains, paths, audiences, kinds of data. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_names.h"
#include "httpd/conf/msd_reserved_names.h"

/* The field that a row of the table names by its offset. */
#define FIELD(type, record, cmd) ((type *)((char *)(record) + (apr_size_t)(cmd)->info))

#define AUDIENCE_MOST 64 /* characters */

/** Set an HTTP token (RFC 9110 section 5.6.2), as the names of cookies and headers must be. */
const char *msd_directives_names_token(cmd_parms *cmd, void *dir, const char *arg)
{
    msd_config_note(cmd, dir);
    if (!*arg || *ap_scan_http_token(arg)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a valid name: use letters, digits and any of !#$%%&'*+-.^_`|~",
                            cmd->cmd->name, arg);
    }
    *FIELD(const char *, dir, cmd) = arg;
    return NULL;
}

const char *msd_directives_names_header(cmd_parms *cmd, void *dir, const char *arg)
{
    if (msd_reserved_names_header(arg)) {
        return apr_psprintf(cmd->pool,
                            "%s: the header %s is reserved, because it has another meaning: choose another name",
                            cmd->cmd->name, arg);
    }
    return msd_directives_names_token(cmd, dir, arg);
}

const char *msd_directives_names_header_or_none(cmd_parms *cmd, void *dir, const char *arg)
{
    if (strcasecmp(arg, "None") == 0) {
        msd_config_note(cmd, dir);
        *FIELD(const char *, dir, cmd) = "";
        return NULL;
    }
    return msd_directives_names_header(cmd, dir, arg);
}

const char *msd_directives_names_path(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *c;

    msd_config_note(cmd, dir);
    for (c = arg; apr_isgraph(*c) && *c != ';' && *c != ','; c++) {
    }
    if (arg[0] != '/' || *c) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a valid path: it must begin with '/' and contain no space, ';' or ','",
                            cmd->cmd->name, arg);
    }
    *FIELD(const char *, dir, cmd) = arg;
    return NULL;
}

const char *msd_directives_names_audience(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *c;

    msd_config_note(cmd, dir);
    if (strcasecmp(arg, "None") == 0) {
        *FIELD(const char *, dir, cmd) = "";
        return NULL;
    }
    for (c = arg; apr_isalnum(*c) || (*c && strchr("-._:/", *c)); c++) {
    }
    if (!*arg || *c || c - arg > AUDIENCE_MOST) {
        return apr_psprintf(cmd->pool,
                            "%s: '%.70s' is not a label: use up to %d letters, digits and any of - . _ : /, or None",
                            cmd->cmd->name, arg, AUDIENCE_MOST);
    }
    *FIELD(const char *, dir, cmd) = arg;
    return NULL;
}

const char *msd_directives_names_domain(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *c;

    msd_config_note(cmd, dir);
    if (strcasecmp(arg, "None") == 0) {
        *FIELD(const char *, dir, cmd) = "";
        return NULL;
    }
    for (c = arg; apr_isalnum(*c) || *c == '.' || *c == '-'; c++) {
    }
    if (!apr_isalnum(arg[arg[0] == '.' ? 1 : 0]) || *c) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a valid domain: use a host name such as example.com, or None",
                            cmd->cmd->name, arg);
    }
    *FIELD(const char *, dir, cmd) = arg;
    return NULL;
}

/* "Clear Site Data", W3C Working Draft of 2017, section 3.1, and what browsers have added. */
static const char *site_data_type(const char *arg)
{
    static const char *const types[] = { "cache", "cookies", "storage", "executionContexts", "*", NULL };
    int i;

    for (i = 0; types[i] && strcasecmp(arg, types[i]) != 0; i++) {
    }
    return types[i];
}

const char *msd_directives_names_site_data(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    const char *value = "";
    int i;

    msd_config_note(cmd, dir);
    for (i = 0; i < argc && !(argc == 1 && strcasecmp(argv[0], "None") == 0); i++) {
        const char *type = site_data_type(argv[i]);

        if (!type) {
            return apr_psprintf(cmd->pool,
                                "%s: '%.40s' is unknown: use cache, cookies, storage, executionContexts, or *; or None",
                                cmd->cmd->name, argv[i]);
        }
        value = apr_pstrcat(cmd->pool, value, i ? ", \"" : "\"", type, "\"", NULL);
    }
    *FIELD(const char *, dir, cmd) = value;
    return argc ? NULL
                : apr_psprintf(cmd->pool,
                               "%s needs an argument: cache, cookies, storage, executionContexts, or *; or None",
                               cmd->cmd->name);
}
