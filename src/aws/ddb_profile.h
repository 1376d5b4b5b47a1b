#ifndef DDB_PROFILE_H
#define DDB_PROFILE_H

#include <apr_pools.h>

#include "base/ddb_error.h"

/** Where a profile is looked for. NULL fields follow the AWS rules (AWS SDKs and Tools Reference Guide). */
typedef struct ddb_profile_opts_t {
    const char *name;             /* NULL: AWS_DEFAULT_PROFILE, AWS_PROFILE, "default" */
    const char *credentials_file; /* NULL: AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials */
    const char *config_file;      /* NULL: AWS_CONFIG_FILE, ~/.aws/config */
} ddb_profile_opts_t;

typedef struct ddb_profile_t ddb_profile_t;

/**
 * Read one profile from both files; the credentials file wins key by key. Keys and session token are never mixed from
 * two files: the one that has aws_access_key_id, the credentials file first, gives them all. Values live in p and are
 * wiped with it. A file that others can read, or group or others can write, is refused when it holds a secret key; one
 * that group or others can write also when it has a credential_process.
 * @return APR_NOTFOUND when neither file has the profile, and neither name, AWS_DEFAULT_PROFILE nor AWS_PROFILE asked
 *         for it; DDB_ECONFIG with a detail that names file and line for a file that cannot be read or parsed, is
 *         larger than 1 MiB or has unsafe permissions, and for a named profile that is missing.
 */
apr_status_t ddb_profile_read(ddb_profile_t **pp, const ddb_profile_opts_t *o, apr_pool_t *p, ddb_error_t *err);

/**
 * Read the section [kind NAME] of the config file, such as [sso-session NAME]; NAME is o->name.
 * @return as above; DDB_ECONFIG when it is missing.
 */
apr_status_t ddb_profile_read_section(ddb_profile_t **pp, const ddb_profile_opts_t *o, const char *kind, apr_pool_t *p,
                                      ddb_error_t *err);

/** A number that differs once one of the two files was changed, replaced, created or removed. p is for scratch. */
apr_uint64_t ddb_profile_stamp(const ddb_profile_opts_t *o, apr_pool_t *p);

/** The name from o or the environment; "default" without either. Not a copy. */
const char *ddb_profile_name(const ddb_profile_opts_t *o);

/** 1 when the profile's aws_access_key_id (or half a pair) is the credentials file's, not the config file's. */
int ddb_profile_has_shared_keys(const ddb_profile_t *profile);

/** A value of the profile by its (lower case) key; NULL when missing or empty, and when profile is NULL. */
const char *ddb_profile_get(const ddb_profile_t *profile, const char *key);

/** A value of the nested map that key has as its value ("key =", then indented lines), in p; NULL when missing. */
const char *ddb_profile_get_nested(const ddb_profile_t *profile, const char *key, const char *nested, apr_pool_t *p);

/** path with ~ and ~user replaced as the shell does, in p; NULL when that home directory is unknown. */
const char *ddb_profile_expand_home(const char *path, apr_pool_t *p);

/** An environment variable, which AWS lets override the profile; NULL when unset or empty. Not a copy. */
const char *ddb_profile_env(const char *name);

#endif
