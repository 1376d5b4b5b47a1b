#ifndef CONNECT_H
#define CONNECT_H

#include "base/ddb_curl.h"
#include "store/ddb_table.h"
#include "options.h"
#include "report.h"

#define CONNECTIONS 8 /* calls at the same time, of a search */

/** The objects that calls need. */
typedef struct connection_t {
    ddb_endpoint_t endpoint;
    ddb_http_transport_t http;
    ddb_curl_t *curl;
    ddb_skew_t *skew;
    ddb_creds_t *creds;
    ddb_table_t table;
    ddb_client_opts_t client; /* of table's client */
} connection_t;

/**
 * Find endpoint and region by the AWS rules and prepare for calls. Makes no call to the service. Failures are reported.
 * @return EXIT_GOOD, or the exit status of the program.
 */
exit_e connect_open(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);

/**
 * Fetch credentials, however long the provider takes: this does not count against the time of a call. *provider: its
 * name. Failures are reported.
 */
exit_e connect_find_credentials(connection_t *c, const char **provider, report_t *r, apr_pool_t *p);

void connect_close(connection_t *c);

#endif
