#ifndef DDB_ARRAY_H
#define DDB_ARRAY_H

#include <apr_tables.h>

/** The number of elements of an array, which is not a pointer: sizeof could not tell. */
#define DDB_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/** 1 when one of the strings (const char *) is this text. */
int ddb_array_holds(const apr_array_header_t *strings, const char *text);

#endif
