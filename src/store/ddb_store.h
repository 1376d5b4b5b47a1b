#ifndef DDB_STORE_H
#define DDB_STORE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "aws/ddb_client.h"
#include "store/ddb_bound.h"
#include "store/ddb_marks.h"
#include "store/ddb_seal.h"
#include "store/ddb_sid.h"

/** The session store: one table behind one client. Thread safe. */
typedef struct ddb_store_t ddb_store_t;

/** client must outlive the store; table is copied. random: for session IDs and write IDs. */
apr_status_t ddb_store_create(ddb_store_t **ps, ddb_client_t *client, const char *table, ddb_random_fn *random,
                              apr_pool_t *p);

/**
 * Told of each write of a row by this store: before it is sent, and after it, when its outcome is known or given up.
 * key: its table key. Called by the thread that writes.
 */
typedef void ddb_store_changed_fn(void *baton, const char *key);

/** For rows of other kinds in the same table: its name, and random bytes. */
const char *ddb_store_table(const ddb_store_t *st);
apr_status_t ddb_store_random(ddb_store_t *st, void *out, apr_size_t len);

/** Have changed told from now on; to be called before st is used. */
void ddb_store_watch(ddb_store_t *st, ddb_store_changed_fn *changed, void *baton);

/** The reason why a load found no session. */
typedef enum ddb_miss_e {
    DDB_MISS_NONE,
    DDB_MISS_FORM,      /* the form or signature of the ID is wrong; the table was not read */
    DDB_MISS_ABSENT,    /* the table has no row with this key */
    DDB_MISS_FOREIGN,   /* the row belongs to another ID */
    DDB_MISS_OVER,      /* the session has expired */
    DDB_MISS_MOVED,     /* ddb_store_replace ended it less than DDB_STORE_TOMBSTONE ago: the client has a newer ID */
    DDB_MISS_LEFT,      /* the same, and the user of the session has left: nothing of it may go on */
    DDB_MISS_RENEWED,   /* private to ddb_store: ddb_store_succeed moved it, and its successor must be read */
    DDB_MISS_REUSED,    /* ddb_store_succeed moved it, and the client has used the newer ID for longer than the grace */
    DDB_MISS_BOUND,     /* for callers: the session is bound to another client */
    DDB_MISS_KNOWN,     /* for callers: absent a moment ago; the table was not read again */
    DDB_MISS_KNOWN_OVER /* for callers: the same, and over */
} ddb_miss_e;

/** Why a session of DDB_MISS_OVER is over. The row of an ID that was replaced is kept for longer than it tells so. */
typedef enum ddb_over_e {
    DDB_OVER_IDLE,
    DDB_OVER_ABSOLUTE,
    DDB_OVER_MOVED,      /* DDB_MISS_MOVED at first */
    DDB_OVER_LEFT,       /* DDB_MISS_LEFT at first */
    DDB_OVER_RENEWED,    /* ddb_store_succeed moved it, and the session of the newer ID is over */
    DDB_OVER_APPLICATION /* for callers: by an end that an application set */
} ddb_over_e;

/** How long the row of a replaced ID tells so, in seconds: longer than any request that began with that ID. */
#define DDB_STORE_TOMBSTONE 60

struct ddb_store_call_t;

/** A session as the web server sees it. Strings live in the pool of the call that made it. */
typedef struct ddb_session_t {
    const char *sid;      /* the ID, as the cookie carries it; NULL until inserted */
    const char *key;      /* table key of sid */
    const char *loggable; /* ddb_sid_loggable of sid, where a load or an insert has needed it; NULL: not known */
    const char *data;     /* the payload, opaque here; data_len bytes and a NUL */
    apr_size_t data_len;
    apr_time_t created, accessed;               /* microseconds since 1970 */
    apr_int64_t idle_timeout, absolute_timeout; /* seconds, of this session */
    apr_int64_t version;                        /* of the row; 0: no row yet, or another program wrote it */
    const struct ddb_item_t *row; /* as last read or written: conditions compare with it; NULL: no row yet */
    ddb_miss_e miss;              /* the reason, if a load, save, replace or succeed returned APR_NOTFOUND */
    ddb_over_e over;              /* and the reason for DDB_MISS_OVER, after a load */
    apr_int64_t issued;     /* epoch seconds: when the ID was made, if later than created; set before insert. 0: then */
    apr_int64_t seen;       /* epoch seconds: when a client first used the ID after that; 0: not yet */
    int timeouts_set;       /* 1: an application set the timeouts */
    int left;               /* set by the caller before replace: 1: DDB_MISS_LEFT is the reason */
    const char *user_mark;  /* as stored, ddb_sid_user_mark; NULL: no user yet */
    const char *user;       /* set by the caller before insert and save, to compute user_mark, which versions
                                     without user_marks compare; NULL: save keeps it, insert stores no mark */
    const char *user_marks; /* as stored, ddb_marks; insert keeps those of the session that s was; NULL: none */
    const char *listed_in;  /* keys of the lists of its users' sessions (ddb_user_sessions), separated by spaces; set
                               by the caller before insert. NULL: none */
    const char *bound;      /* as stored, ddb_bound; NULL: nothing */
    const ddb_bound_t *bind;   /* set by the caller before insert and save: the client to bind to; NULL: save keeps
                                bound, insert binds to nothing */
    const char *csrf_key;      /* as stored, ddb_csrf; NULL: none */
    int keep_csrf;             /* set by the caller before insert: 1: tokens of the session that s was stay valid */
    const char *device_secret; /* as stored, ddb_device; NULL: not to be bound to a device, and then nor are these */
    const char *device_key;    /* as stored, ddb_jws_key_print: the device to which it is bound; NULL: to none */
    apr_int64_t device_until;  /* as stored, see ddb_item */
    int keep_device;           /* set by the caller before insert: 1: a device goes along */
    apr_int64_t device_window; /* set by the caller before insert: the seconds in which a session without device may
                                      be bound to one; 0: never */
    const ddb_marks_user_t *login; /* set by the caller before insert and save: the user to mark; NULL: no user */
} ddb_session_t;

/** A row to be read for a load, by a reader. */
typedef struct ddb_store_read_t {
    ddb_store_t *store;
    const struct ddb_store_call_t *call;
    const char *table; /* its name */
    const char *key;   /* of the row */
    const char *sid;   /* the ID that opens it */
    int consistent;
    struct ddb_item_t *row; /* the result */
    ddb_reply_t reply;      /* of the GetItem: its body is NULL before, and after a failure without an answer */
} ddb_store_read_t;

/** The two ways to a row. @return as ddb_item_parse; or a failure of the call. */
/** One GetItem. */
apr_status_t ddb_store_read_get(ddb_store_read_t *read);
/** The row in the reply to a GetItem of the same row, without a call. body must live as long as call->pool. */
apr_status_t ddb_store_read_reply(ddb_store_read_t *read, const char *body, apr_size_t len);

/** How a load reads rows: its read calls either of these two, and returns what that returned, or a failure. It is not
 * asked for the rows that settle a write. */
typedef struct ddb_store_reader_t {
    apr_status_t (*read)(void *baton, ddb_store_read_t *read);
    void *baton;
} ddb_store_reader_t;

/** What comes before the insert of a row: told of its table key. A failure ends the insert, with the same status; with
 * APR_NOTFOUND the session must not begin. */
typedef struct ddb_store_announce_t {
    apr_status_t (*row_comes)(void *baton, const struct ddb_store_call_t *call, const char *key);
    void *baton;
} ddb_store_announce_t;

/** Parameters that all calls of one request share. */
typedef struct ddb_store_call_t {
    const ddb_sid_rules_t *rules;
    const char *key;        /* for a load: the table key of the ID, if the caller knows it; NULL: it does not */
    int format;             /* ddb_format_e of the rows */
    const ddb_seal_t *seal; /* the keys of rows in DDB_FORM; NULL: none */
    apr_size_t compress;    /* bytes from which data is stored compressed; 0: never */
    apr_size_t max_size;    /* of an item that is written, in bytes, as ddb_item_size counts; 0: DynamoDB's limit */
    int consistent;         /* of the load; reads that settle a write are always consistent */
    apr_int64_t grace;      /* seconds for which a replaced ID is accepted once its successor was used */
    apr_time_t now;         /* the request's only reading of the wall clock, for activity and expiry */
    apr_time_t time;        /* wall clock when the call began; 0: now. For a tombstone, which later requests read */
    apr_time_t deadline;    /* in the monotonic time of the client's clock */
    ddb_cancel_t *cancel;   /* of background work; NULL: cannot be cancelled */
    apr_pool_t *pool;       /* results live here */
    ddb_error_t *err;       /* never NULL */
    int *calls;             /* incremented by each call to the table; NULL: not counted */
    const ddb_store_reader_t *reader;     /* of a load; NULL: a GetItem for each row */
    const ddb_store_announce_t *announce; /* of an insert; NULL: the row is not announced */
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

/** What ends s, or has ended it. */
ddb_over_e ddb_store_why_over(const ddb_session_t *s);

/**
 * Read the session with this ID: one GetItem; no call for an ID that ddb_sid_check rejects. If ddb_store_succeed gave
 * the session a new ID, which the client has not used for longer than call->grace, another GetItem reads it, and
 * out->sid is that ID. Times in the row after call->now (a fast clock elsewhere, a forged row) are returned as
 * call->now.
 * @return APR_NOTFOUND, with the reason in out->miss, for a rejected or unknown ID, a row of another ID (its attribute
 *         loggable differs), and an expired row that still exists (TTL deletes hours late); DDB_EBADITEM for a row
 *         that is not a complete session; DDB_ETOOLARGE for one over a limit: a failure like any other, as the session
 *         exists.
 */
apr_status_t ddb_store_load(ddb_store_t *st, const ddb_store_call_t *call, const char *sid, ddb_session_t *out);

/*
 * Insert and save make no call if the item would exceed call->max_size: DDB_ETOOLARGE, and no attempt is counted.
 */

/**
 * Store a session under a new ID, and set s->sid and s->key: one conditional PutItem. The caller sets s->data, timeouts
 * and created; accessed becomes call->now, version 1.
 * @return a failure leaves s without an ID. If err->unsettled, a row may exist under *undisclosed (a table key, for
 *         ddb_store_remove); after other failures *undisclosed is NULL. undisclosed may be NULL. APR_NOTFOUND, of an
 *         announced row only: the session was ended before it began (ddb_store_revoke).
 */
apr_status_t ddb_store_insert(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s,
                              const char **undisclosed);

/**
 * Write s->data, timeouts and user_mark; accessed becomes call->now, version increases by 1. One conditional
 * UpdateItem; the write ID settles attempts of unknown outcome.
 * @return APR_NOTFOUND if the row is gone or had expired at call->now: it is not revived, and current->miss is the
 *         reason; DDB_ECONFLICT if another write came first: *current is the session as it is now, perhaps under a new
 *         ID (ddb_store_succeed), and s is unchanged.
 */
apr_status_t ddb_store_save(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s, ddb_session_t *current);

/**
 * Update only accessed and expires: one conditional UpdateItem; no call if s would not expire later than it does (the
 * absolute timeout ends it first). s->accessed must be as loaded.
 * @return APR_NOTFOUND if there was nothing to update.
 */
apr_status_t ddb_store_touch(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *s);

/** Mark the ID of a session, which has issued, as used: one conditional UpdateItem. @return as touch. */
apr_status_t ddb_store_see(ddb_store_t *st, const ddb_store_call_t *call, const char *key);

/**
 * End a session, if need be under the newer ID that ddb_store_succeed gave it: one conditional DeleteItem, or two.
 * APR_SUCCESS also if it was over: s->miss is the reason then, DDB_MISS_MOVED or DDB_MISS_LEFT for a tombstone, which
 * stays, and whose client has a newer ID.
 */
apr_status_t ddb_store_end(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s);

/** Send a call for a row of another kind, within the call's deadline; *reply lives in its pool. @return as
 * ddb_client_call. */
apr_status_t ddb_store_send(ddb_store_t *st, const ddb_store_call_t *call, ddb_call_t what, ddb_reply_t *reply);

/** Delete a row that no client has the ID of: one DeleteItem. APR_SUCCESS also if there was nothing to delete. */
apr_status_t ddb_store_remove(ddb_store_t *st, const ddb_store_call_t *call, const char *key);

/**
 * End the session whose row has this table key, by whoever does not have its ID: one UpdateItem, unconditional, which
 * leaves a tombstone, as ddb_store_replace does for a user who left. Where there is no row, it keeps an insert under
 * way from making one.
 */
apr_status_t ddb_store_revoke(ddb_store_t *st, const ddb_store_call_t *call, const char *key);

/** The live session in the row with this table key, without its ID: one GetItem, consistent. @return APR_NOTFOUND if
 * there is none, with s->miss DDB_MISS_ABSENT without a row, or DDB_MISS_OVER. */
apr_status_t ddb_store_look(ddb_store_t *st, const ddb_store_call_t *call, const char *key, ddb_session_t *s);

/**
 * Bind the session that look has found to a device: one conditional UpdateItem, which leaves the rest of the row as it
 * is. until: as ddb_item has device_until. @return APR_SUCCESS also if it was bound to this one; DDB_ECONFLICT if it is
 * bound to another one; APR_NOTFOUND if it is over, or the time in which it could be bound is.
 */
apr_status_t ddb_store_bind_device(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *s,
                                   const char *device_key, apr_int64_t until);

/**
 * End the session `old`, which has a new ID, only if it is unchanged since it was read: one conditional UpdateItem,
 * which leaves a tombstone: a row without data, for DDB_STORE_TOMBSTONE seconds. It tells requests with the old ID the
 * reason, and its write ID tells an attempt whose reply was lost from another request's.
 * @return as save; APR_NOTFOUND also if old has no row.
 */
apr_status_t ddb_store_replace(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *old,
                               ddb_session_t *current);

/**
 * Like replace, but for an ID that was replaced by age (rows in DDB_FORM only): its row leads to successor, so that a
 * client that has not received it stays in its session.
 */
apr_status_t ddb_store_succeed(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *old,
                               const char *successor, ddb_session_t *current);

/**
 * Let from, an ID that no session has had (ddb_sid_derive), lead to successor until `until`, epoch seconds, as if
 * successor had replaced it by age: one conditional PutItem (rows in DDB_FORM only).
 * @return DDB_ECONFLICT if it leads anywhere already; if err->unsettled, it may lead to successor.
 */
apr_status_t ddb_store_lead(ddb_store_t *st, const ddb_store_call_t *call, const char *from, const char *successor,
                            apr_int64_t until);

#endif
