/* What a TLS connection costs: memory while it idles, CPU while it is made. tls_connections.py builds and runs it.
 * tls_connections CA_FILE URL WAY, where WAY is separate (each handle reads the CAs) or shared. */

#include <malloc.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "base/ddb_curl_int.h"

static void fail(const char *what)
{
    fprintf(stderr, "tls_connections: %s\n", what);
    exit(1);
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    malloc_trim(0);
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) {
        fail("no /proc/self/statm");
    }
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static ddb_curl_t *create(const char *ca_file, int separate, ddb_http_transport_t *http, apr_pool_t *p)
{
    ddb_curl_opts_t o = { .ca_file = ca_file, .max_idle_handles = 128, .separate_cas = separate };
    ddb_curl_t *c;

    if (ddb_curl_create(&c, http, &o, p) != APR_SUCCESS || (!separate && !ddb_curl_opts(c)->tls)) {
        fail("no such transport");
    }
    return c;
}

static long resident_with(ddb_curl_t *c, const char *url, int n)
{
    ddb_curl_warm_t warm = { .url = url, .n = n, .timeout = apr_time_from_sec(30) };

    if (ddb_curl_warm(c, &warm) != n) {
        fail("no connection");
    }
    return resident_kb();
}

/* One connection is there before: the CAs that are shared are read with it. The more there are the less it matters
 * what is allocated once. */
static void measure_memory(const char *ca_file, const char *url, int separate, apr_pool_t *p)
{
    ddb_http_transport_t http;
    ddb_curl_t *c = create(ca_file, separate, &http, p);
    long one = resident_with(c, url, 1), some, many;

    some = resident_with(c, url, 32);
    many = resident_with(c, url, 32);
    printf("memory of a connection: %.1f KB of 33, %.1f KB of 65\n", (some - one) / 32.0, (many - one) / 64.0);
    ddb_curl_destroy(c);
}

/* user: another peer each time, so that none is resumed. */
static double cpu_of(ddb_http_transport_t *http, const char *url, int n, int user, apr_pool_t *p)
{
    ddb_http_request_t req = { .method = "GET", .fresh_connection = 1, .max_response_bytes = 100000 };
    ddb_http_response_t res;
    double before = cpu_ms();
    int i;

    req.timeout = req.connect_timeout = apr_time_from_sec(30);
    for (i = 0; i < n; i++) {
        req.url = user ? apr_psprintf(p, "https://u%d@%s", i, url + 8) : url;
        if (http->perform(http->baton, &req, p, &res, NULL) != APR_SUCCESS || res.status != 200) {
            fail("no answer");
        }
    }
    return (cpu_ms() - before) / n;
}

static void measure_cpu(const char *ca_file, const char *url, int separate, apr_pool_t *p)
{
    ddb_http_transport_t http;
    ddb_curl_t *c = create(ca_file, separate, &http, p);
    ddb_tls_t *tls = ddb_curl_opts(c)->tls;

    printf("CPU of the first connection and exchange: %.2f ms\n", cpu_of(&http, url, 1, 0, p));
    printf("of 50 more, with new handshakes: %.2f ms each\n", cpu_of(&http, url, 50, 1, p));
    printf("of 50 more, resumed where that is possible: %.2f ms each\n", cpu_of(&http, url, 50, 0, p));
    if (tls) {
        printf("%u handshakes, %u resumed, CAs read %u times\n", ddb_tls_counts(tls).full + ddb_tls_counts(tls).resumed,
               ddb_tls_counts(tls).resumed, ddb_tls_counts(tls).reads);
    }
    ddb_curl_destroy(c);
}

int main(int argc, char **argv)
{
    apr_pool_t *p;
    int separate;

    if (argc != 4) {
        fail("CA_FILE URL WAY");
    }
    separate = strcmp(argv[3], "separate") == 0;
    apr_initialize();
    apr_pool_create(&p, NULL);
    measure_memory(argv[1], argv[2], separate, p);
    measure_cpu(argv[1], argv[2], separate, p);
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
