/* Keys of the site, from files and the environment: as httpd reads them, one a line. */

#include <string.h>

#include <apr_env.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/ddb_crypto.h"
#include "keys.h"

#define KEY_MAX 1024 /* bytes of a line, including its end */

/* Reading under way. */
typedef struct reading_t {
    apr_array_header_t *keys;
    const char *option, *word;
    apr_size_t least;
    apr_pool_t *p;
} reading_t;

static const char *check_file(const reading_t *r, const char *path)
{
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE | APR_FINFO_PROT, r->p);

    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        return apr_psprintf(r->p, "--%s: can't read %s: %pm", r->option, path, &rv);
    }
    if (info.filetype != APR_REG) {
        return apr_psprintf(r->p, "--%s: %s is not a regular file", r->option, path);
    }
    return info.protection & (APR_FPROT_WREAD | APR_FPROT_WWRITE | APR_FPROT_GWRITE)
               ? apr_psprintf(r->p,
                              "--%s: %s contains secrets, but others can read it, or its group or others can write to "
                              "it: chmod 0600 or 0640 it",
                              r->option, path)
               : NULL;
}

static const char *add_key(const reading_t *r, const char *key)
{
    APR_ARRAY_PUSH(r->keys, const char *) = ddb_crypto_secret_dup(r->p, key);
    return strlen(key) >= r->least
               ? NULL
               : apr_psprintf(r->p, "--%s: key %d is shorter than %d characters: it is none of httpd's", r->option,
                              r->keys->nelts, (int)r->least);
}

/* Cut at both ends, as httpd does with lines of its files. */
static char *trim(char *line)
{
    char *end = line + strlen(line);

    while (end > line && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    while (apr_isspace(*line)) {
        line++;
    }
    return line;
}

static const char *read_lines(const reading_t *r, apr_file_t *file, const char *path)
{
    const char *problem = NULL;
    char line[KEY_MAX];
    int before = r->keys->nelts;

    while (!problem && apr_file_gets(line, sizeof(line), file) == APR_SUCCESS) {
        char *key = trim(line);

        problem = strlen(line) == sizeof(line) - 1
                      ? apr_psprintf(r->p, "--%s: a line of %s is longer than %d bytes", r->option, path, KEY_MAX - 2)
                  : *key ? add_key(r, key)
                         : NULL;
    }
    ddb_crypto_wipe(line, sizeof(line));
    return problem || r->keys->nelts > before ? problem
                                              : apr_psprintf(r->p, "--%s: %s contains no key", r->option, path);
}

static const char *read_file(const reading_t *r, const char *path)
{
    const char *problem = check_file(r, path);
    apr_file_t *file;
    apr_status_t rv;

    if (problem) {
        return problem;
    }
    rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, r->p);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(r->p, "--%s: can't read %s: %pm", r->option, path, &rv);
    }
    problem = read_lines(r, file, path);
    apr_file_close(file);
    return problem;
}

static const char *read_source(const reading_t *r, const char *source)
{
    char *value = NULL;

    if (strncasecmp(source, "file:", 5) == 0) {
        return read_file(r, source + 5);
    }
    if (strncasecmp(source, "env:", 4) == 0) {
        return apr_env_get(&value, source + 4, r->p) == APR_SUCCESS && *value
                   ? add_key(r, value)
                   : apr_psprintf(r->p, "--%s: the environment variable %s is not set", r->option, source + 4);
    }
    /* Do not repeat the argument: it may be a key. */
    return apr_psprintf(r->p, "--%s: write file:PATH or env:NAME%s%s: a key itself must not appear on a command line",
                        r->option, r->word ? ", or " : "", r->word ? r->word : "");
}

apr_array_header_t *keys_read(const apr_array_header_t *sources, const char *option, const char *word, apr_size_t least,
                              const char **problem, apr_pool_t *p)
{
    reading_t r = {
        .keys = apr_array_make(p, 4, sizeof(const char *)), .option = option, .word = word, .least = least, .p = p
    };
    int i;

    *problem = NULL;
    for (i = 0; i < sources->nelts && !*problem; i++) {
        const char *source = APR_ARRAY_IDX(sources, i, const char *);

        if (word && strcasecmp(source, word) == 0) {
            APR_ARRAY_PUSH(r.keys, const char *) = word;
        }
        else {
            *problem = read_source(&r, source);
        }
    }
    return *problem ? NULL : r.keys;
}
