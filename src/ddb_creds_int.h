#ifndef DDB_CREDS_INT_H
#define DDB_CREDS_INT_H

#include "ddb_creds.h"

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
extern const ddb_creds_provider_t ddb_creds_profile;
extern const ddb_creds_provider_t ddb_creds_process;
extern const ddb_creds_provider_t ddb_creds_container;
extern const ddb_creds_provider_t ddb_creds_imds;

#endif
