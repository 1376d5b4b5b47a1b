#ifndef MSD_RESERVED_NAMES_H
#define MSD_RESERVED_NAMES_H

/*
 * Reserved names of headers and variables, which directives must not use. All directives share one list of each.
 */

/**
 * 1 if programs may treat two header names as the same: CGI, WSGI and PHP turn headers into variables, with letters in
 * upper case and '_' for '-', PHP also for '.'.
 */
int msd_reserved_names_same_header(const char *a, const char *b);

/**
 * 1 if HTTP (IANA's registry of field names, RFC 9110 and 9112), WebDAV, CGI (RFC 3875), a proxy, mod_session or this
 * module gives the header a meaning, in requests or responses. Neither session entries nor IDs may set such a header.
 */
int msd_reserved_names_header(const char *name);

/**
 * 1 if a program, its interpreter, the loader, a shell, libc or httpd obeys the environment variable, or trusts it as
 * set by the server (RFC 3875 section 4.1): session entries must not set it. The case of letters is ignored.
 */
int msd_reserved_names_variable(const char *name);

#endif
