#ifndef DDB_STORE_H
#define DDB_STORE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "aws/ddb_client.h"
#include "store/ddb_marks.h"
#include "store/ddb_sid.h"

/** The session store: one table behind one client. Thread safe. */
typedef struct ddb_store_t ddb_store_t;

/** table is copied. random: for session IDs and write ids. */
apr_status_t ddb_store_create(ddb_store_t **ps, ddb_client_t *client, const char *table, ddb_random_fn *random,
                              apr_pool_t *p);

/** The reason why a load found no session. */
typedef enum ddb_miss_e {
    DDB_MISS_NONE,
    DDB_MISS_FORM,    /* the form or the signature of the ID is invalid; the table was not asked */
    DDB_MISS_ABSENT,  /* the table has no such row */
    DDB_MISS_FOREIGN, /* the row there was made for another ID */
    DDB_MISS_OVER,    /* it has expired */
    DDB_MISS_MOVED,   /* ddb_store_replace ended it, and its row is still there */
    DDB_MISS_KNOWN    /* for callers: it was absent or expired a moment ago, and the table was not asked again */
} ddb_miss_e;

/** A session as the web server sees it. Strings live in the pool of the call that made it. */
typedef struct ddb_session_t {
    const char *sid;  /* what the cookie carries; NULL until inserted */
    const char *key;  /* table key of sid */
    const char *data; /* the payload, opaque here; data_len bytes, NUL behind */
    apr_size_t data_len;
    apr_time_t created, accessed;               /* microseconds since 1970 */
    apr_int64_t idle_timeout, absolute_timeout; /* seconds, of this session */
    apr_int64_t version;                        /* of the row; 0: no row yet, or another program's */
    const struct ddb_item_t *row; /* as last read or written, which is what conditions compare with; NULL: no row yet */
    ddb_miss_e miss;              /* the reason when a load returned APR_NOTFOUND */
    const char *user_mark;        /* as stored, ddb_sid_user_mark; NULL: no user yet */
    const char *user;             /* set by the caller before insert and save, to compute user_mark, which versions
                                     without user_marks compare; NULL: save keeps it, insert stores no mark */
    const char *user_marks;       /* as stored, ddb_marks; insert keeps those of the session that s was; NULL: none */
    const ddb_marks_user_t *login; /* set by the caller before insert and save: the user to mark; NULL: no user */
} ddb_session_t;

/** What all calls of one request share. */
typedef struct ddb_store_call_t {
    const ddb_sid_rules_t *rules;
    int format;           /* ddb_format_e of the rows */
    apr_size_t compress;  /* data of at least this many bytes is stored compressed; 0: never */
    apr_size_t max_size;  /* of an item that is written, as ddb_item_size counts; 0: DynamoDB's limit */
    int consistent;       /* of the load; reads that settle a write are always consistent */
    apr_time_t now;       /* the request's one reading of the wall clock: activity and expiry go by it */
    apr_time_t deadline;  /* on the monotonic time of the client's clock */
    ddb_cancel_t *cancel; /* of background writes; NULL: never set */
    apr_pool_t *pool;     /* results live here */
    ddb_error_t *err;     /* never NULL */
    int *calls;           /* counted up by each call to the table; NULL: they are not counted */
} ddb_store_call_t;

/**
 * What the session knows of a user in a realm. A row without user_marks is of a version that marked one user for all
 * realms: that mark, if it fits, is the user's in this realm.
 * @return a failure only if OpenSSL fails.
 */
apr_status_t ddb_store_find_user(ddb_marks_e *found, const ddb_session_t *s, const ddb_marks_user_t *user,
                                 apr_pool_t *p);

/** When a session ends: min(created + absolute_timeout, accessed + idle_timeout), whole epoch seconds. */
apr_int64_t ddb_store_expires(const ddb_session_t *s);

/**
 * Read the session with this ID: one GetItem, no call for an ID that ddb_sid_check refuses.
 * @return APR_NOTFOUND, with the reason in out->miss, for a refused or unknown ID, for a row that was made for another
 *         ID (by its attribute loggable), and for an expired one that the table has not deleted yet (time to live is
 *         hours late); DDB_EBADITEM for a malformed row; DDB_ETOOLARGE for a session over a limit, which is a failure
 *         like any other, because the session exists. Times in the row after call->now (from a clock ahead of ours, or
 *         forged) are returned as call->now.
 */
apr_status_t ddb_store_load(ddb_store_t *st, const ddb_store_call_t *call, const char *sid, ddb_session_t *out);

/*
 * Insert and save send nothing when the item would exceed call->max_size: DDB_ETOOLARGE, without an attempt.
 */

/**
 * Store a session under a new ID (s->sid, s->key are set): one conditional PutItem. s->data, timeouts and created
 * must be set; accessed becomes call->now, version 1.
 * @return a failure leaves s without an ID; if err->unsettled a row may exist under *undisclosed (a table key, for
 *         ddb_store_remove), which may be NULL.
 */
apr_status_t ddb_store_insert(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s,
                              const char **undisclosed);

/**
 * Write s->data, timeouts and user_mark; accessed becomes call->now, version counts up. One conditional UpdateItem;
 * an ambiguous failure of an attempt is settled by the write id.
 * @return APR_NOTFOUND when the row is gone or expired before call->now: it stays so; DDB_ECONFLICT when another write
 *         was first: *current is the row as it is now and s is as it was.
 */
apr_status_t ddb_store_save(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s, ddb_session_t *current);

/**
 * Move only accessed and expires: one conditional UpdateItem; no call if s would not end later (its absolute end is the
 * nearer one). s->accessed is the loaded value.
 * @return APR_NOTFOUND when there was nothing to move.
 */
apr_status_t ddb_store_touch(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *s);

/** End a session: one DeleteItem. APR_SUCCESS too when there was nothing to delete. */
apr_status_t ddb_store_remove(ddb_store_t *st, const ddb_store_call_t *call, const char *key);

/**
 * End the session `old` only if it is unchanged since it was read: one conditional UpdateItem, which leaves an empty,
 * expired row for ddb_store_remove. A delete would leave no trace, so that a lost reply to it could not be told from
 * another request's delete.
 * @return APR_NOTFOUND when another request has ended it already; DDB_ECONFLICT with *current as in save.
 */
apr_status_t ddb_store_replace(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *old,
                               ddb_session_t *current);

#endif
