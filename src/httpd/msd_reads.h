#ifndef MSD_READS_H
#define MSD_READS_H

#include "httpd/msd_calls.h"

/*
 * How the load of a session reads its rows: from the cache (SessionDynamoDBCache), in one read with other requests
 * (SessionDynamoDBShareReads), or alone.
 */

/** The reads of one session ID; all zero before the first begin. */
typedef struct msd_reads_t {
    ddb_store_reader_t reader;
    const server_rec *server;
    int fresh;  /* 1: not from the cache */
    int cached; /* rows that came from the cache */
    int shared; /* rows that another request read */
} msd_reads_t;

/** Have call read rows as s has it. reads must stay valid, at the same address, as long as call. */
void msd_reads_begin(msd_reads_t *reads, const server_rec *s, ddb_store_call_t *call);

/**
 * The rows gave no session: 1 if they are to be read again, because one came from the cache. A cached row may say that
 * a session lives, and what is in it, but not that it is over: another server may have prolonged it.
 */
int msd_reads_again(msd_reads_t *reads);

#endif
