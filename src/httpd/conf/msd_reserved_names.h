#ifndef MSD_RESERVED_NAMES_H
#define MSD_RESERVED_NAMES_H

/*
 * Names that directives may give to headers and variables, and those that mean something to others already. One list of
 * each for all directives.
 */

/**
 * 1 when programs may take two headers for the same: CGI, WSGI and PHP make variables of headers, with letters in upper
 * case and '_' for '-', PHP also for '.'.
 */
int msd_reserved_names_same_header(const char *a, const char *b);

/**
 * 1 when HTTP (IANA's registry of field names, RFC 9110 and 9112), WebDAV, CGI (RFC 3875), a proxy, mod_session or this
 * module gives the header a meaning, in requests or responses, which no entry of a session and no ID may decide.
 */
int msd_reserved_names_header(const char *name);

/**
 * 1 when a program, its interpreter, the loader, a shell, libc or httpd obeys the environment variable, or takes it for
 * something that the server vouches for (RFC 3875 section 4.1): no entry of a session may set it. In any case of
 * letters.
 */
int msd_reserved_names_variable(const char *name);

#endif
