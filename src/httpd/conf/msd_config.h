#ifndef MSD_CONFIG_H
#define MSD_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include "aws/ddb_endpoint.h"
#include "store/ddb_item.h"
#include "store/ddb_sid.h"

extern module AP_MODULE_DECLARE_DATA session_dynamodb_module;

typedef enum msd_same_site_e { MSD_STRICT, MSD_LAX, MSD_SAME_SITE_NONE } msd_same_site_e;
typedef enum msd_on_error_e { MSD_DENY, MSD_ANONYMOUS } msd_on_error_e;
typedef enum msd_no_store_e { MSD_NO_STORE_LOADED, MSD_NO_STORE_CHANGED } msd_no_store_e;

#define MSD_UNSET (-1)

/** Where SessionDynamoDBHeaderName names none. */
#define MSD_HEADER_NAME "x-id"

/**
 * The settings of one server. As created and merged, unset fields are NULL or MSD_UNSET; msd_config_server fills in
 * the defaults. One member a line: a guard checks that each is created and merged.
 */
typedef struct msd_server_config_t {
    const char *table;
    const char *endpoint_url;
    const char *region;
    const char *profile;
    const char *credentials_file;        /* absolute */
    const char *config_file;             /* absolute */
    const char *ca_file;                 /* absolute; of the main server, for all */
    const char *proxy;                   /* URL; of the main server, for all */
    apr_interval_time_t timeout;         /* of all store calls of one request together */
    apr_interval_time_t connect_timeout; /* of one attempt */
    int max_attempts;
    int warm_connections;                /* opened by each child at its start; 0: none */
    int breaker;                         /* calls in a row without an answer that open it; 0: there is none */
    int create_table;
    int check_table;
    int used;                            /* 1: SessionDynamoDB is On somewhere here; known once it was checked */
    const apr_array_header_t *cookie_names; /* const char *: of the sessions of all areas here; known once checked */
    ddb_endpoint_t endpoint;             /* worked out when the configuration was checked; url NULL: it can't be */
    struct msd_recent_t *recent;         /* recent touches, shared by the children; made before fork */
    struct msd_misses_t *misses;         /* keys of no session, of all children; NULL: none are kept */
    struct msd_outage_t *outage;         /* which failures are logged, of all children; NULL: each */
    volatile apr_uint32_t *plain_told;   /* for each server: 1 once a plain connection was told of; NULL: never is */
    struct ddb_count_t *count;           /* what is counted of all children; NULL: nothing; made before fork */
    struct msd_child_t *child;           /* what this child process talks to the store with; made after fork */
} msd_server_config_t;

/** The header of the signature of what is forwarded. */
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

/** The settings of one place. Unset fields as above; msd_config_dir fills in the defaults. */
typedef struct msd_dir_config_t {
    int enabled;
    int consistent_read;
    apr_int64_t idle_timeout;            /* seconds */
    apr_int64_t absolute_timeout;        /* seconds */
    apr_int64_t touch_interval;          /* seconds; effective: at most idle_timeout / 10 */
    apr_int64_t idle_limit;              /* of .htaccess files: they shorten these times and lengthen none */
    apr_int64_t absolute_limit;
    apr_int64_t touch_limit;
    int sid_byte_length;                 /* of new IDs */
    const apr_array_header_t *sid_older_lengths; /* int: accepted beside it; empty for none */
    const apr_array_header_t *sid_keys;  /* const char *, oldest first */
    int sid_digest;                      /* ddb_digest_e */
    int hash_sid;
    const char *cookie_name;
    int cookie_secure;
    int cookie_http_only;
    int cookie_same_site;                /* msd_same_site_e */
    const char *cookie_domain;           /* "" for none */
    const char *cookie_path;
    int cookie_persistent;
    int use_header;
    const char *header_name;
    int on_error;                        /* msd_on_error_e */
    int no_store;                        /* msd_no_store_e */
    const apr_array_header_t *forward;   /* msd_forward_t; empty: nothing */
    const apr_array_header_t *scrubbed;  /* const char *: headers that forward here or around; NULL for none */
    const apr_array_header_t *forward_keys; /* const char *, oldest first */
    const apr_array_header_t *accept;    /* const char *: names of entries, or "*"; empty: nothing */
    const apr_array_header_t *env;       /* msd_env_t; empty for none */
    const apr_array_header_t *mask;      /* const char *, names of entries; empty for none */
    const apr_array_header_t *mask_more; /* the same, of .htaccess files: they add to the server's */
    int format;                          /* ddb_format_e */
    int max_size;                        /* bytes of an item */
    int max_entries;                     /* of a session, which loads with no more and stores no more */
    int compress;                        /* bytes of data from which on it is compressed; 0: never */
} msd_dir_config_t;

void *msd_config_create_server(apr_pool_t *p, server_rec *s);
void *msd_config_merge_server(apr_pool_t *p, void *base, void *add);
void *msd_config_create_dir(apr_pool_t *p, char *dir);
void *msd_config_merge_dir(apr_pool_t *p, void *base, void *add);

/** The record of a server as merged; defaults filled in once the configuration was checked. */
msd_server_config_t *msd_config_server(const server_rec *s);

/** 1 when SessionDynamoDB is On where this request is. Cheap. */
int msd_config_enabled(const request_rec *r);

/** The settings that hold for this request, without defaults. Cheap. */
const msd_dir_config_t *msd_config_merged(const request_rec *r);

/** The settings that hold for this request, defaults filled in, in p. */
msd_dir_config_t *msd_config_dir(const request_rec *r, apr_pool_t *p);

/** A copy of a merged record with defaults filled in, in p. */
msd_dir_config_t *msd_config_resolve(const msd_dir_config_t *merged, apr_pool_t *p);

/** 1 when the directive stands in a .htaccess file: its author's word counts for less, and only in this request. */
int msd_config_in_htaccess(const cmd_parms *cmd);

/** The rules for session IDs that conf asks for; keys stay conf's. */
void msd_config_rules(ddb_sid_rules_t *rules, const msd_dir_config_t *conf);

/** A place in the configuration files that has directives of ours, kept for the check after merging. */
typedef struct msd_section_t {
    const server_rec *server;
    const msd_dir_config_t *conf;
    const char *where;        /* "file:line" of its last directive of ours */
    const char *where_cookie; /* the same of its last cookie directive, or NULL */
} msd_section_t;

/** Remember where a directive for conf stands, so that a check after merging can name the place. */
void msd_config_note(cmd_parms *cmd, const msd_dir_config_t *conf);

/** All places, msd_section_t, in the order read; NULL when there is none. p is the configuration's pool. */
apr_array_header_t *msd_config_sections(apr_pool_t *p);

#endif
