#ifndef MSD_REQUEST_H
#define MSD_REQUEST_H

#include <mod_session.h>

#include "httpd/child/msd_store_notices.h"
#include "httpd/conf/msd_config.h"
#include "store/ddb_json_entries.h"
#include "store/ddb_store.h"

/** What the look for a session found. */
typedef enum msd_outcome_e {
    MSD_NOT_LOADED, /* nobody asked yet */
    MSD_NEW,        /* no ID came, or none that is or names a session: the session is new and empty */
    MSD_LOADED,
    MSD_FAILED,       /* the store could not be read */
    MSD_MISCONFIGURED /* the sections that meet in this request contradict each other */
} msd_outcome_e;

/** What the request did to the stored session. */
typedef enum msd_written_e {
    MSD_NOTHING,
    MSD_STORED, /* created, changed or renewed */
    MSD_ENDED,
    MSD_GONE,     /* it was ended by another request meanwhile: it stays so, and this response sends no ID */
    MSD_TOO_LATE, /* a new ID would have to be handed out, but the response has begun: dropped */
    MSD_WRITE_FAILED
} msd_written_e;

/**
 * What one request tree (a request with its subrequests and internal redirects) knows of its session. One per tree,
 * kept with its topmost request and in that one's pool; used by one thread at a time, as the tree is.
 */
typedef struct msd_request_t {
    request_rec *top;
    request_rec *loader;                /* the request that loaded: its settings hold for the tree; NULL before */
    const request_rec *passed_fixups;   /* the last request, no subrequest, that did; NULL before */
    msd_dir_config_t *conf;             /* of the loader */
    ddb_store_t *store;                 /* NULL when this child has none */
    const ddb_clock_t *clock;           /* of its calls; the machine's own without a store */
    const msd_store_notices_t *notices; /* of its calls */
    msd_outcome_e outcome;
    msd_written_e written;
    session_rec *z;               /* the one that mod_session was given */
    const session_rec *decoding;  /* whose payload is being decoded; NULL: nobody's */
    ddb_session_t session;        /* as last read or written; sid NULL: no row */
    apr_table_t *loaded;          /* its entries then: what the merge calls base */
    ddb_json_entries_t *members;  /* with SessionDynamoDBFormat json the object that they were read from; NULL: none */
    apr_time_t expiry;            /* the end that the payload named, an application's doing; 0: none */
    apr_array_header_t *carriers; /* msd_carrier_t: what was taken off the client's headers; NULL before */
    int taken;                    /* how many IDs, of any form, came in the loader's carrier */
    int ambiguous;                /* 1: more than one of them could be meant, and none is used */
    const char *loggable;         /* SHA-512 of loggable_of, for logs; NULL before somebody asks */
    const char *loggable_of;      /* the session.sid that it was made of */
    ddb_miss_e miss;              /* why the ID that came, or the last of them, was no session's */
    const char *refused;          /* loggable hash of an ID that came and was no session's; NULL for none */
    const request_rec *marked; /* the request that is seen as one of a live session; NULL: none is (msd_http_cache) */
    const char *unmarked;      /* what its header was before; NULL: there was none */
    const request_rec *file;   /* the request that httpd's own handler of files answers; NULL: none, so far */
    const char *user;          /* r->user, once authentication and authorization let the request pass */
    request_rec *speaker;      /* the request, no subrequest, whose handler began last; NULL before */
    apr_array_header_t *said;  /* const char *: what session headers said so far, taken out; NULL before */
    const char *issue;         /* the ID that the response must hand out; NULL for none */
    apr_array_header_t *forwarded; /* const char *: the request headers that entries were sent in; NULL before */
    int merges;                    /* how often another request had written first, and both changes were made one */
    int end_id;                    /* 1: the response must end the ID */
    int renew;                     /* 1: a new ID was asked for */
    int timeouts_changed;
    int begun;                  /* 1: the response is on its way: no header can be added any more */
    int answered;               /* 1: the failed write was turned into an error response */
    apr_time_t now;             /* the one reading of the clock */
    int calls;                  /* to the table */
    apr_interval_time_t spent;  /* in them */
    apr_interval_time_t budget; /* what is left of SessionDynamoDBTimeout for store calls */
    ddb_error_t error;          /* of the last store call */
    apr_status_t failure;       /* why the store could not be read or written; APR_SUCCESS while it could */
} msd_request_t;

/** The state of r's tree, NULL when there is none yet. */
msd_request_t *msd_request_find(request_rec *r);

/** The state of r's tree, made on the first call. Never NULL. */
msd_request_t *msd_request_get(request_rec *r);

/** Take session IDs off r's headers, remembering them; see msd_carrier_take. conf holds for r. */
void msd_request_take(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf);

/** The IDs, of any form, that came with the tree in conf's carrier: const char *, at least one; NULL for none. */
const apr_array_header_t *msd_request_came(const msd_request_t *q, const msd_dir_config_t *conf);

/** 1 while r, or what it is part of, is the page for an error. */
int msd_request_is_error_page(const request_rec *r);

/** 1 when there is a session_rec of ours that may be read and written. */
int msd_request_usable(const msd_request_t *q);

/**
 * Whose session this is, as far as this request knows: mod_auth_form's entry, which it sets after the password was
 * verified, or the user that authorization let pass. What the client merely claims is not enough. NULL: nobody's.
 */
const char *msd_request_user(const request_rec *r, const msd_request_t *q);

/** 1 where the names of entries are told apart by case: they are members of a JSON object. */
int msd_request_names_exact(const request_rec *r);

/**
 * The entry of z that a directive names, NULL when there is none. Where names are exact it is the one of exactly this
 * name, also where z shows none, because another name differs in case only.
 */
const char *msd_request_entry(request_rec *r, const session_rec *z, const char *name);

/** 1 when the stored session is not known to be this user's: its ID has to change. */
int msd_request_user_changed(const request_rec *r, const msd_request_t *q);

/** 1 when mod_auth_form's entry was there when the session was loaded and is no more: the user logged out. */
int msd_request_user_left(const request_rec *r, const msd_request_t *q);

/** mod_session's sliding limit (SessionMaxAge) where the session was loaded, in seconds; 0: none. It acts as one more
 * idle timeout. */
long msd_request_max_age(const msd_request_t *q);

/** Make the session a new, empty one with the timeouts that hold here, in place: who has q->z keeps it. */
void msd_request_begin_new(msd_request_t *q);

/**
 * What every store call of the request takes: between begin and end, one or more calls. All of them share one budget of
 * time, which counts the time spent in calls only: what the handler takes between them is its own affair.
 * @return when it began, for the end.
 */
apr_time_t msd_request_call_begin(msd_request_t *q, ddb_store_call_t *call, ddb_sid_rules_t *rules);
void msd_request_call_end(msd_request_t *q, apr_time_t started);

/** 1 when changes were made that mod_session did not bring to a save, an end in the past apart, which it refuses. */
int msd_request_unsaved(const msd_request_t *q);

/** Count what became of the request's session. */
void msd_request_count(const msd_request_t *q, ddb_counted_e what);

/** The session was written: what is remembered of its key, by requests that found it over, is out of date. */
void msd_request_lives(const msd_request_t *q);

/** SHA-512 of the session's ID, what logs may show of it; made once per ID. NULL while there is no ID. */
const char *msd_request_loggable_id(msd_request_t *q);

/** mod_session's settings for r. */
const session_dir_conf *msd_request_session_conf(const request_rec *r);

#endif
