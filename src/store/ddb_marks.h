#ifndef DDB_MARKS_H
#define DDB_MARKS_H

#include <apr_pools.h>

/*
 * The users of a session, one for each realm, as marks: text that answers "is this the user whom the session knows in
 * this realm?" to the holder of the session ID and tells a reader of the table nothing, neither users nor realms. Marks
 * are HMACs under a key of the session, which is stored encrypted under the ID, so that they survive a new ID although
 * nobody knows the users of the other realms then.
 */

#define DDB_MARKS_REALMS_MAX 16 /* of one session; the one marked longest ago makes room */

/** What the marks know of a user in a realm. */
typedef enum ddb_marks_e {
    DDB_MARKS_NOBODY, /* nobody is marked in the realm */
    DDB_MARKS_SAME,   /* this user is */
    DDB_MARKS_OTHER   /* another user is */
} ddb_marks_e;

/** A realm and the user in it; both are text without NUL, and neither is NULL. */
typedef struct ddb_marks_user_t {
    const char *realm;
    const char *user;
} ddb_marks_user_t;

/**
 * Compare, in constant time. marks: as stored; NULL, and what is not text of this room, knows nobody. sid: the ID, with
 * or without its signature. @return a failure only if OpenSSL fails.
 */
apr_status_t ddb_marks_find(ddb_marks_e *found, const char *marks, const char *sid, const ddb_marks_user_t *user,
                            apr_pool_t *p);

/** Mark user as the one of its realm; *marks, which may be NULL before, becomes new text in p. */
apr_status_t ddb_marks_set(const char **marks, const char *sid, const ddb_marks_user_t *user, apr_pool_t *p);

/** Forget the user of a realm; *marks becomes new text in p, NULL when nobody is left. */
apr_status_t ddb_marks_drop(const char **marks, const char *sid, const char *realm, apr_pool_t *p);

/** The session moves from one ID to another: *marks, which may be NULL, becomes new text in p. */
apr_status_t ddb_marks_move(const char **marks, const char *from, const char *to, apr_pool_t *p);

#endif
