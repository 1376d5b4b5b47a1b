#ifndef MSD_HEADER_HIDE_H
#define MSD_HEADER_HIDE_H

#include <httpd.h>

#include "httpd/msd_response_head.h"

/*
 * Hides session headers and cookies of a backend where content filters do not see them: in interim responses (1xx) and
 * handshakes, which mod_proxy writes to the connection itself; and session headers in trailers, which HTTP/2 sends.
 * They have no effect there, but the client must not see them.
 */

/** Register the filters. Call in register_hooks. */
void msd_header_hide_register(void);

/** Start to hide drop, which must be valid as long as r. Call before the handler of a proxied r, not a subrequest. */
void msd_header_hide_begin(request_rec *r, const msd_response_head_drop_t *drop);

/** Stop: the final response begins, and the connection's bytes are no longer examined. */
void msd_header_hide_end(request_rec *r);

#endif
