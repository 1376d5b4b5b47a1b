#ifndef TABLE_HTTP_H
#define TABLE_HTTP_H

#include <stddef.h>

/** Bytes that grow; data is malloc's. */
typedef struct bytes_t {
    char *data;
    size_t len, size;
} bytes_t;

/** Make room for more bytes behind len. Ends the process when there is no memory. */
void bytes_reserve(bytes_t *b, size_t more);
void bytes_add(bytes_t *b, const char *in, size_t len);
/** Drop the first bytes. */
void bytes_drop(bytes_t *b, size_t len);

/** The table, and what is counted about connections: their owner changes opened and open. Not thread safe. */
typedef struct table_http_t table_http_t;
typedef struct table_connections_t {
    unsigned long opened, open;
} table_connections_t;

/** NULL when there is no memory. */
table_http_t *table_http_create(const table_connections_t *connections);
void table_http_destroy(table_http_t *h);

/**
 * Take one request from in, which has a NUL behind its len bytes and is changed, and add the reply to out. closing is
 * set where the connection ends with that reply.
 * @return bytes taken, 0 when the request is not all there yet.
 */
size_t table_http_take(table_http_t *h, char *in, size_t len, bytes_t *out, int *closing);

#endif
