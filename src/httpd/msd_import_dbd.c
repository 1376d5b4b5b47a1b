/* The rows of mod_session_dbd. What the database says of a failure is not repeated: it may contain the key. */

#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <httpd.h>
#include <mod_dbd.h>

#include "httpd/msd_import_dbd.h"

/** The connection of r; NULL: the reason is in *rv and err. */
static ap_dbd_t *reach(request_rec *r, apr_status_t *rv, ddb_error_t *err)
{
    APR_OPTIONAL_FN_TYPE(ap_dbd_acquire) *acquire = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_acquire);
    ap_dbd_t *dbd = acquire ? acquire(r) : NULL;

    if (!acquire) {
        *rv = ddb_error_set(err, DDB_ECONFIG, "SessionDynamoDBImport dbd needs mod_dbd: load it");
    }
    else if (!dbd) {
        *rv = ddb_error_set(err, DDB_EUNAVAILABLE,
                            "mod_dbd has no connection to its database: see its lines in this log");
    }
    return dbd;
}

/** The statement with that label; NULL likewise. */
static apr_dbd_prepared_t *find(const ap_dbd_t *dbd, const char *label, apr_status_t *rv, ddb_error_t *err)
{
    apr_dbd_prepared_t *found = dbd ? apr_hash_get(dbd->prepared, label, APR_HASH_KEY_STRING) : NULL;

    if (dbd && !found) {
        *rv = ddb_error_set(err, DDB_ECONFIG,
                            "SessionDynamoDBImport dbd needs a statement with the label %s (DBDPrepareSQL), as "
                            "mod_session_dbd does",
                            label);
    }
    return found;
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
    apr_status_t rv = APR_SUCCESS;
    const ap_dbd_t *dbd = reach(r, &rv, &s->error);
    apr_dbd_prepared_t *statement = find(dbd, label, &rv, &s->error);
    int said;

    if (!dbd || !statement) {
        return rv;
    }
    said = apr_dbd_pvbselect(dbd->driver, r->pool, dbd->handle, &results, statement, 0, key, &now, NULL);
    if (said) {
        return failed(&s->error, label, said);
    }
    /* To the end: only then is the result given back. */
    while ((said = apr_dbd_get_row(dbd->driver, r->pool, results, &row, -1)) == 0) {
        *value = *value ? *value : apr_pstrdup(s->pool, apr_dbd_get_entry(dbd->driver, row, 0));
    }
    return said == -1 ? APR_SUCCESS : failed(&s->error, label, said);
}

apr_status_t msd_import_dbd_delete(request_rec *r, const msd_session_t *s, const char *key, ddb_error_t *err)
{
    const char *label = s->conf->import->delete_label;
    apr_status_t rv = APR_SUCCESS;
    const ap_dbd_t *dbd = reach(r, &rv, err);
    apr_dbd_prepared_t *statement = find(dbd, label, &rv, err);
    int said, rows = 0;

    if (!dbd || !statement) {
        return rv;
    }
    said = apr_dbd_pvbquery(dbd->driver, r->pool, dbd->handle, &rows, statement, key, NULL);
    return said ? failed(err, label, said) : APR_SUCCESS;
}
