#ifndef MSD_DEVICE_H
#define MSD_DEVICE_H

#include "httpd/msd_request.h"

/*
 * SessionDynamoDBDeviceBound: sessions that are bound to a device (Device Bound Session Credentials, W3C draft). A
 * browser that gets a new ID is invited to register a key, which does not leave the device. From then on the session
 * needs a second cookie of short life, which the browser gets for a proof that it has the key. A copy of both cookies
 * is worth nothing when that life is over. ddb_device.h has the texts, ddb_jws.h the proofs, msd_device_requests.h the
 * requests.
 *
 * An ordinary request costs no call more: its cookie is compared with the row, which is read anyway.
 */

/** What a request is for. */
typedef enum msd_device_ask_e {
    MSD_DEVICE_ASK_NOTHING,
    MSD_DEVICE_ASK_REGISTER, /* a browser registers its key */
    MSD_DEVICE_ASK_REFRESH,  /* it proves that it has the key */
    MSD_DEVICE_ASK_ARRIVE    /* a page is opened from another site */
} msd_device_ask_e;

/** By its path, and what it says. Cheap where devices do not matter. */
msd_device_ask_e msd_device_ask(const request_rec *r);

/** Names below the folder (SessionDynamoDBDevicePath). */
#define MSD_DEVICE_REGISTER "register"
#define MSD_DEVICE_REFRESH  "refresh"

/** Judge the session that r has loaded. If it is bound and the proof is missing (stale), it becomes a new, empty one;
 * its row and its ID are left alone. A cookie of the device that proves nothing is deleted. */
void msd_device_judge(request_rec *r, const msd_request_t *q, msd_session_t *s);

/** Before the insert of row, which gets a new ID: whether it may be bound, or stays bound. */
void msd_device_begin(const msd_session_t *s, ddb_session_t *row);

/** Call with the headers of r's response, which sends the ID of s: invites the browser to register a key, if the ID is
 * new. */
void msd_device_invite(request_rec *r, const msd_session_t *s);

#endif
