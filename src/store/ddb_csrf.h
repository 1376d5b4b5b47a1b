#ifndef DDB_CSRF_H
#define DDB_CSRF_H

#include "base/ddb_crypto.h"

/*
 * Anti-forgery tokens of a session (OWASP CSRF Prevention Cheat Sheet, "Synchronizer token pattern"): text that a page
 * of the session carries and another site's page cannot know.
 *
 * Behind all tokens of a session is one secret of 32 bytes, the HMAC-SHA-256 of a fixed label with the session ID
 * (without its signature) as key. So a login, which gives the session a new ID, makes all earlier tokens invalid, and
 * nothing is stored. Where an ID is replaced only because of its age, pages that are open must stay valid: the row of
 * the new ID then holds the secret, encrypted under that ID. Nobody but the holder of the ID can read it there.
 *
 * A token is base64url (RFC 4648 section 5, no padding) of 32 random bytes and the secret XOR these bytes: other text
 * on each page, so that the length of compressed responses tells nothing of the secret (BREACH).
 */

#define DDB_CSRF_LEN 86 /* characters of a token */

/**
 * A token of the session with this ID, in p. key: as its row has it; NULL, and what is not text of this room: the
 * secret is that of the ID. Fails only if random or OpenSSL does.
 */
apr_status_t ddb_csrf_make(const char **token, const char *sid, const char *key, ddb_random_fn *random, apr_pool_t *p);

/** Compare, in constant time. token: any text; NULL is no token. @return APR_SUCCESS; APR_NOTFOUND for what is no token
 * of this session; another status if OpenSSL fails. */
apr_status_t ddb_csrf_check(const char *token, const char *sid, const char *key);

/** The session moves from one ID to another, and its tokens stay valid: *key, as for make, becomes base64 in p, to be
 * stored with the new ID. Fails only if OpenSSL does. */
apr_status_t ddb_csrf_move(const char **key, const char *from, const char *to, apr_pool_t *p);

#endif
