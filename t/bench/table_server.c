/*
 * A fast stand-in for DynamoDB, for benchmarks only: HTTP/1.1 with keep-alive on loopback, plain and over TLS, one
 * thread, one epoll set, rows in memory. It carries out GetItem, Query by key, PutItem, UpdateItem and DeleteItem on
 * the tables of table_api.h, judges their conditions and answers with request ID and CRC-32 as the service does. It
 * asks for an Authorization header and does not check the signature. GET /counts says what was carried out; GET
 * /page.html is a small static reply. GET /record: the next call is kept as it comes, and GET /recorded has it.
 *
 *   table_server [LATENCY [PEM]]   microseconds from a request to its reply, 0 by default; a file with certificate and
 *                                  key. The first line printed is the port, the second, with PEM, that of TLS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "table_http.h"

#define EVENTS        64
#define READ_STEP     16384
#define UNREAD_MAX    (2u << 20)
#define BUFFERS_KEPT  65536 /* of an idle connection */
#define NANOS_A_SEC   1000000000LL
#define NANOS_A_MICRO 1000LL

typedef struct connection_t {
    TAILQ_ENTRY(connection_t) queue;
    int64_t due; /* when its replies leave; 0: it is not in the queue */
    int fd;
    SSL *ssl;    /* NULL on the plain port */
    int closing; /* after the answers that wait */
    int blocked; /* waits for EPOLLOUT and not for requests */
    bytes_t in;
    bytes_t out;
    size_t sent; /* of out */
} connection_t;

typedef struct server_t {
    table_http_t *http;
    table_connections_t connections;
    int epoll;
    int listeners[2]; /* plain, TLS */
    SSL_CTX *tls;
    int64_t latency; /* ns */
    /* The latency is the same for all: who came first is due first. */
    TAILQ_HEAD(queue_t, connection_t) queue;
} server_t;

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NANOS_A_SEC + t.tv_nsec;
}

static void unqueue(server_t *s, connection_t *c)
{
    if (c->due) {
        TAILQ_REMOVE(&s->queue, c, queue);
        c->due = 0;
    }
}

static void connection_close(server_t *s, connection_t *c)
{
    unqueue(s, c);
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
    s->connections.open--;
}

/* @return bytes, 0 at the end of the connection, -1 with EAGAIN where there is nothing to read or no room to write. */
static ssize_t tls_result(connection_t *c, int n)
{
    int error;

    if (n > 0) {
        return n;
    }
    error = SSL_get_error(c->ssl, n);
    ERR_clear_error();
    errno = EAGAIN;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static ssize_t connection_recv(connection_t *c, char *to, size_t len)
{
    return c->ssl ? tls_result(c, SSL_read(c->ssl, to, (int)len)) : recv(c->fd, to, len, 0);
}

static ssize_t connection_write(connection_t *c, const char *from, size_t len)
{
    return c->ssl ? tls_result(c, SSL_write(c->ssl, from, (int)len)) : send(c->fd, from, len, MSG_NOSIGNAL);
}

static void drop_if_large(bytes_t *b)
{
    if (b->len == 0 && b->size > BUFFERS_KEPT) {
        free(b->data);
        memset(b, 0, sizeof(*b));
    }
}

/* @return 0 while the connection lives. What the socket does not take waits for EPOLLOUT. */
static int connection_send(server_t *s, connection_t *c)
{
    struct epoll_event ev = { 0 };
    ssize_t n = 1;
    int blocked;

    while (n > 0 && c->sent < c->out.len) {
        n = connection_write(c, c->out.data + c->sent, c->out.len - c->sent);
        c->sent += n > 0 ? (size_t)n : 0;
    }
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        return -1;
    }
    blocked = c->sent < c->out.len;
    if (!blocked) {
        c->out.len = c->sent = 0;
        drop_if_large(&c->out);
        if (c->closing) {
            return -1;
        }
    }
    if (blocked == c->blocked) {
        return 0;
    }
    c->blocked = blocked;
    ev.events = blocked ? EPOLLOUT : EPOLLIN;
    ev.data.ptr = c;
    return epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

static void take_requests(server_t *s, connection_t *c)
{
    size_t taken, at = 0;

    c->in.data[c->in.len] = '\0';
    while (!c->closing
           && (taken = table_http_take(s->http, c->in.data + at, c->in.len - at, &c->out, &c->closing)) > 0) {
        at += taken;
    }
    bytes_drop(&c->in, at);
    drop_if_large(&c->in);
}

/* @return 0 while the connection lives. */
static int connection_read(server_t *s, connection_t *c)
{
    ssize_t n;

    /* All there is: epoll does not know of what OpenSSL has read already. */
    do {
        bytes_reserve(&c->in, READ_STEP + 1);
        n = connection_recv(c, c->in.data + c->in.len, READ_STEP);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            return -1;
        }
        if (n > 0) {
            c->in.len += (size_t)n;
            take_requests(s, c);
        }
    } while (n > 0 && c->ssl && !c->closing && c->in.len <= UNREAD_MAX);
    if (c->in.len > UNREAD_MAX) {
        return -1;
    }
    if (!c->out.len && !c->closing) {
        return 0;
    }
    if (s->latency == 0) {
        return connection_send(s, c);
    }
    if (!c->due) {
        c->due = now() + s->latency;
        TAILQ_INSERT_TAIL(&s->queue, c, queue);
    }
    return 0;
}

static void send_what_is_due(server_t *s)
{
    connection_t *c;
    int64_t until = s->latency ? now() : 0;

    while ((c = TAILQ_FIRST(&s->queue)) && c->due <= until) {
        unqueue(s, c);
        if (connection_send(s, c)) {
            connection_close(s, c);
        }
    }
}

static void accept_one(server_t *s, int listener)
{
    struct epoll_event ev = { 0 };
    connection_t *c;
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->fd = fd;
    if (listener == s->listeners[1]) {
        c->ssl = SSL_new(s->tls);
        if (!c->ssl || !SSL_set_fd(c->ssl, fd)) {
            abort();
        }
        SSL_set_accept_state(c->ssl);
    }
    ev.events = EPOLLIN;
    ev.data.ptr = c;
    s->connections.opened++;
    s->connections.open++;
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev)) {
        connection_close(s, c);
    }
}

static int wait_for_events(server_t *s, struct epoll_event *events)
{
    const connection_t *first = TAILQ_FIRST(&s->queue);
    struct timespec t = { 0, 0 };
    int64_t left;

    if (first) {
        left = first->due - now();
        t.tv_sec = left > 0 ? left / NANOS_A_SEC : 0;
        t.tv_nsec = left > 0 ? left % NANOS_A_SEC : 0;
    }
    return epoll_pwait2(s->epoll, events, EVENTS, first ? &t : NULL, NULL);
}

static void serve(server_t *s)
{
    struct epoll_event events[EVENTS];
    int i, n, dead;
    connection_t *c;

    while (!stop) {
        n = wait_for_events(s, events);
        for (i = 0; i < n; i++) {
            if (events[i].data.ptr == &s->listeners[0] || events[i].data.ptr == &s->listeners[1]) {
                accept_one(s, *(int *)events[i].data.ptr);
                continue;
            }
            c = events[i].data.ptr;
            dead = (events[i].events & EPOLLOUT) ? connection_send(s, c) : connection_read(s, c);
            if (dead) {
                connection_close(s, c);
            }
        }
        send_what_is_due(s);
    }
}

/* Print the port. @return 0 on success. */
static int listen_on(server_t *s, int *listener)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = listener };
    socklen_t len = sizeof(addr);

    *listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*listener < 0 || bind(*listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(*listener, 4096)
        || getsockname(*listener, (struct sockaddr *)&addr, &len)
        || epoll_ctl(s->epoll, EPOLL_CTL_ADD, *listener, &ev)) {
        return -1;
    }
    printf("%d\n", ntohs(addr.sin_port));
    return 0;
}

static int prepare_tls(server_t *s, const char *pem)
{
    s->tls = SSL_CTX_new(TLS_server_method());
    if (!s->tls || SSL_CTX_use_certificate_chain_file(s->tls, pem) != 1
        || SSL_CTX_use_PrivateKey_file(s->tls, pem, SSL_FILETYPE_PEM) != 1) {
        return -1;
    }
    SSL_CTX_set_mode(s->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(s->tls, 1);
    return 0;
}

int main(int argc, char **argv)
{
    server_t s = { 0 };

    signal(SIGPIPE, SIG_IGN);
    /* Without SA_RESTART, so that epoll_pwait2 returns. */
    sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    prctl(PR_SET_TIMERSLACK, 1);
    TAILQ_INIT(&s.queue);
    s.latency = argc > 1 ? atoll(argv[1]) * NANOS_A_MICRO : 0;
    s.epoll = epoll_create1(EPOLL_CLOEXEC);
    s.http = table_http_create(&s.connections);
    if (!s.http || s.epoll < 0 || listen_on(&s, &s.listeners[0])) {
        fprintf(stderr, "table_server: no listener on 127.0.0.1: %s\n", strerror(errno));
        return 1;
    }
    if (argc > 2 && (prepare_tls(&s, argv[2]) || listen_on(&s, &s.listeners[1]))) {
        fprintf(stderr, "table_server: no TLS with %s: %s\n", argv[2], ERR_error_string(ERR_get_error(), NULL));
        return 1;
    }
    fflush(stdout);
    serve(&s);
    table_http_destroy(s.http);
    SSL_CTX_free(s.tls);
    return 0;
}
