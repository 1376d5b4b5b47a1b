/* The records of the settings: create, merge, defaults, and where they were written. The directives that fill them are
 * in msd_directives.c, what has to fit together is checked in msd_config_check.c. */

#include <apr_strings.h>

#include "httpd/conf/msd_config.h"

#define SECTIONS_KEY "session_dynamodb_sections"

void *msd_config_create_server(apr_pool_t *p, server_rec *s)
{
    msd_server_config_t *c = apr_pcalloc(p, sizeof(*c));

    (void)s;
    c->table = NULL;
    c->endpoint_url = NULL;
    c->region = NULL;
    c->profile = NULL;
    c->credentials_file = NULL;
    c->config_file = NULL;
    c->ca_file = NULL;
    c->proxy = NULL;
    c->timeout = MSD_UNSET;
    c->connect_timeout = MSD_UNSET;
    c->max_attempts = MSD_UNSET;
    c->warm_connections = MSD_UNSET;
    c->breaker = MSD_UNSET;
    c->create_table = MSD_UNSET;
    c->check_table = MSD_UNSET;
    c->cookie_names = NULL;
    c->endpoint.url = NULL;
    c->recent = NULL;
    c->misses = NULL;
    c->outage = NULL;
    c->plain_told = NULL;
    c->count = NULL;
    c->child = NULL;
    return c;
}

static const apr_array_header_t *joined(apr_pool_t *p, const apr_array_header_t *one, const apr_array_header_t *other)
{
    return one && other ? apr_array_append(p, one, other) : one ? one : other;
}

#define NEARER_PTR(field) c->field = a->field ? a->field : b->field
#define NEARER_NUM(field) c->field = a->field != MSD_UNSET ? a->field : b->field
#define LOWER_NUM(field)  c->field = a->field != MSD_UNSET && (b->field == MSD_UNSET || a->field < b->field) \
                                     ? a->field : b->field
#define JOINED(field)     c->field = joined(p, b->field, a->field)

void *msd_config_merge_server(apr_pool_t *p, void *base, void *add)
{
    const msd_server_config_t *b = base, *a = add;
    msd_server_config_t *c = apr_pcalloc(p, sizeof(*c));

    NEARER_PTR(table);
    NEARER_PTR(endpoint_url);
    NEARER_PTR(region);
    NEARER_PTR(profile);
    NEARER_PTR(credentials_file);
    NEARER_PTR(config_file);
    NEARER_PTR(ca_file);
    NEARER_PTR(proxy);
    NEARER_NUM(timeout);
    NEARER_NUM(connect_timeout);
    NEARER_NUM(max_attempts);
    NEARER_NUM(warm_connections);
    NEARER_NUM(breaker);
    NEARER_NUM(create_table);
    NEARER_NUM(check_table);
    /* Worked out per server, after merging. */
    c->cookie_names = NULL;
    c->endpoint.url = NULL;
    c->recent = NULL;
    c->misses = NULL;
    c->outage = NULL;
    c->plain_told = NULL;
    c->count = NULL;
    c->child = NULL;
    return c;
}

void *msd_config_create_dir(apr_pool_t *p, char *dir)
{
    msd_dir_config_t *c = apr_pcalloc(p, sizeof(*c));

    (void)dir;
    c->enabled = MSD_UNSET;
    c->consistent_read = MSD_UNSET;
    c->idle_timeout = MSD_UNSET;
    c->absolute_timeout = MSD_UNSET;
    c->touch_interval = MSD_UNSET;
    c->idle_limit = MSD_UNSET;
    c->absolute_limit = MSD_UNSET;
    c->touch_limit = MSD_UNSET;
    c->sid_byte_length = MSD_UNSET;
    c->sid_older_lengths = NULL;
    c->sid_keys = NULL;
    c->sid_digest = MSD_UNSET;
    c->hash_sid = MSD_UNSET;
    c->cookie_name = NULL;
    c->cookie_secure = MSD_UNSET;
    c->cookie_http_only = MSD_UNSET;
    c->cookie_same_site = MSD_UNSET;
    c->cookie_domain = NULL;
    c->cookie_path = NULL;
    c->cookie_persistent = MSD_UNSET;
    c->use_header = MSD_UNSET;
    c->header_name = NULL;
    c->on_error = MSD_UNSET;
    c->no_store = MSD_UNSET;
    c->forward = NULL;
    c->scrubbed = NULL;
    c->forward_keys = NULL;
    c->accept = NULL;
    c->env = NULL;
    c->mask = NULL;
    c->mask_more = NULL;
    c->format = MSD_UNSET;
    c->max_size = MSD_UNSET;
    c->max_entries = MSD_UNSET;
    c->compress = MSD_UNSET;
    return c;
}

void *msd_config_merge_dir(apr_pool_t *p, void *base, void *add)
{
    const msd_dir_config_t *b = base, *a = add;
    msd_dir_config_t *c = apr_pcalloc(p, sizeof(*c));

    NEARER_NUM(enabled);
    NEARER_NUM(consistent_read);
    NEARER_NUM(idle_timeout);
    NEARER_NUM(absolute_timeout);
    NEARER_NUM(touch_interval);
    LOWER_NUM(idle_limit);
    LOWER_NUM(absolute_limit);
    LOWER_NUM(touch_limit);
    NEARER_NUM(sid_byte_length);
    NEARER_PTR(sid_older_lengths);
    NEARER_PTR(sid_keys);
    NEARER_NUM(sid_digest);
    NEARER_NUM(hash_sid);
    NEARER_PTR(cookie_name);
    NEARER_NUM(cookie_secure);
    NEARER_NUM(cookie_http_only);
    NEARER_NUM(cookie_same_site);
    NEARER_PTR(cookie_domain);
    NEARER_PTR(cookie_path);
    NEARER_NUM(cookie_persistent);
    NEARER_NUM(use_header);
    NEARER_PTR(header_name);
    NEARER_NUM(on_error);
    NEARER_NUM(no_store);
    NEARER_PTR(forward);
    JOINED(scrubbed);
    NEARER_PTR(forward_keys);
    NEARER_PTR(accept);
    NEARER_PTR(env);
    NEARER_PTR(mask);
    JOINED(mask_more);
    NEARER_NUM(format);
    NEARER_NUM(max_size);
    NEARER_NUM(max_entries);
    NEARER_NUM(compress);
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

#define DEFAULT_NUM(field, value) c->field = c->field != MSD_UNSET ? c->field : (value)
#define DEFAULT_PTR(field, value) c->field = c->field ? c->field : (value)
#define AT_MOST(field, limit)     c->field = c->limit != MSD_UNSET && c->limit < c->field ? c->limit : c->field

msd_dir_config_t *msd_config_resolve(const msd_dir_config_t *merged, apr_pool_t *p)
{
    msd_dir_config_t *c = apr_pmemdup(p, merged, sizeof(*merged));

    DEFAULT_NUM(enabled, 0);
    DEFAULT_NUM(consistent_read, 1);
    DEFAULT_NUM(idle_timeout, 7200);
    DEFAULT_NUM(absolute_timeout, 43200);
    DEFAULT_NUM(touch_interval, 60);
    DEFAULT_NUM(sid_byte_length, 32);
    DEFAULT_NUM(sid_digest, DDB_SHA1);
    DEFAULT_NUM(hash_sid, 1);
    DEFAULT_PTR(cookie_name, "id");
    DEFAULT_NUM(cookie_secure, 1);
    DEFAULT_NUM(cookie_http_only, 1);
    DEFAULT_NUM(cookie_same_site, MSD_STRICT);
    DEFAULT_PTR(cookie_domain, "");
    DEFAULT_PTR(cookie_path, "/");
    DEFAULT_NUM(cookie_persistent, 0);
    DEFAULT_NUM(use_header, 0);
    DEFAULT_PTR(header_name, MSD_HEADER_NAME);
    DEFAULT_NUM(on_error, MSD_DENY);
    DEFAULT_NUM(no_store, MSD_NO_STORE_LOADED);
    DEFAULT_NUM(format, DDB_FORM);
    DEFAULT_NUM(max_size, DDB_ITEM_SIZE_MAX);
    DEFAULT_NUM(max_entries, 1000);
    DEFAULT_NUM(compress, 0);
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

/* Records of .htaccess files live as long as a request, and are checked there. */
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
