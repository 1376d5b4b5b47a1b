#ifndef DDB_INI_H
#define DDB_INI_H

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>

#include "base/ddb_error.h"

/**
 * The INI dialect of the AWS shared files, as botocore reads it (the rules of Python's RawConfigParser): [section],
 * "key = value" or "key: value", whole-line comments with # or ;, keys in any case, and lines that are indented deeper
 * than their key continue its value.
 */
typedef struct ddb_ini_t {
    apr_hash_t *sections;      /* name -> apr_hash_t of lower case key -> value; nested maps are values with newlines */
    apr_array_header_t *names; /* const char *, of the sections in the order of the text */
    int line;                  /* on failure: where, 0 for the text as a whole */
    const char *wrong;         /* on failure: a sentence that shows nothing of the text */
} ddb_ini_t;

/** Python's name for a section whose values apply to all others. */
#define DDB_INI_DEFAULTS "DEFAULT"

/**
 * Parse text, len bytes and a NUL after them. It is modified in place, and *ini points into it; tables live in p.
 * @return DDB_ECONFIG for any other line, a duplicate section or key, a line over 16 KiB, and NUL bytes.
 */
apr_status_t ddb_ini_parse(ddb_ini_t *ini, char *text, apr_size_t len, apr_pool_t *p);

/** A value by section's table (NULL allowed) and key; NULL when missing or empty. */
const char *ddb_ini_value(apr_hash_t *section, const char *key);

#endif
