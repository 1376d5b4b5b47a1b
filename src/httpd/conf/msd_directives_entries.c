/* The directives that name entries: for backends, for variables, and for masking. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_entries.h"
#include "httpd/conf/msd_reserved_names.h"

#define ENTRY_PREFIX "SESSION_ENTRY_"
#define MASK_NEEDS   "an argument: names of entries, such as members-pw"

/** A directive whose lines in one section form one list. */
typedef struct list_t {
    apr_size_t field; /* its offset in msd_dir_config_t */
    int element_size;
    const char *needs; /* the arguments to name in the error message if there are none */
    const char *(*add)(cmd_parms *cmd, apr_array_header_t *to, const char *arg); /* returns NULL, or an error message */
} list_t;

static const char *add_line(cmd_parms *cmd, msd_dir_config_t *conf, const list_t *list, int argc, char *const argv[])
{
    apr_array_header_t **field = (apr_array_header_t **)((char *)conf + list->field);
    int none = argc == 1 && strcasecmp(argv[0], "None") == 0, further = *field != NULL, i;
    const char *problem = NULL;

    msd_config_note(cmd, conf);
    if (argc == 0) {
        return apr_psprintf(cmd->pool, "%s needs %s, or None", cmd->cmd->name, list->needs);
    }
    *field = further ? *field : apr_array_make(cmd->pool, 4, list->element_size);
    /* An empty list comes from an earlier None. */
    if (further && none != ((*field)->nelts == 0)) {
        return apr_psprintf(
            cmd->pool,
            "%s: the lines of a section are combined, and one of them is None: remove that line, or the others",
            cmd->cmd->name);
    }
    for (i = 0; i < argc && !problem && !none; i++) {
        problem = strcasecmp(argv[i], "None") != 0
                      ? list->add(cmd, *field, argv[i])
                      : apr_psprintf(cmd->pool, "%s: None must be the only argument: remove it, or the names",
                                     cmd->cmd->name);
    }
    return problem;
}

/** 1 for letters, digits and '-': headers with other names do not reach CGI programs, and many servers drop them. */
static int is_plain_name(const char *name)
{
    const char *c;

    for (c = name; apr_isalnum(*c) || *c == '-'; c++) {
    }
    return *name && !*c;
}

/** @return NULL, or an error message if f is invalid or conflicts with the list so far. */
static const char *check_forward(cmd_parms *cmd, const apr_array_header_t *list, const msd_forward_t *f)
{
    int i;

    if (msd_reserved_names_header(f->header)) {
        return apr_psprintf(
            cmd->pool,
            "%s: the header %s is reserved, because it has another meaning: write KEY=Header with another name",
            cmd->cmd->name, f->header);
    }
    for (i = 0; i < list->nelts; i++) {
        if (strcasecmp(APR_ARRAY_IDX(list, i, msd_forward_t).header, f->header) == 0) {
            return apr_psprintf(cmd->pool,
                                "%s: the header %s is used twice: write KEY=Header with another name for one of them",
                                cmd->cmd->name, f->header);
        }
    }
    return NULL;
}

/** KEY or KEY=Header. */
static const char *add_forward(cmd_parms *cmd, apr_array_header_t *to, const char *arg)
{
    const char *equals = strrchr(arg, '='), *problem;
    msd_forward_t f;
    char *c;

    f.key = equals ? apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(equals - arg)) : arg;
    f.header = equals ? equals + 1 : apr_pstrcat(cmd->pool, "X-Session-", arg, NULL);
    for (c = (char *)f.header; !equals && *c; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    if (!*f.key || !is_plain_name(f.header)) {
        return apr_psprintf(
            cmd->pool,
            "%s: '%s' does not give a valid header name: write KEY=Header with letters, digits and '-' in Header",
            cmd->cmd->name, arg);
    }
    problem = check_forward(cmd, to, &f);
    if (!problem) {
        APR_ARRAY_PUSH(to, msd_forward_t) = f;
    }
    return problem;
}

const char *msd_directives_entries_forward(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const list_t list = { APR_OFFSETOF(msd_dir_config_t, forward), sizeof(msd_forward_t),
                                 "the names of entries, KEY or KEY=Header", add_forward };
    msd_dir_config_t *conf = dir;
    const char *problem = add_line(cmd, conf, &list, argc, argv);
    apr_array_header_t *headers = apr_array_make(cmd->pool, 4, sizeof(const char *));
    int i;

    for (i = 0; conf->forward && i < conf->forward->nelts; i++) {
        APR_ARRAY_PUSH(headers, const char *) = APR_ARRAY_IDX(conf->forward, i, msd_forward_t).header;
    }
    conf->scrubbed = headers->nelts ? headers : NULL;
    return problem;
}

static const char *add_name(cmd_parms *cmd, apr_array_header_t *to, const char *arg)
{
    (void)cmd;
    APR_ARRAY_PUSH(to, const char *) = arg;
    return NULL;
}

const char *msd_directives_entries_accept(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const list_t list = { APR_OFFSETOF(msd_dir_config_t, accept), sizeof(const char *),
                                 "the names of entries, or *", add_name };
    return add_line(cmd, dir, &list, argc, argv);
}

const char *msd_directives_entries_protect(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const list_t list = { APR_OFFSETOF(msd_dir_config_t, protect_keys), sizeof(const char *),
                                 "the names of entries", add_name };
    return add_line(cmd, dir, &list, argc, argv);
}

/** The default name of the variable for KEY. */
static const char *made_name(apr_pool_t *p, const char *key)
{
    char *made = apr_pstrcat(p, ENTRY_PREFIX, key, NULL), *c;

    for (c = made; *c; c++) {
        *c = apr_isalnum(*c) ? *c : '_';
    }
    return made;
}

static int is_variable(const char *name)
{
    const char *c;

    for (c = name; apr_isalnum(*c) || *c == '_'; c++) {
    }
    return *name && !*c && !apr_isdigit(*name);
}

/** @return NULL, or an error message if e's variable is invalid or conflicts with the list so far. */
static const char *check_env(cmd_parms *cmd, const apr_array_header_t *list, const msd_env_t *e)
{
    int i;

    if (msd_config_in_htaccess(cmd) && strncmp(e->name, ENTRY_PREFIX, strlen(ENTRY_PREFIX)) != 0) {
        return apr_psprintf(cmd->pool,
                            "%s: in .htaccess the variable of '%s' must begin with " ENTRY_PREFIX
                            ": only the server's configuration files can give it another name",
                            cmd->cmd->name, e->key);
    }
    if (msd_reserved_names_variable(e->name)) {
        return apr_psprintf(
            cmd->pool,
            "%s: the variable %s is reserved for httpd, programs or their runtime: write KEY=NAME with another name",
            cmd->cmd->name, e->name);
    }
    for (i = 0; i < list->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(list, i, msd_env_t).name, e->name) == 0) {
            return apr_psprintf(cmd->pool,
                                "%s: the variable %s is used twice: write KEY=NAME with another name for one of them",
                                cmd->cmd->name, e->name);
        }
    }
    return NULL;
}

/** KEY or KEY=NAME. */
static const char *add_env(cmd_parms *cmd, apr_array_header_t *to, const char *arg)
{
    char *key = apr_pstrdup(cmd->pool, arg), *name = strrchr(key, '=');
    const char *problem;
    msd_env_t e;

    if (name) {
        *name++ = '\0';
    }
    e.key = key;
    e.name = name ? name : made_name(cmd->pool, key);
    if (!*key || strcasecmp(key, "expiry") == 0 || !is_variable(e.name)) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not KEY or KEY=NAME: KEY is an entry of the session; NAME consists of "
                            "letters, digits and _, and does not begin with a digit",
                            cmd->cmd->name, arg);
    }
    problem = check_env(cmd, to, &e);
    if (!problem) {
        APR_ARRAY_PUSH(to, msd_env_t) = e;
    }
    return problem;
}

const char *msd_directives_entries_env(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const list_t list = { APR_OFFSETOF(msd_dir_config_t, env), sizeof(msd_env_t), "an argument: KEY, KEY=NAME",
                                 add_env };
    return add_line(cmd, dir, &list, argc, argv);
}

/** A .htaccess file can mask more entries, but cannot unmask those that the server's files mask. */
const char *msd_directives_entries_mask(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const list_t list = { APR_OFFSETOF(msd_dir_config_t, mask), sizeof(const char *), MASK_NEEDS, add_name };
    static const list_t more = { APR_OFFSETOF(msd_dir_config_t, mask_more), sizeof(const char *), MASK_NEEDS,
                                 add_name };

    return add_line(cmd, dir, msd_config_in_htaccess(cmd) ? &more : &list, argc, argv);
}

/** An entry that names a user; '*' and the end of the session can't. */
static const char *add_user(cmd_parms *cmd, apr_array_header_t *to, const char *arg)
{
    if (strcmp(arg, "*") == 0 || strcasecmp(arg, "expiry") == 0) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not the name of an entry that holds a user name", cmd->cmd->name,
                            arg);
    }
    return add_name(cmd, to, arg);
}

const char *msd_directives_entries_user(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const list_t list = { APR_OFFSETOF(msd_dir_config_t, user_keys), sizeof(const char *),
                                 "the names of the entries that name the user", add_user };
    return add_line(cmd, dir, &list, argc, argv);
}
