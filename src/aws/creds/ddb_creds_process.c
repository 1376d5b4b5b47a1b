/* Credentials that a program of the profile prints: credential_process. */

#include <string.h>

#include <apr_strings.h>

#include "aws/creds/ddb_creds_int.h"
#include "aws/creds/ddb_creds_reply.h"
#include "base/ddb_process.h"

#define SOURCE           "the profile's credential_process"
#define TIMEOUT          apr_time_from_sec(30) /* some ask a directory, or unlock a hardware token */
#define OUTPUT_MAX_BYTES 65536
#define ADVICE           "; run it by hand as the user that httpd runs as"

static const ddb_creds_shape_t shape = { .source = SOURCE,
                                         .access_key_id = "AccessKeyId",
                                         .secret_access_key = "SecretAccessKey",
                                         .session_token = "SessionToken",
                                         .expires = "Expiration",
                                         .account_id = "AccountId" };

/* @return APR_NOTFOUND when the profile has no credential_process. */
static apr_status_t find_command(char ***argv, const ddb_creds_opts_t *o, apr_pool_t *p, ddb_error_t *err)
{
    ddb_profile_t *profile = NULL;
    const char *line;
    apr_status_t rv = ddb_profile_read(&profile, &o->profile, p, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    line = ddb_profile_get(profile, "credential_process");
    if (!line) {
        return ddb_error_set(err, APR_NOTFOUND, "no credential_process");
    }
    if (ddb_process_split(argv, line, p) != APR_SUCCESS || !(*argv)[0]) {
        return ddb_error_set(err, DDB_ECONFIG, SOURCE " has an unterminated quote or a trailing backslash");
    }
    return APR_SUCCESS;
}

static apr_status_t run(ddb_process_t *process, apr_pool_t *p, ddb_error_t *err)
{
    ddb_error_t why = { 0 };
    apr_status_t rv = ddb_process_run(process, p, &why);

    return rv == APR_SUCCESS ? rv : ddb_error_set(err, rv, SOURCE " %s" ADVICE, why.detail);
}

static apr_status_t read_output(ddb_credentials_t *out, const ddb_process_t *process, apr_pool_t *p, ddb_error_t *err)
{
    apr_int64_t version = 0;
    ddb_json_t *obj;

    if (ddb_creds_reply_parse(&obj, process->output, process->output_len, p) != APR_SUCCESS) {
        return ddb_error_set(err, DDB_EBADREPLY, SOURCE " printed something other than one JSON object" ADVICE);
    }
    if (!ddb_json_int(obj, "Version", &version) || version != 1) {
        return ddb_error_set(err, DDB_EBADREPLY,
                             SOURCE " printed no \"Version\": 1, the only supported version" ADVICE);
    }
    return ddb_creds_reply_read(out, obj, &shape, p, err);
}

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    char **argv = NULL;
    ddb_process_t process = { .timeout = o->process_timeout ? o->process_timeout : TIMEOUT,
                              .max_output = OUTPUT_MAX_BYTES,
                              .cancel = o->cancel };
    apr_status_t rv = find_command(&argv, o, p, err);

    (void)state;
    process.argv = argv;
    if (rv == APR_SUCCESS) {
        rv = run(&process, p, err);
    }
    if (rv == APR_SUCCESS) {
        rv = read_output(out, &process, p, err);
    }
    return rv == APR_SUCCESS ? ddb_creds_reply_check_time(out, ddb_clock_wall(o->clock), SOURCE, err) : rv;
}

const ddb_creds_provider_t ddb_creds_process = { .name = "credential_process", .fetch = fetch };
