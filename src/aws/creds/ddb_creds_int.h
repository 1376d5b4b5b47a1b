#ifndef DDB_CREDS_INT_H
#define DDB_CREDS_INT_H

#include "aws/creds/ddb_creds.h"

/* For the rooms ddb_creds_*.c, each one provider of the chain, and their tests. */

typedef struct ddb_creds_provider_t {
    const char *name;
    /**
     * Create the state that the provider keeps between fetches, such as a token. It lives in p, one for each chain, and
     * only one fetch at a time uses it. NULL: no state.
     */
    apr_status_t (*prepare)(void **state, apr_pool_t *p);
    /**
     * Fetch credentials into p, wiped with it. state: from prepare, or NULL without state.
     * @return APR_NOTFOUND when this provider is not set up here: the chain goes on to the next.
     */
    apr_status_t (*fetch)(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err);
} ddb_creds_provider_t;

extern const ddb_creds_provider_t ddb_creds_env;
extern const ddb_creds_provider_t ddb_creds_assume_role;
extern const ddb_creds_provider_t ddb_creds_web_identity;
extern const ddb_creds_provider_t ddb_creds_sso;
extern const ddb_creds_provider_t ddb_creds_shared_file;
extern const ddb_creds_provider_t ddb_creds_config_file;
extern const ddb_creds_provider_t ddb_creds_process;
extern const ddb_creds_provider_t ddb_creds_container;
extern const ddb_creds_provider_t ddb_creds_imds;

/** Providers in their order, terminated by NULL, and their states. */
typedef struct ddb_creds_chain_t {
    const ddb_creds_provider_t *const *providers;
    void **states;                /* one for each provider; NULL: no states */
    volatile apr_uint32_t *asked; /* receives the index of the provider being asked; NULL: not wanted */
} ddb_creds_chain_t;

/** All providers. */
extern const ddb_creds_provider_t *const ddb_creds_all[];

/** Those that need only the profile, for the source of a role. */
extern const ddb_creds_provider_t *const ddb_creds_of_profile[];

/**
 * Ask the providers in turn. The first result other than APR_NOTFOUND is the answer; its characters are checked.
 * @return APR_NOTFOUND when no provider is set up, with the reasons of all of them as detail; DDB_ECONFIG; APR_EINTR
 *         when o->cancel is set; DDB_ENOCREDS for every other failure, with a detail that names the provider.
 */
apr_status_t ddb_creds_ask(const ddb_creds_chain_t *chain, const ddb_creds_opts_t *o, apr_pool_t *p,
                           ddb_credentials_t *out, ddb_error_t *err);

/** The text of a small file, len bytes and a NUL, in p and wiped with it; more than max bytes are DDB_ETOOLARGE. */
apr_status_t ddb_creds_read_file(char **text, const char *path, apr_size_t max, apr_pool_t *p);

#endif
