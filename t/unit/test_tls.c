/* ddb_tls below ddb_curl, with the openssl command as servers: whom connections trust, when the CAs are read, which
 * connections resume a session. openssl s_server -www says in its page whether a session was resumed. */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/ssl.h>

#include "base/ddb_curl_int.h"
#include "crowd.h"
#include "program.h"
#include "tap.h"

/* ---- the CAs and their servers ---- */

static char dir[] = "/tmp/test_tls.XXXXXX";

static const char *in_dir(apr_pool_t *p, const char *name)
{
    return apr_pstrcat(p, dir, "/", name, NULL);
}

/* CAs one and two; one's server has two names, two's has one. */
static const char make[] =
    "cd %s && new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2' && for ca in one two; do "
    "openssl req -x509 $new -subj /CN=$ca -keyout $ca.key -out $ca.pem && "
    "openssl req -x509 $new -subj /CN=server -CA $ca.pem -CAkey $ca.key -addext basicConstraints=critical,CA:FALSE "
    "-addext subjectAltName=IP:127.0.0.1$(test $ca = one && echo ,DNS:localhost) -keyout server.$ca.key "
    "-out server.$ca.pem || exit 1; done 2>errors && mkdir cas && cp one.pem cas && openssl rehash cas && mkdir none";

typedef struct server_t {
    const char *ca, *version, *more; /* options of the command; more may be NULL */
    int port;
    pid_t pid;
} server_t;

static server_t server_13 = { .ca = "one", .version = "-tls1_3" };
static server_t server_12 = { .ca = "one", .version = "-tls1_2", .more = "-no_cache" };
static server_t server_ids = { .ca = "one", .version = "-tls1_2", .more = "-no_ticket" };
static server_t other = { .ca = "two", .version = "-tls1_3" };
static server_t *const servers[] = { &server_13, &server_12, &other, &server_ids };
#define SERVERS ((int)(sizeof(servers) / sizeof(servers[0])))

static int start(server_t *s, apr_pool_t *p)
{
    const char *argv[] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-www",  "-cert",
                           NULL,      "-key",     NULL,      s->version,    s->more, NULL };

    argv[6] = in_dir(p, apr_psprintf(p, "server.%s.pem", s->ca));
    argv[8] = in_dir(p, apr_psprintf(p, "server.%s.key", s->ca));
    return program_start(&s->pid, &s->port, argv);
}

static int start_all(apr_pool_t *p)
{
    int i;

    if (!mkdtemp(dir) || system(apr_psprintf(p, make, dir)) != 0) {
        return 0;
    }
    for (i = 0; i < SERVERS; i++) {
        if (!start(servers[i], p)) {
            return 0;
        }
    }
    return 1;
}

static void stop_all(apr_pool_t *p)
{
    int i;

    for (i = 0; i < SERVERS; i++) {
        if (servers[i]->pid > 0) {
            kill(servers[i]->pid, SIGTERM);
            waitpid(servers[i]->pid, NULL, 0);
        }
    }
    if (system(apr_psprintf(p, "rm -rf %s", dir)) != 0) {
        printf("# %s is left\n", dir);
    }
}

/* As rename does it: a change at one moment. */
static void install(apr_pool_t *p, const char *name, const char *as)
{
    if (system(apr_psprintf(p, "cd %s && cp %s new && mv new %s", dir, name, as)) != 0) {
        printf("Bail out! no %s\n", as);
        exit(1);
    }
}

/* ---- the client ---- */

typedef struct fixture_t {
    apr_pool_t *pool;
    ddb_curl_t *curl;
    ddb_http_transport_t http;
    ddb_error_t err;
} fixture_t;

static fixture_t *setup_with(apr_pool_t *p, const ddb_curl_opts_t *o)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));

    f->pool = p;
    if (ddb_curl_create(&f->curl, &f->http, o, p) != APR_SUCCESS) {
        printf("Bail out! no transport\n");
        exit(1);
    }
    return f;
}

static fixture_t *setup(apr_pool_t *p, const char *ca_file)
{
    ddb_curl_opts_t o = { .max_idle_connections = 4, .ca_file = in_dir(p, ca_file) };

    return setup_with(p, &o);
}

static void teardown(fixture_t *f)
{
    ddb_curl_destroy(f->curl);
}

static const char *answer_of(const char *page)
{
    return strstr(page, "Reused, TLSv1.3")   ? "resumed 1.3"
           : strstr(page, "New, TLSv1.3")    ? "full 1.3"
           : strstr(page, "Reused, TLSv1.2") ? "resumed 1.2"
           : strstr(page, "New, TLSv1.2")    ? "full 1.2"
                                             : page;
}

/* On a connection of its own: "full 1.3", "resumed 1.2" and so on, "" when there was no answer. */
static const char *ask_as(fixture_t *f, const server_t *s, const char *host, apr_pool_t *p)
{
    ddb_http_request_t req = { .method = "GET", .max_response_bytes = 100000 };
    ddb_http_response_t res = { .body = "" };

    req.url = apr_psprintf(p, "https://%s:%d/", host, s->port);
    req.timeout = req.connect_timeout = apr_time_from_sec(30);
    memset(&f->err, 0, sizeof(f->err));
    return f->http.perform(f->http.baton, &req, p, &res, &f->err) == APR_SUCCESS ? answer_of(res.body) : "";
}

static const char *ask(fixture_t *f, const server_t *s)
{
    return ask_as(f, s, "127.0.0.1", f->pool);
}

static ddb_tls_counts_t counts(const fixture_t *f)
{
    return ddb_tls_counts(f->curl->o.tls);
}

/* ---- the tests ---- */

static void test_resumption(apr_pool_t *p)
{
    fixture_t *f = setup(p, "one.pem"), *g;

    IS(ask(f, &server_13), "full 1.3", "the first connection shows the certificate");
    IS(ask(f, &server_13), "resumed 1.3", "the second resumes its session");
    IS(ask(f, &server_13), "resumed 1.3", "the third that of the second, or the other one of the first");
    IS(ask(f, &server_13), "resumed 1.3", "and so on");
    IS(ask_as(f, &server_13, "localhost", p), "full 1.3", "the same server by another name is another one");
    IS(ask(f, &server_12), "full 1.2", "and so is another port");
    IS(ask(f, &server_12), "resumed 1.2", "TLS 1.2 resumes as well, by tickets");
    IS(ask(f, &server_12), "resumed 1.2", "more than once");
    IS(ask(f, &server_ids), "full 1.2", "also where a server");
    IS(ask(f, &server_ids), "resumed 1.2", "remembers the session itself");
    IS(ask(f, &server_ids), "resumed 1.2", "more than once");
    IS(ask_as(f, &server_13, "localhost", p), "resumed 1.3", "all of them are kept");
    NUM_IS(counts(f).reads, 1, "the CAs were read once");
    NUM_IS(counts(f).full, 4, "all handshakes");
    NUM_IS(counts(f).resumed, 8, "are counted");
    g = setup(p, "one.pem");
    IS(ask(g, &server_13), "full 1.3", "another transport knows nothing of it");
    teardown(g);
    teardown(f);
}

static void test_limit(apr_pool_t *p)
{
    fixture_t *f = setup(p, "one.pem");
    int i, full = 0;

    for (i = 0; i < 40; i++) {
        full += strcmp(ask_as(f, &server_13, apr_psprintf(p, "u%d@127.0.0.1", i), p), "full 1.3") == 0;
    }
    NUM_IS(full, 40, "forty peers, each of which gives two sessions");
    IS(ask_as(f, &server_13, "u39@127.0.0.1", p), "resumed 1.3", "the last ones are kept");
    IS(ask_as(f, &server_13, "u20@127.0.0.1", p), "resumed 1.3", "and those before");
    IS(ask_as(f, &server_13, "u0@127.0.0.1", p), "full 1.3", "the first ones are gone");
    IS(ask_as(f, &server_13, apr_psprintf(p, "%0300d@127.0.0.1", 0), p), "full 1.3", "a URL too long to remember");
    IS(ask_as(f, &server_13, apr_psprintf(p, "%0300d@127.0.0.1", 0), p), "full 1.3", "is not");
    teardown(f);
}

static void check_trust(apr_pool_t *p, const ddb_curl_opts_t *o, const char *kind)
{
    ddb_curl_opts_t system_cas = *o, other_file = *o;
    fixture_t *f = setup_with(p, o);
    int i;

    OK(*ask(f, &server_13), apr_psprintf(p, "%s: a server of the CA is trusted", kind));
    IS(ask(f, &other), "", "one of another CA is not");
    OK(strstr(f->err.detail, "CA file"), "the detail says where to look");
    NUM_IS(f->err.unsettled, 0, "nothing was sent to it");
    OK(*ask(f, &server_13), "which the next connection does not mind");
    teardown(f);

    system_cas.ca_file = NULL;
    setenv("SSL_CERT_FILE", o->ca_file, 1);
    setenv("SSL_CERT_DIR", in_dir(p, "cas"), 1);
    f = setup_with(p, &system_cas);
    IS(ask(f, &server_13), "", "the system's CAs do not trust it, whatever OpenSSL's variables say");
    teardown(f);
    other_file.ca_file = in_dir(p, "missing.pem");
    f = setup_with(p, &other_file);
    IS(ask(f, &server_13), "", "nor does a file that is missing");
    OK(strstr(f->err.detail, "missing.pem"), "the detail names it");
    OK(strstr(f->err.detail, "check that the CA file exists and is readable"), "and says what to do");
    teardown(f);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");

    other_file.ca_file = in_dir(p, "server.one.pem");
    f = setup_with(p, &other_file);
    OK(*ask(f, &server_13), "a certificate of its own is trusted without its CA");
    teardown(f);

    other_file.ca_file = in_dir(p, "two.pem");
    f = setup_with(p, &other_file);
    OK(*ask(f, &other), "a server by a name that its certificate has");
    for (i = 0; i < 2; i++) {
        IS(ask_as(f, &other, "localhost", p), "", "but not by another, though the CA is right");
        OK(strstr(f->err.detail, "host name"), "as the detail says");
    }
    OK(*ask(f, &other), "and again by the right one");
    teardown(f);
}

/* A context of another copy of OpenSSL has methods at other addresses; so does a server's. */
static void test_other_copy(apr_pool_t *p)
{
    ddb_curl_opts_t o = { .ca_file = in_dir(p, "one.pem") };
    ddb_curl_failed_t failed = { .code = CURLE_NOT_BUILT_IN };
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    ddb_error_t err = { 0 };
    char why[CURL_ERROR_SIZE] = "error signaled by ssl ctx callback";

    NUM_IS(ddb_curl_share_cas(&o, p), APR_SUCCESS, "connections of a libcurl");
    NUM_IS(ddb_tls_prepare(o.tls, ctx, ""), APR_ENOTIMPL, "that has another copy of OpenSSL are not touched");
    ddb_curl_explain_tls(&o, failed.code, why);
    failed.why = why;
    NUM_IS(ddb_curl_failure(&failed, &err), DDB_EUNAVAILABLE, "and fail");
    OK(strstr(err.detail, "libcurl has an OpenSSL of its own") && strstr(err.detail, "use a libcurl that is linked"),
       "which is said, with what to do");
    NUM_IS(err.unsettled, 0, "before anything is sent");
    ddb_tls_destroy(o.tls);
    SSL_CTX_free(ctx);
}

static void test_trust(apr_pool_t *p)
{
    ddb_curl_opts_t o = { .max_idle_connections = 4, .ca_file = in_dir(p, "one.pem") };
    fixture_t *f = setup_with(p, &o);

    OK(f->curl->o.tls, "connections share their CAs");
    teardown(f);
    check_trust(p, &o, "shared");
    o.separate_cas = 1;
    f = setup_with(p, &o);
    OK(!f->curl->o.tls, "or each has its own");
    teardown(f);
    check_trust(p, &o, "separate");
    o = (ddb_curl_opts_t){ .max_idle_connections = 4, .proxy = "https://proxy.example:3128" };
    f = setup_with(p, &o);
    OK(!f->curl->o.tls, "where a proxy has TLS too, as the two have different CAs");
    teardown(f);
    test_other_copy(p);
    OK(!ddb_tls_is_ours("OpenSSL/1.1.1w") && !ddb_tls_is_ours("GnuTLS/3.7.9") && !ddb_tls_is_ours(NULL),
       "other libraries than ours are told from it");
}

static void test_changes(apr_pool_t *p)
{
    fixture_t *f;

    install(p, "one.pem", "ca.pem");
    f = setup(p, "ca.pem");
    IS(ask(f, &server_13), "full 1.3", "a file has one CA");
    IS(ask(f, &other), "", "and not the other");
    install(p, "two.pem", "ca.pem");
    IS(ask(f, &server_13), "", "when it is replaced the CA is trusted no more, and its session not resumed");
    IS(ask(f, &other), "full 1.3", "but the other is");
    NUM_IS(counts(f).reads, 2, "the file was read once more");
    install(p, "errors", "ca.pem");
    IS(ask(f, &other), "", "when it has no certificate no server is trusted");
    OK(strstr(f->err.detail, "ca.pem; check that the CA file exists and is readable"), "and the detail says why");
    NUM_IS(f->err.unsettled, 0, "nothing was sent");
    unlink(in_dir(p, "ca.pem"));
    IS(ask(f, &other), "", "nor when it is gone");
    install(p, "two.pem", "ca.pem");
    IS(ask(f, &other), "full 1.3", "until it is there again");
    IS(ask(f, &other), "resumed 1.3", "with sessions");
    install(p, "two.pem", "ca.pem");
    IS(ask(f, &other), "full 1.3", "that are forgotten when it was written again");
    teardown(f);
}

/* A connection of the kind that is kept, with these CAs; NULL when there is none. */
static ddb_curl_connection_t *connect_with(ddb_tls_t *tls, const server_t *s, apr_pool_t *p)
{
    ddb_curl_opts_t o = { .tls = tls };
    ddb_curl_target_t target = { .timeout = apr_time_from_sec(30) };
    ddb_curl_connection_t *c;
    ddb_error_t err;

    target.url = apr_psprintf(p, "https://127.0.0.1:%d/", s->port);
    ddb_curl_connect(&c, &o, &target, &err);
    return c;
}

/* As ask, over such a connection. */
static const char *ask_over(ddb_curl_connection_t *c)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    static char page[20000];
    apr_size_t len = sizeof(request) - 1, n;

    c->end = ddb_clock_monotonic(&ddb_clock_system) + apr_time_from_sec(30);
    if (c->stream.send(c->stream.baton, request, &len) == APR_SUCCESS) {
        len = 0;
        do {
            page[len] = '\0';
            n = sizeof(page) - 1 - len;
        } while (c->stream.receive(c->stream.baton, page + len, &n) == APR_SUCCESS && (len += n) < sizeof(page) - 1);
    }
    ddb_curl_connection_close(c);
    return answer_of(page);
}

static const char *ask_with(ddb_tls_t *tls, const server_t *s, apr_pool_t *p)
{
    ddb_curl_connection_t *c = connect_with(tls, s, p);

    return c ? ask_over(c) : "";
}

static void test_late_session(apr_pool_t *p)
{
    ddb_tls_opts_t o = { .ca_file = in_dir(p, "ca.pem") };
    ddb_curl_connection_t *c;
    ddb_tls_t *t;

    install(p, "one.pem", "ca.pem");
    ddb_tls_create(&t, &o, p);
    c = connect_with(t, &server_13, p);
    OK(c, "a connection stands");
    install(p, "one.pem", "ca.pem");
    IS(ask_with(t, &other, p), "", "when the file is read again for another one");
    NUM_IS(ddb_tls_counts(t).reads, 2, "for the second time");
    IS(c ? ask_over(c) : "", "full 1.3", "the first one goes on, and gets its sessions only now");
    IS(ask_with(t, &server_13, p), "full 1.3", "which are not resumed: they are of CAs from before");
    IS(ask_with(t, &server_13, p), "resumed 1.3", "unlike those after it");
    ddb_tls_destroy(t);
}

/** The time of these is the test's. */
static apr_time_t now;

static apr_time_t tell(void *baton)
{
    (void)baton;
    return now;
}

static const ddb_clock_t clock_of_test = { .wall = tell, .monotonic = tell };

static void test_age(apr_pool_t *p)
{
    ddb_tls_opts_t o = { .ca_file = in_dir(p, "one.pem"), .clock = &clock_of_test };
    ddb_tls_t *t;

    ddb_tls_create(&t, &o, p);
    IS(ask_with(t, &server_13, p), "full 1.3", "a connection of the kind that is kept");
    IS(ask_with(t, &server_13, p), "resumed 1.3", "resumes a session too");
    IS(ask_with(t, &server_12, p), "full 1.2", "and one");
    IS(ask_with(t, &server_12, p), "resumed 1.2", "of TLS 1.2");
    now += apr_time_from_sec(3599);
    IS(ask_with(t, &server_13, p), "resumed 1.3", "the sessions of a file that never changes are resumed");
    now += apr_time_from_sec(1);
    IS(ask_with(t, &server_13, p), "full 1.3", "for an hour, then the certificate is verified again");
    NUM_IS(ddb_tls_counts(t).reads, 2, "by CAs that were read again");
    ddb_tls_destroy(t);
}

static void test_directory(apr_pool_t *p)
{
    ddb_tls_opts_t o = { .ca_directory = in_dir(p, "cas") };
    ddb_tls_t *t;

    ddb_tls_create(&t, &o, p);
    IS(ask_with(t, &server_13, p), "full 1.3", "CAs can be in a directory");
    IS(ask_with(t, &other, p), "", "and others are not trusted");
    NUM_IS(system(apr_psprintf(p, "cd %s && rm cas/one.pem && cp two.pem cas && openssl rehash cas", dir)), 0,
           "whose files are replaced");
    IS(ask_with(t, &server_13, p), "", "which is noticed");
    IS(ask_with(t, &other, p), "full 1.3", "as with a file");
    ddb_tls_destroy(t);
    o.ca_file = in_dir(p, "one.pem");
    ddb_tls_create(&t, &o, p);
    IS(ask_with(t, &server_13, p), "full 1.3", "a directory beside a file:");
    IS(ask_with(t, &other, p), "full 1.3", "those of both are trusted");
    ddb_tls_destroy(t);
    ddb_tls_destroy(NULL);
}

static int ask_often(void *shared, int number, apr_pool_t *p)
{
    fixture_t f = *(fixture_t *)shared;
    int i, wrong = 0;

    f.pool = p;
    for (i = 0; i < 10; i++) {
        wrong += !*ask(&f, number % 2 ? &server_13 : &server_12);
        wrong += *ask(&f, &other) ? 1 : 0;
        if (number == 0) {
            install(p, "one.pem", "ca.pem");
        }
    }
    return wrong;
}

static void test_threads(apr_pool_t *p)
{
    fixture_t *f;

    install(p, "one.pem", "ca.pem");
    f = setup(p, "ca.pem");
    NUM_IS(crowd_work(ask_often, f), 0, "many threads connect while the file is written again and again");
    OK(counts(f).reads <= 11, "one of them reads it each time");
    OK(counts(f).resumed > 0, "and sessions are resumed");
    teardown(f);
    f = setup(p, "one.pem");
    crowd_work(ask_often, f);
    NUM_IS(counts(f).reads, 1, "one that does not change is read once for all threads");
    teardown(f);
}

TAP_MAIN(p)
{
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IONBF, 0); /* a forked child has nothing to print again */
    if (!start_all(p)) {
        OK(1, "TLS # SKIP the openssl command can't make certificates and serve them");
    }
    else if (!ddb_tls_is_ours(curl_version_info(CURLVERSION_NOW)->ssl_version)) {
        OK(1, "TLS # SKIP libcurl uses another TLS library");
    }
    else {
        TAP_EACH(p, test_resumption, test_limit, test_trust, test_changes, test_late_session, test_age, test_directory,
                 test_threads);
    }
    stop_all(p);
}
