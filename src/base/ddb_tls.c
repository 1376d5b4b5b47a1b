/* The CAs of a process: read once for all its connections, and again when they have changed. */

#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <openssl/err.h>

#include "base/ddb_tls_int.h"

#define CAS_MAX_AGE apr_time_from_sec(3600)

/** By what a change of a file or directory is noticed: all 0 when there is none. */
typedef struct stamp_t {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
} stamp_t;

typedef struct stamps_t {
    stamp_t file, directory;
} stamps_t;

struct ddb_tls_t {
    const char *ca_file, *ca_directory;
    const ddb_clock_t *clock;
    ddb_tls_shared_t shared;
    apr_thread_cond_t *read; /* a thread has read the CAs */
    X509_STORE *store;       /* NULL: not read, or not readable. Connections have references of their own */
    stamps_t stamps;         /* from before they were read */
    apr_time_t read_at;      /* monotonic */
    int is_reading;          /* some thread, without the mutex */
};

int ddb_tls_is_ours(const char *library)
{
    static const char name[] = "OpenSSL/";

    return library && strncmp(library, name, sizeof(name) - 1) == 0
           && strcmp(library + sizeof(name) - 1, OpenSSL_version(OPENSSL_VERSION_STRING)) == 0;
}

apr_status_t ddb_tls_create(ddb_tls_t **pt, const ddb_tls_opts_t *o, apr_pool_t *p)
{
    ddb_tls_t *t = apr_pcalloc(p, sizeof(*t));
    apr_status_t rv = apr_thread_mutex_create(&t->shared.mutex, APR_THREAD_MUTEX_DEFAULT, p);

    t->ca_file = apr_pstrdup(p, o->ca_file);
    t->ca_directory = apr_pstrdup(p, o->ca_directory);
    t->clock = o->clock ? o->clock : &ddb_clock_system;
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&t->read, p);
    }
    *pt = rv == APR_SUCCESS ? t : NULL;
    return rv;
}

static void stamp(stamp_t *out, const char *path)
{
    struct stat s;

    if (path && stat(path, &s) == 0) {
        out->device = s.st_dev;
        out->inode = s.st_ino;
        out->size = s.st_size;
        out->modified = s.st_mtim;
        out->changed = s.st_ctim;
    }
}

static int is_current(const ddb_tls_t *t, const stamps_t *now)
{
    return t->store && ddb_clock_monotonic(t->clock) - t->read_at < CAS_MAX_AGE
           && memcmp(&t->stamps, now, sizeof(*now)) == 0;
}

/* What libcurl does for a connection of its own. NULL when a place can't be read. */
static X509_STORE *read_cas(const ddb_tls_t *t)
{
    X509_STORE *store = X509_STORE_new();

    ERR_set_mark();
    if (store
        && ((t->ca_file && !X509_STORE_load_file(store, t->ca_file))
            || (t->ca_directory && !X509_STORE_load_path(store, t->ca_directory))
            || !X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN))) {
        X509_STORE_free(store);
        store = NULL;
    }
    ERR_pop_to_mark(); /* the thread's next user of OpenSSL must not find our errors */
    return store;
}

/* The caller holds the mutex, which is given back while this thread reads. */
static void read_again(ddb_tls_t *t, const stamps_t *now)
{
    X509_STORE *old, *fresh;

    t->is_reading = 1;
    apr_thread_mutex_unlock(t->shared.mutex);
    fresh = read_cas(t);
    apr_thread_mutex_lock(t->shared.mutex);
    t->is_reading = 0;
    old = t->store;
    t->store = fresh;
    t->stamps = *now;
    t->read_at = ddb_clock_monotonic(t->clock);
    t->shared.generation++;
    t->shared.counts.reads++;
    ddb_tls_forget(&t->shared.sessions);
    apr_thread_cond_broadcast(t->read);
    X509_STORE_free(old);
}

/* A reference to the CAs as they are now; NULL when they can't be read. */
static X509_STORE *current_cas(ddb_tls_t *t, apr_uint32_t *generation)
{
    stamps_t now;
    X509_STORE *store;
    int has_waited = 0;

    memset(&now, 0, sizeof(now)); /* padding too: it is compared */
    stamp(&now.file, t->ca_file);
    stamp(&now.directory, t->ca_directory);
    apr_thread_mutex_lock(t->shared.mutex);
    while (!t->store && t->is_reading) {
        apr_thread_cond_wait(t->read, t->shared.mutex);
        has_waited = 1;
    }
    if (!has_waited && !t->is_reading && !is_current(t, &now)) {
        read_again(t, &now);
    }
    store = t->store;
    if (store && !X509_STORE_up_ref(store)) {
        store = NULL;
    }
    *generation = t->shared.generation;
    apr_thread_mutex_unlock(t->shared.mutex);
    return store;
}

apr_status_t ddb_tls_prepare(ddb_tls_t *t, void *ssl_ctx, const char *peer)
{
    SSL_CTX *ctx = ssl_ctx;
    apr_uint32_t generation;
    X509_STORE *store;
    apr_status_t rv = DDB_ECONFIG;

    /* Of another copy of the library, such as one that is linked into libcurl. */
    if (SSL_CTX_get_ssl_method(ctx) != TLS_client_method()) {
        return APR_ENOTIMPL;
    }
    store = current_cas(t, &generation);
    if (store) {
        /* Not the context's own store: libcurl 7.87 to 8.3 replaces that one, or adds to it, after this. */
        rv = SSL_CTX_set1_verify_cert_store(ctx, store) && ddb_tls_resume(&t->shared, ctx, generation, peer)
                 ? APR_SUCCESS
                 : DDB_EUNAVAILABLE;
    }
    X509_STORE_free(store);
    return rv;
}

void ddb_tls_read_ahead(void *ssl_ctx)
{
    SSL_CTX_set_read_ahead(ssl_ctx, 1);
}

int ddb_tls_has_unread(const void *ssl)
{
    return SSL_has_pending(ssl);
}

apr_size_t ddb_tls_copy_ca(ddb_tls_t *t, char *pem, apr_size_t size)
{
    apr_uint32_t generation;
    X509_STORE *store = current_cas(t, &generation);
    STACK_OF(X509) *all = store ? X509_STORE_get1_all_certs(store) : NULL;
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = 0;

    if (out && sk_X509_num(all) > 0 && PEM_write_bio_X509(out, sk_X509_value(all, 0))) {
        len = BIO_get_mem_data(out, &text);
    }
    if (len > 0 && (apr_size_t)len <= size) {
        memcpy(pem, text, len);
    }
    else {
        len = 0;
    }
    BIO_free(out);
    sk_X509_pop_free(all, X509_free);
    X509_STORE_free(store);
    return len;
}

const char *ddb_tls_place(const ddb_tls_t *t)
{
    return t->ca_file ? t->ca_file : t->ca_directory;
}

ddb_tls_counts_t ddb_tls_counts(ddb_tls_t *t)
{
    ddb_tls_counts_t counts;

    apr_thread_mutex_lock(t->shared.mutex);
    counts = t->shared.counts;
    apr_thread_mutex_unlock(t->shared.mutex);
    return counts;
}

void ddb_tls_destroy(ddb_tls_t *t)
{
    if (t) {
        ddb_tls_forget(&t->shared.sessions);
        X509_STORE_free(t->store);
        t->store = NULL;
    }
}
