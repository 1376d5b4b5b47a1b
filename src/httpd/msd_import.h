#ifndef MSD_IMPORT_H
#define MSD_IMPORT_H

#include "httpd/msd_session.h"

/*
 * Sessions of mod_session_cookie and mod_session_dbd (SessionDynamoDBImport), read as those modules would read them.
 * Only what mod_session_crypto authenticates counts as a session of mod_session_cookie, and only a row as one of
 * mod_session_dbd. Nothing of them is logged.
 */

/** An old session. In the pool of the session into which it goes. */
typedef struct msd_import_t {
    const char *cookie;   /* the value that came: a secret */
    const char *sid;      /* the ID that stands for it, ddb_sid_derive */
    apr_table_t *entries; /* NULL: there is none, or it is no longer there */
    int is_forged;        /* 1: the value can't be one, or is not authentic */
    int is_over;          /* 1: it has expired, or has no entries */
} msd_import_t;

/**
 * Read the old session of a cookie that came to the place of s, whose place imports.
 * @return APR_SUCCESS with the result in *old; DDB_ECONFIG if the place does not authenticate such cookies, or mod_dbd
 *         lacks a statement; DDB_ETOOLARGE; another failure of the database. s->error describes failures.
 */
apr_status_t msd_import_read(request_rec *r, msd_session_t *s, const char *cookie, msd_import_t *old);

/** The entries of the old session become those of s, new and empty, as if this request had set them. */
void msd_import_fill(msd_session_t *s, const msd_import_t *old);

/** The old session is imported: delete its row. A failure is logged; the session cannot be imported again. */
void msd_import_taken(request_rec *r, const msd_session_t *s, const msd_import_t *old);

#endif
