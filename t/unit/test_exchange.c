/* ddb_exchange over a scripted stream: replies in pieces of every size, well-formed and not, and what is sent. */

#include <errno.h>

#include <apr_strings.h>

#include "base/ddb_exchange.h"
#include "tap.h"

#define REQUEST "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"

/** A connection that takes and gives a script. */
typedef struct stream_t {
    const char *reply; /* reply_len bytes, then status */
    apr_size_t reply_len, piece, given;
    apr_status_t status;
    char sent[4096];
    apr_size_t sent_len, takes; /* takes: bytes a call; 0: status at once */
    int reads;
} stream_t;

typedef struct fixture_t {
    apr_pool_t *pool;
    stream_t s;
    ddb_exchange_stream_t stream;
    ddb_http_request_t req;
    ddb_http_response_t res;
    ddb_error_t err;
} fixture_t;

static apr_status_t take(void *baton, const char *data, apr_size_t *len)
{
    stream_t *s = baton;

    if (!s->takes) {
        return s->status;
    }
    *len = *len < s->takes ? *len : s->takes;
    memcpy(s->sent + s->sent_len, data, *len);
    s->sent_len += *len;
    return APR_SUCCESS;
}

static apr_status_t give(void *baton, char *buffer, apr_size_t *len)
{
    stream_t *s = baton;
    apr_size_t left = s->reply_len - s->given, n = *len < s->piece ? *len : s->piece;

    s->reads++;
    if (*len == 0) {
        return EINVAL; /* a place of no size would be read for ever */
    }
    n = n < left ? n : left;
    if (!n) {
        return s->status;
    }
    memcpy(buffer, s->reply + s->given, n);
    s->given += n;
    *len = n;
    return APR_SUCCESS;
}

static fixture_t *setup(apr_pool_t *p)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));

    f->pool = p;
    f->s.takes = sizeof(f->s.sent);
    f->s.piece = 1 << 20;
    f->s.status = APR_EOF;
    f->stream = (ddb_exchange_stream_t){ .send = take, .receive = give, .baton = &f->s };
    f->req = (ddb_http_request_t){ .message = REQUEST, .message_len = strlen(REQUEST), .max_response_bytes = 100000 };
    return f;
}

static apr_status_t reply_of(fixture_t *f, const char *reply, apr_size_t len)
{
    memset(&f->err, 0, sizeof(f->err));
    f->s.reply = reply;
    f->s.reply_len = len;
    f->s.given = f->s.sent_len = 0;
    f->s.reads = 0;
    return ddb_exchange(&f->stream, &f->req, f->pool, &f->res, &f->err);
}

static apr_status_t reply(fixture_t *f, const char *text)
{
    return reply_of(f, text, strlen(text));
}

static void test_reply(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    NUM_IS(reply(f, OK_HEAD "X-One:  1 \r\nx-two:\r\n\r\nhello"), APR_SUCCESS, "a reply is read");
    NUM_IS(f->s.reads, 1, "at once, if it comes at once");
    IS(apr_pstrmemdup(p, f->s.sent, f->s.sent_len), REQUEST, "the message was sent as it is");
    NUM_IS(f->res.status, 200, "the status");
    IS(f->res.body, "hello", "the body, with a NUL behind it");
    NUM_IS(f->res.body_len, 5, "its length");
    IS(apr_table_get(f->res.headers, "x-one"), "1", "a header, without regard to case and blanks around");
    IS(apr_table_get(f->res.headers, "X-Two"), "", "an empty one");
    NUM_IS(f->stream.reusable, 1, "another exchange may follow");
    NUM_IS(f->err.unsettled, 0, "nothing is unsettled");
    NUM_IS(reply(f, "HTTP/1.1 500\r\ncontent-length: 0\r\n\r\n"), APR_SUCCESS,
           "a status line without a reason will do");
    NUM_IS(f->res.status, 500, "for its status");
    IS(f->res.body, "", "an empty body is an empty string");
    NUM_IS(reply_of(f, OK_HEAD "\r\nh\0l\0o", strlen(OK_HEAD) + 7), APR_SUCCESS, "NUL bytes in a body are bytes");
    OK(memcmp(f->res.body, "h\0l\0o", 6) == 0, "that are kept");
}

static void test_pieces(apr_pool_t *p)
{
    static const char text[] = "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n" OK_HEAD "X-One: 1\r\n\r\nhello";
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                                  "3\r\nhel\r\n002;a=b\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n";
    fixture_t *f = setup(p);
    int good = 0, kept = 0;
    apr_size_t i;

    for (i = 1; i <= sizeof(text); i++) {
        f->s.piece = i;
        good += reply(f, text) == APR_SUCCESS && f->res.status == 200 && strcmp(f->res.body, "hello") == 0
                && !apr_table_get(f->res.headers, "X-Early") && apr_table_get(f->res.headers, "X-One");
        kept += f->stream.reusable;
    }
    NUM_IS(good, sizeof(text), "a reply behind an interim one is the same in pieces of every size");
    NUM_IS(kept, sizeof(text), "and its connection is kept");
    for (i = 1, good = kept = 0; i <= sizeof(chunked); i++) {
        f->s.piece = i;
        good += reply(f, chunked) == APR_SUCCESS && strcmp(f->res.body, "hello") == 0 && f->res.body_len == 5
                && !apr_table_get(f->res.headers, "X-Trailer");
        kept += f->stream.reusable;
    }
    NUM_IS(good, sizeof(chunked), "so is one in chunks, with extensions and a trailer");
    NUM_IS(kept, sizeof(chunked), "and its connection is kept");
    f->s.takes = 7;
    NUM_IS(reply(f, text), APR_SUCCESS, "a message that is sent in pieces");
    IS(apr_pstrmemdup(p, f->s.sent, f->s.sent_len), REQUEST, "is sent whole, and once");
}

static void test_long(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    char *body = apr_palloc(p, 100001), *text = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n";
    int i;

    for (i = 0; i < 100000; i++) {
        body[i] = (char)('a' + i % 23);
    }
    body[i] = '\0';
    for (i = 0; i < 1000; i++) {
        text = i % 100 ? text : apr_pstrcat(p, text, "X-Long: ", apr_pstrmemdup(p, body, 5000), "\r\n", NULL);
    }
    f->s.piece = 1000;
    NUM_IS(reply(f, apr_pstrcat(p, text, "\r\n", body, NULL)), APR_SUCCESS, "a long head and a long body are read");
    IS(f->res.body, body, "whole");
    NUM_IS(strlen(apr_table_get(f->res.headers, "X-Long")), 5000, "with long headers");
    IS(apr_table_get(f->res.headers, "Content-Length"), "100000", "and those before them");
}

static void test_kept(apr_pool_t *p)
{
    static const struct {
        const char *reply, *why;
        int kept;
    } replies[] = {
        { OK_HEAD "Connection: keep-alive\r\n\r\nhello", "keep-alive", 1 },
        { OK_HEAD "Connection: closed\r\n\r\nhello", "another word", 1 },
        { OK_HEAD "connection: CLOSE\r\n\r\nhello", "close", 0 },
        { OK_HEAD "Connection: x,close , y\r\n\r\nhello", "close in a list", 0 },
        { "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0", 0 },
        { OK_HEAD "\r\nhelloH", "a byte behind the body", 0 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\r\n", "bytes behind chunks",
          0 },
        { "HTTP/1.1 200 OK\r\n\r\nhello", "a body that ends with the connection", 0 },
        { "HTTP/1.0 200 OK\r\n\r\nhello", "the same in HTTP/1.0", 0 },
    };
    fixture_t *f = setup(p);
    apr_size_t i;

    for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        NUM_IS(reply(f, replies[i].reply), APR_SUCCESS, replies[i].why);
        IS(f->res.body, "hello", "is read");
        NUM_IS(f->stream.reusable, replies[i].kept,
               replies[i].kept ? "and the connection kept" : "and the connection closed");
    }
    NUM_IS(reply(f, "HTTP/1.1 204 No Content\r\n\r\n"), APR_SUCCESS, "a status without a body needs no length");
    NUM_IS(f->stream.reusable, 1, "and the connection is kept");
    NUM_IS(reply(f, "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"), APR_SUCCESS,
           "nor is the length it has its");
    NUM_IS(f->res.body_len, 0, "own");
}

/* Each of them is read in two ways by some two programs. */
static void test_refused(apr_pool_t *p)
{
    static const struct {
        const char *reply, *detail;
    } replies[] = {
        { OK_HEAD "Content-Length: 5\r\n\r\nhello", "two lengths" },
        { OK_HEAD "Content-Length: 6\r\n\r\nhello", "two lengths" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "not a number" },
        { "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "not a number" },
        { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", "not a number" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", "not a number" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\nhello", "not a number" },
        { "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello", "not a number" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\nhello", "not a number" },
        { OK_HEAD "Transfer-Encoding: chunked\r\n\r\nhello", "a length and a transfer coding" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
          "a length and a transfer coding" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "other than chunked, or two" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello", "other than chunked, or two" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
          "other than chunked, or two" },
        { "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "other than chunked, or two" },
        { OK_HEAD "X-Folded: a\r\n b\r\n\r\nhello", "folded" },
        { OK_HEAD "X-Folded: a\r\n\tb\r\n\r\nhello", "folded" },
        { OK_HEAD "X-Space : a\r\n\r\nhello", "not a header" },
        { OK_HEAD ": a\r\n\r\nhello", "not a header" },
        { OK_HEAD "No colon\r\n\r\nhello", "not a header" },
        { OK_HEAD "X-One: 1\n\r\nhello", "CRLF" },
        { "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "CRLF" },
        { OK_HEAD "X-One: 1\rX-Two: 2\r\n\r\nhello", "control character" },
        { "HTTP/2 200\r\nContent-Length: 5\r\n\r\nhello", "status line" },
        { "HTTP/1.1  200 OK\r\nContent-Length: 5\r\n\r\nhello", "status" },
        { "HTTP/1.1 20x OK\r\nContent-Length: 5\r\n\r\nhello", "not a number" },
        { "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello", "status line" },
        { "HTTP/1.1 099 OK\r\nContent-Length: 5\r\n\r\nhello", "below 100" },
        { "<html>\r\n\r\n", "status line" },
        { "\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "status line" },
        { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "changes the protocol" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n", "chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000005\r\nhello\r\n0\r\n\r\n", "chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 9\r\nhello\r\n0\r\n\r\n", "chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n", "chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n folded: x\r\n\r\n", "trailer" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n", "chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", "CRLF" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno header\r\n\r\n", "trailer" },
    };
    fixture_t *f = setup(p);
    apr_size_t i;

    for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        NUM_IS(reply(f, replies[i].reply), DDB_EUNAVAILABLE, apr_psprintf(p, "reply %d is refused", (int)i));
        OK(strstr(f->err.detail, replies[i].detail), apr_psprintf(p, "for: %s", replies[i].detail));
        OK(f->err.unsettled && !f->stream.reusable, "the request may have been carried out, and nothing follows it");
    }
    NUM_IS(reply_of(f, "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 27), DDB_EUNAVAILABLE, "so is a NUL in a header");
}

static void test_broken(apr_pool_t *p)
{
    static const char whole[] = OK_HEAD "\r\nhello";
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    fixture_t *f = setup(p);
    apr_size_t i, broken = 0;

    NUM_IS(reply(f, ""), DDB_EUNAVAILABLE, "no reply at all");
    IS(f->err.detail, "the server closed the connection without an answer", "is told");
    f->stream.reused = 1;
    reply(f, "");
    IS(f->err.detail, "the server closed a reused connection without an answer", "and that the connection was used");
    for (i = 0; i < sizeof(whole) - 1; i++) {
        broken += reply_of(f, whole, i) == DDB_EUNAVAILABLE && f->err.unsettled && !f->stream.reusable;
    }
    NUM_IS(broken, sizeof(whole) - 1, "a reply that ends early is none, wherever it ends");
    for (i = 0, broken = 0; i < sizeof(chunked) - 1; i++) {
        broken += reply_of(f, chunked, i) == DDB_EUNAVAILABLE && f->err.unsettled && !f->stream.reusable;
    }
    NUM_IS(broken, sizeof(chunked) - 1, "nor is one in chunks");
    f->s.status = ECONNRESET;
    NUM_IS(reply(f, OK_HEAD), DDB_EUNAVAILABLE, "a connection that breaks");
    OK(strstr(f->err.detail, "before the answer was complete (Connection reset"), "is told with the system's reason");
    NUM_IS(reply(f, "HTTP/1.1 200 OK\r\n\r\nhello"), DDB_EUNAVAILABLE, "and is no end of a body");
    f->s.status = APR_TIMEUP;
    NUM_IS(reply(f, OK_HEAD), APR_TIMEUP, "time that is up is that");
    NUM_IS(f->err.unsettled, 1, "with the request unsettled");
    f->s.takes = 0;
    NUM_IS(reply(f, whole), APR_TIMEUP, "also while sending");
    NUM_IS(f->s.reads, 0, "when nothing is read");
    NUM_IS(f->err.unsettled, 1, "but part may have been sent");
    f->s.status = EPIPE;
    NUM_IS(reply(f, whole), DDB_EUNAVAILABLE, "a connection that takes nothing");
    OK(strstr(f->err.detail, "while sending"), "says so");
    NUM_IS(ddb_exchange(&f->stream, &f->req, p, &f->res, NULL), DDB_EUNAVAILABLE, "no error record will do");
}

static void test_limits(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    char *spaces = apr_palloc(p, 170001);
    int i;
    const char *text = "HTTP/1.1 200 OK\r\n";

    memset(spaces, 'x', 170000);
    spaces[170000] = '\0';
    f->req.max_response_bytes = 5;
    NUM_IS(reply(f, OK_HEAD "\r\nhello"), APR_SUCCESS, "a body at the limit is taken");
    f->req.max_response_bytes = 4;
    f->s.piece = strlen(OK_HEAD) + 2;
    NUM_IS(reply(f, OK_HEAD "\r\nhello"), DDB_ETOOLARGE, "a larger one is refused");
    NUM_IS(f->s.reads, 1, "before it is read");
    NUM_IS(reply(f, "HTTP/1.1 200 OK\r\n\r\nhello"), DDB_ETOOLARGE, "also without a length");
    NUM_IS(reply(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
           DDB_ETOOLARGE, "or in chunks");
    NUM_IS(reply(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n"), DDB_ETOOLARGE,
           "before the chunk is read");
    NUM_IS(f->err.unsettled, 1, "the request was carried out all the same");
    f->s.piece = 5000;
    NUM_IS(reply(f, apr_pstrcat(p, OK_HEAD "X: ", spaces, "\r\n\r\nhello", NULL)), DDB_ETOOLARGE,
           "so is an endless header");
    OK(f->s.given < 80000, "before all of it is read");
    NUM_IS(reply(f, apr_pstrcat(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", spaces, NULL)),
           DDB_EUNAVAILABLE, "and an endless extension of a chunk");
    OK(f->s.given < 6000, "before much of it is read");
    for (i = 0; i < 400; i++) {
        text = apr_pstrcat(p, i ? text : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1;",
                           apr_pstrmemdup(p, spaces, 200), "\r\nx\r\n", NULL);
    }
    f->req.max_response_bytes = 10000;
    NUM_IS(reply(f, text), DDB_ETOOLARGE, "extensions of many chunks are as large as headers");
    f->req.max_response_bytes = 4;
    text = "HTTP/1.1 200 OK\r\n";
    for (i = 0; i < 2000; i++) {
        text = i % 50 ? text : apr_pstrcat(p, text, apr_pstrmemdup(p, spaces, 2000), ": 1\r\n", NULL);
    }
    NUM_IS(reply(f, text), DDB_ETOOLARGE, "many headers are as large as one");
    for (text = "", i = 0; i < 2000; i++) {
        text = i % 50
                   ? text
                   : apr_pstrcat(p, text, "HTTP/1.1 100 C\r\nX: ", apr_pstrmemdup(p, spaces, 2000), "\r\n\r\n", NULL);
    }
    NUM_IS(reply(f, text), DDB_ETOOLARGE, "and so are interim replies");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_reply, test_pieces, test_long, test_kept, test_refused, test_broken, test_limits);
}
