#ifndef MSD_TRACE_METHOD_H
#define MSD_TRACE_METHOD_H

#include <httpd.h>

/*
 * TRACE: httpd answers it, before any section of the configuration is looked at, by sending the request's headers back,
 * where a script could read the cookie that HttpOnly keeps from it.
 */

/** The post_read_request hook: takes what may carry a session ID out of a TRACE request (RFC 9110 section 9.3.8). */
int msd_trace_method_take(request_rec *r);

/** In check_config, behind msd_config_check: a notice where TRACE is answered. */
void msd_trace_method_check(server_rec *main_server);

#endif
