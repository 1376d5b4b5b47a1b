#ifndef MSD_SESSION_H
#define MSD_SESSION_H

#include <mod_session.h>

#include "httpd/conf/msd_config.h"
#include "store/ddb_json_entries.h"
#include "store/ddb_store.h"

/*
 * The session of one place in a request tree: its state, and its consequences for the store and the response. Does not
 * know the tree (msd_request), or how sessions are loaded and saved (msd_load, msd_save). Does not log.
 */

/** The result of the load. */
typedef enum msd_outcome_e {
    /* No reason to refuse the request: */
    MSD_NOT_LOADED, /* not requested yet */
    MSD_NEW,        /* the client sent no valid ID: the session is new and empty */
    MSD_LOADED,
    /* A reason: */
    MSD_FAILED,        /* the store could not be read */
    MSD_MISCONFIGURED, /* the configuration sections that apply to this request contradict each other */
    MSD_WITHOUT_TLS,   /* TLS is required, and the request came without: neither read nor written */
    MSD_LIMITED        /* as MSD_NEW, and its client is over the limit of guesses: 429, and never written */
} msd_outcome_e;

/** What the request did to the stored session. */
typedef enum msd_written_e {
    MSD_NOTHING,
    MSD_STORED, /* created, changed or renewed */
    MSD_ENDED,
    MSD_GONE,     /* another request ended it meanwhile; this one had nothing to store, and its response sends no ID */
    MSD_TOO_LATE, /* the write needs a new ID, but the response has started: changes dropped */
    /* Denied: an error is the response. */
    MSD_REFUSED,    /* as MSD_GONE, but with changes: 503, because they belong to no session any more */
    MSD_OVER_LIMIT, /* its client is over the limit of new sessions: 429 */
    MSD_WRITE_FAILED
} msd_written_e;

/** What the request shows of the device to which its session is bound (SessionDynamoDBDeviceBound). */
typedef enum msd_device_e {
    MSD_DEVICE_UNKNOWN, /* nothing is asked */
    MSD_DEVICE_UNBOUND, /* the session is not bound, and may be used */
    MSD_DEVICE_BOUND,   /* the client has proved its device */
    MSD_DEVICE_STALE    /* it has not: the session was withdrawn */
} msd_device_e;

/** What the request makes of the session's users. */
typedef enum msd_identity_e {
    MSD_SAME_USER,
    MSD_LOGIN,       /* nobody -> A, or A again by a fresh login: a new ID, the entries stay */
    MSD_LOGOUT,      /* A -> nobody: the session ends */
    MSD_USER_CHANGED /* A -> B: a new ID, and nothing but what this request set */
} msd_identity_e;

/** A realm whose user left. */
typedef struct msd_session_left_t {
    const char *realm;
    const char *name; /* AuthName of a form; NULL: of an entry */
    const char *user;
} msd_session_left_t;

/** A user who is in the session now. */
typedef struct msd_session_user_t {
    ddb_marks_user_t user;
    int is_new; /* 1: by what this request did or brings with it, and not only by an entry that was stored */
} msd_session_user_t;

/** Sessions of the user that are to end. */
typedef enum msd_revoke_e { MSD_REVOKE_NONE, MSD_REVOKE_OTHERS, MSD_REVOKE_ALL } msd_revoke_e;

/** msd_identity's own: the last user that was looked up in the stored session. */
typedef struct msd_session_known_t {
    const char *sid; /* of that session, by address; NULL: no lookup yet */
    ddb_marks_user_t user;
    ddb_marks_e found;
} msd_session_known_t;

/** msd_env's own: what the variables of a request tell. */
typedef struct msd_session_described_t {
    const request_rec *r; /* no subrequest; NULL: none yet */
    const char *sid;      /* of the session, by address */
    apr_int64_t expires;
} msd_session_described_t;

/** The IDs that the client sent in the place's carrier. */
typedef struct msd_session_ids_t {
    int count;           /* valid or not */
    int ambiguous;       /* 1: more than one could be valid, and all are ignored */
    ddb_miss_e miss;     /* the reason for refusing the last of them */
    ddb_over_e over;     /* why, if that reason is DDB_MISS_OVER */
    int cached, shared;  /* rows of the last of them from the cache, and rows that other requests read */
    int replaced;        /* 1: a newer ID replaced it, which this client has by now, or will have */
    const char *opened;  /* the ID that opened the session; not its own if it was replaced by age. NULL: none did */
    const char *refused; /* SHA-512 of a refused ID, for logs; NULL: no ID was refused */
} msd_session_ids_t;

/** The requested write, its result, and its consequences for the ID in the response. */
typedef struct msd_session_answer_t {
    int renew;    /* 1: a new ID was requested */
    int anew;     /* 1: and that nothing of the stored session goes along */
    int abandon;  /* 1: the end of the session was requested */
    int verified; /* 1: the request itself verified a login: by a form, or as its program says */
    msd_identity_e identity;
    const ddb_marks_user_t *login; /* the user to mark in the row; NULL: no login */
    apr_array_header_t *left;      /* msd_session_left_t; NULL: no logout */
    apr_array_header_t *users;     /* msd_session_user_t, where SessionDynamoDBUserSessions is On; NULL: nobody */
    msd_revoke_e revoke;
    int all_ended;        /* 1: all sessions of the user were ended, whatever became of this one's ID */
    int timeouts_changed; /* 1: stored has timeouts that this request set */
    msd_written_e written;
    apr_status_t failure; /* of the read or write; APR_SUCCESS: no failure */
    int merges;           /* number of times that another request wrote first and both changes were merged */
    const char *issue;    /* the ID that the response sends; NULL: no ID */
    int issue_on_error;   /* 1: even if it is an error, because the session was stored under it before the failure */
    int end_id;           /* 1: the response deletes the client's ID */
    int end_old;          /* 1: and the cookie of the old session, which is imported or can't be */
    int end_device;       /* 1: the response deletes the cookie of the device, which proves nothing for the session */
    int invite;           /* 1: the ID is new, and the browser may bind the session to its device */
    int passed_limit;     /* 1: the session that it begins is the first one over a limit, which is not told yet */
    int wait;             /* seconds after which a request that a limit refuses may be repeated */
} msd_session_answer_t;

/** msd_event's own: something that happened to the session, in words of docs/events.md. */
typedef struct msd_session_event_t {
    const char *event, *reason;
    const char *sid, *previous; /* IDs; NULL: none */
    ddb_marks_user_t user;      /* user NULL: nobody is known */
} msd_session_event_t;

/** Allocated from the pool of the tree's topmost request. Like the tree, used by one thread at a time. */
typedef struct msd_session_t {
    struct msd_session_t *next; /* of another place of the tree; NULL: no further one */
    apr_pool_t *pool;
    request_rec *loader;            /* the request that loaded it; NULL before, and if a subrequest did, which may end
                                      before the tree does */
    const msd_dir_config_t *merged; /* the loader's settings without defaults; NULL where loader is */
    msd_dir_config_t *conf;         /* the settings where it was loaded; NULL before */
    server_rec *server;             /* of the request that loaded it; so are max_age and header */
    long max_age;                   /* mod_session's sliding limit (SessionMaxAge), in seconds; 0: no limit. It acts as
                                      an additional idle timeout */
    const char *header;             /* mod_session's SessionHeader; NULL: none */
    ddb_marks_user_t user;          /* of HTTP authentication, after authorization; NULL before */
    msd_session_known_t known;
    apr_time_t now; /* wall clock at the load; all times of the session derive from it */
    msd_outcome_e outcome;
    const ddb_bound_t *bind; /* the client, as SessionDynamoDBBind wants to know it; NULL: not at all */
    msd_device_e device;
    int is_passive;              /* 1: the request is no activity of the user: it touches nothing */
    int binding_changed;         /* 1: it has changed, and the session gets a new ID for that */
    session_rec *z;              /* the one given to mod_session */
    ddb_session_t stored;        /* as last read or written; sid NULL: not in the table */
    apr_table_t *loaded;         /* its entries at that time: the base of a merge */
    apr_table_t *seen;           /* the same with z's own values: an entry whose address differs was set since */
    ddb_json_entries_t *members; /* with SessionDynamoDBFormat json, the object that holds them; NULL otherwise */
    const session_rec *decoding; /* private to msd_payload: the session_rec being decoded; NULL otherwise */
    apr_time_t expiry;           /* the expiry that an application put into the payload; 0: no expiry */
    int importing;               /* 1: its entries come from an old session, and are not stored yet */
    msd_session_described_t described;
    apr_array_header_t *events; /* msd_session_event_t, in order; NULL: nothing happened, or no events are logged */
    ddb_error_t error;          /* of the last failure */
    msd_session_ids_t ids;
    msd_session_answer_t answer;
} msd_session_t;

/** mod_session's settings for r. */
const session_dir_conf *msd_session_conf(const request_rec *r);

/** 1 if the session has a session_rec that may be read and written. */
int msd_session_usable(const msd_session_t *s);

/** 1 if mod_session would save the usable session s: it is dirty, and not expired, which mod_session would refuse. */
int msd_session_dirty(const msd_session_t *s);

/** 1 if the session has changes that mod_session did not pass to the save hook. */
int msd_session_unsaved(const msd_session_t *s);

/** Start the state of the session that r loads: its settings. */
void msd_session_begin(msd_session_t *s, request_rec *r);

/** r, not a subrequest, is of the place of s, which a subrequest loaded first: r answers for it from here on. */
void msd_session_adopt(msd_session_t *s, request_rec *r);

/** The timeouts of a new session of this place, into row. */
void msd_session_timeouts(const msd_session_t *s, ddb_session_t *row);

/** Turn s into a new, empty session with the place's timeouts, without moving it: pointers to s->z stay valid. */
void msd_session_begin_new(msd_session_t *s);

/** As msd_session_begin_new, because the session is not given to this client: its row, and the client's ID, are left
 * alone. */
void msd_session_withdraw(msd_session_t *s);

/** 1 if the last write failed or was refused, so that an error must be the response. */
int msd_session_is_denied(const msd_session_t *s);

/** 1 if nothing of the stored session goes along when it gets a new ID. */
int msd_session_begins_empty(const msd_session_t *s);

/** 1 if the client sent the session's own ID, not one that it replaced. */
int msd_session_has_own_id(const msd_session_t *s);

/** 1 if this request is the first with the session's new ID, as far as the row tells. */
int msd_session_is_first_seen(const msd_session_t *s);

/** 1 if this request is to give the session a new ID because of the ID's age, or because its client has changed. */
int msd_session_renewal_due(const msd_session_t *s);

/** Request a new ID, which the next save assigns. */
void msd_session_renew(msd_session_t *s);

/** Request a new ID for a session that has only what this request sets. */
void msd_session_begin_anew(msd_session_t *s);

/** Request the end of the session, whatever this request sets. */
void msd_session_abandon(msd_session_t *s);

/** Request the end of other sessions of the session's user, or of all, this one among them. */
void msd_session_revoke(msd_session_t *s, msd_revoke_e what);

/** Give the session timeouts of its own, in seconds, at least 1, which the next save stores. */
void msd_session_set_timeouts(msd_session_t *s, apr_int64_t idle, apr_int64_t absolute);

/** Record that the write failed with rv. @return rv. */
apr_status_t msd_session_write_failed(msd_session_t *s, apr_status_t rv);

/** Keep mod_session from refusing a session that expired while the request, which started in time, was served. */
void msd_session_keep(msd_session_t *s);

/**
 * 1 if a touch must record this request's activity. *interval: for how long the touch suffices; activity within it
 * needs no further touch.
 */
int msd_session_touch_due(const msd_session_t *s, apr_interval_time_t *interval);

/** The expiry of the session once this request's activity is recorded, epoch seconds. */
apr_int64_t msd_session_next_end(const msd_session_t *s);

/** The expiry of the session here without further activity, epoch seconds; 0 without a stored session. */
apr_int64_t msd_session_expires(const msd_session_t *s);

/** row, with the place's timeouts where they are nearer than its own: those of an application hold everywhere, and so
 * do those in json rows, which are shared with another program. */
ddb_session_t msd_session_here(const msd_session_t *s, const ddb_session_t *row);

/** SHA-512 of the session's ID, safe to log; computed once per ID. NULL without an ID. */
const char *msd_session_loggable_id(msd_session_t *s);

/** Count an event of the session. */
void msd_session_count(const msd_session_t *s, ddb_counted_e what);

/** The session was written: forget its key if it is among the unknown session IDs. */
void msd_session_lives(const msd_session_t *s);

#endif
