/* The rows of mod_session_dbd. What the database says of a failure is not repeated: it may contain the key. */

#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <httpd.h>
#include <mod_dbd.h>

#include "httpd/msd_import_dbd.h"

/** A statement, and the connection on which it was prepared. */
typedef struct statement_t {
    ap_dbd_t *dbd;
    apr_dbd_prepared_t *prepared;
} statement_t;

static apr_status_t find(statement_t *st, request_rec *r, const char *label, ddb_error_t *err)
{
    APR_OPTIONAL_FN_TYPE(ap_dbd_acquire) *acquire = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_acquire);

    st->dbd = acquire ? acquire(r) : NULL;
    if (!st->dbd) {
        return ddb_error_set(err, acquire ? DDB_EUNAVAILABLE : DDB_ECONFIG,
                             acquire ? "mod_dbd has no connection to its database: see its lines in this log"
                                     : "SessionDynamoDBImport dbd needs mod_dbd: load it");
    }
    st->prepared = apr_hash_get(st->dbd->prepared, label, APR_HASH_KEY_STRING);
    return st->prepared
               ? APR_SUCCESS
               : ddb_error_set(err, DDB_ECONFIG,
                               "SessionDynamoDBImport dbd needs a statement with the label %s (DBDPrepareSQL), "
                               "as mod_session_dbd does",
                               label);
}

static apr_status_t failed(ddb_error_t *err, const char *label, int rv)
{
    return ddb_error_set(err, DDB_EUNAVAILABLE, "the database of mod_dbd failed to run %s (its status: %d)", label, rv);
}

apr_status_t msd_import_dbd_select(const char **value, request_rec *r, msd_session_t *s, const char *key)
{
    const char *label = s->conf->import->select_label;
    apr_int64_t now = s->now;
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;
    statement_t st;
    apr_status_t rv = find(&st, r, label, &s->error);
    int said;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    said = apr_dbd_pvbselect(st.dbd->driver, r->pool, st.dbd->handle, &results, st.prepared, 0, key, &now, NULL);
    if (said) {
        return failed(&s->error, label, said);
    }
    /* To the end: only then is the result given back. */
    while ((said = apr_dbd_get_row(st.dbd->driver, r->pool, results, &row, -1)) == 0) {
        *value = *value ? *value : apr_pstrdup(s->pool, apr_dbd_get_entry(st.dbd->driver, row, 0));
    }
    return said == -1 ? APR_SUCCESS : failed(&s->error, label, said);
}

apr_status_t msd_import_dbd_delete(request_rec *r, const msd_session_t *s, const char *key, ddb_error_t *err)
{
    const char *label = s->conf->import->delete_label;
    statement_t st;
    apr_status_t rv = find(&st, r, label, err);
    int said, rows = 0;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    said = apr_dbd_pvbquery(st.dbd->driver, r->pool, st.dbd->handle, &rows, st.prepared, key, NULL);
    return said ? failed(err, label, said) : APR_SUCCESS;
}
