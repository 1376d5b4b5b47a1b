#ifndef DDB_USER_SESSIONS_H
#define DDB_USER_SESSIONS_H

#include "store/ddb_store.h"

/*
 * The sessions of a user, as a list in an item of the same table (OWASP ASVS 5.0 sections 7.4 and 7.5; NIST SP 800-63B
 * section 7.1). A session is listed before its row exists, so a consistent read of the list finds every session, and no
 * index is needed. Who ends sessions first marks the list with the time: a login that began before cannot add a session
 * after that, however late it comes.
 *
 * The item: `id` is the key of the list; `data` (B) a JSON object, sealed like a session where keys seal (`encoding`);
 * `version` counts its writes; `expires` (N) the latest absolute end of its sessions; `ended` (N) the
 * milliseconds since 1970 when sessions were last ended.
 *
 * Results live in the pool of the call, and failures are described in its err. Thread safe.
 */

#define DDB_USER_SESSIONS_MOST       400 /* sessions of a list: it stays below DynamoDB's limit of an item */
#define DDB_USER_SESSIONS_AGENT      100 /* bytes of a User-Agent that are kept */
#define DDB_USER_SESSIONS_SECRET_MIN 32  /* characters of a key */

/** A session of a list. Times are epoch seconds. */
typedef struct ddb_user_session_t {
    const char *key;      /* table key of its row */
    const char *previous; /* that of the ID which this one replaces, and which may still be in use; NULL: none */
    apr_int64_t created;  /* when the user logged in */
    apr_int64_t expires;  /* its absolute end */
    const char *address;  /* part of the client's IP address; "": unknown */
    const char *agent;    /* the client's User-Agent, cut; "": unknown */
} ddb_user_session_t;

/** A list as it was read. */
typedef struct ddb_user_sessions_t {
    const char *id;
    apr_array_header_t
        *sessions;       /* ddb_user_session_t, in the order of their logins; those that expired are not there */
    apr_int64_t version; /* 0: there was no list */
    apr_int64_t ended;   /* as in the item; 0: absent */
} ddb_user_sessions_t;

/** How many sessions a user may have. */
typedef struct ddb_user_limit_t {
    int most; /* 0: no limit but DDB_USER_SESSIONS_MOST */
    int deny; /* 1: a further login fails; 0: it ends the session whose login is the longest ago */
} ddb_user_limit_t;

/**
 * The key of the list of a user's sessions: "u:", which no session ID contains, and base64url of HMAC-SHA-256 under
 * secret, a key of the site, over label, realm and user. audience: the label of the sessions; NULL: none.
 * @return a failure only if OpenSSL fails.
 */
apr_status_t ddb_user_sessions_id(const char **id, const char *secret, const char *audience,
                                  const ddb_marks_user_t *user, apr_pool_t *p);

/** 1 if the key of an item is that of a list. */
int ddb_user_sessions_is_id(const char *key);

/** Read a list: one GetItem, consistent. A list that does not exist is empty. @return DDB_EBADITEM for an item that is
 * not a list, or that no key opens. */
apr_status_t ddb_user_sessions_read(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                    ddb_user_sessions_t *list);

/**
 * Add a session before its row is written: one GetItem and one conditional UpdateItem, again after each conflict. Takes
 * out what expired, and the ID before session->previous. The limit is for logins: a new ID of a session that is listed,
 * as the only one to replace its ID, passes. Where that is not enough for the limit, reads the rows of all
 * sessions, and takes out those that have ended.
 * *evicted: the number of sessions that made room.
 * @return APR_NOTFOUND if sessions of the user were ended since call->now: this one must not begin. DDB_ETOOMANY if the
 *         limit is reached.
 */
apr_status_t ddb_user_sessions_add(ddb_store_t *st, const ddb_store_call_t *call, const char *id,
                                   const ddb_user_session_t *session, const ddb_user_limit_t *limit, int *evicted);

/** Take a session out that has ended, with the ID that it replaced. @return APR_NOTFOUND if it is not there. */
apr_status_t ddb_user_sessions_remove(ddb_store_t *st, const ddb_store_call_t *call, const char *id, const char *key);

/** End one session of a list, under all its IDs, and take it out. @return APR_NOTFOUND if it is not there: whoever asks
 * may only end what is listed. */
apr_status_t ddb_user_sessions_end_one(ddb_store_t *st, const ddb_store_call_t *call, const char *id, const char *key);

/**
 * End all sessions of a list but keep's, a table key; NULL: all. On success no session whose login began before the
 * call is alive, and none of them can begin later. *ended: the number of sessions that were ended, among them some that
 * had expired by their idle timeout. After a failure some may be left. @return DDB_ECONFLICT if sessions kept getting
 * new IDs meanwhile.
 */
apr_status_t ddb_user_sessions_end_all(ddb_store_t *st, const ddb_store_call_t *call, const char *id, const char *keep,
                                       int *ended);

/** 1 if the two are IDs of the same session: one replaces the other. */
int ddb_user_sessions_same(const ddb_user_session_t *a, const ddb_user_session_t *b);

#endif
