#ifndef MSD_WARM_CONNECTIONS_H
#define MSD_WARM_CONNECTIONS_H

#include <httpd.h>

#include "base/ddb_curl.h"
#include "httpd/conf/msd_config.h"

/*
 * Connections that a child process opens at its start, in the background, so that its first requests need not wait for
 * them: SessionDynamoDBWarmConnections.
 */
typedef struct msd_warm_connections_t {
    ddb_curl_t *curl;
    ddb_cancel_t *cancel;            /* ends it */
    const msd_server_config_t *conf; /* how many, and where to */
    const server_rec *server;        /* for the log */
} msd_warm_connections_t;

/** A job for msd_credentials_refresh_first; baton is a msd_warm_connections_t. Says in the log what came of it. */
void msd_warm_connections_open(void *baton);

#endif
