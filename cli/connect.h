#ifndef CONNECT_H
#define CONNECT_H

#include "base/ddb_curl.h"
#include "store/ddb_table.h"
#include "options.h"
#include "report.h"

#define CONNECTIONS 8 /* calls at the same time, of a search */

/** What calls are made with. */
typedef struct connection_t {
    ddb_endpoint_t endpoint;
    ddb_http_transport_t http;
    ddb_curl_t *curl;
    ddb_skew_t *skew;
    ddb_creds_t *creds;
    ddb_table_t table;
} connection_t;

/**
 * Work out endpoint and region by the AWS rules and make ready to call. No call to the service is made. What fails is
 * reported.
 * @return EXIT_GOOD, or what the program ends with.
 */
exit_e connect_open(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p);

/**
 * Have credentials found, however long their provider takes: the time of a call is not for that. *provider: whose. What
 * fails is reported.
 */
exit_e connect_find_credentials(connection_t *c, const char **provider, report_t *r, apr_pool_t *p);

void connect_close(connection_t *c);

#endif
