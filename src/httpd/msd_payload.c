/* What is stored of a session: mod_session's form through its hooks, or a JSON object without them. */

#include <apr_strings.h>

#include "httpd/msd_entries.h"
#include "httpd/msd_payload.h"

static int hook_failed(int rv)
{
    return rv != OK && rv != DECLINED;
}

apr_status_t msd_payload_check(request_rec *r, msd_request_t *q)
{
    session_rec probe;

    if (q->conf->format != DDB_JSON) {
        return APR_SUCCESS;
    }
    /* mod_session_crypto's settings are its own; what its hook does to a payload shows them, and any other module's. */
    memset(&probe, 0, sizeof(probe));
    probe.pool = r->pool;
    probe.entries = apr_table_make(r->pool, 1);
    apr_table_setn(probe.entries, "a", "b");
    if (hook_failed(ap_run_session_encode(r, &probe)) || !probe.encoded || strcmp(probe.encoded, "a=b") != 0) {
        return ddb_error_set(
            &q->error, DDB_ECONFIG,
            "SessionDynamoDBFormat json can't be combined with SessionCryptoPassphrase: remove one of them");
    }
    return APR_SUCCESS;
}

static apr_status_t decode_form(request_rec *r, msd_request_t *q, session_rec *z, const ddb_session_t *s)
{
    int rv;

    q->decoding = z;
    z->encoded = s->data;
    rv = ap_run_session_decode(r, z);
    z->encoded = NULL;
    q->decoding = NULL;
    if (rv == DDB_ETOOLARGE) {
        return rv;
    }
    if (hook_failed(rv)) {
        return ddb_error_set(
            &q->error, DDB_EBADITEM,
            "the data can't be decoded: it was encrypted with another passphrase, or not written by mod_session");
    }
    return APR_SUCCESS;
}

apr_status_t msd_payload_limit_decode(msd_request_t *q, const session_rec *z)
{
    return z != q->decoding || !z->encoded
               ? APR_SUCCESS
               : ddb_json_entries_limit(msd_entries_counted(z->encoded), q->conf->max_entries, &q->error);
}

apr_status_t msd_payload_limit_encode(msd_request_t *q)
{
    ddb_error_t err = { 0 };
    apr_status_t rv = ddb_json_entries_limit(msd_entries_count(q->z->entries), q->conf->max_entries, &err);

    if (rv != APR_SUCCESS) {
        q->error = err; /* no call of the store has to do with it */
    }
    return rv;
}

apr_status_t msd_payload_decode(request_rec *r, msd_request_t *q, session_rec *z, const ddb_session_t *s)
{
    apr_status_t rv;

    if (q->conf->format != DDB_JSON) {
        return decode_form(r, q, z, s);
    }
    rv = ddb_json_entries_parse(&q->members, s->data, q->conf->max_entries, q->top->pool, &q->error);
    if (rv == APR_SUCCESS) {
        ddb_json_entries_show(q->members, z->entries);
    }
    return rv;
}

static apr_status_t encode_json(request_rec *r, msd_request_t *q)
{
    const char *text = NULL;
    apr_status_t rv = msd_payload_check(r, q);

    if (rv == APR_SUCCESS && !q->members) {
        rv = ddb_json_entries_parse(&q->members, NULL, q->conf->max_entries, q->top->pool, &q->error);
    }
    if (rv == APR_SUCCESS) {
        rv = ddb_json_entries_print(&text, q->members, q->z->entries, q->top->pool, &q->error);
    }
    q->z->encoded = text;
    return rv;
}

apr_status_t msd_payload_encode(request_rec *r, msd_request_t *q)
{
    apr_status_t rv = msd_payload_limit_encode(q);

    q->z->encoded = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (q->conf->format == DDB_JSON) {
        return encode_json(r, q);
    }
    if (hook_failed(ap_run_session_encode(r, q->z))) {
        return ddb_error_set(&q->error, APR_EGENERAL, "mod_session could not encode the session");
    }
    return APR_SUCCESS;
}

int msd_payload_empty(const msd_request_t *q)
{
    return msd_entries_empty(q->z->entries) && !(q->members && ddb_json_entries_hidden(q->members));
}
