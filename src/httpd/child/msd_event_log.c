/* Where security events go: a file, a program, or httpd's error log. */

#include <string.h>

#include <apr_file_io.h>
#include <apr_hash.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/child/msd_event_log.h"
#include "httpd/child/msd_once.h"
#include "httpd/conf/msd_config.h"

APLOG_USE_MODULE(session_dynamodb);

#define KEY_BYTES 32 /* of the random key */

struct msd_event_log_t {
    const char *name;
    apr_file_t *file; /* NULL: the error log */
    ddb_bytes_t key;
};

/** What the servers of one start share. */
typedef struct opening_t {
    apr_pool_t *p;
    apr_hash_t *files;  /* name -> apr_file_t */
    ddb_bytes_t random; /* the key of those that have none; data NULL: not made yet */
} opening_t;

static apr_status_t open_program(apr_file_t **file, const char *program, apr_pool_t *p)
{
    piped_log *log = ap_open_piped_log(p, program);

    *file = log ? ap_piped_log_write_fd(log) : NULL;
    return log ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t open_file(apr_file_t **file, const char *name, opening_t *o)
{
    apr_status_t rv = APR_SUCCESS;

    *file = apr_hash_get(o->files, name, APR_HASH_KEY_STRING);
    if (*file || strcmp(name, MSD_EVENT_LOG_ERROR) == 0) {
        return APR_SUCCESS;
    }
    if (*name == '|') {
        rv = open_program(file, name + 1, o->p);
    }
    else {
        /* Not for all to read, as it tells who was where. */
        rv = apr_file_open(file, name, APR_FOPEN_WRITE | APR_FOPEN_APPEND | APR_FOPEN_CREATE | APR_FOPEN_LARGEFILE,
                           APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD, o->p);
    }
    if (rv == APR_SUCCESS) {
        apr_hash_set(o->files, name, APR_HASH_KEY_STRING, *file);
    }
    return rv;
}

static apr_status_t wipe(void *key)
{
    ddb_crypto_wipe(key, KEY_BYTES);
    return APR_SUCCESS;
}

static apr_status_t make_random(opening_t *o)
{
    unsigned char *bytes;
    apr_status_t rv;

    if (o->random.data) {
        return APR_SUCCESS;
    }
    bytes = apr_palloc(o->p, KEY_BYTES);
    apr_pool_cleanup_register(o->p, bytes, wipe, apr_pool_cleanup_null);
    rv = ddb_crypto_random(bytes, KEY_BYTES);
    o->random = (ddb_bytes_t){ .data = rv == APR_SUCCESS ? bytes : NULL, .len = KEY_BYTES };
    return rv;
}

static apr_status_t set_key(ddb_bytes_t *key, const apr_array_header_t *keys, opening_t *o)
{
    const char *newest = keys && keys->nelts ? APR_ARRAY_IDX(keys, keys->nelts - 1, const char *) : NULL;
    apr_status_t rv = newest ? APR_SUCCESS : make_random(o);

    *key = newest ? (ddb_bytes_t){ .data = newest, .len = strlen(newest) } : o->random;
    return rv;
}

static apr_status_t open_log(msd_server_config_t *c, const server_rec *s, opening_t *o)
{
    msd_event_log_t *log = apr_pcalloc(o->p, sizeof(*log));
    apr_status_t rv = open_file(&log->file, c->event_log, o);

    log->name = c->event_log;
    if (rv == APR_SUCCESS) {
        rv = set_key(&log->key, c->event_keys, o);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, rv, s, "SessionDynamoDBEventLog: can't open %s",
                     c->event_log);
        return rv;
    }
    c->events = log;
    return APR_SUCCESS;
}

apr_status_t msd_event_log_open_all(apr_pool_t *p, server_rec *main_server)
{
    opening_t o = { .p = p, .files = apr_hash_make(p) };
    apr_status_t rv = APR_SUCCESS;
    server_rec *s;

    for (s = main_server; s && rv == APR_SUCCESS; s = s->next) {
        msd_server_config_t *c = msd_config_server(s);

        /* Hosts without directives of this module share the main server's record. */
        if (c->event_log && *c->event_log && !c->events) {
            rv = open_log(c, s, &o);
        }
    }
    return rv;
}

ddb_bytes_t msd_event_log_key(const msd_event_log_t *log)
{
    return log->key;
}

void msd_event_log_write(const msd_event_log_t *log, const server_rec *s, const char *line)
{
    apr_size_t len = strlen(line), written = len;
    apr_status_t rv;

    if (!log->file) {
        /* Of the server, not of the request: httpd would add the Referer, and with it a query. */
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "%.*s", (int)len - 1, line);
        return;
    }
    rv = apr_file_write(log->file, line, &written);
    if ((rv != APR_SUCCESS || written != len) && msd_once_first(s, MSD_ONCE_EVENT_LOST)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "lost an event of a session: SessionDynamoDBEventLog %s can't be written. Logged once per virtual "
                     "host and start",
                     log->name);
    }
}
