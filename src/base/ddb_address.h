#ifndef DDB_ADDRESS_H
#define DDB_ADDRESS_H

#include <apr_pools.h>

/* IP addresses, and the networks that they are of. */

/** An address, or a network: the bits behind its prefix are 0. Plain data. */
typedef struct ddb_address_t {
    unsigned char bytes[16];
    apr_size_t len; /* of bytes: 4 for IPv4, 16 for IPv6 */
} ddb_address_t;

/** Read an address. One of IPv4 in IPv6 (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) is the one of IPv4; the zone of a
 * link-local one (RFC 4007) is dropped. @return 0 if ip is no IP address. */
int ddb_address_read(ddb_address_t *a, const char *ip);

/** The network of a: its first v4 bits if it is of IPv4, otherwise its first v6. */
void ddb_address_mask(ddb_address_t *a, int v4, int v6);

/** As text, in p, without the length of a prefix. */
const char *ddb_address_text(const ddb_address_t *a, apr_pool_t *p);

#endif
