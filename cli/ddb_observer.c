/* A transport that looks at replies. */

#include <string.h>

#include <apr_date.h>
#include <apr_strings.h>

#include "base/ddb_zlib.h"
#include "ddb_observer.h"

#define AUTHORIZATION "\r\nAuthorization: "

static void note(ddb_observer_t *o, const ddb_http_response_t *res)
{
    const char *id = apr_table_get(res->headers, "x-amzn-RequestId"), *date = apr_table_get(res->headers, "Date");
    const char *crc = apr_table_get(res->headers, "x-amz-crc32");
    char *at;

    o->replies++;
    o->status = res->status;
    o->with_id += id != NULL;
    o->with_date += date && apr_date_parse_http(date) != APR_DATE_BAD;
    o->with_crc += crc != NULL;
    o->bad_crc += crc && apr_atoi64(crc) != (apr_int64_t)ddb_zlib_crc32(res->body, res->body_len);
    apr_cpystrn(o->request_id, id ? id : "", sizeof(o->request_id));
    for (at = o->request_id; *at; at++) {
        *at = *at > ' ' && *at <= '~' ? *at : '?';
    }
}

/* The message without that line of its head. */
static void unsign(ddb_http_request_t *req, apr_pool_t *p)
{
    const char *line = req->message ? strstr(req->message, AUTHORIZATION) : NULL;
    const char *next = line ? strstr(line + 2, "\r\n") : NULL;
    apr_size_t head, cut;
    char *text;

    if (!next) {
        return;
    }
    head = (apr_size_t)(line - req->message);
    cut = (apr_size_t)(next - line);
    text = apr_pmemdup(p, req->message, req->message_len + 1);
    memmove(text + head, text + head + cut, req->message_len + 1 - head - cut);
    req->message = text;
    req->message_len -= cut;
}

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    ddb_observer_t *o = baton;
    ddb_http_request_t copy = *req;
    apr_status_t rv;

    o->request_id[0] = '\0';
    o->status = 0;
    copy.timeout = o->timeout;
    if (o->unsign) {
        unsign(&copy, p);
    }
    rv = o->real->perform(o->real->baton, &copy, p, res, err);
    if (rv == APR_SUCCESS) {
        note(o, res);
    }
    return rv;
}

void ddb_observer_begin(ddb_observer_t *o, const ddb_http_transport_t *real, apr_interval_time_t timeout)
{
    memset(o, 0, sizeof(*o));
    o->http = (ddb_http_transport_t){ .perform = perform, .baton = o };
    o->real = real;
    o->timeout = timeout;
}
