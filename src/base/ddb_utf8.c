/* UTF-8. Own code because APR has a check for Windows only, cJSON has no check, and servers handle invalid bytes
 * differently. */

#include "base/ddb_utf8.h"

/* What the second byte may be depends on the first. */
static int is_second(unsigned char first, unsigned char second)
{
    unsigned char low = 0x80, high = 0xbf; /* shuts out long forms, surrogates, past U+10FFFF */

    switch (first) {
    case 0xe0:
        low = 0xa0;
        break;
    case 0xed:
        high = 0x9f;
        break;
    case 0xf0:
        low = 0x90;
        break;
    case 0xf4:
        high = 0x8f;
        break;
    default:
        break;
    }
    return second >= low && second <= high;
}

apr_size_t ddb_utf8_sequence(const char *in, apr_size_t left)
{
    const unsigned char *c = (const unsigned char *)in;
    apr_size_t n, i;

    if (c[0] < 0x80) {
        return 1;
    }
    if (c[0] < 0xc2 || c[0] > 0xf4) {
        return 0;
    }
    n = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    if (n > left || !is_second(c[0], c[1])) {
        return 0;
    }
    for (i = 2; i < n; i++) {
        if (c[i] < 0x80 || c[i] > 0xbf) {
            return 0;
        }
    }
    return n;
}
