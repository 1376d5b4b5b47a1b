#ifndef MSD_PAYLOAD_H
#define MSD_PAYLOAD_H

#include "httpd/msd_session.h"

/*
 * The entries of a session as they are stored: in mod_session's own form, through its hooks (and so through
 * mod_session_crypto), or as a JSON object that dynamodb-session-flask shares. The object is never encrypted: what
 * would encrypt it is refused, because the other side could not read it, and clear text is not what was asked for.
 */

/** APR_SUCCESS when what is stored for r is as the configuration means it; else what is wrong is said in s->error. */
apr_status_t msd_payload_check(request_rec *r, msd_session_t *s);

/** Read the payload of row into the entries of z; with json s->members becomes its object. */
apr_status_t msd_payload_decode(request_rec *r, msd_session_t *s, session_rec *z, const ddb_session_t *row);

/**
 * For the hooks that decode and encode, where mod_session's own are not reached yet, whose cost grows with the square
 * of the number of entries: DDB_ETOOLARGE, said in s->error, when there are more than SessionDynamoDBMaxEntries. The
 * first is about a payload that other hooks have decrypted by then, and about none but the one being decoded here.
 */
apr_status_t msd_payload_limit_decode(msd_session_t *s, const session_rec *z);
apr_status_t msd_payload_limit_encode(msd_session_t *s);

/** Write the entries of s->z into s->z->encoded. */
apr_status_t msd_payload_encode(request_rec *r, msd_session_t *s);

/** 1 when what is stored would hold nothing. */
int msd_payload_empty(const msd_session_t *s);

#endif
