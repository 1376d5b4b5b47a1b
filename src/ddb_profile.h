#ifndef DDB_PROFILE_H
#define DDB_PROFILE_H

#include <apr_pools.h>

#include "ddb_error.h"

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
 * wiped with it. A file that others can read, or group or others can write, is refused when it holds a secret key.
 * @return APR_NOTFOUND when neither file has the profile and none of name, AWS_DEFAULT_PROFILE and AWS_PROFILE asked
 *         for one by name; DDB_ECONFIG with a detail that names file and line for a file that can't be read or parsed,
 *         is over 1 MiB, has unsafe permissions, and for a profile that was named and is missing.
 */
apr_status_t ddb_profile_read(ddb_profile_t **pp, const ddb_profile_opts_t *o, apr_pool_t *p, ddb_error_t *err);

/** A value of the profile by its (lower case) key; NULL when missing or empty, and when profile is NULL. */
const char *ddb_profile_get(const ddb_profile_t *profile, const char *key);

/** An environment variable, which AWS lets override the profile; NULL when unset or empty. Not a copy. */
const char *ddb_profile_env(const char *name);

#endif
