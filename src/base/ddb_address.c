/* IP addresses, by the system's functions. */

#include <arpa/inet.h>
#include <string.h>

#include <apr_strings.h>

#include "base/ddb_address.h"

int ddb_address_read(ddb_address_t *a, const char *ip)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    char plain[INET6_ADDRSTRLEN];

    memset(a, 0, sizeof(*a));
    if (inet_pton(AF_INET, ip, a->bytes) == 1) {
        a->len = 4;
        return 1;
    }
    apr_cpystrn(plain, ip, sizeof(plain));
    plain[strcspn(plain, "%")] = '\0';
    if (inet_pton(AF_INET6, plain, a->bytes) != 1) {
        return 0;
    }
    a->len = 16;
    if (memcmp(a->bytes, mapped, sizeof(mapped)) == 0) {
        memcpy(a->bytes, a->bytes + sizeof(mapped), 4);
        memset(a->bytes + 4, 0, sizeof(mapped));
        a->len = 4;
    }
    return 1;
}

void ddb_address_mask(ddb_address_t *a, int v4, int v6)
{
    int i, bits = a->len == 4 ? v4 : v6;

    for (i = 0; i < (int)a->len; i++) {
        int left = bits - 8 * i;

        a->bytes[i] &= left >= 8 ? 0xff : left <= 0 ? 0 : (unsigned char)(0xff << (8 - left));
    }
}

const char *ddb_address_text(const ddb_address_t *a, apr_pool_t *p)
{
    char text[INET6_ADDRSTRLEN];

    return apr_pstrdup(p, inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes, text, sizeof(text)) ? text : "");
}
