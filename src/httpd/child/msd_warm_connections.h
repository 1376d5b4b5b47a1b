#ifndef MSD_WARM_CONNECTIONS_H
#define MSD_WARM_CONNECTIONS_H

#include <httpd.h>

#include "base/ddb_curl.h"
#include "httpd/conf/msd_config.h"

/*
 * SessionDynamoDBWarmConnections: connections that a child process opens in the background when it starts, so that its
 * first requests do not wait for them.
 */
typedef struct msd_warm_connections_t {
    ddb_curl_t *curl;
    ddb_cancel_t *cancel;            /* cancels the job */
    const msd_server_config_t *conf; /* the number of connections, and the endpoint */
    const server_rec *server;        /* for the log */
} msd_warm_connections_t;

/** A job for msd_credentials_refresh_first; baton is an msd_warm_connections_t. Logs the result. */
void msd_warm_connections_open(void *baton);

#endif
