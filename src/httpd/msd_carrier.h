#ifndef MSD_CARRIER_H
#define MSD_CARRIER_H

#include <httpd.h>

#include "httpd/conf/msd_config.h"

/*
 * How the session ID travels between client and server: in a cookie or, with SessionDynamoDBUseHeader On, in a header.
 * The mechanism that is not configured is ignored, both ways. Nothing here is ever logged: httpd's own cookie helpers
 * are not used because they log cookies, and because they split at commas.
 */

/** What came in cookies of one name, or in the header. */
typedef struct msd_carrier_t {
    const char *name;
    int header;               /* 1: a header; 0: cookies */
    apr_array_header_t *sids; /* const char *: the values, of any form, in the order they came; at least one */
} msd_carrier_t;

/**
 * Take session IDs out of the request's headers, so that no handler and no backend sees one: what is in conf's carrier,
 * and the cookies whose names are in others (const char *; NULL for none). Out of variables, too, that were made of the
 * headers for another request of the tree. Costs time and memory linear in what came.
 * @return msd_carrier_t for each carrier that something came in, in p; never NULL.
 */
apr_array_header_t *msd_carrier_take(request_rec *r, const msd_dir_config_t *conf, const apr_array_header_t *others,
                                     apr_pool_t *p);

/** The carrier of this name among carriers (msd_carrier_t); NULL when nothing came in it. */
msd_carrier_t *msd_carrier_find(const apr_array_header_t *carriers, const char *name, int header);

/**
 * Take out of the response what is said in conf's carrier: only we hand out and end IDs.
 * @return the name of the carrier when something was, else NULL.
 */
const char *msd_carrier_clear(request_rec *r, const msd_dir_config_t *conf);

/**
 * Make sure that the response carries the ID, once, whatever its status. expires (epoch seconds) is for persistent
 * cookies.
 */
void msd_carrier_issue(request_rec *r, const msd_dir_config_t *conf, const char *sid, apr_int64_t expires);

/** Make sure that the response ends the ID, once: a cookie with the same attributes in the past, or an empty header. */
void msd_carrier_end(request_rec *r, const msd_dir_config_t *conf);

#endif
