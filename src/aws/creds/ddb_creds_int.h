#ifndef DDB_CREDS_INT_H
#define DDB_CREDS_INT_H

#include "aws/creds/ddb_creds.h"

/* For the rooms ddb_creds_*.c, each one provider of the chain, and their tests. */

typedef struct ddb_creds_provider_t {
    const char *name;
    /**
     * Make what the provider keeps between fetches, such as a token. It lives in p, one for each chain, and is used by
     * one fetch at a time. NULL: it keeps nothing.
     */
    apr_status_t (*prepare)(void **state, apr_pool_t *p);
    /**
     * Fetch credentials into p, wiped with it. state: as prepared, or NULL to keep nothing.
     * @return APR_NOTFOUND when this provider is not set up here: the next is asked.
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

/** Providers in the order of asking, NULL behind the last, and what each keeps. */
typedef struct ddb_creds_chain_t {
    const ddb_creds_provider_t *const *providers;
    void **states;                /* as many; NULL: they keep nothing */
    volatile apr_uint32_t *asked; /* where the number of the one that is being asked is put; NULL: nowhere */
} ddb_creds_chain_t;

/** All there are. */
extern const ddb_creds_provider_t *const ddb_creds_all[];

/** Those that go by the profile alone, for the source of a role. */
extern const ddb_creds_provider_t *const ddb_creds_of_profile[];

/**
 * Ask one after the other. The first that is not APR_NOTFOUND is the answer, its characters checked.
 * @return APR_NOTFOUND when none is set up, with the notes of all of them as detail; DDB_ECONFIG; APR_EINTR when
 *         o->cancel is set; DDB_ENOCREDS for every other failure, with a detail that says whose.
 */
apr_status_t ddb_creds_ask(const ddb_creds_chain_t *chain, const ddb_creds_opts_t *o, apr_pool_t *p,
                           ddb_credentials_t *out, ddb_error_t *err);

/** The text of a small file, len bytes and a NUL, in p and wiped with it; more than max bytes are DDB_ETOOLARGE. */
apr_status_t ddb_creds_read_file(char **text, const char *path, apr_size_t max, apr_pool_t *p);

#endif
