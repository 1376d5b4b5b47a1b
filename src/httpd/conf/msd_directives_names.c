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

/* RFC 6265bis section 5.6: browsers ignore a cookie whose name and value are longer than 4096 bytes together, and an
 * attribute value longer than 1024. The longest ID: of 128 bytes, with a signature of 32, both in base64url. */
#define ATTRIBUTE_MOST 1024
#define COOKIE_MOST    4096
#define VALUE_MOST     (171 + 1 + 43)

/** Set an HTTP token (RFC 9110 section 5.6.2), as the names of cookies and headers must be. */
static const char *set_token(cmd_parms *cmd, void *dir, const char *arg)
{
    msd_config_note(cmd, dir);
    if (!*arg || *ap_scan_http_token(arg)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a valid name: use letters, digits and any of !#$%%&'*+-.^_`|~",
                            cmd->cmd->name, arg);
    }
    *FIELD(const char *, dir, cmd) = arg;
    return NULL;
}

/** The prefix of name, in any case, as browsers spell it; NULL: it has none. */
static const char *prefix_of(const char *name)
{
    static const char *const prefixes[] = { "__Host-Http-", "__Host-", "__Http-", "__Secure-", NULL };
    int i;

    for (i = 0; prefixes[i] && strncasecmp(name, prefixes[i], strlen(prefixes[i])) != 0; i++) {
    }
    return prefixes[i];
}

/** RFC 6265bis section 4.1.3: older browsers know a prefix only if it is spelled exactly, newer ones in any case. */
const char *msd_directives_names_cookie(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *prefix = prefix_of(arg);

    if (prefix && strncmp(arg, prefix, strlen(prefix)) != 0) {
        return apr_psprintf(cmd->pool, "%s: '%.70s' begins with a prefix that browsers spell %s: write %s%.70s",
                            cmd->cmd->name, arg, prefix, prefix, arg + strlen(prefix));
    }
    if (strlen(arg) > COOKIE_MOST - VALUE_MOST) {
        return apr_psprintf(cmd->pool,
                            "%s: '%.70s...' is too long: use up to %d characters, because browsers ignore a "
                            "cookie whose name and value are longer than %d",
                            cmd->cmd->name, arg, COOKIE_MOST - VALUE_MOST, COOKIE_MOST);
    }
    return set_token(cmd, dir, arg);
}

/** Browsers ignore attributes that are longer, and use the default: another path, or no domain. */
static const char *too_long(cmd_parms *cmd, const char *arg)
{
    return strlen(arg) <= ATTRIBUTE_MOST ? NULL
                                         : apr_psprintf(cmd->pool,
                                                        "%s: '%.70s...' is too long: browsers ignore more "
                                                        "than %d characters",
                                                        cmd->cmd->name, arg, ATTRIBUTE_MOST);
}

const char *msd_directives_names_header(cmd_parms *cmd, void *dir, const char *arg)
{
    if (msd_reserved_names_header(arg)) {
        return apr_psprintf(cmd->pool,
                            "%s: the header %s is reserved, because it has another meaning: choose another name",
                            cmd->cmd->name, arg);
    }
    return set_token(cmd, dir, arg);
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

int msd_directives_names_is_path(const char *arg)
{
    const char *c;

    for (c = arg; apr_isgraph(*c) && *c != ';' && *c != ','; c++) {
    }
    return arg[0] == '/' && !*c && strlen(arg) <= ATTRIBUTE_MOST;
}

int msd_directives_names_is_domain(const char *arg)
{
    const char *c;

    for (c = arg; apr_isalnum(*c) || *c == '.' || *c == '-'; c++) {
    }
    return apr_isalnum(arg[arg[0] == '.' ? 1 : 0]) && !*c && strlen(arg) <= ATTRIBUTE_MOST;
}

const char *msd_directives_names_path(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem = too_long(cmd, arg);

    msd_config_note(cmd, dir);
    if (!problem && !msd_directives_names_is_path(arg)) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a valid path: it must begin with '/' and contain no space, ';' or ','",
                            cmd->cmd->name, arg);
    }
    *FIELD(const char *, dir, cmd) = arg;
    return problem;
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
    const char *problem = too_long(cmd, arg);

    msd_config_note(cmd, dir);
    if (strcasecmp(arg, "None") == 0) {
        *FIELD(const char *, dir, cmd) = "";
        return NULL;
    }
    if (!problem && !msd_directives_names_is_domain(arg)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a valid domain: use a host name such as example.com, or None",
                            cmd->cmd->name, arg);
    }
    *FIELD(const char *, dir, cmd) = arg;
    return problem;
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
