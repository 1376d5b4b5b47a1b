#ifndef DDB_JSON_H
#define DDB_JSON_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "base/ddb_error.h"

/* The only room that knows cJSON. A ddb_json_t is one JSON value; values of a tree live as long as its pool. */
typedef struct ddb_json_t ddb_json_t;

#define DDB_JSON_DEPTH_MAX 32 /* DynamoDB's own nesting limit */

/**
 * Whole input or nothing; the tree is freed with p.
 * @return DDB_EBADREPLY if it is no JSON object, has bytes behind it, nests deeper than DDB_JSON_DEPTH_MAX, holds the
 *         escape for the NUL character (cJSON would cut the string there) or is not valid UTF-8.
 */
apr_status_t ddb_json_parse(ddb_json_t **pj, const char *in, apr_size_t len, apr_pool_t *p);

/** The same for text with secrets: no copy of it is left when p is cleared. */
apr_status_t ddb_json_parse_secret(ddb_json_t **pj, const char *in, apr_size_t len, apr_pool_t *p);

/** An empty object, freed with p. */
ddb_json_t *ddb_json_object(apr_pool_t *p);

/** Member of an object by its exact name. NULL when obj is NULL, or the member is missing or has another type. */
const char *ddb_json_str(const ddb_json_t *obj, const char *name);
const ddb_json_t *ddb_json_child(const ddb_json_t *obj, const char *name);

/** The object at place i (from 0) of the array that is the member, counted from the first; NULL when there is none.
 * ddb_json_next is for all of them. */
const ddb_json_t *ddb_json_item(const ddb_json_t *obj, const char *name, int i);

/** The number of elements of the array that is the member, whatever they are; -1 when it is no array. */
int ddb_json_length(const ddb_json_t *obj, const char *name);

/** The object that follows one in an array; NULL after the last, or when the next element is not an object. */
const ddb_json_t *ddb_json_next(const ddb_json_t *item);

/** 1 when the member is a whole number that a double holds exactly, which is then in *value. */
int ddb_json_int(const ddb_json_t *obj, const char *name, apr_int64_t *value);

/** 1 when the member is a non-negative multiple of 0.5; *halves is then that multiple. */
int ddb_json_halves(const ddb_json_t *obj, const char *name, apr_int64_t *halves);

/** 1 when the member is true. */
int ddb_json_true(const ddb_json_t *obj, const char *name);

/** 1 when the object has a member of that name, whatever its type. */
int ddb_json_has(const ddb_json_t *obj, const char *name);

/** Add a member to an object; name and value are copied. The value must be UTF-8. */
void ddb_json_set_str(ddb_json_t *obj, const char *name, const char *value);
void ddb_json_set_bool(ddb_json_t *obj, const char *name, int value);
void ddb_json_set_number(ddb_json_t *obj, const char *name, double value);

/** The object that is the member; the first call makes it. */
ddb_json_t *ddb_json_set_object(ddb_json_t *obj, const char *name);

/** A new object, or string, at the end of the array that is the member; the first makes the array. */
ddb_json_t *ddb_json_add_object(ddb_json_t *obj, const char *name);
void ddb_json_add_str(ddb_json_t *obj, const char *name, const char *value);

/** Compact JSON text, in p. */
const char *ddb_json_print(const ddb_json_t *obj, apr_pool_t *p);

/** The same on several lines, for people. */
const char *ddb_json_print_lines(const ddb_json_t *obj, apr_pool_t *p);

/*
 * Objects that are kept as text, because what is not changed has to stay as it was written: a number as it passes
 * through cJSON is a double.
 */

#define DDB_JSON_TEXT_DEPTH_MAX 200 /* threads of a server have small stacks; Python's json writes about a thousand */

/** A member as it is written; both in the pool of the call. */
typedef struct ddb_json_member_t {
    const char *name; /* with its quotes */
    const char *value;
} ddb_json_member_t;

/**
 * The members (ddb_json_member_t) of the one object that text is, in order; names may repeat. Reads what Python's json
 * writes: also NaN, Infinity and -Infinity, and escapes of lone surrogates. text must be UTF-8.
 * @return DDB_EBADITEM if it is no object, or nests deeper than DDB_JSON_TEXT_DEPTH_MAX.
 */
apr_status_t ddb_json_members(apr_array_header_t **members, const char *text, apr_pool_t *p);

/** What a JSON string, as written, says, in p; NULL for a lone surrogate or a NUL in it, or if it is no string. */
const char *ddb_json_unquote(const char *written, apr_pool_t *p);

/** The text as a JSON string, in p; NULL if it is not UTF-8. */
const char *ddb_json_quote(const char *text, apr_pool_t *p);

#endif
