#ifndef MSD_SIGNING_KEYS_H
#define MSD_SIGNING_KEYS_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/**
 * Read the signing keys to which one argument of SessionDynamoDBSidKeys or SessionDynamoDBForwardKeys refers, and
 * append them to keys (const char *, wiped when the configuration ends). file:PATH contains one key per line, oldest
 * first, and must not be readable by others or writable by group or others; exec:PATH is a program that prints one key;
 * env:NAME is an environment variable. A key as argument is refused, because mod_info and configuration dumps show
 * arguments.
 * @return NULL, or a sentence with the remedy, which never contains a key.
 */
const char *msd_signing_keys_read(cmd_parms *cmd, const char *source, apr_array_header_t *keys);

/**
 * @return NULL if the file at path may contain a secret: a regular file, not readable by others, not writable by group
 * or others. Otherwise a sentence with the remedy, in p.
 */
const char *msd_signing_keys_check_file(apr_pool_t *p, const char *path);

#endif
