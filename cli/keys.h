#ifndef KEYS_H
#define KEYS_H

#include <apr_tables.h>

/**
 * The keys (const char *, wiped with p) in sources, oldest first: file:PATH has one a line and must not be readable by
 * others; env:NAME is an environment variable. word: taken as it is, in the place of a source; NULL: none is. least:
 * characters of a key. option: names the sources in *problem, which is a sentence with the remedy, and never holds a
 * key. @return NULL with a problem.
 */
apr_array_header_t *keys_read(const apr_array_header_t *sources, const char *option, const char *word, apr_size_t least,
                              const char **problem, apr_pool_t *p);

#endif
