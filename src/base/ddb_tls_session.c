/* TLS sessions: kept when a connection gets one, offered when the next is made to the same peer. */

#include <pthread.h>
#include <string.h>

#include <apr_strings.h>

#include "base/ddb_tls_int.h"

/** One connection, as far as sessions go. OpenSSL frees it with the connection's SSL_CTX. */
typedef struct connection_t {
    ddb_tls_shared_t *shared;
    apr_uint32_t generation;
    enum { BEFORE, UNDER_WAY, DONE } handshake; /* the first: renegotiation is none */
    char peer[DDB_TLS_PEER_MAX];
} connection_t;

/* Where an SSL_CTX has its connection_t. One number per process, for ever; -1: OpenSSL is out of memory. */
static int place = -1;
static pthread_once_t place_once = PTHREAD_ONCE_INIT;

/* OpenSSL calls it for every SSL_CTX of the process, also for those of others, where there is nothing to free. */
static void free_connection(void *ctx, void *connection, CRYPTO_EX_DATA *data, int index, long number, void *pointer)
{
    (void)ctx;
    (void)data;
    (void)index;
    (void)number;
    (void)pointer;
    OPENSSL_free(connection);
}

static void find_place(void)
{
    place = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_connection);
}

static connection_t *connection_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place);
}

/* --- the list; the caller holds the mutex --- */

static void close_gap(ddb_tls_sessions_t *sessions, int i)
{
    sessions->n--;
    memmove(&sessions->list[i], &sessions->list[i + 1], (sessions->n - i) * sizeof(sessions->list[0]));
}

void ddb_tls_forget(ddb_tls_sessions_t *sessions)
{
    while (sessions->n > 0) {
        sessions->n--;
        SSL_SESSION_free(sessions->list[sessions->n].session); /* which wipes its secret */
    }
}

static void add(ddb_tls_sessions_t *sessions, SSL_SESSION *session, const char *peer)
{
    if (sessions->n == SESSIONS_MAX) {
        SSL_SESSION_free(sessions->list[0].session);
        close_gap(sessions, 0);
    }
    sessions->list[sessions->n].session = session;
    apr_cpystrn(sessions->list[sessions->n].peer, peer, DDB_TLS_PEER_MAX);
    sessions->n++;
}

/* The youngest of peer, which is the caller's now; NULL when there is none. */
static SSL_SESSION *take(ddb_tls_sessions_t *sessions, const char *peer)
{
    SSL_SESSION *session = NULL;
    int i = sessions->n - 1;

    while (i >= 0 && strcmp(sessions->list[i].peer, peer) != 0) {
        i--;
    }
    if (i >= 0) {
        session = sessions->list[i].session;
        close_gap(sessions, i);
    }
    return session;
}

/* --- what a connection gives and takes --- */

static int is_worth_keeping(const SSL *ssl, const SSL_SESSION *session)
{
    const unsigned char *ticket;
    size_t len;

    SSL_SESSION_get0_ticket(session, &ticket, &len);
    /* The peer's name was not compared yet. It is each time, with the certificate that is in the session. */
    return SSL_get_verify_result(ssl) == X509_V_OK && SSL_SESSION_is_resumable(session) && len <= TICKET_MAX_BYTES;
}

static void keep(const connection_t *c, const SSL *ssl, const SSL_SESSION *session)
{
    SSL_SESSION *copy = is_worth_keeping(ssl, session) ? SSL_SESSION_dup(session) : NULL;

    apr_thread_mutex_lock(c->shared->mutex);
    if (copy && c->generation == c->shared->generation) {
        add(&c->shared->sessions, copy, c->peer);
        copy = NULL;
    }
    apr_thread_mutex_unlock(c->shared->mutex);
    SSL_SESSION_free(copy);
}

static void offer(const connection_t *c, SSL *ssl)
{
    SSL_SESSION *session = NULL;

    apr_thread_mutex_lock(c->shared->mutex);
    if (c->generation == c->shared->generation) {
        session = take(&c->shared->sessions, c->peer);
    }
    apr_thread_mutex_unlock(c->shared->mutex);
    if (session) {
        SSL_set_session(ssl, session);
        SSL_SESSION_free(session);
    }
}

/* The server of TLS 1.2 gives no other session on a connection that resumes one, and its own may be used again. */
static void settle(connection_t *c, const SSL *ssl)
{
    int resumed = SSL_session_reused(ssl);

    apr_thread_mutex_lock(c->shared->mutex);
    c->shared->counts.resumed += resumed;
    c->shared->counts.full += !resumed;
    apr_thread_mutex_unlock(c->shared->mutex);
    if (resumed && SSL_version(ssl) < TLS1_3_VERSION) {
        keep(c, ssl, SSL_get_session(ssl));
    }
}

/* OpenSSL calls it at each step of a handshake. Its start is the only moment when libcurl's SSL is there and its hello
 * is not yet sent. */
static void follow(const SSL *ssl, int where, int ret)
{
    connection_t *c = connection_of(ssl);

    (void)ret;
    if (where == SSL_CB_HANDSHAKE_START && c->handshake == BEFORE) {
        c->handshake = UNDER_WAY;
        offer(c, (SSL *)ssl); /* the callback's type has const, whatever it is called for */
    }
    else if (where == SSL_CB_HANDSHAKE_DONE && c->handshake == UNDER_WAY) {
        c->handshake = DONE;
        settle(c, ssl);
    }
}

/* A session arrived: with the handshake, or in TLS 1.3 with what is read later. 0: we keep no reference to it. */
static int arrive(SSL *ssl, SSL_SESSION *session)
{
    keep(connection_of(ssl), ssl, session);
    return 0;
}

int ddb_tls_resume(ddb_tls_shared_t *s, SSL_CTX *ctx, apr_uint32_t generation, const char *peer)
{
    connection_t *c;

    if (!*peer || strlen(peer) >= sizeof(c->peer)) {
        return 1;
    }
    pthread_once(&place_once, find_place);
    c = place >= 0 ? OPENSSL_zalloc(sizeof(*c)) : NULL;
    if (!c || !SSL_CTX_set_ex_data(ctx, place, c)) {
        OPENSSL_free(c);
        return 0;
    }
    c->shared = s;
    c->generation = generation;
    apr_cpystrn(c->peer, peer, sizeof(c->peer));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET); /* libcurl sets it: TLS 1.2 would remember sessions by server only */
    SSL_CTX_sess_set_new_cb(ctx, arrive);
    SSL_CTX_set_info_callback(ctx, follow);
    return 1;
}
