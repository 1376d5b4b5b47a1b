#ifndef MSD_RESPONSE_HEAD_H
#define MSD_RESPONSE_HEAD_H

#include <apr_tables.h>

/*
 * Removes headers from the heads of HTTP/1 responses, line by line. Each of the interim responses, of which there may
 * be several, is followed by another head; any other response is not (RFC 9110 section 15.2).
 */

/** 1 for the white space within a line (RFC 9110 section 5.6.3). */
static inline int msd_response_head_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/** The position in a head. All zero: before the first line. */
typedef struct msd_response_head_t {
    int within;   /* 1: after the status line */
    int last;     /* 1: no further head follows */
    int dropping; /* 1: the previous line was dropped, so its continuation lines are dropped too */
    int done;     /* 1: the rest is not part of a head */
} msd_response_head_t;

/** The headers to drop from heads. */
typedef struct msd_response_head_drop_t {
    const apr_array_header_t *headers; /* const char *: names */
    const char *cookie;                /* the name of a cookie that must not be set; NULL: all may be */
} msd_response_head_drop_t;

/**
 * Decide about the next line, which includes its end (LF or CRLF).
 * @return 1 to send it, 0 to drop it.
 */
int msd_response_head_keeps(msd_response_head_t *head, const char *line, apr_size_t len,
                            const msd_response_head_drop_t *drop);

/**
 * 1 if the value of a Set-Cookie header makes browsers send a cookie of that name. They treat a value that begins with
 * '=' as a cookie without a name, and send the rest as if it had one (RFC 6265bis section 5.7).
 */
int msd_response_head_sets(const char *value, apr_size_t len, const char *cookie);

#endif
