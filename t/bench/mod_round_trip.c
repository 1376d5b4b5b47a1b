/*
 * What any session store behind a network costs at least, and nothing of the module that is measured: one exchange of
 * the bytes in a file with the stand-in, over a kept connection. No session, no signature, no parsing. For benchmarks
 * only.
 *
 *   RoundTripPort PORT       of the stand-in on 127.0.0.1; per server
 *   RoundTripRequest FILE    head and body of the request, as they are to be sent
 *   RoundTripTimes N         exchanges for each request, one after another; 1 by default
 *   RoundTripCAFile FILE     over TLS; trusted certificates
 *   RoundTripProvider On     as a session provider of mod_session, whose sessions are empty; by default in the fixups
 *                            hook, without mod_session
 *   RoundTripLibcurl On      by curl_easy_perform instead of write and read
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <curl/curl.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_request.h>
#include <mod_session.h>
#include <openssl/ssl.h>

module AP_MODULE_DECLARE_DATA round_trip_module;

/* Without mod_session, which has to be loaded first, they are NULL. */
#pragma weak ap_hook_session_load
#pragma weak ap_hook_session_save

#define REPLY_MAX (1024 * 1024)
#define HEAD_END  "\r\n\r\n"

/* Taken from the pool for one exchange: the last one put back is the first to be taken. */
typedef struct connection_t connection_t;
struct connection_t {
    connection_t *next;
    int fd;
    SSL *ssl;   /* NULL without TLS */
    CURL *easy; /* NULL but for libcurl; it has a connection of its own then */
    size_t len; /* of reply */
    char reply[REPLY_MAX + 1];
};

typedef struct round_trip_config_t {
    int port, times, provider, libcurl;
    const char *request, *ca_file;
    size_t request_len;
    SSL_CTX *tls;
    pthread_mutex_t mutex;
    connection_t *idle;
} round_trip_config_t;

static round_trip_config_t *config_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &round_trip_module);
}

/* --- by write and read -------------------------------------------------------------------------------------------- */

static int connect_to(int port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    addr.sin_port = htons((unsigned short)port);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static int start_tls(const round_trip_config_t *c, connection_t *to)
{
    to->ssl = SSL_new(c->tls);
    return to->ssl && SSL_set_fd(to->ssl, to->fd) == 1 && SSL_connect(to->ssl) == 1 ? 0 : -1;
}

static ssize_t connection_write(connection_t *to, const char *from, size_t len)
{
    return to->ssl ? SSL_write(to->ssl, from, (int)len) : send(to->fd, from, len, MSG_NOSIGNAL);
}

static ssize_t connection_read(connection_t *from, char *to, size_t len)
{
    return from->ssl ? SSL_read(from->ssl, to, (int)len) : recv(from->fd, to, len, 0);
}

/* Length of the whole reply; 0 while its head is not there. */
static size_t reply_length(const char *reply)
{
    const char *body = strstr(reply, HEAD_END), *length = strstr(reply, "Content-Length: ");

    return body && length ? (size_t)(body + 4 - reply) + strtoul(length + 16, NULL, 10) : 0;
}

static int exchange_by_socket(const round_trip_config_t *c, connection_t *with)
{
    size_t whole = 0;
    ssize_t n;

    if (connection_write(with, c->request, c->request_len) != (ssize_t)c->request_len) {
        return -1;
    }
    with->len = 0;
    do {
        n = connection_read(with, with->reply + with->len, REPLY_MAX - with->len);
        if (n <= 0) {
            return -1;
        }
        with->len += (size_t)n;
        if (!whole) {
            with->reply[with->len] = '\0';
            whole = reply_length(with->reply);
        }
    } while (!whole || with->len < whole);
    return strncmp(with->reply, "HTTP/1.1 200", 12) == 0 ? 0 : -1;
}

/* --- by libcurl --------------------------------------------------------------------------------------------------- */

static size_t take_body(char *from, size_t size, size_t n, void *connection)
{
    connection_t *to = connection;

    if (to->len + size * n > REPLY_MAX) {
        return 0;
    }
    memcpy(to->reply + to->len, from, size * n);
    to->len += size * n;
    return size * n;
}

/* The lines between request line and body, without those that libcurl makes itself. */
static struct curl_slist *header_lines(const round_trip_config_t *c, apr_pool_t *p)
{
    const char *end = strstr(c->request, HEAD_END);
    char *head = apr_pstrmemdup(p, c->request, (size_t)(end - c->request)), *state, *line;
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    apr_strtok(head, "\r\n", &state);
    while ((line = apr_strtok(NULL, "\r\n", &state))) {
        if (strncasecmp(line, "Host:", 5) != 0 && strncasecmp(line, "Content-Length:", 15) != 0) {
            list = curl_slist_append(list, line);
        }
    }
    return list;
}

/* With the options that a client of a service cannot do without: the headers are others each time. */
static int exchange_by_libcurl(const round_trip_config_t *c, connection_t *with, apr_pool_t *p)
{
    const char *body = strstr(c->request, HEAD_END) + 4;
    struct curl_slist *headers = header_lines(c, p);
    long status = 0;
    CURLcode code;

    with->len = 0;
    curl_easy_setopt(with->easy, CURLOPT_URL,
                     apr_psprintf(p, "%s://127.0.0.1:%d/", c->ca_file ? "https" : "http", c->port));
    curl_easy_setopt(with->easy, CURLOPT_CAINFO, c->ca_file);
    curl_easy_setopt(with->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(with->easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(with->easy, CURLOPT_POSTFIELDSIZE, (long)(c->request_len - (size_t)(body - c->request)));
    curl_easy_setopt(with->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(with->easy, CURLOPT_WRITEDATA, with);
    curl_easy_setopt(with->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(with->easy, CURLOPT_TIMEOUT_MS, 10000L);
    code = curl_easy_perform(with->easy);
    curl_easy_getinfo(with->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(with->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return code == CURLE_OK && status == 200 ? 0 : -1;
}

/* --- the pool ----------------------------------------------------------------------------------------------------- */

static void connection_close(connection_t *connection)
{
    if (connection->easy) {
        curl_easy_cleanup(connection->easy);
    }
    SSL_free(connection->ssl);
    if (connection->fd >= 0) {
        close(connection->fd);
    }
    free(connection);
}

/* malloc leaves what is never used of a reply's room untouched: it costs no memory. */
static connection_t *connection_open(const round_trip_config_t *c)
{
    connection_t *connection = malloc(sizeof(*connection));
    int failed;

    connection->ssl = NULL;
    connection->fd = -1;
    connection->easy = c->libcurl ? curl_easy_init() : NULL;
    if (c->libcurl) {
        failed = !connection->easy;
    }
    else {
        connection->fd = connect_to(c->port);
        failed = connection->fd < 0 || (c->tls && start_tls(c, connection) != 0);
    }
    if (failed) {
        connection_close(connection);
        connection = NULL;
    }
    return connection;
}

static connection_t *pool_take(round_trip_config_t *c)
{
    connection_t *connection;

    pthread_mutex_lock(&c->mutex);
    connection = c->idle;
    if (connection) {
        c->idle = connection->next;
    }
    pthread_mutex_unlock(&c->mutex);
    return connection ? connection : connection_open(c);
}

static void pool_put(round_trip_config_t *c, connection_t *connection)
{
    pthread_mutex_lock(&c->mutex);
    connection->next = c->idle;
    c->idle = connection;
    pthread_mutex_unlock(&c->mutex);
}

/* --- the hooks ---------------------------------------------------------------------------------------------------- */

static int round_trips(request_rec *r, round_trip_config_t *c)
{
    connection_t *connection;
    int i, failed = 0;

    for (i = 0; i < c->times && !failed; i++) {
        connection = pool_take(c);
        failed = !connection
                 || (c->libcurl ? exchange_by_libcurl(c, connection, r->pool) : exchange_by_socket(c, connection)) != 0;
        if (!failed) {
            pool_put(c, connection);
        }
        else if (connection) {
            connection_close(connection);
        }
    }
    if (failed) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "no good answer from the stand-in on port %d", c->port);
    }
    return failed ? HTTP_SERVICE_UNAVAILABLE : OK;
}

static int fixups(request_rec *r)
{
    round_trip_config_t *c = config_of(r->server);
    int status = c->port && !c->provider ? round_trips(r, c) : OK;

    return status == OK ? DECLINED : status;
}

static apr_status_t session_load(request_rec *r, session_rec **z)
{
    round_trip_config_t *c = config_of(r->server);
    session_rec *session;

    if (!c->port || !c->provider) {
        return DECLINED;
    }
    /* mod_session asks in the fixups and again before the response. */
    session = ap_get_module_config(r->request_config, &round_trip_module);
    if (!session) {
        if (round_trips(r, c) != OK) {
            return APR_EGENERAL;
        }
        session = apr_pcalloc(r->pool, sizeof(*session));
        session->pool = r->pool;
        session->entries = apr_table_make(r->pool, 1);
        ap_set_module_config(r->request_config, &round_trip_module, session);
    }
    *z = session;
    return OK;
}

static apr_status_t session_save(request_rec *r, session_rec *z)
{
    (void)z;
    return config_of(r->server)->provider ? OK : DECLINED;
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

static void *create_server(apr_pool_t *p, server_rec *s)
{
    round_trip_config_t *c = apr_pcalloc(p, sizeof(*c));

    (void)s;
    c->times = 1;
    pthread_mutex_init(&c->mutex, NULL);
    return c;
}

static const char *set_int(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    *(int *)((char *)config_of(cmd->server) + (size_t)cmd->info) = atoi(arg);
    return NULL;
}

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    *(int *)((char *)config_of(cmd->server) + (size_t)cmd->info) = on;
    return NULL;
}

static const char *set_ca_file(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    config_of(cmd->server)->ca_file = arg;
    return NULL;
}

static const char *set_request(cmd_parms *cmd, void *dir, const char *arg)
{
    round_trip_config_t *c = config_of(cmd->server);
    apr_file_t *file;
    apr_finfo_t info;
    char *bytes = NULL;

    (void)dir;
    if (apr_file_open(&file, arg, APR_READ, APR_OS_DEFAULT, cmd->pool) == APR_SUCCESS
        && apr_file_info_get(&info, APR_FINFO_SIZE, file) == APR_SUCCESS) {
        bytes = apr_pcalloc(cmd->pool, (apr_size_t)info.size + 1);
        c->request_len = (size_t)info.size;
        if (apr_file_read_full(file, bytes, c->request_len, NULL) != APR_SUCCESS) {
            bytes = NULL;
        }
    }
    c->request = bytes;
    return bytes && strstr(bytes, HEAD_END) ? NULL : apr_pstrcat(cmd->pool, arg, " holds no request", NULL);
}

#define AT(member) ((void *)offsetof(round_trip_config_t, member))

static const command_rec directives[] = {
    AP_INIT_TAKE1("RoundTripPort", set_int, AT(port), RSRC_CONF, "port of the stand-in on 127.0.0.1"),
    AP_INIT_TAKE1("RoundTripTimes", set_int, AT(times), RSRC_CONF, "exchanges for each request"),
    AP_INIT_TAKE1("RoundTripRequest", set_request, NULL, RSRC_CONF, "file with the request to send"),
    AP_INIT_TAKE1("RoundTripCAFile", set_ca_file, NULL, RSRC_CONF, "trusted certificates, for TLS"),
    AP_INIT_FLAG("RoundTripProvider", set_flag, AT(provider), RSRC_CONF, "On to be a provider of mod_session"),
    AP_INIT_FLAG("RoundTripLibcurl", set_flag, AT(libcurl), RSRC_CONF, "On to ask through libcurl"),
    { NULL, { NULL }, NULL, 0, 0, NULL }
};

static void child_init(apr_pool_t *p, server_rec *s)
{
    round_trip_config_t *c = config_of(s);

    (void)p;
    curl_global_init(CURL_GLOBAL_ALL);
    if (c->ca_file && !c->libcurl) {
        c->tls = SSL_CTX_new(TLS_client_method());
        if (!c->tls || SSL_CTX_load_verify_locations(c->tls, c->ca_file, NULL) != 1) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s can't be used", c->ca_file);
            exit(APEXIT_CHILDFATAL);
        }
        SSL_CTX_set_verify(c->tls, SSL_VERIFY_PEER, NULL);
    }
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(fixups, NULL, NULL, APR_HOOK_MIDDLE);
    if (ap_hook_session_load && ap_hook_session_save) {
        ap_hook_session_load(session_load, NULL, NULL, APR_HOOK_MIDDLE);
        ap_hook_session_save(session_save, NULL, NULL, APR_HOOK_MIDDLE);
    }
}

AP_DECLARE_MODULE(round_trip) = { STANDARD20_MODULE_STUFF, NULL, NULL, create_server, NULL, directives, register_hooks,
                                  AP_MODULE_FLAG_NONE };
