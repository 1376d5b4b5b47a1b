/* The directives that name entries of the session: what goes to backends, to variables, and what is kept out. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "msd_config.h"
#include "msd_lists.h"

/** Letters, digits and '-': other header names reach no CGI program, and many servers drop them. */
static int is_plain_name(const char *name)
{
    const char *c;

    for (c = name; apr_isalnum(*c) || *c == '-'; c++) {
    }
    return *name && !*c;
}

/** 1 when others give the header a meaning, for HTTP itself or by its variable, that no session may decide. */
static int is_reserved(const char *header)
{
    static const char *const names[] = {
        "Connection", "Content-Length", "Content-Type", "Cookie", "Expect", "Host", "HTTP2-Settings", "Keep-Alive",
        "Proxy", "Proxy-Authorization", "Proxy-Connection", "Session", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        MSD_SIGNATURE_HEADER, NULL
    };
    int i;

    for (i = 0; names[i] && strcasecmp(names[i], header) != 0; i++) {
    }
    return names[i] != NULL;
}

/** KEY or KEY=Header, added to list. */
static const char *add_forward(cmd_parms *cmd, const char *arg, apr_array_header_t *list)
{
    const char *equals = strrchr(arg, '=');
    msd_forward_t f;
    char *c;
    int i;

    f.key = equals ? apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(equals - arg)) : arg;
    f.header = equals ? equals + 1 : apr_pstrcat(cmd->pool, "X-Session-", arg, NULL);
    for (c = (char *)f.header; !equals && *c; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    if (!*f.key || !is_plain_name(f.header)) {
        return apr_psprintf(cmd->pool, "%s: '%s' does not make the name of a header: write KEY=Header with letters, "
                            "digits and '-' in Header", cmd->cmd->name, arg);
    }
    if (is_reserved(f.header)) {
        return apr_psprintf(cmd->pool, "%s: the header %s has a meaning of its own: write KEY=Header with another name",
                            cmd->cmd->name, f.header);
    }
    for (i = 0; i < list->nelts; i++) {
        if (strcasecmp(APR_ARRAY_IDX(list, i, msd_forward_t).header, f.header) == 0) {
            return apr_psprintf(cmd->pool, "%s: the header %s is there twice: write KEY=Header with another name "
                                "for one", cmd->cmd->name, f.header);
        }
    }
    APR_ARRAY_PUSH(list, msd_forward_t) = f;
    return NULL;
}

/** 1 for the one word None. */
static int is_none(int argc, char *const argv[])
{
    return argc == 1 && strcasecmp(argv[0], "None") == 0;
}

const char *msd_lists_forward(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    apr_array_header_t *list = apr_array_make(cmd->pool, 4, sizeof(msd_forward_t));
    const char *problem = NULL;
    int i;

    msd_config_note(cmd, dir);
    ((msd_dir_config_t *)dir)->forward = list;
    if (argc == 0) {
        return apr_psprintf(cmd->pool, "%s needs the names of entries, KEY or KEY=Header, or None", cmd->cmd->name);
    }
    for (i = 0; i < argc && !problem && !is_none(argc, argv); i++) {
        problem = add_forward(cmd, argv[i], list);
    }
    return problem;
}

const char *msd_lists_accept(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    apr_array_header_t *list = apr_array_make(cmd->pool, 4, sizeof(const char *));
    int i;

    msd_config_note(cmd, dir);
    ((msd_dir_config_t *)dir)->accept = list;
    if (argc == 0) {
        return apr_psprintf(cmd->pool, "%s needs the names of entries, or *, or None", cmd->cmd->name);
    }
    for (i = 0; i < argc && !is_none(argc, argv); i++) {
        APR_ARRAY_PUSH(list, const char *) = argv[i];
    }
    return NULL;
}

/** The name of a variable: KEY=NAME, or one made from KEY. NULL when it can't be one. */
static const char *env_name(apr_pool_t *p, const char *key, const char *name)
{
    char *made, *c;

    if (!name) {
        made = apr_pstrcat(p, "SESSION_ENTRY_", key, NULL);
        for (c = made; *c; c++) {
            *c = apr_isalnum(*c) ? *c : '_';
        }
        return made;
    }
    for (c = (char *)name; apr_isalnum(*c) || *c == '_'; c++) {
    }
    /* HTTP_ is what a client sent, SESSION_DYNAMODB_ what we say ourselves. */
    return !*name || *c || apr_isdigit(*name) || strncasecmp(name, "HTTP_", 5) == 0
                   || strncasecmp(name, "SESSION_DYNAMODB_", 17) == 0 ? NULL : name;
}

static const char *add_env(cmd_parms *cmd, apr_array_header_t *env, const char *arg)
{
    char *key = apr_pstrdup(cmd->pool, arg), *name = strrchr(key, '=');
    msd_env_t *e = apr_array_push(env);

    if (name) {
        *name++ = '\0';
    }
    e->key = key;
    e->name = env_name(cmd->pool, key, name);
    if (!*key || strcasecmp(key, "expiry") == 0 || !e->name) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not KEY or KEY=NAME: KEY is an entry of the session, NAME of "
                            "letters, digits and _, and begins neither with a digit nor HTTP_ nor SESSION_DYNAMODB_",
                            cmd->cmd->name, arg);
    }
    return NULL;
}

const char *msd_lists_env(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    apr_array_header_t *env = apr_array_make(cmd->pool, 4, sizeof(msd_env_t));
    const char *problem = NULL;
    int i;

    msd_config_note(cmd, dir);
    if (argc == 0) {
        return apr_psprintf(cmd->pool, "%s needs an argument: KEY, KEY=NAME, or None", cmd->cmd->name);
    }
    for (i = 0; i < argc && !problem && !(argc == 1 && strcasecmp(argv[0], "None") == 0); i++) {
        problem = add_env(cmd, env, argv[i]);
    }
    ((msd_dir_config_t *)dir)->env = env;
    return problem;
}

const char *msd_lists_mask(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    apr_array_header_t *mask = apr_array_make(cmd->pool, 4, sizeof(const char *));
    int i;

    msd_config_note(cmd, dir);
    if (argc == 0) {
        return apr_psprintf(cmd->pool, "%s needs an argument: names of entries, such as members-pw, or None",
                            cmd->cmd->name);
    }
    for (i = 0; i < argc && !(argc == 1 && strcasecmp(argv[0], "None") == 0); i++) {
        APR_ARRAY_PUSH(mask, const char *) = argv[i];
    }
    ((msd_dir_config_t *)dir)->mask = mask;
    return NULL;
}
