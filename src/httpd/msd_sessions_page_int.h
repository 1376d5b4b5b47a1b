#ifndef MSD_SESSIONS_PAGE_INT_H
#define MSD_SESSIONS_PAGE_INT_H

#include "httpd/msd_user_sessions.h"

/* Shared by the files of msd_sessions_page. */

/* Names and values of the form. A table key is another value of the button: that of the session to end. */
#define BUTTON        "end"
#define BUTTON_OTHERS "others"
#define BUTTON_ALL    "all"

/** A session on the page. */
typedef struct msd_sessions_page_row_t {
    ddb_user_session_t session;
    apr_time_t accessed; /* last recorded activity */
    int is_own;          /* 1: of this request */
    int is_bound;        /* 1: to its device */
} msd_sessions_page_row_t;

/** Answer with the sessions: msd_sessions_page_row_t, in this order. token: for the form. */
void msd_sessions_page_show(request_rec *r, const apr_array_header_t *rows, const char *token);

/** Answer with one sentence instead, which is a constant. */
void msd_sessions_page_say(request_rec *r, const char *sentence);

#endif
