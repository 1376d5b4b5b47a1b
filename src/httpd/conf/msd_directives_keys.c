/* The directives whose arguments are sources of keys. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_keys.h"
#include "httpd/conf/msd_signing_keys.h"
#include "store/ddb_user_sessions.h"

/* The field that a row of the table names by its offset. */
#define FIELD(type, record, cmd) ((type *)((char *)(record) + (apr_size_t)(cmd)->info))

/** word: an argument that is taken as it is, in the place of a key; NULL: none is. */
static const char *add_keys(cmd_parms *cmd, apr_array_header_t **keys, const char *word, int argc, char *const argv[])
{
    const char *problem = NULL;
    int i;

    if (argc == 0) {
        return apr_psprintf(cmd->pool, "%s needs an argument: file:PATH, exec:PATH or env:NAME%s%s", cmd->cmd->name,
                            word ? ", or " : "", word ? word : "");
    }
    /* Several lines in one section add up. */
    *keys = *keys ? *keys : apr_array_make(cmd->pool, 4, sizeof(const char *));
    for (i = 0; i < argc && !problem; i++) {
        if (word && strcasecmp(argv[i], word) == 0) {
            APR_ARRAY_PUSH(*keys, const char *) = word;
        }
        else {
            problem = msd_signing_keys_read(cmd, argv[i], *keys);
        }
    }
    return problem;
}

const char *msd_directives_keys_set(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    msd_config_note(cmd, dir);
    return add_keys(cmd, FIELD(apr_array_header_t *, dir, cmd), NULL, argc, argv);
}

/** The fault of a key that is shorter than least characters, `word` apart; NULL: none is. */
static const char *too_short(const cmd_parms *cmd, const apr_array_header_t *keys, const char *word, apr_size_t least)
{
    int i;

    for (i = 0; i < keys->nelts; i++) {
        const char *key = APR_ARRAY_IDX(keys, i, const char *);

        if ((!word || strcmp(key, word) != 0) && strlen(key) < least) {
            return apr_psprintf(cmd->pool,
                                "%s: key %d is shorter than %d characters; generate keys with: openssl rand -base64 32",
                                cmd->cmd->name, i + 1, (int)least);
        }
    }
    return NULL;
}

const char *msd_directives_keys_set_seal(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    msd_dir_config_t *c = dir;
    ddb_seal_t *seal = NULL;
    const char *problem;

    msd_config_note(cmd, dir);
    problem = add_keys(cmd, &c->seal_keys, DDB_SEAL_CLEAR, argc, argv);
    problem = problem ? problem : too_short(cmd, c->seal_keys, DDB_SEAL_CLEAR, DDB_SEAL_SECRET_MIN);
    if (!problem && ddb_seal_create(&seal, c->seal_keys, cmd->pool) != APR_SUCCESS) {
        problem = apr_psprintf(cmd->pool, "%s: OpenSSL failed; make sure that it offers SHA-256", cmd->cmd->name);
    }
    c->seal = seal;
    return problem;
}

const char *msd_directives_keys_set_user(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    msd_dir_config_t *c = dir;
    const char *problem;

    msd_config_note(cmd, dir);
    problem = add_keys(cmd, &c->user_session_keys, NULL, argc, argv);
    return problem ? problem : too_short(cmd, c->user_session_keys, NULL, DDB_USER_SESSIONS_SECRET_MIN);
}

const char *msd_directives_keys_set_event(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    (void)dir;
    return add_keys(cmd, &msd_config_server(cmd->server)->event_keys, NULL, argc, argv);
}
