/* The settings records: create, merge, defaults, and the places of their directives. msd_directives.c fills them,
 * msd_config_check.c checks settings against each other. */

#include <apr_strings.h>

#include "httpd/conf/msd_config.h"

#define SECTIONS_KEY "session_dynamodb_sections"

static const apr_array_header_t *joined(apr_pool_t *p, const apr_array_header_t *one, const apr_array_header_t *other)
{
    return one && other ? apr_array_append(p, one, other) : one ? one : other;
}

/* The unset value of each kind of setting. */
#define UNSET_NUMBER  MSD_UNSET
#define UNSET_POINTER NULL
#define UNSET_LOWEST  MSD_UNSET
#define UNSET_JOINED  NULL

/* The result of merging an outer and an inner setting, in the pool p. */
#define MERGE_NUMBER(outer, inner)  (inner) != MSD_UNSET ? (inner) : (outer)
#define MERGE_POINTER(outer, inner) (inner) ? (inner) : (outer)
#define MERGE_LOWEST(outer, inner)                                                                                     \
    (inner) != MSD_UNSET && ((outer) == MSD_UNSET || (inner) < (outer)) ? (inner) : (outer)
#define MERGE_JOINED(outer, inner) joined(p, outer, inner)

/* The code for one row of a list of settings. */
#define CREATE(kind, type, name, value)  c->name = UNSET_##kind;
#define MERGE(kind, type, name, value)   c->name = MERGE_##kind(b->name, a->name);
#define DEFAULT(kind, type, name, value) c->name = c->name != UNSET_##kind ? c->name : (value);

void *msd_config_create_server(apr_pool_t *p, server_rec *s)
{
    msd_server_config_t *c = apr_pcalloc(p, sizeof(*c));

    (void)s;
    MSD_SERVER_SETTINGS(CREATE)
    return c;
}

void *msd_config_merge_server(apr_pool_t *p, void *base, void *add)
{
    const msd_server_config_t *b = base, *a = add;
    msd_server_config_t *c = apr_pcalloc(p, sizeof(*c));

    MSD_SERVER_SETTINGS(MERGE)
    return c;
}

void msd_config_default_server(msd_server_config_t *c)
{
    MSD_SERVER_SETTINGS(DEFAULT)
}

/* NOLINTNEXTLINE(readability-non-const-parameter): httpd defines the type. */
void *msd_config_create_dir(apr_pool_t *p, char *dir)
{
    msd_dir_config_t *c = apr_pcalloc(p, sizeof(*c));

    (void)dir;
    MSD_DIR_SETTINGS(CREATE)
    return c;
}

void *msd_config_merge_dir(apr_pool_t *p, void *base, void *add)
{
    const msd_dir_config_t *b = base, *a = add;
    msd_dir_config_t *c = apr_pcalloc(p, sizeof(*c));

    MSD_DIR_SETTINGS(MERGE)
    return c;
}

msd_server_config_t *msd_config_server(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &session_dynamodb_module);
}

const msd_dir_config_t *msd_config_merged(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &session_dynamodb_module);
}

int msd_config_enabled(const request_rec *r)
{
    return msd_config_merged(r)->enabled == 1;
}

#define AT_MOST(field, limit) c->field = c->limit != MSD_UNSET && c->limit < c->field ? c->limit : c->field

msd_dir_config_t *msd_config_resolve(const msd_dir_config_t *merged, apr_pool_t *p)
{
    msd_dir_config_t *c = apr_pmemdup(p, merged, sizeof(*merged));

    MSD_DIR_SETTINGS(DEFAULT)
    AT_MOST(idle_timeout, idle_limit);
    AT_MOST(absolute_timeout, absolute_limit);
    AT_MOST(touch_interval, touch_limit);
    c->mask = joined(p, c->mask, c->mask_more);
    return c;
}

msd_dir_config_t *msd_config_dir(const request_rec *r, apr_pool_t *p)
{
    return msd_config_resolve(msd_config_merged(r), p);
}

void msd_config_rules(ddb_sid_rules_t *rules, const msd_dir_config_t *conf)
{
    rules->bytes = conf->sid_byte_length;
    rules->older = conf->sid_older_lengths;
    rules->digest = conf->sid_digest;
    rules->keys = conf->sid_keys;
    rules->hash = conf->hash_sid;
    rules->audience = *conf->audience ? conf->audience : NULL;
}

apr_array_header_t *msd_config_sections(apr_pool_t *p)
{
    void *sections = NULL;

    apr_pool_userdata_get(&sections, SECTIONS_KEY, p);
    return sections;
}

int msd_config_in_htaccess(const cmd_parms *cmd)
{
    return cmd->pool == cmd->temp_pool;
}

/* Records of .htaccess files live as long as a request, and are checked in it. */
void msd_config_note(cmd_parms *cmd, const msd_dir_config_t *conf)
{
    apr_array_header_t *sections;
    msd_section_t *section = NULL;
    int i;

    if (msd_config_in_htaccess(cmd)) {
        return;
    }
    sections = msd_config_sections(cmd->pool);
    if (!sections) {
        sections = apr_array_make(cmd->pool, 8, sizeof(msd_section_t));
        apr_pool_userdata_setn(sections, SECTIONS_KEY, NULL, cmd->pool);
    }
    for (i = 0; i < sections->nelts && !section; i++) {
        msd_section_t *known = &APR_ARRAY_IDX(sections, i, msd_section_t);
        section = known->conf == conf ? known : NULL;
    }
    if (!section) {
        section = apr_array_push(sections);
        section->server = cmd->server;
        section->conf = conf;
        section->where_cookie = NULL;
    }
    section->where = apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    if (strncasecmp(cmd->cmd->name, "SessionDynamoDBCookie", 21) == 0) {
        section->where_cookie = section->where;
    }
}
