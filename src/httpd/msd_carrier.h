#ifndef MSD_CARRIER_H
#define MSD_CARRIER_H

#include <httpd.h>

#include "httpd/conf/msd_config.h"

/*
 * How the session ID travels between client and server: in a cookie or, with SessionDynamoDBUseHeader On, in a header.
 * The mechanism that is not configured is ignored in both directions. Nothing here is logged. httpd's own cookie
 * helpers are not used, because they log cookies and split at commas.
 */

/** The values that came in cookies of one name, or in the header. */
typedef struct msd_carrier_t {
    const char *name;
    int header;               /* 1: a header; 0: cookies */
    apr_array_header_t *sids; /* const char *: the values, valid or not, in order of arrival; at least one */
} msd_carrier_t;

/**
 * Remove session IDs from the request's headers, so that handlers and backends never see one: conf's carrier, the
 * cookie of the sessions that conf imports, and the cookies named in others (const char *; may be NULL). Also removes
 * them from variables that were made from the headers for another request of the tree. Time and memory are linear in
 * the size of the input.
 * @return an msd_carrier_t for each carrier that was present, in p; NULL: none was.
 */
apr_array_header_t *msd_carrier_take(request_rec *r, const msd_dir_config_t *conf, const apr_array_header_t *others,
                                     apr_pool_t *p);

/** The carrier of this name among carriers (msd_carrier_t); NULL if it was not present. */
msd_carrier_t *msd_carrier_find(const apr_array_header_t *carriers, const char *name, int header);

/**
 * Remove conf's carrier from the response: only this module issues and deletes IDs.
 * @return the name of the carrier if it was present, else NULL.
 */
const char *msd_carrier_clear(request_rec *r, const msd_dir_config_t *conf);

/**
 * Send the ID with the response, whatever the status; exactly once, after msd_carrier_clear. expires (epoch seconds) is
 * for persistent cookies, which end at the latest 400 days from now.
 */
void msd_carrier_issue(request_rec *r, const msd_dir_config_t *conf, const char *sid, apr_time_t now,
                       apr_int64_t expires);

/** Delete the client's ID, likewise: by an expired cookie with the same attributes, or an empty header. */
void msd_carrier_end(request_rec *r, const msd_dir_config_t *conf);

/** Delete the cookie of the sessions that conf imports, likewise. */
void msd_carrier_end_old(request_rec *r, const msd_dir_config_t *conf);
/*
 * SessionDynamoDBDeviceBound: a second cookie, of short life (seconds), beside that of the ID. The browser compares its
 * attributes with those that it was told, so both are made by one function.
 */

/** Its name, in p. */
const char *msd_carrier_device(const msd_dir_config_t *conf, apr_pool_t *p);

/** Its attributes, but its lifetime, in p. */
const char *msd_carrier_device_attributes(const msd_dir_config_t *conf, apr_pool_t *p);

void msd_carrier_issue_device(request_rec *r, const msd_dir_config_t *conf, const char *value, apr_int64_t lifetime);
void msd_carrier_end_device(request_rec *r, const msd_dir_config_t *conf);

#endif
