/* SessionDynamoDBBind: what sessions are bound to. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives_bind.h"

/* A network smaller than a client's own would change with each request; a larger one would hardly bind. */
#define V4_LEAST   8
#define V4_MOST    32
#define V4_DEFAULT 24
#define V6_LEAST   16
#define V6_MOST    128
#define V6_DEFAULT 56

/** The place of word, which has len characters, among words; -1: it is none of them. */
static int place_of(const char *word, apr_size_t len, const char *const words[], int count)
{
    int i;

    for (i = 0; i < count && !(strncasecmp(words[i], word, len) == 0 && !words[i][len]); i++) {
    }
    return i < count ? i : -1;
}

/** A number from least to most, and what follows it. */
static int read_bits(const char **text, int least, int most, int *out)
{
    char *end = NULL;
    apr_int64_t n = apr_strtoi64(*text, &end, 10);

    if (!apr_isdigit(**text) || n < least || n > most) {
        return 0;
    }
    *text = end;
    *out = (int)n;
    return 1;
}

/** /V4,V6 */
static int read_prefixes(msd_bind_t *bind, const char *text)
{
    return *text++ == '/' && read_bits(&text, V4_LEAST, V4_MOST, &bind->v4) && *text++ == ','
           && read_bits(&text, V6_LEAST, V6_MOST, &bind->v6) && !*text;
}

static const char *set_kind(cmd_parms *cmd, msd_bind_t *bind, const char *arg, const char *action)
{
    /* In the order of ddb_bound_e and msd_bind_action_e. */
    static const char *const kinds[] = { "user-agent", "address", "tls-certificate" };
    static const char *const actions[] = { "", "log", "renew", "deny" };
    apr_size_t len = strcspn(arg, "/");
    int kind = place_of(arg, len, kinds, DDB_BOUND_KINDS);
    int what = *action ? place_of(action, strlen(action), actions, MSD_BIND_ACTIONS) : -1;

    if (kind < 0 || (arg[len] && (kind != DDB_BOUND_ADDRESS || !read_prefixes(bind, arg + len)))) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is unknown: use user-agent, address, address/V4,V6 with the bits of a network "
                            "(%d to %d, %d to %d), such as address/24,56, or tls-certificate; or None",
                            cmd->cmd->name, arg, V4_LEAST, V4_MOST, V6_LEAST, V6_MOST);
    }
    if (what < 0) {
        return apr_psprintf(cmd->pool, "%s: '%s' is unknown: use log, renew or deny", cmd->cmd->name, action);
    }
    if (bind->action[kind]) {
        return apr_psprintf(cmd->pool, "%s: %s stands twice in this section: remove one of the lines", cmd->cmd->name,
                            kinds[kind]);
    }
    bind->action[kind] = what;
    return NULL;
}

const char *msd_directives_bind_set(cmd_parms *cmd, void *dir, const char *kind, const char *action)
{
    msd_dir_config_t *conf = dir;
    int none = !action && strcasecmp(kind, "None") == 0, further = conf->bind != NULL;

    msd_config_note(cmd, dir);
    if (!action && !none) {
        return apr_psprintf(cmd->pool, "%s needs what to bind to and log, renew or deny; or None", cmd->cmd->name);
    }
    if (further && (none || conf->bind->none)) {
        return apr_psprintf(
            cmd->pool,
            "%s: the lines of a section are combined, and one of them is None: remove that line, or the others",
            cmd->cmd->name);
    }
    if (!further) {
        conf->bind = apr_pcalloc(cmd->pool, sizeof(*conf->bind));
        *conf->bind = (msd_bind_t){ .none = none, .v4 = V4_DEFAULT, .v6 = V6_DEFAULT };
    }
    return none ? NULL : set_kind(cmd, conf->bind, kind, action);
}
