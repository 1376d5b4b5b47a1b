#ifndef DDB_CREDS_ROLE_H
#define DDB_CREDS_ROLE_H

#include "aws/creds/ddb_creds_int.h"
#include "aws/ddb_sts.h"

/* What the providers that ask STS for a role have in common. */

/** The default session name, in p. */
const char *ddb_creds_session_name(const ddb_creds_opts_t *o, apr_pool_t *p);

/** NULL when name can be a session name; else a sentence. */
const char *ddb_creds_check_session_name(const char *name);

/** ddb_sts_assume at STS's endpoint for o. */
apr_status_t ddb_creds_ask_sts(ddb_credentials_t *out, const ddb_sts_role_t *role, const ddb_creds_opts_t *o,
                               apr_pool_t *p, ddb_error_t *err);

#endif
