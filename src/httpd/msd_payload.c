/* The stored form of a session: mod_session's own through its hooks, or a JSON object without them. */

#include <apr_strings.h>

#include "httpd/msd_entries.h"
#include "httpd/msd_form.h"
#include "httpd/msd_payload.h"

static int hook_failed(int rv)
{
    return rv != OK && rv != DECLINED;
}

apr_status_t msd_payload_check(request_rec *r, msd_session_t *s)
{
    session_rec probe;

    if (s->conf->format != DDB_JSON) {
        return APR_SUCCESS;
    }
    /* The settings of mod_session_crypto are private. So encode a test entry: the result shows whether it, or another
     * module, changes payloads. */
    memset(&probe, 0, sizeof(probe));
    probe.pool = r->pool;
    probe.entries = apr_table_make(r->pool, 1);
    apr_table_setn(probe.entries, "a", "b");
    if (hook_failed(ap_run_session_encode(r, &probe)) || !probe.encoded || strcmp(probe.encoded, "a=b") != 0) {
        return ddb_error_set(
            &s->error, DDB_ECONFIG,
            "SessionDynamoDBFormat json can't be combined with SessionCryptoPassphrase: remove one of them");
    }
    return APR_SUCCESS;
}

apr_status_t msd_payload_decode_text(request_rec *r, msd_session_t *s, session_rec *z, const char *text)
{
    int rv;

    s->decoding = z;
    z->encoded = text;
    rv = ap_run_session_decode(r, z);
    z->encoded = NULL;
    s->decoding = NULL;
    if (rv == DDB_ETOOLARGE) {
        return rv;
    }
    if (hook_failed(rv)) {
        return ddb_error_set(
            &s->error, DDB_EBADITEM,
            "the data can't be decoded: it was encrypted with another passphrase, or not written by mod_session");
    }
    return APR_SUCCESS;
}

apr_status_t msd_payload_decode_form(msd_session_t *s, session_rec *z)
{
    apr_status_t rv;

    if (z != s->decoding || !z->encoded) {
        return APR_SUCCESS;
    }
    rv = ddb_json_entries_limit(msd_entries_counted(z->encoded), s->conf->max_entries, &s->error);
    if (rv == APR_SUCCESS) {
        msd_form_decode(z);
    }
    return rv;
}

apr_status_t msd_payload_limit_encode(msd_session_t *s)
{
    ddb_error_t err = { 0 };
    apr_status_t rv = ddb_json_entries_limit(msd_entries_count(s->z->entries), s->conf->max_entries, &err);

    if (rv != APR_SUCCESS) {
        s->error = err; /* replace details of an earlier store call */
    }
    return rv;
}

apr_status_t msd_payload_decode(request_rec *r, msd_session_t *s, session_rec *z, const ddb_session_t *row)
{
    apr_status_t rv;

    if (s->conf->format != DDB_JSON) {
        return msd_payload_decode_text(r, s, z, row->data);
    }
    rv = ddb_json_entries_parse(&s->members, row->data, s->conf->max_entries, s->pool, &s->error);
    if (rv == APR_SUCCESS) {
        ddb_json_entries_show(s->members, z->entries);
    }
    return rv;
}

static apr_status_t encode_json(request_rec *r, msd_session_t *s)
{
    const char *text = NULL;
    apr_status_t rv = msd_payload_check(r, s);

    if (rv == APR_SUCCESS && !s->members) {
        rv = ddb_json_entries_parse(&s->members, NULL, s->conf->max_entries, s->pool, &s->error);
    }
    if (rv == APR_SUCCESS) {
        rv = ddb_json_entries_print(&text, s->members, s->z->entries, s->pool, &s->error);
    }
    s->z->encoded = text;
    return rv;
}

apr_status_t msd_payload_encode(request_rec *r, msd_session_t *s)
{
    apr_status_t rv = msd_payload_limit_encode(s);

    s->z->encoded = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (s->conf->format == DDB_JSON) {
        return encode_json(r, s);
    }
    if (hook_failed(ap_run_session_encode(r, s->z))) {
        return ddb_error_set(&s->error, APR_EGENERAL, "mod_session could not encode the session");
    }
    return APR_SUCCESS;
}

int msd_payload_empty(const msd_session_t *s)
{
    return msd_entries_empty(s->z->entries) && !(s->members && ddb_json_entries_hidden(s->members));
}
