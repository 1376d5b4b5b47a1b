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

#define CONNECTIONS 65

typedef struct client_t {
    ddb_curl_opts_t o;
    const char *url;
    apr_pool_t *pool;
} client_t;

/* One exchange over a new connection, so that its session tickets have arrived. user: another peer each time, whose
 * session nobody has; -1: none. */
static ddb_curl_connection_t *ask(const client_t *client, int user)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    ddb_curl_target_t target = { .url = client->url, .timeout = apr_time_from_sec(30) };
    ddb_curl_connection_t *c;
    ddb_error_t err;
    char reply[4096];
    apr_size_t len = sizeof(request) - 1, space = sizeof(reply);

    if (user >= 0) {
        target.url = apr_psprintf(client->pool, "https://u%d@%s", user, client->url + strlen("https://"));
    }
    if (ddb_curl_connect(&c, &client->o, &target, &err) != APR_SUCCESS) {
        fail(err.detail);
    }
    c->end = ddb_clock_monotonic(&ddb_clock_system) + apr_time_from_sec(30);
    if (c->stream.send(c->stream.baton, request, &len) != APR_SUCCESS
        || c->stream.receive(c->stream.baton, reply, &space) != APR_SUCCESS) {
        fail("no answer");
    }
    return c;
}

/* One connection is there before: the CAs that are shared are read with it. The more there are the less it matters
 * what is allocated once. */
static void measure_memory(const client_t *client)
{
    ddb_curl_connection_t *made[CONNECTIONS];
    long one = 0, some = 0;
    int i;

    for (i = 0; i < CONNECTIONS; i++) {
        made[i] = ask(client, -1);
        one = i == 0 ? resident_kb() : one;
        some = i == 32 ? resident_kb() : some;
    }
    printf("memory of a connection: %.1f KB of 33, %.1f KB of 65\n", (some - one) / 32.0, (resident_kb() - one) / 64.0);
    for (i = 0; i < CONNECTIONS; i++) {
        ddb_curl_connection_close(made[i]);
    }
}

static double cpu_of(const client_t *client, int n, int is_new)
{
    double before = cpu_ms();
    int i;

    for (i = 0; i < n; i++) {
        ddb_curl_connection_close(ask(client, is_new ? i : -1));
    }
    return (cpu_ms() - before) / n;
}

static void measure_cpu(const client_t *client, ddb_tls_t *tls)
{
    ddb_tls_counts_t counts;

    printf("CPU of 50 connections with an exchange, nothing resumed: %.2f ms each\n", cpu_of(client, 50, 1));
    printf("of 50 more, resumed where that is possible: %.2f ms each\n", cpu_of(client, 50, 0));
    if (tls) {
        counts = ddb_tls_counts(tls);
        printf("%u handshakes, %u resumed, CAs read %u times\n", counts.full + counts.resumed, counts.resumed,
               counts.reads);
    }
}

int main(int argc, char **argv)
{
    client_t client = { .url = argc == 4 ? argv[2] : NULL };
    ddb_http_transport_t http;
    ddb_curl_t *c;

    if (!client.url) {
        fail("CA_FILE URL WAY");
    }
    apr_initialize();
    apr_pool_create(&client.pool, NULL);
    client.o = (ddb_curl_opts_t){ .ca_file = argv[1], .separate_cas = strcmp(argv[3], "separate") == 0 };
    if (ddb_curl_create(&c, &http, &client.o, client.pool) != APR_SUCCESS) {
        fail("no transport");
    }
    client.o = c->o;
    measure_memory(&client);
    measure_cpu(&client, client.o.tls);
    ddb_curl_destroy(c);
    apr_pool_destroy(client.pool);
    apr_terminate();
    return 0;
}
