#ifndef DDB_DEVICE_H
#define DDB_DEVICE_H

#include "base/ddb_crypto.h"

/*
 * The binding of a session to a device (Device Bound Session Credentials, W3C draft): its browser has a key that does
 * not leave the device, proves that again and again, and gets a cookie of short life for each proof.
 *
 * Behind all texts of this room is one secret of the session's row: challenges, cookies and identifiers are
 * HMAC-SHA-256 with it as key, cut to 128 bits (RFC 2104 section 5), each under a label of its own, and cannot be made
 * for another row. Times are epoch seconds. Every function is thread safe; results are in p.
 */

#define DDB_DEVICE_SECRET_LEN 24 /* base64 of 16 bytes, as the row has it */

/**
 * Seconds for which a cookie is accepted beyond its lifetime: the browser counts from when it came, and what it sends
 * with it needs time, too. DDB_DEVICE_SLACK at most, a quarter of the lifetime at most.
 */
#define DDB_DEVICE_SLACK 30

/** Seconds after a registration in which requests without the cookie are accepted: those that the browser sent before
 * it had one. */
#define DDB_DEVICE_UNDER_WAY 10

/** A secret for a row. Fails only if random does. */
apr_status_t ddb_device_secret(const char **secret, ddb_random_fn *random, apr_pool_t *p);

/*
 * secret: as the row has it. The following return APR_NOTFOUND for other text than a secret, and APR_EGENERAL if
 * OpenSSL fails.
 */

/** The identifier by which a browser knows the binding: the same as long as the secret is. */
apr_status_t ddb_device_id(const char **id, const char *secret, apr_pool_t *p);

/** The challenge of a registration, by which the row is found: key is its table key. */
apr_status_t ddb_device_invite(const char **challenge, const char *secret, const char *key, apr_int64_t now,
                               apr_pool_t *p);

/** The table key in the challenge of a registration; NULL if it is none. Nothing is verified. */
const char *ddb_device_invited(const char *challenge, apr_pool_t *p);

/** @return APR_SUCCESS if invite made the challenge, at most age seconds ago, for this row; else APR_NOTFOUND. */
apr_status_t ddb_device_check_invite(const char *challenge, const char *secret, apr_int64_t now, apr_int64_t age);

/** The challenge of a refresh: another one each time. Fails also if random does. */
apr_status_t ddb_device_challenge(const char **challenge, const char *secret, apr_int64_t now, ddb_random_fn *random,
                                  apr_pool_t *p);
apr_status_t ddb_device_check_challenge(const char *challenge, const char *secret, apr_int64_t now, apr_int64_t age);

/** The value of the cookie for this lifetime from now. */
apr_status_t ddb_device_cookie(const char **value, const char *secret, apr_int64_t now, apr_int64_t lifetime,
                               apr_pool_t *p);

/** @return APR_SUCCESS if the cookie was made with this secret, and counts at now; else APR_NOTFOUND. Constant time
 * where it matters. */
apr_status_t ddb_device_check_cookie(const char *value, const char *secret, apr_int64_t now);

#endif
