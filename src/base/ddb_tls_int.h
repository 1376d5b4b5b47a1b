#ifndef DDB_TLS_INT_H
#define DDB_TLS_INT_H

#include <apr_thread_mutex.h>
#include <openssl/ssl.h>

#include "base/ddb_tls.h"

/* Between the files of ddb_tls. */

#define SESSIONS_MAX     64   /* one for each connection of a large process; the oldest is dropped */
#define TICKET_MAX_BYTES 8192 /* servers send some 2 KB at most */

/** A session to be resumed. It is a copy, because OpenSSL changes a session for as long as its connection lives, in the
 * connection's thread. As bytes (DER) it would take less memory, but a third more time in each handshake: the
 * certificate has to be parsed. */
typedef struct ddb_tls_session_t {
    SSL_SESSION *session;
    char peer[DDB_TLS_PEER_MAX];
} ddb_tls_session_t;

/** The last one is the youngest. */
typedef struct ddb_tls_sessions_t {
    ddb_tls_session_t list[SESSIONS_MAX];
    int n;
} ddb_tls_sessions_t;

/** Guards all of a ddb_tls_t that changes. */
typedef struct ddb_tls_shared_t {
    apr_thread_mutex_t *mutex;
    apr_uint32_t generation; /* of the CAs; sessions are of this one */
    ddb_tls_sessions_t sessions;
    ddb_tls_counts_t counts;
} ddb_tls_shared_t;

/** Make the connection of ctx take a session, and leave those that it gets, if the CAs are still of this generation.
 * @return 0 when OpenSSL is out of memory. */
int ddb_tls_resume(ddb_tls_shared_t *s, SSL_CTX *ctx, apr_uint32_t generation, const char *peer);

/** Forget all sessions. The caller holds the mutex, or is the only one left. */
void ddb_tls_forget(ddb_tls_sessions_t *sessions);

#endif
