#ifndef MSD_REQUEST_H
#define MSD_REQUEST_H

#include <mod_session.h>

#include "httpd/msd_calls.h"
#include "httpd/msd_session.h"

/** Private to msd_header: the contents of the session headers of the tree's requests. */
typedef struct msd_request_header_t {
    request_rec *speaker;     /* the last request, not a subrequest, whose handler started; NULL before */
    apr_array_header_t *said; /* const char *: values removed from the response so far; NULL before */
} msd_request_header_t;

/** Private to msd_http_cache: the tree's requests as mod_cache sees them. */
typedef struct msd_request_http_cache_t {
    const request_rec *marked; /* the request whose header is marked as having a live session; NULL outside lookups */
    const char *unmarked;      /* its header without the mark; NULL: the header was absent */
    const request_rec *file;   /* the last request answered by httpd's default handler for files; NULL before */
} msd_request_http_cache_t;

/** msd_identity's own: the last user that was looked up in the stored session. */
typedef struct msd_request_known_t {
    const char *sid; /* of that session, by address; NULL: no lookup yet */
    ddb_marks_user_t user;
    ddb_marks_e found;
} msd_request_known_t;

/**
 * One request tree: a request with its subrequests and internal redirects. Stored in the topmost request and allocated
 * from its pool. Like the tree itself, used by one thread at a time.
 */
typedef struct msd_request_t {
    request_rec *top;
    apr_array_header_t *carriers; /* msd_carrier_t: session IDs removed from the client's headers; NULL before */
    msd_request_known_t known;
    ddb_marks_user_t user; /* of HTTP authentication, once r passed it and authorization; NULL before */
    int begun;             /* 1: the response has started, and headers can no longer be added */
    msd_calls_t calls;
    msd_session_t session;            /* one for the whole tree, of the place that loaded it first */
    const request_rec *passed_fixups; /* private to the hooks: the last one, not a subrequest, that did; NULL before */
    int answered;                     /* private to msd_filter: 1: the failed write became an error response */
    apr_array_header_t *forwarded;    /* private to msd_forward: const char *, the headers set; NULL before */
    msd_request_header_t header;
    msd_request_http_cache_t http_cache;
} msd_request_t;

/** The state of r's tree; NULL if it does not exist yet. */
msd_request_t *msd_request_find(request_rec *r);

/** The state of r's tree, created on the first call. Never NULL. */
msd_request_t *msd_request_get(request_rec *r);

/** The session of r's tree; NULL if the tree has no state yet. */
msd_session_t *msd_request_session(request_rec *r);

/** Remove session IDs from r's headers and remember them; see msd_carrier_take. conf: the settings for r. */
void msd_request_take(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf);

/** The IDs, valid or not, that the client sent in conf's carrier: const char *, at least one; NULL: no ID. */
const apr_array_header_t *msd_request_came(const msd_request_t *q, const msd_dir_config_t *conf);

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
