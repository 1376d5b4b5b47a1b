#ifndef MSD_CONTROL_H
#define MSD_CONTROL_H

#include "httpd/msd_session.h"

/*
 * SessionDynamoDBControlHeader: words by which programs and backends control the session itself, not its entries:
 *   renew             a new ID (after a login, or another change of privilege)
 *   create            a new ID, and only what this response sets
 *   abandon           the session ends
 *   revoke-others     all other sessions of its user end
 *   revoke-user       all sessions of its user end, this one among them
 *   idle=SECONDS      its timeouts, from here on, in whole seconds
 *   absolute=SECONDS
 * separated by spaces or commas, in any case and order.
 */

/** Do what a header of r says with s, after the entries were changed. Logs words that are none. */
void msd_control_apply(request_rec *r, msd_session_t *s, const char *said);

#endif
