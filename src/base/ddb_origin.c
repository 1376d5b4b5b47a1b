/* Origins of URLs. */

#include <string.h>

#include "base/ddb_origin.h"

/** An authority without the port that its scheme has anyway. */
static size_t without_port(const char *authority, size_t len, const char *port)
{
    size_t digits = strlen(port);

    return len > digits && memcmp(authority + len - digits, port, digits) == 0 ? len - digits : len;
}

int ddb_origin_is_same(const char *url, const char *host, int tls)
{
    static const char plain[] = "http://", secure[] = "https://";
    int is_secure = strncasecmp(url, secure, strlen(secure)) == 0;
    const char *authority = url + (is_secure ? strlen(secure) : strlen(plain)), *port = is_secure ? ":443" : ":80";
    size_t theirs, ours;

    if (!host || (!is_secure && (tls || strncasecmp(url, plain, strlen(plain)) != 0))) {
        return 0;
    }
    theirs = without_port(authority, strcspn(authority, "/?#"), port);
    ours = without_port(host, strlen(host), port);
    return ours && ours == theirs && strncasecmp(authority, host, ours) == 0;
}
