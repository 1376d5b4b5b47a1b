#ifndef DDB_TEXT_H
#define DDB_TEXT_H

#include <apr_pools.h>

/* Text that grows, in a pool, and what is written into it: JSON strings, numbers, base64. Time and memory are linear in
 * what is added. */

typedef struct ddb_text_t {
    char *data; /* len bytes, room for size; no NUL behind them before ddb_text_end */
    apr_size_t len, size;
    apr_pool_t *p;
} ddb_text_t;

/** An empty text in p. size: how long it will probably be; a longer one moves. */
void ddb_text_begin(ddb_text_t *t, apr_size_t size, apr_pool_t *p);

/** Add text as it is. */
void ddb_text_add(ddb_text_t *t, const char *s);
void ddb_text_add_bytes(ddb_text_t *t, const char *bytes, apr_size_t len);

/** Add a number in decimal digits. */
void ddb_text_add_number(ddb_text_t *t, apr_int64_t n);

/** Add bytes as base64 with padding (RFC 4648 section 4). Without bytes, `bytes` may be NULL. */
void ddb_text_add_base64(ddb_text_t *t, const void *bytes, apr_size_t len);

/** Add s as a JSON string, with its quotes (RFC 8259 section 7): what must be escaped is escaped, everything else stays
 * as it is. s should be UTF-8; that is not checked. */
void ddb_text_add_json(ddb_text_t *t, const char *s);

/**
 * Add the first bytes of a client's text, `most` at most and no part of a character, as a JSON string in ASCII, which
 * nothing that splits lines or shows text misreads; what is not UTF-8 becomes U+FFFD. Up to 6 * most + 2 bytes.
 */
void ddb_text_add_json_ascii(ddb_text_t *t, const char *s, apr_size_t most);

/** The text with a NUL behind it, in its pool. */
const char *ddb_text_end(ddb_text_t *t);

#endif
