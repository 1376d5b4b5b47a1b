#ifndef MSD_TABLE_CHECK_H
#define MSD_TABLE_CHECK_H

#include <httpd.h>

#include "httpd/child/msd_credentials_refresh.h"
#include "httpd/child/msd_store_notices.h"
#include "store/ddb_table.h"

/*
 * The table check, once per start of httpd and in the background; it also creates the table if configured. Findings go
 * to the error log. Requests do not wait for the check, and do not depend on its result.
 */
typedef struct msd_table_check_t {
    ddb_table_t table; /* has its own client, so that its failures do not affect requests */
    msd_store_notices_t notices;
    const server_rec *server;
    msd_credentials_refresh_t *thread; /* runs this job */
    int check;                         /* 1: log the problems, or that there are none */
    int create;                        /* 1: create the table if it is missing */
} msd_table_check_t;

/** A job for msd_credentials_refresh_first; baton is an msd_table_check_t. Ends soon if the thread must end. */
void msd_table_check_look(void *baton);

#endif
