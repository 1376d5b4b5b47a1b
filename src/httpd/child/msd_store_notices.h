#ifndef MSD_STORE_NOTICES_H
#define MSD_STORE_NOTICES_H

#include <httpd.h>

#include "aws/ddb_breaker.h"
#include "aws/ddb_skew.h"

/** What tells of changes that concern all store calls. */
typedef struct msd_store_notices_t {
    ddb_breaker_t *breaker; /* NULL: none */
    ddb_skew_t *skew;
} msd_store_notices_t;

/** To be called after store calls: log what changed for all of them, such as a store that is gone or back. */
void msd_store_notices_log(const server_rec *s, const msd_store_notices_t *from);

#endif
