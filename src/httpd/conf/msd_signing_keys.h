#ifndef MSD_SIGNING_KEYS_H
#define MSD_SIGNING_KEYS_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/**
 * Read the signing keys that one argument of SessionDynamoDBSidKeys points to and append them (const char *, wiped
 * with the configuration) to keys: file:PATH has one key a line, oldest first, and must not be readable by others nor
 * writable by group or others; exec:PATH is a program that prints one key; env:NAME is a variable. A key
 * itself is refused: mod_info and configuration dumps show arguments.
 * @return NULL, or a sentence with the remedy that never holds a key.
 */
const char *msd_signing_keys_read(cmd_parms *cmd, const char *source, apr_array_header_t *keys);

/**
 * NULL when the file at path can hold a secret: a regular file, not readable by others, not writable by group or
 * others. Else a sentence with the remedy.
 */
const char *msd_signing_keys_check_file(apr_pool_t *p, const char *path);

#endif
