#ifndef OPTIONS_H
#define OPTIONS_H

#include <apr_file_io.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "aws/ddb_profile.h"

/** What the program can be asked for; the bits tell which options go with which. */
typedef enum command_e {
    CHECK = 1,
    CREATE_TABLE = 2,
    SHOW = 4,
    END = 8,
    PURGE = 16,
    POLICY = 32,
    COST = 64,
    LIST = 128,
    TOP = 256,
    VERIFY = 512
} command_e;

/** The command line, checked. NULL and negative numbers: not given, unless said otherwise. */
typedef struct options_t {
    command_e command;
    const char *name;  /* of the command */
    const char *table; /* name or ARN; never NULL */
    const char *region, *endpoint_url, *ca_file, *proxy;
    ddb_profile_opts_t profile;
    apr_interval_time_t timeout; /* of one call; always there */
    int hash_sid;                /* 1 unless Off */
    int json, progress;
    int own_table; /* verify */
    int strict;    /* check: doubts are wrong */

    const char *hash;                          /* show, end: what the session is named by; NULL: all of the user's */
    const char *user, *realm, *audience;       /* list, end: whose sessions */
    apr_array_header_t *user_keys, *seal_keys; /* const char *, sources of keys (keys.h) */
    apr_interval_time_t patience;              /* create-table */
    const char *by;                            /* top: size, age or idle; always there */
    int number;                                /* top; always there */
    int dry_run;                               /* purge */
    apr_int64_t older_than;                    /* seconds; always there */
    const char *account;                       /* policy */
    int for_creation, for_check, for_operation;
    apr_int64_t requests, size;         /* cost */
    double read_only, changed, touched; /* percent */
    int eventual;
    double read_price, write_price; /* of a million units */
} options_t;

/**
 * Read the command line. @return APR_SUCCESS; APR_EOF when help or version was asked for, and was printed; APR_EINVAL
 * with *problem, a sentence that says what is wrong. o->json is right in any case.
 */
apr_status_t options_read(options_t *o, int argc, const char *const *argv, const char **problem, apr_pool_t *p);

#endif
