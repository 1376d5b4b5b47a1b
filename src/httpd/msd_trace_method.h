#ifndef MSD_TRACE_METHOD_H
#define MSD_TRACE_METHOD_H

#include <httpd.h>

/*
 * httpd answers TRACE by sending the request's headers back, before it evaluates any section of the configuration. A
 * script could read in them the cookie that HttpOnly hides from it.
 */

/** The post_read_request hook: removes headers that may carry a session ID from a TRACE request (RFC 9110 section
 * 9.3.8). */
int msd_trace_method_take(request_rec *r);

/** Log a notice if TRACE is allowed. Call in check_config, after msd_config_check. */
void msd_trace_method_check(server_rec *main_server);

#endif
