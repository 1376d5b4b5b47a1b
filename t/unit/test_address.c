/* IP addresses and their networks. */

#include <apr_strings.h>

#include "base/ddb_address.h"
#include "tap.h"

static const char *network(const char *ip, int v4, int v6, apr_pool_t *p)
{
    ddb_address_t a;

    if (!ddb_address_read(&a, ip)) {
        return "none";
    }
    ddb_address_mask(&a, v4, v6);
    return ddb_address_text(&a, p);
}

static void test_networks(apr_pool_t *p)
{
    static const struct {
        const char *ip;
        int v4, v6;
        const char *network;
    } rows[] = {
        { "192.0.2.130", 32, 128, "192.0.2.130" },
        { "192.0.2.130", 24, 56, "192.0.2.0" },
        { "192.0.2.130", 25, 56, "192.0.2.128" },
        { "192.0.2.130", 1, 56, "128.0.0.0" },
        { "192.0.2.130", 0, 56, "0.0.0.0" },
        { "::ffff:192.0.2.130", 24, 56, "192.0.2.0" },
        { "2001:db8:1:23ff::1", 24, 56, "2001:db8:1:2300::" },
        { "2001:DB8:1:23ff::1", 24, 64, "2001:db8:1:23ff::" },
        { "2001:db8:1:23ff::1", 24, 128, "2001:db8:1:23ff::1" },
        { "2001:db8:1:23ff::1", 24, 0, "::" },
        { "fe80::1%eth0", 24, 64, "fe80::" },
        { "::", 24, 56, "::" },
        { "", 24, 56, "none" },
        { "192.0.2", 24, 56, "none" },
        { "192.0.2.130 ", 24, 56, "none" },
        { "unix:/run/socket", 24, 56, "none" },
        { "2001:db8:1:23ff:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:0:1:2:3:4", 24, 56, "none" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        IS(network(rows[i].ip, rows[i].v4, rows[i].v6, p), rows[i].network,
           apr_psprintf(p, "%s, %d or %d bits", rows[i].ip, rows[i].v4, rows[i].v6));
    }
}

TAP_MAIN(p)
{
    test_networks(p);
}
