/* Whose credentials are in use. */

#include <string.h>

#include <apr_strings.h>

#include "aws/ddb_partition.h"
#include "aws/ddb_sts.h"
#include "caller.h"

static int ends_with(const char *host, const char *suffix)
{
    apr_size_t len = strcspn(host, ":"), n = suffix ? strlen(suffix) : 0;

    return n && len > n && host[len - n - 1] == '.' && strncmp(host + len - n, suffix, n) == 0;
}

static int is_of_aws(const ddb_endpoint_t *e)
{
    const ddb_partition_t *partition = ddb_partition_of(e->region);

    return ends_with(e->host, partition->suffix) || ends_with(e->host, partition->dual_stack_suffix);
}

apr_status_t caller_ask(const char **arn, const connection_t *c, const options_t *o, apr_pool_t *p, ddb_error_t *err)
{
    ddb_endpoint_opts_t where = { .region = c->endpoint.region, .profile = o->profile, .service = DDB_STS };
    ddb_endpoint_t endpoint;
    ddb_sts_opts_t sts = { .http = &c->http, .clock = c->table.clock };
    ddb_credentials_t credentials;
    apr_status_t rv = ddb_endpoint_resolve(&endpoint, &where, p, err);

    if (rv == APR_SUCCESS && is_of_aws(&endpoint) && !is_of_aws(&c->endpoint)) {
        return APR_NOTFOUND;
    }
    if (rv == APR_SUCCESS) {
        rv = ddb_creds_get(c->creds, DDB_CREDS_FOREVER, p, &credentials, err);
    }
    if (rv == APR_SUCCESS) {
        sts.url = endpoint.url;
        sts.host = endpoint.host;
        sts.region = endpoint.region;
        rv = ddb_sts_caller(arn, &credentials, &sts, p, err);
    }
    return rv;
}

/* The ARN of an account's root: arn:aws:iam::123456789012:root. */
static int is_root(const char *arn)
{
    apr_size_t len = strlen(arn);

    return len > 5 && strcmp(arn + len - 5, ":root") == 0;
}

void caller_find(apr_array_header_t *findings, const connection_t *c, const options_t *o, apr_pool_t *p)
{
    const char *arn = NULL;
    ddb_error_t err = { 0 };
    apr_status_t rv = caller_ask(&arn, c, o, p, &err);

    if (rv == APR_NOTFOUND) {
        ddb_table_unseen(findings, "caller",
                         "whose credentials these are is not checked: the endpoint is not AWS's, so STS is not asked "
                         "(AWS_ENDPOINT_URL_STS names another)");
    }
    else if (rv != APR_SUCCESS) {
        ddb_table_unseen(findings, "caller",
                         apr_psprintf(p, "whose credentials these are is not checked: %.300s", err.detail));
    }
    else if (is_root(arn)) {
        ddb_table_found(findings, "caller", DDB_DOUBT,
                        apr_psprintf(p,
                                     "the credentials are those of %.300s, who may do anything: use a role with the "
                                     "policy that session-dynamodb policy prints",
                                     arn));
    }
    else {
        ddb_table_found(findings, "caller", DDB_GOOD, apr_psprintf(p, "the credentials are those of %.300s", arn));
    }
}
