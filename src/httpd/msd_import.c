/* Sessions of mod_session_cookie and mod_session_dbd. */

#include <string.h>

#include <apr_strings.h>
#include <apr_uuid.h>
#include <httpd.h>
#include <http_log.h>

#include "base/ddb_base64.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_import.h"
#include "httpd/msd_import_dbd.h"
#include "httpd/msd_payload.h"

APLOG_USE_MODULE(session_dynamodb);

/* ---- whether a place authenticates sessions ---------------------------------------------------------------------- */

#define PROBE "import-probe"

/** 1 if the place decodes text, into the probe's entry or any other. */
static int is_decoded(request_rec *r, const char *text, int exactly)
{
    session_rec z = { .pool = r->pool, .entries = apr_table_make(r->pool, 1), .encoded = text };
    const char *value;
    int rv = ap_run_session_decode(r, &z);

    value = apr_table_get(z.entries, PROBE);
    return (rv == OK || rv == DECLINED) && (!exactly || (value && strcmp(value, PROBE) == 0));
}

/** text with another character of base64 at that place. */
static const char *changed_at(const char *text, apr_size_t at, apr_pool_t *p)
{
    char *changed = apr_pstrdup(p, text);

    changed[at] = (char)(changed[at] == 'A' ? 'B' : 'A');
    return changed;
}

/**
 * 1 if what this place encodes can't be changed without being noticed. The settings of mod_session_crypto are private,
 * so a session is encoded, and must be refused with another first character, which is of the authentication code, and
 * with another one in the middle.
 */
static int authenticates(request_rec *r)
{
    static const struct ap_logconf silent = { .level = APLOG_EMERG - 1 };
    const struct ap_logconf *log = r->log;
    session_rec z = { .pool = r->pool, .entries = apr_table_make(r->pool, 1) };
    int rv, good = 0;

    apr_table_setn(z.entries, PROBE, PROBE);
    rv = ap_run_session_encode(r, &z);
    if ((rv == OK || rv == DECLINED) && z.encoded && strlen(z.encoded) > 2 && !strstr(z.encoded, PROBE)
        && is_decoded(r, z.encoded, 1)) {
        r->log = &silent; /* the refusals are no errors */
        good = !is_decoded(r, changed_at(z.encoded, 0, r->pool), 0)
               && !is_decoded(r, changed_at(z.encoded, strlen(z.encoded) / 2, r->pool), 0);
        r->log = log;
    }
    return good;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static apr_status_t decode(request_rec *r, msd_session_t *s, const char *text, msd_import_t *old)
{
    session_rec z = { .pool = s->pool, .entries = apr_table_make(s->pool, 10) };
    apr_status_t rv = msd_payload_decode_text(r, s, &z, text);

    if (rv == APR_SUCCESS) {
        old->entries = z.entries;
        /* Its own end, which mod_session has put among the entries. */
        old->is_over = (z.expiry && z.expiry <= s->now) || msd_entries_empty(z.entries);
    }
    return rv;
}

/** 1 for base64 as mod_session_crypto writes it. It reads more than that: up to any other character, and bits that
 * belong to no byte, which the authentication code does not cover. A cookie written otherwise would have an ID of its
 * own, and be imported once more. */
static int is_as_written(const char *cookie, apr_pool_t *p)
{
    apr_size_t len = strlen(cookie), bytes = 0;

    return ddb_base64_decode(apr_palloc(p, len / 4 * 3 + 1), &bytes, cookie, len);
}

static apr_status_t read_cookie(request_rec *r, msd_session_t *s, msd_import_t *old)
{
    apr_status_t rv = decode(r, s, old->cookie, old);

    if (rv == DDB_EBADITEM) {
        old->is_forged = 1;
        return APR_SUCCESS;
    }
    /* Only now: a forged cookie must not cost a client's guess the derivation of keys. */
    if (rv == APR_SUCCESS && !authenticates(r)) {
        return ddb_error_set(&s->error, DDB_ECONFIG,
                             "SessionDynamoDBImport cookie needs SessionCryptoPassphrase here, with the passphrase of "
                             "the old sessions: without it anybody could write such a cookie");
    }
    old->is_forged = rv == APR_SUCCESS && !is_as_written(old->cookie, r->pool);
    return rv;
}

/** 1 for a key that mod_session_dbd gives: 36 characters. Others name the sessions of SessionDBDPerUser by their user,
 * and are no secrets. Capitals have another ID, while a database may not tell them apart. */
static int is_uuid(const char *key)
{
    char written[APR_UUID_FORMATTED_LENGTH + 1];
    apr_uuid_t uuid;

    if (strlen(key) != APR_UUID_FORMATTED_LENGTH || apr_uuid_parse(&uuid, key) != APR_SUCCESS) {
        return 0;
    }
    apr_uuid_format(written, &uuid);
    return strcmp(written, key) == 0;
}

static apr_status_t read_row(request_rec *r, msd_session_t *s, msd_import_t *old)
{
    const char *value = NULL;
    apr_status_t rv;

    if (!is_uuid(old->cookie)) {
        old->is_forged = 1;
        return APR_SUCCESS;
    }
    rv = msd_import_dbd_select(&value, r, s, old->cookie);
    return rv == APR_SUCCESS && value ? decode(r, s, value, old) : rv;
}

apr_status_t msd_import_read(request_rec *r, msd_session_t *s, const char *cookie, msd_import_t *old)
{
    ddb_sid_rules_t rules;
    apr_status_t rv;

    msd_config_rules(&rules, s->conf);
    *old = (msd_import_t){ .cookie = cookie, .is_over = !*cookie };
    if (old->is_over) {
        return APR_SUCCESS;
    }
    rv = ddb_sid_derive(&old->sid, &rules, cookie, s->pool);
    if (rv != APR_SUCCESS) {
        return ddb_error_set(&s->error, rv, "cannot derive an ID of an old session: OpenSSL failed");
    }
    return s->conf->import->store == MSD_IMPORT_COOKIE ? read_cookie(r, s, old) : read_row(r, s, old);
}

void msd_import_fill(msd_session_t *s, const msd_import_t *old)
{
    apr_table_clear(s->z->entries);
    apr_table_overlap(s->z->entries, msd_entries_copy(s->pool, old->entries), APR_OVERLAP_TABLES_SET);
    s->z->dirty = 1;
}

void msd_import_taken(request_rec *r, const msd_session_t *s, const msd_import_t *old)
{
    ddb_error_t err = { 0 };

    if (s->conf->import->store == MSD_IMPORT_DBD && old->entries
        && msd_import_dbd_delete(r, s, old->cookie, &err) != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "the row of an imported session was not deleted: %s. The session can't be imported again before "
                      "the import ends",
                      err.detail);
    }
}
