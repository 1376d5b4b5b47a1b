#ifndef CREDS_WORLD_H
#define CREDS_WORLD_H

/* One credential provider in a scripted world: what it is given, what it found or said. */

#include <apr_general.h>

#include "aws_files.h"
#include "aws/creds/ddb_creds_int.h"
#include "tap.h"
#include "world.h"

static apr_pool_t *pool;
static world_t *w;
static ddb_creds_opts_t opts;
static ddb_credentials_t found;
static ddb_error_t err;

static inline apr_status_t world_zeros(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_SUCCESS;
}

static inline void reset(void)
{
    aws_reset(pool);
    apr_env_delete("AWS_EC2_METADATA_DISABLED", pool);
    w = world_create(pool);
    opts = (ddb_creds_opts_t){ .http = &w->http, .clock = &w->clock, .random = world_zeros };
}

static inline apr_status_t fetch_with(const ddb_creds_provider_t *provider, void *state)
{
    memset(&found, 0, sizeof(found));
    memset(&err, 0, sizeof(err));
    return provider->fetch(&opts, state, pool, &found, &err);
}

#endif
