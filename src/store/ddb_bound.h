#ifndef DDB_BOUND_H
#define DDB_BOUND_H

#include <apr_pools.h>

#include "base/ddb_error.h"

/*
 * What a session is bound to (OWASP Session Management Cheat Sheet, "Binding the Session ID to Other User Properties"):
 * properties of its client, as text for its row. The text answers "has the client this property still?" to the holder
 * of the session ID, and tells a reader of the table nothing: of each property it has the kind, and the first 128 bits
 * of the HMAC-SHA-256 of kind, NUL and value, with the ID (without its signature) as key.
 *
 * The text is words separated by spaces, KIND=DIGEST or KIND/SETTINGS=DIGEST. A digest made by other settings is not
 * compared.
 */

#define DDB_BOUND_DIGEST 22 /* characters of a digest: base64url (RFC 4648 section 5), no padding */

typedef enum ddb_bound_e { DDB_BOUND_AGENT, DDB_BOUND_ADDRESS, DDB_BOUND_CERTIFICATE, DDB_BOUND_KINDS } ddb_bound_e;

/** The properties of a client that count. */
typedef struct ddb_bound_t {
    const char *kind[DDB_BOUND_KINDS];  /* KIND or KIND/SETTINGS, without '=' and spaces; NULL: it does not count */
    const char *value[DDB_BOUND_KINDS]; /* any text; NULL: the client has no such property */
} ddb_bound_t;

/**
 * The text for a session with the ID sid, in p. *bound: as its row has it, or NULL; afterwards the new text, the same
 * pointer if nothing changes, NULL if it binds nothing. Words of kinds that do not count stay. is_new: 1 if the session
 * gets the ID with this write; a certificate is only bound then. Fails only if OpenSSL does.
 */
apr_status_t ddb_bound_make(const char **bound, const char *sid, const ddb_bound_t *client, int is_new, apr_pool_t *p);

/**
 * Compare, in constant time. bound: as stored; NULL, and what is not text of this room, binds nothing.
 * changed[kind]: the digest of the client's property ("" if it has none), in p, where it differs from the stored one;
 * otherwise NULL. Fails only if OpenSSL does.
 */
apr_status_t ddb_bound_compare(const char *changed[DDB_BOUND_KINDS], const char *bound, const char *sid,
                               const ddb_bound_t *client, apr_pool_t *p);

#endif
