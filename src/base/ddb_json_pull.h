#ifndef DDB_JSON_PULL_H
#define DDB_JSON_PULL_H

#include <apr_pools.h>

#include "base/ddb_json.h"

/*
 * One JSON object (RFC 8259), read from front to back without a tree: the caller pulls what comes next, and skips what
 * it does not know. What the reader takes to the end, ddb_json_parse takes too, with the same values. The reverse is
 * not true: a number of more than 60 characters, a byte order mark and cJSON's own forms of numbers fail here, and
 * ddb_json_parse decides. After a failure, every call returns 0.
 */
typedef struct ddb_json_pull_t {
    const char *at, *end;
    apr_pool_t *p;
    int depth;    /* objects and arrays that are open */
    int is_first; /* nothing of the innermost one has been read */
    int failed;
} ddb_json_pull_t;

/** Part of the text that is read; a string with escapes is decoded, in the reader's pool. No NUL behind it. */
typedef struct ddb_json_string_t {
    const char *text;
    apr_size_t len;
} ddb_json_string_t;

/** Begin to read len bytes, which must stay as long as the strings. */
void ddb_json_pull_begin(ddb_json_pull_t *r, const char *in, apr_size_t len, apr_pool_t *p);

/** Enter the object that comes next. @return 0 if something else comes, which is left there. */
int ddb_json_pull_object(ddb_json_pull_t *r);

/** The name of the next member; its value must be read, entered or skipped before the next call. @return 0 after the
 * last member: the object is left. Names may repeat; ddb_json's functions find the first one. */
int ddb_json_pull_member(ddb_json_pull_t *r, ddb_json_string_t *name);

/** The string, or the number as it is written, that comes next. @return 0 if something else comes, which is left there.
 */
int ddb_json_pull_string(ddb_json_pull_t *r, ddb_json_string_t *value);
int ddb_json_pull_number(ddb_json_pull_t *r, ddb_json_string_t *value);

/** Skip the value that comes next. */
void ddb_json_pull_skip(ddb_json_pull_t *r);

/** 1 if all of the text was one object, which has been left. */
int ddb_json_pull_end(ddb_json_pull_t *r);

/** 1 if a string is this text. */
int ddb_json_string_is(const ddb_json_string_t *s, const char *text);

#endif
