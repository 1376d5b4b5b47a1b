#ifndef MSD_STORE_NOTICES_H
#define MSD_STORE_NOTICES_H

#include <httpd.h>

#include "store/ddb_store.h"

/** To be called after store calls: log what changed for all of them, such as a store that is gone or back. */
void msd_store_notices_log(const server_rec *s, ddb_store_t *store);

#endif
