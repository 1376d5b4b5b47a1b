#ifndef MSD_STORE_NOTICES_H
#define MSD_STORE_NOTICES_H

#include <httpd.h>

#include "aws/ddb_breaker.h"
#include "aws/ddb_skew.h"

/** The sources of notices about changes that affect all store calls. */
typedef struct msd_store_notices_t {
    ddb_breaker_t *breaker; /* NULL: off */
    ddb_skew_t *skew;
} msd_store_notices_t;

/** Log changes that affect all store calls, such as a store that fails or works again. Call after store calls. */
void msd_store_notices_log(const server_rec *s, const msd_store_notices_t *from);

#endif
