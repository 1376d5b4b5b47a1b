/* The settings records: create, merge, defaults, and the places of their directives. msd_directives.c fills them,
 * msd_config_check.c checks settings against each other. */

#include <apr_hash.h>
#include <apr_strings.h>

#include "httpd/conf/msd_config.h"

#define SECTIONS_KEY "session_dynamodb_sections"

/* Of a pool of the configuration. There may be thousands: looking through all for each of them is left to nobody. */
typedef struct sections_t {
    apr_array_header_t *all; /* msd_section_t */
    apr_hash_t *by_conf;     /* record -> its place in all, from 1 on */
} sections_t;

const msd_limit_t msd_config_guess_limit = { .most = 20, .seconds = 60 };
const msd_limit_t msd_config_create_limit = { .most = 60, .seconds = 60 };

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

static sections_t *find_sections(apr_pool_t *p)
{
    void *found = NULL;

    apr_pool_userdata_get(&found, SECTIONS_KEY, p);
    return found;
}

const apr_array_header_t *msd_config_sections(apr_pool_t *p)
{
    const sections_t *sections = find_sections(p);

    return sections ? sections->all : NULL;
}

apr_hash_t *msd_config_sections_by_server(apr_pool_t *p)
{
    const apr_array_header_t *sections = msd_config_sections(p);
    apr_hash_t *by_server = apr_hash_make(p);
    int i;

    for (i = 0; sections && i < sections->nelts; i++) {
        const msd_section_t *section = &APR_ARRAY_IDX(sections, i, msd_section_t);
        apr_array_header_t *own = apr_hash_get(by_server, &section->server, sizeof(void *));

        if (!own) {
            own = apr_array_make(p, 2, sizeof(const msd_section_t *));
            apr_hash_set(by_server, &section->server, sizeof(void *), own);
        }
        APR_ARRAY_PUSH(own, const msd_section_t *) = section;
    }
    return by_server;
}

static const apr_array_header_t *sections_of(apr_hash_t *by_server, const server_rec *s)
{
    return apr_hash_get(by_server, &s, sizeof(void *));
}

const apr_array_header_t *msd_config_sections_for(apr_hash_t *by_server, const server_rec *s,
                                                  const server_rec *main_server, apr_pool_t *p)
{
    const apr_array_header_t *found = joined(p, sections_of(by_server, main_server),
                                             s != main_server ? sections_of(by_server, s) : NULL);

    return found ? found : apr_array_make(p, 0, sizeof(const msd_section_t *));
}

int msd_config_in_htaccess(const cmd_parms *cmd)
{
    return cmd->pool == cmd->temp_pool;
}

static sections_t *get_sections(apr_pool_t *p)
{
    sections_t *sections = find_sections(p);

    if (!sections) {
        sections = apr_palloc(p, sizeof(*sections));
        sections->all = apr_array_make(p, 8, sizeof(msd_section_t));
        sections->by_conf = apr_hash_make(p);
        apr_pool_userdata_setn(sections, SECTIONS_KEY, NULL, p);
    }
    return sections;
}

/** The section of conf. Valid until the next one is added. */
static msd_section_t *section_for(const cmd_parms *cmd, const msd_dir_config_t *conf)
{
    sections_t *sections = get_sections(cmd->pool);
    apr_uintptr_t at = (apr_uintptr_t)apr_hash_get(sections->by_conf, &conf, sizeof(void *));
    const msd_dir_config_t **key;

    if (!at) {
        APR_ARRAY_PUSH(sections->all, msd_section_t) = (msd_section_t){ .server = cmd->server, .conf = conf };
        at = (apr_uintptr_t)sections->all->nelts;
        key = apr_pmemdup(cmd->pool, &conf, sizeof(void *));
        apr_hash_set(sections->by_conf, key, sizeof(void *), (void *)at);
    }
    return &APR_ARRAY_IDX(sections->all, at - 1, msd_section_t);
}

/* Records of .htaccess files live as long as a request, and are checked in it. */
void msd_config_note(cmd_parms *cmd, const msd_dir_config_t *conf)
{
    msd_section_t *section;

    if (msd_config_in_htaccess(cmd)) {
        return;
    }
    section = section_for(cmd, conf);
    section->where = apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    if (strncasecmp(cmd->cmd->name, "SessionDynamoDBCookie", 21) == 0) {
        section->where_cookie = section->where;
    }
}
