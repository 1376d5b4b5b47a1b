#ifndef MSD_REQUEST_H
#define MSD_REQUEST_H

#include <mod_session.h>

#include "httpd/msd_calls.h"
#include "httpd/msd_session.h"

/** msd_header's own: what the session headers of the tree's requests say. */
typedef struct msd_request_header_t {
    request_rec *speaker;     /* the last request, no subrequest, whose handler began; NULL before */
    apr_array_header_t *said; /* const char *: taken out of the response so far; NULL before */
} msd_request_header_t;

/** msd_http_cache's own: the tree's requests as mod_cache sees them. */
typedef struct msd_request_http_cache_t {
    const request_rec *marked; /* the request that shows that it has a live session; NULL outside of lookups */
    const char *unmarked;      /* its header without the mark; NULL: it had no such header */
    const request_rec *file;   /* the last request that httpd's own handler for files answers; NULL before */
} msd_request_http_cache_t;

/**
 * One request tree: a request with its subrequests and internal redirects. Kept with its topmost request and in that
 * one's pool; used by one thread at a time, as the tree is.
 */
typedef struct msd_request_t {
    request_rec *top;
    apr_array_header_t *carriers; /* msd_carrier_t: what was taken off the client's headers; NULL before */
    const char *user;             /* r->user, once authentication and authorization let the request pass */
    int begun;                    /* 1: the response is on its way: no header can be added any more */
    msd_calls_t calls;
    msd_session_t session;            /* of the place that loaded first, for the whole tree */
    const request_rec *passed_fixups; /* the hooks' own: the last request, no subrequest, that did; NULL before */
    int answered;                     /* msd_filter's own: 1: the failed write was turned into an error response */
    apr_array_header_t *forwarded;    /* msd_forward's own: const char *, the headers that were set; NULL before */
    msd_request_header_t header;
    msd_request_http_cache_t http_cache;
} msd_request_t;

/** The state of r's tree, NULL when there is none yet. */
msd_request_t *msd_request_find(request_rec *r);

/** The state of r's tree, made on the first call. Never NULL. */
msd_request_t *msd_request_get(request_rec *r);

/** The session that holds for r; NULL when the tree has no state yet. */
msd_session_t *msd_request_session(request_rec *r);

/** Take session IDs off r's headers, remembering them; see msd_carrier_take. conf holds for r. */
void msd_request_take(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf);

/** The IDs, of any form, that came with the tree in conf's carrier: const char *, at least one; NULL for none. */
const apr_array_header_t *msd_request_came(const msd_request_t *q, const msd_dir_config_t *conf);

/** 1 while r, or what it is part of, is the page for an error. */
int msd_request_is_error_page(const request_rec *r);

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
int msd_request_user_left(const request_rec *r, const msd_session_t *s);

#endif
