#ifndef MSD_SAVE_INT_H
#define MSD_SAVE_INT_H

#include "httpd/msd_save.h"

/* Shared by the files of msd_save. */

/** One write: the request that makes it, the session, the store call. */
typedef struct msd_save_t {
    request_rec *r;
    msd_request_t *q;
    msd_session_t *s;
    const ddb_store_call_t *call;
} msd_save_t;

typedef apr_status_t msd_save_fn(const msd_save_t *w);

/** Do the write within the budget of w's tree. */
apr_status_t msd_save_run(msd_save_fn *write, msd_save_t w);

/** The encoded entries, into row. */
void msd_save_set_payload(const msd_session_t *s, ddb_session_t *row);

/** Another request changed the row: merge both changes into the entries, with the current row as the new base. */
apr_status_t msd_save_merge(request_rec *r, msd_session_t *s, const ddb_session_t *current);

/** Store row, complete but for its ID, under a new one. What a failure may have left is deleted later. */
apr_status_t msd_save_insert_row(const msd_save_t *w, ddb_session_t *row);

/** The same with the entries and the user of the session. */
apr_status_t msd_save_insert(const msd_save_t *w, ddb_session_t *row);

/** Delete a row that no session uses (any more). If that fails now, it is tried again later. */
void msd_save_take_away(const msd_save_t *w, const char *key);

/** The session is row now; sends the ID if it is new. */
void msd_save_stored(msd_session_t *s, const ddb_session_t *row);

/** Move the session to a new ID, and end the old one. @return APR_NOTFOUND if another request ended it first. */
apr_status_t msd_save_renew(const msd_save_t *w);

#endif
