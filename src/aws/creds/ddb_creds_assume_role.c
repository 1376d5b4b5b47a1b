/* Credentials of a role that a profile names: whose credentials ask for it, through how many other roles. */

#include <string.h>

#include <apr_strings.h>

#include "aws/creds/ddb_creds_role.h"
#include "base/ddb_array.h"

/** From the profile asked for down to the one whose credentials are the source. */
typedef struct walk_t {
    const ddb_creds_opts_t *o;
    apr_pool_t *p;
    apr_array_header_t *names;    /* const char *, profiles seen */
    apr_array_header_t *profiles; /* ddb_profile_t *, of them those with a role to take on */
    ddb_error_t *err;
} walk_t;

static const struct {
    const char *name;
    const ddb_creds_provider_t *provider;
} sources[] = {
    { "Environment", &ddb_creds_env },
    { "EcsContainer", &ddb_creds_container },
    { "Ec2InstanceMetadata", &ddb_creds_imds },
};

static const char *last_name(const walk_t *w)
{
    return APR_ARRAY_IDX(w->names, w->profiles->nelts - 1, const char *);
}

static apr_status_t refuse(const walk_t *w, const char *why)
{
    return ddb_error_set(w->err, DDB_ECONFIG, "profile \"%.40s\": %s", last_name(w), why);
}

static apr_status_t read_profile(const walk_t *w, const char *name, ddb_profile_t **profile)
{
    ddb_profile_opts_t o = w->o->profile;

    o.name = name;
    return ddb_profile_read(profile, &o, w->p, w->err);
}

/* One with a token file is the web identity provider's. */
static int has_role(const ddb_profile_t *profile)
{
    return ddb_profile_get(profile, "role_arn") && !ddb_profile_get(profile, "web_identity_token_file");
}

static int has_keys(const ddb_profile_t *profile)
{
    return ddb_profile_get(profile, "aws_access_key_id") || ddb_profile_get(profile, "aws_secret_access_key");
}

/* --- the source --- */

static apr_status_t ask_source(const walk_t *w, const char *name, ddb_credentials_t *out)
{
    ddb_creds_opts_t o = *w->o;
    const ddb_creds_provider_t **one;
    ddb_creds_chain_t chain = { 0 };
    apr_status_t rv;
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(sources) && strcmp(sources[i].name, name) != 0; i++) {
    }
    if (i == DDB_ARRAY_LENGTH(sources)) {
        return refuse(w, "credential_source must be Environment, EcsContainer or Ec2InstanceMetadata");
    }
    /* The environment is asked although a profile may be named: this profile says so. */
    o.profile.name = NULL;
    one = apr_pcalloc(w->p, 2 * sizeof(ddb_creds_provider_t *));
    one[0] = sources[i].provider;
    chain.providers = one;
    rv = ddb_creds_ask(&chain, &o, w->p, out, w->err);
    return rv == APR_NOTFOUND ? refuse(
               w, apr_psprintf(w->p, "its credential_source has no credentials: %s", w->err ? w->err->detail : ""))
                              : rv;
}

static apr_status_t ask_profile(const walk_t *w, const char *name, ddb_credentials_t *out)
{
    const ddb_creds_chain_t chain = { .providers = ddb_creds_of_profile };
    ddb_creds_opts_t o = *w->o;
    ddb_error_t why = { 0 };
    apr_status_t rv;

    o.profile.name = name;
    rv = ddb_creds_ask(&chain, &o, w->p, out, &why);
    if (rv == APR_NOTFOUND) {
        return ddb_error_set(w->err, DDB_ECONFIG,
                             "the source_profile \"%.40s\" has no credentials: give it a key pair or another source",
                             name);
    }
    return rv == APR_SUCCESS ? rv : ddb_error_set(w->err, rv, "source_profile \"%.40s\": %s", name, why.detail);
}

/* A profile may name itself when it has keys: role and keys in one place. */
static apr_status_t check_loop(const walk_t *w, const char *name, const ddb_profile_t *profile)
{
    if (!ddb_array_holds(w->names, name) || (strcmp(name, last_name(w)) == 0 && has_keys(profile))) {
        return APR_SUCCESS;
    }
    return refuse(w, apr_psprintf(w->p, "its source_profile \"%.40s\" closes a loop", name));
}

/* Down to the source, and its credentials. w->profiles has the profile that was read last. */
static apr_status_t find_source(walk_t *w, ddb_profile_t *profile, ddb_credentials_t *out)
{
    const char *name, *other;
    apr_status_t rv;

    for (;;) {
        APR_ARRAY_PUSH(w->profiles, ddb_profile_t *) = profile;
        name = ddb_profile_get(profile, "source_profile");
        other = ddb_profile_get(profile, "credential_source");
        if (ddb_profile_get(profile, "mfa_serial")) {
            return refuse(w, "mfa_serial needs a code that cannot be entered on a server: use a role without MFA");
        }
        if (!name == !other) {
            return refuse(w, "role_arn needs either source_profile or credential_source");
        }
        if (other) {
            return ask_source(w, other, out);
        }
        rv = read_profile(w, name, &profile);
        if (rv == APR_SUCCESS) {
            rv = check_loop(w, name, profile);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (has_keys(profile) || !has_role(profile)) {
            return ask_profile(w, name, out);
        }
        APR_ARRAY_PUSH(w->names, const char *) = name;
    }
}

/* --- the roles --- */

static apr_status_t check_duration(const walk_t *w, const char *seconds)
{
    apr_int64_t n;
    char *end;

    if (!seconds) {
        return APR_SUCCESS;
    }
    n = apr_strtoi64(seconds, &end, 10);
    return !*end && n >= 900 && n <= 43200 ? APR_SUCCESS
                                           : refuse(w, "duration_seconds must be a number from 900 to 43200");
}

static apr_status_t assume(const walk_t *w, const ddb_profile_t *profile, const ddb_credentials_t *source,
                           ddb_credentials_t *out)
{
    ddb_sts_role_t role = { .source = source };
    ddb_error_t why = { 0 };
    const char *wrong;
    apr_status_t rv;

    role.arn = ddb_profile_get(profile, "role_arn");
    role.session_name = ddb_profile_get(profile, "role_session_name");
    role.external_id = ddb_profile_get(profile, "external_id");
    role.duration_seconds = ddb_profile_get(profile, "duration_seconds");
    role.session_name = role.session_name ? role.session_name : ddb_creds_session_name(w->o, w->p);
    wrong = ddb_creds_check_session_name(role.session_name);
    if (wrong) {
        return refuse(w, wrong);
    }
    rv = check_duration(w, role.duration_seconds);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ddb_creds_ask_sts(out, &role, w->o, w->p, &why);
    return rv == APR_SUCCESS
               ? rv
               : ddb_error_set(w->err, rv, "assume-role, profile \"%.40s\": %s", last_name(w), why.detail);
}

/* From the source's side back up; the last role is the one asked for. */
static apr_status_t assume_all(walk_t *w, ddb_credentials_t *out)
{
    ddb_credentials_t source;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && w->profiles->nelts > 0) {
        source = *out;
        memset(out, 0, sizeof(*out));
        rv = assume(w, APR_ARRAY_IDX(w->profiles, w->profiles->nelts - 1, ddb_profile_t *), &source, out);
        w->profiles->nelts--;
    }
    return rv;
}

static apr_status_t fetch(const ddb_creds_opts_t *o, void *state, apr_pool_t *p, ddb_credentials_t *out,
                          ddb_error_t *err)
{
    walk_t w = { .o = o,
                 .p = p,
                 .names = apr_array_make(p, 2, sizeof(const char *)),
                 .profiles = apr_array_make(p, 2, sizeof(ddb_profile_t *)),
                 .err = err };
    ddb_profile_t *profile;
    apr_status_t rv = ddb_profile_read(&profile, &o->profile, p, err);

    (void)state;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!has_role(profile)) {
        return ddb_error_set(err, APR_NOTFOUND, "no role_arn");
    }
    APR_ARRAY_PUSH(w.names, const char *) = ddb_profile_name(&o->profile);
    rv = find_source(&w, profile, out);
    return rv == APR_SUCCESS ? assume_all(&w, out) : rv;
}

const ddb_creds_provider_t ddb_creds_assume_role = { .name = "assume-role", .fetch = fetch };
