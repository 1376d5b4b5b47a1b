#ifndef MSD_PAYLOAD_H
#define MSD_PAYLOAD_H

#include "httpd/msd_session.h"

/*
 * The stored form of a session's entries: mod_session's own, through its hooks (and so through mod_session_crypto), or
 * a JSON object, which dynamodb-session-flask shares. The object is never encrypted. A configuration that would encrypt
 * it is refused: the other side could not read it, and storing clear text would not be what was configured.
 */

/** @return APR_SUCCESS if r's sessions can be stored as configured; otherwise a failure, described in s->error. */
apr_status_t msd_payload_check(request_rec *r, msd_session_t *s);

/** Decode the payload of row into the entries of z; with json, s->members becomes its object. */
apr_status_t msd_payload_decode(request_rec *r, msd_session_t *s, session_rec *z, const ddb_session_t *row);

/** Decode text that is in mod_session's own form, and perhaps encrypted, into the entries of z. */
apr_status_t msd_payload_decode_text(request_rec *r, msd_session_t *s, session_rec *z, const char *text);

/**
 * For the decode hook, just before mod_session's own: decode z here if msd_payload_decode asked for it. By then other
 * hooks have decrypted it.
 * @return DDB_ETOOLARGE, described in s->error, if there are more entries than SessionDynamoDBMaxEntries.
 */
apr_status_t msd_payload_decode_form(msd_session_t *s, session_rec *z);

/**
 * For the encode hook, before mod_session's own, whose cost is quadratic in the number of entries.
 * @return as msd_payload_decode_form.
 */
apr_status_t msd_payload_limit_encode(msd_session_t *s);

/** Encode the entries of s->z into s->z->encoded. */
apr_status_t msd_payload_encode(request_rec *r, msd_session_t *s);

/** 1 if the stored form would have no entries. */
int msd_payload_empty(const msd_session_t *s);

#endif
