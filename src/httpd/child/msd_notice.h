#ifndef MSD_NOTICE_H
#define MSD_NOTICE_H

#include <httpd.h>

#include "store/ddb_store.h"

/** To be called after store calls: log what changed for all of them, such as a store that is gone or back. */
void msd_notice_log(const server_rec *s, ddb_store_t *store);

#endif
