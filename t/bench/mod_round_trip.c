/*
 * What any session store behind a network costs at least: one blocking exchange with the stand-in over a connection
 * that the thread keeps, in the fixups hook, where mod_session loads. No session, no signature, no parsing. For
 * benchmarks only.
 *
 *   RoundTripPort PORT       of the stand-in on 127.0.0.1; per server
 *   RoundTripLibcurl On      through the module's own transport (ddb_curl) instead of a bare socket: what libcurl costs,
 *                            used as the module has to use it
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_request.h>

#include "base/ddb_curl.h"

module AP_MODULE_DECLARE_DATA round_trip_module;

#define BODY                                                                                                           \
    "{\"TableName\":\"app_session\",\"ReturnConsumedCapacity\":\"TOTAL\","                                             \
    "\"Key\":{\"id\":{\"S\":\"bench\"}},\"ConsistentRead\":true}"                                                      \
    "                                    " /* spaces up to the length of a real key */
#define TYPE   "application/x-amz-json-1.0"
#define TARGET "DynamoDB_20120810.GetItem"
#define DATE   "20260101T000000Z"
#define SIGNED                                                                                                         \
    "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, "                                     \
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "                                                        \
    "Signature=0000000000000000000000000000000000000000000000000000000000000000"

/* As long as what mod_session_dynamodb sends. */
static const char request[] = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " TYPE "\r\nX-Amz-Target: " TARGET
                              "\r\nX-Amz-Date: " DATE "\r\nAuthorization: " SIGNED
                              "\r\nContent-Length: 145\r\n\r\n" BODY;

typedef struct round_trip_config_t {
    int port;
    int libcurl;
    ddb_http_transport_t http; /* of this child; with libcurl */
} round_trip_config_t;

static __thread int connection = -1;

static int connect_to(int port)
{
    struct sockaddr_in addr = { 0 };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    addr.sin_port = htons((unsigned short)port);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* 1 when buf holds a whole reply. */
static int is_whole(const char *buf, size_t len)
{
    const char *body = strstr(buf, "\r\n\r\n"), *length = strstr(buf, "Content-Length: ");

    return body && length && len >= (size_t)(body + 4 - buf) + strtoul(length + 16, NULL, 10);
}

static int exchange(int fd)
{
    char buf[16384];
    size_t len = 0;
    ssize_t n;

    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1) {
        return -1;
    }
    do {
        n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0);
        if (n <= 0) {
            return -1;
        }
        len += (size_t)n;
        buf[len] = '\0';
    } while (!is_whole(buf, len));
    return strncmp(buf, "HTTP/1.1 200", 12) == 0 ? 0 : -1;
}

static int exchange_by_libcurl(const round_trip_config_t *c, apr_pool_t *p)
{
    apr_table_t *headers = apr_table_make(p, 4);
    ddb_http_request_t req = { .method = "POST",
                               .headers = headers,
                               .body = BODY,
                               .body_len = sizeof(BODY) - 1,
                               .connect_timeout = apr_time_from_sec(1),
                               .timeout = apr_time_from_sec(1),
                               .max_response_bytes = 1024 * 1024 };
    ddb_http_response_t res;
    ddb_error_t err = { 0 };

    req.url = apr_psprintf(p, "http://127.0.0.1:%d/", c->port);
    apr_table_setn(headers, "Content-Type", TYPE);
    apr_table_setn(headers, "X-Amz-Target", TARGET);
    apr_table_setn(headers, "X-Amz-Date", DATE);
    apr_table_setn(headers, "Authorization", SIGNED);
    return c->http.perform(c->http.baton, &req, p, &res, &err) == APR_SUCCESS && res.status == 200 ? 0 : -1;
}

static int exchange_by_socket(const round_trip_config_t *c)
{
    if (connection < 0) {
        connection = connect_to(c->port);
    }
    return connection < 0 ? -1 : exchange(connection);
}

static int fixups(request_rec *r)
{
    round_trip_config_t *c = ap_get_module_config(r->server->module_config, &round_trip_module);

    if (!c->port) {
        return DECLINED;
    }
    if ((c->libcurl ? exchange_by_libcurl(c, r->pool) : exchange_by_socket(c)) != 0) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "no good answer from the stand-in on port %d", c->port);
        return HTTP_SERVICE_UNAVAILABLE;
    }
    return DECLINED;
}

static void *create_server(apr_pool_t *p, server_rec *s)
{
    (void)s;
    return apr_pcalloc(p, sizeof(round_trip_config_t));
}

static const char *set_port(cmd_parms *cmd, void *dir, const char *arg)
{
    round_trip_config_t *c = ap_get_module_config(cmd->server->module_config, &round_trip_module);

    (void)dir;
    c->port = atoi(arg);
    return NULL;
}

static const char *set_libcurl(cmd_parms *cmd, void *dir, int on)
{
    round_trip_config_t *c = ap_get_module_config(cmd->server->module_config, &round_trip_module);

    (void)dir;
    c->libcurl = on;
    return NULL;
}

static const command_rec directives[] = {
    AP_INIT_TAKE1("RoundTripPort", set_port, NULL, RSRC_CONF, "port of the stand-in on 127.0.0.1"),
    AP_INIT_FLAG("RoundTripLibcurl", set_libcurl, NULL, RSRC_CONF, "On to ask through libcurl"),
    { NULL, { NULL }, NULL, 0, 0, NULL }
};

static void child_init(apr_pool_t *p, server_rec *s)
{
    const ddb_curl_opts_t opts = { .max_idle_connections = 256 };
    ddb_curl_t *transport;

    for (; s; s = s->next) {
        round_trip_config_t *c = ap_get_module_config(s->module_config, &round_trip_module);

        if (c->libcurl && ddb_curl_create(&transport, &c->http, &opts, p) != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "libcurl can't be used");
            exit(APEXIT_CHILDFATAL);
        }
    }
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(fixups, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(round_trip) = { STANDARD20_MODULE_STUFF, NULL, NULL, create_server, NULL, directives, register_hooks,
                                  AP_MODULE_FLAG_NONE };
