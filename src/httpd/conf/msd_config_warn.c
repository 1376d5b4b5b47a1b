/* Settings that are allowed but surely unintended. */

#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <unistd.h>
#include <unixd.h>

#include "base/ddb_array.h"
#include "aws/ddb_skew.h"
#include "httpd/conf/msd_config_warn.h"
#include "httpd/conf/msd_config_place.h"

APLOG_USE_MODULE(session_dynamodb);

#define AT(place) (place)->directive->filename, (place)->directive->line_num

typedef struct config_t {
    apr_pool_t *pool;
    server_rec *main_server;
    const apr_array_header_t *places; /* msd_config_place_t of read_directives: all, or those near one of them */
    apr_hash_t *by_host;              /* <VirtualHost>, NULL for the main server: array of its places */
    int startup;                      /* APLOG_STARTUP for a terminal; 0 for the error log, with its usual prefix */
} config_t;

static int is_on(const msd_config_place_t *place)
{
    return msd_config_place_is(place, "SessionDynamoDB") && strcasecmp(place->word, "On") == 0;
}

static apr_hash_t *group_by_host(const apr_array_header_t *places, apr_pool_t *p)
{
    apr_hash_t *by_host = apr_hash_make(p);
    int i;

    for (i = 0; i < places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(places, i, msd_config_place_t);
        apr_array_header_t *own = apr_hash_get(by_host, &place->host, sizeof(void *));

        if (!own) {
            own = apr_array_make(p, 8, sizeof(msd_config_place_t));
            apr_hash_set(by_host, &place->host, sizeof(void *), own);
        }
        APR_ARRAY_PUSH(own, msd_config_place_t) = *place;
    }
    return by_host;
}

/** The same without the places of other virtual hosts, of which there may be thousands; allocated from p. */
static config_t near_to(const config_t *config, const msd_config_place_t *at, apr_pool_t *p)
{
    const ap_directive_t *of_main = NULL;
    const apr_array_header_t *main_places = apr_hash_get(config->by_host, &of_main, sizeof(void *));
    const apr_array_header_t *own = apr_hash_get(config->by_host, &at->host, sizeof(void *));
    config_t near = *config;

    near.pool = p;
    if (at->host) {
        near.places = main_places ? apr_array_append(p, main_places, own) : own;
    }
    return near;
}

/** 1 if a directive of this name, with this word if it is not NULL, may apply together with `at`. */
static int is_near(const config_t *config, const msd_config_place_t *at, const char *name, const char *word)
{
    int i;

    for (i = 0; i < config->places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(config->places, i, msd_config_place_t);

        if (msd_config_place_is(place, name) && (!word || strcasecmp(place->word, word) == 0)
            && msd_config_place_may_meet(place, at)) {
            return 1;
        }
    }
    return 0;
}

/** How programs access a session. httpd modules do not need this, so with mod_auth_form nothing is missing. */
static void look_for_ways(const config_t *config, const msd_config_place_t *on)
{
    int reads = is_near(config, on, "SessionEnv", "On") || is_near(config, on, "SessionDynamoDBEnv", NULL)
                || is_near(config, on, "SessionDynamoDBForward", NULL);
    int writes = is_near(config, on, "SessionHeader", NULL);

    if ((!reads || !writes) && !is_near(config, on, "AuthType", "form")) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE | config->startup, 0, config->main_server,
                     "SessionDynamoDB is On at %s:%d, but %s%s%s. Ignore this where only httpd modules use the session",
                     AT(on),
                     reads ? ""
                           : "programs can't read the session there without SessionEnv On, SessionDynamoDBEnv or "
                             "SessionDynamoDBForward",
                     !reads && !writes ? ", and " : "",
                     writes ? "" : "programs can't change the session there without SessionHeader X-Replace-Session");
    }
}

/** A login that the module does not see keeps the session's ID, which somebody else may have planted. */
static void look_for_logins(const config_t *config, const msd_config_place_t *on)
{
    if (is_near(config, on, "SessionHeader", NULL) && !is_near(config, on, "SessionDynamoDBUserKey", NULL)
        && !is_near(config, on, "SessionDynamoDBControlHeader", NULL)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE | config->startup, 0, config->main_server,
                     "SessionDynamoDB is On at %s:%d, and programs change the session there by SessionHeader, but "
                     "nothing tells when they log a user in, so that a login would keep the session ID: name the entry "
                     "of the user with SessionDynamoDBUserKey, or set SessionDynamoDBControlHeader. Where no program "
                     "does, write SessionDynamoDBUserKey None",
                     AT(on));
    }
}

static void look_for_session(const config_t *config, const msd_config_place_t *on)
{
    if (is_near(config, on, "Session", "On")) {
        look_for_ways(config, on);
        look_for_logins(config, on);
        return;
    }
    ap_log_error(
        APLOG_MARK, APLOG_WARNING | config->startup, 0, config->main_server,
        "SessionDynamoDB is On at %s:%d, but Session is Off there, so requests have no session: add Session On there",
        AT(on));
}

/** A browser sends a cookie only below its path: elsewhere each request would begin a new session. */
static void look_at_cookie_path(const config_t *config, const msd_config_place_t *on)
{
    const msd_config_place_t *path = msd_config_place_holding(config->places, "SessionDynamoDBCookiePath", on);
    const msd_config_place_t *header = msd_config_place_holding(config->places, "SessionDynamoDBUseHeader", on);
    const char *url = on->location && !*on->location ? "/" : on->location;

    if (path && url && !msd_config_place_covers(path->word, url) && !(header && strcasecmp(header->word, "On") == 0)) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING | config->startup, 0, config->main_server,
            "SessionDynamoDBCookiePath %s at %s:%d does not cover %s, where SessionDynamoDB is On (%s:%d): browsers do "
            "not send the cookie there, so each request begins a new session. Use the same path for both",
            path->word, AT(path), url, AT(on));
    }
}

/** mod_session tries one store after the other. This one is first, so directives of another store have no effect. */
static void look_at_other_store(const config_t *config, const msd_config_place_t *other)
{
    int i;

    for (i = 0; i < config->places->nelts; i++) {
        const msd_config_place_t *on = &APR_ARRAY_IDX(config->places, i, msd_config_place_t);

        if (is_on(on)
            && (msd_config_place_holds(other, on)
                || msd_config_place_holding(config->places, "SessionDynamoDB", other) == on)) {
            ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, config->main_server,
                         "%s (at %s:%d) names another session store where SessionDynamoDB is On (at %s:%d): only the "
                         "table stores sessions there. Move it to a section where SessionDynamoDB is Off, or remove it",
                         other->directive->directive, AT(other), AT(on));
            return;
        }
    }
}

/** Every program that httpd runs can read and replace files that httpd's user owns. */
static void look_at_key_files(const config_t *config, const msd_config_place_t *keys)
{
    const char *args = keys->directive->args;

    while (*args) {
        const char *word = ap_getword_conf(config->pool, &args);
        const char *path = strncasecmp(word, "file:", 5) == 0 ? ap_server_root_relative(config->pool, word + 5) : NULL;
        apr_finfo_t info;

        /* If httpd was not started by root, it must read the keys as its own user: no warning. */
        if (path && geteuid() == 0 && apr_stat(&info, path, APR_FINFO_OWNER, config->pool) == APR_SUCCESS
            && info.user == ap_unixd_config.user_id && info.user != 0) {
            ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, config->main_server,
                         "%s at %s:%d: the key file %s belongs to httpd's user, so programs that httpd runs can read "
                         "it: chown root and chmod 0600 it; httpd reads it before it gives up root privileges",
                         keys->directive->directive, AT(keys), path);
        }
    }
}

/** The source of an endpoint's URL: file and line, or the other sources. */
static const char *endpoint_at(const config_t *config, const char *url)
{
    int i;

    for (i = 0; url && i < config->places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(config->places, i, msd_config_place_t);

        if (msd_config_place_is(place, "SessionDynamoDBEndpointURL") && strcmp(place->word, url) == 0) {
            return apr_psprintf(config->pool, "SessionDynamoDBEndpointURL at %s:%d", AT(place));
        }
    }
    return "AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL or the profile";
}

static int is_in_clear(const msd_server_config_t *c)
{
    return c->used && c->endpoint.url && !ddb_skew_trusts(c->endpoint.url);
}

static void look_at_endpoint(const config_t *config, const server_rec *s)
{
    const msd_server_config_t *c = msd_config_server(s);
    const server_rec *before;

    if (!is_in_clear(c)) {
        return;
    }
    for (before = config->main_server; before != s; before = before->next) {
        if (is_in_clear(msd_config_server(before))
            && strcmp(msd_config_server(before)->endpoint.url, c->endpoint.url) == 0) {
            return;
        }
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, s,
                 "the endpoint %s (%s) is on another machine and without TLS: anyone on the network path can read and "
                 "change sessions. Use https",
                 c->endpoint.url, endpoint_at(config, c->endpoint_url));
}

/* ---- virtual hosts that share sessions --------------------------------------------------------------------------- */

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

static void read_host(host_t *host, const config_t *config, const server_rec *s)
{
    const apr_array_header_t *sections = msd_config_sections(config->pool);
    const void *of_main = ap_get_module_config(config->main_server->lookup_defaults, &session_dynamodb_module);
    int i;

    host->server = s;
    host->keys = apr_array_make(config->pool, 2, sizeof(const char *));
    host->audiences = apr_array_make(config->pool, 1, sizeof(const char *));
    host->on = 0;
    add_settings(host, ap_get_module_config(s->lookup_defaults, &session_dynamodb_module));
    for (i = 0; sections && i < sections->nelts; i++) {
        const msd_section_t *section = &APR_ARRAY_IDX(sections, i, msd_section_t);

        /* The main server's own settings are in lookup_defaults already, unless the host overrides them. */
        if (section->conf != of_main && (section->server == s || section->server == config->main_server)) {
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
static void look_at_host(const config_t *config, const host_t *host)
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

static void look_at_hosts(const config_t *config)
{
    apr_array_header_t *servers = apr_array_make(config->pool, 8, sizeof(server_rec *));
    apr_array_header_t *hosts = apr_array_make(config->pool, 8, sizeof(host_t));
    server_rec *s;
    host_t host;
    int i;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is always a main server. */
    for (s = config->main_server->next; s; s = s->next) {
        APR_ARRAY_PUSH(servers, server_rec *) = s;
    }
    while (servers->nelts) { /* httpd lists virtual hosts in reverse order */
        s = *(server_rec **)apr_array_pop(servers);
        read_host(&host, config, s);
        if (host.on && s->server_hostname) {
            APR_ARRAY_PUSH(hosts, host_t) = host;
        }
    }
    group_by_table(hosts, config->pool);
    for (i = 0; i < hosts->nelts; i++) {
        look_at_host(config, &APR_ARRAY_IDX(hosts, i, host_t));
    }
}

/* The directives that the warnings depend on. */
static const char *const read_directives[] = {
    "AuthType",
    "Session",
    "SessionCookieName",
    "SessionCookieName2",
    "SessionDBDCookieName",
    "SessionDBDCookieName2",
    "SessionDBDPerUser",
    "SessionEnv",
    "SessionHeader",
    "SessionDynamoDB",
    "SessionDynamoDBControlHeader",
    "SessionDynamoDBCookiePath",
    "SessionDynamoDBEndpointURL",
    "SessionDynamoDBEnv",
    "SessionDynamoDBForward",
    "SessionDynamoDBForwardKeys",
    "SessionDynamoDBSidKeys",
    "SessionDynamoDBUseHeader",
    "SessionDynamoDBUserKey",
    NULL,
};

static void look_at_place(const config_t *config, const msd_config_place_t *place, apr_pool_t *p)
{
    const config_t near = near_to(config, place, p);

    if (is_on(place)) {
        look_for_session(&near, place);
        look_at_cookie_path(&near, place);
    }
    if (msd_config_place_is(place, "SessionDynamoDBSidKeys")
        || msd_config_place_is(place, "SessionDynamoDBForwardKeys")) {
        look_at_key_files(&near, place);
    }
    if (strncasecmp(place->directive->directive, "SessionCookieName", 17) == 0
        || strncasecmp(place->directive->directive, "SessionDBD", 10) == 0) {
        look_at_other_store(&near, place);
    }
}

void msd_config_warn(apr_pool_t *p, server_rec *main_server)
{
    config_t config = { .pool = p,
                        .main_server = main_server,
                        .places = msd_config_place_all(p, read_directives),
                        .startup = ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST ? APLOG_STARTUP : 0 };
    const server_rec *s;
    apr_pool_t *scratch;
    int i;

    config.by_host = group_by_host(config.places, p);
    apr_pool_create(&scratch, p);
    for (i = 0; i < config.places->nelts; i++) {
        look_at_place(&config, &APR_ARRAY_IDX(config.places, i, msd_config_place_t), scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    for (s = main_server; s; s = s->next) {
        look_at_endpoint(&config, s);
    }
    look_at_hosts(&config);
}
