/* The HTTP transport over libcurl: its two ways, and the connections that wait for the next exchange. */

#include <apr_strings.h>

#include "base/ddb_curl_int.h"

/** What a transport whose exchanges can be cancelled is made with. */
typedef struct watched_t {
    ddb_curl_t *curl;
    ddb_cancel_t *cancel;
} watched_t;

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    return req->message ? ddb_curl_send_message(baton, req, p, res, err)
                        : ddb_curl_send_once(baton, NULL, req, p, res, err);
}

static apr_status_t perform_watched(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                                    ddb_error_t *err)
{
    const watched_t *w = baton;

    return req->message ? ddb_curl_send_message(w->curl, req, p, res, err)
                        : ddb_curl_send_once(w->curl, w->cancel, req, p, res, err);
}

void ddb_curl_cancellable(ddb_curl_t *c, ddb_http_transport_t *t, ddb_cancel_t *cancel, apr_pool_t *p)
{
    watched_t *w = apr_palloc(p, sizeof(*w));

    *w = (watched_t){ .curl = c, .cancel = cancel };
    *t = (ddb_http_transport_t){ .perform = perform_watched, .baton = w };
}

apr_status_t ddb_curl_create(ddb_curl_t **pc, ddb_http_transport_t *t, const ddb_curl_opts_t *o, apr_pool_t *p)
{
    ddb_curl_t *c = apr_pcalloc(p, sizeof(*c));
    apr_status_t rv;

    c->max_idle = o->max_idle_connections > 0 ? o->max_idle_connections : 0;
    c->idle = apr_pcalloc(p, (c->max_idle + 1) * sizeof(ddb_curl_connection_t *));
    c->o.ca_file = apr_pstrdup(p, o->ca_file);
    c->o.proxy = apr_pstrdup(p, o->proxy);
    /* The one thing that is registered with p: it frees the mutex and touches no connection. */
    rv = apr_thread_mutex_create(&c->mutex, APR_THREAD_MUTEX_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? APR_SUCCESS : APR_EINIT;
    }
    c->o.separate_cas = o->separate_cas;
    if (rv == APR_SUCCESS) {
        rv = ddb_curl_share_cas(&c->o, p);
    }
    t->perform = perform;
    t->baton = c;
    *pc = rv == APR_SUCCESS ? c : NULL;
    return rv;
}

int ddb_curl_warm(ddb_curl_t *c, const ddb_curl_warm_t *what)
{
    const ddb_curl_target_t target = { .url = what->url, .timeout = what->timeout, .cancel = what->cancel };
    ddb_curl_connection_t *connection = NULL;
    ddb_error_t err;
    int opened = 0;

    while (opened < what->n && ddb_curl_connect(&connection, &c->o, &target, &err) == APR_SUCCESS) {
        connection->used = connection->born;
        ddb_curl_keep(c, connection);
        opened++;
    }
    return opened;
}

const char *ddb_curl_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

void ddb_curl_destroy(ddb_curl_t *c)
{
    while (c->n_idle > 0) {
        ddb_curl_connection_close(c->idle[--c->n_idle]);
    }
    ddb_tls_destroy(c->o.tls);
    /* libcurl counts: one for each curl_global_init, so that other modules' use of it goes on. */
    curl_global_cleanup();
}
