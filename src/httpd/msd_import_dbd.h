#ifndef MSD_IMPORT_DBD_H
#define MSD_IMPORT_DBD_H

#include "httpd/msd_session.h"

/*
 * The rows of mod_session_dbd, by mod_dbd and the statements that mod_session_dbd needs (DBDPrepareSQL). Neither module
 * has to be loaded where nothing is imported. A database takes the time that its driver allows; SessionDynamoDBTimeout
 * is for the table.
 */

/** The text of the session with this key, in *value, in s->pool; NULL: there is none that is alive. @return DDB_ECONFIG
 * without such a statement; DDB_EUNAVAILABLE if the database fails. s->error describes failures. */
apr_status_t msd_import_dbd_select(const char **value, request_rec *r, msd_session_t *s, const char *key);

/** Delete the row with this key, if it is there. @return likewise, with err. */
apr_status_t msd_import_dbd_delete(request_rec *r, const msd_session_t *s, const char *key, ddb_error_t *err);

#endif
