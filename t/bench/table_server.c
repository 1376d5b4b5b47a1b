/*
 * A fast stand-in for DynamoDB, for benchmarks only: HTTP/1.1 with keep-alive on loopback, one thread, one epoll set,
 * rows in memory. It carries out GetItem, PutItem, UpdateItem and DeleteItem on the tables of table_api.h, judges their
 * conditions and answers with request ID and CRC-32 as the service does. It asks for an Authorization header and does
 * not check the signature. GET /counts says what was carried out; GET /page.html is a small static reply.
 *
 *   table_server [port]      port 0 or none: any free one; the first line printed is the port
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "table_api.h"

#define EVENTS      64
#define READ_STEP   16384
#define REQUEST_MAX (1u << 20) /* DynamoDB takes items up to 400 KiB */
#define PAGE_BYTES  1024
#define TARGET      "DynamoDB_20120810."

typedef struct bytes_t {
    char *data;
    size_t len, size;
} bytes_t;

typedef struct connection_t {
    int fd;
    int closing; /* after the answers that wait */
    int blocked; /* waits for EPOLLOUT and not for requests */
    bytes_t in;
    bytes_t out;
    size_t sent; /* of out */
} connection_t;

typedef struct server_t {
    table_t *table;
    int epoll, listener;
    unsigned long requests, opened, open;
    time_t date_of;
    char date[64];
    char page[PAGE_BYTES];
} server_t;

typedef struct request_t {
    const char *head; /* starts with the request line; ends before body */
    char *body;
    size_t head_len, body_len;
    const char *target; /* operation, NUL behind it; NULL for no API call */
    int authorized, close;
} request_t;

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void bytes_reserve(bytes_t *b, size_t more)
{
    if (b->len + more > b->size) {
        b->size = (b->len + more) * 2;
        b->data = realloc(b->data, b->size);
        if (!b->data) {
            abort();
        }
    }
}

static void bytes_add(bytes_t *b, const char *in, size_t len)
{
    bytes_reserve(b, len);
    memcpy(b->data + b->len, in, len);
    b->len += len;
}

static void bytes_drop(bytes_t *b, size_t len)
{
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

/* The client reckons its clock skew from this header. */
static const char *date_now(server_t *s)
{
    time_t now = time(NULL);
    struct tm tm;

    if (now != s->date_of) {
        gmtime_r(&now, &tm);
        strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        s->date_of = now;
    }
    return s->date;
}

static void reply_call(server_t *s, connection_t *c, const table_reply_t *r)
{
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\nServer: Server\r\nDate: %s\r\nContent-Type: application/x-amz-json-1.0\r\n"
                     "Content-Length: %zu\r\nConnection: %s\r\nx-amzn-RequestId: STANDIN%045lu\r\n"
                     "x-amz-crc32: %lu\r\n\r\n",
                     r->status, r->status == 200 ? "OK" : "Bad Request", date_now(s), r->len,
                     c->closing ? "close" : "keep-alive", s->requests, (unsigned long)r->crc);

    bytes_add(&c->out, head, (size_t)n);
    bytes_add(&c->out, r->body, r->len);
}

static void reply_plain(server_t *s, connection_t *c, const char *type, bytes_t body)
{
    char head[256];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
                     body.data ? "200 OK" : "404 Not Found", date_now(s), type, body.len,
                     c->closing ? "close" : "keep-alive");

    bytes_add(&c->out, head, (size_t)n);
    if (body.data) {
        bytes_add(&c->out, body.data, body.len);
    }
}

static void reply_counts(server_t *s, connection_t *c)
{
    char text[512];
    table_counts_t n;
    bytes_t body = { text, 0, 0 };

    table_counts(s->table, &n);
    body.len = (size_t)snprintf(text, sizeof(text),
                                "{\"GetItem\":%lu,\"PutItem\":%lu,\"UpdateItem\":%lu,\"DeleteItem\":%lu,\"other\":%lu,"
                                "\"conflicts\":%lu,\"requests\":%lu,\"connections_opened\":%lu,"
                                "\"connections_open\":%lu}\n",
                                n.get, n.put, n.update, n.remove, n.other, n.conflicts, s->requests, s->opened,
                                s->open);
    reply_plain(s, c, "application/json", body);
}

static void answer_page(server_t *s, connection_t *c, const request_t *q)
{
    bytes_t page = { s->page, sizeof(s->page), 0 }, none = { NULL, 0, 0 };

    if (strncmp(q->head, "GET /counts ", 12) == 0) {
        reply_counts(s, c);
        return;
    }
    reply_plain(s, c, "text/html", strncmp(q->head, "GET /page.html ", 15) == 0 ? page : none);
}

static void answer(server_t *s, connection_t *c, request_t *q)
{
    table_reply_t reply;
    char after;

    s->requests++;
    c->closing |= q->close;
    if (!q->target) {
        answer_page(s, c, q);
        return;
    }
    if (!q->authorized) {
        table_refuse(s->table, &reply, "com.amazon.coral.service#MissingAuthenticationTokenException",
                     "Request is missing Authentication Token");
    }
    else {
        /* The first byte of the next request may stand behind the body. */
        after = q->body[q->body_len];
        q->body[q->body_len] = '\0';
        table_call(s->table, q->target, q->body, &reply);
        q->body[q->body_len] = after;
    }
    reply_call(s, c, &reply);
}

/* The value if the line is this header, else NULL. The line has its end replaced by NUL. */
static char *header_value(char *line, const char *name)
{
    size_t n = strlen(name);

    if (strncasecmp(line, name, n) != 0 || line[n] != ':') {
        return NULL;
    }
    line += n + 1;
    return line + strspn(line, " \t");
}

static void read_header(request_t *q, char *line)
{
    char *value;

    if ((value = header_value(line, "Content-Length"))) {
        q->body_len = strtoul(value, NULL, 10);
    }
    else if ((value = header_value(line, "X-Amz-Target"))) {
        q->target = strncmp(value, TARGET, strlen(TARGET)) == 0 ? value + strlen(TARGET) : "";
    }
    else if (header_value(line, "Authorization")) {
        q->authorized = 1;
    }
    else if ((value = header_value(line, "Connection"))) {
        q->close = strcasecmp(value, "close") == 0;
    }
}

/* Take the head apart. Line ends become NUL: the head is read once and then dropped. */
static void read_head(request_t *q, char *head)
{
    char *line = head, *end;

    while ((end = memmem(line, (size_t)(head + q->head_len - line), "\r\n", 2))) {
        *end = '\0';
        if (line != head) {
            read_header(q, line);
        }
        line = end + 2;
    }
}

static size_t content_length(const char *head, size_t len)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");

    return at && at < head + len ? strtoul(at + 17, NULL, 10) : 0;
}

/* @return bytes taken from in, 0 when the request is not all there yet. */
static size_t take_request(server_t *s, connection_t *c, char *in, size_t len)
{
    request_t q = { 0 };
    char *end = memmem(in, len, "\r\n\r\n", 4);

    if (!end) {
        return 0;
    }
    q.head = in;
    q.head_len = (size_t)(end - in) + 4;
    q.body = in + q.head_len;
    q.body_len = content_length(in, q.head_len);
    if (q.body_len > REQUEST_MAX) {
        c->closing = 1;
        return len;
    }
    if (len < q.head_len + q.body_len) {
        return 0;
    }
    read_head(&q, in);
    answer(s, c, &q);
    return q.head_len + q.body_len;
}

static void connection_close(server_t *s, connection_t *c)
{
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
    s->open--;
}

/* @return 0 while the connection lives. What the socket does not take waits for EPOLLOUT. */
static int connection_send(server_t *s, connection_t *c)
{
    struct epoll_event ev = { 0 };
    int blocked;
    ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && errno != EAGAIN) {
        return -1;
    }
    c->sent += n > 0 ? (size_t)n : 0;
    blocked = c->sent < c->out.len;
    if (!blocked) {
        c->out.len = c->sent = 0;
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

/* @return 0 while the connection lives. */
static int connection_read(server_t *s, connection_t *c)
{
    size_t taken, at = 0;
    ssize_t n;

    bytes_reserve(&c->in, READ_STEP + 1);
    n = recv(c->fd, c->in.data + c->in.len, READ_STEP, MSG_DONTWAIT);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    }
    c->in.len += (size_t)n;
    c->in.data[c->in.len] = '\0';
    while (!c->closing && (taken = take_request(s, c, c->in.data + at, c->in.len - at)) > 0) {
        at += taken;
    }
    bytes_drop(&c->in, at);
    if (c->in.len > 2 * REQUEST_MAX) {
        return -1;
    }
    return c->out.len || c->closing ? connection_send(s, c) : 0;
}

static void accept_one(server_t *s)
{
    struct epoll_event ev = { 0 };
    connection_t *c;
    int one = 1, fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->fd = fd;
    ev.events = EPOLLIN;
    ev.data.ptr = c;
    s->opened++;
    s->open++;
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev)) {
        connection_close(s, c);
    }
}

static void serve(server_t *s)
{
    struct epoll_event events[EVENTS];
    int i, n, dead;
    connection_t *c;

    while (!stop) {
        n = epoll_wait(s->epoll, events, EVENTS, -1);
        for (i = 0; i < n; i++) {
            c = events[i].data.ptr;
            if (!c) {
                accept_one(s);
                continue;
            }
            dead = (events[i].events & EPOLLOUT) ? connection_send(s, c) : connection_read(s, c);
            if (dead) {
                connection_close(s, c);
            }
        }
    }
}

/* @return the port, or -1. */
static int listen_on(server_t *s, int port)
{
    struct sockaddr_in addr = { 0 };
    struct epoll_event ev = { 0 };
    socklen_t len = sizeof(addr);
    int one = 1;

    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    addr.sin_port = htons((unsigned short)port);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    ev.events = EPOLLIN;
    if (s->listener < 0 || s->epoll < 0 || bind(s->listener, (struct sockaddr *)&addr, sizeof(addr))
        || listen(s->listener, 1024) || getsockname(s->listener, (struct sockaddr *)&addr, &len)
        || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &ev)) {
        return -1;
    }
    return ntohs(addr.sin_port);
}

int main(int argc, char **argv)
{
    server_t s = { 0 };
    int port;

    signal(SIGPIPE, SIG_IGN);
    /* Without SA_RESTART, so that epoll_wait returns. */
    sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    memset(s.page, 'x', sizeof(s.page));
    s.table = table_create();
    port = s.table ? listen_on(&s, argc > 1 ? atoi(argv[1]) : 0) : -1;
    if (port < 0) {
        fprintf(stderr, "table_server: no listener on 127.0.0.1 port %s: %s; give a free port\n",
                argc > 1 ? argv[1] : "0", strerror(errno));
        return 1;
    }
    printf("%d\n", port);
    fflush(stdout);
    serve(&s);
    table_destroy(s.table);
    return 0;
}
