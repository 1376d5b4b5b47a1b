/* The order of the providers, and the result of asking them in turn. */

#include <string.h>

#include <apr_atomic.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "aws/creds/ddb_creds_int.h"
#include "aws/creds/ddb_creds_reply.h"
#include "base/ddb_crypto.h"

/* botocore's order. */
const ddb_creds_provider_t *const ddb_creds_all[] = {
    &ddb_creds_env,     &ddb_creds_assume_role, &ddb_creds_web_identity, &ddb_creds_sso,  &ddb_creds_shared_file,
    &ddb_creds_process, &ddb_creds_config_file, &ddb_creds_container,    &ddb_creds_imds, NULL,
};

const ddb_creds_provider_t *const ddb_creds_of_profile[] = {
    &ddb_creds_web_identity, &ddb_creds_sso, &ddb_creds_shared_file, &ddb_creds_process, &ddb_creds_config_file, NULL,
};

/* They become part of header lines: a line break that came with a file or variable would end one. */
static int is_visible(const char *s)
{
    for (; s && *s; s++) {
        if (*s < '!' || *s > '~') {
            return 0;
        }
    }
    return 1;
}

/* The provider may have no newer ones, or the clock may be wrong. */
static apr_status_t check_time(const ddb_credentials_t *found, const ddb_creds_opts_t *o, const char *provider,
                               ddb_error_t *err)
{
    return found->expires ? ddb_creds_reply_check_time(found, ddb_clock_wall(o->clock), provider, err) : APR_SUCCESS;
}

static apr_status_t check_characters(const ddb_credentials_t *found, const char *provider, ddb_error_t *err)
{
    const char *what = !is_visible(found->access_key_id)       ? "access key ID"
                       : !is_visible(found->secret_access_key) ? "secret access key"
                       : !is_visible(found->session_token)     ? "session token"
                                                               : NULL;

    return what ? ddb_error_set(
               err, DDB_ECONFIG,
               "the %s from the %s contains a space, a line break or another invalid character; enter it again", what,
               provider)
                : APR_SUCCESS;
}

/* The reasons why providers are not set up. One reason that holds for several of them, such as a missing profile,
 * is written once, behind the last of them. */
typedef struct notes_t {
    apr_pool_t *p;
    const char *text;
    const char *reason; /* not written yet */
} notes_t;

static void note(notes_t *notes, const char *provider, const char *reason)
{
    int same = notes->reason && strcmp(notes->reason, reason) == 0;

    if (notes->reason && !same) {
        notes->text = apr_psprintf(notes->p, "%s (%s)", notes->text, notes->reason);
    }
    notes->text = apr_pstrcat(notes->p, notes->text, *notes->text ? ", " : "", provider, NULL);
    notes->reason = same ? notes->reason : apr_pstrdup(notes->p, reason);
}

/* The metadata service is asked because nothing is set up, and not because that is: its failure says so. */
static void tell_failure(const ddb_creds_chain_t *chain, int i, const char *detail, ddb_error_t *err)
{
    const char *name = chain->providers[i]->name;
    int is_named = strstr(detail, name) != NULL, is_last_resort = i > 0 && chain->providers[i] == &ddb_creds_imds;

    ddb_error_set(err, 0, "%s%s%s%.300s%s", is_named ? "" : "provider ", is_named ? "" : name, is_named ? "" : ": ",
                  detail, is_last_resort ? "; no other provider (environment, profile, container) is set up" : "");
}

apr_status_t ddb_creds_ask(const ddb_creds_chain_t *chain, const ddb_creds_opts_t *o, apr_pool_t *p,
                           ddb_credentials_t *out, ddb_error_t *err)
{
    notes_t notes = { .p = p, .text = "" };
    ddb_error_t why = { 0 };
    apr_status_t rv = APR_NOTFOUND;
    int i;

    for (i = 0; rv == APR_NOTFOUND && chain->providers[i]; i++) {
        if (chain->asked) {
            apr_atomic_set32(chain->asked, (apr_uint32_t)i);
        }
        memset(out, 0, sizeof(*out));
        rv = chain->providers[i]->fetch(o, chain->states ? chain->states[i] : NULL, p, out, &why);
        if (rv == APR_SUCCESS) {
            rv = check_characters(out, chain->providers[i]->name, &why);
            rv = rv == APR_SUCCESS ? check_time(out, o, chain->providers[i]->name, &why) : rv;
        }
        else if (rv == APR_NOTFOUND) {
            note(&notes, chain->providers[i]->name, why.detail);
        }
    }
    if (rv != APR_SUCCESS && ddb_cancel_is_set(o->cancel)) {
        return ddb_error_set(err, APR_EINTR, "credentials not requested");
    }
    if (rv == APR_NOTFOUND) {
        return ddb_error_set(err, rv, "%s (%s)", notes.text, notes.reason ? notes.reason : "");
    }
    if (rv != APR_SUCCESS) {
        /* A status word such as "refused", about the service that a provider asked, would be read as the table's. */
        tell_failure(chain, i - 1, why.detail, err);
        rv = rv == DDB_ECONFIG ? rv : DDB_ENOCREDS;
    }
    else {
        out->provider = chain->providers[i - 1]->name;
    }
    return rv;
}

static apr_status_t wipe_text(void *text)
{
    ddb_crypto_wipe(text, strlen(text));
    return APR_SUCCESS;
}

apr_status_t ddb_creds_read_file(char **text, const char *path, apr_size_t max, apr_pool_t *p)
{
    apr_size_t len = 0;
    apr_file_t *file;
    /* Unbuffered: APR's buffer would keep a copy of the secret. */
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    *text = apr_pcalloc(p, max + 2);
    apr_pool_cleanup_register(p, *text, wipe_text, apr_pool_cleanup_null);
    rv = apr_file_read_full(file, *text, max + 1, &len);
    apr_file_close(file);
    if (APR_STATUS_IS_EOF(rv)) {
        rv = APR_SUCCESS;
    }
    return rv == APR_SUCCESS && len > max ? DDB_ETOOLARGE : rv;
}
