/* Virtual hosts that accept each other's sessions. */

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "base/ddb_array.h"
#include "httpd/conf/msd_config_warn_int.h"

APLOG_USE_MODULE(session_dynamodb);

typedef struct host_t {
    const server_rec *server;
    apr_array_header_t *keys;      /* const char *: all keys that sign IDs in the host; empty: IDs are not signed */
    apr_array_header_t *audiences; /* const char *: all labels of its sections; "" where sessions have no label */
    int on;
    apr_array_header_t *same_table; /* const host_t *: the hosts with its table, in order */
    int index;                      /* its own among them */
} host_t;

static void add_settings(host_t *host, const msd_dir_config_t *conf)
{
    host->on |= conf->enabled == 1;
    if (conf->audience && !ddb_array_holds(host->audiences, conf->audience)) {
        APR_ARRAY_PUSH(host->audiences, const char *) = conf->audience;
    }
    if (conf->sid_keys) {
        apr_array_cat(host->keys, conf->sid_keys);
    }
}

static void read_host(host_t *host, const msd_config_warn_t *config, const server_rec *s, apr_hash_t *by_server)
{
    const apr_array_header_t *sections = msd_config_sections_for(by_server, s, config->main_server, config->pool);
    const void *of_main = ap_get_module_config(config->main_server->lookup_defaults, &session_dynamodb_module);
    int i;

    host->server = s;
    host->keys = apr_array_make(config->pool, 2, sizeof(const char *));
    host->audiences = apr_array_make(config->pool, 1, sizeof(const char *));
    host->on = 0;
    add_settings(host, ap_get_module_config(s->lookup_defaults, &session_dynamodb_module));
    for (i = 0; i < sections->nelts; i++) {
        const msd_section_t *section = APR_ARRAY_IDX(sections, i, const msd_section_t *);

        /* The main server's own settings are in lookup_defaults already, unless the host overrides them. */
        if (section->conf != of_main) {
            add_settings(host, section->conf);
        }
    }
}

/** 1 if two lists have an element in common, or both are empty. */
static int meet(const apr_array_header_t *a, const apr_array_header_t *b)
{
    int i;

    for (i = 0; i < a->nelts; i++) {
        if (ddb_array_holds(b, APR_ARRAY_IDX(a, i, const char *))) {
            return 1;
        }
    }
    return a->nelts == 0 && b->nelts == 0;
}

/** 1 if the sessions of one host are valid in the other. */
static int share_sessions(const host_t *a, const host_t *b)
{
    const msd_server_config_t *c = msd_config_server(a->server), *d = msd_config_server(b->server);

    return c->endpoint.url && d->endpoint.url && strcmp(c->endpoint.url, d->endpoint.url) == 0
           && strcmp(c->table, d->table) == 0 && meet(a->keys, b->keys) && meet(a->audiences, b->audiences);
}

/** Log one line for all hosts that share sessions, with the first of them. A host on two ports counts as one. */
static void look_at_host(const msd_config_warn_t *config, const host_t *host)
{
    const host_t *other = NULL;
    int i, more = 0;

    for (i = 0; i < host->same_table->nelts; i++) {
        const host_t *h = APR_ARRAY_IDX(host->same_table, i, const host_t *);

        if (i == host->index || !share_sessions(host, h)) {
            continue;
        }
        if (i < host->index) {
            return;
        }
        if (strcasecmp(h->server->server_hostname, host->server->server_hostname) != 0) {
            more += other != NULL;
            other = other ? other : h;
        }
    }
    if (other) {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE | config->startup, 0, config->main_server,
            "the virtual hosts %s (%s:%u) and %s (%s:%u)%s share the table %s and %s: a session of one is valid in the "
            "other. Unless they are one site, give each its own SessionDynamoDBAudience, SessionDynamoDBTableName or "
            "SessionDynamoDBSidKeys",
            host->server->server_hostname, host->server->defn_name, host->server->defn_line_number,
            other->server->server_hostname, other->server->defn_name, other->server->defn_line_number,
            more ? apr_psprintf(config->pool, ", and %d more,", more) : "", msd_config_server(host->server)->table,
            host->keys->nelts ? "a key for session IDs" : "do not sign session IDs");
    }
}

static void group_by_table(const apr_array_header_t *hosts, apr_pool_t *p)
{
    apr_hash_t *by_table = apr_hash_make(p);
    int i;

    for (i = 0; i < hosts->nelts; i++) {
        host_t *host = &APR_ARRAY_IDX(hosts, i, host_t);
        const char *table = msd_config_server(host->server)->table;

        host->same_table = apr_hash_get(by_table, table, APR_HASH_KEY_STRING);
        if (!host->same_table) {
            host->same_table = apr_array_make(p, 4, sizeof(const host_t *));
            apr_hash_set(by_table, table, APR_HASH_KEY_STRING, host->same_table);
        }
        host->index = host->same_table->nelts;
        APR_ARRAY_PUSH(host->same_table, const host_t *) = host;
    }
}

void msd_config_warn_hosts(const msd_config_warn_t *config)
{
    apr_array_header_t *servers = apr_array_make(config->pool, 8, sizeof(server_rec *));
    apr_array_header_t *hosts = apr_array_make(config->pool, 8, sizeof(host_t));
    apr_hash_t *by_server = msd_config_sections_by_server(config->pool);
    server_rec *s;
    host_t host;
    int i;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is always a main server. */
    for (s = config->main_server->next; s; s = s->next) {
        APR_ARRAY_PUSH(servers, server_rec *) = s;
    }
    while (servers->nelts) { /* httpd lists virtual hosts in reverse order */
        s = *(server_rec **)apr_array_pop(servers);
        read_host(&host, config, s, by_server);
        if (host.on && s->server_hostname) {
            APR_ARRAY_PUSH(hosts, host_t) = host;
        }
    }
    group_by_table(hosts, config->pool);
    for (i = 0; i < hosts->nelts; i++) {
        look_at_host(config, &APR_ARRAY_IDX(hosts, i, host_t));
    }
}
