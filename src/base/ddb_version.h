#ifndef DDB_VERSION_H
#define DDB_VERSION_H

/* The version of all that is built here; configure reads this line. A build by apxs alone has no configure, hence a
 * header. build/check-versions compares with it what packages, manual pages and CHANGES say. */
#define DDB_VERSION "0.1.0"

#endif
