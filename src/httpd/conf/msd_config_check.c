/* Checks of the complete configuration: settings that must fit together, and the endpoint. */

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>

#include "base/ddb_curl.h"
#include "httpd/conf/msd_cookie_areas.h"
#include "httpd/conf/msd_config_check_int.h"
#include "httpd/conf/msd_signing_keys.h"

APLOG_USE_MODULE(session_dynamodb);

/** RFC 6265bis section 4.1.3: the attributes that a cookie name prefix requires. Its spelling was checked before. */
static const char *check_prefix(const msd_dir_config_t *c, apr_pool_t *p)
{
    const char *name = c->cookie_name;
    int host = strncmp(name, "__Host-", 7) == 0;
    int http = strncmp(name, "__Http-", 7) == 0 || strncmp(name, "__Host-Http-", 12) == 0;

    if ((host || http || strncmp(name, "__Secure-", 9) == 0) && !c->cookie_secure) {
        return apr_psprintf(p,
                            "browsers refuse a cookie named %s without Secure: set SessionDynamoDBCookieSecure On, or "
                            "change SessionDynamoDBCookieName",
                            name);
    }
    if (http && !c->cookie_http_only) {
        return apr_psprintf(p,
                            "browsers refuse a cookie named %s without HttpOnly: set SessionDynamoDBCookieHttpOnly On, "
                            "or change SessionDynamoDBCookieName",
                            name);
    }
    if (host && *c->cookie_domain) {
        return apr_psprintf(p,
                            "browsers refuse a cookie named %s with a Domain: remove SessionDynamoDBCookieDomain, or "
                            "change SessionDynamoDBCookieName",
                            name);
    }
    if (host && strcmp(c->cookie_path, "/") != 0) {
        return apr_psprintf(p,
                            "browsers refuse a cookie named %s with a path other than /: set SessionDynamoDBCookiePath "
                            "/, or change SessionDynamoDBCookieName",
                            name);
    }
    return NULL;
}

static const char *check_cookie(const msd_dir_config_t *c, apr_pool_t *p)
{
    if (c->cookie_same_site == MSD_SAME_SITE_NONE && !c->cookie_secure) {
        return "browsers refuse a cookie with SameSite=None and without Secure: set SessionDynamoDBCookieSecure On, or "
               "SessionDynamoDBCookieSameSite Lax or Strict";
    }
    if (c->cookie_persistent && c->absolute_timeout > MSD_COOKIE_SECONDS_MOST) {
        return "browsers keep a cookie for 400 days at most, and SessionDynamoDBAbsoluteTimeout is longer: shorten it, "
               "or set SessionDynamoDBCookiePersistent Off";
    }
    return strncmp(c->cookie_name, "__", 2) == 0 ? check_prefix(c, p) : NULL;
}

/** The header that carries the session ID is removed from each request, and its value is treated as an ID. */
static const char *check_forward(const msd_dir_config_t *c, apr_pool_t *p)
{
    int i;

    for (i = 0; c->use_header && c->forward && i < c->forward->nelts; i++) {
        const char *header = APR_ARRAY_IDX(c->forward, i, msd_forward_t).header;
        if (strcasecmp(header, c->header_name) == 0) {
            return apr_psprintf(p,
                                "SessionDynamoDBForward uses the header %s, which carries the session ID: use another "
                                "name there or in SessionDynamoDBHeaderName",
                                header);
        }
    }
    return NULL;
}

/** Each header of a response has one meaning. */
static const char *check_control(const msd_dir_config_t *c, apr_pool_t *p)
{
    return c->use_header && *c->control_header && strcasecmp(c->control_header, c->header_name) == 0
               ? apr_psprintf(p,
                              "SessionDynamoDBControlHeader names the header %s, which carries the session ID: use "
                              "another name there or in SessionDynamoDBHeaderName",
                              c->control_header)
               : NULL;
}

static const char *check_user_sessions(const msd_dir_config_t *c)
{
    if (!c->user_sessions) {
        return NULL;
    }
    if (!c->user_session_keys) {
        return "SessionDynamoDBUserSessions needs SessionDynamoDBUserSessionKeys, by which the table names users: add "
               "a key, made with: openssl rand -base64 32";
    }
    if (c->format == DDB_JSON) {
        return "SessionDynamoDBUserSessions can't be combined with SessionDynamoDBFormat json, because "
               "dynamodb-session-flask begins sessions that are in no list: set UserSessions Off here, or Format form";
    }
    return c->hash_sid ? NULL
                       : "SessionDynamoDBUserSessions needs SessionDynamoDBHashSid On, because lists hold table keys, "
                         "which must not be session IDs: set HashSid On here, or UserSessions Off";
}

static const char *check_import(const msd_dir_config_t *c, apr_pool_t *p)
{
    if (!c->import || c->import->store == MSD_IMPORT_NONE) {
        return NULL;
    }
    if (c->format == DDB_JSON) {
        return apr_psprintf(p,
                            "SessionDynamoDBImport (at %s) can't be combined with SessionDynamoDBFormat json, because "
                            "dynamodb-session-flask does not know where an old session has gone: set Import None here, "
                            "or Format form",
                            c->import->where);
    }
    return !c->use_header && strcmp(c->cookie_name, c->import->cookie) == 0
               ? apr_psprintf(p,
                              "SessionDynamoDBImport (at %s) names the cookie %s, which carries the new session ID, "
                              "too: choose another SessionDynamoDBCookieName",
                              c->import->where, c->cookie_name)
               : NULL;
}

/** 1 if browsers send a cookie with this path along to what is below the folder (RFC 6265 section 5.1.4). */
static int is_covered(const char *folder, const char *cookie_path)
{
    apr_size_t len = strlen(cookie_path);

    return strncmp(folder, cookie_path, len) == 0 && (cookie_path[len - 1] == '/' || folder[len] == '/');
}

/** SessionDynamoDBDeviceBound: a second cookie beside the ID's, and a row that nobody else makes. */
static const char *check_device(const msd_dir_config_t *c, apr_pool_t *p)
{
    if (c->device_bound == MSD_DEVICE_BOUND_OFF) {
        return NULL;
    }
    if (c->use_header || !c->cookie_secure) {
        return c->use_header ? "SessionDynamoDBDeviceBound needs a cookie, because browsers bind nothing else: set "
                               "SessionDynamoDBUseHeader Off here, or DeviceBound Off"
                             : "SessionDynamoDBDeviceBound needs SessionDynamoDBCookieSecure On, because browsers bind "
                               "nothing without TLS: set it here, or DeviceBound Off";
    }
    if (*c->cookie_domain) {
        return "SessionDynamoDBDeviceBound can't be combined with SessionDynamoDBCookieDomain, because browsers bind "
               "the "
               "sessions of one host: remove the Domain, or set DeviceBound Off here";
    }
    if (!c->hash_sid || !c->consistent_read) {
        return c->hash_sid
                   ? "SessionDynamoDBDeviceBound needs SessionDynamoDBConsistentRead On, because a session that "
                     "was bound a moment ago must not be read without its device: set it here, or DeviceBound "
                     "Off"
                   : "SessionDynamoDBDeviceBound needs SessionDynamoDBHashSid On, because browsers are told the "
                     "table key, which must not be the session ID: set it here, or DeviceBound Off";
    }
    if (c->format == DDB_JSON) {
        return "SessionDynamoDBDeviceBound can't be combined with SessionDynamoDBFormat json, because "
               "dynamodb-session-flask asks for no proof: set DeviceBound Off here, or Format form";
    }
    return is_covered(c->device_path, c->cookie_path)
               ? NULL
               : apr_psprintf(p,
                              "browsers do not send a cookie with the path %s to SessionDynamoDBDevicePath %s: set "
                              "DevicePath to a folder below %s, such as %s%s.device-session/",
                              c->cookie_path, c->device_path, c->cookie_path, c->cookie_path,
                              c->cookie_path[strlen(c->cookie_path) - 1] == '/' ? "" : "/");
}

static int renews_bound(const msd_bind_t *bind)
{
    int i;

    for (i = 0; bind && i < DDB_BOUND_KINDS && bind->action[i] != MSD_BIND_RENEW; i++) {
    }
    return bind && i < DDB_BOUND_KINDS;
}

const char *msd_config_check_dir(const msd_dir_config_t *resolved, int *cookie, apr_pool_t *p)
{
    const char *problem = resolved->use_header ? NULL : check_cookie(resolved, p);

    if (cookie) {
        *cookie = problem != NULL;
    }
    problem = problem ? problem : check_forward(resolved, p);
    problem = problem ? problem : check_control(resolved, p);
    if (!problem && resolved->format == DDB_JSON && resolved->compress) {
        problem = "SessionDynamoDBFormat json can't be compressed, because dynamodb-session-flask can't read "
                  "compressed sessions: set SessionDynamoDBCompress Off here";
    }
    if (!problem && resolved->format == DDB_JSON && resolved->seal && !ddb_seal_is_nothing(resolved->seal)) {
        problem = "SessionDynamoDBFormat json can't be sealed, because dynamodb-session-flask can't read sealed "
                  "sessions: remove SessionDynamoDBSealKeys, or set Format form here";
    }
    if (!problem && resolved->renew_interval && resolved->format == DDB_JSON) {
        problem = "SessionDynamoDBRenewInterval can't be combined with SessionDynamoDBFormat json, because "
                  "dynamodb-session-flask does not know the successor of a session ID: set RenewInterval 0 here";
    }
    if (!problem && resolved->format == DDB_JSON && renews_bound(resolved->bind)) {
        problem = "SessionDynamoDBBind can't renew IDs where SessionDynamoDBFormat is json, because "
                  "dynamodb-session-flask does not know the successor of a session ID: use log or deny here";
    }
    if (!problem && resolved->renew_interval && resolved->renew_interval <= resolved->renew_grace) {
        problem = "SessionDynamoDBRenewInterval must be longer than SessionDynamoDBRenewGrace (60 seconds unless set): "
                  "otherwise an ID is replaced again before the last one is out of use";
    }
    if (!problem && *resolved->audience && !resolved->hash_sid) {
        problem =
            "SessionDynamoDBAudience needs SessionDynamoDBHashSid On, because the label is part of the hash that is "
            "the table key: set HashSid On here, or SessionDynamoDBAudience None";
    }
    problem = problem ? problem : check_import(resolved, p);
    problem = problem ? problem : check_device(resolved, p);
    return problem ? problem : check_user_sessions(resolved);
}

/** A signature is only as strong as its key. Short keys are allowed, because other users of the table may use them. */
static void warn_short_keys(const msd_section_t *section, const apr_array_header_t *keys, const char *directive)
{
    int i;

    for (i = 0; keys && i < keys->nelts; i++) {
        if (strlen(APR_ARRAY_IDX(keys, i, const char *)) < 32) {
            ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_STARTUP, 0, section->server,
                         "%s at %s: key %d is shorter than 32 characters; generate keys with: openssl rand -base64 32",
                         directive, section->where, i + 1);
        }
    }
}

static int check_section(const msd_section_t *section, apr_pool_t *p)
{
    void *base = ap_get_module_config(section->server->lookup_defaults, &session_dynamodb_module);
    msd_dir_config_t *resolved = msd_config_resolve(msd_config_merge_dir(p, base, (void *)section->conf), p);
    int cookie = 0;
    const char *problem = msd_config_check_dir(resolved, &cookie, p);

    if (problem) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, section->server, "%s (at %s)", problem,
                     cookie && section->where_cookie ? section->where_cookie : section->where);
        return 0;
    }
    warn_short_keys(section, section->conf->sid_keys, "SessionDynamoDBSidKeys");
    warn_short_keys(section, section->conf->forward_keys, "SessionDynamoDBForwardKeys");
    return 1;
}

/** 1 if one of these sections says On. */
static int is_used(const apr_array_header_t *sections)
{
    int i;

    for (i = 0; i < sections->nelts; i++) {
        if (APR_ARRAY_IDX(sections, i, const msd_section_t *)->conf->enabled == 1) {
            return 1;
        }
    }
    return 0;
}

static const char *server_name(const server_rec *s, apr_pool_t *p)
{
    return s->is_virtual ? apr_psprintf(p, "virtual host at %s:%u", s->defn_name, s->defn_line_number) : "main server";
}

/** A transport for the one request that a check may need. It is destroyed before this process forks. */
static apr_status_t ask_once(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                             ddb_error_t *err)
{
    const ddb_curl_opts_t o = { .max_idle_connections = 1 };
    ddb_http_transport_t http;
    ddb_curl_t *curl;
    apr_status_t rv = ddb_curl_create(&curl, &http, &o, p);

    (void)baton;
    if (rv == APR_SUCCESS) {
        rv = http.perform(http.baton, req, p, res, err);
        ddb_curl_destroy(curl);
    }
    return rv;
}

/** Hosts that have their keys from the main server say nothing of their own. */
static void warn_event_keys(const server_rec *s, const server_rec *main_server, apr_pool_t *p)
{
    const msd_section_t place = { .server = s, .where = server_name(s, p) };
    const apr_array_header_t *keys = msd_config_server(s)->event_keys;

    if (s == main_server || keys != msd_config_server(main_server)->event_keys) {
        warn_short_keys(&place, keys, "SessionDynamoDBEventKeys");
    }
}

static int check_server(server_rec *s, int used, apr_pool_t *p)
{
    const ddb_http_transport_t http = { .perform = ask_once };
    msd_server_config_t *c = msd_config_server(s);
    ddb_endpoint_opts_t o = { .url = c->endpoint_url,
                              .region = c->region,
                              .table = c->table,
                              .profile = { c->profile, c->credentials_file, c->config_file },
                              .service = DDB_DYNAMODB,
                              .http = used ? &http : NULL,
                              .clock = &ddb_clock_system };
    ddb_error_t err = { 0 };
    apr_status_t rv;
    const char *problem;

    msd_config_default_server(c);
    c->used |= used; /* hosts without directives of this module share a record */
    problem = c->credentials_file ? msd_signing_keys_check_file(p, c->credentials_file) : NULL;
    if (problem) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s, "SessionDynamoDBCredentialsFile: %s", problem);
        return 0;
    }
    rv = ddb_endpoint_resolve(&c->endpoint, &o, p, &err);
    if (rv == APR_SUCCESS) {
        return 1;
    }
    c->endpoint.url = NULL;
    if (used) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s,
            "SessionDynamoDB is On in the %s, but %s (see SessionDynamoDBRegion and SessionDynamoDBEndpointURL)",
            server_name(s, p), err.detail);
    }
    return !used;
}

int msd_config_check(apr_pool_t *p, server_rec *main_server)
{
    const apr_array_header_t *sections = msd_config_sections(p);
    apr_hash_t *by_server = msd_config_sections_by_server(p);
    server_rec *s;
    int good = 1, i;

    for (i = 0; sections && i < sections->nelts; i++) {
        good &= check_section(&APR_ARRAY_IDX(sections, i, msd_section_t), p);
    }
    good &= msd_config_check_import(p, main_server);
    msd_cookie_areas_find(p, main_server);
    for (s = main_server; s; s = s->next) {
        warn_event_keys(s, main_server, p);
        good &= check_server(s, is_used(msd_config_sections_for(by_server, s, main_server, p)), p);
    }
    return good ? OK : HTTP_INTERNAL_SERVER_ERROR;
}
