#ifndef DDB_SUCCESSOR_H
#define DDB_SUCCESSOR_H

#include "base/ddb_crypto.h"

/*
 * The session ID that replaced another one, encrypted under that one: text in the old row that tells the new ID to a
 * client that still has the old one, and nothing to a reader of the table. Not authenticated: a changed text gives an
 * ID without a row, or none.
 */

/** Encrypt the ID `successor` under sid, into base64 text in p. random: for a nonce. Fails only if random or OpenSSL
 * does. */
apr_status_t ddb_successor_encrypt(const char **text, const char *successor, const char *sid, ddb_random_fn *random,
                                   apr_pool_t *p);

/** @return APR_SUCCESS with the ID, in p, which the caller must check (ddb_sid_check); APR_NOTFOUND for what is no text
 *         of this room; another status if OpenSSL fails. sid: with or without its signature. */
apr_status_t ddb_successor_decrypt(const char **successor, const char *text, const char *sid, apr_pool_t *p);

#endif
