/* Settings that are allowed but surely unintended. */

#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include <unistd.h>
#include <unixd.h>

#include "base/ddb_array.h"
#include "aws/ddb_skew.h"
#include "httpd/conf/msd_config_warn_int.h"
#include "httpd/conf/msd_config_place.h"

APLOG_USE_MODULE(session_dynamodb);

#define AT(place) (place)->directive->filename, (place)->directive->line_num

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
static msd_config_warn_t near_to(const msd_config_warn_t *config, const msd_config_place_t *at, apr_pool_t *p)
{
    const ap_directive_t *of_main = NULL;
    const apr_array_header_t *main_places = apr_hash_get(config->by_host, &of_main, sizeof(void *));
    const apr_array_header_t *own = apr_hash_get(config->by_host, &at->host, sizeof(void *));
    msd_config_warn_t near = *config;

    near.pool = p;
    if (at->host) {
        near.places = main_places ? apr_array_append(p, main_places, own) : own;
    }
    return near;
}

/** 1 if a directive of this name, with this word if it is not NULL, may apply together with `at`. */
static int is_near(const msd_config_warn_t *config, const msd_config_place_t *at, const char *name, const char *word)
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
static void look_for_ways(const msd_config_warn_t *config, const msd_config_place_t *on)
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
static void look_for_logins(const msd_config_warn_t *config, const msd_config_place_t *on)
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

static void look_for_session(const msd_config_warn_t *config, const msd_config_place_t *on)
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
static void look_at_cookie_path(const msd_config_warn_t *config, const msd_config_place_t *on)
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
static void look_at_other_store(const msd_config_warn_t *config, const msd_config_place_t *other)
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
static void look_at_key_files(const msd_config_warn_t *config, const msd_config_place_t *keys)
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
static const char *endpoint_at(const msd_config_warn_t *config, const char *url)
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

/** seen: the URLs of earlier servers, each of which is told once. */
static void look_at_endpoint(const msd_config_warn_t *config, const server_rec *s, apr_hash_t *seen)
{
    const msd_server_config_t *c = msd_config_server(s);

    if (!is_in_clear(c) || apr_hash_get(seen, c->endpoint.url, APR_HASH_KEY_STRING)) {
        return;
    }
    apr_hash_set(seen, c->endpoint.url, APR_HASH_KEY_STRING, c);
    ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, s,
                 "the endpoint %s (%s) is on another machine and without TLS: anyone on the network path can read and "
                 "change sessions. Use https",
                 c->endpoint.url, endpoint_at(config, c->endpoint_url));
}

/** The cache is filled by consistent reads, whatever a place says. */
static void look_at_consistent_read(const msd_config_warn_t *config, const msd_config_place_t *off)
{
    if (strcasecmp(off->word, "Off") == 0 && msd_config_server(config->main_server)->cache) {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE | config->startup, 0, config->main_server,
            "SessionDynamoDBConsistentRead Off at %s:%d has no effect with SessionDynamoDBCache: reads that fill "
            "the cache are strongly consistent. Remove one of them",
            AT(off));
    }
}

static void look_at_shared_reads(const msd_config_warn_t *config, const msd_config_place_t *on)
{
    int threaded = AP_MPMQ_NOT_SUPPORTED;

    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    if (strcasecmp(on->word, "On") == 0 && threaded == AP_MPMQ_NOT_SUPPORTED) {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE | config->startup, 0, config->main_server,
            "SessionDynamoDBShareReads On at %s:%d has no effect with this MPM, whose processes serve one request "
            "at a time. Remove it, or load mpm_event",
            AT(on));
    }
}

static void look_at_cookie_name(const msd_config_warn_t *config, const msd_config_place_t *name)
{
    if (strncmp(name->word, "__Secure-", 9) == 0 && !is_near(config, name, "SessionDynamoDBCookieDomain", NULL)) {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE | config->startup, 0, config->main_server,
            "SessionDynamoDBCookieName %s at %s:%d: the prefix __Secure- is for cookies of a domain, which has "
            "no SessionDynamoDBCookieDomain here. Use __Host-, which no other host can set",
            name->word, AT(name));
    }
}

/** The entry in which mod_auth_form keeps the password is called AuthName-pw. */
static int is_password(const char *entry)
{
    apr_size_t len = strlen(entry);

    return len > 3 && strcasecmp(entry + len - 3, "-pw") == 0;
}

/** The AuthType form of a place where the masks hold, without the passphrase that makes up for them; or NULL. */
static const msd_config_place_t *form_without_passphrase(const msd_config_warn_t *config,
                                                         const msd_config_place_t *mask)
{
    int i;

    for (i = 0; i < config->places->nelts; i++) {
        const msd_config_place_t *form = &APR_ARRAY_IDX(config->places, i, msd_config_place_t);

        if (msd_config_place_is(form, "AuthType") && strcasecmp(form->word, "form") == 0
            && (msd_config_place_holds(form, mask) || msd_config_place_holds(mask, form))
            && !is_near(config, form, "AuthFormSitePassphrase", NULL)) {
            return form;
        }
    }
    return NULL;
}

/** mod_auth_form compares the stored password with each request, unless it has a passphrase. */
static void look_at_mask(const msd_config_warn_t *config, const msd_config_place_t *mask)
{
    const msd_config_place_t *form = form_without_passphrase(config, mask);
    const char *args = mask->directive->args;

    while (form && *args) {
        const char *entry = ap_getword_conf(config->pool, &args);

        if (is_password(entry)) {
            ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, config->main_server,
                         "SessionDynamoDBMask %s at %s:%d replaces the password that mod_auth_form (%s:%d) compares "
                         "with each request, so that each page asks for the login again: add AuthFormSitePassphrase "
                         "there",
                         entry, AT(mask), AT(form));
            form = NULL;
        }
    }
}

static void look_at_tls_when(const msd_config_warn_t *config, const msd_config_place_t *when)
{
    if (!is_near(config, when, "SessionDynamoDBRequireTLS", "On")
        && !is_near(config, when, "SessionDynamoDBFetchMetadata", NULL)) {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE | config->startup, 0, config->main_server,
            "SessionDynamoDBTLSWhen at %s:%d has no effect without SessionDynamoDBRequireTLS On: add it there, "
            "or remove this line",
            AT(when));
    }
}

/* ---- virtual hosts that share sessions --------------------------------------------------------------------------- */

/* The directives that the warnings depend on. */
static const char *const read_directives[] = {
    "AuthFormSitePassphrase",
    "AuthType",
    "CustomLog",
    "LogFormat",
    "RemoteIPHeader",
    "RemoteIPProxyProtocol",
    "Session",
    "SessionCookieName",
    "SessionCookieName2",
    "SessionDBDCookieName",
    "SessionDBDCookieName2",
    "SessionDBDPerUser",
    "SessionEnv",
    "SessionHeader",
    "SessionDynamoDB",
    "SessionDynamoDBConsistentRead",
    "SessionDynamoDBControlHeader",
    "SessionDynamoDBCreateLimit",
    "SessionDynamoDBCookieDomain",
    "SessionDynamoDBCookieName",
    "SessionDynamoDBCookiePath",
    "SessionDynamoDBDeviceBound",
    "SessionDynamoDBDevicePath",
    "SessionDynamoDBEndpointURL",
    "SessionDynamoDBEnv",
    "SessionDynamoDBEventKeys",
    "SessionDynamoDBFetchMetadata",
    "SessionDynamoDBForward",
    "SessionDynamoDBForwardKeys",
    "SessionDynamoDBGuessLimit",
    "SessionDynamoDBMask",
    "SessionDynamoDBRequireTLS",
    "SessionDynamoDBSealKeys",
    "SessionDynamoDBShareReads",
    "SessionDynamoDBSidKeys",
    "SessionDynamoDBTLSWhen",
    "SessionDynamoDBUseHeader",
    "SessionDynamoDBUserKey",
    "SessionDynamoDBUserSessionKeys",
    "SetEnvIf",
    "SetEnvIfNoCase",
    NULL,
};

/** 1 for a directive whose arguments are sources of keys. */
static int names_keys(const msd_config_place_t *place)
{
    static const char *const directives[] = { "SessionDynamoDBEventKeys", "SessionDynamoDBForwardKeys",
                                              "SessionDynamoDBSealKeys", "SessionDynamoDBSidKeys",
                                              "SessionDynamoDBUserSessionKeys" };
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(directives) && !msd_config_place_is(place, directives[i]); i++) {
    }
    return i < DDB_ARRAY_LENGTH(directives);
}

static void look_at_place(const msd_config_warn_t *config, const msd_config_place_t *place, apr_pool_t *p)
{
    const msd_config_warn_t near = near_to(config, place, p);

    if (is_on(place)) {
        look_for_session(&near, place);
        look_at_cookie_path(&near, place);
    }
    if (is_on(place) || msd_config_place_is(place, "SessionDynamoDBDeviceBound")) {
        msd_config_warn_device(&near, place);
    }
    if (names_keys(place)) {
        look_at_key_files(&near, place);
    }
    if (msd_config_place_is(place, "SessionDynamoDBConsistentRead")) {
        look_at_consistent_read(&near, place);
    }
    if (msd_config_place_is(place, "SessionDynamoDBShareReads")) {
        look_at_shared_reads(&near, place);
    }
    if (msd_config_place_is(place, "SessionDynamoDBCookieName")) {
        look_at_cookie_name(&near, place);
    }
    if (msd_config_place_is(place, "SessionDynamoDBTLSWhen")) {
        look_at_tls_when(&near, place);
    }
    if (msd_config_place_is(place, "SessionDynamoDBMask")) {
        look_at_mask(&near, place);
    }
    if (strncasecmp(place->directive->directive, "SessionCookieName", 17) == 0
        || strncasecmp(place->directive->directive, "SessionDBD", 10) == 0) {
        look_at_other_store(&near, place);
    }
}

void msd_config_warn(apr_pool_t *p, server_rec *main_server)
{
    msd_config_warn_t config = { .pool = p,
                                 .main_server = main_server,
                                 .places = msd_config_place_all(p, read_directives),
                                 .startup = ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST ? APLOG_STARTUP
                                                                                                   : 0 };
    apr_hash_t *seen = apr_hash_make(p);
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
        look_at_endpoint(&config, s, seen);
    }
    msd_config_warn_hosts(&config);
    msd_config_warn_limits(&config);
    msd_config_warn_import(&config);
}
