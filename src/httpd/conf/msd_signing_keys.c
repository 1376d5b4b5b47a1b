/* Sources of signing keys: a file, a program or an environment variable, never the argument itself. */

#include <apr_env.h>
#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "base/ddb_crypto.h"
#include "httpd/conf/msd_signing_keys.h"

#define KEY_MAX  1024 /* bytes of a line with one key, including its end */
#define KEYS_MAX 16

const char *msd_signing_keys_check_file(apr_pool_t *p, const char *path)
{
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE | APR_FINFO_PROT, p);

    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        return apr_psprintf(p, "can't read %s: %pm", path, &rv);
    }
    if (info.filetype != APR_REG) {
        return apr_psprintf(p, "%s is not a regular file", path);
    }
    if (info.protection & (APR_FPROT_WREAD | APR_FPROT_WWRITE | APR_FPROT_GWRITE)) {
        return apr_psprintf(p,
                            "%s contains secrets, but others can read it, or its group or others can write to it: "
                            "chmod 0600 or 0640 it",
                            path);
    }
    return NULL;
}

static const char *add_key(cmd_parms *cmd, const char *key, apr_array_header_t *keys)
{
    if (keys->nelts >= KEYS_MAX) {
        return apr_psprintf(cmd->pool, "%s: more than %d keys: remove keys that sign no live session", cmd->cmd->name,
                            KEYS_MAX);
    }
    APR_ARRAY_PUSH(keys, const char *) = ddb_crypto_secret_dup(cmd->pool, key);
    return NULL;
}

static const char *read_file(cmd_parms *cmd, const char *arg, apr_array_header_t *keys)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);
    const char *problem = path ? msd_signing_keys_check_file(cmd->pool, path) : "not a path";
    char line[KEY_MAX];
    ap_configfile_t *file = NULL;
    apr_status_t rv;
    int before = keys->nelts;

    if (problem) {
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem);
    }
    rv = ap_pcfg_openfile(&file, cmd->temp_pool, path);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: can't open %s: %pm", cmd->cmd->name, path, &rv);
    }
    while (!problem && (rv = ap_cfg_getline(line, sizeof(line), file)) == APR_SUCCESS) {
        if (line[0]) {
            problem = add_key(cmd, line, keys);
        }
    }
    ap_cfg_closefile(file);
    ddb_crypto_wipe(line, sizeof(line));
    if (!problem && rv != APR_EOF) {
        problem = apr_psprintf(cmd->pool, "%s: a line of %s is longer than %d bytes", cmd->cmd->name, path,
                               KEY_MAX - 1);
    }
    if (!problem && keys->nelts == before) {
        problem = apr_psprintf(cmd->pool, "%s: %s contains no key: write one key a line, oldest first", cmd->cmd->name,
                               path);
    }
    return problem;
}

static const char *read_program(cmd_parms *cmd, const char *arg, apr_array_header_t *keys)
{
    char **argv = NULL;
    const char *path;
    char *key;
    const char *problem;

    if (apr_tokenize_to_argv(arg, &argv, cmd->temp_pool) != APR_SUCCESS || !argv[0]
        || !(path = ap_server_root_relative(cmd->temp_pool, argv[0]))) {
        return apr_psprintf(cmd->pool, "%s: exec: needs the path of a program", cmd->cmd->name);
    }
    argv[0] = (char *)path;
    key = ap_get_exec_line(cmd->temp_pool, path, (const char *const *)argv);
    /* httpd does not return the exit status, so empty output is the only sign of a failure. */
    if (!key || !*key) {
        return apr_psprintf(cmd->pool, "%s: the program %s printed no key", cmd->cmd->name, path);
    }
    problem = add_key(cmd, key, keys);
    ddb_crypto_wipe(key, strlen(key));
    return problem;
}

static const char *read_variable(cmd_parms *cmd, const char *name, apr_array_header_t *keys)
{
    char *value = NULL;

    if (apr_env_get(&value, name, cmd->temp_pool) != APR_SUCCESS || !*value) {
        return apr_psprintf(cmd->pool, "%s: the environment variable %s is not set in httpd's environment",
                            cmd->cmd->name, name);
    }
    return add_key(cmd, value, keys);
}

const char *msd_signing_keys_read(cmd_parms *cmd, const char *source, apr_array_header_t *keys)
{
    if (strncasecmp(source, "file:", 5) == 0) {
        return read_file(cmd, source + 5, keys);
    }
    if (strncasecmp(source, "exec:", 5) == 0) {
        return read_program(cmd, source + 5, keys);
    }
    if (strncasecmp(source, "env:", 4) == 0) {
        return read_variable(cmd, source + 4, keys);
    }
    /* Do not repeat the argument: it may be a key. */
    return apr_psprintf(
        cmd->pool,
        "%s: the argument does not begin with file:, exec: or env:. Keys do not belong in the configuration, which too "
        "many users can read: put them into a file, one a line, and write file:PATH",
        cmd->cmd->name);
}
