#ifndef MSD_LOAD_INT_H
#define MSD_LOAD_INT_H

#include "httpd/msd_load.h"

/* Shared by the files of msd_load. */

/** One load: the request, its tree, the session. */
typedef struct msd_load_t {
    request_rec *r;
    msd_request_t *q;
    msd_session_t *s;
} msd_load_t;

/** s becomes the session in row. @return APR_NOTFOUND if that has expired here; DDB_EBADITEM, DDB_ETOOLARGE. */
apr_status_t msd_load_accept(request_rec *r, msd_session_t *s, const ddb_session_t *row);

/** Record a failure, and discard a session that was found before it. @return rv. */
apr_status_t msd_load_fail(msd_session_t *s, apr_status_t rv);

/** Where the place imports sessions, after the IDs were looked up, with the result rv: import the one whose cookie
 * came, if there is no live session. @return rv, or a failure of the import. */
apr_status_t msd_load_import(const msd_load_t *w, apr_status_t rv);

#endif
