#ifndef MSD_SESSION_H
#define MSD_SESSION_H

#include <mod_session.h>

#include "httpd/conf/msd_config.h"
#include "store/ddb_json_entries.h"
#include "store/ddb_store.h"

/*
 * The session of one place in a request tree: its state, and its consequences for the store and the response. Knows
 * neither the tree (msd_request) nor the way into and out of the table (msd_load, msd_save). Logs nothing.
 */

/** The result of the load. */
typedef enum msd_outcome_e {
    MSD_NOT_LOADED, /* not asked for yet */
    MSD_NEW,        /* no ID came, or no valid one: the session is new and empty */
    MSD_LOADED,
    MSD_FAILED,       /* the store could not be read */
    MSD_MISCONFIGURED /* the sections that meet in this request contradict each other */
} msd_outcome_e;

/** What the request did to the stored session. */
typedef enum msd_written_e {
    MSD_NOTHING,
    MSD_STORED, /* created, changed or renewed */
    MSD_ENDED,
    MSD_GONE,     /* another request ended it meanwhile: it stays so, and this response sends no ID */
    MSD_TOO_LATE, /* it needs a new ID, but the response has begun: dropped */
    MSD_WRITE_FAILED
} msd_written_e;

/** The IDs that came in the place's carrier. */
typedef struct msd_session_ids_t {
    int count;           /* of any form */
    int ambiguous;       /* 1: more than one could be the session's, and all are ignored */
    ddb_miss_e miss;     /* the reason why the last of them was refused */
    const char *refused; /* SHA-512 of a refused ID, for logs; NULL: no ID was refused */
} msd_session_ids_t;

/** What is asked of the write, what came of it, and what the response says of the ID. */
typedef struct msd_session_answer_t {
    int renew;            /* 1: a new ID was asked for */
    int timeouts_changed; /* 1: stored has timeouts that this request set */
    msd_written_e written;
    apr_status_t failure; /* why the store could not be read or written; APR_SUCCESS otherwise */
    int merges;           /* rounds in which another request had written first, and both changes were merged */
    const char *issue;    /* the ID that the response hands out; NULL: no ID */
    int end_id;           /* 1: the response ends the client's ID */
} msd_session_answer_t;

/** Lives in the pool of the tree's topmost request; one thread at a time, as the tree. */
typedef struct msd_session_t {
    apr_pool_t *pool;
    request_rec *loader;    /* the request that loaded it; NULL before */
    msd_dir_config_t *conf; /* the loader's settings; NULL before */
    apr_time_t now;         /* wall clock at the load: all times of the session go by it */
    msd_outcome_e outcome;
    session_rec *z;              /* the one that mod_session was given */
    ddb_session_t stored;        /* as last read or written; sid NULL: not in the table */
    apr_table_t *loaded;         /* its entries at that time: the base of a merge */
    ddb_json_entries_t *members; /* with SessionDynamoDBFormat json, the object that holds them; NULL otherwise */
    const session_rec *decoding; /* msd_payload's own: the session_rec being decoded; NULL otherwise */
    apr_time_t expiry;           /* the end that an application put into the payload; 0: no end */
    const char *loggable;        /* msd_session_loggable_id's own: SHA-512 of loggable_of */
    const char *loggable_of;     /* msd_session_loggable_id's own: a value of stored.sid */
    ddb_error_t error;           /* of the last failure */
    msd_session_ids_t ids;
    msd_session_answer_t answer;
} msd_session_t;

/** mod_session's settings for r. */
const session_dir_conf *msd_session_conf(const request_rec *r);

/** mod_session's sliding limit (SessionMaxAge) at the loader, in seconds; 0: no limit. It acts as one more idle
 * timeout. */
long msd_session_max_age(const msd_session_t *s);

/** 1 when there is a session_rec of ours that may be read and written. */
int msd_session_usable(const msd_session_t *s);

/** 1 when mod_session would save the usable session s: it is dirty, and its end is not in the past, which mod_session
 * refuses. */
int msd_session_dirty(const msd_session_t *s);

/** 1 when changes were made that mod_session did not bring to a save. */
int msd_session_unsaved(const msd_session_t *s);

/** Make s a new, empty session with the loader's timeouts, in place: pointers to s->z stay valid. */
void msd_session_begin_new(msd_session_t *s);

/** Ask for a new ID. */
void msd_session_renew(msd_session_t *s);

/** Note that the session could not be written. @return rv. */
apr_status_t msd_session_write_failed(msd_session_t *s, apr_status_t rv);

/** Keep mod_session from refusing a session that expired while the request, which began in time, was served. */
void msd_session_keep(msd_session_t *s);

/**
 * 1 when this request's activity has to be recorded by a touch. *interval is how long that holds: activity within it
 * needs no further touch.
 */
int msd_session_touch_due(const msd_session_t *s, apr_interval_time_t *interval);

/** The end of the session once this request's activity is recorded, epoch seconds. */
apr_int64_t msd_session_next_end(const msd_session_t *s);

/** The end of the session without further activity, epoch seconds; 0 without a stored session. */
apr_int64_t msd_session_expires(const msd_session_t *s);

/** SHA-512 of the session's ID, which logs may show; made once per ID. NULL without an ID. */
const char *msd_session_loggable_id(msd_session_t *s);

/** Count an event of the session. */
void msd_session_count(const msd_session_t *s, ddb_counted_e what);

/** The session was written: what other requests remember of its key as expired is out of date. */
void msd_session_lives(const msd_session_t *s);

#endif
