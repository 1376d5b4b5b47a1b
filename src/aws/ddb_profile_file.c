/* One of the AWS shared files: its place, reading it, the section of a profile in it, and the access allowed to one
 * with a secret key. */

#include <string.h>

#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_user.h>

#include "aws/ddb_profile_int.h"
#include "base/ddb_crypto.h"

#define MAX_FILE_BYTES (1024 * 1024)

/* NULL for an unknown user; "" is the user that this process runs as. */
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

apr_status_t ddb_profile_file_locate(ddb_profile_file_t *file, const char *option, const char *variable,
                                     const char *fallback)
{
    const char *path = option ? option : ddb_profile_env(variable);

    file->named = path != NULL;
    file->path = ddb_profile_expand_home(path ? path : fallback, file->p);
    if (!file->path && file->named) {
        return ddb_error_set(file->err, DDB_ECONFIG, "%s: no such home directory; write the full path", path);
    }
    return APR_SUCCESS;
}

static apr_status_t refuse_file(const ddb_profile_file_t *file, const char *what, apr_status_t rv)
{
    char buf[80];

    return ddb_error_set(file->err, DDB_ECONFIG,
                         "%s: %s: %s; give the user that httpd runs as access, or name another file", file->path, what,
                         apr_strerror(rv, buf, sizeof(buf)));
}

/* @return APR_NOTFOUND when there is nothing to read, which is fine. */
static apr_status_t look(const ddb_profile_file_t *file)
{
    apr_finfo_t info;
    apr_status_t rv;

    if (!file->path) {
        return APR_NOTFOUND;
    }
    rv = apr_stat(&info, file->path, APR_FINFO_TYPE, file->p);
    if (rv != APR_SUCCESS) {
        /* A server started by root inherits root's HOME, where its children may not even look. */
        return !file->named && (APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ENOTDIR(rv) || APR_STATUS_IS_EACCES(rv))
                   ? APR_NOTFOUND
                   : refuse_file(file, "not found", rv);
    }
    if (info.filetype == APR_CHR) {
        /* /dev/null is how the AWS tools are told to read no file. */
        return APR_NOTFOUND;
    }
    /* Opening a FIFO could block. */
    return info.filetype == APR_REG ? APR_SUCCESS
                                    : ddb_error_set(file->err, DDB_ECONFIG, "%s: not a regular file", file->path);
}

static apr_status_t wipe_text(void *data)
{
    ddb_profile_file_t *file = data;

    ddb_crypto_wipe(file->text, file->len);
    return APR_SUCCESS;
}

static apr_status_t read_text(ddb_profile_file_t *file, apr_file_t *opened)
{
    apr_finfo_t info;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_PROT, opened);

    if (rv != APR_SUCCESS) {
        return refuse_file(file, "not readable", rv);
    }
    if (info.size > MAX_FILE_BYTES) {
        return ddb_error_set(file->err, DDB_ECONFIG, "%s: larger than 1 MiB, too large for a profile file", file->path);
    }
    file->mode = info.protection;
    file->len = (apr_size_t)info.size;
    file->text = apr_pcalloc(file->p, file->len + 1);
    apr_pool_cleanup_register(file->p, file, wipe_text, apr_pool_cleanup_null);
    rv = apr_file_read_full(opened, file->text, file->len, &file->len);
    file->text[file->len] = '\0';
    /* The end comes early when the file was cut since its size was asked. */
    return rv == APR_SUCCESS || APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : refuse_file(file, "not readable", rv);
}

static apr_status_t parse_text(ddb_profile_file_t *file)
{
    apr_status_t rv = ddb_ini_parse(&file->ini, file->text, file->len, file->p);

    return rv == APR_SUCCESS ? rv
                             : ddb_error_set(file->err, rv, "%s:%d: %s", file->path, file->ini.line, file->ini.wrong);
}

static apr_status_t read_file(ddb_profile_file_t *file)
{
    apr_file_t *opened;
    apr_status_t rv = look(file);

    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    /* Unbuffered: APR's buffer would keep a copy of the secrets. */
    rv = apr_file_open(&opened, file->path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, file->p);
    if (rv != APR_SUCCESS) {
        return refuse_file(file, "not readable", rv);
    }
    rv = read_text(file, opened);
    apr_file_close(opened);
    return rv == APR_SUCCESS ? parse_text(file) : rv;
}

/* --- its section --- */

static int is_section(const ddb_profile_file_t *file, const char *section, const char *name)
{
    char **words;

    if (strcmp(section, DDB_INI_DEFAULTS) == 0) {
        return 0;
    }
    if (!file->kind || (strcmp(file->kind, DDB_PROFILE_KIND) == 0 && strcmp(section, "default") == 0)) {
        return strcmp(section, name) == 0;
    }
    /* The shell's quotes are allowed around a name with spaces. */
    return strncmp(section, file->kind, strlen(file->kind)) == 0
           && apr_tokenize_to_argv(section, &words, file->p) == APR_SUCCESS && words[0]
           && strcmp(words[0], file->kind) == 0 && words[1] && strcmp(words[1], name) == 0 && !words[2];
}

/* If two sections are the same profile, such as [default] and [profile default], the later one counts. */
static void find_section(ddb_profile_file_t *file, const char *name)
{
    apr_hash_t *values = NULL, *defaults;
    int i;

    for (i = 0; file->ini.names && i < file->ini.names->nelts; i++) {
        const char *section = APR_ARRAY_IDX(file->ini.names, i, const char *);

        if (is_section(file, section, name)) {
            values = apr_hash_get(file->ini.sections, section, APR_HASH_KEY_STRING);
        }
    }
    if (values) {
        defaults = apr_hash_get(file->ini.sections, DDB_INI_DEFAULTS, APR_HASH_KEY_STRING);
        values = defaults ? apr_hash_overlay(file->p, values, defaults) : values;
    }
    file->found = values;
}

static apr_status_t check_access(const ddb_profile_file_t *file)
{
    int is_program = ddb_ini_value(file->found, "credential_process") != NULL;
    int is_secret = ddb_ini_value(file->found, "aws_secret_access_key") != NULL;

    /* Anyone who can write a program's name there can run anything as httpd's user. */
    if (!(is_secret && file->mode & APR_FPROT_WREAD)
        && !((is_secret || is_program) && file->mode & (APR_FPROT_GWRITE | APR_FPROT_WWRITE))) {
        return APR_SUCCESS;
    }
    /* APR gives each of user, group and others four bits, chmod has three. */
    return ddb_error_set(file->err, DDB_ECONFIG, "%s has mode %04o and %s %s", file->path,
                         (unsigned)((file->mode >> 2 & 0700) | (file->mode >> 1 & 0070) | (file->mode & 0007)),
                         is_secret ? "holds a secret key; run: chmod g-w,o-rwx"
                                   : "names a program to run; run: chmod g-w,o-w",
                         file->path);
}

apr_status_t ddb_profile_file_load(ddb_profile_file_t *file, const char *name)
{
    apr_status_t rv = read_file(file);

    if (rv == APR_SUCCESS) {
        find_section(file, name);
        rv = check_access(file);
    }
    return rv;
}
