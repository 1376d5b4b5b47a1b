#ifndef DDB_PROFILE_INT_H
#define DDB_PROFILE_INT_H

#include <apr_file_info.h>
#include <apr_hash.h>

#include "aws/ddb_ini.h"
#include "aws/ddb_profile.h"

/* Between the files of ddb_profile. */

#define DDB_PROFILE_KIND "profile" /* the config file puts it before a name; the credentials file has names alone */

/** One of the two files. Its text is wiped with the pool. */
typedef struct ddb_profile_file_t {
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
} ddb_profile_file_t;

/**
 * Set path: option, the environment variable or fallback, whichever is set first.
 * @return DDB_ECONFIG when one of the first two lies in a home directory that is unknown.
 */
apr_status_t ddb_profile_file_locate(ddb_profile_file_t *file, const char *option, const char *variable,
                                     const char *fallback);

/**
 * Read the file that was located, if there is one, and find the section called name in it.
 * @return DDB_ECONFIG when it can't be read or parsed, is too large, or has unsafe permissions.
 */
apr_status_t ddb_profile_file_load(ddb_profile_file_t *file, const char *name);

#endif
