#ifndef MSD_RESPONSE_HEAD_H
#define MSD_RESPONSE_HEAD_H

#include <apr_tables.h>

/*
 * The heads of HTTP/1 responses, line by line, less some headers. Interim responses, of which there may be several, are
 * followed by another head; any other response is not (RFC 9110 section 15.2).
 */

/** 1 for the white space within a line (RFC 9110 section 5.6.3). */
static inline int msd_response_head_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/** Where in a head we are. All zero: before the first line. */
typedef struct msd_response_head_t {
    int within;   /* 1: behind the status line */
    int last;     /* 1: no other head follows this one */
    int dropping; /* 1: the line before was taken out, and with it its continuation lines */
    int done;     /* 1: what follows is no head */
} msd_response_head_t;

/** What is taken out of heads. */
typedef struct msd_response_head_drop_t {
    const apr_array_header_t *headers; /* const char *: names */
    const char *cookie;                /* the name of one that no Set-Cookie may set; NULL for none */
} msd_response_head_drop_t;

/**
 * Judge the next line, which includes its end (LF or CRLF).
 * @return 1 when it is to be sent, 0 when it belongs to what is taken out.
 */
int msd_response_head_keeps(msd_response_head_t *head, const char *line, apr_size_t len,
                            const msd_response_head_drop_t *drop);

/**
 * 1 when the value of a Set-Cookie header makes browsers send a cookie of that name. They take a value that begins with
 * '=' for a cookie without a name, and send what follows as if it had one (RFC 6265bis section 5.7).
 */
int msd_response_head_sets(const char *value, apr_size_t len, const char *cookie);

#endif
