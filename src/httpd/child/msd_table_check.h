#ifndef MSD_TABLE_CHECK_H
#define MSD_TABLE_CHECK_H

#include <httpd.h>

#include "httpd/child/msd_credentials_refresh.h"
#include "httpd/child/msd_store_notices.h"
#include "store/ddb_table.h"

/*
 * What is done once for each start of httpd, in the background: the table is looked at, and made where that is asked
 * for. What is found is for the error log; requests neither wait for it nor go by it.
 */
typedef struct msd_table_check_t {
    ddb_table_t table; /* with a client of its own: its failures are none of the requests' */
    msd_store_notices_t notices;
    const server_rec *server;
    msd_credentials_refresh_t *thread; /* that this is a job of */
    int check;                         /* 1: say what is wrong, or that nothing is */
    int create;                        /* 1: create the table if it is missing */
} msd_table_check_t;

/** A job for msd_credentials_refresh_first; baton is a msd_table_check_t. Ends soon when the thread is to end. */
void msd_table_check_look(void *baton);

#endif
