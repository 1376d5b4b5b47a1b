#ifndef TABLE_API_H
#define TABLE_API_H

#include <stddef.h>
#include <stdint.h>

/** The tables: every table name exists and has the key `id` of type S. Not thread safe. */
typedef struct table_t table_t;

/** NULL when there is no memory. */
table_t *table_create(void);
void table_destroy(table_t *t);

/** An answer. body is valid until the next call; its CRC-32 is what x-amz-crc32 carries. */
typedef struct table_reply_t {
    int status;
    const char *body;
    size_t len;
    uint32_t crc;
} table_reply_t;

/**
 * Carry out one API call, given by the operation of X-Amz-Target and the JSON body (NUL behind it). What is not
 * understood is answered with ValidationException, never with success.
 */
void table_call(table_t *t, const char *operation, const char *body, table_reply_t *reply);

/** What was carried out since the start, by operation; unknown ones are counted as "other". */
typedef struct table_counts_t {
    unsigned long get, put, update, remove, query, other;
    unsigned long conflicts; /* of these, how many were answered with ConditionalCheckFailedException */
} table_counts_t;

void table_counts(const table_t *t, table_counts_t *out);

/** An answer of this type, such as "com.amazonaws.dynamodb.v20120810#ValidationException", status 400. */
void table_refuse(table_t *t, table_reply_t *reply, const char *type, const char *message);

#endif
