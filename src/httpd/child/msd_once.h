#ifndef MSD_ONCE_H
#define MSD_ONCE_H

#include <httpd.h>

/*
 * Actions that only one of all child processes does for a virtual host, once per start of httpd: flags in shared
 * memory, without locks, each set by the first child that asks.
 */
typedef struct msd_once_t msd_once_t;

typedef enum msd_once_e {
    MSD_ONCE_TABLE_CHECK,  /* a flag of the main server, for all tables */
    MSD_ONCE_PLAIN_NOTICE, /* the report of a Secure cookie on an unencrypted connection */
    MSD_ONCE_ONE_ADDRESS,  /* the report that all clients seem to have the address of a balancer */
    MSD_ONCE_EVENT_LOST,   /* the report of an event that could not be written */
    MSD_ONCE_COUNT         /* the number of flags per host */
} msd_once_e;

/** Create the flags of all hosts, unset, in the parent process before fork. Freed with p. */
apr_status_t msd_once_create(msd_once_t **po, const server_rec *main_server, apr_pool_t *p);

/** @return 1 for the first process or thread that asks for this host; 0 for all others, and if there are no flags. */
int msd_once_first(const server_rec *s, msd_once_e what);

#endif
