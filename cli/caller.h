#ifndef CALLER_H
#define CALLER_H

#include "connect.h"

/**
 * Add a finding that tells whose credentials are in use, as STS knows them, or why that is unknown. STS is asked where
 * the environment or the profile names its endpoint, or the table is at one of AWS's own hosts: the keys of a local
 * service are not shown to AWS. Takes five seconds at most.
 */
void caller_find(apr_array_header_t *findings, const connection_t *c, const options_t *o, apr_pool_t *p);

/** The same for callers with other words. *arn: whose, in p. @return APR_NOTFOUND when STS is not asked. */
apr_status_t caller_ask(const char **arn, const connection_t *c, const options_t *o, apr_pool_t *p, ddb_error_t *err);

#endif
