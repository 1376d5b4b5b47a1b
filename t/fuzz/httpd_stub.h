#ifndef HTTPD_STUB_H
#define HTTPD_STUB_H

#include <httpd.h>

/* The places of the two modules in vectors of settings. */
#define STUB_OURS    0
#define STUB_SESSION 1
#define STUB_MODULES 2

/** A request with empty tables and empty vectors of settings. */
request_rec *stub_request(apr_pool_t *p);

#endif
