#ifndef MSD_REQUEST_H
#define MSD_REQUEST_H

#include <mod_session.h>

#include "httpd/msd_calls.h"
#include "httpd/msd_session.h"

/** Private to msd_header: the contents of the session headers of the tree's requests. */
typedef struct msd_request_header_t {
    request_rec *speaker;     /* the last request, not a subrequest, whose handler started; NULL before */
    apr_array_header_t *said; /* its type is private, too: values removed from the response so far; NULL before */
} msd_request_header_t;

/** Private to msd_http_cache: the tree's requests as mod_cache sees them. */
typedef struct msd_request_http_cache_t {
    const request_rec *marked; /* the request whose header is marked as having a live session; NULL outside lookups */
    const char *name;          /* the name of the marked header */
    const char *unmarked;      /* its value without the mark; NULL: the header was absent */
    const request_rec *file;   /* the last request answered by httpd's default handler for files; NULL before */
} msd_request_http_cache_t;

/** Private to msd_require_tls: what the tree's last expression said. */
typedef struct msd_request_tls_t {
    const ap_expr_info_t *when; /* that expression; NULL: none yet */
    int says;                   /* 1: true; 0: false, or it could not be evaluated */
} msd_request_tls_t;

/** Private to msd_csrf: the last request that was judged, and by which settings. */
typedef struct msd_request_csrf_t {
    const request_rec *request;   /* NULL: none yet */
    const msd_dir_config_t *conf; /* merged */
} msd_request_csrf_t;

/**
 * One request tree: a request with its subrequests and internal redirects. Stored in the topmost request and allocated
 * from its pool. Like the tree itself, used by one thread at a time.
 */
typedef struct msd_request_t {
    request_rec *top;
    apr_array_header_t *carriers; /* msd_carrier_t: session IDs removed from the client's headers; NULL before */
    int begun;                    /* 1: the response has started, and headers can no longer be added */
    msd_calls_t calls;
    msd_session_t session;            /* of the place that loaded one first; its next: those of other places */
    const request_rec *passed_fixups; /* private to the hooks: the last one, not a subrequest, that did; NULL before */
    int answered;                     /* private to msd_filter: 1: the failed write became an error response */
    apr_array_header_t *forwarded;    /* private to msd_forward: const char *, the headers set; NULL before */
    msd_request_header_t header;
    msd_request_http_cache_t http_cache;
    msd_request_tls_t tls;
    msd_request_csrf_t csrf;
} msd_request_t;

/** The state of r's tree; NULL if it does not exist yet. */
msd_request_t *msd_request_find(request_rec *r);

/** The state of r's tree, created on the first call. Never NULL. */
msd_request_t *msd_request_get(request_rec *r);

/**
 * The session of r's place, loaded; NULL if it is not loaded, or SessionDynamoDB is Off for r. Requests of a tree share
 * a session if they are of the same place: their cookies, keys, labels and formats are the same.
 */
msd_session_t *msd_request_session(request_rec *r);

/** The session of r's place, where SessionDynamoDB is On; a new one if r has to load it (MSD_NOT_LOADED). */
msd_session_t *msd_request_place(request_rec *r, msd_request_t *q);

/** The tree's session that was given to mod_session as z; NULL if z is of another store. */
msd_session_t *msd_request_session_of(msd_request_t *q, const session_rec *z);

/** The first session of the tree that r's response may depend on: that of its own place, if it has one. NULL: none. */
msd_session_t *msd_request_any_session(request_rec *r);

/** 1 if SessionDynamoDB is On for both requests, and they are of the same place. */
int msd_request_is_same_place(const request_rec *r, const request_rec *other);

/** 1 if r must not change s: it is part of a page, which belongs to another place. */
int msd_request_is_foreign_part(request_rec *r, const msd_session_t *s);

/** Remove session IDs from r's headers and remember them; see msd_carrier_take. conf: the settings for r. */
void msd_request_take(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf);

/** The IDs, valid or not, that the client sent in conf's carrier: const char *, at least one; NULL: no ID. */
const apr_array_header_t *msd_request_came(const msd_request_t *q, const msd_dir_config_t *conf);

/** The values, valid or not, of the cookie of the sessions that conf imports: const char *, at least one; NULL: none
 * came, or conf imports nothing. */
const apr_array_header_t *msd_request_came_old(const msd_request_t *q, const msd_dir_config_t *conf);

/** 1 if r is an error page, or part of one. */
int msd_request_is_error_page(const request_rec *r);

/** 1 if the names of entries are case-sensitive: they are members of a JSON object. */
int msd_request_names_exact(const request_rec *r);

/**
 * The value of the entry of z that a directive names; NULL if z has no such entry. If names are case-sensitive, the
 * name must match exactly; the entry is then found even if z hides it because another name differs only in case.
 */
const char *msd_request_entry(request_rec *r, const session_rec *z, const char *name);

#endif
