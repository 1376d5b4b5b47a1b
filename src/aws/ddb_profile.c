/* Profiles of the AWS shared files: where the files are, which sections are a profile, how the two files go together,
 * and who may have access to a file with a secret key. */

#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_user.h>

#include "aws/ddb_ini.h"
#include "aws/ddb_profile.h"
#include "base/ddb_crypto.h"

#define MAX_FILE_BYTES (1024 * 1024)

#define PROFILE "profile" /* what the config file puts before a name; the credentials file has names alone */

struct ddb_profile_t {
    apr_hash_t *values; /* key -> value, both in the caller's pool */
    int has_shared_keys;
};

/* One of the two files. Its text is wiped with the pool. */
typedef struct source_t {
    apr_pool_t *p;
    const char *path; /* NULL: there is no such file */
    int named;        /* by an option or the environment: then it has to be there */
    const char *kind; /* first word of the sections looked for; NULL: their names stand alone */
    apr_fileperms_t mode;
    char *text;
    apr_size_t len;
    ddb_ini_t ini;
    apr_hash_t *found; /* the section in this file, NULL when it has none */
    ddb_error_t *err;
} source_t;

/* Of credentials that are never put together from two files. */
static const char *const credential_keys[] = { "aws_access_key_id", "aws_secret_access_key", "aws_session_token",
                                               "aws_security_token" };

/* --- files --- */

const char *ddb_profile_env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* NULL when whose is nobody we know; "" is the user we run as. */
static char *home_of(const char *whose, apr_pool_t *p)
{
    const char *home = ddb_profile_env("HOME");
    char *name = NULL, *dir = NULL;
    apr_uid_t uid;
    apr_gid_t gid;

    if (*whose) {
        return apr_uid_homepath_get(&dir, whose, p) == APR_SUCCESS ? dir : NULL;
    }
    if (home) {
        return apr_pstrdup(p, home);
    }
    if (apr_uid_current(&uid, &gid, p) != APR_SUCCESS || apr_uid_name_get(&name, uid, p) != APR_SUCCESS
        || apr_uid_homepath_get(&dir, name, p) != APR_SUCCESS) {
        return NULL;
    }
    return dir;
}

const char *ddb_profile_expand_home(const char *path, apr_pool_t *p)
{
    apr_size_t len = strcspn(path, "/");
    const char *home;

    if (*path != '~') {
        return path;
    }
    home = home_of(apr_pstrmemdup(p, path + 1, len - 1), p);
    return home ? apr_pstrcat(p, home, path + len, NULL) : NULL;
}

static apr_status_t locate(source_t *src, const char *option, const char *variable, const char *fallback)
{
    const char *path = option ? option : ddb_profile_env(variable);

    src->named = path != NULL;
    src->path = ddb_profile_expand_home(path ? path : fallback, src->p);
    if (!src->path && src->named) {
        return ddb_error_set(src->err, DDB_ECONFIG, "%s: no such home directory; write the whole path", path);
    }
    return APR_SUCCESS;
}

static apr_status_t refuse_file(const source_t *src, const char *what, apr_status_t rv)
{
    char buf[80];

    return ddb_error_set(src->err, DDB_ECONFIG,
                         "%s: %s: %s; the user httpd runs as has to have access, or point to another file", src->path,
                         what, apr_strerror(rv, buf, sizeof(buf)));
}

/* @return APR_NOTFOUND when there is nothing to read, which is fine. */
static apr_status_t look(const source_t *src)
{
    apr_finfo_t info;
    apr_status_t rv;

    if (!src->path) {
        return APR_NOTFOUND;
    }
    rv = apr_stat(&info, src->path, APR_FINFO_TYPE, src->p);
    if (rv != APR_SUCCESS) {
        /* A server started by root inherits root's HOME, where its children may not even look. */
        return !src->named && (APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ENOTDIR(rv) || APR_STATUS_IS_EACCES(rv))
                   ? APR_NOTFOUND
                   : refuse_file(src, "can't be found", rv);
    }
    if (info.filetype == APR_CHR) {
        /* /dev/null is how the AWS tools are told to read no file. */
        return APR_NOTFOUND;
    }
    /* Opening a FIFO could block. */
    return info.filetype == APR_REG ? APR_SUCCESS
                                    : ddb_error_set(src->err, DDB_ECONFIG, "%s: not a regular file", src->path);
}

static apr_status_t wipe_text(void *data)
{
    source_t *src = data;

    ddb_crypto_wipe(src->text, src->len);
    return APR_SUCCESS;
}

static apr_status_t read_text(source_t *src, apr_file_t *file)
{
    apr_finfo_t info;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_PROT, file);

    if (rv != APR_SUCCESS) {
        return refuse_file(src, "can't be read", rv);
    }
    if (info.size > MAX_FILE_BYTES) {
        return ddb_error_set(src->err, DDB_ECONFIG, "%s: over 1 MiB, which is no file of profiles", src->path);
    }
    src->mode = info.protection;
    src->len = (apr_size_t)info.size;
    src->text = apr_pcalloc(src->p, src->len + 1);
    apr_pool_cleanup_register(src->p, src, wipe_text, apr_pool_cleanup_null);
    rv = apr_file_read_full(file, src->text, src->len, &src->len);
    src->text[src->len] = '\0';
    /* The end comes early when the file was cut since its size was asked. */
    return rv == APR_SUCCESS || APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : refuse_file(src, "can't be read", rv);
}

static apr_status_t parse_text(source_t *src)
{
    apr_status_t rv = ddb_ini_parse(&src->ini, src->text, src->len, src->p);

    return rv == APR_SUCCESS ? rv : ddb_error_set(src->err, rv, "%s:%d: %s", src->path, src->ini.line, src->ini.wrong);
}

static apr_status_t read_file(source_t *src)
{
    apr_file_t *file;
    apr_status_t rv = look(src);

    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    /* Unbuffered: APR's buffer would keep a copy of the secrets. */
    rv = apr_file_open(&file, src->path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, src->p);
    if (rv != APR_SUCCESS) {
        return refuse_file(src, "can't be read", rv);
    }
    rv = read_text(src, file);
    apr_file_close(file);
    return rv == APR_SUCCESS ? parse_text(src) : rv;
}

/* --- one profile of a file --- */

static int is_section(const source_t *src, const char *section, const char *name)
{
    char **words;

    if (strcmp(section, DDB_INI_DEFAULTS) == 0) {
        return 0;
    }
    if (!src->kind || (strcmp(src->kind, PROFILE) == 0 && strcmp(section, "default") == 0)) {
        return strcmp(section, name) == 0;
    }
    /* The shell's quotes are allowed around a name with spaces. */
    return strncmp(section, src->kind, strlen(src->kind)) == 0
           && apr_tokenize_to_argv(section, &words, src->p) == APR_SUCCESS && words[0]
           && strcmp(words[0], src->kind) == 0 && words[1] && strcmp(words[1], name) == 0 && !words[2];
}

/* Of two sections that are the same profile, such as [default] and [profile default], the later one counts. */
static void find_section(source_t *src, const char *name)
{
    apr_hash_t *values = NULL, *defaults;
    int i;

    for (i = 0; src->ini.names && i < src->ini.names->nelts; i++) {
        const char *section = APR_ARRAY_IDX(src->ini.names, i, const char *);

        if (is_section(src, section, name)) {
            values = apr_hash_get(src->ini.sections, section, APR_HASH_KEY_STRING);
        }
    }
    if (values) {
        defaults = apr_hash_get(src->ini.sections, DDB_INI_DEFAULTS, APR_HASH_KEY_STRING);
        values = defaults ? apr_hash_overlay(src->p, values, defaults) : values;
    }
    src->found = values;
}

static apr_status_t check_access(const source_t *src)
{
    int is_program = ddb_ini_value(src->found, "credential_process") != NULL;
    int is_secret = ddb_ini_value(src->found, "aws_secret_access_key") != NULL;

    /* Who can write a program's name there runs what he likes as httpd's user. */
    if (!(is_secret && src->mode & APR_FPROT_WREAD)
        && !((is_secret || is_program) && src->mode & (APR_FPROT_GWRITE | APR_FPROT_WWRITE))) {
        return APR_SUCCESS;
    }
    /* APR gives each of user, group and others four bits, chmod has three. */
    return ddb_error_set(src->err, DDB_ECONFIG, "%s has mode %04o and %s %s", src->path,
                         (unsigned)((src->mode >> 2 & 0700) | (src->mode >> 1 & 0070) | (src->mode & 0007)),
                         is_secret ? "holds a secret key; run: chmod g-w,o-rwx"
                                   : "names a program to run; run: chmod g-w,o-w",
                         src->path);
}

static apr_status_t load(source_t *src, const char *name)
{
    apr_status_t rv = read_file(src);

    if (rv == APR_SUCCESS) {
        find_section(src, name);
        rv = check_access(src);
    }
    return rv;
}

/* --- both files --- */

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

static int has(const source_t *src, const char *key)
{
    return ddb_ini_value(src->found, key) != NULL;
}

static ddb_profile_t *merge(const source_t *credentials, const source_t *config, apr_pool_t *p)
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
    for (i = 0; without && i < sizeof(credential_keys) / sizeof(credential_keys[0]); i++) {
        apr_hash_set(without, credential_keys[i], APR_HASH_KEY_STRING, NULL);
    }
    profile->values = apr_hash_make(p);
    copy_values(profile->values, config->found);
    copy_values(profile->values, credentials->found);
    return profile;
}

static apr_status_t locate_credentials(source_t *credentials, const ddb_profile_opts_t *o)
{
    return locate(credentials, o->credentials_file, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
}

static apr_status_t locate_config(source_t *config, const ddb_profile_opts_t *o)
{
    return locate(config, o->config_file, "AWS_CONFIG_FILE", "~/.aws/config");
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

static apr_status_t read_both(const ddb_profile_opts_t *o, source_t *credentials, source_t *config)
{
    const char *named = find_name(o), *name = ddb_profile_name(o);
    apr_status_t rv;

    rv = locate_credentials(credentials, o);
    if (rv == APR_SUCCESS) {
        rv = locate_config(config, o);
    }
    if (rv == APR_SUCCESS) {
        rv = load(credentials, name);
    }
    if (rv == APR_SUCCESS) {
        rv = load(config, name);
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
    source_t credentials = { 0 }, config = { 0 };
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, p);

    *pp = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    credentials.p = config.p = scratch;
    credentials.err = config.err = err;
    config.kind = PROFILE;
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
    source_t files[2] = { { .p = p }, { .p = p } };
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
    source_t none = { 0 }, config = { .kind = kind, .err = err };
    apr_status_t rv = apr_pool_create(&config.p, p);

    *pp = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = locate_config(&config, o);
    if (rv == APR_SUCCESS) {
        rv = load(&config, o->name);
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
