#ifndef DDB_CREDS_H
#define DDB_CREDS_H

#include "aws/ddb_profile.h"
#include "aws/ddb_sigv4.h"
#include "base/ddb_cancel.h"
#include "base/ddb_clock.h"
#include "base/ddb_crypto.h"
#include "base/ddb_http.h"

/** The credential provider chain and the credentials it found. */
typedef struct ddb_creds_t ddb_creds_t;

typedef struct ddb_creds_opts_t {
    const ddb_credentials_t *fixed; /* used as they are, without the chain; NULL: use the chain */
    ddb_profile_opts_t profile;
    const ddb_http_transport_t *http; /* for providers that use HTTP */
    const ddb_clock_t *clock;
    ddb_random_fn *random;               /* NULL: ddb_crypto_random */
    apr_interval_time_t process_timeout; /* of credential_process; 0: the default */
    const char *region;                  /* for STS; NULL: from environment and profile, as for any service */
    int imds_v1;                         /* 1: accept instance metadata version 1 (without a token) */
    int has_refresher;                   /* 1: only a thread that calls ddb_creds_refresh asks the providers;
                                            0: a caller that needs credentials asks, and others wait for the answer */
    ddb_cancel_t *cancel; /* ends all requests and waits; http and clock should follow it, too. NULL: never set */
} ddb_creds_opts_t;

/** o is copied, the strings in it must outlive p. Nothing is read yet. */
apr_status_t ddb_creds_create(ddb_creds_t **pc, const ddb_creds_opts_t *o, apr_pool_t *p);

/** A deadline for callers without a deadline. */
#define DDB_CREDS_FOREVER APR_INT64_MAX

/**
 * Credentials, copied into p as one snapshot and wiped with it. Thread safe. Waits only when no usable credentials are
 * cached, and for another thread's request no longer than the deadline (on the clock's monotonic time). The order of
 * the providers: environment; assume-role, web identity, SSO, credentials file, credential_process and config file, as
 * the profile says; container; instance metadata. A provider that is not set up is skipped; one that is set up and
 * fails ends the chain with its own error. Threads that waited share the answer, failures included; a failure is not
 * remembered, so the next call asks the chain again.
 * @return DDB_ENOCREDS when no provider is set up, with a detail that lists the providers; DDB_ENOCREDS or DDB_ECONFIG
 *         when a provider fails; APR_TIMEUP at the deadline, with a detail that names the provider being asked;
 *         APR_EINTR when cancelled.
 */
apr_status_t ddb_creds_get(ddb_creds_t *c, apr_time_t deadline, apr_pool_t *p, ddb_credentials_t *out,
                           ddb_error_t *err);

/**
 * The generation of the credentials that ddb_creds_get would copy now, for those who keep what they made of them.
 * @return 0 when it would have to wait or to ask. Thread safe, and does not wait.
 */
apr_uint32_t ddb_creds_generation(ddb_creds_t *c);

/**
 * The service refused the credentials with this access key ID: the cached ones are discarded, and the next
 * ddb_creds_get asks the chain. Does nothing when other credentials are cached by now, when the chain was asked only a
 * moment ago (keys that stay refused must not cause a request to the provider each time), or when they are fixed.
 */
void ddb_creds_renew(ddb_creds_t *c, const char *access_key_id);

/**
 * For a thread that calls it repeatedly, so that requests need not wait: asks the chain when a request waits, when the
 * cached credentials expire soon (15 to 10 minutes before, or a share of a short lifetime, at a different time in each
 * process), some time after a failure, or when the AWS files have changed. After a failure the cached credentials stay
 * in use.
 * *next: time until the next call, microseconds.
 * @return APR_SUCCESS also when there was nothing to do; a failure once for each time that the chain was asked, unless
 *         a waiting request got it.
 */
apr_status_t ddb_creds_refresh(ddb_creds_t *c, apr_interval_time_t *next, ddb_error_t *err);

/** Call before that thread runs: it then asks at once instead of for the first waiting request. */
void ddb_creds_ask_soon(ddb_creds_t *c);

/** 1 when usable credentials are cached. */
int ddb_creds_are_kept(ddb_creds_t *c);

/** Which provider the cached credentials came from, as a number from 1, and when they expire (wall time; 0: never),
 * even if they have. 0: none are cached. */
int ddb_creds_source(ddb_creds_t *c, apr_time_t *expires);

/** The name of the provider with this number; NULL behind the last. */
const char *ddb_creds_provider_name(int number);

/** For that thread, between two calls: wait for t, or until a request needs credentials or ddb_creds_wake is called. */
void ddb_creds_wait(ddb_creds_t *c, apr_interval_time_t t);

/** Call after the cancel is set: the thread sees it at once. Not in a signal handler. */
void ddb_creds_wake(ddb_creds_t *c);

#endif
