#ifndef DDB_BASE64_H
#define DDB_BASE64_H

#include <apr.h>

/* Base64 with padding, RFC 4648 section 4, as DynamoDB writes it, for payloads: APR's functions take 20 instructions a
 * byte. */

#define DDB_BASE64_LEN(bytes) (((bytes) + 2) / 3 * 4) /* characters that encode so many bytes */

/** Write DDB_BASE64_LEN(len) characters to out, and no NUL. */
void ddb_base64_encode(char *out, const void *bytes, apr_size_t len);

/**
 * Decode len characters to out, which has room for len / 4 * 3 bytes, into *bytes of them.
 * @return 0 if they are not exactly what ddb_base64_encode writes.
 */
int ddb_base64_decode(char *out, apr_size_t *bytes, const char *text, apr_size_t len);

#endif
