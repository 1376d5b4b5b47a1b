#ifndef MSD_ONCE_H
#define MSD_ONCE_H

#include <httpd.h>

/*
 * What is done once for a virtual host by all child processes of one start of httpd: flags in shared memory, each set
 * by the first child that asks, without locks.
 */
typedef struct msd_once_t msd_once_t;

typedef enum msd_once_e {
    MSD_ONCE_TABLE_CHECK,  /* asked for the main server, which stands for all tables */
    MSD_ONCE_PLAIN_NOTICE, /* the report of a Secure cookie on an unencrypted connection */
    MSD_ONCE_COUNT         /* of the flags of a host */
} msd_once_e;

/** Make the flags of all hosts, none of them set, in the parent process before fork. They go with p. */
apr_status_t msd_once_create(msd_once_t **po, const server_rec *main_server, apr_pool_t *p);

/** 1 for the first process or thread that asks for this host; 0 for all others, and where the flags are missing. */
int msd_once_first(const server_rec *s, msd_once_e what);

#endif
