#ifndef MESSAGE_H
#define MESSAGE_H

/* A request that comes as a message, taken apart for transports of unit tests. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_http.h"

/* A field line without its end: a token, a colon, a space and a value without space at either end. */
static inline const char *message_take_field(apr_table_t *headers, char *line)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char *colon = line + strspn(line, token), *value = colon + 2;
    size_t len;

    if (colon == line || colon[0] != ':' || colon[1] != ' ') {
        return "a line of the head is no field";
    }
    len = strlen(value);
    if (!len || strchr(" \t", value[0]) || strchr(" \t", value[len - 1]) || strpbrk(value, "\r\n")) {
        return "a field has no value, or space around it";
    }
    *colon = '\0';
    if (apr_table_get(headers, line)) {
        return "a field is there twice";
    }
    apr_table_set(headers, line, value);
    return NULL;
}

/* What stands before the empty line, NUL after it. */
static inline const char *message_take_head(ddb_http_request_t *out, char *head, apr_pool_t *p)
{
    static const char first[] = "POST / HTTP/1.1\r\n";
    apr_table_t *headers = apr_table_make(p, 8);
    const char *wrong = NULL;
    char *line, *end;

    if (strncmp(head, first, strlen(first)) != 0) {
        return "it is no POST for /";
    }
    for (line = head + strlen(first); line && !wrong; line = end) {
        end = strstr(line, "\r\n");
        if (end) {
            *end = '\0';
            end += 2;
        }
        wrong = message_take_field(headers, line);
    }
    out->method = "POST";
    out->headers = headers;
    return wrong;
}

/**
 * Fill method, headers and body of out from the message of req, copied to p, and be as strict as any server.
 * @return what is wrong with it, or NULL.
 */
static inline const char *message_parse(ddb_http_request_t *out, const ddb_http_request_t *req, apr_pool_t *p)
{
    char *text = apr_pstrmemdup(p, req->message, req->message_len), *empty_line = strstr(text, "\r\n\r\n");
    const char *wrong, *length;

    if (req->method || req->headers || req->body) {
        return "there are parts beside it";
    }
    if (!empty_line) {
        return "its head does not end";
    }
    *empty_line = '\0';
    out->body = empty_line + 4;
    out->body_len = (apr_size_t)(text + req->message_len - out->body);
    wrong = message_take_head(out, text, p);
    if (wrong) {
        return wrong;
    }
    length = apr_table_get(out->headers, "Content-Length");
    return length && strcmp(length, apr_psprintf(p, "%" APR_SIZE_T_FMT, out->body_len)) == 0
               ? NULL
               : "its Content-Length is not the length of its body";
}

#endif
