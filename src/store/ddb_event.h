#ifndef DDB_EVENT_H
#define DDB_EVENT_H

#include "base/ddb_crypto.h"
#include "store/ddb_marks.h"

/*
 * The line of one security event of a session: what OWASP's Session Management Cheat Sheet ("Logging Sessions Life
 * Cycle") and Logging Cheat Sheet ("Event attributes") ask for, and nothing that opens a session or names a user.
 */

/** The most bytes of a line, with its end: what POSIX writes into a pipe in one piece on Linux (PIPE_BUF). */
#define DDB_EVENT_MOST 4096

/** What happened, to which session, in which request. Texts may be NULL: unknown. */
typedef struct ddb_event_t {
    apr_time_t time;
    const char *event, *reason; /* words of ours */
    const char *session;        /* an ID, as the client has it */
    const char *previous;       /* the ID that it replaced */
    const char *client;         /* IP address */
    const char *method, *host, *path, *agent;
    ddb_marks_user_t user; /* user NULL: nobody */
    int status;            /* of the response */
    const char *request;   /* the ID that other logs have for the request */
} ddb_event_t;

/**
 * The line, in p: a JSON object of ASCII characters with all keys, in a fixed order, and a line feed. IDs and users
 * are the first 32 hex digits of their HMAC-SHA-256 under key; "" where there is none, or OpenSSL fails. A client's
 * texts are cut, so that the line has at most DDB_EVENT_MOST bytes.
 */
const char *ddb_event_line(const ddb_event_t *e, ddb_bytes_t key, apr_pool_t *p);

#endif
