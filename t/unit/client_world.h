#ifndef CLIENT_WORLD_H
#define CLIENT_WORLD_H

/* A client for DynamoDB in a scripted world. */

#include <stdio.h>
#include <stdlib.h>

#include "aws/creds/ddb_creds.h"
#include "aws/ddb_client.h"
#include "world.h"

static inline ddb_client_t *world_client(world_t *w, int attempts, apr_pool_t *p)
{
    static const ddb_credentials_t fixed = { .access_key_id = "AKIDEXAMPLE", .secret_access_key = "secret" };
    ddb_creds_opts_t creds_opts = { .fixed = &fixed, .http = &w->http, .clock = &w->clock };
    ddb_client_opts_t o = { .endpoint.url = "http://localhost:8000",
                            .endpoint.host = "localhost:8000",
                            .endpoint.region = "eu-central-1",
                            .connect_timeout = apr_time_from_sec(1),
                            .max_attempts = attempts,
                            .http = &w->http,
                            .clock = &w->clock,
                            .random = world_random };
    ddb_client_t *client = NULL;

    if (ddb_creds_create(&o.creds, &creds_opts, p) != APR_SUCCESS || ddb_client_create(&client, &o, p) != APR_SUCCESS) {
        printf("Bail out! no client\n");
        exit(1);
    }
    return client;
}

#endif
