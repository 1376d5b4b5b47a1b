/* HTTP/1.1 of the stand-in: requests taken apart, calls handed to the table, replies as the service's look. */
#define _GNU_SOURCE
#include "table_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "table_api.h"

#define REQUEST_MAX (1u << 20) /* DynamoDB takes items up to 400 KiB */
#define PAGE_BYTES  1024
#define TARGET      "DynamoDB_20120810."

struct table_http_t {
    table_t *table;
    const table_connections_t *connections;
    unsigned long requests;
    time_t date_of;
    char date[64];
    char page[PAGE_BYTES];
    int record;       /* the next call is to be recorded */
    bytes_t recorded; /* as it came */
};

typedef struct request_t {
    const char *head; /* starts with the request line; ends before body */
    char *body;
    size_t head_len, body_len;
    const char *target; /* operation, NUL behind it; NULL for no API call */
    int authorized, close;
} request_t;

/* Where the reply goes. */
typedef struct answer_t {
    bytes_t *out;
    int *closing;
} answer_t;

void bytes_reserve(bytes_t *b, size_t more)
{
    if (b->len + more > b->size) {
        b->size = (b->len + more) * 2;
        b->data = realloc(b->data, b->size);
        if (!b->data) {
            abort();
        }
    }
}

void bytes_add(bytes_t *b, const char *in, size_t len)
{
    bytes_reserve(b, len);
    memcpy(b->data + b->len, in, len);
    b->len += len;
}

void bytes_drop(bytes_t *b, size_t len)
{
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

table_http_t *table_http_create(const table_connections_t *connections)
{
    table_http_t *h = calloc(1, sizeof(*h));

    if (h) {
        h->table = table_create();
        h->connections = connections;
        memset(h->page, 'x', sizeof(h->page));
    }
    if (h && !h->table) {
        free(h);
        h = NULL;
    }
    return h;
}

void table_http_destroy(table_http_t *h)
{
    table_destroy(h->table);
    free(h->recorded.data);
    free(h);
}

/* The client reckons its clock skew from this header. */
static const char *date_now(table_http_t *h)
{
    time_t now = time(NULL);
    struct tm tm;

    if (now != h->date_of) {
        gmtime_r(&now, &tm);
        strftime(h->date, sizeof(h->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        h->date_of = now;
    }
    return h->date;
}

static void reply_call(table_http_t *h, answer_t *a, const table_reply_t *r)
{
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\nServer: Server\r\nDate: %s\r\nContent-Type: application/x-amz-json-1.0\r\n"
                     "Content-Length: %zu\r\nConnection: %s\r\nx-amzn-RequestId: STANDIN%045lu\r\n"
                     "x-amz-crc32: %lu\r\n\r\n",
                     r->status, r->status == 200 ? "OK" : "Bad Request", date_now(h), r->len,
                     *a->closing ? "close" : "keep-alive", h->requests, (unsigned long)r->crc);

    bytes_add(a->out, head, (size_t)n);
    bytes_add(a->out, r->body, r->len);
}

static void reply_plain(table_http_t *h, answer_t *a, const char *type, bytes_t body)
{
    char head[256];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
                     body.data ? "200 OK" : "404 Not Found", date_now(h), type, body.len,
                     *a->closing ? "close" : "keep-alive");

    bytes_add(a->out, head, (size_t)n);
    if (body.data) {
        bytes_add(a->out, body.data, body.len);
    }
}

static void reply_counts(table_http_t *h, answer_t *a)
{
    char text[512];
    table_counts_t n;
    bytes_t body = { text, 0, 0 };

    table_counts(h->table, &n);
    body.len = (size_t)snprintf(text, sizeof(text),
                                "{\"GetItem\":%lu,\"PutItem\":%lu,\"UpdateItem\":%lu,\"DeleteItem\":%lu,\"Query\":%lu,"
                                "\"other\":%lu,\"conflicts\":%lu,\"requests\":%lu,\"connections_opened\":%lu,"
                                "\"connections_open\":%lu}\n",
                                n.get, n.put, n.update, n.remove, n.query, n.other, n.conflicts, h->requests,
                                h->connections->opened, h->connections->open);
    reply_plain(h, a, "application/json", body);
}

static void answer_page(table_http_t *h, answer_t *a, const request_t *q)
{
    bytes_t page = { h->page, sizeof(h->page), 0 }, none = { NULL, 0, 0 };

    if (strncmp(q->head, "GET /counts ", 12) == 0) {
        reply_counts(h, a);
        return;
    }
    if (strncmp(q->head, "GET /recorded ", 14) == 0) {
        reply_plain(h, a, "application/octet-stream", h->recorded);
        return;
    }
    h->record |= strncmp(q->head, "GET /record ", 12) == 0;
    reply_plain(h, a, "text/html", strncmp(q->head, "GET /page.html ", 15) == 0 ? page : none);
}

static void answer(table_http_t *h, answer_t *a, request_t *q)
{
    table_reply_t reply;
    char after;

    h->requests++;
    *a->closing |= q->close;
    if (!q->target) {
        answer_page(h, a, q);
        return;
    }
    if (!q->authorized) {
        table_refuse(h->table, &reply, "com.amazon.coral.service#MissingAuthenticationTokenException",
                     "Request is missing Authentication Token");
    }
    else {
        /* The first byte of the next request may stand behind the body. */
        after = q->body[q->body_len];
        q->body[q->body_len] = '\0';
        table_call(h->table, q->target, q->body, &reply);
        q->body[q->body_len] = after;
    }
    reply_call(h, a, &reply);
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

static void record(table_http_t *h, const char *in, size_t len)
{
    h->recorded.len = 0;
    bytes_add(&h->recorded, in, len);
}

size_t table_http_take(table_http_t *h, char *in, size_t len, bytes_t *out, int *closing)
{
    answer_t a = { out, closing };
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
        *closing = 1;
        return len;
    }
    if (len < q.head_len + q.body_len) {
        return 0;
    }
    if (h->record) {
        record(h, in, q.head_len + q.body_len);
    }
    read_head(&q, in);
    h->record &= !q.target;
    answer(h, &a, &q);
    return q.head_len + q.body_len;
}
