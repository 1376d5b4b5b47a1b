/* The directives: their table, and the check of each value. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <ap_expr.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_directives.h"
#include "httpd/conf/msd_directives_bind.h"
#include "httpd/conf/msd_directives_device.h"
#include "httpd/conf/msd_directives_entries.h"
#include "httpd/conf/msd_directives_import.h"
#include "httpd/conf/msd_directives_keys.h"
#include "httpd/conf/msd_directives_names.h"
#include "httpd/conf/msd_directives_server.h"
#include "httpd/conf/msd_directives_sizes.h"
#include "store/ddb_user_sessions.h"

APLOG_USE_MODULE(session_dynamodb);

/* The field whose offset is in the directive's row of the table. */
#define FIELD(type, record, cmd) ((type *)((char *)(record) + (apr_size_t)(cmd)->info))

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    msd_config_note(cmd, dir);
    *FIELD(int, dir, cmd) = on;
    return NULL;
}

/** Parse whole seconds from least to ten years, with or without a unit (90, 90s, 2min, 1h). */
static const char *parse_seconds(cmd_parms *cmd, const char *arg, apr_int64_t least, apr_int64_t *out)
{
    apr_interval_time_t t = 0;

    if (!apr_isdigit(arg[0]) || ap_timeout_parameter_parse(arg, &t, "s") != APR_SUCCESS || t % APR_USEC_PER_SEC != 0
        || t / APR_USEC_PER_SEC < least || t / APR_USEC_PER_SEC > MSD_SECONDS_MOST) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a valid time: use whole seconds from %" APR_INT64_T_FMT
                            " to ten years, such as 1800, 30min or 2h",
                            cmd->cmd->name, arg, least);
    }
    *out = t / APR_USEC_PER_SEC;
    return NULL;
}

/** A time in msd_dir_config_t: the offsets of the field for the server's files and of the one for .htaccess files. */
typedef struct time_field_t {
    apr_size_t field;
    apr_size_t limit;
    apr_int64_t least;
} time_field_t;

static const char *set_seconds(cmd_parms *cmd, void *dir, const char *arg)
{
    const time_field_t *f = cmd->info;
    apr_int64_t *out = (apr_int64_t *)((char *)dir + (msd_config_in_htaccess(cmd) ? f->limit : f->field));

    msd_config_note(cmd, dir);
    return parse_seconds(cmd, arg, f->least, out);
}

static const char *parse_length(cmd_parms *cmd, const char *arg, int *out)
{
    char *end = NULL;
    apr_int64_t bytes = apr_strtoi64(arg, &end, 10);

    if (!apr_isdigit(arg[0]) || *end || bytes < DDB_SID_BYTES_MIN || bytes > DDB_SID_BYTES_MAX) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a valid length: use %d to %d random bytes (default: 32; IDs of less than "
                            "%d can be guessed)",
                            cmd->cmd->name, arg, DDB_SID_BYTES_MIN, DDB_SID_BYTES_MAX, DDB_SID_BYTES_MIN);
    }
    *out = (int)bytes;
    return NULL;
}

/** NEW [OLD ...]: one setting, which replaces the whole setting of an outer section. */
static const char *set_sid_byte_length(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    msd_dir_config_t *c = dir;
    apr_array_header_t *older = apr_array_make(cmd->pool, 1, sizeof(int));
    const char *problem;
    int i;

    msd_config_note(cmd, dir);
    if (argc == 0) {
        return apr_psprintf(
            cmd->pool, "%s needs the number of random bytes in new session IDs, and optionally other lengths to accept",
            cmd->cmd->name);
    }
    problem = parse_length(cmd, argv[0], &c->sid_byte_length);
    for (i = 1; i < argc && !problem; i++) {
        problem = parse_length(cmd, argv[i], apr_array_push(older));
    }
    c->sid_older_lengths = older;
    return problem;
}

/** Set the field to the index of arg in words, which NULL terminates. */
static const char *set_word(cmd_parms *cmd, void *dir, const char *arg, const char *const words[])
{
    int i;

    msd_config_note(cmd, dir);
    for (i = 0; words[i]; i++) {
        if (strcasecmp(arg, words[i]) == 0) {
            *FIELD(int, dir, cmd) = i;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool, "%s: '%s' is unknown: use %s%s%s%s%s", cmd->cmd->name, arg, words[0],
                        words[2] ? ", " : " or ", words[1], words[2] ? " or " : "", words[2] ? words[2] : "");
}

static const char *set_sid_digest(cmd_parms *cmd, void *dir, const char *arg)
{
    /* In the order of ddb_digest_e. */
    static const char *const words[] = { "SHA1", "SHA256", NULL };
    return set_word(cmd, dir, arg, words);
}

static const char *set_same_site(cmd_parms *cmd, void *dir, const char *arg)
{
    static const char *const words[] = { "Strict", "Lax", "None", NULL };
    return set_word(cmd, dir, arg, words);
}

static const char *set_fetch_metadata(cmd_parms *cmd, void *dir, const char *arg)
{
    /* In the order of msd_fetch_metadata_e. */
    static const char *const words[] = { "Off", "On", "strict", NULL };
    return set_word(cmd, dir, arg, words);
}

static const char *set_on_error(cmd_parms *cmd, void *dir, const char *arg)
{
    static const char *const words[] = { "deny", "anonymous", NULL };
    return set_word(cmd, dir, arg, words);
}

static const char *set_login(cmd_parms *cmd, void *dir, const char *arg)
{
    /* In the order of msd_login_e. */
    static const char *const words[] = { "keep", "drop", NULL };
    return set_word(cmd, dir, arg, words);
}

static const char *set_logout(cmd_parms *cmd, void *dir, const char *arg)
{
    /* In the order of msd_logout_e. */
    static const char *const words[] = { "end", "keep", NULL };
    return set_word(cmd, dir, arg, words);
}

static const char *set_no_store(cmd_parms *cmd, void *dir, const char *arg)
{
    /* In the order of msd_no_store_e. */
    static const char *const words[] = { "loaded", "changed", NULL };
    return set_word(cmd, dir, arg, words);
}

static const char *set_forward_version(cmd_parms *cmd, void *dir, const char *arg)
{
    /* In the order of msd_forward_version_e. */
    static const char *const words[] = { "1", "2", NULL };
    return set_word(cmd, dir, arg, words);
}

/**
 * A SessionCryptoPassphrase that is sure to apply to cmd's section: in it or around it, because inner sections cannot
 * switch mod_session_crypto off. NULL if there is none. Other conflicts are refused in the request where they occur.
 */
static const ap_directive_t *passphrase_around(const cmd_parms *cmd)
{
    const ap_directive_t *inside, *d;

    if (msd_config_in_htaccess(cmd)) {
        return NULL; /* the tree of the configuration files does not exist any more */
    }
    for (inside = cmd->directive; inside; inside = inside->parent) {
        for (d = inside->parent ? inside->parent->first_child : ap_conftree; d; d = d->next) {
            if (strncasecmp(d->directive, "SessionCryptoPassphrase", 23) == 0) {
                return d;
            }
        }
    }
    return NULL;
}

static const char *set_format(cmd_parms *cmd, void *dir, const char *arg)
{
    /* In the order of ddb_format_e. */
    static const char *const words[] = { "form", "json", NULL };
    const char *problem = set_word(cmd, dir, arg, words);
    const ap_directive_t *d = !problem && *FIELD(int, dir, cmd) == DDB_JSON ? passphrase_around(cmd) : NULL;

    return !d ? problem
              : apr_psprintf(
                  cmd->pool,
                  "%s json can't be combined with %s (at %s:%d), which encrypts sessions: remove one of them",
                  cmd->cmd->name, d->directive, d->filename, d->line_num);
}

static const char *set_user_limit(cmd_parms *cmd, void *dir, const char *number, const char *action)
{
    msd_dir_config_t *c = dir;
    char *end = NULL;
    apr_int64_t n = apr_strtoi64(number, &end, 10);

    msd_config_note(cmd, dir);
    c->user_session_deny = action && strcasecmp(action, "deny") == 0;
    if (!apr_isdigit(number[0]) || *end || n < 1 || n > DDB_USER_SESSIONS_MOST
        || (action && !c->user_session_deny && strcasecmp(action, "evict") != 0)) {
        return apr_psprintf(cmd->pool,
                            "%s: use a number from 1 to %d, and evict (a further login ends the oldest session) or "
                            "deny (a further login fails), such as 5 evict",
                            cmd->cmd->name, DDB_USER_SESSIONS_MOST);
    }
    c->user_session_most = (int)n;
    return NULL;
}

/* Without Vary for the headers that it reads: they decide between a session and a 403, and caches keep neither. */
static const char *set_tls_when(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem = NULL;

    msd_config_note(cmd, dir);
    ((msd_dir_config_t *)dir)->tls_when = ap_expr_parse_cmd(cmd, arg, AP_EXPR_FLAG_DONT_VARY, &problem, NULL);
    return problem ? apr_psprintf(cmd->pool, "%s: '%s' is not a valid expression: %s", cmd->cmd->name, arg, problem)
                   : NULL;
}

/* PLACE: only in the server's files. The author of a .htaccess file may shorten a session and keep more out of it, but
 * not decide for the whole site how IDs travel and look, what is stored, or what it costs. */
#define FOLDER        (RSRC_CONF | OR_AUTHCFG)
#define PLACE         (RSRC_CONF | ACCESS_CONF)
#define IN_DIR(field) APR_OFFSETOF(msd_dir_config_t, field)
#define DIR(field)    (void *)IN_DIR(field)
#define SERVER(field) (void *)APR_OFFSETOF(msd_server_config_t, field)

static const time_field_t idle_timeout = { IN_DIR(idle_timeout), IN_DIR(idle_limit), 1 };
static const time_field_t absolute_timeout = { IN_DIR(absolute_timeout), IN_DIR(absolute_limit), 1 };
static const time_field_t renew_interval = { IN_DIR(renew_interval), IN_DIR(renew_interval), 0 };
static const time_field_t renew_grace = { IN_DIR(renew_grace), IN_DIR(renew_grace), 0 };
static const time_field_t touch_interval = { IN_DIR(touch_interval), IN_DIR(touch_limit), 0 };

const command_rec msd_directives[] = {
    AP_INIT_FLAG("SessionDynamoDB", set_flag, DIR(enabled), FOLDER, "stores sessions in DynamoDB"),
    AP_INIT_TAKE1("SessionDynamoDBTableName", msd_directives_server_set_table, NULL, RSRC_CONF,
                  "name or ARN of the table that holds the sessions"),
    AP_INIT_TAKE1("SessionDynamoDBEndpointURL", msd_directives_server_set_endpoint_url, NULL, RSRC_CONF,
                  "URL of the DynamoDB API, if not AWS's"),
    AP_INIT_TAKE1("SessionDynamoDBRegion", msd_directives_server_set_region, NULL, RSRC_CONF,
                  "AWS region of the table, such as eu-central-1"),
    AP_INIT_TAKE1("SessionDynamoDBProfile", msd_directives_server_set_profile, NULL, RSRC_CONF,
                  "profile in the AWS config and credentials files"),
    AP_INIT_TAKE1("SessionDynamoDBCredentialsFile", msd_directives_server_set_file, SERVER(credentials_file), RSRC_CONF,
                  "path of the AWS credentials file"),
    AP_INIT_TAKE1("SessionDynamoDBConfigFile", msd_directives_server_set_file, SERVER(config_file), RSRC_CONF,
                  "path of the AWS config file"),
    AP_INIT_TAKE1("SessionDynamoDBCAFile", msd_directives_server_set_ca_file, SERVER(ca_file), RSRC_CONF,
                  "path of the CA certificates (PEM) to trust instead of the system's"),
    AP_INIT_TAKE1("SessionDynamoDBProxy", msd_directives_server_set_proxy, NULL, RSRC_CONF,
                  "URL of the HTTP proxy for connections to AWS"),
    AP_INIT_TAKE1("SessionDynamoDBWarmConnections", msd_directives_server_set_warm_connections, NULL, RSRC_CONF,
                  "number of connections that a child process opens at startup"),
    AP_INIT_TAKE1("SessionDynamoDBTimeout", msd_directives_server_set_timeout, SERVER(timeout), RSRC_CONF,
                  "maximum total time that a request waits for credentials and the table"),
    AP_INIT_TAKE1("SessionDynamoDBConnectTimeout", msd_directives_server_set_timeout, SERVER(connect_timeout),
                  RSRC_CONF, "maximum time for one connection attempt"),
    AP_INIT_TAKE1("SessionDynamoDBMaxAttempts", msd_directives_server_set_max_attempts, NULL, RSRC_CONF,
                  "maximum number of attempts of a call, the first included"),
    AP_INIT_TAKE1("SessionDynamoDBBreaker", msd_directives_server_set_breaker, NULL, RSRC_CONF,
                  "number of consecutive unanswered calls after which only one probe at a time is sent, or Off"),
    AP_INIT_FLAG("SessionDynamoDBCreateTable", msd_directives_server_set_flag, SERVER(create_table), RSRC_CONF,
                 "creates the table at startup if it is missing"),
    AP_INIT_FLAG("SessionDynamoDBCheckTable", msd_directives_server_set_flag, SERVER(check_table), RSRC_CONF,
                 "reports problems with the table at startup"),
    AP_INIT_FLAG("SessionDynamoDBShareReads", msd_directives_server_set_flag, SERVER(share_reads), RSRC_CONF,
                 "lets requests of one child process share the read of a session"),
    AP_INIT_TAKE12("SessionDynamoDBCache", msd_directives_server_set_cache, NULL, RSRC_CONF,
                   "seconds to keep sessions that were read, and the cache as PROVIDER[:ARGUMENTS]; or Off"),
    AP_INIT_TAKE12("SessionDynamoDBGuessLimit", msd_directives_server_set_limit, SERVER(guess_limit), RSRC_CONF,
                   "unknown session IDs from one address: N/SECONDS and log or deny; or Off"),
    AP_INIT_TAKE12("SessionDynamoDBCreateLimit", msd_directives_server_set_limit, SERVER(create_limit), RSRC_CONF,
                   "new sessions for one address: N/SECONDS and log or deny; or Off"),
    AP_INIT_TAKE1("SessionDynamoDBEventLog", msd_directives_server_set_event_log, NULL, RSRC_CONF,
                  "where security events of sessions go: FILE, |PROGRAM, error (httpd's error log), or None"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBEventKeys", msd_directives_keys_set_event, NULL, RSRC_CONF,
                      "keys of the hashes in events, oldest first: file:PATH, exec:PATH or env:NAME"),
    AP_INIT_FLAG("SessionDynamoDBConsistentRead", set_flag, DIR(consistent_read), PLACE,
                 "loads sessions with strongly consistent reads"),
    AP_INIT_TAKE1("SessionDynamoDBIdleTimeout", set_seconds, (void *)&idle_timeout, FOLDER,
                  "time without a request after which a session expires"),
    AP_INIT_TAKE1("SessionDynamoDBAbsoluteTimeout", set_seconds, (void *)&absolute_timeout, FOLDER,
                  "time after its creation at which a session expires"),
    AP_INIT_TAKE1("SessionDynamoDBTouchInterval", set_seconds, (void *)&touch_interval, FOLDER,
                  "minimum time between touches, the writes that record the activity of a session"),
    AP_INIT_TAKE1("SessionDynamoDBRenewInterval", set_seconds, (void *)&renew_interval, PLACE,
                  "age at which a session ID is replaced by a new one; 0: never"),
    AP_INIT_TAKE1("SessionDynamoDBRenewGrace", set_seconds, (void *)&renew_grace, PLACE,
                  "time for which a replaced session ID is accepted once the new one is in use"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBSidByteLength", set_sid_byte_length, NULL, PLACE,
                      "number of random bytes in new session IDs, and optionally other lengths to accept"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBSidKeys", msd_directives_keys_set, DIR(sid_keys), PLACE,
                      "keys that sign session IDs, oldest first: file:PATH, exec:PATH or env:NAME"),
    AP_INIT_TAKE1("SessionDynamoDBSidDigest", set_sid_digest, DIR(sid_digest), PLACE,
                  "digest of the signature of session IDs: SHA1 or SHA256"),
    AP_INIT_FLAG("SessionDynamoDBHashSid", set_flag, DIR(hash_sid), PLACE, "uses a hash of the ID as the table key"),
    AP_INIT_TAKE1("SessionDynamoDBAudience", msd_directives_names_audience, DIR(audience), PLACE,
                  "label that sessions are bound to: they are invalid where another label, or none, is set; or None"),
    AP_INIT_TAKE1("SessionDynamoDBCookieName", msd_directives_names_cookie, DIR(cookie_name), PLACE,
                  "name of the session cookie"),
    AP_INIT_FLAG("SessionDynamoDBCookieSecure", set_flag, DIR(cookie_secure), PLACE,
                 "adds the cookie attribute Secure"),
    AP_INIT_FLAG("SessionDynamoDBCookieHttpOnly", set_flag, DIR(cookie_http_only), PLACE,
                 "adds the cookie attribute HttpOnly"),
    AP_INIT_TAKE1("SessionDynamoDBCookieSameSite", set_same_site, DIR(cookie_same_site), PLACE,
                  "cookie attribute SameSite: Strict, Lax or None"),
    AP_INIT_TAKE1("SessionDynamoDBCookieDomain", msd_directives_names_domain, DIR(cookie_domain), PLACE,
                  "cookie attribute Domain, or None"),
    AP_INIT_TAKE1("SessionDynamoDBCookiePath", msd_directives_names_path, DIR(cookie_path), PLACE,
                  "cookie attribute Path"),
    AP_INIT_FLAG("SessionDynamoDBCookiePersistent", set_flag, DIR(cookie_persistent), PLACE,
                 "lets the cookie outlive the browser"),
    AP_INIT_FLAG("SessionDynamoDBUseHeader", set_flag, DIR(use_header), PLACE,
                 "carries the session ID in a header instead of a cookie"),
    AP_INIT_TAKE1("SessionDynamoDBHeaderName", msd_directives_names_header, DIR(header_name), PLACE,
                  "name of the header that carries the session ID"),
    AP_INIT_FLAG("SessionDynamoDBRequireTLS", set_flag, DIR(require_tls), PLACE,
                 "refuses requests that did not come over TLS"),
    AP_INIT_TAKE1("SessionDynamoDBTLSWhen", set_tls_when, NULL, PLACE,
                  "expression, in quotes, that is true for requests that came over TLS"),
    AP_INIT_TAKE12("SessionDynamoDBBind", msd_directives_bind_set, NULL, PLACE,
                   "properties of the client that sessions are bound to: user-agent, address[/V4,V6] or "
                   "tls-certificate; and log, renew or deny for a change; or None"),
    AP_INIT_TAKE1("SessionDynamoDBDeviceBound", msd_directives_device_set, NULL, PLACE,
                  "whether sessions are bound to the browser's device: Off, On or Require"),
    AP_INIT_TAKE1("SessionDynamoDBDevicePath", msd_directives_device_path, NULL, PLACE,
                  "folder below which browsers prove that they are on that device"),
    AP_INIT_TAKE1("SessionDynamoDBDeviceLifetime", msd_directives_device_lifetime, NULL, PLACE,
                  "time for which a proof counts, 300 to 3600 seconds"),
    AP_INIT_TAKE1("SessionDynamoDBDeviceWindow", msd_directives_device_window, NULL, PLACE,
                  "time after a new session ID in which it can be bound"),
    AP_INIT_TAKE1("SessionDynamoDBFetchMetadata", set_fetch_metadata, DIR(fetch_metadata), PLACE,
                  "whether to refuse changes that another site's page requests in a session: Off, On or "
                  "strict"),
    AP_INIT_FLAG("SessionDynamoDBCSRFToken", set_flag, DIR(csrf_token), PLACE,
                 "gives programs an anti-forgery token of the session"),
    AP_INIT_FLAG("SessionDynamoDBCSRFEnforce", set_flag, DIR(csrf_enforce), PLACE,
                 "refuses changes in a session without its anti-forgery token"),
    AP_INIT_TAKE1("SessionDynamoDBOnError", set_on_error, DIR(on_error), FOLDER,
                  "response to a request whose session can't be read: deny (503) or anonymous (without a "
                  "session)"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBUserKey", msd_directives_entries_user, NULL, PLACE,
                      "session entries that name the logged-in user, set by programs: KEY ..., or None"),
    AP_INIT_TAKE1("SessionDynamoDBLogin", set_login, DIR(login), PLACE,
                  "whether a login keeps the entries of the anonymous session: keep or drop"),
    AP_INIT_TAKE1("SessionDynamoDBLogout", set_logout, DIR(logout), PLACE,
                  "whether a logout ends the session, or keeps the other entries under a new ID: end or keep"),
    AP_INIT_FLAG("SessionDynamoDBUserSessions", set_flag, DIR(user_sessions), PLACE,
                 "lists the sessions of each user, so that they can be shown, limited and ended"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBUserSessionKeys", msd_directives_keys_set_user, NULL, PLACE,
                      "keys of the names of the lists, oldest first: file:PATH, exec:PATH or env:NAME"),
    AP_INIT_TAKE12("SessionDynamoDBUserSessionLimit", set_user_limit, NULL, PLACE,
                   "how many sessions a user may have, and evict or deny: what a further login does"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBImport", msd_directives_import_set, NULL, PLACE,
                      "old sessions to take over: cookie or dbd, the name of their cookie, until=DATE; or None"),
    AP_INIT_FLAG("SessionDynamoDBExpireCookie", set_flag, DIR(expire_cookie), PLACE,
                 "deletes the cookie of a session that has expired"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBClearSiteData", msd_directives_names_site_data, DIR(clear_site_data), PLACE,
                      "what browsers delete at logout: cache, cookies, storage, executionContexts, or *; or None"),
    AP_INIT_TAKE1("SessionDynamoDBNoStore", set_no_store, DIR(no_store), PLACE,
                  "responses that caches must not keep: loaded (all in a session) or changed (all but mere files)"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBEnv", msd_directives_entries_env, NULL, PLACE,
                      "entries to set as environment variables before access control: KEY[=NAME] ..., or None"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBMask", msd_directives_entries_mask, NULL, FOLDER,
                      "entries whose value is not stored, such as mod_auth_form's password: KEY ..., or None"),
    AP_INIT_TAKE1("SessionDynamoDBFormat", set_format, DIR(format), PLACE,
                  "storage format of the entries: form, or json, which dynamodb-session-flask shares"),
    AP_INIT_TAKE1("SessionDynamoDBMaxSize", msd_directives_sizes_max_size, NULL, PLACE,
                  "maximum size of a stored session, in bytes or with K for KiB"),
    AP_INIT_TAKE1("SessionDynamoDBMaxEntries", msd_directives_sizes_max_entries, NULL, PLACE,
                  "maximum number of entries in a session"),
    AP_INIT_TAKE1("SessionDynamoDBCompress", msd_directives_sizes_compress, NULL, PLACE,
                  "minimum size of data to compress, in bytes or with K for KiB, or Off"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBSealKeys", msd_directives_keys_set_seal, NULL, PLACE,
                      "keys that seal stored sessions, oldest first: file:PATH, exec:PATH, env:NAME, or clear"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBForward", msd_directives_entries_forward, NULL, PLACE,
                      "entries to send to programs and backends as headers: KEY or KEY=Header, or None"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBForwardKeys", msd_directives_keys_set, DIR(forward_keys), PLACE,
                      "keys that sign forwarded headers, oldest first: file:PATH, exec:PATH or env:NAME"),
    AP_INIT_TAKE1("SessionDynamoDBForwardAudience", msd_directives_names_audience, DIR(forward_audience), PLACE,
                  "name of the backend for which forwarded headers are signed, or None: as derived from the target"),
    AP_INIT_TAKE1("SessionDynamoDBForwardVersion", set_forward_version, DIR(forward_version), PLACE,
                  "version of the signature of forwarded headers: 1 (without audience) or 2"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBAccept", msd_directives_entries_accept, NULL, PLACE,
                      "entries that a proxied backend may change: KEY ..., * or None"),
    AP_INIT_TAKE1("SessionDynamoDBControlHeader", msd_directives_names_header_or_none, DIR(control_header), PLACE,
                  "response header by which programs control the session, such as X-Session-Control; or None"),
    AP_INIT_TAKE_ARGV("SessionDynamoDBProtectKeys", msd_directives_entries_protect, NULL, PLACE,
                      "entries that neither programs nor backends can change by the session header: KEY ..., or None"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
