#ifndef DDB_TLS_H
#define DDB_TLS_H

#include <apr_pools.h>

#include "base/ddb_clock.h"
#include "base/ddb_error.h"

/*
 * The only room that knows libssl. What the TLS connections of a process have in common: the CAs that they trust, read
 * once for all, and sessions that new connections resume. Whoever makes the connections verifies: a connection asks
 * for the peer's certificate (SSL_VERIFY_PEER) and compares the host name, whether it resumes a session or not.
 */
typedef struct ddb_tls_t ddb_tls_t;

typedef struct ddb_tls_opts_t {
    const char *ca_file;      /* PEM; NULL: none */
    const char *ca_directory; /* one certificate a file, named by hash (openssl rehash); NULL: none */
    const ddb_clock_t *clock; /* lives longer; NULL: the system's */
} ddb_tls_opts_t;

/** What happened so far. Handshakes are those of connections to a peer that has a name. */
typedef struct ddb_tls_counts_t {
    apr_uint32_t reads;   /* of the CAs, failed ones included */
    apr_uint32_t full;    /* handshakes in which the peer showed its certificate */
    apr_uint32_t resumed; /* handshakes that resumed a session */
} ddb_tls_counts_t;

#define DDB_TLS_PEER_MAX 272 /* https://, a host name of DNS, a port and a NUL */

/** 1 when a library that names itself so ("OpenSSL/3.0.19") is the one that this room uses. */
int ddb_tls_is_ours(const char *library);

/** Nothing is read yet. At least one of o's places is set. Memory, and the mutex, which is registered with p, are p's;
 * the rest is freed by ddb_tls_destroy. */
apr_status_t ddb_tls_create(ddb_tls_t **pt, const ddb_tls_opts_t *o, apr_pool_t *p);

/**
 * Let the next connection of ssl_ctx (SSL_CTX of OpenSSL, for one connection, before its SSL is made) trust the CAs of
 * t and nothing else, and resume a session that an earlier connection to peer left. Thread safe.
 *
 * The CAs are read again when their file or directory has changed since, and in any case after an hour. While one
 * thread reads, the others go on with those read before; when there are none, they wait. CAs that can't be read are an
 * error until they can.
 *
 * Sessions belong to the CAs that verified them: reading the CAs forgets all. So a certificate is verified at least
 * once an hour, although each resumed connection may give another session (RFC 8446, 4.6.1). Each session is offered
 * once (RFC 8446, C.4); TLS 1.2 gives it back after use.
 *
 * @param peer origin of the URL, such as https://host:8000; "", or longer than DDB_TLS_PEER_MAX: no session is kept.
 * @return DDB_ECONFIG when the CAs can't be read, APR_ENOTIMPL when ssl_ctx is of another copy of OpenSSL,
 * DDB_EUNAVAILABLE when OpenSSL fails: nothing may be sent.
 */
apr_status_t ddb_tls_prepare(ddb_tls_t *t, void *ssl_ctx, const char *peer);

/**
 * Let the connection of ssl_ctx, which ddb_tls_prepare has taken, receive a record in one piece, not in two. Only for a
 * reader that asks OpenSSL before it waits for the socket: what was read ahead can't be seen there.
 */
void ddb_tls_read_ahead(void *ssl_ctx);

/** 1 when a connection (SSL of OpenSSL) holds bytes that it has received and nobody has read. */
int ddb_tls_has_unread(const void *ssl);

/** Write one of the CAs into pem. @return its length; 0 when none fits, or none has been read from a directory yet. */
apr_size_t ddb_tls_copy_ca(ddb_tls_t *t, char *pem, apr_size_t size);

/** The file that CAs are read from, or the directory; for the log. */
const char *ddb_tls_place(const ddb_tls_t *t);

ddb_tls_counts_t ddb_tls_counts(ddb_tls_t *t);

/** Free the CAs and the sessions, whose secrets are wiped. Only when its connections are closed. t may be NULL. */
void ddb_tls_destroy(ddb_tls_t *t);

#endif
