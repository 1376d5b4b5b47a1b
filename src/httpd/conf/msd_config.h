#ifndef MSD_CONFIG_H
#define MSD_CONFIG_H

#include <apr_hash.h>
#include <ap_expr.h>
#include <httpd.h>
#include <http_config.h>

#include "aws/ddb_endpoint.h"
#include "store/ddb_bound.h"
#include "store/ddb_item.h"
#include "store/ddb_sid.h"

extern module AP_MODULE_DECLARE_DATA session_dynamodb_module;

typedef enum msd_same_site_e { MSD_STRICT, MSD_LAX, MSD_SAME_SITE_NONE } msd_same_site_e;
typedef enum msd_on_error_e { MSD_DENY, MSD_ANONYMOUS } msd_on_error_e;
typedef enum msd_forward_version_e { MSD_FORWARD_V1, MSD_FORWARD_V2 } msd_forward_version_e;
typedef enum msd_login_e { MSD_LOGIN_KEEP, MSD_LOGIN_DROP } msd_login_e;
typedef enum msd_logout_e { MSD_LOGOUT_END, MSD_LOGOUT_KEEP } msd_logout_e;
typedef enum msd_fetch_metadata_e {
    MSD_FETCH_METADATA_OFF,
    MSD_FETCH_METADATA_ON,
    MSD_FETCH_METADATA_STRICT
} msd_fetch_metadata_e;
typedef enum msd_device_bound_e {
    MSD_DEVICE_BOUND_OFF,
    MSD_DEVICE_BOUND_ON,
    MSD_DEVICE_BOUND_REQUIRE
} msd_device_bound_e;
typedef enum msd_no_store_e { MSD_NO_STORE_LOADED, MSD_NO_STORE_CHANGED } msd_no_store_e;

#define MSD_UNSET (-1)

/** The longest time that a directive, a program or a module can set, in seconds: ten years. */
#define MSD_SECONDS_MOST (APR_INT64_C(10) * 365 * 24 * 3600)

/** The longest lifetime that browsers give a cookie, in seconds: 400 days (RFC 6265bis section 5.5). */
#define MSD_COOKIE_SECONDS_MOST (APR_INT64_C(400) * 24 * 3600)

/** SessionDynamoDBGuessLimit, SessionDynamoDBCreateLimit: how often something may happen to one client address. */
typedef struct msd_limit_t {
    int most;    /* in a window; 0: no limit, nothing is counted */
    int seconds; /* length of a window */
    int denies;  /* 1: requests over the limit are refused; 0: it is only logged that there are some */
} msd_limit_t;

#define MSD_LIMIT_MOST         10000
#define MSD_LIMIT_SECONDS_MOST 3600

/** The defaults of both. */
extern const msd_limit_t msd_config_guess_limit, msd_config_create_limit;

/** SessionDynamoDBEventLog: httpd's error log. */
#define MSD_EVENT_LOG_ERROR "error"

/** The default of SessionDynamoDBDevicePath. */
#define MSD_DEVICE_PATH "/.device-session/"

/** The default of SessionDynamoDBHeaderName. */
#define MSD_HEADER_NAME "x-id"

/**
 * The settings, one row each: kind, type, name, default. The kind determines the unset value and how sections merge:
 *   NUMBER   unset: MSD_UNSET; the inner section wins
 *   POINTER  unset: NULL; the inner section wins
 *   LOWEST   unset: MSD_UNSET; the lower value wins
 *   JOINED   unset: NULL; an apr_array_header_t, both are joined
 * The records, and their create, merge and default functions, are generated from these lists.
 */
#define MSD_SERVER_SETTINGS(X)                                                                                         \
    X(POINTER, const char *, table, "app_session")                                                                     \
    X(POINTER, const char *, endpoint_url, NULL)                                                                       \
    X(POINTER, const char *, region, NULL)                                                                             \
    X(POINTER, const char *, profile, NULL)                                                                            \
    X(POINTER, const char *, credentials_file, NULL)              /* absolute */                                       \
    X(POINTER, const char *, config_file, NULL)                   /* absolute */                                       \
    X(POINTER, const char *, ca_file, NULL)                       /* absolute; the main server's, for all */           \
    X(POINTER, const char *, proxy, NULL)                         /* URL; the main server's, for all */                \
    X(NUMBER, apr_interval_time_t, timeout, apr_time_from_sec(2)) /* of all store calls of one request together */     \
    X(NUMBER, apr_interval_time_t, connect_timeout, apr_time_from_sec(1)) /* of one attempt */                         \
    X(NUMBER, int, max_attempts, 3)                                                                                    \
    X(NUMBER, int, warm_connections, 0) /* opened by each child when it starts */                                      \
    X(NUMBER, int, breaker, 5)          /* consecutive calls without an answer that open it; 0: off */                 \
    X(NUMBER, int, create_table, 0)                                                                                    \
    X(NUMBER, int, check_table, 1)                                                                                     \
    X(NUMBER, int, share_reads, 0)                                                                                     \
    X(NUMBER, int, cache, 0) /* seconds; 0: off; the main server's, for all */                                         \
    X(POINTER, const struct ap_socache_provider_t *, cache_provider, NULL)                                             \
    X(POINTER, struct ap_socache_instance_t *, cache_instance, NULL)                                                   \
    X(POINTER, const msd_limit_t *, guess_limit, &msd_config_guess_limit)                                              \
    X(POINTER, const msd_limit_t *, create_limit, &msd_config_create_limit)                                            \
    X(POINTER, const char *, event_log, "")            /* absolute, |PROGRAM or MSD_EVENT_LOG_ERROR; "": none */       \
    X(POINTER, apr_array_header_t *, event_keys, NULL) /* const char *, oldest first; NULL: a random one */

#define MSD_SETTING(kind, type, name, value) type name;

/**
 * The settings of one server. As created and merged, unset fields are NULL or MSD_UNSET; msd_config_check fills in the
 * defaults. After the settings, the values that are determined for each server after merging.
 */
typedef struct msd_server_config_t {
    MSD_SERVER_SETTINGS(MSD_SETTING)
    int used;                               /* 1: SessionDynamoDB is On somewhere here; set by msd_config_check */
    const apr_array_header_t *cookie_names; /* const char *: session cookies of all areas; set by msd_config_check */
    ddb_endpoint_t endpoint;                /* set by msd_config_check; url NULL: it could not be resolved */
    struct msd_touches_t *recent;           /* recent touches of all children, created before fork; NULL: not shared */
    struct msd_unknown_ids_t *misses;       /* unknown session IDs, shared likewise; NULL: they are not remembered */
    struct msd_address_count_t *guesses;    /* for guess_limit, shared likewise; NULL: they are not counted */
    struct msd_address_count_t *creations;  /* for create_limit, shared likewise; NULL: they are not counted */
    struct msd_row_cache_t *row_cache;      /* of this server's table, shared likewise; NULL: no cache */
    struct msd_failure_log_t *outage;       /* limits logged failures, shared likewise; NULL: all are logged */
    struct msd_once_t *once;                /* flags of one-time actions, shared likewise; NULL: never done */
    struct msd_event_log_t *events;         /* where security events go; opened before fork; NULL: nowhere */
    struct ddb_count_t *count;              /* counters of the table, shared likewise; NULL: nothing is counted */
    struct msd_counts_t *counts;            /* of all tables */
    struct msd_gauges_t *gauges;            /* what each child says of itself; NULL: nothing */
    struct msd_child_t *child;              /* this child process's store and connections; created after fork */
} msd_server_config_t;

/** The header with the signature of the forwarded headers. */
#define MSD_SIGNATURE_HEADER "X-Session-Signature"

/** An entry of the session that becomes a request header. */
typedef struct msd_forward_t {
    const char *key;
    const char *header; /* letters, digits and '-' */
} msd_forward_t;

/** SessionDynamoDBEnv: an entry and the environment variable that shows it. */
typedef struct msd_env_t {
    const char *key;
    const char *name;
} msd_env_t;

/** SessionDynamoDBBind: what happens when the client changes. */
typedef enum msd_bind_action_e {
    MSD_BIND_OFF, /* it does not count */
    MSD_BIND_LOG,
    MSD_BIND_RENEW,
    MSD_BIND_DENY,
    MSD_BIND_ACTIONS
} msd_bind_action_e;

typedef struct msd_bind_t {
    int none; /* 1: nothing counts */
    msd_bind_action_e action[DDB_BOUND_KINDS];
    int v4, v6; /* bits of an address that count */
} msd_bind_t;

/** SessionDynamoDBImport: the store of mod_session's from which sessions come. */
typedef enum msd_import_store_e { MSD_IMPORT_NONE, MSD_IMPORT_COOKIE, MSD_IMPORT_DBD } msd_import_store_e;

typedef struct msd_import_from_t {
    msd_import_store_e store;
    const char *cookie;       /* its name */
    const char *path;         /* of the cookie */
    const char *domain;       /* of the cookie; "": none */
    apr_time_t until;         /* no session is imported from then on */
    const char *where;        /* "file:line" of the directive */
    const char *select_label; /* MSD_IMPORT_DBD: statements of mod_dbd's */
    const char *delete_label;
} msd_import_from_t;

#define MSD_DIR_SETTINGS(X)                                                                                            \
    X(NUMBER, int, enabled, 0)                                                                                         \
    X(NUMBER, int, consistent_read, 1)                                                                                 \
    X(NUMBER, apr_int64_t, idle_timeout, 7200)      /* seconds */                                                      \
    X(NUMBER, apr_int64_t, absolute_timeout, 43200) /* seconds */                                                      \
    X(NUMBER, apr_int64_t, touch_interval, 60)      /* seconds; effective: at most idle_timeout / 10 */                \
    X(LOWEST, apr_int64_t, idle_limit, MSD_UNSET)   /* from .htaccess files, which may only shorten these times */     \
    X(LOWEST, apr_int64_t, absolute_limit, MSD_UNSET)                                                                  \
    X(LOWEST, apr_int64_t, touch_limit, MSD_UNSET)                                                                     \
    X(NUMBER, int, sid_byte_length, 32)                             /* of new IDs */                                   \
    X(POINTER, const apr_array_header_t *, sid_older_lengths, NULL) /* int: also accepted; may be empty */             \
    X(POINTER, const apr_array_header_t *, sid_keys, NULL)          /* const char *, oldest first */                   \
    X(NUMBER, int, sid_digest, DDB_SHA1)                            /* ddb_digest_e */                                 \
    X(NUMBER, int, hash_sid, 1)                                                                                        \
    X(POINTER, const char *, audience, "") /* "": no label */                                                          \
    X(POINTER, const char *, cookie_name, "id")                                                                        \
    X(NUMBER, int, cookie_secure, 1)                                                                                   \
    X(NUMBER, int, cookie_http_only, 1)                                                                                \
    X(NUMBER, int, cookie_same_site, MSD_STRICT) /* msd_same_site_e */                                                 \
    X(POINTER, const char *, cookie_domain, "")  /* "": no Domain */                                                   \
    X(POINTER, const char *, cookie_path, "/")                                                                         \
    X(NUMBER, int, cookie_persistent, 0)                                                                               \
    X(NUMBER, int, use_header, 0)                                                                                      \
    X(POINTER, const char *, header_name, MSD_HEADER_NAME)                                                             \
    /* true of a request that came over TLS; NULL: of one whose connection uses it */                                  \
    X(POINTER, const ap_expr_info_t *, tls_when, NULL)                                                                 \
    X(NUMBER, int, require_tls, 0)                                                                                     \
    X(NUMBER, int, fetch_metadata, MSD_FETCH_METADATA_OFF) /* msd_fetch_metadata_e */                                  \
    X(POINTER, msd_bind_t *, bind, NULL)                                                                               \
    X(POINTER, const char *, device_path, MSD_DEVICE_PATH)                                                             \
    X(NUMBER, apr_int64_t, device_lifetime, 600)       /* seconds */                                                   \
    X(NUMBER, apr_int64_t, device_window, 60)          /* seconds */                                                   \
    X(NUMBER, int, device_bound, MSD_DEVICE_BOUND_OFF) /* msd_device_bound_e */                                        \
    X(NUMBER, int, csrf_token, 0)                                                                                      \
    X(NUMBER, int, csrf_enforce, 0)                                                                                    \
    X(NUMBER, int, on_error, MSD_DENY) /* msd_on_error_e */                                                            \
    X(POINTER, const apr_array_header_t *, user_keys,                                                                  \
      NULL)                                   /* const char *: entries that tell a user; empty: none do */             \
    X(NUMBER, apr_int64_t, renew_interval, 0) /* seconds; 0: IDs do not age */                                         \
    X(NUMBER, apr_int64_t, renew_grace, 60)   /* seconds */                                                            \
    X(POINTER, apr_array_header_t *, user_session_keys, NULL) /* const char *, oldest first */                         \
    X(POINTER, const msd_import_from_t *, import, NULL)       /* NULL, or its store NONE: nothing is imported */       \
    X(NUMBER, int, login, MSD_LOGIN_KEEP)                     /* msd_login_e */                                        \
    X(NUMBER, int, logout, MSD_LOGOUT_END)                    /* msd_logout_e */                                       \
    X(NUMBER, int, user_sessions, 0)                                                                                   \
    X(NUMBER, int, user_session_most, 50)                                                                              \
    X(NUMBER, int, user_session_deny, 0)                                                                               \
    X(NUMBER, int, expire_cookie, 0)                                                                                   \
    X(POINTER, const char *, clear_site_data, "")         /* value of Clear-Site-Data at logout; "": none */           \
    X(NUMBER, int, no_store, MSD_NO_STORE_LOADED)         /* msd_no_store_e */                                         \
    X(POINTER, const apr_array_header_t *, forward, NULL) /* msd_forward_t; may be empty */                            \
    /* const char *: headers of forward, of this section and those around it; may be NULL */                           \
    X(JOINED, const apr_array_header_t *, scrubbed, NULL)                                                              \
    X(POINTER, const apr_array_header_t *, forward_keys, NULL) /* const char *, oldest first */                        \
    X(POINTER, const char *, forward_audience, "")             /* "": derived from the target */                       \
    X(NUMBER, int, forward_version, MSD_FORWARD_V2)            /* msd_forward_version_e */                             \
    X(POINTER, const char *, control_header, "")               /* "": none */                                          \
    X(POINTER, const apr_array_header_t *, accept, NULL) /* const char *: entry names, or "*"; empty: no changes */    \
    X(POINTER, const apr_array_header_t *, protect_keys, NULL) /* const char *: names of entries; empty: none */       \
    X(POINTER, const apr_array_header_t *, env, NULL)          /* msd_env_t; may be empty */                           \
    X(POINTER, const apr_array_header_t *, mask, NULL)         /* const char *, entry names; may be empty */           \
    /* the same from .htaccess files, added to mask */                                                                 \
    X(JOINED, const apr_array_header_t *, mask_more, NULL)                                                             \
    X(POINTER, apr_array_header_t *, seal_keys, NULL) /* const char *, oldest first */                                 \
    X(POINTER, const struct ddb_seal_t *, seal, NULL) /* made of them */                                               \
    X(NUMBER, int, format, DDB_FORM)                  /* ddb_format_e */                                               \
    X(NUMBER, int, max_size, DDB_ITEM_SIZE_MAX)       /* bytes of an item */                                           \
    X(NUMBER, int, max_entries, 1000)                 /* of a session; the limit applies to loading and storing */     \
    X(NUMBER, int, compress, 0)                       /* bytes; the minimum size to compress; 0: never */

/** The settings of one place. Unset fields are as above; msd_config_dir fills in the defaults. */
typedef struct msd_dir_config_t {
    MSD_DIR_SETTINGS(MSD_SETTING)
} msd_dir_config_t;

void *msd_config_create_server(apr_pool_t *p, server_rec *s);
void *msd_config_merge_server(apr_pool_t *p, void *base, void *add);
void *msd_config_create_dir(apr_pool_t *p, char *dir);
void *msd_config_merge_dir(apr_pool_t *p, void *base, void *add);

/** The merged record of a server, with defaults after msd_config_check. */
msd_server_config_t *msd_config_server(const server_rec *s);

/** 1 if SessionDynamoDB is On for this request. Cheap. */
int msd_config_enabled(const request_rec *r);

/** The settings for this request, without defaults. Cheap. */
const msd_dir_config_t *msd_config_merged(const request_rec *r);

/** The settings for this request, with defaults; allocated from p. */
msd_dir_config_t *msd_config_dir(const request_rec *r, apr_pool_t *p);

/** Fill in the defaults in a merged record. */
void msd_config_default_server(msd_server_config_t *c);

/** A copy of a merged record with defaults; allocated from p. */
msd_dir_config_t *msd_config_resolve(const msd_dir_config_t *merged, apr_pool_t *p);

/** 1 if the directive is in a .htaccess file, whose author may set less, and only for this request. */
int msd_config_in_htaccess(const cmd_parms *cmd);

/** Set the rules for session IDs from conf. The keys still belong to conf. */
void msd_config_rules(ddb_sid_rules_t *rules, const msd_dir_config_t *conf);

/** A section of the configuration files with directives of this module, kept for the check after merging. */
typedef struct msd_section_t {
    const server_rec *server;
    const msd_dir_config_t *conf;
    const char *where;        /* "file:line" of the last of these directives */
    const char *where_cookie; /* the same of the last cookie directive, or NULL */
} msd_section_t;

/** Remember the place of a directive for conf, so that a check after merging can name it. */
void msd_config_note(cmd_parms *cmd, const msd_dir_config_t *conf);

/** All sections (msd_section_t) in the order read; NULL if there are none. p is the configuration's pool. */
const apr_array_header_t *msd_config_sections(apr_pool_t *p);

/** The same by server_rec, for msd_config_sections_for, which takes as long as it finds. */
apr_hash_t *msd_config_sections_by_server(apr_pool_t *p);

/** The sections (const msd_section_t *) that may apply in s: those of the main server, then its own. */
const apr_array_header_t *msd_config_sections_for(apr_hash_t *by_server, const server_rec *s,
                                                  const server_rec *main_server, apr_pool_t *p);

#endif
