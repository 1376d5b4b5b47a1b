#ifndef MSD_DEVICE_REQUESTS_H
#define MSD_DEVICE_REQUESTS_H

#include "httpd/msd_request.h"

/*
 * Requests that are answered for SessionDynamoDBDeviceBound, before access control and without a handler: those by
 * which browsers register the key of their device, and prove that they have it (Device Bound Session Credentials, W3C
 * draft); and the arrival from another site, with which browsers send no proof.
 */

/** 1 if the session has to be loaded before msd_device_requests_answer. Cheap. */
int msd_device_requests_want_session(const request_rec *r);

/** @return DONE if r was answered; else DECLINED, and a handler sees no header of this protocol. */
int msd_device_requests_answer(request_rec *r);

#endif
