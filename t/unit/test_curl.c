/* ddb_curl against a scripted server on the loopback: what is sent, how often, over which connection, and what each
 * way to fail is called. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/ddb_curl.h"
#include "program.h"
#include "tap.h"

#define SEEN_MAX    256
#define REQUEST_MAX (700 * 1024)
#define PLAIN       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* ---- the server: a thread that accepts, and one for each connection that acts by the path of the request ---- */

typedef struct seen_t {
    int pieces;     /* in which it was received */
    int connection; /* 0, 1, 2 … in the order of accept */
    char line[80];  /* such as "POST /ok" */
    char head[2048];
    size_t body_len;
    unsigned body_sum;
} seen_t;

typedef struct server_t {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    pthread_t acceptor, threads[SEEN_MAX];
    int listener, port;
    int connections, closed; /* closed: by the server or, seen by it, by the client */
    int n_seen, together, late;
    seen_t seen[SEEN_MAX];
} server_t;

typedef struct talk_t {
    server_t *server;
    int fd, number, pieces;
    char *buffer;
    size_t head_len, len; /* of the request at hand, and bytes in buffer */
} talk_t;

static unsigned sum(const char *data, size_t len)
{
    unsigned total = 1;
    while (len-- > 0) {
        total = total * 31 + (unsigned char)*data++;
    }
    return total;
}

static void say(talk_t *t, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t n = send(t->fd, text, left, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        text += n;
        left -= n;
    }
}

/* 0 when the client closed the connection. */
static int hear(talk_t *t)
{
    size_t body = 0;
    char *end, *field;

    t->len = t->head_len = 0;
    t->pieces = 0;
    for (;;) {
        ssize_t n = recv(t->fd, t->buffer + t->len, REQUEST_MAX - t->len, 0);
        if (n <= 0) {
            return 0;
        }
        t->len += n;
        t->pieces++;
        t->buffer[t->len] = '\0';
        if (!t->head_len && (end = strstr(t->buffer, "\r\n\r\n")) != NULL) {
            t->head_len = end + 4 - t->buffer;
            field = strstr(t->buffer, "Content-Length: ");
            body = field && field < end ? strtoul(field + 16, NULL, 10) : 0;
        }
        if (t->head_len && t->len >= t->head_len + body) {
            return 1;
        }
    }
}

static void note(talk_t *t)
{
    server_t *s = t->server;
    seen_t *seen;
    size_t n = t->head_len < sizeof(seen->head) ? t->head_len : sizeof(seen->head) - 1;

    pthread_mutex_lock(&s->mutex);
    seen = &s->seen[s->n_seen++];
    seen->connection = t->number;
    seen->pieces = t->pieces;
    snprintf(seen->line, sizeof(seen->line), "%.*s",
             (int)strcspn(strchr(t->buffer, ' ') + 1, " ") + (int)strcspn(t->buffer, " ") + 1, t->buffer);
    memcpy(seen->head, t->buffer, n);
    seen->body_len = t->len - t->head_len;
    seen->body_sum = sum(t->buffer + t->head_len, seen->body_len);
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->mutex);
}

/* Two requests at a time get through. */
static void meet(server_t *s)
{
    int round;

    pthread_mutex_lock(&s->mutex);
    round = s->together / 2;
    s->together++;
    pthread_cond_broadcast(&s->moved);
    while (s->together / 2 == round) {
        pthread_cond_wait(&s->moved, &s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
}

static void say_long(talk_t *t, const char *start, const char *piece, int n, const char *end)
{
    say(t, start);
    while (n-- > 0) {
        say(t, piece);
    }
    say(t, end);
}

static void count_late(server_t *s)
{
    pthread_mutex_lock(&s->mutex);
    s->late++;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->mutex);
}

/* A byte each 30 ms. */
static void say_slowly(talk_t *t, const char *text)
{
    char byte[2] = "";

    while (*text) {
        byte[0] = *text++;
        say(t, byte);
        usleep(30000);
    }
}

/* 0 to close the connection. */
static int answer(talk_t *t, const char *path)
{
    static const struct {
        const char *path, *reply;
        int go_on;
    } plain[] = {
        { "/ok", PLAIN, 1 },
        { "/bye", PLAIN, 0 }, /* keep-alive, as far as the client is told */
        { "/drop", "", 0 },
        { "/status", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nX-Amzn-RequestId:  abc \r\n\r\n", 1 },
        { "/away", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", 1 },
        { "/interim", "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n" PLAIN, 1 },
        { "/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", 0 },
        { "/half", "HTTP/1.1 200 OK\r\nContent-Le", 0 },
        { "/early", "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n", 0 },
    };
    size_t i;

    for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp(path, plain[i].path) == 0) {
            say(t, plain[i].reply);
            return plain[i].go_on;
        }
    }
    if (strcmp(path, "/together") == 0) {
        meet(t->server);
        say(t, PLAIN);
    }
    else if (strcmp(path, "/extra") == 0) {
        say(t, PLAIN "HTTP");
    }
    else if (strcmp(path, "/late") == 0) {
        say(t, PLAIN);
        usleep(20000);
        say(t, PLAIN);
        count_late(t->server);
    }
    else if (strcmp(path, "/trickle") == 0) {
        say_slowly(t, PLAIN);
    }
    else if (strcmp(path, "/long") == 0) {
        say_long(t, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", "0123456789", 1000, "");
    }
    else if (strcmp(path, "/chunks") == 0) {
        say_long(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "a\r\n0123456789\r\n", 1000, "0\r\n\r\n");
    }
    else if (strcmp(path, "refused:443") == 0) {
        say(t, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
        return 0;
    }
    else if (strcmp(path, "/heads") == 0) {
        say_long(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "X-Padding: 0123456789\r\n", 4000, "\r\nhello");
    }
    return 1; /* any other path is never answered */
}

static void *talk(void *baton)
{
    talk_t *t = baton;
    server_t *s = t->server;
    char path[64];
    int go_on = 1;

    t->buffer = malloc(REQUEST_MAX + 1);
    while (go_on && hear(t)) {
        note(t);
        sscanf(t->buffer, "%*s %63s", path);
        go_on = answer(t, path);
    }
    close(t->fd);
    pthread_mutex_lock(&s->mutex);
    s->closed++;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->mutex);
    free(t->buffer);
    free(t);
    return NULL;
}

static void *accept_all(void *baton)
{
    server_t *s = baton;
    int fd;

    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        int on = 1;
        talk_t *t = calloc(1, sizeof(*t));
        t->server = s;
        t->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        pthread_mutex_lock(&s->mutex);
        t->number = s->connections++;
        pthread_create(&s->threads[t->number], NULL, talk, t);
        pthread_cond_broadcast(&s->moved);
        pthread_mutex_unlock(&s->mutex);
    }
    return NULL;
}

static int listen_free(int *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 16) != 0) {
        perror("listen");
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

static void server_start(server_t *s)
{
    memset(s, 0, sizeof(*s));
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->moved, NULL);
    s->listener = listen_free(&s->port);
    pthread_create(&s->acceptor, NULL, accept_all, s);
}

/* The client's connections must be closed before. */
static void server_stop(server_t *s)
{
    int i;

    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->acceptor, NULL);
    for (i = 0; i < s->connections; i++) {
        pthread_join(s->threads[i], NULL);
    }
    close(s->listener);
}

static void await_count(server_t *s, const int *count, int n)
{
    pthread_mutex_lock(&s->mutex);
    while (*count < n) {
        pthread_cond_wait(&s->moved, &s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
}

static void await_closed(server_t *s, int n)
{
    await_count(s, &s->closed, n);
}

static int count_seen(server_t *s, const char *line)
{
    int i, n = 0;

    pthread_mutex_lock(&s->mutex);
    for (i = 0; i < s->n_seen; i++) {
        n += strcmp(s->seen[i].line, line) == 0;
    }
    pthread_mutex_unlock(&s->mutex);
    return n;
}

static int count_under_lock(server_t *s, const int *count)
{
    int n;

    pthread_mutex_lock(&s->mutex);
    n = *count;
    pthread_mutex_unlock(&s->mutex);
    return n;
}

static int seen_by(server_t *s)
{
    return count_under_lock(s, &s->n_seen);
}

static int connections_of(server_t *s)
{
    return count_under_lock(s, &s->connections);
}

static const seen_t *last_seen(server_t *s)
{
    return &s->seen[seen_by(s) - 1];
}

/* ---- the client ---- */

/* Stands in front of libc's for libcurl too: the system forbids connections, as SELinux does. */
static int forbidden;

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    if (forbidden) {
        errno = forbidden;
        return -1;
    }
    return (int)syscall(SYS_connect, fd, address, len);
}

typedef struct fixture_t {
    apr_pool_t *pool;
    server_t server;
    ddb_curl_t *curl;
    ddb_http_transport_t http;
    ddb_http_request_t req;
    ddb_http_response_t res;
    ddb_error_t err;
    int by_libcurl; /* 1: the request has a method, headers and a body; 0: it is a message of them */
} fixture_t;

static fixture_t *setup_with(apr_pool_t *p, const ddb_curl_opts_t *o)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));
    apr_table_t *headers = apr_table_make(p, 2);

    f->pool = p;
    server_start(&f->server);
    if (ddb_curl_create(&f->curl, &f->http, o, p) != APR_SUCCESS) {
        printf("Bail out! no transport\n");
        exit(1);
    }
    apr_table_set(headers, "X-Mark", "one");
    f->req.method = "POST";
    f->req.headers = headers;
    f->req.body = "{\"w\":2}";
    f->req.body_len = 7;
    f->req.connect_timeout = apr_time_from_sec(5);
    f->req.timeout = apr_time_from_sec(10);
    f->req.max_response_bytes = 100000;
    return f;
}

static fixture_t *setup(apr_pool_t *p)
{
    ddb_curl_opts_t o = { .max_idle_connections = 4 };
    return setup_with(p, &o);
}

static void teardown(fixture_t *f)
{
    ddb_curl_destroy(f->curl);
    server_stop(&f->server);
}

/* The message that f->req comes to. */
static void compose(fixture_t *f)
{
    const char *path = strstr(f->req.url, "://"), *head;
    struct iovec parts[2];

    path = path ? strchr(path + 3, '/') : NULL;
    head = apr_psprintf(f->pool,
                        "%s %s HTTP/1.1\r\nHost: %.*s\r\nX-Mark: %s\r\nContent-Length: %" APR_SIZE_T_FMT "\r\n\r\n",
                        f->req.method, path ? path : "/", path ? (int)(path - f->req.url - 7) : 0, f->req.url + 7,
                        f->req.headers ? apr_table_get(f->req.headers, "X-Mark") : "", f->req.body_len);
    parts[0] = (struct iovec){ .iov_base = (char *)head, .iov_len = strlen(head) };
    parts[1] = (struct iovec){ .iov_base = (char *)f->req.body, .iov_len = f->req.body_len };
    f->req.message = apr_pstrcatv(f->pool, parts, 2, &f->req.message_len);
}

static apr_status_t ask_url(fixture_t *f, const char *url)
{
    memset(&f->err, 0, sizeof(f->err));
    f->req.url = url;
    f->req.message = NULL;
    if (!f->by_libcurl) {
        compose(f);
    }
    return f->http.perform(f->http.baton, &f->req, f->pool, &f->res, &f->err);
}

static apr_status_t ask(fixture_t *f, const char *path)
{
    return ask_url(f, apr_psprintf(f->pool, "http://127.0.0.1:%d%s", f->server.port, path));
}

static void test_exchange_by(apr_pool_t *p, int by_libcurl)
{
    fixture_t *f = setup(p);

    f->by_libcurl = by_libcurl;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "an exchange succeeds");
    NUM_IS(f->res.status, 200, "with the status of the reply");
    IS(f->res.body, "hello", "and its body, with a NUL behind it");
    NUM_IS(f->res.body_len, 5, "of its length");
    IS(apr_table_get(f->res.headers, "CONTENT-LENGTH"), "5", "and headers found without regard to case");
    IS(last_seen(&f->server)->line, "POST /ok", "the server saw the method and path");
    NUM_IS(last_seen(&f->server)->body_sum, sum("{\"w\":2}", 7), "and the body");
    OK(strstr(last_seen(&f->server)->head, "\r\nX-Mark: one\r\n"), "and the header");
    OK(strstr(last_seen(&f->server)->head, apr_psprintf(p, "\r\nHost: 127.0.0.1:%d\r\n", f->server.port)),
       "Host has the port that is not the default");
    OK(!strstr(last_seen(&f->server)->head, "\r\nAccept"), "libcurl adds no Accept");
    OK(!strstr(last_seen(&f->server)->head, "\r\nContent-Type"), "nor a Content-Type");
    OK(!strstr(last_seen(&f->server)->head, "\r\nUser-Agent"), "nor a User-Agent");
    NUM_IS(ask(f, "/status"), APR_SUCCESS, "a reply of 500 is a complete exchange");
    NUM_IS(f->res.status, 500, "whose status the caller judges");
    IS(apr_table_get(f->res.headers, "x-amzn-requestid"), "abc", "header values come without white space around");
    IS(f->res.body, "", "an empty body is an empty string");
    NUM_IS(f->err.unsettled, 0, "and nothing is unsettled");
    NUM_IS(ask(f, "/away"), APR_SUCCESS, "a redirect is a reply as well");
    NUM_IS(f->res.status, 302, "that is not followed");
    IS(last_seen(&f->server)->line, "POST /away", "the place it names is not asked");
    NUM_IS(ask(f, "/interim"), APR_SUCCESS, "an interim reply is passed over");
    NUM_IS(f->res.status, 200, "for the final one");
    OK(!apr_table_get(f->res.headers, "X-Early"), "and its headers are forgotten");
    IS(apr_table_get(f->res.headers, "Content-Length"), "5", "those of the final one are there");
    NUM_IS(connections_of(&f->server), by_libcurl ? 4 : 1,
           by_libcurl ? "each went over a connection of its own" : "all of them went over one connection");
    teardown(f);
}

static void test_exchange(apr_pool_t *p)
{
    test_exchange_by(p, 0);
}

static void test_exchange_by_libcurl(apr_pool_t *p)
{
    test_exchange_by(p, 1);
}

static void test_headers(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    apr_table_t *headers = apr_table_make(p, 4);

    f->by_libcurl = 1;
    f->req.headers = headers;
    apr_table_set(headers, "Content-Type", "application/x-amz-json-1.0");
    apr_table_set(headers, "Accept-Encoding", "identity");
    apr_table_set(headers, "X-Empty", "");
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "headers of the caller");
    OK(strstr(last_seen(&f->server)->head, "\r\nContent-Type: application/x-amz-json-1.0\r\n"), "are sent as they are");
    OK(strstr(last_seen(&f->server)->head, "\r\nAccept-Encoding: identity\r\n"), "each of them");
    OK(strstr(last_seen(&f->server)->head, "\r\nX-Empty:\r\n"), "an empty one too");
    apr_table_set(headers, "X-Token", "a\r\nX-Other: b");
    NUM_IS(ask(f, "/ok"), DDB_EUNAVAILABLE, "a value with a line break is refused");
    OK(strstr(f->err.detail, "X-Token"), "by the name of its header");
    OK(!strstr(f->err.detail, "X-Other"), "without its value");
    NUM_IS(f->err.unsettled, 0, "surely unsent");
    NUM_IS(seen_by(&f->server), 1, "the server saw nothing of it");
    apr_table_unset(headers, "X-Token");
    ask(f, "/ok");
    f->req.headers = NULL;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "no headers at all will do");
    OK(!strstr(last_seen(&f->server)->head, "\r\nAccept-Encoding"), "those of the exchange before are gone");
    teardown(f);
}

static void test_methods(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->by_libcurl = 1;
    f->req.body = NULL;
    f->req.body_len = 0;
    f->req.method = "GET";
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "GET works");
    IS(last_seen(&f->server)->line, "GET /ok", "as GET");
    OK(!strstr(last_seen(&f->server)->head, "Content-Length"), "without a length");
    NUM_IS(ask(f, "/away"), APR_SUCCESS, "a redirect of a GET");
    NUM_IS(f->res.status, 302, "is not followed either");
    IS(last_seen(&f->server)->line, "GET /away", "the place it names is not asked");
    f->req.method = "PUT";
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "PUT without a body works");
    IS(last_seen(&f->server)->line, "PUT /ok", "as PUT");
    OK(strstr(last_seen(&f->server)->head, "\r\nContent-Length: 0\r\n"), "of length 0");
    NUM_IS(connections_of(&f->server), 3, "each request has a connection of its own: it can't be sent twice");
    f->req.body = "text";
    f->req.body_len = 4;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "PUT with a body works");
    IS(last_seen(&f->server)->line, "PUT /ok", "as PUT");
    NUM_IS(last_seen(&f->server)->body_sum, sum("text", 4), "with its body");
    f->req.method = "POST";
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "and POST after it");
    IS(last_seen(&f->server)->line, "POST /ok", "is POST again");
    f->req.method = "DELETE";
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "DELETE works");
    IS(last_seen(&f->server)->line, "DELETE /ok", "as DELETE");
    f->req.method = "GET";
    f->req.body = NULL;
    f->req.body_len = 0;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "and GET behind it");
    IS(last_seen(&f->server)->line, "GET /ok", "is a GET");
    OK(!strstr(last_seen(&f->server)->head, "Content-Length"), "without the body before");
    teardown(f);
}

static void test_large_body_by(apr_pool_t *p, int by_libcurl)
{
    fixture_t *f = setup(p);
    char *body = apr_palloc(p, 600000);
    int i;

    f->by_libcurl = by_libcurl;
    for (i = 0; i < 600000; i++) {
        body[i] = (char)(i * 7 % 251);
    }
    f->req.body = body;
    f->req.body_len = 600000;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "a body as large as an item can be is sent");
    NUM_IS(last_seen(&f->server)->body_len, 600000, "whole");
    NUM_IS(last_seen(&f->server)->body_sum, sum(body, 600000), "and unchanged, NUL bytes too");
    OK(!strstr(last_seen(&f->server)->head, "Expect"), "without waiting for 100-continue");
    teardown(f);
}

static void test_large_body(apr_pool_t *p)
{
    test_large_body_by(p, 0);
    test_large_body_by(p, 1);
}

static void test_reuse(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int i, good = 0, whole = 0;

    for (i = 0; i < 50; i++) {
        good += ask(f, "/ok") == APR_SUCCESS;
        whole += last_seen(&f->server)->pieces == 1;
    }
    NUM_IS(good, 50, "fifty exchanges in a row succeed");
    NUM_IS(whole, 50, "each with head and body in one packet");
    NUM_IS(connections_of(&f->server), 1, "over one connection");
    f->req.fresh_connection = 1;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "one that asks for a fresh connection");
    NUM_IS(last_seen(&f->server)->connection, 1, "has a second one");
    f->req.fresh_connection = 0;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "the next one");
    NUM_IS(connections_of(&f->server), 2, "has no third");
    teardown(f);
    NUM_IS(f->server.closed, 2, "destroying the transport closes both");
}

static void test_idle_close(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    NUM_IS(ask(f, "/bye"), APR_SUCCESS, "a server answers");
    await_closed(&f->server, 1);
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "and closes the idle connection: the next exchange does not notice");
    NUM_IS(last_seen(&f->server)->connection, 1, "it has a new connection");
    NUM_IS(count_seen(&f->server, "POST /ok"), 1, "and was sent once");
    NUM_IS(f->err.unsettled, 0, "nothing is unsettled");
    teardown(f);
}

/* What comes behind a reply must not be taken for the reply to the next request. */
static void test_bytes_behind(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    NUM_IS(ask(f, "/extra"), APR_SUCCESS, "a reply with bytes behind it is good");
    IS(f->res.body, "hello", "to its end");
    NUM_IS(ask(f, "/status"), APR_SUCCESS, "the next exchange");
    NUM_IS(f->res.status, 500, "has its own reply");
    NUM_IS(last_seen(&f->server)->connection, 1, "over another connection");
    NUM_IS(ask(f, "/late"), APR_SUCCESS, "a reply that is sent twice");
    await_count(&f->server, &f->server.late, 1);
    NUM_IS(ask(f, "/status"), APR_SUCCESS, "and the next exchange");
    NUM_IS(f->res.status, 500, "which has its own reply");
    NUM_IS(last_seen(&f->server)->connection, 2, "over another connection");
    NUM_IS(f->err.unsettled, 0, "nothing is unsettled");
    teardown(f);
}

/* Each byte begins the wait of a socket anew. */
static void test_trickle(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    apr_time_t start = apr_time_now();

    f->req.timeout = apr_time_from_msec(200);
    NUM_IS(ask(f, "/trickle"), APR_TIMEUP, "a reply that comes byte by byte has no more time than another");
    NUM_IS(f->err.unsettled, 1, "and may have been carried out");
    OK(apr_time_now() - start >= apr_time_from_msec(199), "it has all its time");
    f->req.timeout = apr_time_from_sec(10);
    NUM_IS(ask(f, "/trickle"), APR_SUCCESS, "with more time it is taken");
    IS(f->res.body, "hello", "whole");
    teardown(f);
}

static void test_drop(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "a connection is in use");
    NUM_IS(ask(f, "/drop"), DDB_EUNAVAILABLE, "the server reads a request on it and closes: no answer");
    NUM_IS(count_seen(&f->server, "POST /drop"), 1, "the server saw the request exactly once");
    NUM_IS(f->err.unsettled, 1, "which may have been carried out");
    NUM_IS(seen_by(&f->server), 2, "nor any other");
    OK(strstr(f->err.detail, "reused connection"), "the detail says so");
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "the next exchange succeeds");
    NUM_IS(f->err.unsettled, 0, "and settles nothing but itself");

    f->req.fresh_connection = 1;
    NUM_IS(ask(f, "/drop"), DDB_EUNAVAILABLE, "the same on a fresh connection");
    NUM_IS(count_seen(&f->server, "POST /drop"), 2, "is sent once as well");
    NUM_IS(f->err.unsettled, 1, "and is unsettled as well");
    f->req.fresh_connection = 0;
    f->by_libcurl = 1;
    NUM_IS(ask(f, "/drop"), DDB_EUNAVAILABLE, "one that is libcurl's");
    NUM_IS(count_seen(&f->server, "POST /drop"), 3, "is sent once as well");
    NUM_IS(f->err.unsettled, 1, "and is unsettled as well");
    f->req.method = "GET";
    f->req.body = NULL;
    f->req.body_len = 0;
    NUM_IS(ask(f, "/drop"), DDB_EUNAVAILABLE, "a GET without an answer");
    NUM_IS(count_seen(&f->server, "GET /drop"), 1, "is sent once");
    teardown(f);
}

/* libcurl sends again, unasked, when a reused connection dies, and forgets that it had sent once when it can't connect:
 * the outcome of a write was called settled, and its session deleted. */
static void test_drop_and_gone(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "a connection is in use");
    shutdown(f->server.listener, SHUT_RDWR);
    NUM_IS(ask(f, "/drop"), DDB_EUNAVAILABLE, "the server closes it without an answer, and nobody listens any more");
    NUM_IS(count_seen(&f->server, "POST /drop"), 1, "after it has received the request");
    NUM_IS(f->err.unsettled, 1, "which may have been carried out");
    NUM_IS(ask(f, "/ok"), DDB_EUNAVAILABLE, "the next one can't connect");
    NUM_IS(f->err.unsettled, 0, "and has surely not been carried out");
    teardown(f);
}

static void test_after_failures_by(apr_pool_t *p, int by_libcurl)
{
    static const char *const paths[] = { "/drop", "/short", "/half", "/early", "/heads", "/long", "/hang" };
    fixture_t *f = setup(p);
    int i, n = sizeof(paths) / sizeof(paths[0]), failed = 0, good = 0;

    f->by_libcurl = by_libcurl;
    f->req.max_response_bytes = 9999;
    for (i = 0; i < 10 * n; i++) {
        good += ask(f, "/ok") == APR_SUCCESS;
        f->req.timeout = strcmp(paths[i % n], "/hang") == 0 ? apr_time_from_msec(60) : apr_time_from_sec(10);
        failed += ask(f, paths[i % n]) != APR_SUCCESS && f->err.unsettled;
        f->req.timeout = apr_time_from_sec(10);
    }
    NUM_IS(failed, 10 * n, "exchanges fail in every way on a connection that is in use");
    NUM_IS(good, 10 * n, "and each one behind a failed one is good");
    NUM_IS(seen_by(&f->server), 20 * n, "all of them were sent, once");
    teardown(f);
}

static void test_after_failures(apr_pool_t *p)
{
    test_after_failures_by(p, 0);
    test_after_failures_by(p, 1);
}

static void test_broken_replies_by(apr_pool_t *p, int by_libcurl)
{
    fixture_t *f = setup(p);

    f->by_libcurl = by_libcurl;
    NUM_IS(ask(f, "/short"), DDB_EUNAVAILABLE, "a body shorter than announced is no answer");
    NUM_IS(f->err.unsettled, 1, "to a request that was received");
    NUM_IS(ask(f, "/half"), DDB_EUNAVAILABLE, "half a header is none");
    NUM_IS(f->err.unsettled, 1, "likewise");
    NUM_IS(ask(f, "/early"), DDB_EUNAVAILABLE, "nor is an interim reply with nothing behind it");
    NUM_IS(f->err.unsettled, 1, "likewise");
    NUM_IS(seen_by(&f->server), 3, "each was sent once");
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "the transport goes on");
    teardown(f);
}

static void test_broken_replies(apr_pool_t *p)
{
    test_broken_replies_by(p, 0);
    test_broken_replies_by(p, 1);
}

static void test_unreachable_by(apr_pool_t *p, int by_libcurl)
{
    fixture_t *f = setup(p);
    int port, fd = listen_free(&port);
    const char *url = apr_psprintf(p, "http://127.0.0.1:%d/", port);

    f->by_libcurl = by_libcurl;
    close(fd);
    NUM_IS(ask_url(f, url), DDB_EUNAVAILABLE, "a refused connection is no answer");
    NUM_IS(f->err.unsettled, 0, "and surely nothing was sent");
    OK(strstr(f->err.detail, "127.0.0.1"), "the detail names the host");
    OK(strstr(f->err.detail, "check that the endpoint is up"), "and says what to do");
    f->err.unsettled = 1;
    f->http.perform(f->http.baton, &f->req, p, &f->res, &f->err);
    NUM_IS(f->err.unsettled, 1, "what was unsettled before stays so");
    NUM_IS(f->http.perform(f->http.baton, &f->req, p, &f->res, NULL), DDB_EUNAVAILABLE, "no error record will do");
    NUM_IS(ask_url(f, "ftp://127.0.0.1/"), DDB_EUNAVAILABLE, "a scheme other than http and https is refused");
    NUM_IS(f->err.unsettled, 0, "and nothing sent");
    NUM_IS(ask_url(f, "http://127.0.0.1:bad/"), DDB_EUNAVAILABLE, "so is what is no URL");
    teardown(f);
}

static void test_unreachable(apr_pool_t *p)
{
    test_unreachable_by(p, 0);
    test_unreachable_by(p, 1);
}

static void test_forbidden_by(apr_pool_t *p, int by_libcurl)
{
    fixture_t *f = setup(p);

    f->by_libcurl = by_libcurl;
    forbidden = EACCES;
    NUM_IS(ask(f, "/ok"), APR_EACCES, "a connection that the system forbids is not one that nobody answers");
    NUM_IS(f->err.unsettled, 0, "and surely nothing was sent");
    OK(strstr(f->err.detail, "Permission denied"), "the detail has the system's reason");
    OK(strstr(f->err.detail, "httpd_can_network_connect"), "and SELinux' boolean");
    forbidden = EPERM;
    NUM_IS(ask(f, "/ok"), APR_EACCES, "there are two ways to say so");
    OK(strstr(f->err.detail, "Operation not permitted"), "another reason");
    OK(strstr(f->err.detail, "this machine's firewall"), "that is of this machine");
    forbidden = ENETUNREACH;
    NUM_IS(ask(f, "/ok"), DDB_EUNAVAILABLE, "a network that is away");
    OK(strstr(f->err.detail, "Network is unreachable"), "one that is not");
    OK(!strstr(f->err.detail, "SELinux"), "has nothing to do with SELinux");
    forbidden = 0;
    teardown(f);
}

static void test_forbidden(apr_pool_t *p)
{
    test_forbidden_by(p, 0);
    test_forbidden_by(p, 1);
}

static void test_timeouts_by(apr_pool_t *p, int by_libcurl)
{
    fixture_t *f = setup(p);
    apr_time_t start = apr_time_now();

    f->by_libcurl = by_libcurl;
    f->req.timeout = apr_time_from_msec(60);
    NUM_IS(ask(f, "/hang"), APR_TIMEUP, "a request without an answer in time");
    NUM_IS(f->err.unsettled, 1, "may have been carried out");
    OK(apr_time_now() - start >= apr_time_from_msec(59), "not before its time");
    OK(apr_time_now() - start < apr_time_from_sec(3), "nor long after");
    await_closed(&f->server, 1);
    OK(1, "its connection is closed, so that a late answer can't meet another request");
    f->req.timeout = apr_time_from_sec(10);
    f->req.connect_timeout = apr_time_from_msec(60);
    /* Our server waits for a request and never answers a TLS hello. */
    NUM_IS(ask_url(f, apr_psprintf(p, "https://127.0.0.1:%d/", f->server.port)), APR_TIMEUP,
           "a connection that takes too long");
    NUM_IS(f->err.unsettled, 0, "has surely carried nothing");
    f->req.connect_timeout = apr_time_from_sec(10);
    f->req.timeout = apr_time_from_msec(60);
    NUM_IS(ask_url(f, f->req.url), APR_TIMEUP, "the time for the whole includes the connection");
    NUM_IS(f->err.unsettled, 0, "of which the same is true");
    f->req.timeout = 0;
    NUM_IS(ask(f, "/hang"), APR_TIMEUP, "no time at all is no endless time");
    teardown(f);
}

static void test_timeouts(apr_pool_t *p)
{
    test_timeouts_by(p, 0);
    test_timeouts_by(p, 1);
}

static void test_limits_by(apr_pool_t *p, int by_libcurl)
{
    static const char *const paths[] = { "/long", "/chunks" };
    fixture_t *f = setup(p);
    int i;

    f->by_libcurl = by_libcurl;
    for (i = 0; i < 2; i++) {
        f->req.max_response_bytes = 10000;
        NUM_IS(ask(f, paths[i]), APR_SUCCESS, apr_psprintf(p, "%s: a body at the limit is taken", paths[i]));
        NUM_IS(f->res.body_len, 10000, "whole");
        OK(f->res.body[9999] == '9' && f->res.body[10000] == '\0', "to its end");
        f->req.max_response_bytes = 9999;
        NUM_IS(ask(f, paths[i]), DDB_ETOOLARGE, apr_psprintf(p, "%s: one byte over it is refused", paths[i]));
        NUM_IS(f->err.unsettled, 1, "though the request was carried out");
        OK(strstr(f->err.detail, "9999"), "the detail names the limit");
    }
    f->req.max_response_bytes = 10000;
    NUM_IS(ask(f, "/heads"), DDB_ETOOLARGE, "endless headers are refused");
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "the transport goes on");
    teardown(f);
}

static void test_limits(apr_pool_t *p)
{
    test_limits_by(p, 0);
    test_limits_by(p, 1);
}

/* The client's own sockets to the server: their number, and how many of them a program started now would inherit. */
static int count_sockets(const server_t *s, int *inherited)
{
    int fd, n = 0;

    *inherited = 0;
    for (fd = 0; fd < 256; fd++) {
        struct sockaddr_in a = { 0 };
        socklen_t len = sizeof(a);
        if (getpeername(fd, (struct sockaddr *)&a, &len) == 0 && a.sin_family == AF_INET
            && ntohs(a.sin_port) == s->port) {
            n++;
            *inherited += !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        }
    }
    return n;
}

static void test_close_on_exec(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int inherited;

    ask(f, "/ok");
    NUM_IS(count_sockets(&f->server, &inherited), 1, "an idle handle keeps its connection");
    NUM_IS(inherited, 0, "which a CGI program does not inherit");
    teardown(f);
}

typedef struct asker_t {
    fixture_t *f;
    apr_pool_t *pool;
    apr_status_t rv;
} asker_t;

static void *ask_together(void *baton)
{
    asker_t *a = baton;
    ddb_http_request_t req = a->f->req;
    ddb_http_response_t res;
    ddb_error_t err = { 0 };

    a->rv = a->f->http.perform(a->f->http.baton, &req, a->pool, &res, &err);
    return NULL;
}

/* Two threads, each of which gets its answer only when both have asked. */
static int ask_two(fixture_t *f)
{
    asker_t askers[2];
    pthread_t threads[2];
    int i, good = 0;

    f->req.url = apr_psprintf(f->pool, "http://127.0.0.1:%d/together", f->server.port);
    compose(f);
    for (i = 0; i < 2; i++) {
        askers[i].f = f;
        apr_pool_create(&askers[i].pool, NULL);
        pthread_create(&threads[i], NULL, ask_together, &askers[i]);
    }
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        good += askers[i].rv == APR_SUCCESS;
        apr_pool_destroy(askers[i].pool);
    }
    return good;
}

/* --- exchanges that can be cancelled --- */

static void *cancel_soon(void *baton)
{
    apr_sleep(apr_time_from_msec(50));
    ddb_cancel_set(baton);
    return NULL;
}

static void test_cancel(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    ddb_cancel_t *cancel = ddb_cancel_create(p);
    ddb_http_transport_t plain = f->http;
    pthread_t thread;
    apr_time_t began;

    f->by_libcurl = 1;
    ddb_curl_cancellable(f->curl, &f->http, cancel, p);
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "an exchange that could be cancelled is one as any other");
    IS(f->res.body, "hello", "with its body");
    NUM_IS(ask(f, "/status"), APR_SUCCESS, "and the next");
    NUM_IS(f->res.status, 500, "with its status");
    NUM_IS(connections_of(&f->server), 2, "on a connection of its own");
    NUM_IS(ask(f, "/drop"), DDB_EUNAVAILABLE, "one without an answer fails");
    f->req.timeout = apr_time_from_msec(60);
    NUM_IS(ask(f, "/never"), APR_TIMEUP, "and has its time");
    f->req.timeout = apr_time_from_sec(60);
    pthread_create(&thread, NULL, cancel_soon, cancel);
    began = apr_time_now();
    NUM_IS(ask(f, "/never"), APR_EINTR, "one that gets no answer is cancelled");
    OK(apr_time_now() - began < apr_time_from_sec(20), "long before its time is over");
    pthread_join(thread, NULL);
    NUM_IS(ask(f, "/ok"), APR_EINTR, "there is none any more");
    f->http = plain;
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "but by the transport that knows no cancel");
    teardown(f);
}

static void test_threads(apr_pool_t *p)
{
    ddb_curl_opts_t few = { .max_idle_connections = 1 };
    fixture_t *f = setup(p);
    int inherited;

    NUM_IS(ask_two(f), 2, "two threads ask at once");
    NUM_IS(connections_of(&f->server), 2, "over two connections");
    NUM_IS(ask_two(f) + ask_two(f), 4, "and again, and again");
    NUM_IS(connections_of(&f->server), 2, "over the same two");
    ask(f, "/ok");
    ask(f, "/ok");
    NUM_IS(f->server.seen[seen_by(&f->server) - 1].connection, f->server.seen[seen_by(&f->server) - 2].connection,
           "one thread keeps to the connection that was used last");
    teardown(f);

    f = setup_with(p, &few);
    NUM_IS(ask_two(f), 2, "two threads where one connection may idle");
    await_closed(&f->server, 1);
    NUM_IS(count_sockets(&f->server, &inherited), 1, "one connection is kept and the other closed");
    teardown(f);
}

static void test_other_server(apr_pool_t *p)
{
    ddb_curl_opts_t few = { .max_idle_connections = 2 };
    fixture_t *f = setup_with(p, &few);
    server_t other = { .port = 0 };
    const char *url;
    int i, good = 0;

    server_start(&other);
    url = apr_psprintf(p, "http://127.0.0.1:%d/ok", other.port);
    ask_two(f);
    for (i = 0; i < 5; i++) {
        good += ask_url(f, url) == APR_SUCCESS;
    }
    NUM_IS(good, 5, "another server is asked while all kept connections lead to the first");
    NUM_IS(connections_of(&other), 1, "over one connection, which took the place of the one that was used longest ago");
    await_closed(&f->server, 1);
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "the first");
    NUM_IS(connections_of(&f->server), 2, "still has the other one");
    teardown(f);
    server_stop(&other);
}

static void test_environment(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "a proxy in the environment is not asked");
    IS(last_seen(&f->server)->line, "POST /ok", "the request goes to the endpoint itself");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    teardown(f);
}

static void test_warm(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *url = apr_psprintf(p, "http://127.0.0.1:%d/ok", f->server.port);
    const ddb_curl_warm_t warm = { .url = url, .n = 3, .timeout = apr_time_from_sec(5) };
    const ddb_curl_warm_t nobody = { .url = "http://127.0.0.1:1/", .n = 3, .timeout = apr_time_from_sec(5) };

    NUM_IS(ddb_curl_warm(f->curl, &warm), 3, "connections are made before they are needed");
    NUM_IS(seen_by(&f->server), 0, "and nothing is sent over them");
    await_count(&f->server, &f->server.connections, 3);
    NUM_IS(connections_of(&f->server), 3, "on as many connections");
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "a request");
    NUM_IS(connections_of(&f->server), 3, "uses one of them");
    NUM_IS(last_seen(&f->server)->connection, 2, "the last that was made");
    OK(strstr(last_seen(&f->server)->head, "X-Mark: one"), "as any other");
    NUM_IS(ddb_curl_warm(f->curl, &nobody), 0, "where nobody is there are none");
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "and those that are there stay");
    teardown(f);
}

static void test_proxy(apr_pool_t *p)
{
    fixture_t *f;
    server_t proxy = { .port = 0 };
    ddb_curl_opts_t o = { .max_idle_connections = 2 };

    server_start(&proxy);
    o.proxy = apr_psprintf(p, "http://127.0.0.1:%d", proxy.port);
    f = setup_with(p, &o);
    setenv("no_proxy", "*", 1);
    ask_url(f, "http://dynamodb.example/ok");
    IS(last_seen(&proxy)->line, "POST http://dynamodb.example/ok", "a proxy that is set gets the request");
    f->req.timeout = apr_time_from_msec(300);
    ask_url(f, "https://dynamodb.example/ok");
    IS(last_seen(&proxy)->line, "CONNECT dynamodb.example:443", "for TLS it is asked for a tunnel");
    OK(!strstr(last_seen(&proxy)->head, "X-Mark"), "and sees nothing of what goes through it");
    unsetenv("no_proxy");
    NUM_IS(f->err.unsettled, 0, "without one nothing has been sent");
    f->req.timeout = apr_time_from_sec(10);
    NUM_IS(ask_url(f, "https://refused/ok"), DDB_EUNAVAILABLE, "a proxy that refuses a tunnel");
    NUM_IS(f->err.unsettled, 0, "has surely carried nothing");
    NUM_IS(ask(f, "/ok"), APR_SUCCESS, "this machine is asked directly");
    IS(last_seen(&f->server)->line, "POST /ok", "without the proxy");
    NUM_IS(ask_url(f, apr_psprintf(p, "http://localhost:%d/ok", f->server.port)), APR_SUCCESS, "also by its name");
    NUM_IS(proxy.n_seen, 3, "of which the proxy has seen nothing");
    teardown(f);
    server_stop(&proxy);
}

/* ---- TLS, with the openssl command as the server ---- */

typedef struct tls_t {
    char dir[64];
    int port;
    pid_t pid;
} tls_t;

static const char make_ca[] =
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test "
    "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/ca.pem 2>/dev/null";

/* 0 when there is no openssl command that can do it. */
static int tls_start(tls_t *t, apr_pool_t *p)
{
    const char *argv[] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", NULL, "-key", NULL, NULL };

    strcpy(t->dir, "/tmp/test_curl.XXXXXX");
    if (!mkdtemp(t->dir) || system(apr_psprintf(p, make_ca, t->dir, t->dir)) != 0) {
        return 0;
    }
    argv[6] = apr_psprintf(p, "%s/ca.pem", t->dir);
    argv[8] = apr_psprintf(p, "%s/key.pem", t->dir);
    return program_start(&t->pid, &t->port, argv);
}

static void tls_stop(tls_t *t, apr_pool_t *p)
{
    if (t->pid > 0) {
        kill(t->pid, SIGTERM);
        waitpid(t->pid, NULL, 0);
    }
    unlink(apr_psprintf(p, "%s/key.pem", t->dir));
    unlink(apr_psprintf(p, "%s/ca.pem", t->dir));
    rmdir(t->dir);
}

static void test_tls_server(apr_pool_t *p, const tls_t *t)
{
    ddb_curl_opts_t system_cas = { .max_idle_connections = 1 };
    ddb_curl_opts_t own_ca = { .max_idle_connections = 1, .ca_file = apr_psprintf(p, "%s/ca.pem", t->dir) };
    ddb_curl_opts_t no_ca = { .max_idle_connections = 1, .ca_file = "/nonexistent/ca.pem" };
    const char *url = apr_psprintf(p, "https://127.0.0.1:%d/", t->port);
    fixture_t *f = setup_with(p, &own_ca);

    f->req.method = "GET";
    f->req.body = NULL;
    f->req.body_len = 0;
    NUM_IS(ask_url(f, url), APR_SUCCESS, "a server whose CA is the one given is trusted");
    NUM_IS(f->res.status, 200, "and answers");
    OK(strstr(f->res.body, "TLSv1.3") || strstr(f->res.body, "TLSv1.2"), "over TLS 1.2 or later");
    NUM_IS(ask_url(f, apr_psprintf(p, "https://localhost:%d/", t->port)), DDB_EUNAVAILABLE,
           "not under a name its certificate does not have");
    NUM_IS(f->err.unsettled, 0, "nothing was sent to it");
    teardown(f);
    f = setup_with(p, &system_cas);
    NUM_IS(ask_url(f, url), DDB_EUNAVAILABLE, "without that CA it is not trusted");
    NUM_IS(f->err.unsettled, 0, "nothing was sent to it");
    OK(strstr(f->err.detail, "CA file"), "the detail says where to look");
    teardown(f);
    f = setup_with(p, &no_ca);
    NUM_IS(ask_url(f, url), DDB_EUNAVAILABLE, "nor with a CA file that is missing");
    OK(strstr(f->err.detail, "CA file"), "and the detail says that");
    teardown(f);
}

/* A server that keeps its connections, over TLS 1.3, which sends session tickets behind the handshake. */
static const char keeping_server[] = "import http.server, ssl, sys\n"
                                     "class H(http.server.BaseHTTPRequestHandler):\n"
                                     "    protocol_version = 'HTTP/1.1'\n"
                                     "    def do_POST(self):\n"
                                     "        self.rfile.read(int(self.headers['Content-Length']))\n"
                                     "        text = ('%d ' % self.client_address[1] + 'x' * 40000).encode()\n"
                                     "        self.send_response(200)\n"
                                     "        self.send_header('Content-Length', str(len(text)))\n"
                                     "        self.end_headers()\n"
                                     "        self.wfile.write(text)\n"
                                     "    def log_message(self, *a): pass\n"
                                     "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)\n"
                                     "c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                                     "c.load_cert_chain(sys.argv[1] + '/ca.pem', sys.argv[1] + '/key.pem')\n"
                                     "s.socket = c.wrap_socket(s.socket, server_side=True)\n"
                                     "print('ACCEPT:%d' % s.server_address[1], flush=True)\n"
                                     "s.serve_forever()\n";

static void test_tls_kept(apr_pool_t *p, const tls_t *t)
{
    ddb_curl_opts_t own_ca = { .max_idle_connections = 1, .ca_file = apr_psprintf(p, "%s/ca.pem", t->dir) };
    fixture_t *f = setup_with(p, &own_ca);
    const char *url, *argv[] = { "python3", "-c", keeping_server, t->dir, NULL };
    tls_t kept = { .port = 0 };
    int i, good = 0, same = 0;
    char first[16] = "";

    if (!program_start(&kept.pid, &kept.port, argv)) {
        OK(1, "a server that keeps its connections # SKIP no python3 that can serve TLS");
        teardown(f);
        return;
    }
    url = apr_psprintf(p, "https://127.0.0.1:%d/", kept.port);
    for (i = 0; i < 20; i++) {
        good += ask_url(f, url) == APR_SUCCESS && f->res.body_len > 40000;
        if (!first[0] && f->res.body_len) {
            apr_cpystrn(first, f->res.body, strcspn(f->res.body, " ") + 1);
        }
        same += strncmp(f->res.body, first, strlen(first)) == 0;
    }
    NUM_IS(good, 20, "twenty exchanges over TLS succeed");
    NUM_IS(same, 20, "over one connection, whatever tickets come on it");
    kill(kept.pid, SIGTERM);
    waitpid(kept.pid, NULL, 0);
    NUM_IS(ask_url(f, url), DDB_EUNAVAILABLE, "a server that is gone is found out");
    NUM_IS(f->err.unsettled, 0, "before anything is sent on the connection that it closed");
    teardown(f);
}

/* A record of TLS is read in a loop: each byte of it would begin the timeout of a blocking socket anew. And what OpenSSL
 * has read already can't be seen on the socket. */
static void test_tls_records(apr_pool_t *p, const tls_t *t)
{
    ddb_curl_opts_t own_ca = { .max_idle_connections = 1, .ca_file = apr_psprintf(p, "%s/ca.pem", t->dir) };
    fixture_t *f = setup_with(p, &own_ca);
    const char *srcdir = getenv("srcdir");
    const char *script = apr_pstrcat(p, srcdir ? srcdir : ".", "/t/unit/tls_records.py", NULL);
    const char *url, *argv[] = { "python3", script, t->dir, NULL };
    tls_t records = { .port = 0 };
    apr_time_t start;

    if (!program_start(&records.pid, &records.port, argv)) {
        OK(1, "records of TLS # SKIP no python3 that can serve TLS");
        teardown(f);
        return;
    }
    url = apr_psprintf(p, "https://127.0.0.1:%d", records.port);
    NUM_IS(ask_url(f, apr_pstrcat(p, url, "/behind", NULL)), APR_SUCCESS,
           "a reply with another behind it in its record");
    NUM_IS(ask_url(f, apr_pstrcat(p, url, "/ok", NULL)), APR_SUCCESS, "and the next exchange");
    NUM_IS(f->res.status, 200, "which has its own reply");
    start = apr_time_now();
    f->req.timeout = apr_time_from_msec(300);
    NUM_IS(ask_url(f, apr_pstrcat(p, url, "/slow", NULL)), APR_TIMEUP,
           "a record that comes byte by byte has no more time");
    OK(apr_time_now() - start < apr_time_from_msec(1000), "than the exchange");
    kill(records.pid, SIGTERM);
    waitpid(records.pid, NULL, 0);
    teardown(f);
}

static void test_tls(apr_pool_t *p)
{
    tls_t t = { .port = 0 };

    if (tls_start(&t, p)) {
        test_tls_server(p, &t);
        test_tls_kept(p, &t);
        test_tls_records(p, &t);
    }
    else {
        OK(1, "TLS # SKIP the openssl command can't make a certificate and serve it");
    }
    tls_stop(&t, p);
}

TAP_MAIN(p)
{
    signal(SIGPIPE, SIG_IGN);         /* as httpd does; OpenSSL writes without MSG_NOSIGNAL */
    setvbuf(stdout, NULL, _IONBF, 0); /* a forked child has nothing to print again */
    TAP_EACH(p, test_exchange, test_exchange_by_libcurl, test_headers, test_methods, test_large_body, test_reuse,
             test_idle_close, test_bytes_behind, test_trickle, test_drop, test_drop_and_gone, test_after_failures,
             test_broken_replies, test_unreachable, test_forbidden, test_timeouts, test_limits, test_close_on_exec,
             test_cancel, test_threads, test_other_server, test_environment, test_warm, test_proxy, test_tls);
}
