#ifndef DDB_CREDS_H
#define DDB_CREDS_H

#include "aws/ddb_profile.h"
#include "aws/ddb_sigv4.h"
#include "base/ddb_cancel.h"
#include "base/ddb_clock.h"
#include "base/ddb_crypto.h"
#include "base/ddb_http.h"

/** The credential provider chain and what it found. */
typedef struct ddb_creds_t ddb_creds_t;

typedef struct ddb_creds_opts_t {
    const ddb_credentials_t *fixed; /* used as they are and nothing else asked; NULL: ask the chain */
    ddb_profile_opts_t profile;
    const ddb_http_transport_t *http; /* for providers that ask over HTTP */
    const ddb_clock_t *clock;
    ddb_random_fn *random;               /* NULL: ddb_crypto_random */
    apr_interval_time_t process_timeout; /* of credential_process; 0: the usual */
    const char *region;                  /* for STS; NULL: as for any service, by environment and profile */
    int imds_v1;                         /* 1: instance metadata of version 1 (without a token) will do */
    int has_refresher;                   /* 1: a thread calls ddb_creds_refresh, and nobody else asks the providers;
                                         0: who needs credentials asks, while others wait for the answer */
    ddb_cancel_t *cancel; /* ends all asking and waiting; http and clock should go by it too. NULL: none */
} ddb_creds_opts_t;

/** o is copied, the strings in it must outlive p. Nothing is read yet. */
apr_status_t ddb_creds_create(ddb_creds_t **pc, const ddb_creds_opts_t *o, apr_pool_t *p);

/** A deadline for who has none. */
#define DDB_CREDS_FOREVER APR_INT64_MAX

/**
 * Credentials, copied into p as one snapshot and wiped with it. Thread safe; waits only when none are kept that could
 * be used, and not beyond the deadline (on the clock's monotonic time) for somebody else's asking. The providers are
 * asked in order: environment; assume-role, web identity, SSO, credentials file, credential_process and config file by
 * the profile; container; instance metadata. One that is not set up is passed over; one that is set up and fails ends
 * the chain with its own error. A failure is the answer for all who waited for it and is not remembered: the next call
 * has the chain asked again.
 * @return DDB_ENOCREDS when none is set up, with a detail that says what was looked for; DDB_ENOCREDS or DDB_ECONFIG
 *         for one that fails; APR_TIMEUP at the deadline, with a detail that names the provider which is being asked;
 *         APR_EINTR when cancelled.
 */
apr_status_t ddb_creds_get(ddb_creds_t *c, apr_time_t deadline, apr_pool_t *p, ddb_credentials_t *out,
                           ddb_error_t *err);

/**
 * The service refused the credentials with this access key ID: what is kept is not to be used again, and the next
 * ddb_creds_get asks the chain. Does nothing when others are kept by now, when the chain was asked only a moment ago
 * (keys that are refused for good must not be asked for with each request), or when they are fixed.
 */
void ddb_creds_renew(ddb_creds_t *c, const char *access_key_id);

/**
 * For a thread that calls it again and again, so that requests need not wait: ask the chain when somebody waits, when
 * what is kept ends soon (from 15 to 10 minutes before the end, or shares of a short life, at another time in each
 * process), again some time after a failure, or when the AWS files have changed. After a failure what is kept stays in
 * use.
 * *next: when to call again, microseconds.
 * @return APR_SUCCESS also when there was nothing to do; else the failure, once for each time that the chain was asked,
 *         unless somebody waited and was told.
 */
apr_status_t ddb_creds_refresh(ddb_creds_t *c, apr_interval_time_t *next, ddb_error_t *err);

/** Before that thread runs: have it ask at once, and not only when the first request waits. */
void ddb_creds_ask_soon(ddb_creds_t *c);

/** 1 when some are kept that could be used. */
int ddb_creds_are_kept(ddb_creds_t *c);

/** For that thread, between two calls: wait so long, or till somebody needs credentials or ddb_creds_wake is called. */
void ddb_creds_wait(ddb_creds_t *c, apr_interval_time_t t);

/** After the cancel is set: let the thread see it at once. Not in a signal handler. */
void ddb_creds_wake(ddb_creds_t *c);

#endif
