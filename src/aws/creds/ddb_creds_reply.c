/* Credentials as services and programs give them out: members of a JSON object, and times of expiry. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "aws/creds/ddb_creds_reply.h"
#include "base/ddb_crypto.h"
#include "base/ddb_time.h"

#define PRINTABLE_MAX 60

apr_status_t ddb_creds_reply_parse(ddb_json_t **obj, char *text, apr_size_t len, apr_pool_t *p)
{
    apr_status_t rv = ddb_json_parse_secret(obj, text, len, p);

    ddb_crypto_wipe(text, len);
    return rv;
}

apr_status_t ddb_creds_reply_check_time(const ddb_credentials_t *c, apr_time_t now, const char *source,
                                        ddb_error_t *err)
{
    return !c->expires || c->expires > now
               ? APR_SUCCESS
               : ddb_error_set(err, DDB_EBADREPLY,
                               "%s returned credentials that expired %" APR_INT64_T_FMT
                               " s ago; if they should still be valid, check this machine's clock (NTP)",
                               source, apr_time_sec(now - c->expires));
}

/* --- members --- */

/* The first fault ends the parsing; later members are skipped, so that the caller checks once. */
typedef struct reader_t {
    const ddb_json_t *obj;
    const char *source;
    apr_pool_t *p;
    ddb_error_t *err;
    apr_status_t rv;
} reader_t;

static void bad(reader_t *r, const char *name, const char *fault)
{
    if (r->rv == APR_SUCCESS) {
        r->rv = ddb_error_set(r->err, DDB_EBADREPLY, "invalid credentials from %s: %s %s", r->source, name, fault);
    }
}

/* NULL when it is missing. Some programs write null or "" instead of leaving a member out. */
static const char *read_text(reader_t *r, const char *name, int is_needed)
{
    const char *text = name ? ddb_json_str(r->obj, name) : NULL;

    if (text && *text) {
        return ddb_crypto_secret_dup(r->p, text);
    }
    if (is_needed) {
        bad(r, name, text ? "is empty" : ddb_json_has(r->obj, name) ? "is no text" : "is missing");
    }
    return NULL;
}

static apr_time_t read_time(reader_t *r, const char *name, int is_needed)
{
    const char *text = name ? ddb_json_str(r->obj, name) : NULL;
    apr_int64_t milliseconds = 0;
    int is_number = name && ddb_json_int(r->obj, name, &milliseconds);
    apr_time_t t = 0;

    if (milliseconds > 0) {
        return milliseconds * 1000; /* at most 2^53 before */
    }
    if (text && *text && ddb_time_parse_zoned(&t, text) != APR_SUCCESS) {
        bad(r, name, "is not a time with a time zone");
    }
    else if (!t && (is_needed || is_number)) {
        bad(r, name, "is missing or no time");
    }
    return t;
}

apr_status_t ddb_creds_reply_read(ddb_credentials_t *out, const ddb_json_t *obj, const ddb_creds_shape_t *shape,
                                  apr_pool_t *p, ddb_error_t *err)
{
    reader_t r = { .obj = obj, .source = shape->source, .p = p, .err = err, .rv = APR_SUCCESS };

    out->access_key_id = read_text(&r, shape->access_key_id, 1);
    out->secret_access_key = read_text(&r, shape->secret_access_key, 1);
    out->session_token = read_text(&r, shape->session_token, shape->token_needed);
    out->expires = read_time(&r, shape->expires, shape->expires_needed);
    out->account_id = read_text(&r, shape->account_id, 0);
    return r.rv;
}

const char *ddb_creds_reply_printable(const char *text, apr_pool_t *p)
{
    char *copy = text ? apr_pstrndup(p, text, PRINTABLE_MAX) : "", *c;

    for (c = copy; *c; c++) {
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    }
    return copy;
}
