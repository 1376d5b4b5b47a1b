#ifndef DDB_CREDS_H
#define DDB_CREDS_H

#include "ddb_clock.h"
#include "ddb_crypto.h"
#include "ddb_http.h"
#include "ddb_profile.h"
#include "ddb_sigv4.h"

/** The credential provider chain and what it found. */
typedef struct ddb_creds_t ddb_creds_t;

typedef struct ddb_creds_opts_t {
    const ddb_credentials_t *fixed;   /* used as they are and nothing else asked; NULL: ask the chain */
    ddb_profile_opts_t profile;
    const ddb_http_transport_t *http; /* for providers that ask over HTTP */
    const ddb_clock_t *clock;
    ddb_random_fn *random;            /* NULL: ddb_crypto_random */
    apr_interval_time_t process_timeout; /* of credential_process; 0: the usual */
    const char *region;               /* for STS; NULL: as for any service, by environment and profile */
    int imds_v1;                      /* 1: instance metadata of version 1 (without a token) will do */
} ddb_creds_opts_t;

/** o is copied, the strings in it must outlive p. Nothing is read yet. */
apr_status_t ddb_creds_create(ddb_creds_t **pc, const ddb_creds_opts_t *o, apr_pool_t *p);

/**
 * Credentials, copied into p as one snapshot and wiped with it. Thread safe; waits only when none are kept that could
 * be used. Then the providers are asked in order: environment; assume-role, web identity, SSO, credentials file,
 * credential_process and config file by the profile; container; instance metadata. One that is not set up is passed
 * over; one that is set up and fails ends the chain with its own error. A failure is the answer for all who waited for
 * it and is not remembered: the next call asks again.
 * @return DDB_ENOCREDS when none is set up, with a detail that says what was looked for; DDB_ENOCREDS or DDB_ECONFIG
 *         for one that fails.
 */
apr_status_t ddb_creds_get(ddb_creds_t *c, apr_pool_t *p, ddb_credentials_t *out, ddb_error_t *err);

/**
 * The service refused the credentials with this access key ID: what is kept is not to be used again, and the next
 * ddb_creds_get asks the chain. Does nothing when others are kept by now, when the chain was asked only a moment ago
 * (keys that are refused for good must not be asked for with each request), or when they are fixed.
 */
void ddb_creds_renew(ddb_creds_t *c, const char *access_key_id);

/**
 * For a thread that calls it again and again, so that requests need not wait: ask the chain when what is kept ends soon
 * (from 15 to 10 minutes before the end, or shares of a short life, at another time in each process), or when the AWS
 * files have changed. Nothing is done before the first ddb_creds_get. After a failure what is kept stays in use.
 * *next: when to call again, microseconds.
 * @return APR_SUCCESS also when there was nothing to do; else the failure, once for each time that the chain was asked.
 */
apr_status_t ddb_creds_refresh(ddb_creds_t *c, apr_interval_time_t *next, ddb_error_t *err);

#endif
