/* Profiles of the AWS shared files: which profile it is, and how the two files go together. Reading one of them:
 * ddb_profile_file.c. */

#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "aws/ddb_profile_int.h"
#include "base/ddb_array.h"
#include "base/ddb_crypto.h"

struct ddb_profile_t {
    apr_hash_t *values; /* key -> value, both in the caller's pool */
    int has_shared_keys;
};

/* Of credentials that are never put together from two files. */
static const char *const credential_keys[] = { "aws_access_key_id", "aws_secret_access_key", "aws_session_token",
                                               "aws_security_token" };

const char *ddb_profile_env(const char *name)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): safe, as nothing here changes the environment. */
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static void copy_values(apr_hash_t *to, apr_hash_t *from)
{
    apr_pool_t *p = apr_hash_pool_get(to);
    apr_hash_index_t *i;
    const void *key;
    void *value;

    for (i = from ? apr_hash_first(NULL, from) : NULL; i; i = apr_hash_next(i)) {
        apr_hash_this(i, &key, NULL, &value);
        apr_hash_set(to, apr_pstrdup(p, key), APR_HASH_KEY_STRING, ddb_crypto_secret_dup(p, value));
    }
}

static int has(const ddb_profile_file_t *file, const char *key)
{
    return ddb_ini_value(file->found, key) != NULL;
}

static ddb_profile_t *merge(const ddb_profile_file_t *credentials, const ddb_profile_file_t *config, apr_pool_t *p)
{
    ddb_profile_t *profile = apr_pcalloc(p, sizeof(*profile));
    apr_hash_t *without = NULL;
    apr_size_t i;

    if (has(credentials, credential_keys[0])) {
        without = config->found;
        profile->has_shared_keys = 1;
    }
    else if (has(config, credential_keys[0])) {
        without = credentials->found;
    }
    else {
        profile->has_shared_keys = has(credentials, credential_keys[1]);
    }
    for (i = 0; without && i < DDB_ARRAY_LENGTH(credential_keys); i++) {
        apr_hash_set(without, credential_keys[i], APR_HASH_KEY_STRING, NULL);
    }
    profile->values = apr_hash_make(p);
    copy_values(profile->values, config->found);
    copy_values(profile->values, credentials->found);
    return profile;
}

static apr_status_t locate_credentials(ddb_profile_file_t *credentials, const ddb_profile_opts_t *o)
{
    return ddb_profile_file_locate(credentials, o->credentials_file, "AWS_SHARED_CREDENTIALS_FILE",
                                   "~/.aws/credentials");
}

static apr_status_t locate_config(ddb_profile_file_t *config, const ddb_profile_opts_t *o)
{
    return ddb_profile_file_locate(config, o->config_file, "AWS_CONFIG_FILE", "~/.aws/config");
}

static const char *find_name(const ddb_profile_opts_t *o)
{
    const char *name = o->name ? o->name : ddb_profile_env("AWS_DEFAULT_PROFILE");

    return name ? name : ddb_profile_env("AWS_PROFILE");
}

const char *ddb_profile_name(const ddb_profile_opts_t *o)
{
    const char *name = find_name(o);

    return name ? name : "default";
}

static apr_status_t read_both(const ddb_profile_opts_t *o, ddb_profile_file_t *credentials, ddb_profile_file_t *config)
{
    const char *named = find_name(o), *name = ddb_profile_name(o);
    apr_status_t rv;

    rv = locate_credentials(credentials, o);
    if (rv == APR_SUCCESS) {
        rv = locate_config(config, o);
    }
    if (rv == APR_SUCCESS) {
        rv = ddb_profile_file_load(credentials, name);
    }
    if (rv == APR_SUCCESS) {
        rv = ddb_profile_file_load(config, name);
    }
    if (rv == APR_SUCCESS && !credentials->found && !config->found) {
        rv = ddb_error_set(credentials->err, named ? DDB_ECONFIG : APR_NOTFOUND, "no profile \"%.40s\" in %s or %s%s",
                           name, credentials->path ? credentials->path : "~/.aws/credentials",
                           config->path ? config->path : "~/.aws/config", named ? "; check the name" : "");
    }
    return rv;
}

apr_status_t ddb_profile_read(ddb_profile_t **pp, const ddb_profile_opts_t *o, apr_pool_t *p, ddb_error_t *err)
{
    ddb_profile_file_t credentials = { 0 }, config = { 0 };
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, p);

    *pp = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    credentials.p = config.p = scratch;
    credentials.err = config.err = err;
    config.kind = DDB_PROFILE_KIND;
    rv = read_both(o, &credentials, &config);
    if (rv == APR_SUCCESS) {
        *pp = merge(&credentials, &config, p);
    }
    apr_pool_destroy(scratch);
    return rv;
}

/* FNV-1a, 64 bits. */
static apr_uint64_t add_number(apr_uint64_t hash, apr_uint64_t number)
{
    int i;

    for (i = 0; i < 8; i++) {
        hash = (hash ^ (number >> 8 * i & 0xff)) * APR_UINT64_C(0x100000001b3);
    }
    return hash;
}

apr_uint64_t ddb_profile_stamp(const ddb_profile_opts_t *o, apr_pool_t *p)
{
    ddb_profile_file_t files[2] = { { .p = p }, { .p = p } };
    apr_uint64_t hash = APR_UINT64_C(0xcbf29ce484222325);
    apr_finfo_t info;
    int i;

    locate_credentials(&files[0], o);
    locate_config(&files[1], o);
    for (i = 0; i < 2; i++) {
        memset(&info, 0, sizeof(info));
        if (files[i].path
            && apr_stat(&info, files[i].path, APR_FINFO_MTIME | APR_FINFO_SIZE | APR_FINFO_IDENT, p) != APR_SUCCESS) {
            memset(&info, 0, sizeof(info));
        }
        hash = add_number(add_number(hash, (apr_uint64_t)info.mtime), (apr_uint64_t)info.size);
        hash = add_number(hash, (apr_uint64_t)info.inode);
    }
    return hash;
}

apr_status_t ddb_profile_read_section(ddb_profile_t **pp, const ddb_profile_opts_t *o, const char *kind, apr_pool_t *p,
                                      ddb_error_t *err)
{
    ddb_profile_file_t none = { 0 }, config = { .kind = kind, .err = err };
    apr_status_t rv = apr_pool_create(&config.p, p);

    *pp = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = locate_config(&config, o);
    if (rv == APR_SUCCESS) {
        rv = ddb_profile_file_load(&config, o->name);
    }
    if (rv == APR_SUCCESS && !config.found) {
        rv = ddb_error_set(err, DDB_ECONFIG, "no section [%s %.40s] in %s; check the name", kind, o->name,
                           config.path ? config.path : "~/.aws/config");
    }
    if (rv == APR_SUCCESS) {
        *pp = merge(&none, &config, p);
    }
    apr_pool_destroy(config.p);
    return rv;
}

const char *ddb_profile_get(const ddb_profile_t *profile, const char *key)
{
    return profile ? ddb_ini_value(profile->values, key) : NULL;
}

int ddb_profile_has_shared_keys(const ddb_profile_t *profile)
{
    return profile && profile->has_shared_keys;
}

const char *ddb_profile_get_nested(const ddb_profile_t *profile, const char *key, const char *nested, apr_pool_t *p)
{
    const char *value = ddb_profile_get(profile, key), *found = NULL;
    char *line, *separator, *rest = NULL;

    if (!value || *value != '\n') {
        return NULL;
    }
    for (line = apr_strtok(apr_pstrdup(p, value), "\n", &rest); line; line = apr_strtok(NULL, "\n", &rest)) {
        separator = strchr(line, '=');
        if (separator) {
            *separator = '\0';
            apr_collapse_spaces(line, line);
            found = strcmp(line, nested) == 0 ? separator + 1 : found;
        }
    }
    while (found && *found == ' ') {
        found++;
    }
    return found && *found ? found : NULL;
}
