#ifndef MSD_HEADER_HIDE_H
#define MSD_HEADER_HIDE_H

#include <httpd.h>

#include "httpd/msd_response_head.h"

/*
 * Session headers and cookies of a backend where no filter for content sees them: in interim responses (1xx) and
 * handshakes, which mod_proxy writes to the connection itself, and headers in trailers, which HTTP/2 sends. There they
 * change nothing, but the client is not to see them.
 */

/** Register the filters; in register_hooks. */
void msd_header_hide_register(void);

/** Before the handler of a proxied request r, no subrequest: hide this, which has to be valid as long as r. */
void msd_header_hide_begin(request_rec *r, const msd_response_head_drop_t *drop);

/** The response itself begins: from here on the connection's bytes are not looked at. */
void msd_header_hide_end(request_rec *r);

#endif
