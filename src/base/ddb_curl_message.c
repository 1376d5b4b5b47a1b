/* Exchanges of messages over connections that are kept: nothing is ever sent twice, because one is given up with
 * whatever failed on it, and one that the server closed is found before anything is sent. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_clock.h"
#include "base/ddb_crypto.h"
#include "base/ddb_curl_int.h"

#define IDLE_MAX apr_time_from_sec(45)  /* DynamoDB closes idle connections after some 60 s */
#define LIFE_MAX apr_time_from_sec(600) /* so that connections follow changes of the name's addresses */

static int leads_to(const ddb_curl_connection_t *c, const char *url)
{
    apr_size_t len = strlen(c->origin);

    return strncmp(c->origin, url, len) == 0 && (!url[len] || strchr("/?#", url[len]));
}

static ddb_curl_connection_t *take_last(ddb_curl_t *c, const char *url)
{
    ddb_curl_connection_t *found = NULL;
    int i;

    apr_thread_mutex_lock(c->mutex);
    for (i = c->n_idle - 1; i >= 0 && !found; i--) {
        if (leads_to(c->idle[i], url)) {
            found = c->idle[i];
            memmove(&c->idle[i], &c->idle[i + 1], (apr_size_t)(--c->n_idle - i) * sizeof(ddb_curl_connection_t *));
        }
    }
    apr_thread_mutex_unlock(c->mutex);
    return found;
}

/* An idle connection that stands and is not too old; NULL: there is none. */
static ddb_curl_connection_t *take(ddb_curl_t *c, const char *url, apr_time_t now)
{
    ddb_curl_connection_t *found;

    while ((found = take_last(c, url)) != NULL
           && (now - found->used > IDLE_MAX || now - found->born > LIFE_MAX || !ddb_curl_connection_is_idle(found))) {
        ddb_curl_connection_close(found);
    }
    return found;
}

void ddb_curl_keep(ddb_curl_t *c, ddb_curl_connection_t *connection)
{
    ddb_curl_connection_t *old = NULL;

    apr_thread_mutex_lock(c->mutex);
    /* The first was used longest ago. It goes when it is too old, or to make room: it may lead where nobody asks. */
    if (c->n_idle > 0 && (c->n_idle == c->max_idle || connection->used - c->idle[0]->used > IDLE_MAX)) {
        old = c->idle[0];
        memmove(&c->idle[0], &c->idle[1], (apr_size_t)--c->n_idle * sizeof(ddb_curl_connection_t *));
    }
    if (c->n_idle < c->max_idle) {
        c->idle[c->n_idle++] = connection;
        connection = NULL;
    }
    apr_thread_mutex_unlock(c->mutex);
    if (old) {
        ddb_curl_connection_close(old);
    }
    if (connection) {
        ddb_curl_connection_close(connection);
    }
}

static void note_connection(ddb_error_t *err, const ddb_curl_connection_t *connection)
{
    if (err) {
        err->connected += !connection->stream.reused;
        err->reused += connection->stream.reused;
    }
}

static apr_status_t find_connection(ddb_curl_connection_t **connection, ddb_curl_t *c, const ddb_http_request_t *req,
                                    ddb_error_t *err)
{
    apr_time_t now = ddb_clock_monotonic(&ddb_clock_system);
    const ddb_curl_target_t target = { .url = req->url,
                                       .timeout = req->connect_timeout < req->timeout ? req->connect_timeout
                                                                                      : req->timeout };
    apr_status_t rv = APR_SUCCESS;

    *connection = req->fresh_connection ? NULL : take(c, req->url, now);
    if (*connection) {
        (*connection)->stream.reused = 1;
    }
    else {
        rv = ddb_curl_connect(connection, &c->o, &target, err);
    }
    if (rv == APR_SUCCESS) {
        note_connection(err, *connection);
        (*connection)->used = now;
        (*connection)->end = now + req->timeout;
    }
    if (rv == APR_SUCCESS && (*connection)->born >= (*connection)->end) {
        ddb_curl_connection_close(*connection);
        rv = ddb_error_set(err, APR_TIMEUP, "no time was left after connecting; the endpoint is slow");
    }
    return rv;
}

static const char *behind_space(const char *text, apr_size_t len)
{
    const char *space = memchr(text, ' ', len);

    return space ? space + 1 : text + len;
}

/* A proxy that makes no tunnel is told the whole URL (RFC 9112, section 3.2.2). A message ends without a NUL. */
static ddb_http_request_t as_sent(const ddb_curl_t *c, const ddb_http_request_t *req, apr_pool_t *p)
{
    ddb_http_request_t sent = *req;
    const char *end = req->message + req->message_len, *target, *version;
    struct iovec parts[4];

    if (!c->o.proxy || strncasecmp(req->url, "http:", 5) != 0 || ddb_curl_is_direct(req->url)) {
        return sent;
    }
    target = behind_space(req->message, req->message_len);
    version = behind_space(target, (apr_size_t)(end - target));
    parts[0] = (struct iovec){ .iov_base = (char *)req->message, .iov_len = (apr_size_t)(target - req->message) };
    parts[1] = (struct iovec){ .iov_base = (char *)req->url, .iov_len = strlen(req->url) };
    parts[2] = (struct iovec){ .iov_base = " ", .iov_len = 1 };
    parts[3] = (struct iovec){ .iov_base = (char *)version, .iov_len = (apr_size_t)(end - version) };
    sent.message = apr_pstrcatv(p, parts, 4, &sent.message_len);
    return sent;
}

apr_status_t ddb_curl_send_message(ddb_curl_t *c, const ddb_http_request_t *req, apr_pool_t *p,
                                   ddb_http_response_t *res, ddb_error_t *err)
{
    ddb_http_request_t sent;
    ddb_curl_connection_t *connection;
    apr_status_t rv = find_connection(&connection, c, req, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    sent = as_sent(c, req, p);
    rv = ddb_exchange(&connection->stream, &sent, p, res, err);
    if (sent.message != req->message) {
        ddb_crypto_wipe((char *)sent.message, sent.message_len); /* there may be a session token in it */
    }
    if (connection->stream.reusable) {
        ddb_curl_keep(c, connection);
    }
    else {
        ddb_curl_connection_close(connection);
    }
    return rv;
}
